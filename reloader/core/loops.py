"""What our own jobs and the app write must not reload us for ever.

A change that comes while a job is at work may be the job's or a person's, and nothing on Linux says
whose. A file that holds what it held when it changed in the run before is no change. One that has
changed in many runs in a row, each time just as long after the start, is most likely the job's: it
is told, and acted on more and more slowly; never not at all, for a script may save in such a rhythm
too. A change while nothing is at work counts at once.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from dataclasses import dataclass

    from reloader.core.messages import Change, Seconds
else:
    from reloader.light import dataclass

RUNS = 8  # in a row, and
LASTING: Seconds = 15.0  # for so long: evidence enough
SLACK: Seconds = 0.1  # how far the times may lie apart: a busy machine needs that much
APP_WINDOW: Seconds = 5.0  # so long after its start an app is looked at as a job
SLOWEST: Seconds = 30.0


@dataclass(frozen=True)
class Trace:
    """What is known of one path that changed during a job, in so many runs in a row."""

    digest: str
    offset: Seconds  # after the start, in the last run
    first_at: Seconds
    runs: int = 1
    strikes: int = 0  # runs since there was evidence enough


@dataclass(frozen=True)
class Verdict:
    """`counts`: it is a change. `strikes`: how often it has come since it was found out."""

    counts: bool
    strikes: int = 0

    @property
    def is_found_out(self) -> bool:
        """Just now: the user must be told."""
        return self.strikes == 1

    @property
    def wait(self) -> Seconds:
        """How long to be quiet before acting on it."""
        return min(2.0 ** (self.strikes - 1), SLOWEST) if self.strikes else 0.0


@dataclass(frozen=True)
class Loops:
    """By lane and path."""

    traces: Mapping[tuple[str, str], Trace] = field(default_factory=dict)

    def judge(
        self, changes: Iterable[tuple[str, Change, Seconds | None]], now: Seconds
    ) -> tuple[Loops, list[Verdict]]:
        """Lane, change, and when the job that is at work has started; None: none is."""
        traces = dict(self.traces)  # one copy, however many changes there are
        verdicts = [_judge(traces, lane, change, at, now) for lane, change, at in changes]
        return replace(self, traces=traces), verdicts


def _judge(
    traces: dict[tuple[str, str], Trace],
    lane: str,
    change: Change,
    started_at: Seconds | None,
    now: Seconds,
) -> Verdict:
    key = lane, change.path
    if started_at is None:
        traces.pop(key, None)
        return Verdict(counts=True)
    before = traces.get(key)
    if before and change.digest and change.digest == before.digest:
        return Verdict(counts=False)
    offset = now - started_at
    if before is None or abs(before.offset - offset) > SLACK:
        trace = Trace(change.digest, offset, now)
    else:
        enough = before.runs + 1 >= RUNS and now - before.first_at >= LASTING
        trace = replace(
            before,
            digest=change.digest,
            offset=offset,
            runs=before.runs + 1,
            strikes=before.strikes + 1 if enough else 0,
        )
    traces[key] = trace
    return Verdict(True, trace.strikes)
