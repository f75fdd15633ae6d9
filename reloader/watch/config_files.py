"""A few files of which each change is to be told: the config's. Linux only, by inotify."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.watch.inotify import CLOSE_WRITE, CREATE, DELETE, MOVED_FROM, MOVED_TO, Inotify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds

_MASK = CLOSE_WRITE | CREATE | DELETE | MOVED_FROM | MOVED_TO
_QUIET = 0.05  # seconds: an editor that saves by renaming leaves no file for some milliseconds


class Files:
    """A `Source`: when one of the files has come, changed or gone, `look` gives the facts.

    Files in a folder that does not exist are not watched. Raises OSError without inotify.
    """

    def __init__(self, paths: Iterable[str], look: Callable[[], Iterable[Fact]]) -> None:
        self._look = look
        self._inotify = Inotify()
        self._names: dict[int, set[str]] = {}
        for path in paths:
            folder, name = os.path.split(path)
            with suppress(OSError):
                self._names.setdefault(self._inotify.add(folder, _MASK), set()).add(name)
        self._due: Seconds | None = None

    def fileno(self) -> int:
        return self._inotify.descriptor

    def deadline(self) -> Seconds | None:
        return self._due

    def read(self) -> Iterable[Fact]:
        while events := self._inotify.read():
            if any(event.name in self._names.get(event.watch, ()) for event in events):
                self._due = time.monotonic() + _QUIET
        if self._due is None or time.monotonic() < self._due:
            return ()
        self._due = None
        return self._look()

    def close(self) -> None:
        self._inotify.close()
