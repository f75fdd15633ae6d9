"""A few files of which each change is to be told: the config's. Linux only, by inotify."""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.runtime.wakeup import Wake
from reloader.watch.inotify import CLOSE_WRITE, CREATE, DELETE, MOVED_FROM, MOVED_TO, Inotify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reloader.core.facts import Fact

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
        self._wake = Wake()
        self._waiter = select.epoll()
        self._waiter.register(self._inotify.descriptor, select.EPOLLIN)
        self._waiter.register(self._wake.fileno(), select.EPOLLIN)
        self._timer: threading.Timer | None = None

    def fileno(self) -> int:
        return self._waiter.fileno()

    def read(self) -> Iterable[Fact]:
        while events := self._inotify.read():
            if any(event.name in self._names.get(event.watch, ()) for event in events):
                self._come_back()
        if self._timer and not self._timer.is_alive():
            self._timer = None
            self._wake.clear()
            return self._look()
        return ()

    def close(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._waiter.close()
        self._inotify.close()
        self._wake.close()

    def _come_back(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = threading.Timer(_QUIET, self._wake.set)
        self._timer.daemon = True
        self._timer.start()
