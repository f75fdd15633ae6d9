"""The end of a run: one request to end is a grace for everything, a second one is SIGKILL.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from reloader.core.news import AppRemoved, QuitFinished, QuitStarted, Warned
from reloader.core.orders import Quit
from reloader.core.state import (
    Done,
    Fleet,
    Forced,
    Idle,
    Pipeline,
    Quitting,
    State,
    Turn,
    past,
    spawn,
)
from reloader.core.values import Role, Seconds, Task
from reloader.light import replace

if TYPE_CHECKING:
    from reloader.core.news import News

POST_TIME: Seconds = 5.0  # for all post_cmd together; the exit must not hang on them
GIVE_UP: Seconds = 2.0  # from SIGKILL to the exit, even if the kernel holds a process longer
# Two signals within this time are one request: timeout(1) signals its child, then the group.
SAME_REQUEST: Seconds = 0.005


def record_signal(state: State, number: int, now: Seconds, *, typed: bool) -> Turn:
    match state.shutdown:
        case None:
            state = _begin_end(state, number if typed else 0, now)
            return Turn(state, news=(QuitStarted(signal.Signals(number).name),))
        case Quitting() as quitting if now >= quitting.asked_at + SAME_REQUEST:
            asked = replace(quitting, asked_at=now, force_at=now)
            return Turn(replace(state, shutdown=asked))
        case Forced() as forced if now >= forced.asked_at + SAME_REQUEST:
            return Turn(replace(state, shutdown=replace(forced, over_at=now)))
        case _:
            return Turn(state)


def record_dismissal(state: State, now: Seconds) -> Turn:
    """Handles the end of this app alone; one that is ending ends as it was told."""
    if state.shutdown is not None:
        return Turn(state)
    return Turn(_begin_end(state, 0, now), news=(AppRemoved(),))


def _begin_end(state: State, typed: int, now: Seconds) -> State:
    settings = state.settings
    within = settings.exit_within
    force_at = None if within is None else now + within
    state = replace(
        state,
        shutdown=_timed(Quitting(now, force_at, now, typed), state, now),
        pipeline=Pipeline(Idle()),
        fleet=Fleet(versions=state.fleet.versions, gate=state.fleet.gate),
        pause=None,
        shortage=None,
        bursts=(),
    )
    return state.mark_for_stop(*state.procs)


def _timed(quitting: Quitting, state: State, now: Seconds) -> Quitting:
    """Returns the shutdown with its limit; the time begins when nothing depends on the app."""
    if state.dependents:
        return quitting
    settings = state.settings
    by = now + settings.grace + settings.post * POST_TIME + GIVE_UP
    return replace(
        quitting, force_at=by if quitting.force_at is None else min(by, quitting.force_at)
    )


def record_dependent(state: State, name: str, now: Seconds, *, is_gone: bool) -> State:
    others = state.dependents - {name} if is_gone else state.dependents | {name}
    was_needed = bool(state.dependents)
    state = replace(state, dependents=others)
    if was_needed and isinstance(state.shutdown, Quitting):
        return replace(state, shutdown=_timed(state.shutdown, state, now))
    return state


def force_exit(state: State, now: Seconds) -> Turn | None:
    quitting = state.shutdown
    if not isinstance(quitting, Quitting) or not past(quitting.force_at, now):
        return None
    procs = tuple(replace(p, kill_at=now, wanted=False) for p in state.procs)
    forced = Forced(quitting.since, quitting.asked_at, over_at=now + GIVE_UP)
    return Turn(replace(state, shutdown=forced, procs=procs))


def run_post(state: State, now: Seconds) -> Turn | None:
    quitting = state.shutdown
    if not isinstance(quitting, Quitting) or quitting.posts >= state.settings.post:
        return None
    post_by = quitting.post_by if quitting.post_by is not None else now + POST_TIME
    if post_by <= now:
        return Turn(replace(state, shutdown=replace(quitting, posts=state.settings.post)))
    state = replace(state, shutdown=replace(quitting, post_by=post_by))
    turn = spawn(state, Task(Role.POST, quitting.posts))
    proc = replace(turn.state.proc(turn.state.tickets), kill_at=post_by)
    return replace(turn, state=turn.state.put(proc))


def finish(state: State, now: Seconds) -> Turn | None:
    shutdown = state.shutdown
    if not isinstance(shutdown, (Quitting, Forced)):
        return None
    abandoned = isinstance(shutdown, Forced) and past(shutdown.over_at, now)
    if state.procs and not abandoned:
        return None
    left = ", ".join(str(p.pid) for p in state.procs)
    news: tuple[News, ...] = (QuitFinished(now - shutdown.since),)
    if left:
        news = (Warned(f"still alive after SIGKILL: {left}"), *news)
    return Turn(replace(state, shutdown=Done(), procs=()), (Quit(),), news)


def post_done(state: State) -> State:
    """Returns the state after a post_cmd has ended, well or not."""
    if isinstance(state.shutdown, Quitting):
        shutdown = replace(state.shutdown, posts=state.shutdown.posts + 1)
        return replace(state, shutdown=shutdown)
    return state
