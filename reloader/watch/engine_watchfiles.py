"""macOS, Windows, and wherever it is asked for: what the package watchfiles says, as hints.

Its thread sleeps in small steps and can't be woken: while nobody edits, it
looks 50 times a second whether something came.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Literal

from reloader.watch.snapshot import Hint
from reloader.watch.tree import Tree

if TYPE_CHECKING:
    from watchfiles._rust_notify import RustNotify

    from reloader.runtime.wakeup import Wake
    from reloader.watch.poll_fallback import Polled
    from reloader.watch.registrar import Terms

_DEBOUNCE = 20  # ms: else a stream of new files anywhere holds all news back for 1.6 s
_STEP = 5  # ms between two looks, while there were changes lately
_IDLE_STEP = 20
_LATELY = 30.0  # seconds
_DELETED = 3

_Batch = set[tuple[int, str]]


class Foreign:
    """Runs watchfiles' watcher in a thread and turns what it says into hints.

    Where the kernel watches single folders (Linux) it gets the list of those that can matter, and
    is made anew when that list grows; elsewhere it watches the roots with all below them.
    """

    name = "watchfiles"

    def __init__(self, terms: Terms, polled: Polled, wake: Wake) -> None:
        self._polled = polled
        self._wake = wake
        self._warn = terms.warn
        self._single = sys.platform == "linux"
        self._armed: dict[str, tuple[int, int]] = {}  # device and inode
        self._batches: deque[_Batch | Literal["lost", "failed"]] = deque()
        self._again = threading.Event()  # it must be made anew, or not any more
        self._closed = False
        self._thread: threading.Thread | None = None
        self._listening = False
        self.tree = Tree(terms, self)
        self._real = {os.path.realpath(root): root for root in self.tree.rules.roots}
        for root in self.tree.rules.roots:
            self.tree.queue(root)

    @property
    def ready(self) -> bool:
        return self._listening

    def fileno(self) -> int:
        """No descriptor: the thread wakes."""
        return -1

    def attend(self, folder: str) -> None:
        pass

    def close(self) -> None:
        self._closed = True
        self._again.set()

    def walked(self) -> None:
        """The folders are known now."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="watchfiles", daemon=True)
            self._thread.start()

    def hears(self) -> bool:
        """Its thread sees to that itself."""
        return True

    def renew(self) -> None:
        pass

    def gather(self, until: float) -> bool:
        """Takes what has come; False: time is up, there may be more."""
        while self._batches:
            batch = self._batches.popleft()
            if batch == "failed":
                self._give_up()
            elif batch == "lost":
                self._listening = True
                for root in self.tree.rules.roots:
                    self.tree.queue(root, deep=True)
            else:
                for kind, path in batch:
                    self._changed(kind, self._as_ours(path))
            if time.monotonic() >= until:
                return not self._batches
        return True

    # --- the tree's guard -------------------------------------------------------------------------

    def arm(self, path: str) -> bool:
        if self._polled.holds(path):
            return False
        if why := self._polled.reason(path):
            self.hand_over(path, why)
            return False
        if self._single:
            self._watch(path)
        return True

    def _watch(self, path: str) -> None:
        """Has the folder on the list; one that was put in another's place counts anew."""
        try:
            status = os.stat(path)
        except OSError:
            return
        identity = status.st_dev, status.st_ino
        if self._armed.get(path) != identity:
            self._armed[path] = identity
            self._again.set()

    def disarm(self, path: str) -> None:
        self._armed.pop(path, None)

    def link(self, path: str) -> None:
        self._polled.pin(path)

    def hand_over(self, path: str, why: str) -> None:
        """Leaves a folder and all below it to a poller, which goes on from what was seen."""
        self._polled.take(path, why, self.tree.release(path))

    # --- hints ------------------------------------------------------------------------------------

    def _as_ours(self, path: str) -> str:
        """The path below the root as the config names it; watchfiles may resolve links in it."""
        path = path.replace(os.sep, "/")
        for real, root in self._real.items():
            if real != root and path.startswith(real + "/"):
                return root + path[len(real) :]
        return path

    def _changed(self, kind: int, path: str) -> None:
        if kind == _DELETED:  # one of its name, even of its inode, is another folder
            self._armed.pop(path, None)
        if self.tree.rules.decide(path).needs:
            self.tree.hint(path, Hint.WRITTEN)
        if path in self.tree.folders or (self.tree.rules.enters(path) and os.path.isdir(path)):
            self.tree.queue(path, deep=True)

    def _give_up(self) -> None:
        self._listening = True
        for root in self.tree.rules.roots:
            self.hand_over(root, "watchfiles failed")

    # --- in the thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closed:
            self._again.clear()
            try:
                notify = self._notify()
            except Exception as error:  # noqa: BLE001 -- it raises its own, OSError and RuntimeError
                self._warn(f"watchfiles: {error}: polling instead")
                self._tell("failed")
                return
            self._tell("lost")  # what changed before it began
            self._listen(notify)
            notify.close()

    def _notify(self) -> RustNotify:
        from watchfiles._rust_notify import RustNotify

        paths = sorted(self._armed) if self._single else list(self._real)
        paths = [path for path in paths if os.path.isdir(path)]
        return RustNotify(paths, False, False, 300, not self._single, True)

    def _listen(self, notify: RustNotify) -> None:
        """Until it must be made anew: its list has grown, or it failed (a name that is no text)."""
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
            self._tell(found)

    def _tell(self, batch: _Batch | Literal["lost", "failed"]) -> None:
        self._batches.append(batch)
        self._wake.set()
