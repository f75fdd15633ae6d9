"""Keeps files that the build and the app write from reloading the project for ever.

Stands before the bursts. Each lane (the app's, or that of a rule) has its own evidence: while its
build is at work, and a moment longer, `outputs` judges; else `starts` does, by what has followed
the starts before. A change counts at once, or is held to the end of the build, or waits, or is the
build's own work and no change at all. None that anybody else has made is lost.

Pure: no clock, no process, no file; time is an argument, in seconds.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from reloader.core.needs import NOTHING, Needs
from reloader.core.outputs import Outputs, Verdict
from reloader.core.places import SEVERAL, folder, like
from reloader.core.starts import Question, Starts, Writer, key_of
from reloader.core.values import Kind, Written
from reloader.light import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reloader.core.places import Places
    from reloader.core.values import Change, Seconds, Ticket

MUCH = 8192  # bytes more than a file takes: as many may be anything


@dataclass(frozen=True)
class Account:
    """Bytes that the app's processes have written since the last look; None if not known."""

    totals: Mapping[Ticket, Written] = field(default_factory=dict)
    since: Written | None = Written()

    def entered(self, ticket: Ticket, total: Written | None) -> Account:
        totals = dict(self.totals)
        before = totals.pop(ticket, Written())
        if total is None:
            return Account(totals, None)
        more = total - before
        totals[ticket] = total
        while len(totals) > 8:  # apps that are gone
            del totals[next(iter(totals))]
        if min(more.all, more.disk) < 0 or self.since is None:  # a part of the tree is gone
            return Account(totals, None)
        return Account(totals, self.since + more)

    def looked(self) -> Account:
        return replace(self, since=Written())

    def writer_of(self, change: Change, together: int = 0) -> Writer:
        """`together`: the bytes that this change takes, and those that came with it."""
        if self.since is None or not change.least:
            return Writer.ANYBODY
        counts: tuple[int, ...] = self.since.all, self.since.disk
        if max(counts) < change.least:
            return Writer.OTHER
        # An append to a page that is not out yet counts for no disk.
        if max(counts) < together or (change.on_disk and not self.since.disk):
            return Writer.HARDLY
        if change.on_disk:  # what it has printed says nothing
            counts = (self.since.disk,)
        about = any(change.size <= count <= change.size + MUCH for count in counts)
        return Writer.APP if about else Writer.ANYBODY


class Loop(Enum):
    """The kinds of feedback loop."""

    BUILD_WRITES = auto()  # and it is not counted
    BUILD_REPEATS = auto()  # new files each time: one build leads to the next
    APP_WRITES = auto()  # by the bytes it has written
    AFTER_STARTS = auto()  # whoever it is
    HELD = auto()  # no loop yet: a change waits for the end of a build that may have made it
    OVERDUE = auto()  # the same, and the build takes so long that it is ended for it


@dataclass(frozen=True)
class Finding:
    """For the user, once. `paths`: directories with a slash at their end, globs, files."""

    loop: Loop
    lane: str
    paths: tuple[str, ...]
    files: int = 1
    wait: Seconds = 0.0


@dataclass(frozen=True)
class Waiting:
    """Changes of one key that are acted on later."""

    change: Change
    since: Seconds
    due: Seconds
    by_start: bool = True  # they were seen after a start; else they come from a build


@dataclass(frozen=True)
class Lane:
    """The evidence about the files of one lane, and the changes that wait in it."""

    outputs: Outputs = Outputs()
    starts: Starts = Starts()
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    told: bool = False  # that builds lead to builds

    @property
    def next_at(self) -> Seconds | None:
        times = [w.due for w in self.waiting.values()]
        held = (self.outputs.overdue_at, self.outputs.tell_at)
        return min([*times, *(at for at in held if at is not None)], default=None)


