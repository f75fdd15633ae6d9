"""Changed files: debounced, judged, and turned into pending work.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.announce import loop_text
from reloader.core.debounce import add_changes
from reloader.core.life import Life
from reloader.core.news import ChangeSeen, Warned
from reloader.core.pipeline import owe, owe_rule
from reloader.core.state import Pending, State, Turn, past
from reloader.core.values import Cause, Reason, Role
from reloader.light import replace

if TYPE_CHECKING:
    from reloader.core.debounce import Burst
    from reloader.core.feedback import Ruling
    from reloader.core.life import Proc
    from reloader.core.values import Change, Seconds, Ticket


def record_changes(state: State, changes: tuple[Change, ...], now: Seconds) -> Turn:
    """Adds changes to their bursts, but for those that the build or the app has made."""
    if state.shutdown is not None:
        return Turn(state)
    broken = {**state.pipeline.broken, **{change.path: change.error for change in changes}}
    broken = {path: error for path, error in broken.items() if error}
    state = replace(state, pipeline=replace(state.pipeline, broken=broken))
    if is_first_to_come(state):  # say what a generator has written, for which it waits
        return Turn(state)
    return heed(state, state.feedback.judge(changes, now, by_git=state.git.busy), now)


def is_first_to_come(state: State) -> bool:
    """True while nothing was ever started: the first build is of the files as they are then."""
    work = state.pipeline.work
    is_first = isinstance(work, Pending) and work.cause.reason is Reason.FIRST and not work.done
    return is_first and not state.tickets // state.every


def heed(state: State, ruling: Ruling, now: Seconds) -> Turn:
    """Adds the changes that count now to their bursts."""
    # What a save starts first, a build or a version beside the old one, the formatter's write dooms
    # for nothing.
    learns = state.settings.task(0) is None and not state.settings.strategy.overlap
    bursts = add_changes(
        state.bursts, ruling.changes, now, state.git, state.formatters, learns=learns
    )
    news = tuple(Warned(loop_text(finding)) for finding in ruling.found)
    return Turn(replace(state, bursts=bursts, feedback=ruling.feedback), news=news)


def suspects(state: State) -> tuple[Ticket, ...]:
    """Returns the apps that may have written files: the loop measures them before changes count."""
    return tuple(p.ticket for p in state.generations if p.life is not Life.SPAWNING)


def wants_look(state: State, now: Seconds) -> bool:
    """Returns True when what the apps have written must be known though no file has changed."""
    return past(state.feedback.next_at, now)


# --- what the rules against loops are told -------------------------------------------------------


def note_start(state: State, proc: Proc, now: Seconds) -> State:
    """A run of the build begins with its first step; one of the lane with the app."""
    role, feedback, settings = proc.task.role, state.feedback, state.settings
    lane = proc.task.name
    if role is Role.RULE or proc.task == settings.task(0):
        feedback = feedback.build_began(lane, now)
    if role in (Role.RULE, Role.APP) or (role is Role.BUILD and not settings.app):
        feedback = feedback.run_began(lane, now)
    return replace(state, feedback=feedback)


def note_end(state: State, proc: Proc, now: Seconds, *, left: bool) -> Turn:
    """A run of the build ends with its last step, with a failure, or by order (`cut`)."""
    role = proc.task.role
    if role not in (Role.PRE, Role.BUILD, Role.RULE):
        return Turn(state)
    cut = proc.life is not Life.RUNNING or not proc.wanted
    work = state.pipeline.work
    building = isinstance(work, Pending) and work.needs.build and state.settings.task(work.done)
    if building and role is not Role.RULE and not cut:  # the next step follows
        return Turn(state)
    ruling = state.feedback.build_ended(proc.task.name, now, cut=cut, left=left)
    return heed(state, ruling, now)


def act_on_waits(state: State, now: Seconds) -> Turn | None:
    """Counts the changes that had to wait because they looked like a loop."""
    if not past(state.feedback.next_at, now):
        return None
    return heed(state, state.feedback.due(now), now)


def burst_due(state: State, burst: Burst) -> Seconds:
    settings = state.settings
    pace = settings.rule_paces.get(burst.lane, settings.pace) if burst.lane else settings.pace
    return burst.due_at(pace, state.git)


def settle_burst(state: State, now: Seconds) -> Turn | None:
    for burst in state.bursts:
        if burst_due(state, burst) > now:
            continue
        state = replace(state, bursts=tuple(b for b in state.bursts if b is not burst))
        count = len(burst.paths)
        cause = Cause(Reason.SAVE, burst.first_at, burst.first_path, count)
        if burst.lane:
            state = owe_rule(state, burst.lane, cause)
        else:
            state = owe(state, burst.needs, cause)
            gap = burst.gap if burst.formatter else None
            formatters = state.formatters.settled(
                burst.first_path, burst.first_at, now, is_save=burst.is_save, gap=gap
            )
            state = replace(state, formatters=formatters)
        by_git = burst.cause(state.git)
        return Turn(state, news=(ChangeSeen(burst.first_path, count, burst.lane, by_git),))
    return None
