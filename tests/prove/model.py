"""A small world around the machine, for an exhaustive search: events, and what must hold.

A world is a value: the machine's state, the processes that are alive, and how much of each kind of
event is still to come. `successors` gives every event that can happen in it, with the world after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reloader.core.facts import (
    BecameIdle,
    BecameReady,
    ConfigLoaded,
    DependencyStands,
    DependentStands,
    FilesChanged,
    ProcessExited,
    ProcessStarted,
    Requested,
    SignalReceived,
    SpawnFailed,
    Tick,
    TreeEmptied,
)
from reloader.core.feedback import Feedback, Lane
from reloader.core.fleet import LEAVING_MOST, RERUN_HEALTHY
from reloader.core.formatters import FormatterDelay, FormatterDelays
from reloader.core.life import UP, Life
from reloader.core.machine import advance, next_deadline
from reloader.core.needs import RELOAD, Needs
from reloader.core.news import (
    AppCompleted,
    AppDropped,
    AppExited,
    AppStarted,
    BuildSucceeded,
    StartFailed,
)
from reloader.core.orders import Drain, Kill, Quit, Reply, Route, Spawn, Stop
from reloader.core.shutdown import SAME_REQUEST
from reloader.core.starts import Habit, Starts
from reloader.core.state import (
    Again,
    Failed,
    Forced,
    Idle,
    Pending,
    Quitting,
    Start,
    begin,
    is_moving,
)
from reloader.core.state import (
    waiting as waited_for,
)
from reloader.core.values import (
    Change,
    Gate,
    Outcome,
    Reason,
    Request,
    Role,
    Scope,
    Stage,
    Status,
    Wish,
)
from reloader.light import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.core.facts import Fact
    from reloader.core.feedback import Waiting
    from reloader.core.life import Proc
    from reloader.core.settings import Settings
    from reloader.core.state import Shutdown, State

NO_FORMATTER = FormatterDelays({"py": FormatterDelay(gap=0.0, trust=0)})
SAVE = FilesChanged((Change("app.py", RELOAD),))
BROKEN = FilesChanged((Change("app.py", RELOAD, error="line 1: invalid syntax"),))
WISHES = tuple(Requested(Request(wish)) for wish in Wish)
FAR = 11.0  # seconds: how long ago something was does not matter beyond


class Violation(AssertionError):  # noqa: N818 -- the word of the field
    """Something happened that must never happen."""


class Process(NamedTuple):
    """A process of the world; `leader` is None until the spawn is answered."""

    ticket: int
    role: Role
    version: int  # of the sources that it was made from
    leader: bool | None = None
    survivors: int = 0
    draining: bool = False


class Budget(NamedTuple):
    """How many events of each kind are still to come."""

    saves: int = 1
    signals: int = 1
    wishes: int = 1
    failed_spawns: int = 0
    failed_builds: int = 1
    crashes: int = 1
    edits: int = 0
    broken: int = 0  # saves that the app could not import
    loops: int = 0  # saves that look like the app's own writes, and have to wait
    turns: int = 0  # in which something that is depended on comes or goes
    waits: int = 0  # of somebody for what is saved to be live
    lingering: int = 1  # processes of a tree that may outlive its leader


@dataclass(frozen=True)
class World:
    state: State
    processes: tuple[Process, ...]
    now: float
    saved: int  # the version of the sources
    built: int  # the version of the newest good build
    budget: Budget
    excused: bool = False  # people were told why no app of the newest version runs
    good: bool = False  # a build has succeeded that no change had cancelled
    quits: int = 0
    posts: int = 0  # post_cmd that were spawned
    gate: tuple = (Gate.REFUSE, None)
    there: frozenset[str] = frozenset()  # of what is depended on: the apps that are as is needed
    needed: bool = False  # an app that depends on this one is not gone
    asked: int = 0  # the version of the sources that somebody waits for


def start(settings: Settings, budget: Budget) -> World:
    state = replace(begin(settings, 0.0), formatters=NO_FORMATTER)
    world = World(state, (), 0.0, 1, 0, budget)
    if not settings.depends_on:
        return step(world, Tick())
    return step(replace(world, needed=True), DependentStands("web", is_gone=False))


def step(world: World, *facts: Fact, **changes: object) -> World:  # noqa: C901 -- one for each order
    """Returns the world after the facts. Raises Violation."""
    world = replace(world, **changes)
    try:
        state, orders, news = advance(world.state, facts, world.now)
    except (AssertionError, StopIteration, AttributeError) as error:
        raise Violation(f"the machine fails: {error}") from error
    processes = {process.ticket: process for process in world.processes}
    good = world.good
    answered: list[Outcome] = []
    quits, posts, gate, excused = world.quits, world.posts, world.gate, world.excused
    for order in orders:
        match order:
            case Spawn(ticket, task):
                check_needs(world, task.role)
                is_app = task.role is Role.APP and state.settings.build
                version = world.built if is_app else world.saved
                processes[ticket] = Process(ticket, task.role, version)
                posts += task.role is Role.POST
            case Drain(ticket):
                processes[ticket] = processes[ticket]._replace(draining=True)
            case Stop(ticket) if isinstance(state.shutdown, Quitting):
                is_app = processes[ticket].role is Role.APP
                must(not (is_app and world.needed), "stopped while another app depends on it")
            case Kill(ticket, Scope.GROUP):
                pass
            case Route(kind, ticket):
                gate = (kind, ticket)
            case Quit():
                quits += 1
            case Reply(_, outcome):
                answered.append(outcome)
    for item in news:
        match item:
            case AppStarted():
                excused = False
            case (
                AppExited(restart_in=None) | AppCompleted() | StartFailed(what="app", retry_in=None)
            ):
                excused = True
            case AppDropped():
                excused = True
            case BuildSucceeded():
                good = True
    check_broken(world.state, state)
    state = replace(state, feedback=forgetful(state.feedback), formatters=NO_FORMATTER)
    after = replace(
        world,
        state=state,
        processes=tuple(processes.values()),
        good=good,
        quits=quits,
        posts=posts,
        gate=gate,
        excused=excused,
    )
    check(after, world.state.shutdown)
    check_overlap(world, after)
    for outcome in answered:
        check_answer(after, outcome)
    return after


def forgetful(feedback: Feedback) -> Feedback:
    """Keeps the changes that wait, and none of the evidence: that would never repeat."""
    return Feedback({name: Lane(waiting=lane.waiting) for name, lane in feedback.lanes.items()})


def suspicious(feedback: Feedback, now: float) -> Feedback:
    """Adds the evidence of eight starts, each followed by this change."""
    habit = Habit(low=0.1, high=0.1, at=now - 1, runs=7, run=7)
    starts = Starts({"app.py": habit}, run=8, at=now - 0.1)
    lane = replace(feedback.lanes.get("", Lane()), starts=starts)
    return replace(feedback, lanes={**feedback.lanes, "": lane})


# --- what can happen next ------------------------------------------------------------------------


def successors(world: World) -> Iterator[tuple[Fact, World]]:  # noqa: C901 -- one for each event
    state, budget = world.state, world.budget
    if state.done:
        return
    answered = all(p.leader is not None for p in world.processes)
    # A spawn is answered in its own moment, though other facts may come first.
    if answered and (due := next_due(state)) is not None:
        later = step(world, Tick(), now=max(world.now, due))
        must(
            later.now > world.now or canonical(later) != canonical(world),
            "a deadline that passes and changes nothing",
        )
        yield Tick(), later
    if state.shutdown is not None:
        yield from ending(world)
        return
    if budget.saves:
        less = budget._replace(saves=budget.saves - 1)
        yield SAVE, step(world, SAVE, saved=world.saved + 1, budget=less)
        for name in state.settings.rule_paces:
            change = Change(f"a.{name}", Needs(rules=frozenset({name})))
            yield FilesChanged((change,)), step(world, FilesChanged((change,)), budget=less)
    if budget.loops:
        less = budget._replace(loops=budget.loops - 1)
        wary = replace(state, feedback=suspicious(state.feedback, world.now))
        yield SAVE, step(world, SAVE, state=wary, saved=world.saved + 1, budget=less)
    if budget.broken:
        less = budget._replace(broken=budget.broken - 1)
        yield BROKEN, step(world, BROKEN, saved=world.saved + 1, budget=less)
    if budget.signals:
        signal = SignalReceived(15)
        yield signal, step(world, signal, budget=budget._replace(signals=budget.signals - 1))
    if budget.wishes:
        less = budget._replace(wishes=budget.wishes - 1)
        for wish in (Wish.RESTART, Wish.BUILD, Wish.TOGGLE_PAUSE):
            asked = Requested(Request(wish))
            yield asked, step(world, asked, budget=less)
    if budget.waits:
        less = budget._replace(waits=budget.waits - 1)
        asked = Requested(Request(Wish.WAIT, reply=lambda _: None))
        yield asked, step(world, asked, asked=world.saved, budget=less)
    if state.pause is not None:
        resume = Requested(Request(Wish.RESUME))
        yield resume, step(world, resume)
    yield from others(world)
    if budget.edits:
        edited = ConfigLoaded(state.settings, RELOAD)
        yield edited, step(world, edited, budget=budget._replace(edits=budget.edits - 1))
    for process in world.processes:
        yield from happens_to(world, process)


def next_due(state: State) -> float | None:
    """Returns the next deadline; a kill that is repeated changes nothing here, and counts last."""
    rest = tuple(p for p in state.procs if p.life is not Life.KILLED)
    due = next_deadline(replace(state, procs=rest))
    return next_deadline(state) if due is None else due


def ending(world: World) -> Iterator[tuple[Fact, World]]:
    """Once reloader ends, signals, failed spawns and failed hooks are not counted any more.

    Nothing else that comes may change anything, so the budget for it makes no difference.
    """
    signal = SignalReceived(15)
    yield signal, step(world, signal)
    edited = ConfigLoaded(world.state.settings, RELOAD)
    after = step(world, SAVE, BROKEN, edited, *WISHES)
    must(canonical(after) == canonical(world), "what comes at the end is not ignored")
    if world.needed:
        gone = DependentStands("web", is_gone=True)
        yield gone, step(world, gone, needed=False)
    for process in world.processes:
        yield from happens_to(world, process)


def others(world: World) -> Iterator[tuple[Fact, World]]:
    """What becomes of other apps: those that are depended on, and one that depends."""
    budget = world.budget
    if world.needed:
        gone = DependentStands("web", is_gone=True)
        yield gone, step(world, gone, needed=False)
    if not budget.turns:
        return
    less = budget._replace(turns=budget.turns - 1)
    for name, stage in world.state.settings.depends_on.items():
        comes = DependencyStands(name, stage)
        goes = DependencyStands(name, Stage.DOWN, "exit 1")
        is_there = name in world.there
        there = world.there - {name} if is_there else world.there | {name}
        fact = goes if is_there else comes
        yield fact, step(world, fact, there=there, budget=less)


def happens_to(world: World, process: Process) -> Iterator[tuple[Fact, World]]:
    ticket, role, leader = process.ticket, process.role, process.leader
    rest = tuple(other for other in world.processes if other.ticket != ticket)
    budget, ends = world.budget, world.state.shutdown is not None
    if leader is None:
        started = ProcessStarted(ticket, 100 + ticket, "x")
        yield started, step(world, started, processes=(*rest, process._replace(leader=True)))
        if budget.failed_spawns or ends:
            less = budget._replace(failed_spawns=max(budget.failed_spawns - 1, 0))
            for passing in (True, False):
                failed = SpawnFailed(ticket, "x", "no", passing=passing)
                yield failed, step(world, failed, processes=rest, budget=less)
        return
    if not leader:
        emptied = TreeEmptied(ticket)
        yield emptied, step(world, emptied, processes=rest)
        return
    if role is Role.APP:
        yield from happens_to_app(world, process, rest)
        return
    for code in (0, 1):
        if code and not (budget.failed_builds or ends):
            continue
        less = budget._replace(failed_builds=max(budget.failed_builds - code, 0))
        done = role is Role.BUILD and not code
        built = process.version if done else world.built
        for left, processes in endings(process, rest, budget.lingering):
            ended = ProcessExited(ticket, Status(code), left)
            yield ended, step(world, ended, processes=processes, built=built, budget=less)


def happens_to_app(
    world: World, process: Process, rest: tuple[Process, ...]
) -> Iterator[tuple[Fact, World]]:
    state, budget, ticket = world.state, world.budget, process.ticket
    proc = state.proc(ticket)
    if state.settings.strategy.awaits_ready and proc.life is Life.RUNNING:
        ready = BecameReady(ticket)
        yield ready, step(world, ready)
    if process.draining and proc.life in (Life.DRAINING, Life.STOPPING):
        idle = BecameIdle(ticket)
        yield idle, step(world, idle)
    by_itself = proc.life in UP and proc.wanted
    if by_itself and not budget.crashes:
        return
    less = budget._replace(crashes=budget.crashes - by_itself)
    for left, processes in endings(process, rest, budget.lingering):
        ended = ProcessExited(ticket, Status(1 if by_itself else 0), left)
        yield ended, step(world, ended, processes=processes, budget=less)


def endings(
    process: Process, rest: tuple[Process, ...], lingering: int
) -> Iterator[tuple[int, tuple[Process, ...]]]:
    """The ways in which a process ends: with its tree, or leaving some of it."""
    yield 0, rest
    for left in range(1, lingering + 1):
        yield left, (*rest, process._replace(leader=False, survivors=left))


# --- what must hold ------------------------------------------------------------------------------


def must(holds: bool, what: str) -> None:
    if not holds:
        raise Violation(what)


def check_needs(world: World, role: Role) -> None:
    """An app starts only when all is there that it depends on; a build needs what completes."""
    for name, stage in world.state.settings.depends_on.items():
        needs = role is Role.APP or (role is Role.BUILD and stage is Stage.COMPLETED)
        must(not needs or name in world.there, f"{role.value} begins without {name}")


def check(world: World, before: Shutdown | None) -> None:
    """Holds the world, and what the shutdown was before its last step."""
    state, processes = world.state, world.processes
    strategy = state.settings.strategy
    apps = [p for p in processes if p.role is Role.APP]
    must(strategy.overlap or len(apps) <= 1, "two apps")
    must(len([p for p in processes if p.role in (Role.PRE, Role.BUILD)]) <= 1, "two builds")
    must(world.quits <= 1, "two ends")
    must(state.done == (world.quits == 1), "an end without Quit, or Quit without an end")
    if state.done:
        forced = isinstance(before, Forced)
        must(not processes or forced, "an end while processes run")
        must(forced or world.posts == state.settings.post, "an end without its post_cmd")
        return
    must({p.ticket for p in processes} <= {p.ticket for p in state.procs}, "an unknown process")
    generations = state.generations
    must(sum(p.ready_at is None for p in generations) <= 1, "two candidates")
    served = serving(state)
    must(len(served) <= 1, "two generations that serve")
    if strategy.holds:
        must(world.gate[1] == (served[-1].ticket if served else None), "clients go astray")
        if world.gate[0] is Gate.HOLD:
            coming = isinstance(state.fleet.want, (Start, Again)) or is_moving(state)
            up = any(p.wanted for p in generations)
            must(coming or up, "clients wait for nothing")
    if next_deadline(state) is None:
        must(state.shutdown is None or world.needed, "an end that waits for nothing")
        check_rest(world)


def serving(state: State) -> list[Proc]:
    return [p for p in state.generations if p.wanted and p.life is Life.READY]


def check_overlap(before: World, after: World) -> None:
    """A generation that serves is not stopped for one that can't answer yet."""
    state = after.state
    must(state.shutdown is None or after.gate[0] is not Gate.HOLD, "clients wait at the end")
    if not state.settings.strategy.overlap or state.shutdown is not None:
        return
    is_start = any(p.ticket > before.state.tickets for p in state.generations)
    leaving = sum(not proc.wanted for proc in state.generations)
    must(not is_start or leaving <= LEAVING_MOST, "started beside too many that are ending")
    served = serving(before.state)
    if not served or serving(state):
        return
    stopped = any(p.leader for p in after.processes if p.ticket == served[-1].ticket)
    must(not stopped or state.settings.stop_on_error, "stopped before the next one can answer")


