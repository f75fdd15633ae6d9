"""The one state machine: the only place that knows what may follow what.

Everything that decides is here, as a table (the life of a process) and as a short ordered list of
rules that run until none fires. Pure: no clock, no process, no file; time is an argument.
"""

from __future__ import annotations

import signal
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from reloader.core.announce import announce_start, announce_stop, loop_text, why
from reloader.core.debounce import Burst, Git, gather
from reloader.core.facts import (
    Asked,
    ConfigLoaded,
    Fact,
    FilesChanged,
    GitMoved,
    Measured,
    Noticed,
    ProcessExited,
    ProcessStarted,
    SignalReceived,
    SpawnFailed,
    Tick,
    TreeEmptied,
)
from reloader.core.feedback import APP_WINDOW, Job, Loops
from reloader.core.formatters import Echoes
from reloader.core.life import Event, Life, Proc
from reloader.core.needs import NOTHING, RELOAD, RESTART, Needs
from reloader.core.news import (
    AppExited,
    BuildCancelled,
    BuildFailed,
    BuildSucceeded,
    ChangeSeen,
    HookFailed,
    News,
    Paused,
    QuitFinished,
    QuitStarted,
    Resumed,
    RuleFailed,
    RuleSucceeded,
    StartFailed,
    Warned,
)
from reloader.core.orders import Kill, Measure, Order, Quit, Spawn, Stop
from reloader.core.values import Change, Role, Scope, Seconds, Status, Task, Ticket, Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from dataclasses import dataclass

    from reloader.core.settings import Settings
else:
    from reloader.light import dataclass

JOB_GRACE: Seconds = 0.5  # a build, rule or hook that must go has written nothing worth waiting for
KILL_AGAIN: Seconds = 0.5  # a kill is repeated until nothing is left: what forks may escape one
POST_TIME: Seconds = 5.0  # all post_cmd together; an exit must not hang on them
GIVE_UP: Seconds = 2.0  # after everything got SIGKILL; only what the kernel holds is left then
ASKED_ONCE: Seconds = 0.005  # timeout(1) signals us and then, at once, our whole group
RERUN_MOST: Seconds = 30.0
RERUN_HEALTHY: Seconds = 10.0  # an app that lived this long was no crash loop
RETRY_FIRST: Seconds = 0.1  # after a spawn that failed for want of memory, processes, descriptors
RETRY_MOST: Seconds = 5.0

# --- state ---------------------------------------------------------------------------------------


class Phase(Enum):
    RUNNING = auto()
    QUITTING = auto()  # asked once: everything gets its grace
    FORCED = auto()  # asked twice, or out of time: no more grace
    DONE = auto()


@dataclass(frozen=True)
class State:
    settings: Settings
    owed: Needs = RELOAD
    bursts: tuple[Burst, ...] = ()
    git: Git = Git()
    loops: Loops = Loops()
    echoes: Echoes = Echoes()
    procs: tuple[Proc, ...] = ()
    step: int = 0  # of the build that is owed: what has succeeded so far
    held: bool = False  # a failure is on show: nothing is tried before the next change
    doomed: int = 0  # builds in a row that a change has doomed
    crashes: int = 0  # in a row
    rerun_at: Seconds | None = None
    retries: int = 0  # spawns in a row that failed for a passing reason
    retry_at: Seconds | None = None
    tickets: Ticket = 0  # the last one given out
    every: int = 1  # from one ticket to the next: several machines share one row of numbers
    paused: Needs | None = None  # what was asked for meanwhile; None: not paused
    phase: Phase = Phase.RUNNING
    quit_at: Seconds = 0.0  # when we were asked to quit
    asked_at: Seconds = 0.0  # when we were last asked
    typed: int = 0  # the signal, if a key has sent it: the app gets the very same
    posts: int = 0  # post_cmd that have run
    post_by: Seconds | None = None
    force_at: Seconds | None = None
    over_at: Seconds | None = None

    @property
    def done(self) -> bool:
        return self.phase is Phase.DONE

    def proc(self, ticket: Ticket) -> Proc:
        return next(p for p in self.procs if p.ticket == ticket)

    def of(self, *roles: Role) -> tuple[Proc, ...]:
        return tuple(p for p in self.procs if p.task.role in roles)

    def put(self, proc: Proc) -> State:
        """With this version of the process; one that is gone is forgotten."""
        others = tuple(p for p in self.procs if p.ticket != proc.ticket)
        return replace(self, procs=others if proc.life is Life.GONE else (*others, proc))

    def unwant(self, *procs: Proc) -> State:
        state = self
        for proc in procs:
            state = state.put(replace(proc, wanted=False))
        return state


