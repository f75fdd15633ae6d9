"""Builds news and their texts.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from reloader.core.life import Life
from reloader.core.news import AppStarted, AppStopped, BuildStarted, RuleStarted
from reloader.core.values import Role

if TYPE_CHECKING:
    from reloader.core.life import Proc
    from reloader.core.news import News
    from reloader.core.values import Seconds, Status


def loop_text(path: str, job: Proc) -> str:
    """Returns the warning about a file that a job seems to write in each run."""
    hint = f'exclude_file = ["{path}"]'
    if job.task.role is Role.APP:
        much = ", and the app has written as much" if job.wrote is not None else ""
        return f"{path} has changed after each of the last starts{much}; if it is the app's: {hint}"
    who = f"rule {job.task.name}" if job.task.name else "the build"
    return f"{path} has changed in each of the last runs of {who}; if that writes it: {hint}"


def announce_start(proc: Proc, now: Seconds) -> tuple[News, ...]:
    match proc.task.role:
        case Role.BUILD:
            return (BuildStarted(proc.command, proc.pid),)
        case Role.RULE:
            return (RuleStarted(proc.task.name, proc.command, proc.pid),)
        case Role.APP:
            return (_app_started(proc, now),)
        case Role.PRE | Role.POST:
            return ()


def _app_started(proc: Proc, now: Seconds) -> AppStarted:
    if proc.version is None:
        return AppStarted(proc.command, proc.pid)
    number, cause = proc.version.number, proc.version.cause
    seconds = now - cause.since
    return AppStarted(proc.command, proc.pid, number, cause.path, cause.count, seconds)


def announce_stop(proc: Proc, now: Seconds) -> tuple[News, ...]:
    """Returns the news of an app that reloader has stopped: it is gone, with its tree."""
    if not proc.is_app or proc.life not in (Life.DRAINING, Life.STOPPING, Life.KILLED):
        return ()
    return (AppStopped(proc.pid, now - (proc.stop_sent_at or now), proc.life is Life.KILLED),)


def why(status: Status) -> str:
    """Returns how a process ended, in words: `exit 3` or `killed by SIGSEGV`."""
    if not status.signal:
        return f"exit {status.code}"
    try:
        return f"killed by {signal.Signals(status.signal).name}"
    except ValueError:
        return f"killed by signal {status.signal}"
