"""Sees to it that every folder of a tree is watched or polled, and turns events into hints.

Data goes one way round: the engine gives events, they become hints for the tree, the tree names the
folders that it will list, and each of them is watched first.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.paths import is_below
from reloader.watch.engine import Kind, PollEngine, Why
from reloader.watch.lookouts import Lookouts
from reloader.watch.snapshot import MARKS, ScanReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reloader.watch.engine import Engine, Event
    from reloader.watch.poll_fallback import PollFallback
    from reloader.watch.tree import Tree, Visit

# The listing finds these out by itself, and says so.
_LISTED = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.ENAMETOOLONG})
_NEXT = 0.1  # seconds from the deletion of a folder's last file to its own
_EACH = 64  # events between two looks at the clock


class Coverage:
    """A tree, its engine, and the pollers for what the engine does not tell.

    `beside`: more folders that wake the reader, though nothing in them counts.
    """

    def __init__(
        self,
        tree: Tree,
        engine: Engine,
        polled: PollFallback,
        warn: Callable[[str], None],
        beside: Iterable[str] = (),
    ) -> None:
        self.tree = tree
        self.engine = engine
        self.polled = polled
        self._warn = warn
        self._rules = tree.rules
        self._lookouts = Lookouts()
        self._files: set[str] = set()  # targets of the lookouts that are files
        self._beside: set[str] = set()
        self._kept = frozenset(beside)
        self._found: set[str] = set()  # roots whose parents are still to be watched
        self._renamed: set[str] = set()  # roots in which a name came or went
        self._ignored: dict[str, str] = {}  # files that were written and do not count, and why
        for folder in self._kept:
            self._watch_beside(folder)
        self._watch_mounted_files()

    # --- events -----------------------------------------------------------------------------------

    def read_events(self, until: float) -> bool:
        """Turns events into hints; returns False if the time was up before the last event."""
        for number, event in enumerate(self.engine.events(), 1):
            self._take(event)
            if not number % _EACH and time.monotonic() >= until:
                return False
        for path in self.polled.hints():
            self.tree.hint(path, ScanReason.WRITTEN)
        for root in self._renamed:
            self._check_root(root)
        self._renamed.clear()
        return True

    def _take(self, event: Event) -> None:
        if event.kind in (Kind.FILE, Kind.FOLDER, Kind.ANY):
            self._take_name(event)
        elif event.kind is Kind.ITSELF:
            self._itself(event.path)
        elif event.kind is Kind.MOUNTED:
            self._mounted_file(event)
        elif event.kind is Kind.MOUNTS:
            self.polled.refresh()
        elif event.kind is Kind.FAILED:
            for root in self._rules.roots:
                self.poll(root, "watchfiles failed")
        else:
            if event.kind is Kind.LOST:
                self._warn("more changes at once than the kernel remembers: all is looked at again")
            self._look_at_all()

    def _take_name(self, event: Event) -> None:
        path, tree = event.path, self.tree
        for target in self._lookouts.waiting_for(path):
            self._look_again(target, ScanReason.WRITTEN)
        folder, _, name = path.rpartition("/")
        if (folder or "/") not in tree.folders:
            return
        if event.names and folder in self._rules.roots:
            self._renamed.add(folder)
        if event.names and name in MARKS:
            tree.queue(folder)
        if event.kind is Kind.FOLDER:
            # Without a name that came or went it is a change of rights: perhaps it can be read now.
            if event.names or path not in tree.folders:
                tree.queue(path, deep=event.moved_in, arrived=event.moved_in)
            return
        decision = self._rules.decide(path)
        if decision.is_watched:
            tree.hint(path, event.reason)
        elif event.reason is ScanReason.WRITTEN and decision.is_by_default:
            self._ignored[path] = decision.because
        if self._is_folder(event):
            tree.queue(path, deep=True)

    def _is_folder(self, event: Event) -> bool:
        """Returns True if it is a folder after all: a link to one, or not known to be a file."""
        path = event.path
        if event.kind is Kind.ANY:
            return path in self.tree.folders or (self._rules.enters(path) and os.path.isdir(path))
        if not event.names:
            return False
        may_lead = self.tree.follow or self._rules.is_named(path)
        return path in self.tree.folders or (may_lead and os.path.islink(path))

    def _itself(self, path: str) -> None:
        """A watched folder was moved, deleted or replaced, and with it all that is below."""
        self.tree.queue(path, deep=True)
        for root in self._rules.roots:
            if is_below(os.path.realpath(root), path) or is_below(root, path):
                self.tree.queue(root, deep=True)
        if path in self._beside:
            self._look_at_lookouts()

    def _mounted_file(self, event: Event) -> None:
        if event.path not in self.tree.folders and self._rules.decide(event.path).is_watched:
            self.tree.hint(event.path, event.reason)
            self.polled.check_mounted_file(event.path)

    def _check_root(self, root: str) -> None:
        """Looks again soon if nothing is left in a root: it may be the next to be deleted.

        A bind mount of it raises no event for that.
        """
        with suppress(OSError), os.scandir(root) as entries:
            if not any(entries):
                self.tree.queue_later(root, _NEXT)

    def _look_at_all(self) -> None:
        self.polled.refresh()
        self.tree.look_at_all()
        self._look_at_lookouts()

    def _look_at_lookouts(self) -> None:
        for target in self._lookouts.all():
            self._look_again(target, ScanReason.LISTED)

    def _look_again(self, target: str, reason: ScanReason) -> None:
        if target in self._files:
            self.tree.hint(target, reason)
        else:
            self.tree.queue(target, deep=True)

    def take_ignored(self) -> list[tuple[str, str]]:
        """Returns the files that were written and do not count, with the reason."""
        found = [(path, why) for path, why in self._ignored.items() if os.path.isfile(path)]
        self._ignored.clear()
        return found

    # --- folders ----------------------------------------------------------------------------------

    def scan(self, until: float) -> bool:
        """Lets the tree look where it was asked to; returns True if all is done."""
        for visit in self.tree.folders_to_visit(until):
            self._settle()
            self._visit(visit)
        self._settle()
        return self.tree.is_idle

    def poll(self, path: str, label: str) -> None:
        """Leaves a folder and all below it to a poller, which goes on from what was seen."""
        self.polled.take(path, label, self.tree.give_away(path))
        self._settle()

    def look_at(self, path: str) -> None:
        """Has a file looked at of which no event came; its folder may be another one by now."""
        folder = path.rpartition("/")[0] or "/"
        if not self.polled.holds(folder) and self._watch(folder) is None:
            self.tree.hint(path, ScanReason.LISTED)

    def finish(self) -> bool:
        """Does what comes after a scan: the watches that are left go to the folders above roots.

        A folder that is moved takes all that is below it along, and nothing below is told. Returns
        False if the engine can't begin yet, for want of a thread.
        """
        while self._found:
            root = self._found.pop()
            for path in dict.fromkeys((*_above(root), *_above(os.path.realpath(root)))):
                with suppress(OSError):  # no right to read it, or no watch left: the audit sees it
                    self.engine.watch(path, Why.MOVES)
        return self.engine.start()

    def _settle(self) -> None:
        """Takes what the tree has answered: folders that matter no longer, and links."""
        for folder in self.tree.dropped:
            self.engine.unwatch(folder, Why.TREE)
        self.tree.dropped.clear()
        while self.tree.links:
            path, _ = self.tree.links.popitem()
            self._files.add(path)
            self._follow(path)

    def _visit(self, visit: Visit) -> None:
        path = visit.path
        if self.polled.holds(path):
            self.tree.give_away(path)
            return
        label = self._watch(path)
        if label is not None:
            self.poll(path, label)
            return
        self.tree.visit(*visit)
        is_root = path in self._rules.roots
        if is_root:
            self._check(path)
        if is_root or ((self.tree.follow or self._rules.is_named(path)) and os.path.islink(path)):
            self._follow(path)

    def _watch(self, path: str) -> str | None:
        """Has a folder watched; returns the poller's label if it must be polled instead."""
        if isinstance(self.engine, PollEngine):
            return ""
        if reason := self.polled.reason(path):
            return reason
        try:
            self.engine.watch(path, Why.TREE)
        except OSError as error:
            return None if error.errno in _LISTED else self.polled.limit(error)
        return None

    def _check(self, root: str) -> None:
        """Notes that a root is there, or says that it is not."""
        try:
            status = os.stat(root)
        except OSError:
            if root in self._rules.expected:
                self._warn(f"{root} is not there: waiting for it")
            return
        self._found.add(root)
        if not status.st_nlink:  # deleted outside of its mount, it has no name any more
            self.polled.refresh()

    # --- names beside -----------------------------------------------------------------------------

    def _follow(self, target: str) -> None:
        """Watches the folders that hold the names on the way to a file or a folder."""
        way = self._lookouts.follow(target, is_file=target in self._files)
        for folder in way.came:
            if not self._watch_beside(folder) and target in self._files:
                self.polled.pin(target)
        if way.came:  # a change before this raised no event
            self._look_again(target, ScanReason.LISTED)
        for folder in way.left:
            if folder not in self._kept:
                self._beside.discard(folder)
                self.engine.unwatch(folder, Why.BESIDE)

    def _watch_beside(self, folder: str) -> bool:
        """Returns False if changes of names in the folder will raise no event."""
        try:
            self.engine.watch(folder, Why.BESIDE)
        except OSError as error:
            return error.errno in _LISTED
        self._beside.add(folder)
        return not self.polled.is_silent(folder)

    def _watch_mounted_files(self) -> None:
        """Watches files that are mounts: these raise no event in their folder."""
        for point in self.polled.mounted_files():
            try:
                self.engine.watch(point, Why.FILE)
            except OSError:
                self.polled.pin(point)
            else:
                if self.polled.is_silent(point):
                    self.polled.pin(point)


def _above(path: str) -> list[str]:
    """Returns the folders above a path, but the topmost, which can't be moved."""
    found = []
    path = os.path.dirname(path)
    while path != os.path.dirname(path):
        found.append(path)
        path = os.path.dirname(path)
    return found
