"""The pipeline: from a change to a version that was built well.

A need leaves the pipeline only when its job has succeeded; a failure keeps it and is shown. A
change during a build cancels that build: its tree is ended and waited for.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from reloader.core.announce import why
from reloader.core.life import Event, Life
from reloader.core.needs import NOTHING, Needs
from reloader.core.news import (
    AppSignalled,
    BuildCancelled,
    BuildFailed,
    BuildSucceeded,
    HookFailed,
    RuleFailed,
    RuleSucceeded,
)
from reloader.core.orders import Signal
from reloader.core.shutdown import post_done
from reloader.core.state import (
    Failed,
    Idle,
    Nothing,
    Pending,
    Start,
    State,
    Turn,
    spawn,
)
from reloader.core.values import Cause, Reason, Role, Scope, Seconds, Task, Version
from reloader.light import replace

if TYPE_CHECKING:
    from reloader.core.life import Proc
    from reloader.core.state import Shortage
    from reloader.core.values import Status

SYNTAX = "syntax"  # the command that is shown for a check that runs none

# --- pending work --------------------------------------------------------------------------------


def owe(state: State, needs: Needs, cause: Cause) -> State:
    """Adds needs of the app: a build at work is cancelled, a failure is over."""
    stale = tuple(p for p in state.of(Role.PRE, Role.BUILD) if p.wanted)
    state = with_needs(_at_once(state), needs, cause)
    return state.mark_for_stop(*stale)


def request_restart(state: State, cause: Cause) -> State:
    """Adds a restart: a build at work goes on; after a failure every step is tried again."""
    work = state.pipeline.work
    done = work.done if isinstance(work, Pending) else 0
    return with_needs(_at_once(state), Needs(restart=True), cause, done=done)


def owe_rule(state: State, name: str, cause: Cause) -> State:
    """Adds a rule's command; one that the app waits for ends a failure."""
    if name in state.settings.rule_then and isinstance(state.pipeline.work, Failed):
        state = with_needs(state, NOTHING, cause)
    rules = {**state.pipeline.rules, name: cause}
    state = replace(state, pipeline=replace(state.pipeline, rules=rules))
    return state.mark_for_stop(*(p for p in state.of(Role.RULE) if p.task.name == name))


def with_needs(state: State, needs: Needs, cause: Cause, *, done: int = 0) -> State:
    """Returns the state in which these needs of the app are pending, beside those that were."""
    work = state.pipeline.work
    needs |= NOTHING if isinstance(work, Idle) else work.needs
    return state.with_work(Pending(needs, cause, done) if needs else Idle())


def _at_once(state: State) -> State:
    """Returns the state without the waits that failures have brought: a person is at work."""
    shortage: Shortage | None = state.shortage and replace(state.shortage, retry_at=None)
    return replace(state, shortage=shortage, fleet=replace(state.fleet, crashes=0))


def _without_rule(state: State, name: str) -> State:
    rules = {rule: cause for rule, cause in state.pipeline.rules.items() if rule != name}
    return replace(state, pipeline=replace(state.pipeline, rules=rules))


# --- the end of a job ----------------------------------------------------------------------------


def record_job_end(state: State, proc: Proc, status: Status, survivors: int, now: Seconds) -> Turn:
    """Handles the end of a build, a rule or a hook.

    Its leftovers are swept; only a daemon that a success has set up may stay.
    """
    stopped = proc.life is not Life.RUNNING or not proc.wanted
    after = proc.after(Event.EXITED_LEAVING_CHILDREN if survivors else Event.EXITED)
    swept = Scope.GROUP if status.ok and not stopped else Scope.TREE
    state = state.put(replace(after, wanted=False, scope=swept))
    seconds = now - proc.started_at
    if stopped:
        if proc.task.role is Role.POST:
            return record_failure(state, proc, "took too long", seconds)
        cancelled = BuildCancelled(proc.command, seconds)
        return Turn(state, news=(cancelled,) if proc.task.role is Role.BUILD else ())
    if status.ok:
        return _record_success(state, proc, seconds)
    return record_failure(state, proc, why(status), seconds)


def _record_success(state: State, proc: Proc, seconds: Seconds) -> Turn:
    task = proc.task
    match task.role:
        case Role.PRE:
            return Turn(_step_done(state))
        case Role.BUILD:
            return Turn(_step_done(state), news=(BuildSucceeded(proc.command, seconds),))
        case Role.RULE:
            cause = state.pipeline.rules.get(task.name, Cause(Reason.RULE, proc.started_at))
            state = _without_rule(state, task.name)
            if then := state.settings.rule_then.get(task.name):
                state = _owe_after_rule(state, then, cause)
            succeeded = RuleSucceeded(task.name, proc.command, seconds)
            return _signal_app(Turn(state, news=(succeeded,)), task.name)
        case Role.POST:
            return Turn(post_done(state))
        case Role.APP:
            raise AssertionError("an app has no success")


