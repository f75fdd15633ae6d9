"""The life of a process of ours, as a table; with the machine, all that knows what may follow what.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from reloader.core.values import Scope, Seconds, Task, Ticket

if TYPE_CHECKING:
    from collections.abc import Mapping
    from dataclasses import dataclass
else:
    from reloader.light import dataclass


class Life(Enum):
    SPAWNING = auto()  # ordered, no pid yet
    RUNNING = auto()
    DETACHED = auto()  # it ended by itself, some of its tree lives on
    STOPPING = auto()  # asked to end
    KILLED = auto()  # SIGKILL was sent
    GONE = auto()


class Event(Enum):
    STARTED = auto()
    NOT_STARTED = auto()
    EXITED = auto()  # with its whole tree
    LEFT = auto()  # it exited, some of its tree did not
    EMPTIED = auto()  # the last of its tree is gone
    ASKED = auto()
    FORCED = auto()


LIFE: Mapping[tuple[Life, Event], Life] = {
    (Life.SPAWNING, Event.STARTED): Life.RUNNING,
    (Life.SPAWNING, Event.NOT_STARTED): Life.GONE,
    (Life.RUNNING, Event.EXITED): Life.GONE,
    (Life.RUNNING, Event.LEFT): Life.DETACHED,
    (Life.RUNNING, Event.ASKED): Life.STOPPING,
    (Life.RUNNING, Event.FORCED): Life.KILLED,
    (Life.DETACHED, Event.EMPTIED): Life.GONE,
    (Life.DETACHED, Event.ASKED): Life.STOPPING,
    (Life.DETACHED, Event.FORCED): Life.KILLED,
    (Life.STOPPING, Event.EXITED): Life.GONE,
    (Life.STOPPING, Event.LEFT): Life.STOPPING,
    (Life.STOPPING, Event.EMPTIED): Life.GONE,
    (Life.STOPPING, Event.FORCED): Life.KILLED,
    (Life.KILLED, Event.EXITED): Life.GONE,
    (Life.KILLED, Event.LEFT): Life.KILLED,
    (Life.KILLED, Event.EMPTIED): Life.GONE,
    (Life.KILLED, Event.FORCED): Life.KILLED,
}


@dataclass(frozen=True)
class Proc:
    """One process of ours with all that descends from it."""

    ticket: Ticket
    task: Task
    life: Life = Life.SPAWNING
    wanted: bool = True  # what is not wanted is stopped as soon as it can be
    command: str = ""
    pid: int = 0
    started_at: Seconds = 0.0
    asked_at: Seconds = 0.0
    kill_at: Seconds | None = None
    scope: Scope = Scope.TREE  # how far a kill reaches
    measure_at: Seconds | None = None
    measured_at: Seconds = 0.0
    written: int = 0  # bytes, by then
    wrote: int | None = None  # of them, since the time before; None: not known

    def after(self, event: Event) -> Proc:
        if (life := LIFE.get((self.life, event))) is None:
            raise AssertionError(f"{event.name} can't happen to {self}")
        return replace(self, life=life)

    def measured(self, written: int | None, now: Seconds) -> Proc:
        wrote = None if written is None else written - self.written
        return replace(self, measured_at=now, written=written or self.written, wrote=wrote)
