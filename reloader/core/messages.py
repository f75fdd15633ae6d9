"""The three families of messages, told apart by their grammar.

Facts (past tense) come from the world, orders (imperative) go to it, news (past tense) go to
people and programs. Pure: values only.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass

    from reloader.core.needs import Needs
    from reloader.core.settings import Settings
else:
    from reloader.light import dataclass

Seconds = float
Ticket = int  # names one process of ours for ever; pids are reused, tickets are not


class Role(Enum):
    """What a process is to us."""

    PRE = "pre_cmd"
    BUILD = "build"
    RULE = "rule"
    APP = "app"
    POST = "post_cmd"


@dataclass(frozen=True)
class Task:
    """What to spawn: the `index`-th pre_cmd or post_cmd, a rule by `name`, the build, the app."""

    role: Role
    index: int = 0
    name: str = ""


@dataclass(frozen=True)
class Status:
    """How a process ended: an exit code, or the number of the signal that killed it."""

    code: int = 0
    signal: int = 0

    @property
    def ok(self) -> bool:
        return self.code == 0 and self.signal == 0


@dataclass(frozen=True)
class Change:
    """One path that differs from what the last look saw, and what that asks for."""

    path: str  # as people know it: below the root, else absolute
    needs: Needs
    digest: str = ""  # of what it holds, where that was cheap to know; "": not known
    size: int = 0  # in bytes, where the digest is known


# --- facts ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FilesChanged:
    """Paths differ from what the last look saw."""

    changes: tuple[Change, ...]


@dataclass(frozen=True)
class GitMoved:
    """The repository: whether git is at work in it, and what is checked out ("" if unknown)."""

    busy: bool
    head: str = ""


@dataclass(frozen=True)
class ProcessStarted:
    """It has a pid; `command` is what people are shown."""

    ticket: Ticket
    pid: int
    command: str


@dataclass(frozen=True)
class SpawnFailed:
    """There is no process. `passing`: the same call may work in a moment."""

    ticket: Ticket
    command: str
    why: str
    passing: bool = False


@dataclass(frozen=True)
class ProcessExited:
    """The process ended; `survivors` of its tree live on and hold its place."""

    ticket: Ticket
    status: Status
    survivors: int = 0


@dataclass(frozen=True)
class TreeEmptied:
    """The last survivor of a process that had exited is gone."""

    ticket: Ticket


@dataclass(frozen=True)
class Measured:
    """The bytes that a process and its tree have written so far, to whatever it was.

    `written`: None if that can't be known.
    """

    ticket: Ticket
    written: int | None


@dataclass(frozen=True)
class ConfigLoaded:
    """New settings hold from now on, and this is owed for what they have changed."""

    settings: Settings
    needs: Needs


@dataclass(frozen=True)
class SignalReceived:
    """Somebody asked us to end: SIGINT, SIGTERM, SIGHUP or SIGQUIT.

    `typed`: by a key that would have reached the app too, had it had the terminal.
    """

    number: int
    typed: bool = False


class Wish(Enum):
    """What a key asks for."""

    RESTART = "restart"  # without a build, but for one that is owed
    BUILD = "build"  # though nothing has changed, and then a restart
    PAUSE = "pause"  # or go on


@dataclass(frozen=True)
class Asked:
    """The user has pressed a key of ours."""

    wish: Wish


@dataclass(frozen=True)
class Noticed:
    """An edge has something to say that changes nothing."""

    news: News


@dataclass(frozen=True)
class Tick:
    """A deadline has passed."""


Fact = (
    FilesChanged
    | GitMoved
    | ProcessStarted
    | SpawnFailed
    | ProcessExited
    | TreeEmptied
    | Measured
    | ConfigLoaded
    | SignalReceived
    | Asked
    | Noticed
    | Tick
)

# --- orders --------------------------------------------------------------------------------------


class Scope(Enum):
    """How far a kill reaches."""

    GROUP = "group"  # what stayed in the process group; daemons that left it live on
    TREE = "tree"  # every descendant, wherever it went


@dataclass(frozen=True)
class Spawn:
    """Start the task; the answer is ProcessStarted or SpawnFailed."""

    ticket: Ticket
    task: Task


@dataclass(frozen=True)
class Stop:
    """Ask the whole tree to end, with this signal and then SIGCONT."""

    ticket: Ticket
    signal: int


@dataclass(frozen=True)
class Kill:
    """SIGKILL, to what is in scope."""

    ticket: Ticket
    scope: Scope = Scope.TREE


@dataclass(frozen=True)
class Measure:
    """Find out how much the tree has written."""

    ticket: Ticket


@dataclass(frozen=True)
class Quit:
    """The loop ends."""


Order = Spawn | Stop | Kill | Measure | Quit

# --- news ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Greeted:
    """reloader has started: its version, the config file ("" if none), its own pid."""

    version: str
    config: str
    pid: int


@dataclass(frozen=True)
class WatchStarted:
    """From here on no change is missed."""

    engine: str
    dirs: int
    files: int


@dataclass(frozen=True)
class ChangeSeen:
    """A burst has settled. `path` is its first change, `count` how many paths there are.

    `rule` is the rule that it is for; "": the app. `git`: what git did, if it was git; "main" or
    "main → feature/x".
    """

    path: str
    count: int
    rule: str = ""
    git: str = ""


@dataclass(frozen=True)
class BuildStarted:
    """The build command runs; its pre_cmd have succeeded."""

    command: str
    pid: int


@dataclass(frozen=True)
class BuildSucceeded:
    """The build command ended with 0."""

    command: str
    seconds: Seconds


@dataclass(frozen=True)
class BuildFailed:
    """`app_pid`: the app that goes on, 0 if there is none; `why`: "exit 1", "killed by SIGSEGV"."""

    command: str
    why: str
    seconds: Seconds
    app_pid: int


@dataclass(frozen=True)
class BuildCancelled:
    """A change came in while it ran."""

    command: str
    seconds: Seconds


@dataclass(frozen=True)
class HookFailed:
    """A pre_cmd or post_cmd failed and the work goes on."""

    hook: str
    command: str
    why: str
    seconds: Seconds


@dataclass(frozen=True)
class RuleStarted:
    """The command of a `[[build.rules]]` runs."""

    rule: str
    command: str
    pid: int


@dataclass(frozen=True)
class RuleSucceeded:
    """The command of a rule ended with 0."""

    rule: str
    command: str
    seconds: Seconds


@dataclass(frozen=True)
class RuleFailed:
    """The command of a rule failed; it runs again at its next change."""

    rule: str
    command: str
    why: str
    seconds: Seconds


@dataclass(frozen=True)
class AppStarted:
    """The app runs."""

    command: str
    pid: int


@dataclass(frozen=True)
class AppStopped:
    """We asked it to end and it did; `killed`: only SIGKILL helped."""

    pid: int
    seconds: Seconds
    killed: bool


@dataclass(frozen=True)
class AppExited:
    """It ended by itself. `restart_in`: seconds to the next start, None: at the next change."""

    pid: int
    ok: bool
    why: str
    seconds: Seconds
    restart_in: Seconds | None


@dataclass(frozen=True)
class StartFailed:
    """A command could not be started at all."""

    what: str
    command: str
    why: str
    retry_in: Seconds | None


@dataclass(frozen=True)
class ConfigChanged:
    """The config was edited and holds from now on; `keys`: those whose values differ."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class ConfigRejected:
    """The config was edited and can't be used; the last good one stays."""

    text: str


