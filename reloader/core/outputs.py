"""Tells the files that a build writes into the watched tree from those that people save.

Nothing on Linux says who wrote a file. A build is known by what it did in its last runs: a path
that changes run after run, as long after the start as before, and never while nothing is at work,
is the build's own. Until that is known, the build is ended at once for what looks like a save;
what looks like its own work is held to its end, and one more build follows. Nothing is dropped
on a guess: what is not counted has been written by the build as often as in the runs before.

Pure: no clock, no process, no file; time is an argument, in seconds.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum, auto
from typing import TYPE_CHECKING

from reloader.core.places import Places, kind_of, places_of, top
from reloader.core.values import Kind
from reloader.light import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reloader.core.values import Change, Seconds

BOUT: Seconds = 0.1  # changes of a path that lie so close together are one
ALIKE = 2.0  # the times after two starts, one over the other, at most; both and a bit
SAME = 1.35  # the same for a file that the build has just made
A_BIT: Seconds = 0.15  # how far they may lie apart, however short they are
WHOLE = 3  # runs after which it is known how often the build writes a file of its own
FAR = 3.0  # so much earlier or later than ever, and somebody else has written the build's file
RUNS = 5  # in a row: the build's
RUNS_CLOSE = 3  # the same, at the same time
RUNS_OF_FOLDER = 2  # the same, where a folder does it as a whole
FOLDER = 3  # paths make a whole
RUNS_OF_NAMES = 5  # the same for names that are new each time
CUTS = 3  # builds in a row that are ended for files of which nothing is known; the first: one
CUTS_BY_HAND = 8  # the same for files that people save; after them one build comes to its end
SLOW_FROM = 2  # builds in a row that followed from nothing but the build before
SLOWEST: Seconds = 30.0
QUIET: Seconds = 4.0  # a wait before a run: people who save again and again pause for less
PATIENCE: Seconds = 2.0  # a build that takes longer, and twice as long as ever, ends for a change
HOLDS: Seconds = 60.0  # the same for one of which it is not known how long it takes
AFTER: Seconds = 2.0  # so long after its end what a build has left behind may still write
MOST = 4096  # paths that are remembered


class Verdict(Enum):
    """The judgement on a change that comes while a build is at work."""

    COUNTS = auto()  # at once: the build is ended for it
    HELD = auto()  # to the build's end
    OWN = auto()  # the build has made it
    ELSE = auto()  # the build is over


@dataclass(frozen=True)
class Output:
    """The evidence about a path, or about new names of a directory and extension."""

    run: int = -1  # the last in which it changed
    row: int = 0  # runs in a row in which it changed
    alike: int = 0  # of them, in which it did so about as long after the start
    close: int = 0  # the same, more strictly; of what comes and goes, runs in a row or not
    recurs: bool = False  # it has ended the run before at the same time
    whole: int = 0  # runs that came to their end and in which it changed
    known: bool = False  # the build writes it
    counted: bool = False  # its last change did, so that it is no evidence
    by_hand: bool = False  # it has changed while nothing was at work
    made: bool = False  # it has come or gone in a run
    gone: bool = False  # its last change was that it went: to write it anew is part of that
    at: Seconds = 0.0  # of the last change
    first: Seconds = 0.0  # change in its last run, after the start
    low: Seconds = 0.0  # the earliest of all runs
    high: Seconds = 0.0  # the latest
    bouts: int = 0  # in its last run
    most: int = 0  # in a run
    beside: int = 0  # watched files in its directory; 0 if unknown
    digest: str = ""  # of what it held last
    before: str = ""  # the same, after the run before

    @property
    def is_as_before(self) -> bool:
        """True if the content is that of the run before: a build has read it."""
        return bool(self.digest) and self.digest == self.before and not self.by_hand

    @property
    def is_explained(self) -> bool:
        return self.known or self.is_as_before

    @property
    def is_once_more(self) -> bool:
        """True if it has changed more often than in any run before."""
        return self.bouts > max(self.most, 1)

    def is_usual(self, offset: Seconds) -> bool:
        return self.low / FAR - 0.2 <= offset <= self.high * FAR + 0.2

    def seen_in(
        self, run: int, whole: int, offset: Seconds, now: Seconds, change: Change
    ) -> Output:
        """With one more change, so long after the start of a run; `whole`: the last to its end."""
        low, high = (min(self.low, offset), max(self.high, offset)) if self.bouts else (offset,) * 2
        it = replace(
            self,
            run=run,
            at=now,
            low=low,
            high=high,
            digest=change.digest,
            beside=change.beside,
            counted=False,
            made=self.made or change.kind is not Kind.CHANGED,
            gone=change.kind is Kind.DELETED,
        )
        if self.run == run:
            more = not self.gone and (change.kind is Kind.NEW or now - self.at > BOUT)
            return replace(it, bouts=self.bouts + more)
        in_a_row = self.run >= whole and not self.counted
        row = self.row if in_a_row else 0
        like = self.alike if in_a_row and near(self.first, offset, ALIKE, change.age) else 0
        is_close = near(self.first, offset, SAME, change.age)
        close = self.close if is_close and (in_a_row or (it.made and not self.counted)) else 0
        return replace(
            it,
            row=row + 1,
            alike=like + 1,
            close=close + 1,
            bouts=1,
            first=offset,
            # What ended a run was a save, unless the build does it again at the same time.
            before=self.digest if self.run >= whole and (is_close or not self.counted) else "",
            recurs=self.counted and self.run == run - 1 and is_close,
        )


def near(one: Seconds, other: Seconds, ratio: float, slack: Seconds) -> bool:
    low, high = sorted((one, other))
    return high + A_BIT <= ratio * (low + A_BIT) + slack


def pattern(path: str) -> str:
    """Stands for new names: the topmost folder and the ending, "out/**/*.json"."""
    name = path.rpartition("/")[2]
    stem, dot, ending = name.rpartition(".")
    names = f"{stem}.*" if stem and ending.isdigit() else f"*{dot}{ending}" if stem else "*"
    top, slash, _ = path.partition("/")
    return f"{top}/**/{names}" if slash else names


@dataclass(frozen=True)
class Held:
    """A change that waits for the build's end, and by what it is known."""

    change: Change
    key: str
    is_sure: bool  # somebody has made it: whatever is learned of the path, it counts


