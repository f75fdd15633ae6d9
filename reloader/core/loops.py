"""What our own jobs and the app write must not reload us for ever.

A change that comes while a job is at work may be the job's or a person's, and nothing on Linux says
whose, so evidence is asked for. A file that holds what it held when it changed in the run before
is no change. One that has changed in many runs in a row, each time just as long after the start, is
the job's: no person does that. A change while nothing is at work always counts.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.core.messages import Change, Seconds

RUNS = 8  # in a row; a script that saves as soon as a build starts may do so a few times
SLACK: Seconds = 0.1  # how far the times may lie apart: a busy machine needs that much
APP_WINDOW: Seconds = 5.0  # so long after its start an app is looked at as a job


class Verdict(Enum):
    COUNTS = auto()
    UNCHANGED = auto()  # it holds what the job already saw
    FOUND_OUT = auto()  # the job writes it: just now there was evidence enough
    OWN = auto()  # the job writes it, as we know


@dataclass(frozen=True)
class Trace:
    """What is known of one path that changed during a job."""

    digest: str
    offsets: tuple[Seconds, ...]  # after the start, of the last runs in a row


@dataclass(frozen=True)
class Loops:
    """By lane and path."""

    traces: Mapping[tuple[str, str], Trace] = field(default_factory=dict)

    def judge(self, lane: str, change: Change, offset: Seconds | None) -> tuple[Loops, Verdict]:
        """`offset`: seconds since the job that is at work has started, None: none is."""
        key = lane, change.path
        before = self.traces.get(key)
        if offset is None:
            rest = {k: v for k, v in self.traces.items() if k != key} if before else self.traces
            return replace(self, traces=rest), Verdict.COUNTS
        if before and change.digest and change.digest == before.digest:
            return self, Verdict.UNCHANGED
        in_a_row = before.offsets if before and abs(before.offsets[-1] - offset) <= SLACK else ()
        offsets = (*in_a_row, offset)[-RUNS - 1 :]
        loops = replace(self, traces={**self.traces, key: Trace(change.digest, offsets)})
        if len(offsets) < RUNS:
            return loops, Verdict.COUNTS
        return loops, Verdict.FOUND_OUT if len(offsets) == RUNS else Verdict.OWN
