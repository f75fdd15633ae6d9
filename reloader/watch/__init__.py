"""File watching: tells of changes to files that pass the filter."""

from reloader.filter.rules import FileFilter
from reloader.watch.watcher import Watcher, open  # noqa: A004

__all__ = ["FileFilter", "Watcher", "open"]
