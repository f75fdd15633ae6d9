"""The part of the config that the machine needs.

Pure: values only.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from reloader.core.debounce import Pace
from reloader.core.values import Role, Seconds, Stage, Task
from reloader.light import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.core.needs import Needs


@dataclass(frozen=True)
class Strategy:
    """The way in which one generation of the app replaces another.

    The default stops the old one, then starts the new one, and takes a process that runs for ready.
    """

    overlap: bool = False  # start the new one first; the old one ends when the new one is ready
    awaits_ready: bool = False  # BecameReady comes; otherwise a process is ready as it starts
    ready_within: Seconds = 30.0  # from the start; later is told, or drops a new one that overlaps
    holds: bool = False  # something outside the app can hold its clients: Route is ordered
    drain: Seconds = 0.0  # for what the old one has begun, before the stop signal


@dataclass(frozen=True)
class Settings:
    """The part of the config that the machine needs."""

    pre: int = 0  # how many pre_cmd there are
    build: bool = False
    post: int = 0
    app: bool = True
    pace: Pace = Pace()
    rule_paces: Mapping[str, Pace] = field(default_factory=dict)
    rule_then: Mapping[str, Needs] = field(default_factory=dict)  # what follows a rule's success
    rule_signal: Mapping[str, int] = field(default_factory=dict)  # sent to the app after success
    pre_may_fail: bool = False  # then the build goes on, as Air does
    stop_on_error: bool = False
    stop_signal: int = signal.SIGTERM
    grace: Seconds = 5.0
    rerun: Seconds | None = None
    strategy: Strategy = Strategy()
    once: bool = False  # a one-off: exit status 0 is what is wanted of it
    depends_on: Mapping[str, Stage] = field(default_factory=dict)  # apps, and how far they must be
    exit_within: Seconds | None = (
        None  # as PID 1: the container engine sends SIGKILL after a time of its own
    )

    def task(self, step: int) -> Task | None:
        """The build's steps are its pre_cmd, then the build command."""
        if step < self.pre:
            return Task(Role.PRE, step)
        return Task(Role.BUILD) if step == self.pre and self.build else None
