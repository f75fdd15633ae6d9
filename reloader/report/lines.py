"""The line that people read for each piece of news.

Pure.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from reloader.core.news import (
    AppCompleted,
    AppDropped,
    AppExited,
    AppNotReady,
    AppReady,
    AppRemoved,
    AppSignalled,
    AppStarted,
    AppStopped,
    AppWaits,
    BuildCancelled,
    BuildFailed,
    BuildStarted,
    BuildSucceeded,
    ChangeIgnored,
    ChangeSeen,
    ConfigChanged,
    ConfigRejected,
    Greeted,
    HookFailed,
    Informed,
    KeysOffered,
    Paused,
    ProblemsFound,
    ProxyStarted,
    QuitFinished,
    QuitStarted,
    Resumed,
    RuleFailed,
    RuleStarted,
    RuleSucceeded,
    StartFailed,
    Warned,
    WatchStarted,
)
from reloader.light import dataclass
from reloader.report.text import duration

if TYPE_CHECKING:
    from reloader.core.news import News

AboutUs = (
    ConfigChanged
    | ConfigRejected
    | Paused
    | Resumed
    | KeysOffered
    | ProxyStarted
    | Warned
    | QuitStarted
    | QuitFinished
)


class Part(Enum):
    """The part of reloader that speaks; `[color]` and `[log]` know these four."""

    MAIN = "main"
    WATCHER = "watcher"
    BUILD = "build"
    RUNNER = "runner"


@dataclass(frozen=True)
class Line:
    part: Part
    verb: str
    text: str
    bad: bool = False
    dim: bool = False


def _unlisted(path: str) -> str:
    import shlex

    return f"{path}  not in include_ext (reloader explain {shlex.quote(path)})"


def _ready(news: AppReady) -> Line:
    verb = "reloaded" if news.path else "ready"
    text = f"{news.path}  {duration(news.seconds)}  {news.address}".strip()
    return Line(Part.RUNNER, verb, text)


def line_of(news: News) -> Line | None:  # noqa: C901, PLR0911, PLR0912 -- one for each news
    """Returns the line for a person; None if the next line says it all."""
    match news:
        case Greeted(version, config, _, found, port):
            text = f"{version}  {config or found or 'no config file'}"
            text += f"  port {port}" if port else ""
            return Line(Part.MAIN, "reloader", text)
        case WatchStarted(engine, dirs, files):
            text = f"{_count(dirs, 'dir')}, {_count(files, 'file')} ({engine})"
            if not files:
                text += ": no save does anything yet, reloader explain PATH says why"
            return Line(Part.WATCHER, "watching", text)
        case ChangeSeen(_, count, _, git) if git:
            return Line(Part.WATCHER, "change", f"git: {git} ({_count(count, 'file')})")
        case ChangeSeen(path, count, rule):
            more = f" (+{count - 1:,})" if count > 1 else ""
            return Line(Part.WATCHER, "change", path + more + (f"  → {rule}" if rule else ""))
        case ChangeIgnored(path, _):
            return Line(Part.WATCHER, "ignored", _unlisted(path), dim=True)
        case BuildStarted() | RuleStarted() | Informed() | ProblemsFound() | AppReady(address=""):
            return None
        case BuildSucceeded(command, seconds):
            return Line(Part.BUILD, "build", f"{command}  {duration(seconds)}")
        case BuildFailed(command, why, seconds, app_pid):
            goes_on = f"  previous version still running (pid {app_pid})" if app_pid else ""
            text = f"failed: {why}  {duration(seconds)}  {command}{goes_on}"
            return Line(Part.BUILD, "build", text, bad=True)
        case BuildCancelled(_, seconds):
            return Line(Part.BUILD, "build", f"cancelled  {duration(seconds)}")
        case HookFailed(hook, command, why, seconds):
            return Line(
                Part.BUILD, hook, f"failed: {why}  {duration(seconds)}  {command}", bad=True
            )
        case RuleSucceeded(rule, command, seconds):
            return Line(Part.BUILD, rule, f"{command}  {duration(seconds)}")
        case RuleFailed(rule, command, why, seconds):
            return Line(
                Part.BUILD, rule, f"failed: {why}  {duration(seconds)}  {command}", bad=True
            )
        case AppStarted(command, pid, how=how):
            return Line(Part.RUNNER, "run", f"{command}{how and f' ({how})'}  pid {pid}")
        case AppReady():
            return _ready(news)
        case AppDropped(pid, _, why, seconds, kept):
            text = f"pid {pid}: {why} after {duration(seconds)}; pid {kept} still running"
            return Line(Part.RUNNER, "swap", text, bad=True)
        case AppStopped(pid, seconds, killed):
            how = "killed after" if killed else "in"
            return Line(Part.RUNNER, "stop", f"pid {pid}  {how} {duration(seconds)}", bad=killed)
        case AppExited(pid, ok, why, seconds, restart_in):
            text = f"pid {pid}: {why} after {duration(seconds)}, {_then('restarting', restart_in)}"
            return Line(Part.RUNNER, "exit", text, bad=not ok)
        case AppSignalled() | AppNotReady() | AppCompleted() | AppWaits() | AppRemoved():
            return _line_of_apps(news)
        case StartFailed(what, command, why, retry_in):
            text = f"{command}: {why}, {_then('trying again', retry_in)}"
            return Line(Part.RUNNER, what, text, bad=True)
        case _:
            return _line_about_us(news)


def _then(what: str, seconds: float | None) -> str:
    """Returns what comes next: that, or nothing before the next save."""
    return "waiting for file changes" if seconds is None else f"{what} in {seconds:g}s"


def _line_of_apps(news: AppSignalled | AppNotReady | AppCompleted | AppWaits | AppRemoved) -> Line:
    """Returns the line about an app that waits, is late, has done its work, or is no more."""
    match news:
        case AppSignalled(_, signal, pid):
            text = f"{signal}  pid {pid}" if pid else f"{signal}: no app runs"
            return Line(Part.RUNNER, "signal", text)
        case AppNotReady(pid, _, seconds):
            text = f"pid {pid} is not ready after {duration(seconds)}; reloader goes on waiting"
            return Line(Part.RUNNER, "ready", text, bad=True)
        case AppCompleted(pid, seconds):
            return Line(Part.RUNNER, "done", f"pid {pid}: completed after {duration(seconds)}")
        case AppWaits(needs, condition, why):
            words = {"started": "start", "ready": "be ready", "completed": "complete"}
            text = f"for {needs} to {words.get(condition, condition)}"
            return Line(Part.RUNNER, "waits", f"{text}: {why}" if why else text, bad=bool(why))
        case AppRemoved():
            return Line(Part.MAIN, "config", "the app was taken out of it, and ends")


def _line_about_us(news: AboutUs) -> Line:  # noqa: PLR0911 -- one for each news
    match news:
        case ConfigChanged(keys):
            text = f"changed: {', '.join(keys)}" if keys else "valid again, no changes"
            return Line(Part.MAIN, "config", text)
        case ConfigRejected(text):
            return Line(Part.MAIN, "config", f"invalid, keeping the previous one: {text}", bad=True)
        case Paused():
            return Line(Part.MAIN, "pause", "press p to resume")
        case Resumed(changed):
            seen = f"{_count(changed, 'file')} changed meanwhile" if changed else "nothing changed"
            return Line(Part.MAIN, "resume", seen)
        case KeysOffered(text):
            return Line(Part.MAIN, "keys", text)
        case ProxyStarted(url, app_port):
            return Line(Part.MAIN, "proxy", f"{url}  → port {app_port}")
        case Warned(text):
            return Line(Part.MAIN, "note", text)
        case QuitStarted(signal):
            return Line(Part.MAIN, "quit", signal)
        case QuitFinished(seconds):
            return Line(Part.MAIN, "bye", f"in {duration(seconds)}")


def beginning(news: News) -> Line | None:
    """Returns the line that only `log.verbose` shows: something begins, or a remark."""
    match news:
        case BuildStarted(command):
            return Line(Part.BUILD, "build", f"started: {command}")
        case RuleStarted(rule, command):
            return Line(Part.BUILD, rule, f"started: {command}")
        case Informed(text):
            return Line(Part.MAIN, "note", text)
        case _:
            return None


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