@dataclass(frozen=True)
class Paused:
    """By a key: changes are noted, nothing begins. Told again when that holds a wish back."""


@dataclass(frozen=True)
class Resumed:
    """The pause is over; `changed`: how many paths have changed in it."""

    changed: int


@dataclass(frozen=True)
class KeysOffered:
    """What keys do, in a line; never with --json, which reads none."""

    text: str


@dataclass(frozen=True)
class Warned:
    """Something the user should know; nothing stops for it."""

    text: str


@dataclass(frozen=True)
class Noted:
    """Something worth knowing that people are not told each time."""

    text: str


@dataclass(frozen=True)
class QuitStarted:
    """Asked to end, by a signal."""

    signal: str


@dataclass(frozen=True)
class QuitFinished:
    """Nothing of ours is alive any more."""

    seconds: Seconds


News = (
    Greeted
    | WatchStarted
    | ChangeSeen
    | BuildStarted
    | BuildSucceeded
    | BuildFailed
    | BuildCancelled
    | HookFailed
    | RuleStarted
    | RuleSucceeded
    | RuleFailed
    | AppStarted
    | AppStopped
    | AppExited
    | StartFailed
    | ConfigChanged
    | ConfigRejected
    | Paused
    | Resumed
    | KeysOffered
    | Warned
    | Noted
    | QuitStarted
    | QuitFinished
)
