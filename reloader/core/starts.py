"""Changes that follow each start of the app, and may be made by it.

The evidence belongs to the run, which lasts from a start to the next, whatever becomes of the
app: so many starts in a row, each followed by a change of the same path (or of a new name of the
same kind), as long after the start as before. Fewer are enough if the app has written about as
many bytes; and what it can't have written, since it has written fewer, is somebody else's.

Such a change is acted on after a wait, longer each time, and never not at all. The first wait is
a question, too: what comes again before the start, or as soon after the change before as ever
though the start was late, is made by somebody who does not wait for the app.

Pure: no clock, no process, no file; time is an argument, in seconds.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from reloader.core.outputs import pattern
from reloader.core.values import Kind
from reloader.light import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reloader.core.values import Change, Seconds

SPREAD = 3.5  # the longest of the times after the start, over the shortest; both and 0.2 s
SPREAD_SEEN = 1.5  # times that, where the app is seen to have written as much
# Somebody who saves as soon as the last save is live looks like an app that writes: their save must
# not wait long for that, and a loop at this pace costs little.
SLOWEST: Seconds = 4.0
FREE = 64  # runs in which a path that is somebody else's is not asked about
ASKED = 1  # start in a row, and the app is looked at before the next change
BEFORE = 0.5  # of the shortest time after a start: so early
SOON: Seconds = 0.1  # after a start a look may come after what the app writes
ONCE: Seconds = 0.3  # changes so close together are one
MOST = 256  # paths and patterns that are remembered


class Writer(Enum):
    """The likely writer of a change, by the bytes that the app has written since the last one."""

    APP = auto()  # about as many as it takes
    ANYBODY = auto()
    HARDLY = auto()  # as many, but to no disk, or fewer than all changes that came with it take
    OTHER = auto()  # fewer than it takes

    @property
    def runs(self) -> int:
        """Starts in a row that are evidence enough."""
        return {Writer.APP: 5, Writer.HARDLY: 16}.get(self, 8)


@dataclass(frozen=True)
class Habit:
    """The times at which a path, or new names of a kind, change after the starts."""

    low: Seconds  # the shortest time after a start
    high: Seconds  # the longest
    at: Seconds  # of the last change
    age: Seconds = 0.0  # how old the changes may have been when they were seen, at most
    runs: int = 0  # in a row
    run: int = -1  # the last
    free: int = 0  # until this run it counts
    was_waited_for: bool = False  # the last start came later for its sake
    wait: Seconds = 0.0  # before it was acted on, last
    gaps: tuple[Seconds, ...] = ()  # from change to change, while nothing waited
    told: bool = False

    def doubted(self) -> Habit:
        """Somebody else has made the change, or the app's bytes were seen before it."""
        fewer = self.runs // 2 if self.wait else max(self.runs - 2, 0)
        return replace(self, runs=fewer)

    def cleared(self, run: int) -> Habit:
        return replace(self, runs=0, wait=0.0, free=run + FREE)


@dataclass(frozen=True)
class Question:
    """A change: its key, who can have made it, and how old it may be.

    `since`: since when a change of this key waits; None: none does.
    """

    key: str
    writer: Writer
    since: Seconds | None
    age: Seconds


@dataclass(frozen=True)
class Answer:
    """`wait`: before the change is acted on; 0: it counts at once. `tell`: the user, now."""

    wait: Seconds = 0.0
    tell: bool = False


AT_ONCE = Answer()


def key_of(change: Change) -> str:
    return pattern(change.path) if change.kind is Kind.NEW else change.path


@dataclass(frozen=True)
class Starts:
    """The starts of a lane's app, and what has followed each."""

    habits: Mapping[str, Habit] = field(default_factory=dict)
    run: int = 0  # 0: there was no start yet
    at: Seconds = 0.0  # of the last start
    times: Mapping[str, int] = field(default_factory=dict)  # changes in all, by key
    looked: bool = False  # at what the app has written, in this run

    @property
    def look_at(self) -> Seconds | None:
        """When to look at what the app has written, before it may write what is suspected.

        What it prints and compiles while it starts is then not held against it.
        """
        if self.looked:
            return None
        soonest = [
            h.low - h.age for h in self.habits.values() if h.runs >= ASKED and h.run < self.run
        ]
        early = min(soonest, default=0.0) * BEFORE
        return self.at + early if early > SOON else None

    def begin(self, now: Seconds) -> Starts:
        lasted, habits = now - self.at, {}
        for key, habit in self.habits.items():
            if habit.run < self.run and lasted > 2 * habit.high + 1:
                continue  # a long run went by without it
            fewer = habit.run < self.run and lasted > habit.low
            habits[key] = replace(habit, runs=max(habit.runs - 1, 0)) if fewer else habit
        return Starts(habits, self.run + 1, now, self.times)

    def judge(
        self, asked: Iterable[Question], now: Seconds, *, by_git: bool
    ) -> tuple[Starts, list[Answer]]:
        """Answers in order."""
        habits, times, answers = dict(self.habits), dict(self.times), []
        for question in asked:
            key, writer = question.key, question.writer
            habit = habits.pop(key, None)
            times[key] = times.pop(key, 0) + 1
            if not self.run or by_git or writer is Writer.OTHER:
                answers.append(AT_ONCE)
                if habit:
                    habits[key] = habit.doubted()
                continue
            offset = now - self.at
            habits[key], answer = self._asked(habit or Habit(offset, offset, now), question, now)
            answers.append(answer)
        while len(habits) > MOST:
            del habits[next(iter(habits))]
        while len(times) > MOST:
            del times[next(iter(times))]
        return replace(self, habits=habits, times=times), answers

    def _asked(self, old: Habit, question: Question, now: Seconds) -> tuple[Habit, Answer]:
        writer, since, age = question.writer, question.since, question.age
        gap, offset, habit = now - old.at, now - self.at, replace(old, at=now)
        if self.run < habit.free:
            return habit, AT_ONCE
        if habit.run == self.run:  # again in this run
            if since is not None and now - since > ONCE + age:  # without a start
                return habit.cleared(self.run), AT_ONCE
            return habit, Answer(habit.wait)
        gaps = habit.gaps
        unmoved = gaps and max(gaps) - min(gaps) + age < habit.wait / 2 > gap - max(gaps)
        if habit.was_waited_for and unmoved:  # the start was late, and it was not
            return replace(habit.cleared(self.run), run=self.run, was_waited_for=False), AT_ONCE
        if habit.runs and not habit.wait:
            gaps = (*gaps[-7:], gap)
        low, high, runs = min(habit.low, offset), max(habit.high, offset), habit.runs
        spread = SPREAD * (SPREAD_SEEN if writer is Writer.APP else 1.0)
        if (high + 0.2) / (low + 0.2) > spread:
            low = high = offset
            runs, gaps = 0, ()
        runs += 1
        wait = min(2.0 ** (runs - writer.runs), SLOWEST) if runs >= writer.runs else 0.0
        tell = wait > 1 and not habit.told  # the first wait has not cleared it
        habit = replace(
            habit,
            age=max(habit.age, age),
            run=self.run,
            was_waited_for=False,
            low=low,
            high=high,
            runs=runs,
            gaps=gaps,
            wait=wait,
            told=habit.told or tell,
        )
        return habit, Answer(wait, tell)

    def waited_for(self, keys: frozenset[str]) -> Starts:
        """The next start comes later for their sake."""
        habits = {
            key: replace(habit, was_waited_for=True) if key in keys else habit
            for key, habit in self.habits.items()
        }
        return replace(self, habits=habits)