@dataclass(frozen=True)
class Turn:
    """What one fact or one rule leads to."""

    state: State
    orders: tuple[Order, ...] = ()
    news: tuple[News, ...] = ()


def next_deadline(state: State) -> Seconds | None:
    times = [at for p in state.procs for at in (p.kill_at, p.measure_at)]
    times += [state.force_at, state.over_at]
    if state.paused is None:
        times += [burst_due(state, burst) for burst in state.bursts]
        times += [state.rerun_at, state.retry_at]
    return min((t for t in times if t is not None), default=None)


def burst_due(state: State, burst: Burst) -> Seconds:
    settings = state.settings
    pace = settings.rule_paces.get(burst.lane, settings.pace) if burst.lane else settings.pace
    return burst.due_at(pace, state.doomed, state.git)


# --- record: what happened is booked, nothing is decided that a rule can decide ------------------


def record(state: State, fact: Fact, now: Seconds) -> Turn:  # noqa: C901, PLR0911 -- one for each fact
    match fact:
        case FilesChanged(changes):
            return record_changes(state, changes, now)
        case GitMoved(busy, head):
            return Turn(replace(state, git=Git(busy, head)))
        case ProcessStarted(ticket, pid, command):
            proc = state.proc(ticket).after(Event.STARTED)
            measure_at = state.loops.measure_at(now) if proc.task.role is Role.APP else None
            proc = replace(proc, pid=pid, command=command, started_at=now, measure_at=measure_at)
            state = replace(state.put(proc), retries=0)
            return Turn(state, news=announce_start(proc))
        case SpawnFailed(ticket):
            return record_no_start(state, state.proc(ticket), fact, now)
        case ProcessExited(ticket, status, survivors):
            return record_exit(state, state.proc(ticket), status, survivors, now)
        case TreeEmptied(ticket):
            proc = state.proc(ticket)
            return Turn(state.put(proc.after(Event.EMPTIED)), news=announce_stop(proc, now))
        case Measured(ticket, written):
            procs = tuple(
                p.measured(written, now) if p.ticket == ticket else p for p in state.procs
            )
            return Turn(replace(state, procs=procs))
        case ConfigLoaded(settings, needs):
            return Turn(record_config(state, settings, needs))
        case SignalReceived(number, typed):
            return record_signal(state, number, now, typed=typed)
        case Asked(wish):
            return record_wish(state, wish)
        case Noticed(news):
            return Turn(state, news=(news,))
        case Tick():
            return Turn(state)


def record_changes(state: State, changes: tuple[Change, ...], now: Seconds) -> Turn:
    """They join their bursts, but for those that our own jobs have made."""
    if state.phase is not Phase.RUNNING:
        return Turn(state)
    counting: list[Change] = []
    news: list[News] = []
    waits: dict[str, Seconds | None] = {}
    lanes = [min(change.needs.rules, default="") for change in changes]
    procs = {lane: job_of(state, lane, now) for lane in lanes}
    jobs = {lane: Job.of(proc, now) if proc else None for lane, proc in procs.items()}
    asked = [(lane, change, jobs[lane]) for lane, change in zip(lanes, changes, strict=True)]
    loops, verdicts = state.loops.judge(asked, now)
    for (lane, change, _), verdict in zip(asked, verdicts, strict=True):
        if verdict.counts:
            counting.append(change)
            waits[change.path] = verdict.wait
        if (proc := procs[lane]) and verdict.is_found_out:
            news.append(Warned(loop_text(change.path, proc)))
    bursts = gather(
        state.bursts,
        tuple(counting),
        now,
        state.git,
        state.echoes,
        listens=state.settings.task(0) is None,
        waits=waits,
    )
    return Turn(replace(state, bursts=bursts, loops=loops), news=tuple(news))


