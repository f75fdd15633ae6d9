"""macOS, Windows, and wherever it is asked for: the events of the package watchfiles.

Its thread sleeps in small steps and can't be woken: while nobody edits, it looks 50 times a second
whether something came. It watches the roots with all that is below them, also what does not count.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from reloader import threads
from reloader.paths import is_below
from reloader.watch.engine import Event, Kind, Why
from reloader.watch.snapshot import ScanReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from watchfiles._rust_notify import RustNotify

    from reloader.runtime.wakeup import Wake

_DEBOUNCE = 20  # ms: else a stream of new files anywhere holds all events back for 1.6 s
_STEP = 5  # ms between two looks, while there were changes lately
_IDLE_STEP = 20
_LATELY = 30.0  # seconds
_POLL_DELAY = 300  # ms; watchfiles' own polling, which is never asked for


class WatchfilesEngine:
    """Runs watchfiles in a thread; a root that was replaced makes it begin anew."""

    name = "watchfiles"
    closes = False
    lag = 0.1

    def __init__(self, roots: Sequence[str], warn: Callable[[str], None], wake: Wake) -> None:
        self._roots = roots
        self._warn = warn
        self._wake = wake
        self._events: deque[Event] = deque()
        self._identities: dict[str, tuple[int, int]] = {}  # device and inode of each root
        self._real: dict[str, str] = {}
        self._again = threading.Event()  # begin anew, or end
        self._closed = False
        self._thread: threading.Thread | None = None
        self.listens = False

    def fileno(self) -> int:
        return -1

    def start(self) -> bool:
        if self._thread is None:
            self._thread = threads.start(self._run, "watchfiles", self._failed)
        return self._thread is not None

    def close(self) -> None:
        self._closed = True
        self._again.set()

    def is_alive(self) -> bool:
        return True  # the thread sees to that

    def watch(self, path: str, why: Why) -> None:
        """Takes what is below a root; everything else can't be watched (ENOTSUP)."""
        if why is Why.MOVES:
            return
        if why is not Why.TREE or not any(is_below(path, root) for root in self._roots):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), path)
        if path in self._roots:
            status = os.stat(path)
            identity = status.st_dev, status.st_ino
            if self._identities.get(path) != identity:
                self._identities[path] = identity
                self._again.set()

    def unwatch(self, path: str, why: Why) -> None:
        if why is Why.TREE:
            self._identities.pop(path, None)

    def events(self) -> Iterator[Event]:
        while self._events:
            event = self._events.popleft()
            if event.kind in (Kind.BEGUN, Kind.FAILED):
                self.listens = True
            yield event

    # --- in the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closed:
            self._again.clear()
            try:
                notify = self._notify()
            except Exception as error:  # noqa: BLE001 -- it raises its own, OSError and RuntimeError
                self._failed(error)
                return
            self._tell(Event(Kind.BEGUN))  # of changes before it began there is no event
            self._listen(notify)
            notify.close()

    def _failed(self, error: Exception) -> None:
        self._warn(f"watchfiles: {error}: polling instead")
        self._tell(Event(Kind.FAILED))

    def _notify(self) -> RustNotify:
        from watchfiles._rust_notify import RustNotify

        self._real = {os.path.realpath(root): root for root in self._roots}
        paths = [path for path in self._real if os.path.isdir(path)]
        return RustNotify(paths, False, False, _POLL_DELAY, True, True)

    def _listen(self, notify: RustNotify) -> None:
        """Listens until a root was replaced, or watchfiles failed (a name that is no text)."""
        last = time.monotonic()
        while not self._closed:
            step = _STEP if time.monotonic() - last < _LATELY else _IDLE_STEP
            try:
                found = notify.watch(_DEBOUNCE, step, 0, self._again)
            except Exception:  # noqa: BLE001 -- the error stays for ever; all is looked at again
                return
            if not isinstance(found, set):
                return
            last = time.monotonic()
            paths = (self._as_named(path) for _, path in found)
            self._tell(*(Event(Kind.ANY, path, ScanReason.WRITTEN, names=True) for path in paths))

    def _as_named(self, path: str) -> str:
        """Returns the path below the root as the config names it; watchfiles resolves links."""
        path = path.replace(os.sep, "/")
        for real, root in self._real.items():
            if real != root and path.startswith(real + "/"):
                return root + path[len(real) :]
        return path

    def _tell(self, *events: Event) -> None:
        self._events.extend(events)
        self._wake.set()
