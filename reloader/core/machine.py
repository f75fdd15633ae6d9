"""The one state machine: the only place that knows what may follow what.

A fact is recorded; then rules run until none fires. Fact handlers only update the state; decisions
are made by RULES, a short ordered table in which each rule names the guards that it needs.

Pure: no clock, no process, no file; time is an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reloader.core import changes, fleet, pipeline, questions, requests, shutdown, stopping
from reloader.core.announce import announce_stop
from reloader.core.changes import burst_due
from reloader.core.debounce import Git
from reloader.core.facts import (
    BecameIdle,
    BecameReady,
    ConfigLoaded,
    DependencyStands,
    DependentStands,
    Dismissed,
    Fact,
    FilesChanged,
    GitMoved,
    Measured,
    Noticed,
    ProcessExited,
    ProcessStarted,
    Requested,
    SignalReceived,
    SpawnFailed,
    Tick,
    TreeEmptied,
)
from reloader.core.life import Event
from reloader.core.news import AppWaits
from reloader.core.state import (
    ALL_GONE,
    CAN_SPAWN,
    INPUTS_THERE,
    NEEDED_NO_MORE,
    NO_JOB,
    NOT_FAILED,
    NOT_PAUSED,
    NOTHING_NEWER,
    OTHERS_THERE,
    RULES_FIRST,
    UP_AND_RUNNING,
    Again,
    Forced,
    Guard,
    Quitting,
    State,
    Turn,
    past,
    waiting,
)
from reloader.core.values import Role, Seconds, Status
from reloader.light import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reloader.core.life import Proc
    from reloader.core.news import News
    from reloader.core.orders import Order


def next_deadline(state: State) -> Seconds | None:
    """Returns when the machine has to be asked again; None if only a fact can change anything."""
    times = [at for proc in state.procs for at in proc.deadlines]
    if isinstance(state.shutdown, Quitting):
        times.append(state.shutdown.force_at)
    if isinstance(state.shutdown, Forced):
        times.append(state.shutdown.over_at)
    times += [question.until for question in state.questions]
    if state.pause is None:
        times += [burst_due(state, burst) for burst in state.bursts]
        times += [state.feedback.next_at] if state.shutdown is None else []
        times += [state.fleet.want.at] if isinstance(state.fleet.want, Again) else []
        times += [state.shortage.retry_at] if state.shortage else []
    return min((t for t in times if t is not None), default=None)


# --- facts ---------------------------------------------------------------------------------------


def record(state: State, fact: Fact, now: Seconds) -> Turn:  # noqa: C901, PLR0911, PLR0912 -- one for each fact
    match fact:
        case FilesChanged(changed):
            return changes.record_changes(state, changed, now)
        case GitMoved(busy, head):
            return Turn(replace(state, git=Git(busy, head)))
        case ProcessStarted(ticket, pid, command, how):
            proc = state.proc(ticket).after(Event.STARTED)
            proc = replace(proc, pid=pid, command=command, how=how, started_at=now)
            return fleet.record_start(changes.note_start(state, proc, now), proc, now)
        case SpawnFailed():
            return record_no_start(state, fact, now)
        case ProcessExited(ticket, status, survivors):
            return record_exit(state, state.proc(ticket), status, survivors, now)
        case TreeEmptied(ticket):
            proc = state.proc(ticket)
            return Turn(state.put(proc.after(Event.TREE_GONE)), news=announce_stop(proc, now))
        case BecameReady(ticket, address):
            return fleet.record_ready(state, ticket, address, now)
        case BecameIdle(ticket):
            return fleet.record_idle(state, ticket, now)
        case Measured(ticket, written):
            if not state.proc(ticket).is_app:
                return Turn(state)
            return Turn(replace(state, feedback=state.feedback.measured(ticket, written)))
        case ConfigLoaded(settings, needs):
            return Turn(requests.record_config(state, settings, needs, now))
        case SignalReceived(number, typed):
            return shutdown.record_signal(state, number, now, typed=typed)
        case Dismissed():
            return shutdown.record_dismissal(state, now)
        case DependencyStands():
            return Turn(requests.record_dependency(state, fact, now))
        case DependentStands(name, is_gone):
            return Turn(shutdown.record_dependent(state, name, now, is_gone=is_gone))
        case Requested(request):
            return requests.record_request(state, request, now)
        case Noticed(news):
            return Turn(state, news=(news,))
        case Tick():
            return Turn(state)


def record_exit(state: State, proc: Proc, status: Status, survivors: int, now: Seconds) -> Turn:
    if proc.is_app:
        return fleet.record_app_exit(state, proc, status, survivors, now)
    turn = pipeline.record_job_end(state, proc, status, survivors, now)
    then = changes.note_end(turn.state, proc, now, left=survivors > 0 and status.ok)
    return Turn(then.state, turn.orders, turn.news + then.news)


def record_no_start(state: State, fact: SpawnFailed, now: Seconds) -> Turn:
    proc = state.proc(fact.ticket)
    state = state.put(proc.after(Event.NOT_STARTED))
    passing = fact.passing and proc.task.role is not Role.POST and state.shutdown is None
    if proc.is_app or passing:
        return fleet.record_no_start(state, proc, fact, now)
    return pipeline.record_failure(state, replace(proc, command=fact.command), fact.why, 0.0)


# --- rules ---------------------------------------------------------------------------------------


class Rule(NamedTuple):
    """A rule fires when its guards hold and `apply` returns a Turn."""

    fires: str  # when, in words
    orders: str  # the orders that it gives, in words; "" for none
    apply: Callable[[State, Seconds], Turn | None]
    needs: tuple[Guard, ...] = ()

    @property
    def name(self) -> str:
        return self.apply.__name__


def retry(state: State, now: Seconds) -> Turn | None:
    if state.shortage is None or not past(state.shortage.retry_at, now):
        return None
    return Turn(replace(state, shortage=replace(state.shortage, retry_at=None)))


def tell_wait(state: State, now: Seconds) -> Turn | None:
    """Tells what is waited for: once, and again if something goes wrong with that."""
    wait = waiting(state)
    text = wait.text if wait else ""
    if text == state.told_wait or (wait and not wait.why and state.told_wait):
        return None
    state = replace(state, told_wait=text)
    if wait is None:
        return Turn(state)
    return Turn(state, news=(AppWaits(wait.name, wait.stage.name.lower(), wait.why),))


RULES: tuple[Rule, ...] = (
    Rule("asked twice to end, or out of time", "", shutdown.force_exit),
    Rule("a process has outlived its grace", "Kill", stopping.kill_overdue),
    Rule(
        "a saved file can't be compiled",
        "",
        pipeline.refuse_broken,
        (UP_AND_RUNNING, NOT_PAUSED),
    ),
    # Before anything newer comes: a version that was built well is wanted, whatever follows.
    Rule(
        "nothing but the start is pending",
        "",
        pipeline.want_version,
        (UP_AND_RUNNING, NOT_FAILED, RULES_FIRST),
    ),
    Rule(
        "what seems to be a loop has waited", "", changes.act_on_waits, (UP_AND_RUNNING, NOT_PAUSED)
    ),
    Rule("changes have settled", "", changes.settle_burst, (NOT_PAUSED,)),
    Rule("the wait after an app's end is over", "", fleet.start_again, (NOT_PAUSED,)),
    Rule("the wait after a failed spawn is over", "", retry, (NOT_PAUSED,)),
    Rule("a generation is not ready in time", "", fleet.give_up_waiting, (UP_AND_RUNNING,)),
    Rule("a newer generation is ready", "", fleet.retire, (UP_AND_RUNNING,)),
    Rule(
        "a rule's command is pending and not at work",
        "Spawn",
        pipeline.run_rule,
        (UP_AND_RUNNING, CAN_SPAWN, NOT_PAUSED),
    ),
    Rule(
        "a build is pending",
        "Spawn",
        pipeline.run_build,
        (
            *(UP_AND_RUNNING, CAN_SPAWN, NOT_PAUSED, NOT_FAILED),
            *(RULES_FIRST, NO_JOB, INPUTS_THERE),
        ),
    ),
    Rule("clients are to be served, held or refused", "Route", fleet.move_gate),
    Rule(
        "the wanted version was not started",
        "Spawn",
        fleet.replace_generation,
        (UP_AND_RUNNING, CAN_SPAWN, NOTHING_NEWER, NO_JOB, OTHERS_THERE),
    ),
    Rule("another app is waited for, or no more", "", tell_wait),
    Rule("a process is not wanted", "Drain, Stop", stopping.stop_unwanted),
    Rule("a stop takes long", "Drain", stopping.look_for_streams),
    Rule("what was saved is live, or is not", "Reply", questions.answer_questions),
    Rule(
        "all has ended and a post_cmd is left",
        "Spawn",
        shutdown.run_post,
        (ALL_GONE, NEEDED_NO_MORE),
    ),
    Rule(
        "all has ended, or what is left can't be helped",
        "Quit",
        shutdown.finish,
        (NEEDED_NO_MORE,),
    ),
)


def fire(rule: Rule, state: State, now: Seconds) -> Turn | None:
    for guard in rule.needs:
        if not guard.holds(state):
            return None
    return rule.apply(state, now)


def advance(
    state: State, facts: Iterable[Fact], now: Seconds
) -> tuple[State, tuple[Order, ...], tuple[News, ...]]:
    """Takes one step: all facts at hand are recorded, then rules run to a fixed point."""
    orders: tuple[Order, ...] = ()
    news: tuple[News, ...] = ()
    for fact in facts:
        turn = record(state, fact, now)
        state, orders, news = turn.state, orders + turn.orders, news + turn.news
    for _ in range(1000):
        for rule in RULES:
            if (more := fire(rule, state, now)) is not None:
                state, orders, news = more.state, orders + more.orders, news + more.news
                break
        else:
            return state, orders, news
    raise AssertionError(f"the rules find no end: {state}")