def waiting(state: State) -> list[Waiting]:
    """The changes that are acted on later, since they look like the app's own."""
    return [w for lane in state.feedback.lanes.values() for w in lane.waiting.values()]


def check_answer(world: World, outcome: Outcome) -> None:
    """An answer to whoever waits for what was saved: never too good, never too bad."""
    state = world.state
    it = state.serving
    version = {p.ticket: p.version for p in world.processes}
    is_live = it is not None and version[it.ticket] >= world.asked
    match outcome:
        case Outcome.LIVE:
            must(is_live or not state.settings.app, "said to be live, and it is not")
        case Outcome.FAILED:
            is_known = world.excused or isinstance(state.fleet.want, Again)
            must(is_known or isinstance(state.pipeline.work, Failed), "no failure is known")
        case Outcome.PAUSED:
            must(state.pause is not None, "said to be paused, and it is not")
        case Outcome.ENDED:
            raise Violation("no app of this world ends with 0")
        case Outcome.TIMEOUT:
            starting = any(p.life is Life.RUNNING for p in state.generations)
            must(starting or is_at_work(world), "nobody is at work, and no answer is given")


def check_broken(before: State, after: State) -> None:
    """A save that the app could not import makes no new version while an app runs."""
    want = after.fleet.want
    if not isinstance(want, Start) or want == before.fleet.want or before.running is None:
        return
    is_save = want.version.cause.reason is Reason.SAVE
    must(not is_save or not after.pipeline.broken, "a broken save replaces the app")


