"""`clean_on_exit`: deletes what the builds of this run have made in `tmp_dir`, and nothing else.

A file is a build's if it was last changed while a build was at work, by the kernel's own time of
change (ctime), which no tool can set. Links are not followed, neither in the directory nor on the
way to it, and what is mounted below it is not entered. The rest is left, and that is said.
"""

from __future__ import annotations

import os
import stat
import time
from typing import TYPE_CHECKING

from reloader.core.news import (
    BuildCancelled,
    BuildFailed,
    BuildSucceeded,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.config.model import Config
    from reloader.core.news import News
    from reloader.core.values import Seconds

_BEFORE: Seconds = 0.1  # a start is noticed a little late
_BEHIND: Seconds = 0.02  # a kernel's file times lag by a tick (10 ms)
_DEEPEST = 100  # levels of directories; nothing that a build makes is deeper
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Cleaner:
    """A report that notices when builds were at work."""

    name = "clean_on_exit"

    def __init__(self) -> None:
        self._builds: list[tuple[Seconds, Seconds]] = []  # from and to, of the clock on the wall

    def __call__(self, news: News) -> None:
        if isinstance(news, BuildSucceeded | BuildFailed | BuildCancelled):
            now = time.time()
            self._builds.append((now - news.seconds - _BEFORE, now + _BEHIND))

    def clean(self, config: Config) -> str:
        """Deletes; returns why something was left, "" if nothing was."""
        where = config.tmp_dir
        try:
            parent = _opened(os.path.dirname(where))
        except OSError:
            return _left(where, "a link leads to it, or it can't be read")
        name = os.path.basename(where)
        try:
            count = self._sweep(parent, name, None, 0)
        except FileNotFoundError:
            return ""
        except OSError as error:
            return _left(where, (error.strerror or str(error)).lower())
        finally:
            os.close(parent)
        files = "1 file was" if count == 1 else f"{count:,} files were"
        return _left(where, f"{files} not made by a build of this run") if count else ""

    def _sweep(self, parent: int, name: str, device: int | None, depth: int) -> int:
        """Deletes what is a build's in one directory, then that if it is empty.

        Returns how many files are left in it. Raises OSError if it is no directory.
        """
        if depth > _DEEPEST:
            return 1
        left = 0
        directory = os.open(name, _DIRECTORY, dir_fd=parent)
        try:
            inside = os.fstat(directory).st_dev
            if device not in (None, inside):
                return 1
            names = sorted(os.listdir(directory))
            if ".git" in names:  # a repository or a worktree: a person's
                return len(names)
            for entry in names:
                left += self._remove(directory, entry, inside, depth)
        finally:
            os.close(directory)
        if not left:
            os.rmdir(name, dir_fd=parent)
        return left

    def _remove(self, directory: int, name: str, device: int, depth: int) -> int:
        """Deletes a file or a directory's files; returns how many are left."""
        try:
            about = os.stat(name, dir_fd=directory, follow_symlinks=False)
            if stat.S_ISDIR(about.st_mode):
                return self._sweep(directory, name, device, depth + 1)
            if not any(begin <= about.st_ctime <= end for begin, end in self._builds):
                return 1
            os.unlink(name, dir_fd=directory)
        except FileNotFoundError:
            return 0
        except OSError:
            return 1
        return 0


def _opened(path: str) -> int:
    """Returns a descriptor of a directory; raises OSError if a link is on the way to it."""
    descriptor = os.open("/", _DIRECTORY)
    for name in _names(path):
        try:
            below = os.open(name, _DIRECTORY, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = below
    return descriptor


def _names(path: str) -> Iterator[str]:
    return (name for name in path.split("/") if name)


def _left(path: str, why: str) -> str:
    return f"clean_on_exit: {path} was not deleted as a whole: {why}"
