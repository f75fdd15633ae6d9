"""The end of one process: drained, asked to stop, killed.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from reloader.core.life import UP, Event, Life
from reloader.core.orders import Drain, Kill, Stop
from reloader.core.state import NEEDED_NO_MORE, Quitting, State, Turn, past
from reloader.light import replace

if TYPE_CHECKING:
    from reloader.core.life import Proc
    from reloader.core.values import Seconds

# From SIGTERM to SIGKILL for builds, rules and hooks; short, for their output is discarded.
JOB_GRACE: Seconds = 0.5
# Interval between repeated SIGKILLs: a process that forks during a kill can escape one.
KILL_AGAIN: Seconds = 0.5


# A generation that was asked to stop so long ago, and owes nobody an answer, is killed: browsers'
# event streams and websockets would keep most servers for as long as they are let.
STREAMS: Seconds = 0.75  # with the default drain a second from the last new connection


def kill_overdue(state: State, now: Seconds) -> Turn | None:
    for proc in state.procs:
        if proc.life not in (Life.SPAWNING, Life.GONE) and past(proc.kill_at, now):
            killed = replace(proc.after(Event.KILL_SENT), kill_at=now + KILL_AGAIN)
            return Turn(state.put(killed), (Kill(proc.ticket, proc.scope),))
    return None


def stop_unwanted(state: State, now: Seconds) -> Turn | None:
    for proc in state.procs:
        if proc.wanted or proc.life not in (*UP, Life.DRAINING, Life.ORPHANED):
            continue
        if not proc.is_app:
            return _stop_job(state, proc, now)
        if not NEEDED_NO_MORE.holds(state):
            continue
        if proc.life is Life.DRAINING and not _has_drained(state, proc, now):
            continue
        if proc.life is Life.READY and _waits_its_turn(state, proc, now):
            continue
        if proc.life is Life.READY and _drains(state):
            by = now + state.settings.strategy.drain
            draining = replace(proc.after(Event.DRAIN_BEGUN), drain_by=by)
            return Turn(state.put(draining), (Drain(proc.ticket),))
        typed = state.shutdown.signal if isinstance(state.shutdown, Quitting) else 0
        return _send_stop(state, proc, typed or state.settings.stop_signal, now)
    return None


def _stop_job(state: State, proc: Proc, now: Seconds) -> Turn:
    """Stops a job; processes that it left behind after its own end get no grace."""
    if proc.life is Life.ORPHANED:
        return Turn(state.put(replace(proc, kill_at=now)))
    return _send_stop(state, proc, signal.SIGTERM, now)


def _send_stop(state: State, proc: Proc, number: int, now: Seconds) -> Turn:
    grace = state.settings.grace if proc.is_app else JOB_GRACE
    had_clients = proc.life in (Life.READY, Life.DRAINING) and _sees_clients(state)
    asked = replace(
        proc.after(Event.STOP_SENT),
        stop_sent_at=now,
        kill_at=now + grace,
        drain_by=None,
        streams_at=now + STREAMS if had_clients and grace > STREAMS else None,
    )
    return Turn(state.put(asked), (Stop(proc.ticket, number),))


def look_for_streams(state: State, now: Seconds) -> Turn | None:
    for proc in state.generations:
        if proc.life is Life.STOPPING and past(proc.streams_at, now):
            state = state.put(replace(proc, streams_at=None))
            ask = (Drain(proc.ticket, is_ending=True),) if _sees_clients(state) else ()
            return Turn(state, ask)
    return None


def _waits_its_turn(state: State, proc: Proc, now: Seconds) -> bool:
    """Returns True while a generation before this one is still ending.

    Each that closes its socket moves the others in the group; until they are steered anew, new
    connections may reach one that leaves, so that one must be alive and look at its clients again.
    """
    return _drains(state) and any(
        other.ticket < proc.ticket and _is_ending(state, other, now) for other in state.generations
    )


def _is_ending(state: State, proc: Proc, now: Seconds) -> bool:
    """Returns True from the drain to the end; False for one that even SIGKILL does not end."""
    if proc.life is Life.KILLED:
        return now < proc.stop_sent_at + state.settings.grace + 2 * KILL_AGAIN
    return proc.life in (Life.DRAINING, Life.STOPPING)


def _drains(state: State) -> bool:
    return _sees_clients(state) and state.settings.strategy.drain > 0


def _sees_clients(state: State) -> bool:
    return state.settings.strategy.holds and state.shutdown is None


def _has_drained(state: State, proc: Proc, now: Seconds) -> bool:
    return state.shutdown is not None or past(proc.drain_by, now)
