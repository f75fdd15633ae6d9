"""Linux: the events of inotify, as values.

The mask has neither MODIFY nor OPEN: a log written 1,000 times a second would wake reloader as
often (3.1 % CPU, measured), and every writer closes. The mask has ATTRIB because `cp -p` sets the
mtime after closing; without it the stored signature would be stale.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from reloader.watch import inotify
from reloader.watch.engine import Event, Kind, Why
from reloader.watch.inotify import (
    ATTRIB,
    CLOSE_WRITE,
    CREATE,
    DELETE,
    DELETE_SELF,
    EXCL_UNLINK,
    IGNORED,
    ISDIR,
    MASK_ADD,
    MOVE_SELF,
    MOVED_FROM,
    MOVED_TO,
    ONLYDIR,
    OVERFLOW,
    UNMOUNT,
)
from reloader.watch.snapshot import ScanReason, below

if TYPE_CHECKING:
    from collections.abc import Iterator

_SELF = DELETE_SELF | MOVE_SELF
_NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO
_FOLDER = CLOSE_WRITE | ATTRIB | _NAMES | _SELF | ONLYDIR | EXCL_UNLINK
_MASKS = {
    Why.TREE: _FOLDER,
    Why.BESIDE: _FOLDER,
    Why.MOVES: MOVE_SELF | ONLYDIR,
    Why.FILE: CLOSE_WRITE | ATTRIB | _SELF,
}


class InotifyEngine:
    """One inotify, and the reasons for which each path is watched.

    Raises:
        OSError: no inotify can be had.

    """

    name = "inotify"
    closes = True
    lag = 0.0  # inotify(7): it is queued before the call that makes the change returns
    listens = True

    def __init__(self) -> None:
        self._inotify = inotify.Inotify()
        self._watches: dict[str, int] = {}
        self._reasons: dict[str, Why] = {}
        self._paths: dict[int, set[str]] = {}  # two paths may lead to one folder
        self._pending: deque[Event] = deque()

    def fileno(self) -> int:
        return self._inotify.descriptor

    def start(self) -> bool:
        return True  # each watch listens from its beginning

    def close(self) -> None:
        self._inotify.close()

    def is_alive(self) -> bool:
        return not self._watches or self._inotify.lives()

    def watch(self, path: str, why: Why) -> None:
        """Watches a path; a path that leads to another folder by now is watched anew."""
        watch = self._inotify.add(path, _MASKS[why] | MASK_ADD)
        if self._watches.get(path, watch) != watch:
            self._forget(path)
        self._watches[path] = watch
        self._paths.setdefault(watch, set()).add(path)
        self._reasons[path] = self._reasons.get(path, Why(0)) | why

    def unwatch(self, path: str, why: Why) -> None:
        if path not in self._reasons:
            return
        self._reasons[path] &= ~why
        watch = self._watches[path]
        if not self._reasons[path]:
            self._forget(path)
        if left := [self._reasons[other] for other in self._paths.get(watch, ())]:
            self._narrow(path, watch, left)

    def _narrow(self, path: str, watch: int, reasons: list[Why]) -> None:
        """Hears only what the reasons that are left ask for; all paths of a watch share them."""
        mask = 0
        for reason, bits in _MASKS.items():
            if any(reason in left for left in reasons):
                mask |= bits
        path = path if path in self._reasons else next(iter(self._paths[watch]))
        try:
            other = self._inotify.add(path, mask)
        except OSError:  # gone: the kernel says so
            return
        if other != watch:  # another folder is at the path by now: its event is on the way
            self._inotify.remove(other)

    def _forget(self, path: str) -> None:
        watch = self._watches.pop(path)
        del self._reasons[path]
        self._paths[watch].discard(path)
        if not self._paths[watch]:
            del self._paths[watch]
            self._inotify.remove(watch)

    def events(self) -> Iterator[Event]:
        while self._read():
            while self._pending:
                yield self._pending.popleft()

    def _read(self) -> bool:
        """Reads one buffer; what nobody takes now is there the next time."""
        if not self._pending:
            for event in self._inotify.read():
                self._pending.extend(self._meaning(event))
        return bool(self._pending)

    def _meaning(self, event: inotify.Event) -> Iterator[Event]:
        watch, mask, name = event
        if mask & OVERFLOW:
            yield Event(Kind.LOST)
        elif mask & UNMOUNT:
            yield Event(Kind.MOUNTS)
        elif mask & IGNORED:
            for path in self._paths.pop(watch, ()):
                del self._watches[path], self._reasons[path]
                yield Event(Kind.ITSELF, path)
        else:
            for path in tuple(self._paths.get(watch, ())):
                yield self._of_path(path, mask, name)

    def _of_path(self, path: str, mask: int, name: str) -> Event:
        if name:
            kind = Kind.FOLDER if mask & ISDIR else Kind.FILE
            names = bool(mask & _NAMES)
            return Event(kind, below(path, name), _reason(mask), names, bool(mask & MOVED_TO))
        if mask & _SELF:
            return Event(Kind.ITSELF, path)
        return Event(Kind.MOUNTED, path, _reason(mask))


def _reason(mask: int) -> ScanReason:
    if mask & (CLOSE_WRITE | MOVED_TO | MOVED_FROM | DELETE):
        return ScanReason.WRITTEN
    return ScanReason.CREATED if mask & CREATE else ScanReason.TOUCHED
