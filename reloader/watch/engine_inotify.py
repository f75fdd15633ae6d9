"""Linux: what inotify says, as hints for the tree.

Only folders that can matter are watched. The mask has neither MODIFY nor OPEN: a log written 1,000
times a second would wake us as often (3.1 % CPU, measured), and whoever writes
closes. It has ATTRIB: a tool that sets the mtime after closing would else leave us with a signature
that nobody told us is old.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.watch import inotify
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
from reloader.watch.snapshot import MARKS, Hint, below
from reloader.watch.tree import Tree

if TYPE_CHECKING:
    from reloader.watch.inotify import Event
    from reloader.watch.poll_fallback import Polled
    from reloader.watch.registrar import Terms

_SELF = DELETE_SELF | MOVE_SELF
_NAMES = CREATE | DELETE | MOVED_FROM | MOVED_TO
_FOLDER = CLOSE_WRITE | ATTRIB | _NAMES | _SELF | ONLYDIR | EXCL_UNLINK
_ABOVE = MOVE_SELF | ONLYDIR
_FILE = CLOSE_WRITE | ATTRIB | _SELF
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})
_NO_RIGHT = frozenset({errno.EACCES, errno.ENAMETOOLONG})
_NEXT = 0.1  # seconds from the end of a folder's last file to its own
_HOPS = 40  # links in a row, as for the kernel


class Native:
    """Keeps a watch on every folder of the tree, and on what leads to it.

    Raises:
        OSError: there is no inotify to be had.

    """

    name = "inotify"

    def __init__(self, terms: Terms, polled: Polled) -> None:
        self._inotify = inotify.Inotify()
        self._polled = polled
        self._warn = terms.warn
        self._watches: dict[str, int] = {}
        self._paths: dict[int, set[str]] = {}  # two paths may lead to one folder
        self._anchors: dict[str, set[str]] = {}  # path that must appear -> roots that wait for it
        self._targets: dict[str, set[str]] = {}  # file elsewhere -> links to it that count
        self._steps: dict[str, list[str]] = {}  # link -> those files, and links on the way
        self._beside: set[str] = set()  # folders watched though nothing in them counts
        self._above: set[str] = set()  # folders of which only a move is told: a root goes with them
        self._shrunk: set[str] = set()  # roots in which something was deleted
        self._alone: set[str] = set()  # roots for which that is still to do
        self.tree = Tree(terms, self, closes=True)
        self._rules = self.tree.rules
        for root in self._rules.roots:
            self.tree.queue(root)
        self._watch_mounted_files()

    @property
    def ready(self) -> bool:
        """From here on nothing is missed."""
        return self.tree.walked

    def fileno(self) -> int:
        return self._inotify.descriptor

    def close(self) -> None:
        self._inotify.close()

    def walked(self) -> None:
        """The watches have been there all along; what the limit leaves is for what is above."""
        while self._alone:
            self._watch_above(self._alone.pop())

    def hears(self) -> bool:
        """From any thread: whether the kernel would tell us."""
        return not self._watches or self._inotify.lives()

    def renew(self) -> None:
        """Begins anew with another inotify. The old descriptor may be somebody else's by now."""
        self._inotify = inotify.Inotify()
        self._watches.clear()
        self._paths.clear()
        for folder in self._beside:
            self._watch_beside(folder)
        self._watch_mounted_files()
        self._look_at_all()

    def gather(self, until: float) -> bool:
        """Takes what the kernel has to say; False: time is up, there may be more."""
        while events := self._inotify.read():
            for event in events:
                self._take(event)
            if time.monotonic() >= until:
                return False
        while self._shrunk:
            self._check_root(self._shrunk.pop())
        return True

    # --- the tree's guard -------------------------------------------------------------------------

    def arm(self, path: str) -> bool:
        if self._polled.holds(path):
            return False
        if why := self._polled.reason(path):
            self.hand_over(path, why)
            return False
        try:
            self._watch(path, _FOLDER)
        except OSError as error:
            if error.errno in _GONE:
                if path in self._rules.roots:
                    self._await(path)
                return False
            if error.errno in _NO_RIGHT:
                return True  # the listing will say so
            self.hand_over(path, self._polled.limit(error))
            return False
        if path in self._rules.roots:
            self._found(path)
            self._check_mount(path)
        return True

    def disarm(self, path: str) -> None:
        if path not in self._beside:
            self._need_no_more(path)

    def hand_over(self, path: str, why: str) -> None:
        """Leaves a folder and all below it to a poller, which goes on from what was seen."""
        known = self.tree.release(path)
        for folder in known:
            self.disarm(folder)
        self._polled.take(path, why, known)

    def attend(self, folder: str) -> None:
        """Wakes the reader when something happens in a folder where no file counts."""
        self._watch_beside(folder)

    def link(self, path: str) -> None:
        """Watches the folders of what a link leads to, step by step.

        A step may be a folder on the way: a ConfigMap's files lead to `..data/x`, and `..data` is
        what is swapped.
        """
        steps: list[str] = []
        at, link = path, path
        while link and len(steps) < _HOPS:
            try:
                target = os.path.join(os.path.dirname(link), os.readlink(link))
            except OSError:  # just replaced: we shall be told
                return
            at = os.path.normpath(target + at[len(link) :])
            link = self._first_link(at)
            steps.append(link or at)
            if not self._watch_beside(os.path.dirname(steps[-1])):
                self._polled.pin(path)
            if path not in self._targets.setdefault(steps[-1], set()):
                self._targets[steps[-1]].add(path)
                self.tree.hint(path, Hint.LISTED)  # nobody told before
        self._leave_steps(path, steps)

    def _leave_steps(self, path: str, steps: list[str]) -> None:
        """It led somewhere else before, or round in circles."""
        for step in dict.fromkeys(self._steps.get(path, ())):
            if step not in steps:
                self._targets[step].discard(path)
                if not self._targets[step]:
                    del self._targets[step]
                    self._leave(os.path.dirname(step))
        self._steps[path] = steps

    def _first_link(self, path: str) -> str:
        """The first on the way to a path that is a link; "": none is."""
        end = path.find("/", 1)
        while end > 0:
            step = path[:end]
            if step not in self.tree.folders and os.path.islink(step):
                return step
            end = path.find("/", end + 1)
        return path if os.path.islink(path) else ""

    # --- events -----------------------------------------------------------------------------------

    def _take(self, event: Event) -> None:
        watch, mask, name = event
        if mask & OVERFLOW:
            self._rescan()
        elif mask & UNMOUNT:
            self._polled.refresh()
        elif mask & IGNORED:
            self._ended(watch)
        else:
            for path in self._paths.get(watch, ()):
                if not name:
                    self._itself(path, mask)
                elif mask & ISDIR:
                    self._folder_named(below(path, name), mask)
                else:
                    self._file_named(path, name, mask)
                if mask & DELETE and path in self._rules.roots:
                    self._shrunk.add(path)

    def _itself(self, path: str, mask: int) -> None:
        if mask & _SELF:
            self.tree.queue(path, deep=True)
            if path in self._above:
                for root in self._rules.roots:
                    if root.startswith(path + "/"):
                        self.tree.queue(root, deep=True)
        elif path not in self.tree.folders and self._rules.decide(path).needs:  # a mounted file
            self.tree.hint(path, Hint.WRITTEN if mask & CLOSE_WRITE else Hint.TOUCHED)
            self._polled.check_mounted_file(path)

    def _folder_named(self, path: str, mask: int) -> None:
        self._beside_changed(path)
        if mask & _NAMES or path not in self.tree.folders:  # ATTRIB: perhaps it can be read now
            moved = bool(mask & MOVED_TO)
            self.tree.queue(path, deep=moved, arrived=moved)

    def _file_named(self, folder: str, name: str, mask: int) -> None:
        path = below(folder, name)
        self._beside_changed(path)
        if folder not in self.tree.folders:
            return
        if self._rules.decide(path).needs:
            self.tree.hint(path, _hint(mask))
        if not mask & _NAMES:
            return
        if name in MARKS:
            self.tree.queue(folder)
        if path in self.tree.folders or (self.tree.follow and os.path.islink(path)):
            self.tree.queue(path, deep=True)

    def _beside_changed(self, path: str) -> None:
        for link in self._targets.get(path, ()):
            self.tree.hint(link, Hint.WRITTEN)
        for root in self._anchors.get(path, ()):
            self.tree.queue(root, deep=True)

    def _ended(self, watch: int) -> None:
        """The folder is gone, or its file system; or what is at its path now is another one."""
        for path in self._paths.pop(watch, ()):
            del self._watches[path]
            self.tree.queue(path, deep=True)
            if path in self._beside:
                self._look_at_links()

    def _check_mount(self, root: str) -> None:
        """A mounted folder that is deleted outside is still there, but has no name any more."""
        with suppress(OSError):
            if not os.stat(root).st_nlink:
                self._polled.refresh()

    def _check_root(self, root: str) -> None:
        """If nothing is left in it, it may be the next to go, and of a mounted one nobody tells."""
        with suppress(OSError), os.scandir(root) as entries:
            if not any(entries):
                self.tree.queue_later(root, _NEXT)

    def _rescan(self) -> None:
        """Events were lost: everything is compared with what was last seen."""
        self._warn("more changes at once than the kernel remembers: all is looked at again")
        self._look_at_all()

    def _look_at_all(self) -> None:
        self._polled.refresh()
        for root in self._rules.roots:
            self.tree.queue(root, deep=True)
        self._look_at_links()

    def _look_at_links(self) -> None:
        for links in self._targets.values():
            for link in links:
                self.tree.hint(link, Hint.LISTED)

    # --- watches ----------------------------------------------------------------------------------

    def _watch(self, path: str, mask: int) -> None:
        watch = self._inotify.add(path, mask)
        if self._watches.get(path, watch) != watch:
            self._unwatch(path)  # it was another folder
        self._watches[path] = watch
        self._paths.setdefault(watch, set()).add(path)

    def _unwatch(self, path: str) -> None:
        watch = self._watches.pop(path, None)
        if watch is not None:
            self._paths[watch].discard(path)
            if not self._paths[watch]:
                del self._paths[watch]
                self._inotify.remove(watch)

    def _need_no_more(self, path: str) -> None:
        self._unwatch(path)
        if path in self._above:
            self._tell_of_moves(path)

    def _watch_above(self, root: str) -> None:
        """A folder that is moved takes all below it along, and nothing below is told."""
        path = os.path.dirname(root)
        while path != os.path.dirname(path):
            self._above.add(path)
            self._tell_of_moves(path)
            path = os.path.dirname(path)

    def _tell_of_moves(self, path: str) -> None:
        with suppress(OSError):  # no right to read it, or no watch left: the audit sees it
            self._watch(path, _ABOVE | MASK_ADD)

    def _watch_beside(self, folder: str) -> bool:
        """False: its changes will not be told."""
        try:
            self._watch(folder, _FOLDER)
        except OSError as error:
            return error.errno in _GONE
        self._beside.add(folder)
        return not self._polled.is_silent(folder)

    def _await(self, root: str) -> None:
        """Watches the folder in which the next step to a missing root must appear."""
        self._warn(f"{root} is not there: waiting for it")
        while not os.path.isdir(root):
            step = root
            while not os.path.isdir(parent := os.path.dirname(step)):
                step = parent
            self._anchors.setdefault(step, set()).add(root)
            self._watch_beside(parent)
            if not os.path.isdir(step):
                return
        self.tree.queue(root)

    def _found(self, root: str) -> None:
        self._alone.add(root)
        for step in [step for step, roots in self._anchors.items() if root in roots]:
            self._anchors[step].discard(root)
            if not self._anchors[step]:
                del self._anchors[step]
                self._leave(os.path.dirname(step))
        if os.path.islink(root):  # it may be made to lead elsewhere
            self._anchors.setdefault(root, set()).add(root)
            self._watch_beside(os.path.dirname(root))

    def _leave(self, folder: str) -> None:
        needed = any(os.path.dirname(path) == folder for path in (*self._anchors, *self._targets))
        if not needed:
            self._beside.discard(folder)
            if folder not in self.tree.folders:
                self._need_no_more(folder)

    def _watch_mounted_files(self) -> None:
        """A file mounted over a file raises no event in its folder, only by itself."""
        for point in self._polled.mounted_files():
            try:
                self._watch(point, _FILE)
            except OSError:
                self._polled.pin(point)


def _hint(mask: int) -> Hint:
    if mask & (CLOSE_WRITE | MOVED_TO | MOVED_FROM | DELETE):
        return Hint.WRITTEN
    return Hint.CREATED if mask & CREATE else Hint.TOUCHED
