"""The fleet: the generations of the app, and the one that is wanted.

A failure never changes which version is wanted: the last one that was built well. How one
generation replaces another is data (`Strategy`), never a branch on a mode elsewhere.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.announce import announce_start, announce_stop, why
from reloader.core.life import UP, Event, Life
from reloader.core.news import (
    AppCompleted,
    AppDropped,
    AppExited,
    AppNotReady,
    AppReady,
    StartFailed,
    Warned,
)
from reloader.core.orders import Route
from reloader.core.state import (
    Again,
    Ended,
    Shortage,
    Start,
    Started,
    State,
    Turn,
    is_moving,
    past,
    spawn,
)
from reloader.core.values import Gate, Reason, Role, Seconds, Task, Version
from reloader.light import replace

if TYPE_CHECKING:
    from reloader.core.facts import SpawnFailed
    from reloader.core.life import Proc
    from reloader.core.news import News
    from reloader.core.values import Status, Ticket

RERUN_MOST: Seconds = 30.0  # the longest wait between two starts of an app that keeps ending
RERUN_HEALTHY: Seconds = 10.0  # an app that lived this long was no crash loop
RETRY_FIRST: Seconds = 0.1  # after a spawn that failed for want of memory, processes, descriptors
RETRY_MOST: Seconds = 5.0
LEAVING_MOST = 2  # generations that may be on their way out while a new one starts

# --- facts ---------------------------------------------------------------------------------------


def record_start(state: State, proc: Proc, now: Seconds) -> Turn:
    """Handles the start of any process; an app is ready at once unless BecameReady is to come."""
    strategy = state.settings.strategy
    if proc.is_app and strategy.awaits_ready:
        proc = replace(proc, ready_by=now + strategy.ready_within)
    elif proc.is_app:
        proc = replace(proc.after(Event.BECAME_READY), ready_at=now)
    state = replace(state.put(proc), shortage=None)
    return Turn(state, news=announce_start(proc, now))


def record_ready(state: State, ticket: Ticket, address: str, now: Seconds) -> Turn:
    """Handles a generation that can answer; too late for one that is gone or being stopped."""
    proc = next((p for p in state.generations if p.ticket == ticket), None)
    if proc is None or proc.life is not Life.RUNNING or not proc.wanted or proc.version is None:
        return Turn(state)
    ready = replace(proc.after(Event.BECAME_READY), ready_at=now, ready_by=None, address=address)
    cause = proc.version.cause
    news = AppReady(
        proc.pid, proc.version.number, now - cause.since, address, cause.path, cause.count
    )
    return Turn(state.put(ready), news=(news,))


def record_idle(state: State, ticket: Ticket, now: Seconds) -> Turn:
    for proc in state.generations:
        if proc.ticket == ticket and proc.life is Life.DRAINING:
            return Turn(state.put(replace(proc, drain_by=now)))
        # Before it was asked again, this is the late answer to what was asked while it drained.
        was_asked = proc.life is Life.STOPPING and proc.streams_at is None
        if proc.ticket == ticket and was_asked and state.shutdown is None:
            return Turn(state.put(replace(proc, kill_at=now)))
    return Turn(state)


def record_no_start(state: State, proc: Proc, fact: SpawnFailed, now: Seconds) -> Turn:
    """Handles an app that could not be started, or anything that may start in a moment."""
    role, said = proc.task.role.value, f"{fact.command}: {fact.why}"
    if fact.passing and state.shutdown is None:
        failures = state.shortage.failures if state.shortage else 0
        wait = min(RETRY_FIRST * 2**failures, RETRY_MOST)
        state = replace(state, shortage=Shortage(failures + 1, now + wait, said))
        if proc.version and state.fleet.want == Started(proc.version):
            state = state.with_want(Start(proc.version))
        return Turn(state, news=(StartFailed(role, fact.command, fact.why, wait),))
    if proc.version and state.fleet.want == Started(proc.version):
        state = state.with_want(Ended(proc.version, said, failed=True, command=fact.command))
    return Turn(state, news=(StartFailed(role, fact.command, fact.why, None),))


def record_app_exit(state: State, proc: Proc, status: Status, survivors: int, now: Seconds) -> Turn:
    stopped = proc.life not in UP or not proc.wanted
    state = state.put(proc.after(Event.EXITED_LEAVING_CHILDREN if survivors else Event.EXITED))
    if stopped:
        return Turn(state, news=() if survivors else announce_stop(proc, now))
    turn = _record_end(state, proc, status, now)
    return _stop_orphans(turn, proc.ticket, survivors) if survivors and not status.ok else turn


def _stop_orphans(turn: Turn, ticket: Ticket, survivors: int) -> Turn:
    """Stops the workers of an app whose main process has failed: they would serve old code.

    Processes that an app leaves behind as it exits with 0 are its daemons, and stay.
    """
    each = "process that it has" if survivors == 1 else f"{survivors} processes that it has"
    text = f"the app's main process has ended; reloader stops the {each} left behind"
    state = turn.state.mark_for_stop(turn.state.proc(ticket))
    return replace(turn, state=state, news=(*turn.news, Warned(text)))


def _record_end(state: State, proc: Proc, status: Status, now: Seconds) -> Turn:
    """Handles an app that ended by itself; with `rerun` it starts again, ever more slowly."""
    lived, reason = now - proc.started_at, why(status)
    told = AppExited(proc.pid, status.ok, reason, lived, None)
    if proc.version is None or state.fleet.want != Started(proc.version):
        return Turn(state, news=(told,))  # another one is wanted already
    if (kept := state.running) is not None:
        return Turn(*_dropped(state, proc, reason, kept, now))
    rerun, crashes = state.settings.rerun, state.fleet.crashes
    has_completed = state.settings.once and status.ok
    if rerun is None or has_completed:
        ended = Ended(proc.version, reason, not status.ok, proc.command)
        completed = AppCompleted(proc.pid, lived)
        return Turn(state.with_want(ended), news=(completed if has_completed else told,))
    if lived >= RERUN_HEALTHY or (status.ok and lived >= 1):
        crashes = 0
    wait = rerun if crashes == 0 else min(max(rerun, 1) * 2 ** (crashes - 1), RERUN_MOST)
    fleet = replace(state.fleet, want=Again(proc.version, now + wait, reason), crashes=crashes + 1)
    return Turn(replace(state, fleet=fleet), news=(replace(told, restart_in=wait),))


def _dropped(
    state: State, proc: Proc, reason: str, kept: Proc, now: Seconds
) -> tuple[State, tuple[()], tuple[News, ...]]:
    """The new generation is not good enough: the one before goes on."""
    if proc.version is None:
        raise AssertionError(f"no generation: {proc}")
    lived = now - proc.started_at
    news = AppDropped(proc.pid, proc.version.number, reason, lived, kept.pid)
    ended = Ended(proc.version, reason, failed=True, command=proc.command)
    return state.with_want(ended), (), (news,)


# --- rules ---------------------------------------------------------------------------------------


def start_again(state: State, now: Seconds) -> Turn | None:
    want = state.fleet.want
    if not isinstance(want, Again) or not past(want.at, now):
        return None
    number = state.fleet.versions + 1
    cause = replace(want.version.cause, reason=Reason.RERUN, since=now)
    start = Start(Version(number, cause, want.version.round))
    return Turn(replace(state, fleet=replace(state.fleet, want=start, versions=number)))


def replace_generation(state: State, now: Seconds) -> Turn | None:
    """Starts the wanted version when the strategy allows it, and stops what is in its way."""
    want = state.fleet.want
    if not isinstance(want, Start):
        return None
    in_the_way = blocking(state)
    if marked := tuple(p for p in in_the_way if p.wanted):
        return Turn(state.mark_for_stop(*marked)) if state.pause is None else None
    if in_the_way or sum(not p.wanted for p in state.generations) > LEAVING_MOST:
        return None
    state = state.with_want(Started(want.version))
    return spawn(state, Task(Role.APP), want.version)


def blocking(state: State) -> tuple[Proc, ...]:
    """The generations that have to be gone before the next one may start."""
    if state.settings.strategy.overlap:
        return tuple(p for p in state.generations if p.ready_at is None)
    return state.generations


def retire(state: State, now: Seconds) -> Turn | None:
    """A generation that is ready takes over; those before it are stopped."""
    if (serving := state.serving) is None:
        return None
    older = tuple(p for p in state.generations if p.wanted and p.ticket < serving.ticket)
    return Turn(state.mark_for_stop(*older)) if older else None


def give_up_waiting(state: State, now: Seconds) -> Turn | None:
    """Reports a generation that is not ready in time; beside one that serves it is dropped."""
    for proc in state.generations:
        is_starting = proc.wanted and proc.life is Life.RUNNING
        if not is_starting or proc.version is None or not past(proc.ready_by, now):
            continue
        seconds = now - proc.started_at
        state = state.put(replace(proc, ready_by=None))
        if kept := state.serving:
            state, _, news = _dropped(state, proc, f"not ready in {seconds:.3g} s", kept, now)
            return Turn(state.mark_for_stop(state.proc(proc.ticket)), news=news)
        news = (AppNotReady(proc.pid, proc.version.number, seconds),)
        return Turn(state, news=news)
    return None


def move_gate(state: State, now: Seconds) -> Turn | None:
    if not state.settings.strategy.holds or (gate := gate_of(state)) == state.fleet.gate:
        return None
    state = replace(state, fleet=replace(state.fleet, gate=gate))
    return Turn(state, (Route(*gate),))


def gate_of(state: State) -> tuple[Gate, Ticket | None]:
    """Clients are held only while something is coming."""
    if serving := state.serving:
        return Gate.OPEN, serving.ticket
    starting = any(p.wanted and p.life in (Life.SPAWNING, *UP) for p in state.generations)
    coming = isinstance(state.fleet.want, (Start, Again)) or starting or is_moving(state)
    if coming and state.settings.app and state.shutdown is None:
        return Gate.HOLD, None
    return Gate.REFUSE, None