def record_config(state: State, settings: Settings, needs: Needs) -> State:
    """New settings; rules that are gone are owed nothing."""
    rules = settings.rule_paces.keys()
    bursts = tuple(b for b in state.bursts if not b.lane or b.lane in rules)
    owed = replace(state.owed, rules=state.owed.rules & rules)
    state = replace(state, settings=settings, bursts=bursts, owed=owed)
    if state.paused is not None:
        return replace(state, paused=state.paused | needs)
    return owe(state, needs) if needs and state.phase is Phase.RUNNING else state


def record_wish(state: State, wish: Wish) -> Turn:
    """A key of the user's. Paused, all but going on is kept for later; at the end it is nothing."""
    if state.phase is not Phase.RUNNING:
        return Turn(state)
    match wish:
        case Wish.PAUSE if state.paused is None:
            return Turn(replace(state, paused=NOTHING), news=(Paused(),))
        case Wish.PAUSE:
            paths = {path for burst in state.bursts for path in burst.paths}
            asked, state = state.paused, replace(state, paused=None)
            state = fulfil(state, asked or NOTHING)
            return Turn(state, news=(Resumed(len(paths)),))
        case Wish.RESTART | Wish.BUILD:
            needs = RELOAD if wish is Wish.BUILD else RESTART
            if state.paused is not None:
                return Turn(replace(state, paused=state.paused | needs), news=(Paused(),))
            return Turn(fulfil(state, needs))


def fulfil(state: State, needs: Needs) -> State:
    """A build begins anew; a restart waits for a build under way, and for one that has failed."""
    if needs.build:
        return owe(state, needs)
    if not needs:
        return state
    busy = any(p.wanted for p in state.of(Role.PRE, Role.BUILD))
    return replace(
        state,
        owed=state.owed | needs,
        step=state.step if busy or not state.held else 0,
        held=False,
        crashes=0,
        rerun_at=None,
        retry_at=None,
    )


def suspect(state: State, now: Seconds) -> Ticket | None:
    """The app that may have written what has changed: it is to be measured before that is told."""
    proc = job_of(state, "", now)
    return proc.ticket if proc and proc.task.role is Role.APP else None


def job_of(state: State, lane: str, now: Seconds) -> Proc | None:
    """Who may have written what this lane is about; an app counts while it starts."""
    if lane:
        jobs = [p for p in state.of(Role.RULE) if p.task.name == lane]
    else:
        starting = [p for p in state.of(Role.APP) if now - p.started_at <= APP_WINDOW]
        jobs = [*state.of(Role.PRE, Role.BUILD), *starting]
    return next((p for p in jobs if p.life is Life.RUNNING and p.wanted), None)


def record_no_start(state: State, proc: Proc, fact: SpawnFailed, now: Seconds) -> Turn:
    state = state.put(proc.after(Event.NOT_STARTED))
    task = proc.task
    if task.role is Role.APP and state.phase is Phase.RUNNING:
        state = replace(state, owed=state.owed | Needs(restart=True))
    if fact.passing and task.role is not Role.POST and state.phase is Phase.RUNNING:
        wait = min(RETRY_FIRST * 2**state.retries, RETRY_MOST)
        state = replace(state, retries=state.retries + 1, retry_at=now + wait)
        return Turn(state, news=(StartFailed(task.role.value, fact.command, fact.why, wait),))
    if task.role is Role.APP:
        news = StartFailed(task.role.value, fact.command, fact.why, None)
        return Turn(replace(state, held=True), news=(news,))
    return record_failure(state, replace(proc, command=fact.command), fact.why, 0.0)


def record_exit(state: State, proc: Proc, status: Status, survivors: int, now: Seconds) -> Turn:
    after = proc.after(Event.LEFT if survivors else Event.EXITED)
    stopped = proc.life is not Life.RUNNING or not proc.wanted  # we ended it, it did not
    seconds = now - proc.started_at
    if proc.task.role is Role.APP:
        state = state.put(after)
        if not stopped:
            return record_app_end(state, proc, status, now)
        return Turn(state, news=() if survivors else announce_stop(proc, now))
    # What a job leaves behind is swept; only a daemon that a success has set up may stay.
    swept = Scope.GROUP if status.ok and not stopped else Scope.TREE
    state = state.put(replace(after, wanted=False, scope=swept))
    if stopped:
        if proc.task.role is Role.POST:
            return record_failure(state, proc, "took too long", seconds)
        cancelled = BuildCancelled(proc.command, seconds)
        return Turn(state, news=(cancelled,) if proc.task.role is Role.BUILD else ())
    if status.ok:
        return record_success(state, proc, seconds)
    return record_failure(state, proc, why(status), seconds)


