"""Polling: looking again and again where no event comes.

Each poller is a thread with a tree of its own: a look that hangs (a server that is gone) hangs here
and nowhere else.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, TypeVar

from reloader import threads
from reloader.watch.snapshot import Signature, see
from reloader.watch.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reloader.runtime.wakeup import Wake
    from reloader.watch.options import ScanOptions
    from reloader.watch.tree import FolderSnapshot

_PAUSE = 0.08  # seconds between two rounds: a hot file's change is seen after 40 ms on average
_BUDGET = 0.0026  # seconds of CPU a round: 3.2 %, and what a round costs by itself
_EACH = 16  # folders between two looks at the clock
_CYCLES = 8  # in every 8th, folders are read
_HOT = 64  # files looked at in every round: those that changed last
_SLICE = 0.1  # seconds of work before what was found is told
_HUNG = 10.0  # seconds without a round
_LAST = 0.5  # seconds; the wait for the last round when polling ends, a slice takes 0.1

_Stamp = tuple[int, int, int]
_T = TypeVar("_T")


class Poller:
    """Looks at some folders, and all below them, for ever.

    In every round: the files that changed last, then folders (their mtime tells that a name came
    or went), then a part of everything, so that nothing stays unseen. With an `interval`
    (seconds): everything, that often.
    """

    def __init__(self, options: ScanOptions, wake: Wake, interval: float = 0.0) -> None:
        self.tree = Tree(options, careful=True, roots=False)
        self._wake = wake
        self._interval = interval
        self._taken: deque[tuple[str, dict[str, FolderSnapshot]]] = deque()
        self._pinned: deque[tuple[str, Signature | None]] = deque()
        self._changed: deque[tuple[str, Signature | None]] = deque()
        self._hints: deque[str] = deque()
        self.errands: list[Callable[[], None]] = []
        self._tops: dict[str, None] = {}
        self._pins: dict[str, Signature | None] = {}
        self._hot: dict[str, None] = {}
        self._stamps: dict[str, _Stamp] = {}
        self._credit = 0.0
        self._fast = self._check_folders()
        self._slow = self._check_files()
        self._beat = time.monotonic()
        self.looked = 0  # the last look at everything that was asked for and is over
        self._asked = 0
        self._rouse = threading.Event()  # the next round begins at once
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._not_before = 0.0  # a thread that has failed begins anew then
        self._warn = options.warn

    @property
    def ready(self) -> bool:
        """True when the first scan is done."""
        return self.tree.walked or not (self._tops or self._taken)

    @property
    def hangs(self) -> bool:
        """True while a look has not come back for long."""
        return self._thread is not None and time.monotonic() - self._beat > _HUNG

    def start(self) -> bool:
        """Begins to look; returns False if no thread can be had now."""
        now = time.monotonic()
        if self._thread is None and now >= self._not_before:
            self._beat = now
            self._thread = threads.start(self._run, "poll", self._failed)
        return self._thread is not None

    def look_again(self, number: int) -> None:
        """Looks at everything from now on; `looked` is this number when that is over."""
        self._asked = number
        self._rouse.set()

    def close(self) -> None:
        self._stop.set()
        self._rouse.set()

    def end(self) -> bool:
        """Ends the thread; returns False if a look hangs, and what it knows can't be read."""
        self.close()
        if self._thread is None:
            return True
        if self._thread.is_alive() and not self.hangs:
            self._thread.join(_LAST)
        return not self._thread.is_alive()

    def take(self, path: str, seen: dict[str, FolderSnapshot]) -> None:
        """Polls one more folder, and all below it, from what was seen there on."""
        self._taken.append((path, seen))

    def pin(self, path: str) -> None:
        """Looks at one more file of another tree; a difference becomes one of `hints`."""
        self._pinned.append((path, _sign(path)))

    def changes(self) -> list[tuple[str, Signature | None]]:
        return list(_drained(self._changed))

    def hints(self) -> list[str]:
        return list(_drained(self._hints))

    # --- in the thread ----------------------------------------------------------------------------

    def _failed(self, error: Exception) -> None:
        """Has the thread begun anew a while later: with no memory left, any step may fail."""
        self._fast, self._slow = self._check_folders(), self._check_files()
        self._not_before = time.monotonic() + threads.RETRY
        self._thread = None
        self._warn(f"polling has failed and begins anew: {error!r}")

    def _run(self) -> None:
        self._adopt()
        while not self.tree.walked and self._tops and not self._stop.is_set():
            self._beat = time.monotonic()
            self.tree.work(self._beat + _SLICE)
            self._deliver()
        self._heat()
        self._wake.set()
        while not self._is_over():
            asked = self._asked
            self._beat = time.monotonic()
            self._adopt()
            if self._interval or asked != self.looked:
                self._look_at_all()
            else:
                self._round()
            self._look_at_pins()
            for errand in self.errands:
                errand()
            self._deliver()
            if asked != self.looked and self.tree.is_idle and not self.tree.wake_at:
                self.looked = asked
                self._wake.set()

    def _is_over(self) -> bool:
        """Waits for the next round; returns True if there is to be none."""
        is_asked = self._asked != self.looked
        self._rouse.wait(_PAUSE if is_asked else self._interval or _PAUSE)
        self._rouse.clear()
        return self._stop.is_set()

    def _adopt(self) -> None:
        self._pins.update(_drained(self._pinned))
        for path, seen in _drained(self._taken):
            self._tops[path] = None
            self.tree.adopt(seen)
            self.tree.queue(path, deep=True)

    def _deliver(self) -> None:
        changed = self.tree.take()
        if changed:
            for path in changed:
                self._hot.pop(path, None)
                self._hot[path] = None
            self._cool()
            self._changed.extend(changed.items())
        if changed or self._hints:
            self._wake.set()

    def _heat(self) -> None:
        """Begins with the files that were written last."""
        files = (
            (sign[0], f"{path}/{name}")
            for path, seen in self.tree.folders.items()
            for name, sign in seen.files.items()
        )
        self._hot.update((path, None) for _, path in sorted(files)[-_HOT:])

    def _cool(self) -> None:
        for path in list(self._hot)[:-_HOT]:
            del self._hot[path]

    def _look_at_all(self) -> None:
        for top in self._tops:
            self.tree.queue(top, deep=True)
        while not (self._stop.is_set() or self.tree.work(time.monotonic() + _SLICE)):
            self._beat = time.monotonic()
        for path in self.tree.comparison.fresh():  # their signature may be the same
            self.tree.look(path)

    def _look_at_pins(self) -> None:
        for path, old in self._pins.items():
            new = _sign(path)
            if new != old:
                self._pins[path] = new
                self._hints.append(path)

    def _round(self) -> None:
        began = time.thread_time()
        for path in self._hot:
            self.tree.look(path)
        self._credit = min(self._credit + _BUDGET, _BUDGET)
        if self._credit > 0:  # else a big folder took the share of this round too
            _spend(self._fast, began + self._credit / 2)
            _spend(self._slow, began + self._credit)
        self.tree.work(time.monotonic() + _BUDGET)
        self._credit -= time.thread_time() - began

    def _check_folders(self) -> Iterator[bool]:
        """Visits the folders in which something came or went; True: all have been checked."""
        while True:
            for number, path in enumerate(list(self.tree.folders)):
                if self._came_or_went(path):
                    self.tree.visit(path)
                if number % _EACH == _EACH - 1:
                    yield False
            for top in self._tops:
                if top not in self.tree.folders:
                    self.tree.queue(top)
            yield True

    def _came_or_went(self, path: str) -> bool:
        try:
            status = os.stat(path)
        except OSError:
            return True
        stamp = status.st_mtime_ns, status.st_ctime_ns, status.st_ino
        old, self._stamps[path] = self._stamps.get(path), stamp
        return old != stamp

    def _check_files(self) -> Iterator[bool]:
        """Looks at one file after the other; True: all have been looked at.

        Now and then folders are read too, for those whose mtime tells nothing.
        """
        for cycle in itertools.count(1):
            for path in list(self.tree.folders):
                if cycle % _CYCLES == 0:
                    self.tree.visit(path)
                else:
                    self.tree.glance(path)
                yield False
            self._stamps = {p: s for p, s in self._stamps.items() if p in self.tree.folders}
            yield True


def _spend(steps: Iterator[bool], until: float) -> None:
    """Goes on until so much CPU time was spent, or all has been done once."""
    for done in steps:
        if done or time.thread_time() >= until:
            return


def _sign(path: str) -> Signature | None:
    try:
        return see(path).sign
    except OSError:
        return None


def _drained(items: deque[_T]) -> Iterator[_T]:
    with contextlib.suppress(IndexError):
        while True:
            yield items.popleft()
