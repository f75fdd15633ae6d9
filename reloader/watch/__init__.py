"""File watching: tells of changes to files that pass the filter."""

from reloader.watch.gitfiles import filter_of
from reloader.watch.watcher import Watcher, open  # noqa: A004

__all__ = ["Watcher", "filter_of", "open"]
