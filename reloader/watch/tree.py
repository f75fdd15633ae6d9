"""What the last look saw of all that counts, and the looking.

Nothing here waits: what there is to look at is queued, and `work` does what time allows.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from reloader.watch.snapshot import (
    Contents,
    Difference,
    Hint,
    Listing,
    Signature,
    below,
    difference,
    is_fresh,
    listing,
    see,
)
from reloader.watch.symlinks import Reached

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.watch.registrar import Guard, Terms

_EACH = 32  # looks between two looks at the clock
# A file that is gone is most often half a save: editors move the old one away, then write. The
# longest gap in one save was 4.6 ms (vim on a busy machine, measured).
_PATIENCE = 0.05  # seconds; vim on a busy disk has been seen to take 30 ms
# A new file that nobody has closed is whole when it has been quiet for so long: a log is never
# closed, and of a file that was linked here nobody tells that it is.
_UNCLOSED = 1.0  # seconds
_UNCLOSED_LONGEST = 10.0
_VANISHED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class Known:
    """What was seen in one folder."""

    __slots__ = ("files", "identity", "subs")

    def __init__(self) -> None:
        self.identity = (0, 0)  # device and inode
        self.files: dict[str, Signature] = {}
        self.subs: set[str] = set()  # folders in it that rules enter, in the tree or not


class Unclosed(NamedTuple):
    """A file that is being written: as last seen, since when, and when to look again."""

    sign: Signature
    since: float
    until: float


class Tree:
    """Folders and files that count, as last seen; `changed` collects what differed since.

    `careful`: where the clock is too coarse for signatures bytes decide, for nobody else will tell.
    `closes`: we are told when a file is closed after writing.
    """

    def __init__(
        self, terms: Terms, guard: Guard, *, careful: bool = False, closes: bool = False
    ) -> None:
        self.rules = terms.rules
        self.folders: dict[str, Known] = {}
        self.changed: dict[str, None] = {}
        self.hints: dict[str, Hint] = {}  # files to look at
        self.follow = terms.follow
        self.walked = False
        self._since_ns = terms.since_ns
        self._guard = guard
        self._warn = terms.warn
        self._whole = terms.whole
        self._careful = careful
        self._closes = closes
        self._contents = Contents()
        self._unread: deque[str] = deque()  # files whose bytes are to be known in time
        self._queue: deque[str] = deque()  # folders to visit, the shallow ones first
        self._queued: dict[str, bool] = {}  # the same, and whether all below is visited too
        self._fresh: set[str] = set()
        self._missing: dict[str, None] = {}  # files that were there; they may come back
        self.patient_until = 0.0  # on the monotonic clock; 0: nothing is missing
        self._unclosed: dict[str, Unclosed] = {}  # files that are being written
        self._later: dict[str, float] = {}  # folders to visit then
        self._arrived: list[str] = []  # folders moved here while the first walk went on
        self._reached = Reached()

    @property
    def files(self) -> int:
        return sum(len(known.files) for known in list(self.folders.values()))

    def queue(self, path: str, *, deep: bool = False, arrived: bool = False) -> None:
        """Asks for a visit; `deep`: of all that is known below it too; `arrived`: all is new."""
        if arrived and not self.walked:
            self._arrived.append(path)
        if path not in self._queued:
            self._queue.append(path)
        self._queued[path] = deep or self._queued.get(path, False)

    def queue_later(self, path: str, seconds: float) -> None:
        """Asks for a visit after a while."""
        self._later[path] = time.monotonic() + seconds

    def hint(self, path: str, hint: Hint) -> None:
        """Asks for a look at a file."""
        if hint > self.hints.get(path, -1):
            self.hints[path] = hint

    @property
    def wake_at(self) -> float:
        """When to come back though nothing was told, on the monotonic clock; 0: never."""
        times = [*self._later.values(), *(again.until for again in self._unclosed.values())]
        if self.patient_until:
            times.append(self.patient_until)
        return min(times, default=0.0)

    def work(self, until: float) -> bool:
        """Looks where it was asked to, until this time of the monotonic clock; True: all done."""
        now = time.monotonic()
        if self._missing and now >= self.patient_until:
            for path in self._missing:
                self.hints.setdefault(path, Hint.OVERDUE)
            self._missing.clear()
            self.patient_until = 0.0
        for path, again in self._unclosed.items():
            if now >= again.until or not self._closes:
                self.hint(path, Hint.LISTED)
        for path in [path for path, at in self._later.items() if now >= at]:
            del self._later[path]
            self.queue(path)
        return all(time.monotonic() < until for _ in self._steps())

    def take(self) -> dict[str, None]:
        """The paths that changed since the last time, in order.

        While a file is missing, all wait for it: a rename is one change, and so is a save.
        """
        if time.monotonic() < self.patient_until:
            return {}
        changed, self.changed = self.changed, {}
        return changed

    def doubtful(self) -> set[str]:
        """What has changed or is missing, and was not taken yet."""
        return {*self.changed, *self._missing}

    def _steps(self) -> Iterator[None]:
        while self.hints or self._queue or not self.walked:
            for number, path in enumerate(list(self.hints)):
                self.look(path, self.hints.pop(path))
                if number % _EACH == _EACH - 1:
                    yield
            if self._queue:
                path = self._queue.popleft()
                self.visit(path, deep=self._queued.pop(path))
            elif not self.walked:
                self._finish_walk()
            yield
        while self._unread:
            path = self._unread.popleft()
            if sign := self._sign_of(path):
                self._contents.remember(path, sign)
            yield

    def _finish_walk(self) -> None:
        """From here on what was never seen is new; what moved in during the walk was new too."""
        self.walked = True
        self._since_ns = 0
        for path in self._arrived:
            self.drop(path)
            self.queue(path)
        self._arrived.clear()

    # --- files ------------------------------------------------------------------------------------

    def look(self, path: str, hint: Hint = Hint.LISTED) -> None:
        """Looks at one file in a folder that is known."""
        parent, _, name = path.rpartition("/")
        known = self.folders.get(parent or "/")
        if known is None:
            self._forget_missing(path)
            self._unclosed.pop(path, None)
            return
        try:
            new, is_link = see(path)
        except OSError:
            self._unclosed.pop(path, None)
            return
        old = known.files.get(name)
        if new is None:
            self._unclosed.pop(path, None)
            if old and hint is Hint.OVERDUE:
                del known.files[name]
                self._lost(path)
            elif old:
                self._miss(path)
            return
        self._forget_missing(path)
        if is_link:
            self._guard.link(path)
        elif self._is_unfinished(path, old, new, hint):
            return
        known.files[name] = new
        self._compare(path, old, new, hint)

    def glance(self, folder: str) -> None:
        """Looks at the files that are known in a folder, at the least cost."""
        known = self.folders.get(folder)
        if known is None:
            return
        prefix = below(folder, "")
        for name, old in list(known.files.items()):
            path = prefix + name
            try:
                now = os.lstat(path)
                unmoved = old[:4] == (now.st_mtime_ns, now.st_size, now.st_ino, now.st_ctime_ns)
                if unmoved and path not in self._fresh:
                    continue
            except OSError:
                pass
            self.look(path)

    def _is_unfinished(self, path: str, old: Signature | None, new: Signature, hint: Hint) -> bool:
        """It is being written: we shall be told, or come back."""
        before = self._unclosed.pop(path, None)
        if before and hint < Hint.WRITTEN:
            hint = Hint.CREATED
        if not self._seems_unclosed(old, new, hint):
            return False
        now = time.monotonic()
        if before is None:
            before = Unclosed(new, now, now + _UNCLOSED)
        elif now >= before.until:
            if before.sign == new or now >= before.since + _UNCLOSED_LONGEST:
                return False
            before = Unclosed(new, before.since, now + _UNCLOSED)
        self._unclosed[path] = before
        return True

    def _seems_unclosed(self, old: Signature | None, new: Signature, hint: Hint) -> bool:
        """New and not closed; where nobody tells of closing: emptied, for the time being."""
        if not self._closes:
            return not new[1] and bool(old and old[1])
        if hint is not Hint.CREATED or new[4][3] != 1:  # of two names: linked here
            return False
        return not new[1] or new[0] == new[3]  # a write sets both times, a link only one

    def _compare(self, path: str, old: Signature | None, new: Signature, hint: Hint) -> None:
        if old == new and path not in self._fresh:
            return
        if self._differs(path, old, new, hint):
            self.changed[path] = None
        if not is_fresh(new, time.time_ns()):
            self._fresh.discard(path)
            return
        self._fresh.add(path)
        if self._careful and not self._contents.knows(path):
            self._contents.remember(path, new)

    def _differs(self, path: str, old: Signature | None, new: Signature, hint: Hint) -> bool:
        """Whether the file is another than at the last look."""
        if old is None:
            if self._whole:
                self._unread.append(path)
            return new[3] >= self._since_ns
        verdict = difference(old, new)
        if verdict is Difference.SURE and not self._whole:
            self._contents.forget(path)
            return True
        if verdict is Difference.NONE:
            told = hint >= Hint.CREATED or self._contents.knows(path)
            if not (told and path in self._fresh):
                return False
        elif verdict is Difference.RIGHTS or (verdict is Difference.CTIME and hint is Hint.TOUCHED):
            return False
        return not self._contents.same(path)

    def _miss(self, path: str) -> None:
        if not self._missing:
            self.patient_until = time.monotonic() + _PATIENCE
        self._missing[path] = None

    def _forget_missing(self, path: str) -> None:
        if path in self._missing:
            del self._missing[path]
            if not self._missing:
                self.patient_until = 0.0

    def _lost(self, path: str) -> None:
        self.changed[path] = None
        self._forget_missing(path)
        self._contents.forget(path)
        self._fresh.discard(path)

    def _sign_of(self, path: str) -> Signature | None:
        parent, _, name = path.rpartition("/")
        known = self.folders.get(parent or "/")
        return known.files.get(name) if known else None

    # --- folders ----------------------------------------------------------------------------------

    def visit(self, path: str, *, deep: bool = False) -> None:
        """Looks at a folder: at its files, and what folders there are in it.

        First the guard is told, then it is listed: nothing can happen in between.
        """
        place = self.rules.folder(path)
        found: Listing | None = None
        is_there = place.enters
        try:
            if is_there and self._guard.arm(path) and self._identify(path):
                found = listing(path, place, self.rules, follow=self.follow)
            else:
                is_there = is_there and os.path.isdir(path)
        except OSError as error:
            is_there = error.errno not in _VANISHED
            if is_there:
                self._warn(f"can't read {self.rules.shown(path)}: {error.strerror}")
                if error.errno != errno.EACCES:
                    return  # perhaps the next time
        if found and (place.firm or not found.marked):
            self._update(path, found, deep=deep)
        else:
            self.drop(path)
        self._note_in_parent(path, is_there=is_there)

    def _note_in_parent(self, path: str, *, is_there: bool) -> None:
        parent, _, name = path.rpartition("/")
        if known := self.folders.get(parent or "/"):
            (known.subs.add if is_there else known.subs.discard)(name)

    def _identify(self, path: str) -> bool:
        """Whether the folder belongs here; if it is another one than before, so is all below it."""
        status = os.stat(path)
        identity = status.st_dev, status.st_ino
        if self.follow and not self._reached.admits(path, identity):
            return False
        known = self.folders.get(path)
        if known is None:
            known = self.folders[path] = Known()
        elif known.identity != identity:
            for name in known.subs:
                self.queue(below(path, name), deep=True)
        known.identity = identity
        return True

    def _update(self, path: str, found: Listing, *, deep: bool) -> None:
        known = self.folders[path]
        old, known.files = known.files, found.files
        for name in found.unsure & old.keys():
            known.files[name] = old[name]
        if old != known.files:
            self._compare_all(path, old, known.files)
        for name in found.links:
            self._guard.link(below(path, name))
        for name in known.subs - found.subs:
            self.drop(below(path, name))
        known.subs = set(found.subs)
        for name in found.subs:
            sub = below(path, name)
            if deep or sub not in self.folders:
                self.queue(sub, deep=deep)

    def _compare_all(self, path: str, old: dict[str, Signature], new: dict[str, Signature]) -> None:
        """The files of a folder; `new` is made what is known of them."""
        for name, sign in list(new.items()):
            file, before = below(path, name), old.get(name)
            self._forget_missing(file)
            if not self._is_unfinished(file, before, sign, Hint.LISTED):
                self._compare(file, before, sign, Hint.LISTED)
            elif before:
                new[name] = before
            else:
                del new[name]
        for name in old.keys() - new.keys():
            new[name] = old[name]
            self._miss(below(path, name))

    def drop(self, path: str) -> None:
        """Forgets a folder and all below it; its files are gone, as far as we are concerned."""
        for folder, known in self.release(path).items():
            self._guard.disarm(folder)
            for name in known.files:
                self._lost(below(folder, name))

    def release(self, path: str) -> dict[str, Known]:
        """Takes a folder and all below it out of the tree; nothing has changed by that."""
        taken: dict[str, Known] = {}
        left = [path]
        while left:
            folder = left.pop()
            if known := self.folders.pop(folder, None):
                taken[folder] = known
                self._reached.left(folder)
                left.extend(below(folder, name) for name in known.subs)
        return taken

    def adopt(self, folders: dict[str, Known]) -> None:
        """Goes on with what another tree has seen."""
        self.folders.update(folders)