def record_success(state: State, proc: Proc, seconds: Seconds) -> Turn:
    task = proc.task
    match task.role:
        case Role.PRE:
            return Turn(replace(state, step=state.step + 1))
        case Role.BUILD:
            state = replace(state, step=state.step + 1, doomed=0)
            return Turn(state, news=(BuildSucceeded(proc.command, seconds),))
        case Role.RULE:
            then = state.settings.rule_then.get(task.name, NOTHING)
            owed = state.owed.met(Needs(rules=frozenset({task.name}))) | then
            news = RuleSucceeded(task.name, proc.command, seconds)
            return Turn(replace(state, owed=owed), news=(news,))
        case Role.POST:
            return Turn(replace(state, posts=state.posts + 1))
        case Role.APP:
            raise AssertionError("an app has no success")


def record_failure(state: State, proc: Proc, reason: str, seconds: Seconds) -> Turn:
    """A failed build keeps its need; nothing is tried again before the next change."""
    settings, task = state.settings, proc.task
    failed_hook = HookFailed(task.role.value, proc.command, reason, seconds)
    if task.role is Role.RULE:
        news = RuleFailed(task.name, proc.command, reason, seconds)
        if task.name in settings.rule_then:  # the app waits for it: the need stays
            return Turn(replace(state, held=True), news=(news,))
        owed = state.owed.met(Needs(rules=frozenset({task.name})))
        return Turn(replace(state, owed=owed), news=(news,))
    if task.role is Role.POST:
        return Turn(replace(state, posts=state.posts + 1), news=(failed_hook,))
    if task.role is Role.PRE and settings.pre_may_fail:
        return Turn(replace(state, step=settings.pre), news=(failed_hook,))
    apps = state.of(Role.APP)
    state = replace(state, held=True, doomed=0)
    if settings.stop_on_error:
        state, apps = state.unwant(*apps), ()
    goes_on = next((p.pid for p in apps if p.life is Life.RUNNING and p.wanted), 0)
    return Turn(state, news=(BuildFailed(proc.command, reason, seconds, goes_on),))


def record_app_end(state: State, proc: Proc, status: Status, now: Seconds) -> Turn:
    """It ended by itself: started again if `rerun` says so, the more slowly the more it fails."""
    rerun, lived = state.settings.rerun, now - proc.started_at
    wait = None
    if rerun is not None and state.phase is Phase.RUNNING:
        crashes = 0 if lived >= RERUN_HEALTHY or (status.ok and lived >= 1) else state.crashes
        wait = rerun if crashes == 0 else min(max(rerun, 1) * 2 ** (crashes - 1), RERUN_MOST)
        state = replace(state, crashes=crashes + 1, rerun_at=now + wait)
    return Turn(state, news=(AppExited(proc.pid, status.ok, why(status), lived, wait),))


def record_signal(state: State, number: int, now: Seconds, *, typed: bool) -> Turn:
    match state.phase:
        case Phase.RUNNING:
            settings = state.settings
            longest = settings.grace + settings.post * POST_TIME + GIVE_UP
            state = replace(
                state,
                phase=Phase.QUITTING,
                paused=None,
                quit_at=now,
                asked_at=now,
                typed=number if typed else 0,
                force_at=now + min(longest, settings.exit_within or longest),
                owed=NOTHING,
                bursts=(),
                rerun_at=None,
                retry_at=None,
            )
            state = state.unwant(*state.procs)
            return Turn(state, news=(QuitStarted(signal.Signals(number).name),))
        case _ if now < state.asked_at + ASKED_ONCE:
            return Turn(state)
        case Phase.QUITTING:
            return Turn(replace(state, asked_at=now, force_at=now))
        case Phase.FORCED:
            return Turn(replace(state, over_at=now))
        case Phase.DONE:
            return Turn(state)


# --- rules: the first that fires, again and again, until none does -------------------------------


