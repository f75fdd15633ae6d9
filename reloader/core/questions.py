"""Is what was saved live? The answer to whoever waits for it.

A question is about the sources as they were when it was asked: a version that has them all is
found, and the answer is what becomes of it. A newer save never makes the answer better than it is:
while it takes over, the question waits for that one.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.fleet import blocking
from reloader.core.orders import Reply
from reloader.core.state import (
    Again,
    Ended,
    Failed,
    Idle,
    Nothing,
    Start,
    Turn,
    first_rules,
    past,
)
from reloader.core.values import Outcome, Role
from reloader.light import replace

if TYPE_CHECKING:
    from reloader.core.state import Question, State
    from reloader.core.values import Seconds

ENDED_WELL = "exit 0"


def answer_questions(state: State, now: Seconds) -> Turn | None:
    """Answers what can be answered by now, and notes of the others how far they are."""
    left, orders = [], []
    for question in state.questions:
        noted = _follow(state, question, now)
        if (outcome := _outcome(state, noted, now)) is None:
            left.append(noted)
        else:
            orders.append(Reply(noted.request, outcome))
    if tuple(left) == state.questions:
        return None
    return Turn(replace(state, questions=tuple(left)), tuple(orders))


def _follow(state: State, question: Question, now: Seconds) -> Question:
    """Finds the round that has all that was saved, and notes when it is over."""
    rounds = state.pipeline.rounds
    if question.round is None:
        if state.feedback.holds(question.since):
            return replace(question, since=None)
        since = now if question.since is None else question.since
        question = replace(question, since=since)
        if any(burst.first_at <= since for burst in state.bursts):
            return question
        question = replace(question, round=rounds + _is_owed(state))
    is_built = rounds >= (question.round or 0)
    if not is_built and not _is_owed(state):  # a config without the rule that was pending
        return replace(question, round=rounds, is_built=True)
    return replace(question, is_built=question.is_built or is_built)


def _is_owed(state: State) -> bool:
    """Returns True if the pipeline has work of which another version comes."""
    return not isinstance(state.pipeline.work, Idle) or bool(first_rules(state))


def _outcome(state: State, question: Question, now: Seconds) -> Outcome | None:
    """Returns the answer; None while it is not known."""
    if state.shutdown is not None:
        return Outcome.IGNORED
    outcome = _judge(state, question)
    if outcome is None and _is_halted(state, question):
        outcome = Outcome.PAUSED
    if outcome is None and past(question.until, now):
        outcome = Outcome.TIMEOUT
    return outcome


def _judge(state: State, question: Question) -> Outcome | None:
    """Returns what has become of the round of the question; None if that is not known yet."""
    has_failed = isinstance(state.pipeline.work, Failed)
    if question.round is None:
        return None
    if not question.is_built:
        return Outcome.FAILED if has_failed else None
    if question.failed:
        return Outcome.FAILED
    if _commands(state):
        return None
    if not state.settings.app:
        return Outcome.LIVE
    return _of_the_app(state, question.round, has_failed=has_failed)


def _commands(state: State) -> frozenset[str]:
    """Returns the pending rules that nothing waits for, but for whom the question is."""
    return frozenset(state.pipeline.rules) - state.settings.rule_then.keys()


def _of_the_app(state: State, needed: int, *, has_failed: bool) -> Outcome | None:
    serving = None if state.settings.once else state.serving
    if serving and serving.version and serving.version.round >= needed:
        return Outcome.LIVE
    match state.fleet.want:
        case Nothing():  # a newer save has failed, and `stop_on_error` has taken all down
            return Outcome.FAILED if has_failed else None
        case Ended(failed=failed):
            return Outcome.FAILED if failed else Outcome.ENDED
        case Again(why=why):
            return Outcome.ENDED if why == ENDED_WELL else Outcome.FAILED
        case _:
            return None


def _is_halted(state: State, question: Question) -> bool:
    """Returns True if a pause keeps the question open: what is under way comes to its end."""
    if state.pause is None or any(p.wanted for p in state.of(Role.PRE, Role.BUILD, Role.RULE)):
        return False
    if not question.is_built or _commands(state):
        return True
    in_the_way = any(p.wanted for p in blocking(state)) or state.shortage is not None
    return isinstance(state.fleet.want, Start) and in_the_way
