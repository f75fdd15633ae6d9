"""The snapshot of a run: one record for every reader, so that no two can disagree.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from reloader.core.life import UP, Life
from reloader.core.state import (
    CAN_SPAWN,
    NEEDED_NO_MORE,
    NO_JOB,
    NOT_FAILED,
    NOT_PAUSED,
    NOTHING_NEWER,
    RULES_FIRST,
    UP_AND_RUNNING,
    Again,
    Ended,
    Failed,
    Idle,
    Nothing,
    Start,
    Started,
    State,
    waiting,
)
from reloader.core.values import Role
from reloader.light import asdict, dataclass

if TYPE_CHECKING:
    from reloader.core.life import Proc
    from reloader.core.values import Seconds


class Condition(Enum):
    """The condition of a run, in a word."""

    ENDING = "ending"
    PAUSED = "paused"
    WAITING = "waiting"  # for another app, after a shortage or a crash: a start comes by itself
    BUILDING = "building"
    STARTING = "starting"
    FAILED = "failed"  # a failure is shown: a change or a request has to come
    DOWN = "down"  # the app is not up, and nothing has failed
    LIVE = "live"  # the app runs the newest version, and can answer where that is known


@dataclass(frozen=True)
class Generation:
    """A process of the app. `ready`: seconds from its start; None if it is not ready."""

    number: int
    pid: int
    life: str  # "running", "ready", "draining", "stopping" …
    wanted: bool
    command: str
    up: Seconds  # since its start
    ready: Seconds | None
    address: str  # where it answers; "" if unknown
    reason: str  # "save", "request" …
    path: str  # the first path of the save behind it; "" if it was no save


@dataclass(frozen=True)
class Job:
    """A build, a rule's command or a hook at work."""

    role: str
    name: str  # of the rule; "" otherwise
    pid: int
    command: str
    up: Seconds


@dataclass(frozen=True)
class Failure:
    """The failure that is shown: a build, a rule, or a start."""

    role: str
    command: str
    why: str


@dataclass(frozen=True)
class Snapshot:
    """The state of one app of a run, for readers. Times are seconds, counted back from now."""

    condition: Condition
    has_app: bool
    completed: bool  # a one-off that has done its work
    wanted: int  # the version that is to run; 0 if none was built well yet
    generations: tuple[Generation, ...]
    jobs: tuple[Job, ...]
    failure: Failure | None
    pending: tuple[str, ...]  # "build", "restart", names of rules
    changed: int  # paths that have changed and have not settled, or wait for a pause to end
    blocked: str  # why nothing happens now, in words; "" if nothing is pending
    down: str  # why the app is not up, in words; "" if it is

    @property
    def app(self) -> Generation | None:
        """The newest generation that is to stay and runs; None if there is none."""
        up = [g for g in self.generations if g.wanted and g.life in {"running", "ready"}]
        return up[-1] if up else None

    def as_json(self) -> dict[str, Any]:
        """Returns plain values only."""
        return {**asdict(self), "condition": self.condition.value}


def view(state: State, now: Seconds) -> Snapshot:
    failure = _failure(state)
    needs = state.pipeline.needs
    pending = (*sorted(needs.rules), *("build",) * needs.build, *("restart",) * needs.restart)
    return Snapshot(
        condition=_condition(state, failure),
        has_app=state.settings.app,
        completed=_has_completed(state),
        wanted=state.fleet.wanted.number if state.fleet.wanted else 0,
        generations=tuple(_generation(proc, now) for proc in state.generations),
        jobs=tuple(_job(proc, now) for proc in state.procs if not proc.is_app),
        failure=failure,
        pending=pending,
        changed=len({path for burst in state.bursts for path in burst.paths}),
        blocked=blocked(state),
        down=_down(state, failure),
    )