def _signal_app(turn: Turn, rule: str) -> Turn:
    """Adds the signal of a rule that has succeeded; an app that is not up needs none."""
    state = turn.state
    if (number := state.settings.rule_signal.get(rule)) is None:
        return turn
    app = state.running
    told = AppSignalled(rule, signal.Signals(number).name, app.pid if app else 0)
    orders = (Signal(app.ticket, number),) if app else ()
    return Turn(state, orders, (*turn.news, told))


def _step_done(state: State) -> State:
    """Returns the state after a step of the build that is pending.

    With the last step the build is no longer pending: the version is good from now on, although
    what the build has left behind may still have to be swept.
    """
    work = state.pipeline.work
    if not isinstance(work, Pending):
        return state
    over = state.settings.task(work.done + 1) is None
    needs = work.needs.met(Needs(build=True)) if over else work.needs
    return state.with_work(replace(work, needs=needs, done=work.done + 1))


def _owe_after_rule(state: State, then: Needs, cause: Cause) -> State:
    """Adds the needs of a rule that has succeeded; a failure of the build stays."""
    work = state.pipeline.work
    if isinstance(work, Failed):
        return state.with_work(replace(work, needs=work.needs | then))
    done = work.done if isinstance(work, Pending) else 0
    return with_needs(state, then, cause, done=done)


def record_failure(state: State, proc: Proc, reason: str, seconds: Seconds) -> Turn:
    """Handles a job that has failed: its need stays, and the next change tries it again."""
    settings, task = state.settings, proc.task
    failed_hook = HookFailed(task.role.value, proc.command, reason, seconds)
    if task.role is Role.RULE:
        rule_failed = RuleFailed(task.name, proc.command, reason, seconds)
        if task.name in settings.rule_then:
            return Turn(_fail(state, proc, reason), news=(rule_failed,))
        state = _without_rule(state, task.name)
        asked = tuple(replace(question, failed=task.name) for question in state.questions)
        return Turn(replace(state, questions=asked), news=(rule_failed,))
    if task.role is Role.POST:
        return Turn(post_done(state), news=(failed_hook,))
    work = state.pipeline.work
    if task.role is Role.PRE and settings.pre_may_fail and isinstance(work, Pending):
        return Turn(state.with_work(replace(work, done=settings.pre)), news=(failed_hook,))
    return _build_failed(_fail(state, proc, reason), proc.command, reason, seconds)


def _build_failed(state: State, command: str, reason: str, seconds: Seconds) -> Turn:
    if state.settings.stop_on_error:
        state = state.mark_for_stop(*state.generations).with_want(Nothing())
    goes_on = state.running.pid if state.running else 0
    return Turn(state, news=(BuildFailed(command, reason, seconds, goes_on),))


def _fail(state: State, proc: Proc, reason: str) -> State:
    work = state.pipeline.work
    needs = NOTHING if isinstance(work, Idle) else work.needs
    rule = proc.task.name
    cause = state.pipeline.rules.get(rule) if isinstance(work, Idle) else work.cause
    cause = cause or Cause(Reason.RULE, proc.started_at)
    return state.with_work(Failed(needs, cause, proc.command, reason, rule))


# --- rules ---------------------------------------------------------------------------------------


def refuse_broken(state: State, now: Seconds) -> Turn | None:
    """A saved file that the app could not import: the app that runs is not touched for it."""
    work, broken = state.pipeline.work, state.pipeline.broken
    if not isinstance(work, Pending) or not broken or work.cause.reason is not Reason.SAVE:
        return None
    if state.running is None:
        return None
    path = min(broken)
    reason = f"{path}, {broken[path]}"
    state = state.with_work(Failed(work.needs, work.cause, SYNTAX, reason))
    return _build_failed(state, SYNTAX, reason, now - work.cause.since)


def run_rule(state: State, now: Seconds) -> Turn | None:
    busy = {p.task.name for p in state.of(Role.RULE)}
    failed = isinstance(state.pipeline.work, Failed)
    waiting = state.settings.rule_then.keys() if failed else ()
    for name in sorted(state.pipeline.rules.keys() - busy - set(waiting)):
        return spawn(state, Task(Role.RULE, name=name))
    return None


def run_build(state: State, now: Seconds) -> Turn | None:
    work = state.pipeline.work
    if not isinstance(work, Pending) or not work.needs.build:
        return None
    if task := state.settings.task(work.done):
        return spawn(state, task)
    return Turn(state.with_work(replace(work, needs=work.needs.met(Needs(build=True)))))


def want_version(state: State, now: Seconds) -> Turn | None:
    """Wants a new version when nothing but its start is pending."""
    work = state.pipeline.work
    if not isinstance(work, Pending) or work.needs.build:
        return None
    done = replace(state.pipeline, work=Idle(), rounds=state.pipeline.rounds + 1)
    state = replace(state, pipeline=done)
    if not work.needs.restart or not state.settings.app:
        return Turn(state)
    number = state.fleet.versions + 1
    start = Start(Version(number, work.cause, done.rounds))
    return Turn(replace(state, fleet=replace(state.fleet, want=start, versions=number)))
