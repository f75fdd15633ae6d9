"""What has changed, of all that counts; never blind, and at no cost while nothing changes."""

from reloader.filter.rules import Rules
from reloader.watch.watcher import Watcher, open  # noqa: A004

__all__ = ["Rules", "Watcher", "open"]
