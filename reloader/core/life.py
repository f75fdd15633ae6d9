"""The life of a process that reloader started, as a table.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from reloader.core.values import Role, Scope, Seconds, Task, Ticket
from reloader.light import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.core.values import Version


class Life(Enum):
    SPAWNING = auto()  # ordered, no pid yet
    RUNNING = auto()  # an app that runs is still starting: it can't answer yet
    READY = auto()  # an app that can answer; jobs never are
    DRAINING = auto()  # an app that gets no new connections and finishes what it has begun
    ORPHANED = auto()  # the process ended by itself, some of its tree lives on
    STOPPING = auto()  # the stop signal was sent
    KILLED = auto()  # SIGKILL was sent
    GONE = auto()


class Event(Enum):
    STARTED = auto()
    NOT_STARTED = auto()
    BECAME_READY = auto()
    DRAIN_BEGUN = auto()
    EXITED = auto()  # with its whole tree
    EXITED_LEAVING_CHILDREN = auto()
    TREE_GONE = auto()  # the last of its tree ended, after the process itself
    STOP_SENT = auto()
    KILL_SENT = auto()


LIFE: Mapping[tuple[Life, Event], Life] = {
    (Life.SPAWNING, Event.STARTED): Life.RUNNING,
    (Life.SPAWNING, Event.NOT_STARTED): Life.GONE,
    (Life.RUNNING, Event.BECAME_READY): Life.READY,
    (Life.RUNNING, Event.EXITED): Life.GONE,
    (Life.RUNNING, Event.EXITED_LEAVING_CHILDREN): Life.ORPHANED,
    (Life.RUNNING, Event.STOP_SENT): Life.STOPPING,
    (Life.RUNNING, Event.KILL_SENT): Life.KILLED,
    (Life.READY, Event.DRAIN_BEGUN): Life.DRAINING,
    (Life.READY, Event.EXITED): Life.GONE,
    (Life.READY, Event.EXITED_LEAVING_CHILDREN): Life.ORPHANED,
    (Life.READY, Event.STOP_SENT): Life.STOPPING,
    (Life.READY, Event.KILL_SENT): Life.KILLED,
    (Life.DRAINING, Event.EXITED): Life.GONE,
    (Life.DRAINING, Event.EXITED_LEAVING_CHILDREN): Life.ORPHANED,
    (Life.DRAINING, Event.STOP_SENT): Life.STOPPING,
    (Life.DRAINING, Event.KILL_SENT): Life.KILLED,
    (Life.ORPHANED, Event.TREE_GONE): Life.GONE,
    (Life.ORPHANED, Event.STOP_SENT): Life.STOPPING,
    (Life.ORPHANED, Event.KILL_SENT): Life.KILLED,
    (Life.STOPPING, Event.EXITED): Life.GONE,
    (Life.STOPPING, Event.EXITED_LEAVING_CHILDREN): Life.STOPPING,
    (Life.STOPPING, Event.TREE_GONE): Life.GONE,
    (Life.STOPPING, Event.KILL_SENT): Life.KILLED,
    (Life.KILLED, Event.EXITED): Life.GONE,
    (Life.KILLED, Event.EXITED_LEAVING_CHILDREN): Life.KILLED,
    (Life.KILLED, Event.TREE_GONE): Life.GONE,
    (Life.KILLED, Event.KILL_SENT): Life.KILLED,
}

UP = (Life.RUNNING, Life.READY)  # the process itself runs and nothing has been asked of it


@dataclass(frozen=True)
class Proc:
    """A process that reloader started, with its descendants.

    A process of the app is a generation: `version` names the sources that it was built from.
    """

    ticket: Ticket
    task: Task
    life: Life = Life.SPAWNING
    wanted: bool = True  # one that is not wanted is stopped as soon as it can be
    version: Version | None = None  # None for builds, rules and hooks
    command: str = ""
    how: str = ""  # "warm" if it was forked from a process that has its libraries
    pid: int = 0
    started_at: Seconds = 0.0
    ready_at: Seconds | None = None  # None: it has not been ready
    ready_by: Seconds | None = None  # when to say that it is not ready
    address: str = ""  # where it answers, where that is known: "http://127.0.0.1:8000"
    stop_sent_at: Seconds = 0.0
    kill_at: Seconds | None = None  # when SIGKILL is due
    streams_at: Seconds | None = None  # when to see if open streams alone keep it from ending
    drain_by: Seconds | None = None  # when the stop signal is due although it is not idle
    scope: Scope = Scope.TREE  # how far a kill reaches

    @property
    def deadlines(self) -> tuple[Seconds | None, ...]:
        """The times at which the machine has to look at the process again; None for none."""
        kill_at = None if self.life is Life.SPAWNING else self.kill_at  # it has no pid to kill yet
        ready_by = self.ready_by if self.wanted and self.life is Life.RUNNING else None
        drain_by = self.drain_by if self.life is Life.DRAINING else None
        streams_at = self.streams_at if self.life is Life.STOPPING else None
        return kill_at, ready_by, drain_by, streams_at

    @property
    def is_app(self) -> bool:
        return self.task.role is Role.APP

    def after(self, event: Event) -> Proc:
        if (life := LIFE.get((self.life, event))) is None:
            raise AssertionError(f"{event.name} can't happen to {self}")
        return replace(self, life=life)