def check_rest(world: World) -> None:
    """With no deadline, nothing is due until a process ends or somebody does something."""
    state = world.state
    if state.shutdown is not None or state.pause is not None:
        return
    if is_at_work(world):
        return
    failed = isinstance(state.pipeline.work, Failed)
    if wait := waited_for(state):
        must(wait.name not in world.there, "it waits for what is there")
        must(bool(state.told_wait), "it waits, and nobody is told")
        return
    must(failed or isinstance(state.pipeline.work, Idle), f"owed for ever: {state.pipeline}")
    must(failed or not state.pipeline.rules, f"a rule owed for ever: {state.pipeline.rules}")
    must(not isinstance(state.fleet.want, Start), "wanted, and never started")
    must(not state.bursts and not waiting(state), "a change that is never seen")
    apps = [p for p in world.processes if p.role is Role.APP]
    if not state.settings.app:
        return
    by_rule = isinstance(state.pipeline.work, Failed) and bool(state.pipeline.work.rule)
    taken_down = by_rule or (failed and state.settings.stop_on_error)
    if not taken_down and (world.good or not state.settings.build):
        must(bool(apps) or world.excused, "no app, though one was built well")
    must(bool(apps) or failed or world.excused, "no app, and no failure is shown")
    if apps and not failed and not world.excused:
        must(max(p.version for p in apps) == world.saved, "old code runs after a save")


