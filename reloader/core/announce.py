"""Builds news and their texts.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from reloader.core.feedback import Loop
from reloader.core.life import Life
from reloader.core.news import AppStarted, AppStopped, BuildStarted, RuleStarted
from reloader.core.places import exclude, in_words
from reloader.core.values import Role

if TYPE_CHECKING:
    from reloader.core.feedback import Finding
    from reloader.core.life import Proc
    from reloader.core.news import News
    from reloader.core.values import Seconds, Status


def loop_text(found: Finding) -> str:
    """Returns the warning about what the build or the app writes into the tree."""
    path, hint = in_words(found.paths), exclude(found.paths)
    files = f" ({found.files} files)" if found.files > 1 else ""
    who = f"the command of rule {found.lane}" if found.lane else "the build"
    slowed = f"acted on after {found.wait:.3g}s, then later and later"
    waits = "acted on when it ends"
    match found.loop:
        case Loop.BUILD_WRITES:
            return f"{who} writes {path}{files}: not counted while it runs; {hint} saves a build"
        case Loop.BUILD_REPEATS:
            return (
                f"{path}{files} changes with each run of {who}, {slowed}; if it writes it: {hint}"
            )
        case Loop.APP_WRITES:
            much = "after each of the last starts, and the app has written as much"
            return f"{path} has changed {much}: {slowed}; if it is the app's: {hint}"
        case Loop.AFTER_STARTS:
            who = "it can't be told here who writes it"
            return f"{path} has changed after each of the last starts; {who}: {slowed}; {hint}"
        case Loop.HELD:
            return f"{path}{files} changed while {who} runs, which may have written it: {waits}"
        case Loop.OVERDUE:
            return f"{path}{files} changed while {who} runs, which takes too long: it begins anew"


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
        return AppStarted(proc.command, proc.pid, how=proc.how)
    number, cause = proc.version.number, proc.version.cause
    seconds = now - cause.since
    return AppStarted(proc.command, proc.pid, number, cause.path, cause.count, seconds, proc.how)


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
