"""The state of one app's run, and the guards that say why nothing happens.

Four small machines share it, each a sum of its own, in which what can't be has no place: the
pipeline (`pipeline.py`), the fleet (`fleet.py`), the pause and the shutdown (`shutdown.py`). The
processes of all of them stand in one list, for one life is enough for all.

Pure: no clock, no process, no file; times are seconds of the loop's clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reloader.core.debounce import Burst, Git
from reloader.core.feedback import Feedback
from reloader.core.formatters import FormatterDelays
from reloader.core.life import UP, Life, Proc
from reloader.core.needs import NOTHING, RELOAD, Needs
from reloader.core.orders import Order, Spawn
from reloader.core.values import (
    Cause,
    Gate,
    Reason,
    Role,
    Seconds,
    Stage,
    Task,
    Ticket,
    Version,
)
from reloader.light import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reloader.core.facts import DependencyStands
    from reloader.core.news import News
    from reloader.core.settings import Settings
    from reloader.core.values import Request

# --- the pipeline: from a change to a version that was built well --------------------------------


@dataclass(frozen=True)
class Idle:
    """The app has no pending work."""


@dataclass(frozen=True)
class Pending:
    """A build, a restart or both are pending; `done` steps of the build have succeeded."""

    needs: Needs
    cause: Cause
    done: int = 0


@dataclass(frozen=True)
class Failed:
    """A step or a rule has failed: nothing is tried before the next change or request."""

    needs: Needs
    cause: Cause
    command: str
    why: str  # "exit 1"
    rule: str = ""  # the rule that failed; "" for the build


Work = Idle | Pending | Failed


@dataclass(frozen=True)
class Pipeline:
    work: Work
    rounds: int = 0  # how often all that was pending has been done
    # The `[[build.rules]]` whose command is pending, by name, each with the save behind it.
    rules: Mapping[str, Cause] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)  # saved files with an error, by path

    @property
    def needs(self) -> Needs:
        """The pending work of the app and of rules, in one value."""
        needs = NOTHING if isinstance(self.work, Idle) else self.work.needs
        return needs | Needs(rules=frozenset(self.rules))


# --- the fleet: which version is wanted, and what has become of it -------------------------------


@dataclass(frozen=True)
class Nothing:
    """No version is wanted: none was built well yet, or `stop_on_error` has taken it down."""


@dataclass(frozen=True)
class Start:
    """The version is to be started as soon as it can be."""

    version: Version


@dataclass(frozen=True)
class Started:
    """The version was started; its process tells the rest."""

    version: Version


@dataclass(frozen=True)
class Again:
    """The version ended by itself and is started again at that time."""

    version: Version
    at: Seconds
    why: str = ""  # "exit 1"


@dataclass(frozen=True)
class Ended:
    """The version ended by itself, could not be started, or was not good enough to take over.

    It waits for a change. `failed` is False for an app that exited with 0.
    """

    version: Version
    why: str
    failed: bool
    command: str = ""


Want = Nothing | Start | Started | Again | Ended


@dataclass(frozen=True)
class Fleet:
    want: Want = Nothing()
    versions: int = 0  # numbers given out
    crashes: int = 0  # ends in a row that came too soon
    gate: tuple[Gate, Ticket | None] = (Gate.REFUSE, None)  # as it was last ordered

    @property
    def wanted(self) -> Version | None:
        """The newest version that was built well; None if there is none."""
        return None if isinstance(self.want, Nothing) else self.want.version


# --- questions -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """Somebody waits until what was saved by a moment is live, whatever is saved later.

    `since`: that moment; None while changes of that time are held back, which count later.
    `round`: of the pipeline, the first one that has it all; None while changes of that time have
    not settled.
    """

    request: Request
    since: Seconds | None
    until: Seconds
    round: int | None = None
    is_built: bool = False  # the round is over, and it went well
    failed: str = ""  # the rule whose command has failed meanwhile: nothing waits for it


# --- pause, shutdown, shortage -------------------------------------------------------------------


@dataclass(frozen=True)
class Pause:
    """While it lasts no work begins; `requested` is done when it ends."""

    requested: Needs = NOTHING


@dataclass(frozen=True)
class Quitting:
    """reloader was asked to end: every process gets its grace, then each post_cmd runs."""

    since: Seconds
    force_at: Seconds | None  # None: others that depend on the app end first, in their own time
    asked_at: Seconds  # when it was last asked
    signal: int = 0  # the signal of a terminal key, which the app gets as it is; 0: stop_signal
    posts: int = 0  # post_cmd that have run
    post_by: Seconds | None = None  # when they must have ended; None: none has begun


@dataclass(frozen=True)
class Forced:
    """Asked twice, or out of time: everything gets SIGKILL, no hook runs."""

    since: Seconds
    asked_at: Seconds
    over_at: Seconds


@dataclass(frozen=True)
class Done:
    """The loop ends."""


Shutdown = Quitting | Forced | Done


@dataclass(frozen=True)
class Shortage:
    """Spawns failed for want of memory, processes or descriptors.

    `retry_at`: when the next one is tried; None while it is tried.
    """

    failures: int
    retry_at: Seconds | None
    why: str  # of the last one: "./app: not enough memory"


# --- all of it -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    settings: Settings
    pipeline: Pipeline
    fleet: Fleet = Fleet()
    procs: tuple[Proc, ...] = ()
    bursts: tuple[Burst, ...] = ()
    git: Git = Git()
    feedback: Feedback = Feedback()
    formatters: FormatterDelays = FormatterDelays()
    questions: tuple[Question, ...] = ()
    pause: Pause | None = None
    shutdown: Shutdown | None = None
    shortage: Shortage | None = None
    dependencies: Mapping[str, DependencyStands] = field(default_factory=dict)  # as last told
    inputs: frozenset[str] = frozenset()  # the dependencies that have completed in this run
    dependents: frozenset[str] = frozenset()  # apps that depend on this one and are not gone
    told_wait: str = ""  # what the app waits for, as people were told; "" if it does not
    tickets: Ticket = 0  # the last one given out
    every: int = 1  # from one ticket to the next: several machines share one row of numbers

    @property
    def done(self) -> bool:
        return isinstance(self.shutdown, Done)

    def proc(self, ticket: Ticket) -> Proc:
        return next(p for p in self.procs if p.ticket == ticket)

    def of(self, *roles: Role) -> tuple[Proc, ...]:
        return tuple(p for p in self.procs if p.task.role in roles)

    @property
    def generations(self) -> tuple[Proc, ...]:
        """The processes of the app, oldest first."""
        return tuple(sorted(self.of(Role.APP), key=lambda proc: proc.ticket))

    @property
    def serving(self) -> Proc | None:
        """The newest generation that can answer and is to stay; None if there is none."""
        ready = [p for p in self.generations if p.wanted and p.life is Life.READY]
        return ready[-1] if ready else None

    @property
    def running(self) -> Proc | None:
        """The newest generation that runs and is to stay, ready or not; None if there is none."""
        up = [p for p in self.generations if p.wanted and p.life in UP]
        return up[-1] if up else None

    def put(self, proc: Proc) -> State:
        """Returns the state with this version of the process; one that is gone is forgotten."""
        others = tuple(p for p in self.procs if p.ticket != proc.ticket)
        return replace(self, procs=others if proc.life is Life.GONE else (*others, proc))

    def mark_for_stop(self, *procs: Proc) -> State:
        state = self
        for proc in procs:
            state = state.put(replace(proc, wanted=False))
        return state

    def with_work(self, work: Work) -> State:
        return replace(self, pipeline=replace(self.pipeline, work=work))

    def with_want(self, want: Want) -> State:
        return replace(self, fleet=replace(self.fleet, want=want))


def begin(settings: Settings, now: Seconds, tickets: Ticket = 0, every: int = 1) -> State:
    """Returns the state of a run that has just begun: all of it is to be built and started."""
    first = Pending(RELOAD, Cause(Reason.FIRST, now))
    return State(settings, Pipeline(first), tickets=tickets, every=every)


@dataclass(frozen=True)
class Turn:
    """The effect of one fact or one rule."""

    state: State
    orders: tuple[Order, ...] = ()
    news: tuple[News, ...] = ()


def past(deadline: Seconds | None, now: Seconds) -> bool:
    return deadline is not None and deadline <= now


def spawn(state: State, task: Task, version: Version | None = None) -> Turn:
    ticket = state.tickets + state.every
    state = replace(state, tickets=ticket).put(Proc(ticket, task, version=version))
    return Turn(state, (Spawn(ticket, task, version),))


# --- guards --------------------------------------------------------------------------------------


def first_rules(state: State) -> frozenset[str]:
    """The pending rules that a build or a start has to wait for."""
    return frozenset(state.pipeline.rules) & state.settings.rule_then.keys()


def is_moving(state: State) -> bool:
    """True while the pipeline may still make a newer version: a start would be of an old one."""
    if isinstance(state.pipeline.work, Failed):
        return False
    if isinstance(state.pipeline.work, Idle) and not first_rules(state):
        return False
    then = state.settings.rule_then
    jobs = (p for p in state.procs if p.task.role in (Role.PRE, Role.BUILD) or p.task.name in then)
    return state.pause is None or any(p.wanted for p in jobs)


class Wait(NamedTuple):
    """An app that is waited for, how far it must be, and what is wrong with it, or ""."""

    name: str
    stage: Stage
    why: str

    @property
    def text(self) -> str:
        words = {Stage.STARTED: "start", Stage.READY: "be ready", Stage.COMPLETED: "complete"}
        return f"{self.name} to {words[self.stage]}" + (f" ({self.why})" if self.why else "")


def wait_of(state: State, least: Stage = Stage.STARTED) -> Wait | None:
    """Returns the first app that is not there as it is needed; None if all are.

    `least`: only of those that have to be as far as that.
    """
    for name, stage in state.settings.depends_on.items():
        told = state.dependencies.get(name)
        if stage >= least and (told is None or told.stage < stage):
            return Wait(name, stage, told.why if told else "")
    return None


def waiting(state: State) -> Wait | None:
    """Returns the app for which the pending build, or the pending start, waits now."""
    if state.shutdown is not None or state.pause is not None:
        return None
    work = state.pipeline.work
    if isinstance(work, Pending) and work.needs.build and (wait := wait_of(state, Stage.COMPLETED)):
        return wait
    return wait_of(state) if isinstance(state.fleet.want, Start) else None


class Guard(NamedTuple):
    """A condition that a rule needs, and the words for what blocks it while it does not hold."""

    name: str
    blocks: str
    holds: Callable[[State], bool]


UP_AND_RUNNING = Guard("up", "reloader is ending", lambda state: state.shutdown is None)
CAN_SPAWN = Guard(
    "can spawn",
    "the last process could not be started; reloader tries again shortly",
    lambda state: state.shortage is None or state.shortage.retry_at is None,
)
NOT_PAUSED = Guard("not paused", "paused; press p to resume", lambda state: state.pause is None)
NOT_FAILED = Guard(
    "not failed",
    "the last build failed; reloader waits for a change",
    lambda state: not isinstance(state.pipeline.work, Failed),
)
RULES_FIRST = Guard(
    "no rule first", "a rule's command has to succeed first", lambda state: not first_rules(state)
)
NO_JOB = Guard(
    "no build alive",
    "a build or what it has left behind still runs",
    lambda state: not state.of(Role.PRE, Role.BUILD),
)
NOTHING_NEWER = Guard(
    "nothing newer comes", "a newer version is being built", lambda state: not is_moving(state)
)
# A build needs what others have made; only the app itself needs them to run.
INPUTS_THERE = Guard(
    "inputs there",
    "an app that has to complete first has not",
    lambda state: wait_of(state, Stage.COMPLETED) is None,
)
OTHERS_THERE = Guard(
    "others there",
    "an app that this one depends on is not there",
    lambda state: wait_of(state) is None,
)
NEEDED_NO_MORE = Guard(
    "needed no more",
    "apps that depend on this one end first",
    lambda state: not (isinstance(state.shutdown, Quitting) and state.dependents),
)
ALL_GONE = Guard("all gone", "processes still run", lambda state: not state.procs)
