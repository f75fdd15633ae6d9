"""What our own jobs and the app write must not reload us for ever.

A change that comes while a job is at work may be the job's or a person's, and nothing on Linux
says whose. But an app that has written fewer bytes than the file holds has not written the file:
so it is measured as the change comes; and once before, so that what it prints while it starts is
not held against it. What is not the app's, or comes while nothing is at work, counts at once.

Else: a file that holds what it held when it changed in the run before is no change: a build has
it already; and if it came just as long after the start of an app, that has most likely written
it. One that has changed in many runs in a row, each time just as long after the start, is most
likely the job's (if the app was measured, a few are many): it is told, and acted on more and more
slowly; never not at all, for a script may save in such a rhythm too.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.values import Role
from reloader.light import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reloader.core.life import Proc
    from reloader.core.values import Change, Seconds

RUNS = 8  # in a row, and
LASTING: Seconds = 15.0  # for so long: evidence enough
RUNS_MEASURED = 4  # in a row, when it has been seen to write as much
SLACK: Seconds = 0.1  # how far the times may lie apart: a busy machine needs that much
APP_WINDOW: Seconds = 5.0  # so long after its start an app is looked at as a job
SLOWEST: Seconds = 30.0


@dataclass(frozen=True)
class Job:
    """Who was at work when a change came."""

    started_at: Seconds
    is_app: bool = False
    wrote: int | None = None  # bytes, by an app, since it was last measured; None: not known

    @classmethod
    def of(cls, proc: Proc, now: Seconds) -> Job:
        """A measure counts if it was taken as the change came."""
        wrote = proc.wrote if proc.measured_at == now else None
        return cls(proc.started_at, proc.task.role is Role.APP, wrote)

    def can_have_written(self, change: Change) -> bool:
        return self.wrote is None or self.wrote >= max(change.size, 1)


@dataclass(frozen=True)
class Trace:
    """What is known of one path that changed during a job, in so many runs in a row."""

    digest: str
    offset: Seconds  # after the start, in the last run
    first_at: Seconds
    runs: int = 1
    strikes: int = 0  # runs since there was evidence enough
    measured: bool = False  # the job was


@dataclass(frozen=True)
class Verdict:
    """`counts`: it is a change. `is_found_out`: just now, the user must be told.

    `wait`: how long to be quiet before acting on it; None: it is no job's, nothing is waited for.
    """

    counts: bool
    is_found_out: bool = False
    wait: Seconds | None = 0.0


@dataclass(frozen=True)
class Loops:
    """By lane and path."""

    traces: Mapping[tuple[str, str], Trace] = field(default_factory=dict)

    def judge(
        self, changes: Iterable[tuple[str, Change, Job | None]], now: Seconds
    ) -> tuple[Loops, list[Verdict]]:
        """Lane, change, and the job that is at work; None: none is."""
        traces = dict(self.traces)  # one copy, however many changes there are
        verdicts = [_judge(traces, lane, change, job, now) for lane, change, job in changes]
        return replace(self, traces=traces), verdicts

    def measure_at(self, started_at: Seconds) -> Seconds | None:
        """When an app is to be measured: just before it may write again."""
        early = min((t.offset for t in self.traces.values() if t.measured), default=0.0) - SLACK
        return started_at + early if early > 0 else None


def _judge(
    traces: dict[tuple[str, str], Trace],
    lane: str,
    change: Change,
    job: Job | None,
    now: Seconds,
) -> Verdict:
    key = lane, change.path
    if job is None or not job.can_have_written(change):
        traces.pop(key, None)
        return Verdict(counts=True, wait=None)
    before, offset = traces.get(key), now - job.started_at
    in_rhythm = before is not None and abs(before.offset - offset) <= SLACK
    proven = job.wrote is not None and in_rhythm
    same = before is not None and change.digest and change.digest == before.digest
    if same and (not job.is_app or (in_rhythm and change.size)):  # an empty one proves nothing
        return Verdict(counts=False)
    if before is None or not in_rhythm:
        trace = Trace(change.digest, offset, now, measured=job.wrote is not None)
    else:
        lasting = now - before.first_at >= LASTING
        enough = before.runs + 1 >= RUNS_MEASURED if proven else before.runs + 1 >= RUNS and lasting
        trace = replace(
            before,
            digest=change.digest,
            offset=offset,
            runs=before.runs + 1,
            strikes=before.strikes + 1 if enough else 0,
        )
    traces[key] = trace
    slowed = trace.strikes and (proven or not job.is_app)
    wait = min(2.0 ** (trace.strikes - 1), SLOWEST) if slowed else 0.0
    return Verdict(True, trace.strikes == 1, wait)
