"""Background audit: compares everything with the last look, to find changes without an event.

Not every file system keeps its promises: the lower layer of an overlay, a hard link from outside, a
file system that no list knows. The audit is a thread that only reads; its doubts are looked into by
the owner of the tree.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from reloader import files, threads
from reloader.runtime.wakeup import Wake
from reloader.watch.mounts import MountWait
from reloader.watch.snapshot import Difference, Listing, Signature, below, difference, listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reloader.watch.tree import Tree

# Seconds between two sweeps, and how many times longer than its CPU time a sweep must be away:
# where events are known to come (1 in 1,000: 0.1 %), and where nothing is known (1 %).
_TRUSTED = 60.0, 1000
_UNKNOWN = 30.0, 100
_FIRST = 12.0  # seconds to the first one: by then a poller that hangs is known to
_SETTLE = 3.0  # seconds: what is being written now will be told of when it is closed
_SETTLE_MOUNTED = 0.1  # what a mount has brought is there at once
_MAPS = 1 << 24  # bytes of /proc/PID/maps; the largest known hold 65,530 lines (max_map_count)
_WRITING = 0o3  # O_WRONLY or O_RDWR among the flags of an open file


class Audit:
    """Sweeps over a tree, in a thread; `doubts` are files to look at, folders to visit."""

    def __init__(
        self,
        tree: Tree,
        wake: Wake,
        *,
        trusted: bool,
        each: Callable[[], list[str]],
        failed: Callable[[Exception], object],
    ) -> None:
        self._tree = tree
        self._wake = wake
        self._each = each
        self._failed = failed
        self._doubts: deque[str] = deque()
        self._least, self._factor = _TRUSTED if trusted else _UNKNOWN
        self._differs = Difference.CHANGED if trusted else Difference.CTIME
        self._is_over = False
        self._over: Wake | None = None  # while the thread runs

    def start(self) -> bool:
        """Begins; returns False if no thread or descriptor can be had now."""
        if self._over is None:
            try:
                self._over = over = Wake()
            except OSError:
                return False
            if threads.start(partial(self._run, over), "audit", self._failed) is None:
                self._over = None
                over.close()
        return self._over is not None

    def close(self) -> None:
        self._is_over = True
        if over := self._over:
            over.set()

    def doubts(self) -> list[str]:
        found = []
        with contextlib.suppress(IndexError):
            while True:
                found.append(self._doubts.popleft())
        return found

    def _run(self, over: Wake) -> None:
        waiting = MountWait(self._tree.rules.roots, over)
        try:
            pause = min(self._least, _FIRST)
            while True:
                mounted = waiting.wait(pause)
                if self._is_over:
                    return
                began = time.thread_time()
                with contextlib.suppress(OSError, MemoryError):  # none left: the next one tells
                    self._compare(waiting, _SETTLE_MOUNTED if mounted else _SETTLE)
                pause = max(self._least, self._factor * (time.thread_time() - began))
        finally:
            waiting.close()
            over.close()

    def _compare(self, waiting: MountWait, settle: float) -> None:
        """Compares everything; tells of differences that are the same after a while."""
        self._tell(self._each())
        known = self._tree.folders
        if first := self.sweep(list(known)):
            waiting.wait(settle)
            again = self.sweep({p if p in known else os.path.dirname(p) for p in first})
            self._tell(path for path in again if again[path] == first.get(path))

    def _tell(self, folders: Iterable[str]) -> None:
        before = len(self._doubts)
        self._doubts.extend(folders)
        if len(self._doubts) > before:
            self._wake.set()

    def sweep(self, folders: Iterable[str]) -> dict[str, object]:
        """Returns the files and folders that are not as the tree knows them, as they are now."""
        found: dict[str, object] = {}
        for path in folders:
            try:
                now = listing(
                    path, self._tree.rules.folder(path), self._tree.rules, follow=self._tree.follow
                )
            except OSError as error:
                found[path] = error.errno
                continue
            if known := self._tree.folders.get(path):
                found.update(self._news(path, dict(known.files), known.subs, now))
        return found

    def _news(
        self, path: str, old: dict[str, Signature], subs: set[str], now: Listing
    ) -> Iterator[tuple[str, object]]:
        if subs == now.subs and old == now.files:
            return
        names = old.keys() - now.unsure, now.files.keys() - now.unsure
        if subs != now.subs or names[0] != names[1]:
            yield path, (names[1], now.subs)
        for name in names[0] & names[1]:
            file = below(path, name)
            differs = difference(old[name], now.files[name]) >= self._differs
            if differs and not is_being_written(file):
                yield file, now.files[name]


def is_being_written(path: str) -> bool:
    """Returns True if a process has the file open for writing, or mapped: its event will come."""
    real = os.path.realpath(path)
    with contextlib.suppress(OSError):
        for pid in os.listdir("/proc"):
            if pid.isdigit() and _has_open(f"/proc/{pid}", real):
                return True
    return False


def _has_open(process: str, real: str) -> bool:
    with contextlib.suppress(OSError):
        for number in os.listdir(f"{process}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(f"{process}/fd/{number}") == real and _writes(process, number):
                    return True
        mapped = os.fsencode(real)
        maps = files.read(f"{process}/maps", _MAPS).split(b"\n")
        return any(b" rw-s " in line and line.endswith(mapped) for line in maps)
    return False


def _writes(process: str, number: str) -> bool:
    info = files.read(f"{process}/fdinfo/{number}").split(b"\n")
    flags = next((line.split()[1] for line in info if line.startswith(b"flags:")), b"0")
    return bool(int(flags, 8) & _WRITING)
