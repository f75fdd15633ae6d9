"""Requests from outside: keys and programs ask in one way.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.needs import NOTHING, RELOAD, RESTART, Needs
from reloader.core.news import Paused, Resumed
from reloader.core.orders import Reply
from reloader.core.pipeline import owe, owe_rule, request_restart
from reloader.core.state import Pause, Question, State, Turn
from reloader.core.values import Cause, Outcome, Reason, Stage, Wish
from reloader.light import replace

if TYPE_CHECKING:
    from reloader.core.facts import DependencyStands
    from reloader.core.settings import Settings
    from reloader.core.values import Request, Seconds


def record_request(state: State, request: Request, now: Seconds) -> Turn:
    """Handles a request; while paused, restart and build are queued."""
    if request.wish is Wish.WAIT:
        question = Question(request, now, now + request.within)
        return Turn(replace(state, questions=(*state.questions, question)))
    turn, outcome = _fulfil(state, request.wish, now)
    if request.reply is None:
        return turn
    return replace(turn, orders=(*turn.orders, Reply(request, outcome)))


def _fulfil(state: State, wish: Wish, now: Seconds) -> tuple[Turn, Outcome]:
    if state.shutdown is not None:
        return Turn(state), Outcome.IGNORED
    paused = state.pause is not None
    match wish:
        case Wish.PAUSE | Wish.TOGGLE_PAUSE if not paused:
            return Turn(replace(state, pause=Pause()), news=(Paused(),)), Outcome.ACCEPTED
        case Wish.RESUME | Wish.TOGGLE_PAUSE if paused:
            return _resume(state, now), Outcome.ACCEPTED
        case Wish.RESTART | Wish.BUILD:
            needs = RELOAD if wish is Wish.BUILD else RESTART
            if paused:
                return Turn(queue(state, needs), news=(Paused(),)), Outcome.QUEUED
            return Turn(do(state, needs, Cause(Reason.REQUEST, now))), Outcome.ACCEPTED
        case _:
            return Turn(state), Outcome.ACCEPTED


def _resume(state: State, now: Seconds) -> Turn:
    requested = state.pause.requested if state.pause else NOTHING
    changed = {path for burst in state.bursts for path in burst.paths}
    state = do(replace(state, pause=None), requested, Cause(Reason.REQUEST, now))
    return Turn(state, news=(Resumed(len(changed)),))


def do(state: State, needs: Needs, cause: Cause) -> State:
    """Adds work that was asked for: a build begins anew, a restart waits for one under way."""
    if needs.build:
        return owe(state, needs, cause)
    return request_restart(state, cause) if needs else state


def queue(state: State, needs: Needs) -> State:
    before = state.pause.requested if state.pause else NOTHING
    return replace(state, pause=Pause(before | needs))


def record_dependency(state: State, fact: DependencyStands, now: Seconds) -> State:
    """Handles how another app stands; what has completed anew, and is an input, leads to a reload.

    The files that it has written, and any other change until then, are in the same reload.
    """
    before = state.dependencies.get(fact.name)
    state = replace(state, dependencies={**state.dependencies, fact.name: fact})
    is_input = state.settings.depends_on.get(fact.name) is Stage.COMPLETED
    if not is_input or fact.stage is not Stage.COMPLETED or before == fact:
        return state
    is_again = fact.name in state.inputs
    state = replace(state, inputs=state.inputs | {fact.name})
    if not is_again or state.shutdown is not None:
        return state
    if state.pause is not None:
        return queue(state, RELOAD)
    state = replace(state, bursts=tuple(burst for burst in state.bursts if burst.lane))
    return owe(state, RELOAD, Cause(Reason.DEPENDENCY, now))


def record_config(state: State, settings: Settings, needs: Needs, now: Seconds) -> State:
    """Handles new settings; rules that are gone are forgotten."""
    rules = settings.rule_paces.keys()
    bursts = tuple(b for b in state.bursts if not b.lane or b.lane in rules)
    pending = {name: cause for name, cause in state.pipeline.rules.items() if name in rules}
    pipeline = replace(state.pipeline, rules=pending)
    state = replace(state, settings=settings, bursts=bursts, pipeline=pipeline)
    if state.pause is not None:
        return queue(state, needs)
    if not needs or state.shutdown is not None:
        return state
    state = replace(state, feedback=state.feedback.forgotten())
    cause = Cause(Reason.CONFIG, now)
    for name in sorted(needs.rules):
        state = owe_rule(state, name, cause)
    rest = replace(needs, rules=frozenset())
    return owe(state, rest, cause) if rest else state