@dataclass(frozen=True)
class Ended:
    """The result of a run of the build: changes that count, after a wait; paths to report."""

    outputs: Outputs
    changes: tuple[Change, ...] = ()
    wait: Seconds = 0.0
    found: Places = Places()  # that are known to be the build's, and were not told
    repeated: Places = Places()  # of the changes, where nothing was told


@dataclass(frozen=True)
class Outputs:
    """The runs of a lane's build, by path and pattern."""

    keys: Mapping[str, Output] = field(default_factory=dict)
    run: int = 0
    whole: int = 0  # the last run before this one that came to its end
    was_cut: bool = False
    running: bool = False
    began: Seconds = 0.0
    ended: Seconds = 0.0  # the run before, while one is running
    longest: Seconds = 0.0
    left: bool = False  # processes that live on
    learning: bool = True  # no run has come to its end
    cuts: int = 0  # runs in a row that were ended for files of which nothing was known
    cuts_by_hand: int = 0
    strange: bool = False  # this run is
    hung: int = 0  # runs in a row that were taken for hanging
    again: int = 0  # runs in a row for nothing but what the build has written
    held: tuple[Held, ...] = ()
    held_at: Seconds = 0.0
    held_told: bool = False  # that this run holds changes back
    told: tuple[str, ...] = ()  # places

    @property
    def overdue_at(self) -> Seconds | None:
        """When a build ends for the changes that it holds back: it may hang."""
        usual = HOLDS if self.learning else max(PATIENCE, 2 * self.longest)
        return self._held_until(usual * 2.0 ** min(self.hung, 10))

    @property
    def tell_at(self) -> Seconds | None:
        """When to tell that a build holds changes back, if it does not end for them by then."""
        return None if self.held_told else self._held_until(PATIENCE)

    def _held_until(self, patience: Seconds) -> Seconds | None:
        """Returns None if nothing is held back."""
        if not self.running or not self.held:
            return None
        return max(self.held_at, self.began + patience)

    @property
    def is_silent(self) -> bool:
        """True if builds have come to their end, left no process, and changed no watched file."""
        wrote = any(out.known or (out.whole and not out.by_hand) for out in self.keys.values())
        return not (self.learning or self.left or wrote)

    def begin(self, now: Seconds) -> Outputs:
        whole = self.whole if self.was_cut else self.run
        it = replace(self, run=self.run + 1, whole=whole, running=True, began=now)
        return replace(it, held=(), held_told=False, strange=False)

    def meant(self, change: Change, now: Seconds) -> bool:
        """Returns True if the build can have made the change, or what it has left behind."""
        if self.running:
            return True
        left = self.left and now - self.ended < AFTER
        return self.run > 0 and (now - change.age < self.ended or left)

    def judge(
        self, changes: Sequence[Change], now: Seconds, *, by_git: bool
    ) -> tuple[Outputs, list[Verdict], Places]:
        """Returns a verdict on each; and the places that are known and were not told."""
        keys = dict(self.keys)
        names = [self._enter(keys, change, now) for change in changes]
        known = Places()
        if not self.running:  # they come late: what they show of the run before is learned now
            for key in names:
                keys[key] = replace(keys[key], whole=keys[key].whole + 1)
            late = [key for key, out in keys.items() if out.run == self.run]
            known = self._places(keys, self._learn(keys, late)).without(self.told)
        it, verdicts, silent = replace(self, keys=keys), [], self.is_silent
        weights = _weights(self, keys)
        for key, change in zip(names, changes, strict=True):
            out = keys[key]
            weight = weights[kind_of(change.path)] - _weight(self, keys[change.path])
            verdict = Verdict.COUNTS if by_git else _verdict(it, out, weight, change, now)
            if out.known and out.is_once_more:
                keys[key] = replace(out, most=out.bouts)
            verdicts.append(verdict)
            if verdict is Verdict.HELD:
                held = Held(change, key, keys[key].known)
                at = it.held_at if it.held else now
                it = replace(it, held=(*it.held, held), held_at=at)
            elif verdict is Verdict.COUNTS:
                for name in {key, change.path}:
                    keys[name] = replace(keys[name], counted=True)
                is_persons = keys[key].by_hand or (silent and change.kind is Kind.CHANGED)
                it = replace(it, strange=it.strange or not is_persons)
        while len(keys) > MOST:
            del keys[next(iter(keys))]
        return replace(it, told=(*self.told, *known.paths)), verdicts, known

    def _enter(self, keys: dict[str, Output], change: Change, now: Seconds) -> str:
        """Books the change; by which key it is known."""
        offset, key = now - self.began, change.path
        before = keys.pop(key, Output())
        keys[key] = before.seen_in(self.run, self.whole, offset, now, change)
        if change.kind is Kind.NEW and not before.bouts:  # a name that was never seen
            key = pattern(key)
            keys[key] = keys.pop(key, Output()).seen_in(self.run, self.whole, offset, now, change)
        return key

    def overdue(self) -> tuple[Outputs, tuple[Change, ...]]:
        """The build may hang: what it held back ends it."""
        changes = tuple(held.change for held in self.held)
        return replace(self, held=(), strange=True, hung=self.hung + 1), changes

    def end(self, now: Seconds, *, cut: bool, left: bool) -> Ended:
        """`cut`: reloader has ended it, and it begins anew with all that there is."""
        it = replace(self, running=False, was_cut=cut, ended=now, left=left, held=())
        if cut:
            cuts = self.cuts + self.strange
            return Ended(replace(it, cuts=cuts, cuts_by_hand=self.cuts_by_hand + 1, again=0))
        keys = dict(self.keys)
        now_known = self._learn(keys, [k for k, out in keys.items() if out.run == self.run])
        for key, out in keys.items():
            if out.run == self.run:
                keys[key] = replace(out, whole=out.whole + 1, most=max(out.most - 1, out.bouts))
        found = self._places(keys, now_known).without(self.told)
        counting = [
            held.change
            for held in self.held
            if held.is_sure or not keys.get(held.key, Output()).is_explained
        ]
        again = self.again + 1 if counting else 0
        wait = min(2.0 ** (again - SLOW_FROM + 1), SLOWEST) if again >= SLOW_FROM else 0.0
        it = replace(
            it,
            keys=keys,
            longest=max(self.longest, now - self.began),
            learning=False,
            cuts=self.cuts if counting else 0,
            cuts_by_hand=0,
            hung=0,
            again=again,
            told=(*self.told, *found.paths),
        )
        told = [place for place in it.told if place.endswith("/")]
        new = [c for c in counting if not c.path.startswith(tuple(told))]
        renamed = any(change.kind is Kind.NEW for change in new)
        repeated = self._places(keys, [change.path for change in new], renamed=renamed)
        return Ended(it, tuple(counting), wait, found, repeated)

    def _learn(self, keys: dict[str, Output], names: Sequence[str]) -> tuple[str, ...]:
        """Learns from this run; returns the paths that are known from now on.

        A single file says little: somebody may save it once in each build. So it is not learned
        before a wait has gone by in which nothing changed, longer than between two such saves.
        Where the build leaves processes that write, no wait is quiet, and none is asked for.
        """
        waited = self.left or self.began - self.ended >= QUIET
        quiet = self.running and self.again >= SLOW_FROM and waited
        now = [(k, o) for k, o in keys.items() if o.run == self.run]
        now = [(k, o) for k, o in now if o.alike >= RUNS_OF_FOLDER]
        crowds = Counter(kind_of(k) for k, _ in now)
        tops = Counter(top(k) for k, _ in now)
        learned = []
        for key in dict.fromkeys(names):
            out = keys[key]
            if "*" in key:
                enough = out.row >= RUNS_OF_NAMES
            else:
                crowd = crowds[kind_of(key)] >= FOLDER and out.alike >= RUNS_OF_FOLDER
                in_crowd = tops[top(key)] >= FOLDER and out.row >= RUNS_OF_FOLDER
                made = out.made and (in_crowd or out.close >= RUNS_OF_FOLDER)
                often = quiet and (out.row >= RUNS or out.close >= RUNS_CLOSE)
                enough = often or crowd or made
            if enough and not (out.known or out.by_hand):
                keys[key] = replace(out, known=True, most=max(out.most, out.bouts))
                learned.append(key)
        return tuple(learned)

    def _places(
        self, keys: Mapping[str, Output], known: Sequence[str], *, renamed: bool = False
    ) -> Places:
        """Returns the places of keys and of paths."""
        if not known:
            return Places()
        patterns = {key for key in known if "*" in key}
        paths = [key for key in known if "*" not in key]
        written = {k: o.beside for k, o in keys.items() if "*" not in k and not o.by_hand}
        paths += [k for k in written if keys[k].run == self.run and pattern(k) in patterns]
        others = [key for key, out in keys.items() if out.by_hand]
        return places_of(paths, written, others, renamed=renamed or bool(patterns))

    def in_peace(self, change: Change) -> Outputs:
        """Notes a change while nothing was at work: people save this file."""
        keys = dict(self.keys)
        names = (change.path, pattern(change.path)) if change.kind is Kind.NEW else (change.path,)
        for key in names:
            out = keys.pop(key, Output())
            known = out.known
            keys[key] = replace(
                out, known=False, row=0, alike=0, close=0, by_hand=not known, digest=change.digest
            )
        while len(keys) > MOST:
            del keys[next(iter(keys))]
        return replace(self, keys=keys, again=0)