@dataclass(frozen=True)
class Ruling:
    """The changes that count now, each with the needs of one lane."""

    feedback: Feedback
    changes: tuple[Change, ...] = ()
    found: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Feedback:
    """By lane: "" is the app's."""

    lanes: Mapping[str, Lane] = field(default_factory=dict)
    account: Account = Account()

    @property
    def next_at(self) -> Seconds | None:
        times = [lane.next_at for lane in self.lanes.values()]
        times.append(self._lane("").starts.look_at)
        return min((at for at in times if at is not None), default=None)

    def holds(self, since: Seconds | None) -> bool:
        """Returns True while changes are held back that were seen by then; None: by now."""
        return any(
            since is None or at <= since
            for lane in self.lanes.values()
            for at in (
                *(w.since for w in lane.waiting.values()),
                *((lane.outputs.held_at,) * bool(lane.outputs.running and lane.outputs.held)),
            )
        )

    # --- what happens ------------------------------------------------------------------------

    def build_began(self, name: str, now: Seconds) -> Feedback:
        """A run that never came to its last step was cut."""
        lane = self._lane(name)
        outputs = lane.outputs
        if outputs.running:
            outputs = outputs.end(now, cut=True, left=False).outputs
        return self._put(name, replace(lane, outputs=outputs.begin(now)))

    def build_ended(self, name: str, now: Seconds, *, cut: bool, left: bool = False) -> Ruling:
        """`cut`: reloader has ended it; `left`: some of its processes live on."""
        lane = self._lane(name)
        if not lane.outputs.running:
            return Ruling(self)
        end = lane.outputs.end(now, cut=cut, left=left)
        lane = replace(lane, outputs=end.outputs)
        found = [_output(name, end.found)] if end.found else []
        if not end.wait:
            return Ruling(self._put(name, lane), end.changes, tuple(found))
        if end.wait > 1 and end.repeated and not lane.told:
            new = end.repeated
            found.append(Finding(Loop.BUILD_REPEATS, name, new.paths, new.files, end.wait))
            lane = replace(lane, told=True)
        later = {c.path: Waiting(c, now, now + end.wait, by_start=False) for c in end.changes}
        lane = replace(lane, waiting={**lane.waiting, **later})
        return Ruling(self._put(name, lane), (), tuple(found))

    def run_began(self, name: str, now: Seconds) -> Feedback:
        """The app of the lane has started; or its build, where it has no app."""
        lane = self._lane(name)
        return self._put(name, replace(lane, starts=lane.starts.begin(now)))

    def measured(self, ticket: Ticket, total: Written | None) -> Feedback:
        """Books the bytes that the app's tree has written in all."""
        return replace(self, account=self.account.entered(ticket, total))

    def forgotten(self) -> Feedback:
        """Other settings: another build, perhaps, and another app. What waits goes on waiting.

        What a build that is at work held back counts now: that build is not known any more.
        """
        lanes = {}
        for name, lane in self.lanes.items():
            at = lane.outputs.held_at
            held = {
                it.change.path: Waiting(it.change, at, at, by_start=False)
                for it in lane.outputs.held
            }
            lanes[name] = Lane(waiting={**lane.waiting, **held})
        return Feedback(lanes, self.account)

    # --- what is asked -----------------------------------------------------------------------

    def judge(self, changes: Iterable[Change], now: Seconds, *, by_git: bool = False) -> Ruling:
        """Which of the changes count, in which lane."""
        parts: dict[str, list[Change]] = {}
        for change in changes:
            for name, part in _split(change):
                parts.setdefault(name, []).append(part)
        it, counting, found = self, [], []
        for name, members in parts.items():
            lane, counts, told = self._judge(name, members, now, by_git=by_git)
            it = it._put(name, lane)
            counting += counts
            found += told
        it = replace(it, account=it.account.looked())
        return Ruling(it, tuple(counting), tuple(found))

    def due(self, now: Seconds) -> Ruling:
        """Returns the changes that have waited long enough, with all that wait in their lane.

        The app was measured now, so a look that is due has been taken.
        """
        it = self._looked(now)
        changes: list[Change] = []
        found: list[Finding] = []
        lanes = dict(it.lanes)
        for name, lane in it.lanes.items():
            late = lane
            if (overdue := lane.outputs.overdue_at) is not None and overdue <= now:
                outputs, held = lane.outputs.overdue()
                changes += held
                found.append(_held(Loop.OVERDUE, name, held))
                late = replace(lane, outputs=outputs)
            elif (at := lane.outputs.tell_at) is not None and at <= now:
                held = tuple(it.change for it in lane.outputs.held)
                found.append(_held(Loop.HELD, name, held))
                late = replace(lane, outputs=replace(lane.outputs, held_told=True))
            if any(w.due <= now for w in late.waiting.values()):
                changes += [w.change for w in late.waiting.values()]
                keys = frozenset(key for key, w in late.waiting.items() if w.by_start)
                late = replace(late, starts=late.starts.waited_for(keys), waiting={})
            lanes[name] = late
        return Ruling(replace(it, lanes=lanes), tuple(changes), tuple(found))

    def _judge(
        self, name: str, changes: list[Change], now: Seconds, *, by_git: bool
    ) -> tuple[Lane, list[Change], list[Finding]]:
        lane = self._lane(name)
        together = sum(change.least for change in changes)
        writers = [Writer.ANYBODY if name else self.account.writer_of(c, together) for c in changes]
        meant = [lane.outputs.meant(c, now) for c in changes]
        theirs = [c for c, is_meant in zip(changes, meant, strict=True) if is_meant]
        outputs, verdicts, known = lane.outputs.judge(theirs, now, by_git=by_git)
        counting = [c for c, v in zip(theirs, verdicts, strict=True) if v is Verdict.COUNTS]
        other = {id(c) for c, v in zip(theirs, verdicts, strict=True) if v is not Verdict.ELSE}
        # A build that is over can have made it as well: the app's bytes clear nobody.
        asked = [
            (change, Writer.ANYBODY if is_meant else writer)
            for change, writer, is_meant in zip(changes, writers, meant, strict=True)
            if id(change) not in other
        ]
        keys = [key_of(change) for change, _ in asked]
        since = {key: waiting.since for key, waiting in lane.waiting.items()}
        questions = [
            Question(key, writer, since.get(key), change.age)
            for key, (change, writer) in zip(keys, asked, strict=True)
        ]
        starts, answers = lane.starts.judge(questions, now, by_git=by_git)
        waiting, found = dict(lane.waiting), [_output(name, known)] if known else []
        peaceful = {id(c) for c, is_meant in zip(changes, meant, strict=True) if not is_meant}
        for key, (change, writer), answer in zip(keys, asked, answers, strict=True):
            if answer.tell:
                loop = Loop.APP_WRITES if writer is Writer.APP else Loop.AFTER_STARTS
                place = _shown(change, starts.times[key])
                found.append(Finding(loop, name, (place,), 1, answer.wait))
            if answer.wait:
                waiting.setdefault(key, Waiting(change, now, now + answer.wait))
                continue
            counting.append(change)
            if id(change) in peaceful:
                outputs = outputs.in_peace(change)
        if counting and not outputs.running:
            counting += [w.change for w in waiting.values()]
            waiting = {}
        return Lane(outputs, starts, waiting, lane.told), counting, found

    def _looked(self, now: Seconds) -> Feedback:
        lane = self._lane("")
        if (at := lane.starts.look_at) is None or now < at:
            return self
        lane = replace(lane, starts=replace(lane.starts, looked=True))
        return Feedback({**self.lanes, "": lane}, self.account.looked())

    def _lane(self, name: str) -> Lane:
        return self.lanes.get(name) or Lane()

    def _put(self, name: str, lane: Lane) -> Feedback:
        return replace(self, lanes={**self.lanes, name: lane})


def _split(change: Change) -> Iterable[tuple[str, Change]]:
    """The change as each lane sees it: the name, and what it asks for there."""
    needs = change.needs
    app = Needs(build=needs.build, restart=needs.restart)
    parts = [(rule, Needs(rules=frozenset({rule}))) for rule in sorted(needs.rules)]
    if app != NOTHING:
        parts.append(("", app))
    if len(parts) == 1:
        return ((parts[0][0], change),)
    return ((name, replace(change, needs=part)) for name, part in parts)


def _output(lane: str, found: Places) -> Finding:
    return Finding(Loop.BUILD_WRITES, lane, found.paths, found.files)


def _held(loop: Loop, lane: str, changes: Sequence[Change]) -> Finding:
    paths = tuple(dict.fromkeys(change.path for change in changes))
    return Finding(loop, lane, paths[:1], len(paths))


def _shown(change: Change, seen: int) -> str:
    """A new name is one of many: its directory, if so many can have filled it; else a glob."""
    if change.kind is not Kind.NEW:
        return change.path
    place = folder(change.path)
    return f"{place}/" if place and SEVERAL <= change.beside <= seen + 1 else like(change.path)
