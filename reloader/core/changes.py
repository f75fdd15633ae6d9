"""Changed files: debounced, judged, and turned into pending work.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.announce import loop_text
from reloader.core.debounce import gather
from reloader.core.feedback import APP_WINDOW, Job
from reloader.core.life import UP
from reloader.core.news import ChangeSeen, Warned
from reloader.core.orders import Measure
from reloader.core.pipeline import owe, owe_rule
from reloader.core.state import State, Turn, past
from reloader.core.values import Cause, Reason, Role
from reloader.light import replace

if TYPE_CHECKING:
    from reloader.core.debounce import Burst
    from reloader.core.life import Proc
    from reloader.core.news import News
    from reloader.core.values import Change, Seconds, Ticket


def record_changes(state: State, changes: tuple[Change, ...], now: Seconds) -> Turn:
    """Adds changes to their bursts, but for those that a build or the app has made."""
    if state.shutdown is not None:
        return Turn(state)
    counting: list[Change] = []
    news: list[News] = []
    waits: dict[str, Seconds | None] = {}
    lanes = [min(change.needs.rules, default="") for change in changes]
    procs = {lane: writer_of(state, lane, now) for lane in lanes}
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


def suspect(state: State, now: Seconds) -> Ticket | None:
    """Returns the app that may have written the changes: the loop measures it before they count."""
    proc = writer_of(state, "", now)
    return proc.ticket if proc and proc.is_app else None


def writer_of(state: State, lane: str, now: Seconds) -> Proc | None:
    """Returns the process that may have written files of this lane; an app counts as it starts."""
    if lane:
        jobs = [p for p in state.of(Role.RULE) if p.task.name == lane]
    else:
        starting = [p for p in state.generations if now - p.started_at <= APP_WINDOW]
        jobs = [*state.of(Role.PRE, Role.BUILD), *starting]
    return next((p for p in jobs if p.life in UP and p.wanted), None)


def burst_due(state: State, burst: Burst) -> Seconds:
    settings = state.settings
    pace = settings.rule_paces.get(burst.lane, settings.pace) if burst.lane else settings.pace
    return burst.due_at(pace, state.pipeline.cancelled, state.git)


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
            state = replace(state, echoes=state.echoes.settled(burst, now))
        by_git = burst.cause(state.git)
        return Turn(state, news=(ChangeSeen(burst.first_path, count, burst.lane, by_git),))
    return None


def measure_app(state: State, now: Seconds) -> Turn | None:
    """The bytes that an app writes while it starts are not held against it."""
    for proc in state.generations:
        if past(proc.measure_at, now):
            return Turn(state.put(replace(proc, measure_at=None)), (Measure(proc.ticket),))
    return None
