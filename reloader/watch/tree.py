"""The last look at all files that count, and the looking.

Nothing here waits or knows an engine. A tree is told where to look (`hint`, `queue`) and answers
with values: `folders_to_visit` gives the folders to be listed next, and whoever drives the tree has
each watched first, so that nothing falls between. `dropped` are folders that matter no longer.
"""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from reloader.filter.globs import wraps_a_neighbour
from reloader.watch.compare import Comparison
from reloader.watch.snapshot import (
    Listing,
    ScanReason,
    Signature,
    below,
    listing,
    see,
)
from reloader.watch.symlinks import LinkLoopGuard
from reloader.watch.unsettled import Unsettled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.watch.options import ScanOptions

_EACH = 32  # looks between two looks at the clock
_VANISHED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})


class FolderSnapshot:
    """The files and folders that were seen in one folder."""

    __slots__ = ("files", "identity", "subs")

    def __init__(self) -> None:
        self.identity = (0, 0)  # device and inode
        self.files: dict[str, Signature] = {}
        self.subs: set[str] = set()  # folders in it that the filter enters, in the tree or not


class Visit(NamedTuple):
    """A folder to be listed; `deep`: and all that is known below it."""

    path: str
    deep: bool


class Tree:
    """Folders and files that count, as last seen; `changed` collects what differed since.

    `careful`: as `Comparison`. `closes`: as `Unsettled`. `roots`: the filter's roots are visited,
    else only the folders that are queued.
    """

    def __init__(
        self,
        options: ScanOptions,
        *,
        careful: bool = False,
        closes: bool = False,
        roots: bool = True,
    ) -> None:
        self.folders: dict[str, FolderSnapshot] = {}
        self.changed: dict[str, Signature | None] = {}  # and what was there before
        self._new: set[str] = set()  # those of them that were never told before
        self.dropped: list[str] = []  # folders that matter no longer
        self.links: dict[str, None] = {}  # files that are links, as they are seen
        self.hints: dict[str, ScanReason] = {}  # files to look at
        self.walked = False
        self._has_roots = roots
        self.comparison = Comparison(careful=careful)
        self._queue: deque[str] = deque()  # folders to visit, the shallow ones first
        self._queued: dict[str, bool] = {}  # the same, and whether all below is visited too
        self._unsettled = Unsettled()
        self._later: dict[str, float] = {}  # folders to visit then
        self._arrived: list[str] = []  # folders moved here while the first scan went on
        self._loops = LinkLoopGuard()
        self.configure(options, closes=closes)

    def configure(self, options: ScanOptions, *, closes: bool) -> None:
        """Scans anew under these options from here on; what was seen stays known.

        Files that count no longer are forgotten without being a change.
        """
        self.rules = options.rules
        self.follow = options.follow
        self._unsettled.closes = closes
        self.comparison.configure(options)
        self._warn = options.warn
        self.walked = False
        for path, seen in list(self.folders.items()):
            place = self.rules.folder(path)
            if not place.enters:
                del self.folders[path]
                self._loops.leave(path)
                continue
            seen.files = {n: sign for n, sign in seen.files.items() if place.decide(n).is_watched}
            seen.subs = {name for name in seen.subs if self.rules.enters(below(path, name))}
        self._unsettled.keep(lambda path: self.rules.decide(path).is_watched)
        if self._has_roots:
            self.look_at_all()

    def look_at_all(self) -> None:
        """Asks for a comparison of everything."""
        for root in self.rules.roots:
            self.queue(root, deep=True)

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

    def hint(self, path: str, reason: ScanReason) -> None:
        """Asks for a look at a file."""
        if reason > self.hints.get(path, -1):
            self.hints[path] = reason

    @property
    def wake_at(self) -> float:
        """When to come back though no event came, on the monotonic clock; 0: never."""
        times = [*self._later.values(), *filter(None, (self._unsettled.wake_at,))]
        return min(times, default=0.0)

    @property
    def is_idle(self) -> bool:
        """True if there is nothing to look at now."""
        return self.walked and not (self.hints or self._queue or self.comparison.unread)

    def folders_to_visit(self, until: float) -> Iterator[Visit]:
        """Looks at files, and yields each folder to be watched, then visited.

        Ends when there is nothing left to look at, or at this time of the monotonic clock.
        """
        self._come_back(time.monotonic())
        for step in self._steps():
            if step:
                yield step
            if time.monotonic() >= until:
                return

    def work(self, until: float) -> bool:
        """Looks and visits though nothing is watched; returns True if all is done."""
        for visit in self.folders_to_visit(until):
            self.visit(*visit)
        self.dropped.clear()
        self.links.clear()
        return self.is_idle

    def take(self) -> dict[str, Signature | None]:
        """Returns what changed since the last time, in order, and what was there before.

        While a file is missing, all wait for it: a rename is one change, and so is a save.
        """
        if self.is_patient:
            return {}
        changed, self.changed = self.changed, {}
        self._new.clear()
        return changed

    @property
    def is_patient(self) -> bool:
        """True while a file is missing that may come back."""
        return time.monotonic() < self._unsettled.patient_until

    def doubtful(self) -> set[str]:
        """Returns the paths that have changed or are missing, and were not taken yet."""
        return {*self.changed, *self._unsettled.missing}

    def _come_back(self, now: float) -> None:
        """Looks again at what was to be looked at by now."""
        for path, reason in self._unsettled.due(now):
            self.hint(path, reason)
        for path in [path for path, at in self._later.items() if now >= at]:
            del self._later[path]
            self.queue(path)

    def _steps(self) -> Iterator[Visit | None]:
        """Yields a folder to visit, or None after some looks at files."""
        while self.hints or self._queue or not self.walked:
            for number, path in enumerate(list(self.hints)):
                self.look(path, self.hints.pop(path))
                if number % _EACH == _EACH - 1:
                    yield None
            if self._queue:
                path = self._queue.popleft()
                deep = self._queued.pop(path)
                if self.rules.enters(path):
                    yield Visit(path, deep)
                    continue
                self._leave_out(path)
            elif not self.walked:
                self._finish_walk()
            yield None
        while self.comparison.unread:
            path = self.comparison.unread.popleft()
            self.comparison.learn(path, self._sign_of(path))
            yield None

    def _finish_walk(self) -> None:
        """From here on what was never seen is new; what moved in during the scan was new too."""
        self.walked = True
        self.comparison.since_ns = 0
        for path in self._arrived:
            self.drop(path)
            self.queue(path)
        self._arrived.clear()

    # --- files ------------------------------------------------------------------------------------

    def look(self, path: str, reason: ScanReason = ScanReason.LISTED) -> None:
        """Looks at one file in a folder of the tree."""
        parent, _, name = path.rpartition("/")
        seen = self.folders.get(parent or "/")
        if seen is None:
            self._unsettled.found(path)
            self._unsettled.closed(path)
            return
        try:
            new, is_link = see(path)
        except OSError:
            self._unsettled.closed(path)
            return
        old = seen.files.get(name)
        if new is None:
            self._unsettled.closed(path)
            if old and reason is ScanReason.OVERDUE:
                del seen.files[name]
                self._lost(path, old)
            elif old:
                self._unsettled.miss(path, time.monotonic())
            return
        self._unsettled.found(path)
        if old is None and wraps_a_neighbour(name, seen.files):
            return
        if is_link:
            self.links[path] = None
        elif self._is_unfinished(path, old, new, reason):
            return
        seen.files[name] = new
        self._compare(path, old, new, reason)

    def glance(self, folder: str) -> None:
        """Looks at the known files of a folder, at the least cost."""
        seen = self.folders.get(folder)
        if seen is None:
            return
        prefix = below(folder, "")
        for name, old in list(seen.files.items()):
            path = prefix + name
            try:
                now = os.lstat(path)
                unmoved = old[:4] == (now.st_mtime_ns, now.st_size, now.st_ino, now.st_ctime_ns)
                if unmoved and not self.comparison.is_fresh(path):
                    continue
            except OSError:
                pass
            self.look(path)

    def _is_unfinished(
        self, path: str, old: Signature | None, new: Signature, reason: ScanReason
    ) -> bool:
        return self._unsettled.is_unfinished(path, old, new, reason, time.monotonic())

    def _compare(
        self, path: str, old: Signature | None, new: Signature, reason: ScanReason
    ) -> None:
        if self.comparison.differs(path, old, new, reason):
            self.changed.setdefault(path, old)
            if old is None:
                self._new.add(path)

    def _lost(self, path: str, old: Signature) -> None:
        if path in self._new:  # it came and went before anybody was told
            self.changed.pop(path, None)
        else:
            self.changed.setdefault(path, old)
        self._new.discard(path)
        self._unsettled.found(path)
        self.comparison.forget(path)

    def _sign_of(self, path: str) -> Signature | None:
        parent, _, name = path.rpartition("/")
        seen = self.folders.get(parent or "/")
        return seen.files.get(name) if seen else None

    # --- folders ----------------------------------------------------------------------------------

    def visit(self, path: str, deep: bool = False) -> None:
        """Looks at a folder: at its files, and at the folders in it.

        Its watch is there by now, so nothing can happen in between.
        """
        place = self.rules.folder(path)
        found: Listing | None = None
        is_there = False
        try:
            if place.enters and self._identify(path):
                found = listing(path, place, self.rules, follow=self.follow)
            is_there = found is not None or os.path.isdir(path)
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

    def give_away(self, path: str) -> dict[str, FolderSnapshot]:
        """Takes a folder out of the tree for somebody else to look at; it still exists."""
        taken = self.release(path)
        self._note_in_parent(path, is_there=os.path.isdir(path))
        return taken

    def _leave_out(self, path: str) -> None:
        """Forgets a folder that the filter does not enter."""
        self.drop(path)
        self._note_in_parent(path, is_there=False)

    def _note_in_parent(self, path: str, *, is_there: bool) -> None:
        parent, _, name = path.rpartition("/")
        if seen := self.folders.get(parent or "/"):
            (seen.subs.add if is_there else seen.subs.discard)(name)

    def _identify(self, path: str) -> bool:
        """Notes which directory is at the path; if it is another one, all below it is visited.

        Returns False if a link leads to a directory that is in the tree already.
        """
        status = os.stat(path)
        identity = status.st_dev, status.st_ino
        if self.follow and not self._loops.enter(path, identity):
            return False
        seen = self.folders.get(path)
        if seen is None:
            seen = self.folders[path] = FolderSnapshot()
        elif seen.identity != identity:
            for name in seen.subs:
                self.queue(below(path, name), deep=True)
        seen.identity = identity
        return True

    def _update(self, path: str, found: Listing, *, deep: bool) -> None:
        seen = self.folders[path]
        old, seen.files = seen.files, found.files
        for name in found.unsure & old.keys():
            seen.files[name] = old[name]
        if old != seen.files:
            self._compare_all(path, old, seen.files)
        for name in found.links:
            self.links[below(path, name)] = None
        for name in seen.subs - found.subs:
            self.drop(below(path, name))
        seen.subs = set(found.subs)
        for name in found.subs:
            sub = below(path, name)
            if deep or sub not in self.folders:
                self.queue(sub, deep=deep)

    def _compare_all(self, path: str, old: dict[str, Signature], new: dict[str, Signature]) -> None:
        """Compares the files of a folder; corrects `new` where a file is missing or not whole."""
        for name, sign in list(new.items()):
            file, before = below(path, name), old.get(name)
            self._unsettled.found(file)
            if before is None and wraps_a_neighbour(name, new):
                del new[name]
            elif not self._is_unfinished(file, before, sign, ScanReason.LISTED):
                self._compare(file, before, sign, ScanReason.LISTED)
            elif before:
                new[name] = before
            else:
                del new[name]
        for name in old.keys() - new.keys():
            new[name] = old[name]
            self._unsettled.miss(below(path, name), time.monotonic())

    def drop(self, path: str) -> None:
        """Forgets a folder and all below it: the files in it that counted are gone."""
        for folder, seen in self.release(path).items():
            for name, old in seen.files.items():
                self._lost(below(folder, name), old)

    def release(self, path: str) -> dict[str, FolderSnapshot]:
        """Takes a folder and all below it out of the tree; that is no change."""
        taken: dict[str, FolderSnapshot] = {}
        left = [path]
        while left:
            folder = left.pop()
            if seen := self.folders.pop(folder, None):
                taken[folder] = seen
                self._loops.leave(folder)
                left.extend(below(folder, name) for name in seen.subs)
        self.dropped.extend(taken)
        return taken

    def adopt(self, folders: dict[str, FolderSnapshot]) -> None:
        """Goes on with what another tree has seen."""
        self.folders.update(folders)