def is_at_work(world: World) -> bool:
    """Returns True while a process has something to do but to run."""
    return any(
        p.leader is None or not p.leader or p.role is not Role.APP for p in world.processes
    ) or any(p.life not in (*UP, Life.ORPHANED) for p in world.state.procs)


# --- one world for many --------------------------------------------------------------------------


def canonical(world: World) -> tuple:
    """Returns the world without all that makes no difference: names, and times long ago."""
    state, now = world.state, world.now
    ends = state.shutdown is not None
    places = {p.ticket: i for i, p in enumerate(sorted(state.procs, key=lambda p: p.ticket))}

    def since(at: float | None) -> float | None:
        return None if at is None else max(-FAR, round(at - now, 3))

    def age(proc: Proc) -> int | None:
        """Only a rerun asks how long an app lived: less than 1 s, than 10 s, or longer."""
        if state.settings.rerun is None or not proc.is_app or not proc.pid:
            return None
        lived = now - proc.started_at
        return (lived >= 1) + (lived >= RERUN_HEALTHY)

    procs = tuple(
        (
            places[p.ticket],
            p.task,
            p.life,
            p.wanted,
            not ends and state.fleet.wanted == p.version,
            age(p),
            p.ready_at is None,
            since(p.ready_by),
            p.life is Life.STOPPING,
            None if p.life is Life.KILLED else since(p.kill_at),
            since(p.drain_by),
            since(p.streams_at),
            p.scope,
        )
        for p in sorted(state.procs, key=lambda p: p.ticket)
    )
    processes = tuple(
        (
            places.get(p.ticket, -1),
            0 if ends else p.version - world.saved,
            p.leader,
            p.survivors,
            p.draining,
        )
        for p in sorted(world.processes, key=lambda p: p.ticket)
    )
    bursts = tuple(
        (b.lane, since(b.first_at), since(b.last_at), len(b.paths)) for b in state.bursts
    )
    waits = tuple((w.change.path, since(w.since), since(w.due)) for w in waiting(state))
    work = state.pipeline.work
    pipeline = (
        type(work),
        *(() if isinstance(work, Idle) else (work.needs,)),
        work.done if isinstance(work, Pending) else 0,
        frozenset(state.pipeline.rules),
        bool(state.pipeline.broken),
    )
    want = state.fleet.want
    fleet = (
        type(want),
        since(want.at) if isinstance(want, Again) else None,
        min(state.fleet.crashes, 7),
    )
    shutdown = state.shutdown
    ending: tuple = (type(shutdown),)
    if isinstance(shutdown, Quitting):
        ending += (since(shutdown.force_at), shutdown.posts, since(shutdown.post_by))
    if isinstance(shutdown, Forced):
        ending += (since(shutdown.over_at),)
    if isinstance(shutdown, (Quitting, Forced)):
        ending += (now >= shutdown.asked_at + SAME_REQUEST,)
    shortage = state.shortage and (min(state.shortage.failures, 7), since(state.shortage.retry_at))
    wanted = (world.budget, world.excused, world.good)
    # A failure that was told is told again, so it makes a difference.
    failures = frozenset(name for name, told in state.dependencies.items() if told.why)
    questions = tuple(
        (
            q.since and since(q.since),
            since(q.until),
            q.round is not None and q.round - state.pipeline.rounds,
            q.is_built,
        )
        for q in state.questions
    )
    inputs = state.inputs
    gate = (world.gate[0], places.get(world.gate[1], -1))
    return (
        procs,
        processes,
        bursts,
        waits if not ends else (),
        pipeline,
        fleet,
        state.pause,
        ending,
        shortage,
        *((world.posts,) if ends else (world.built - world.saved, *wanted)),
        gate,
        world.needed,
        *(() if ends else (world.there, bool(state.told_wait), failures, inputs)),
        (questions, world.asked - world.saved) if questions else (),
    )
