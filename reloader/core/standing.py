"""The stage of an app, for those that depend on it.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reloader.core.state import Again, Ended, Failed, Idle
from reloader.core.values import Stage

if TYPE_CHECKING:
    from reloader.core.state import State


class Standing(NamedTuple):
    """`why`: what is wrong with the app, in words; "" if it has only not come so far yet."""

    stage: Stage
    why: str = ""


def standing(state: State) -> Standing:
    """Returns how far the app has come; a change that is not done yet takes a completed one back.

    A generation that goes on beside a failure counts as before: it is the app that there is.
    """
    if state.shutdown is None and _has_completed(state):
        return Standing(Stage.COMPLETED)
    if state.serving and not state.settings.once:
        return Standing(Stage.READY)
    return Standing(Stage.STARTED if state.running else Stage.DOWN, _why(state))


def _has_completed(state: State) -> bool:
    """True if the newest version of a one-off has succeeded; of a build alone, if it has."""
    if state.bursts or not isinstance(state.pipeline.work, Idle):
        return False
    if not state.settings.app:
        return True
    want = state.fleet.want
    return isinstance(want, Ended) and not want.failed


def _why(state: State) -> str:
    work, want = state.pipeline.work, state.fleet.want
    if state.shutdown is not None:
        return "it is ending"
    if isinstance(work, Failed):
        return f"its {'rule' if work.rule else 'build'} failed: {work.why}"
    if isinstance(want, Again) or (isinstance(want, Ended) and want.failed):
        return want.why
    return state.shortage.why if state.shortage else ""
