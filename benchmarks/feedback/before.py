"""The rules that reloader had before: a digest, a rhythm of 0.1 s, and more patience each time.

A change that comes while a job is at work (a build; an app in its first five seconds) and that the
app can have written counts, unless it holds the same bytes as in the run before. One that comes
just as long after the start in four runs in a row (eight, if no bytes were counted) waits. Builds
that were ended in a row double the quiet time, up to a second after the first change.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reloader.core.feedback import Account, Finding, Loop
from reloader.core.starts import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.core.values import Change, Seconds, Ticket, Written

RUNS, RUNS_MEASURED = 8, 4
LASTING: Seconds = 15.0
SLACK: Seconds = 0.1
APP_WINDOW: Seconds = 5.0
SLOWEST: Seconds = 30.0
QUIET: Seconds = 0.002
LONGEST: Seconds = 1.0


@dataclass(frozen=True)
class Trace:
    digest: str
    offset: Seconds
    first_at: Seconds
    runs: int = 1
    strikes: int = 0


@dataclass(frozen=True)
class Ruling:
    feedback: Before
    changes: tuple[Change, ...] = ()
    found: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Before:
    """Stands in `State.feedback`; `app_ended` is told by the world."""

    traces: dict[str, Trace] = field(default_factory=dict)
    account: Account = field(default_factory=Account)
    build_at: Seconds | None = None
    app_at: Seconds | None = None
    doomed: int = 0  # builds in a row
    waiting: tuple[Change, ...] = ()
    first_at: Seconds = 0.0
    due_at: Seconds = 0.0

    @property
    def next_at(self) -> Seconds | None:
        return self.due_at if self.waiting else None

    def build_began(self, _lane: str, now: Seconds) -> Before:
        return replace(self, build_at=now)

    def build_ended(self, _lane: str, _now: Seconds, *, cut: bool, left: bool = False) -> Ruling:
        del left
        return Ruling(replace(self, build_at=None, doomed=self.doomed + 1 if cut else 0))

    def run_began(self, _lane: str, now: Seconds) -> Before:
        return replace(self, app_at=now)

    def app_ended(self) -> Before:
        return replace(self, app_at=None)

    def measured(self, ticket: Ticket, total: Written | None) -> Before:
        return replace(self, account=self.account.entered(ticket, total))

    def judge(self, changes: Iterable[Change], now: Seconds, *, by_git: bool = False) -> Ruling:
        del by_git
        traces, counting, found, wait = dict(self.traces), [], [], 0.0
        for change in changes:
            counts, tell, longer = self._judge(traces, change, now)
            counting += [change] if counts else []
            wait = max(wait, longer)
            found += [Finding(Loop.AFTER_STARTS, "", (change.path,), 1, longer)] if tell else []
        quiet = QUIET * (1 << min(self.doomed, 10)) if self.doomed else 0.0
        it = replace(self, traces=traces, account=self.account.looked())
        if not counting or not (wait or quiet or self.waiting):
            return Ruling(it, tuple(counting), tuple(found))
        first_at = self.first_at if self.waiting else now
        due_at = min(now + max(quiet, wait), first_at + max(LONGEST, wait))
        it = replace(
            it, waiting=(*self.waiting, *counting), first_at=first_at, due_at=max(due_at, now)
        )
        return Ruling(it, (), tuple(found))

    def due(self, now: Seconds) -> Ruling:
        if not self.waiting or now < self.due_at:
            return Ruling(self)
        return Ruling(replace(self, waiting=()), self.waiting)

    def _judge(
        self, traces: dict[str, Trace], change: Change, now: Seconds
    ) -> tuple[bool, bool, Seconds]:
        """Whether it counts, whether it is told now, and how long it waits."""
        is_app = self.build_at is None
        at = self.app_at if is_app else self.build_at
        writer = self.account.writer_of(change) if is_app else Writer.ANYBODY
        gone_by = at is None or (is_app and now - at > APP_WINDOW)
        if at is None or gone_by or writer is Writer.OTHER:
            traces.pop(change.path, None)
            return True, False, 0.0
        before, offset = traces.get(change.path), now - at
        in_rhythm = before is not None and abs(before.offset - offset) <= SLACK
        is_counted = is_app and self.account.since is not None
        same = before is not None and change.digest and change.digest == before.digest
        if same and (not is_app or (in_rhythm and change.size)):
            return False, False, 0.0
        if before is None or not in_rhythm:
            traces[change.path] = Trace(change.digest, offset, now)
            return True, False, 0.0
        lasting = now - before.first_at >= LASTING
        runs = before.runs + 1
        enough = runs >= RUNS_MEASURED if is_counted else runs >= RUNS and lasting
        strikes = before.strikes + 1 if enough else 0
        traces[change.path] = Trace(change.digest, offset, before.first_at, runs, strikes)
        slowed = strikes and (is_counted or not is_app)
        wait = min(2.0 ** (strikes - 1), SLOWEST) if slowed else 0.0
        return True, strikes == 1, wait