def blocked(state: State) -> str:
    """Returns the reason why pending work does not happen now; "" if there is none."""
    if not UP_AND_RUNNING.holds(state):
        return (UP_AND_RUNNING if NEEDED_NO_MORE.holds(state) else NEEDED_NO_MORE).blocks
    wants_start = isinstance(state.fleet.want, Start)
    waits = any(lane.waiting or lane.outputs.held for lane in state.feedback.lanes.values())
    if not (state.pipeline.needs or wants_start or state.bursts or state.pause or waits):
        return ""
    if wait := waiting(state):
        return f"waits for {wait.text}"
    guards = [NOT_PAUSED, CAN_SPAWN, NOT_FAILED]
    if state.pipeline.needs.build or state.pipeline.needs.restart:
        guards += [RULES_FIRST, NO_JOB]
    if wants_start:
        guards.append(NOTHING_NEWER)
    for guard in guards:
        if not guard.holds(state):
            return guard.blocks
    reasons = (
        (wants_start, "the old process has not ended yet"),
        (state.bursts, "more changes may follow"),
        (waits, "a changed file looks like one that the app or the build writes"),
    )
    return next((reason for holds, reason in reasons if holds), "")


def _condition(state: State, failure: Failure | None) -> Condition:  # noqa: PLR0911 -- one for each
    if state.shutdown is not None:
        return Condition.ENDING
    if state.pause is not None:
        return Condition.PAUSED
    if any(p.task.role is not Role.APP for p in state.procs):
        return Condition.BUILDING
    if waiting(state):
        return Condition.WAITING
    if not isinstance(state.pipeline.work, (Idle, Failed)):
        return Condition.BUILDING
    if failure is not None:
        return Condition.FAILED
    if not CAN_SPAWN.holds(state) or isinstance(state.fleet.want, Again):
        return Condition.WAITING
    if state.serving or not state.settings.app or _has_completed(state):
        return Condition.LIVE
    starting = any(p.wanted and p.life in (Life.SPAWNING, *UP) for p in state.generations)
    return Condition.STARTING if starting or isinstance(state.fleet.want, Start) else Condition.DOWN


def _has_completed(state: State) -> bool:
    """True of a one-off that has done its work: it does not run, and nothing is missing."""
    want = state.fleet.want
    return state.settings.once and isinstance(want, Ended) and not want.failed


def _failure(state: State) -> Failure | None:
    work, want = state.pipeline.work, state.fleet.want
    if isinstance(work, Failed):
        return Failure("rule" if work.rule else "build", work.command, work.why)
    if isinstance(want, Ended) and want.failed:
        return Failure("app", want.command, want.why)
    return None


def _down(state: State, failure: Failure | None) -> str:  # noqa: PLR0911 -- one for each want
    """Returns why the app is not up; "" if it is, or if there is none."""
    if state.running or not state.settings.app or _has_completed(state):
        return ""
    if wait := waiting(state):
        return f"it waits for {wait.text}"
    if state.shutdown is not None:
        return UP_AND_RUNNING.blocks
    match state.fleet.want:
        case Again(why=why) | Ended(why=why):
            return why
        case _ if state.shortage is not None:
            return state.shortage.why
        case Nothing() if failure:
            return f"the {failure.role} failed: {failure.why}"
        case Start(version) | Started(version) if version.number > 1:
            return "it is being replaced"
        case _:
            return "it has not been started yet"


def _generation(proc: Proc, now: Seconds) -> Generation:
    if proc.version is None:
        raise AssertionError(f"no generation: {proc}")
    cause = proc.version.cause
    return Generation(
        number=proc.version.number,
        pid=proc.pid,
        life=proc.life.name.lower(),
        wanted=proc.wanted,
        command=proc.command,
        up=now - proc.started_at if proc.pid else 0.0,
        ready=None if proc.ready_at is None else proc.ready_at - proc.started_at,
        address=proc.address,
        reason=cause.reason.value,
        path=cause.path,
    )


def _job(proc: Proc, now: Seconds) -> Job:
    up = now - proc.started_at if proc.pid else 0.0
    return Job(proc.task.role.value, proc.task.name, proc.pid, proc.command, up)
