"""What the machine tells, in words and as news.

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
    """What to do about a file that a job of ours writes in each run."""
    hint = f'exclude_file = ["{path}"]'
    if job.task.role is Role.APP:
        much = ", and the app has written as much" if job.wrote is not None else ""
        return f"{path} has changed after each of the last starts{much}; if it is the app's: {hint}"
    who = f"rule {job.task.name}" if job.task.name else "the build"
    return f"{path} has changed in each of the last runs of {who}; if that writes it: {hint}"


def announce_start(proc: Proc) -> tuple[News, ...]:
    match proc.task.role:
        case Role.BUILD:
            return (BuildStarted(proc.command, proc.pid),)
        case Role.RULE:
            return (RuleStarted(proc.task.name, proc.command, proc.pid),)
        case Role.APP:
            return (AppStarted(proc.command, proc.pid),)
        case Role.PRE | Role.POST:
            return ()


def announce_stop(proc: Proc, now: Seconds) -> tuple[News, ...]:
    """An app that we stopped is gone for good, with its tree."""
    if proc.task.role is not Role.APP or proc.life not in (Life.STOPPING, Life.KILLED):
        return ()
    return (AppStopped(proc.pid, now - proc.asked_at, proc.life is Life.KILLED),)


def why(status: Status) -> str:
    """In words: `exit 3` or `killed by SIGSEGV`."""
    if not status.signal:
        return f"exit {status.code}"
    try:
        return f"killed by {signal.Signals(status.signal).name}"
    except ValueError:
        return f"killed by signal {status.signal}"