def force_exit(state: State, now: Seconds) -> Turn | None:
    """Out of time, or asked twice: everything is killed, no hook runs any more."""
    if state.phase is not Phase.QUITTING or not past(state.force_at, now):
        return None
    procs = tuple(replace(p, kill_at=now, wanted=False) for p in state.procs)
    state = replace(state, phase=Phase.FORCED, procs=procs, force_at=None, over_at=now + GIVE_UP)
    return Turn(state)


def kill_overdue(state: State, now: Seconds) -> Turn | None:
    """What outlived its grace is killed, again and again, until nothing is left of it."""
    for proc in state.procs:
        if proc.life not in (Life.SPAWNING, Life.GONE) and past(proc.kill_at, now):
            killed = replace(proc.after(Event.FORCED), kill_at=now + KILL_AGAIN)
            return Turn(state.put(killed), (Kill(proc.ticket, proc.scope),))
    return None


def settle_burst(state: State, now: Seconds) -> Turn | None:
    """A settled burst joins what is owed and dooms what was at work on an older state."""
    for burst in state.bursts if state.paused is None else ():
        if burst_due(state, burst) > now:
            continue
        others = tuple(b for b in state.bursts if b is not burst)
        state = replace(state, bursts=others)
        if burst.lane:
            held = state.held and burst.lane not in state.settings.rule_then
            stale = tuple(p for p in state.of(Role.RULE) if p.task.name == burst.lane)
            state = replace(state, owed=state.owed | burst.needs, held=held).unwant(*stale)
        else:
            state = replace(owe(state, burst.needs), echoes=state.echoes.settled(burst, now))
        cause = burst.cause(state.git)
        news = ChangeSeen(burst.first_path, len(burst.paths), burst.lane, cause)
        return Turn(state, news=(news,))
    return None


def owe(state: State, needs: Needs) -> State:
    """What the app needs now; a build that is at work is doomed, a failure is over."""
    stale = tuple(p for p in state.of(Role.PRE, Role.BUILD) if p.wanted)
    state = replace(
        state,
        owed=state.owed | needs,
        step=0,
        held=False,
        doomed=state.doomed + 1 if stale else state.doomed,
        crashes=0,
        rerun_at=None,
        retry_at=None,
    )
    return state.unwant(*stale)


def stop_unwanted(state: State, now: Seconds) -> Turn | None:
    """What is not wanted is asked to stop, once; what a job left behind is killed at once."""
    for proc in state.procs:
        if proc.wanted or proc.life not in (Life.RUNNING, Life.DETACHED):
            continue
        if proc.task.role is not Role.APP and proc.life is Life.DETACHED:
            return Turn(state.put(replace(proc, kill_at=now)))
        grace = state.settings.grace if proc.task.role is Role.APP else JOB_GRACE
        asked = replace(proc.after(Event.ASKED), asked_at=now, kill_at=now + grace)
        asks = state.typed or state.settings.stop_signal
        number = asks if proc.task.role is Role.APP else signal.SIGTERM
        return Turn(state.put(asked), (Stop(proc.ticket, number),))
    return None


def retry(state: State, now: Seconds) -> Turn | None:
    """A spawn that failed for a passing reason is tried again."""
    if state.paused is not None or not past(state.retry_at, now):
        return None
    return Turn(replace(state, retry_at=None))


def run_rule(state: State, now: Seconds) -> Turn | None:
    """A rule's command runs beside everything else, but never twice at once."""
    if not may_begin(state):
        return None
    busy = {p.task.name for p in state.of(Role.RULE)}
    waiting = state.settings.rule_then.keys() if state.held else ()
    for name in sorted(state.owed.rules - busy - set(waiting)):
        return spawn(state, Task(Role.RULE, name=name))
    return None


def run_build(state: State, now: Seconds) -> Turn | None:
    """The next step of the build, when the one before has succeeded and nothing is left of it."""
    if not state.owed.build or not may_begin(state) or not may_go_on(state):
        return None
    if state.of(Role.PRE, Role.BUILD):
        return None
    task = state.settings.task(state.step)
    if task is None:
        return Turn(replace(state, owed=state.owed.met(Needs(build=True))))
    return spawn(state, task)