def _verdict(it: Outputs, out: Output, weight: int, change: Change, now: Seconds) -> Verdict:
    """`weight`: how much other files of its folder and ending show that the build writes such."""
    if not (it.running or out.known):
        return Verdict.OWN if out.is_as_before else Verdict.ELSE
    if out.known:
        usual = not it.running or change.age > BOUT or out.is_usual(now - it.began)
        if out.is_once_more:
            return Verdict.HELD if it.running and out.whole < WHOLE else Verdict.COUNTS
        return Verdict.OWN if usual else Verdict.COUNTS
    if out.is_as_before:
        return Verdict.OWN
    return Verdict.HELD if _is_held(it, out, weight, change, now) else Verdict.COUNTS


def _is_held(it: Outputs, out: Output, weight: int, change: Change, now: Seconds) -> bool:
    """Returns True if a change with too little evidence waits for the build's end."""
    if it.cuts_by_hand >= CUTS_BY_HAND:
        return True
    # An old file that builds have left alone is a person's, where they leave all alone.
    if out.by_hand or (it.is_silent and change.kind is Kind.CHANGED):
        return False
    left = it.left and now - it.ended < AFTER
    made = out.made and out.whole > 0
    has_shown = out.row > 1 or made or out.recurs or weight >= FOLDER
    # A name that comes or goes where builds have never written anything is a person's.
    new_or_gone = change.kind is not Kind.CHANGED and (it.learning or weight > 0)
    return has_shown or new_or_gone or left or it.cuts >= (1 if it.learning else CUTS)


def _weight(it: Outputs, out: Output) -> int:
    """Returns the weight of a path as evidence that the build writes such files."""
    if out.known:
        return FOLDER
    # Two files in the first build may be a save of two files: a whole folder is the build's.
    in_first = it.learning and out.run == it.run
    return int(in_first or (out.whole > 0 and not out.by_hand))


def _weights(it: Outputs, keys: Mapping[str, Output]) -> Counter[tuple[str, str]]:
    """The same, by folder and ending."""
    weights: Counter[tuple[str, str]] = Counter()
    for key, out in keys.items():
        weights[kind_of(key)] += _weight(it, out)
    return weights
