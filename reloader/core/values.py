"""The values that facts, orders and news are made of.

Pure: values only.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.needs import Needs

Seconds = float  # of the loop's clock, or a span of it

# Identifies one spawned process for the whole run; unlike a pid it is never reused, and a spawn
# that failed has one, too.
Ticket = int


class Role(Enum):
    """The part that a process plays in a run."""

    PRE = "pre_cmd"
    BUILD = "build"
    RULE = "rule"
    APP = "app"
    POST = "post_cmd"


@dataclass(frozen=True)
class Task:
    """A process to spawn.

    The `index`-th pre_cmd or post_cmd, a rule by `name`, the build, or the app.
    """

    role: Role
    index: int = 0
    name: str = ""


@dataclass(frozen=True)
class Status:
    """The end of a process: an exit code, or the number of the signal that killed it."""

    code: int = 0
    signal: int = 0

    @property
    def ok(self) -> bool:
        return self.code == 0 and self.signal == 0


class Kind(Enum):
    """The difference of a path from the last look."""

    CHANGED = "changed"
    NEW = "new"  # there was nothing
    DELETED = "deleted"


@dataclass(frozen=True)
class Change:
    """A path that differs from the last look, and the work that follows from that."""

    path: str  # as people know it: below the root, else absolute
    needs: Needs
    digest: str = ""  # of the content, where that was cheap to know; "" if unknown
    kind: Kind = Kind.CHANGED
    size: int = 0  # in bytes
    least: int = 0  # bytes that its writer must have written; 0 if it may be none
    age: Seconds = 0.05  # how long ago it may have been made, at most
    beside: int = 0  # watched files in its directory, itself too; 0 if unknown
    on_disk: bool = False  # what is written there counts as written to a disk
    error: str = ""  # why the app could not import it: "line 3: invalid syntax"


@dataclass(frozen=True)
class Written:
    """Bytes that processes have written: as they count them, and as they reached a disk."""

    all: int = 0  # to files, pipes and terminals
    disk: int = 0  # whole pages, through mappings too; 0 on file systems in memory

    def __add__(self, other: Written) -> Written:
        return Written(self.all + other.all, self.disk + other.disk)

    def __sub__(self, other: Written) -> Written:
        return Written(self.all - other.all, self.disk - other.disk)


class Reason(Enum):
    """The event that made a new version of the app wanted."""

    FIRST = "first start"
    SAVE = "save"
    RULE = "rule"  # a `[[build.rules]]` with `then` has succeeded
    CONFIG = "config"
    REQUEST = "request"  # a key, or a program over the control socket
    DEPENDENCY = "dependency"  # an app that has to complete first has done so again
    RERUN = "rerun"  # the app ended by itself and `build.rerun` is set


@dataclass(frozen=True)
class Cause:
    """The event behind a build or a start: for a save its first path and how many there were."""

    reason: Reason
    since: Seconds  # when it happened: the first change of the save, the key press
    path: str = ""  # "" if no file is behind it
    count: int = 0  # changed paths


@dataclass(frozen=True)
class Version:
    """Something that can be started: the sources as they were built, or a start that was asked for.

    `number`: counts up from 1 in each run; a process of the app is the generation of that number.
    `round`: of the pipeline, from which its sources are; an app that is run again has the same.
    """

    number: int
    cause: Cause
    round: int = 0


class Scope(Enum):
    """The reach of a kill."""

    GROUP = "group"  # the process group; daemons that left it live on
    TREE = "tree"  # every descendant, wherever it went


class Wish(Enum):
    """The work that a key or a program can ask for."""

    RESTART = "restart"  # without a build, but for one that is pending
    BUILD = "build"  # although nothing has changed, and then a restart
    PAUSE = "pause"
    RESUME = "resume"
    TOGGLE_PAUSE = "toggle pause"
    WAIT = "wait until what is saved is live"


class Outcome(Enum):
    """The answer to a request; that to `Wish.WAIT` comes when it is known."""

    ACCEPTED = "accepted"
    QUEUED = "queued until the pause ends"
    IGNORED = "ignored: reloader is ending"
    LIVE = "live"  # what was saved is what runs, and it can answer
    ENDED = "ended"  # what was saved has run, and has ended with exit 0
    FAILED = "failed"
    PAUSED = "paused"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class Request:
    """A wish from outside: `origin` names who asks ("key", "socket", …).

    `reply` is called by the loop with the outcome; None if no answer is wanted.
    """

    wish: Wish
    origin: str = "key"
    reply: Callable[[Outcome], None] | None = None
    within: Seconds = 60.0  # how long `Wish.WAIT` waits


@dataclass(frozen=True)
class Found:
    """A problem in the output of a compiler or of an app: a message and its place.

    `source`: lines around the place, each with its number; () if the file could not be read.
    """

    message: str
    path: str = ""  # below the root; "" if no place is known
    line: int = 0  # from 1; 0 if unknown
    column: int = 0  # from 1; 0 if unknown
    source: tuple[tuple[int, str], ...] = ()


class Stage(IntEnum):
    """The stages of an app; a later one satisfies a dependency on an earlier one."""

    DOWN = 0
    STARTED = 1  # a process of it runs
    READY = 2  # it can answer
    COMPLETED = 3  # it has ended with exit status 0; of a build alone, the build has


class Gate(Enum):
    """The fate of new connections to the app, where reloader holds its port or stands before it."""

    OPEN = "open"  # a generation answers
    HOLD = "hold"  # none answers, but one is coming: clients wait
    REFUSE = "refuse"  # none answers and none is coming