def swap_app(state: State, now: Seconds) -> Turn | None:
    """Old out, new in: the old app is stopped first, and the new one starts when it is gone."""
    owed = state.owed
    if not owed.restart or owed.build or not may_go_on(state):
        return None
    if old := tuple(p for p in state.of(Role.APP) if p.wanted):
        return Turn(state.unwant(*old)) if may_begin(state) else None
    if state.of(Role.APP):
        return None
    state = replace(state, owed=owed.met(Needs(restart=True)), rerun_at=None)
    return spawn(state, Task(Role.APP)) if state.settings.app else Turn(state)


def rerun_app(state: State, now: Seconds) -> Turn | None:
    """An app that ended by itself is owed a start once its time has come."""
    if state.phase is not Phase.RUNNING or state.paused is not None:
        return None
    if not past(state.rerun_at, now):
        return None
    return Turn(replace(state, rerun_at=None, owed=state.owed | Needs(restart=True)))


def measure_app(state: State, now: Seconds) -> Turn | None:
    """What it writes while it starts is not held against it."""
    for proc in state.of(Role.APP):
        if past(proc.measure_at, now):
            return Turn(state.put(replace(proc, measure_at=None)), (Measure(proc.ticket),))
    return None


def run_post(state: State, now: Seconds) -> Turn | None:
    """When everything has ended, each post_cmd runs once, all within their time."""
    if state.phase is not Phase.QUITTING or state.procs or state.posts >= state.settings.post:
        return None
    post_by = state.post_by if state.post_by is not None else now + POST_TIME
    if post_by <= now:
        return Turn(replace(state, posts=state.settings.post))
    turn = spawn(replace(state, post_by=post_by), Task(Role.POST, state.posts))
    proc = replace(turn.state.proc(turn.state.tickets), kill_at=post_by)
    return replace(turn, state=turn.state.put(proc))


def finish(state: State, now: Seconds) -> Turn | None:
    """Quit exactly once: when nothing is alive, or when what is left can't be helped."""
    if state.phase not in (Phase.QUITTING, Phase.FORCED):
        return None
    abandoned = past(state.over_at, now)
    if state.procs and not abandoned:
        return None
    left = ", ".join(str(p.pid) for p in state.procs)
    news: tuple[News, ...] = (QuitFinished(now - state.quit_at),)
    if left:
        news = (Warned(f"still alive after SIGKILL: {left}"), *news)
    state = replace(state, phase=Phase.DONE, procs=(), force_at=None, over_at=None)
    return Turn(state, (Quit(),), news)


RULES: tuple[Callable[[State, Seconds], Turn | None], ...] = (
    force_exit,
    kill_overdue,
    settle_burst,
    rerun_app,
    retry,
    stop_unwanted,
    run_rule,
    run_build,
    swap_app,
    measure_app,
    run_post,
    finish,
)


def past(deadline: Seconds | None, now: Seconds) -> bool:
    return deadline is not None and deadline <= now


def may_spawn(state: State) -> bool:
    return state.phase is Phase.RUNNING and state.retry_at is None


def may_begin(state: State) -> bool:
    """Paused, nothing begins; but who has lost its app to a swap under way gets the new one."""
    return may_spawn(state) and state.paused is None


def may_go_on(state: State) -> bool:
    """No failure is on show, and no rule is owed that a build or a start has to wait for."""
    first = state.owed.rules & state.settings.rule_then.keys()
    return may_spawn(state) and not state.held and not first


def spawn(state: State, task: Task) -> Turn:
    ticket = state.tickets + state.every
    state = replace(state, tickets=ticket).put(Proc(ticket, task))
    return Turn(state, (Spawn(ticket, task),))


def advance(
    state: State, facts: Iterable[Fact], now: Seconds
) -> tuple[State, tuple[Order, ...], tuple[News, ...]]:
    """One step: all facts at hand are booked, then rules run to a fixed point."""
    orders: tuple[Order, ...] = ()
    news: tuple[News, ...] = ()
    for fact in facts:
        turn = record(state, fact, now)
        state, orders, news = turn.state, orders + turn.orders, news + turn.news
    for _ in range(1000):
        for rule in RULES:
            if (more := rule(state, now)) is not None:
                state, orders, news = more.state, orders + more.orders, news + more.news
                break
        else:
            return state, orders, news
    raise AssertionError(f"the rules find no end: {state}")
