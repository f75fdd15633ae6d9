"""News for people: one line a fact, on stderr, the same words with and without a terminal."""

from __future__ import annotations

import os
import shlex
import time
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING

from reloader.core.news import (
    AppCompleted,
    AppDropped,
    AppExited,
    AppNotReady,
    AppReady,
    AppRemoved,
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
    KeysOffered,
    Noted,
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
from reloader.report.text import duration, one_line
from reloader.report.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reloader.config.model import Color, Config
    from reloader.core.news import News

_CODES = {
    "red": 31,
    "green": 32,
    "yellow": 33,
    "blue": 34,
    "magenta": 35,
    "cyan": 36,
    "white": 37,
}
_FAINT = 2
_KEPT_LINES = 200  # while there is no reader
_LINE_BYTES = 4000  # what a command may take of one line


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
    return f"{path}  not in include_ext (reloader explain {shlex.quote(path)})"


def _ready(news: AppReady) -> Line:
    verb = "reloaded" if news.path else "ready"
    text = f"{news.path}  {duration(news.seconds)}  {news.address}".strip()
    return Line(Part.RUNNER, verb, text)


def line_of(news: News) -> Line | None:  # noqa: C901, PLR0911, PLR0912 -- one for each news
    """Returns the line for a person; None if the next line says it all."""
    match news:
        case Greeted(version, config, _, found):
            text = f"{version}  {config or found or 'no config file'}"
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
        case BuildStarted() | RuleStarted() | Noted() | ProblemsFound() | AppReady(address=""):
            return None
        case BuildSucceeded(command, seconds):
            return Line(Part.BUILD, "build", f"{command}  {duration(seconds)}")
        case BuildFailed(command, why, seconds, app_pid):
            goes_on = f"  pid {app_pid} goes on" if app_pid else ""
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
            then = "waits for a change" if restart_in is None else f"again in {restart_in:g}s"
            text = f"pid {pid}: {why} after {duration(seconds)}, {then}"
            return Line(Part.RUNNER, "exit", text, bad=not ok)
        case AppNotReady() | AppCompleted() | AppWaits() | AppRemoved():
            return _line_of_apps(news)
        case StartFailed(what, command, why, retry_in):
            then = "waits for a change" if retry_in is None else f"again in {retry_in:g}s"
            return Line(Part.RUNNER, what, f"{command}: {why}, {then}", bad=True)
        case _:
            return _line_about_us(news)


def _line_of_apps(news: AppNotReady | AppCompleted | AppWaits | AppRemoved) -> Line:
    """Returns the line about an app that waits, is late, has done its work, or is no more."""
    match news:
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
            text = f"changed: {', '.join(keys)}" if keys else "good again, as it was"
            return Line(Part.MAIN, "config", text)
        case ConfigRejected(text):
            return Line(Part.MAIN, "config", f"not usable, the last one stays: {text}", bad=True)
        case Paused():
            return Line(Part.MAIN, "pause", "nothing begins until p is pressed again")
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


def block(news: ProblemsFound, *, colored: bool) -> bytes:
    """Returns each problem in its own lines: place, message, and the source around the place."""
    lines: list[str] = []
    for found in news.problems:
        place = ":".join(str(part) for part in (found.path, found.line, found.column) if part)
        place, message = one_line(place), one_line(found.message)
        if colored:
            place = f"\x1b[1m{place}\x1b[0m"
        lines.append(f"         {place}  {message}".rstrip() if place else f"         {message}")
        for number, text in found.source:
            here = ">" if number == found.line else " "
            line = f"       {here} {number:5} | {one_line(text)}".rstrip()
            lines.append(f"\x1b[31m{line}\x1b[0m" if colored and here == ">" else line)
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def writer(fd: int = 2) -> Writer:
    """Returns a writer for a descriptor that may be a terminal, a pipe, a file, or closed.

    The writer never blocks: without a reader, lines wait, and the rest are dropped and counted.
    """
    return Writer(fd, _KEPT_LINES)


def beginning(news: News) -> Line | None:
    """Returns the line that only `log.verbose` shows: something begins, or a remark."""
    match news:
        case BuildStarted(command):
            return Line(Part.BUILD, "build", f"started: {command}")
        case RuleStarted(rule, command):
            return Line(Part.BUILD, rule, f"started: {command}")
        case Noted(text):
            return Line(Part.MAIN, "note", text)
        case _:
            return None


class Console:
    """The lines of one app; of several, each carries its app's name.

    `start_line` is called before a line is written to a terminal, where the app may have left the
    cursor in the middle of one.
    """

    name = "console"

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        writer: Writer,
        app: str = "",
        start_line: Callable[[], None] = lambda: None,
    ) -> None:
        self._app = f"{one_line(app)} | " if app else ""
        self._log = config.log
        self._color = config.color
        self._is_once = config.app.once != "false"
        self._banner = config.misc.startup_banner
        is_terminal = _is_terminal(writer.fd)
        self._start_line = start_line if is_terminal else lambda: None
        self._colored = wants_color(config.color, environ, is_terminal)
        screen = config.screen
        # ED 2 clears the screen, RIS resets the terminal with its scroll-back.
        clear = b"\x1b[2J\x1b[H" if screen.keep_scroll else b"\x1bc"
        # With several apps it would take the others' lines away.
        self._clear = clear if screen.clear_on_rebuild and is_terminal and not app else b""
        self._writer = writer

    def __call__(self, news: News) -> None:
        if isinstance(news, ChangeSeen) and not news.rule and self._clear:
            self._write(self._clear)
        if isinstance(news, Greeted) and self._banner is not None:
            if self._banner and not self._log.silent:
                text = "\n  ".join(map(one_line, self._banner.split("\n")))
                self._write(text.encode(errors="replace") + b"\n")
            return
        if isinstance(news, WatchStarted) and not news.files and self._is_once:
            return  # as it should be
        if isinstance(news, ProblemsFound):
            if not self._log.silent:
                self._write(block(news, colored=self._colored))
            return
        line = line_of(news)
        if line is None and self._log.verbose:
            line = beginning(news)
        if line is not None and self._is_shown(line):
            self._write(self._render(line))

    def _is_shown(self, line: Line) -> bool:
        if self._log.silent:
            return False
        return not self._log.main_only or line.part is Part.MAIN

    def _render(self, line: Line) -> bytes:
        stamp = time.strftime("[%H:%M:%S] ") if self._log.time else ""
        head = f"{one_line(line.verb):<8}"
        if self._colored and (code := self._code(line)):
            head = f"\x1b[{code}m{head}\x1b[0m"
        text = f"{stamp}{self._app}{head} {one_line(line.text)}".rstrip()
        return text.encode(errors="replace")[:_LINE_BYTES] + b"\n"

    def _code(self, line: Line) -> int | None:
        if line.dim:
            return _FAINT
        return _CODES["red"] if line.bad else _CODES.get(getattr(self._color, line.part.value))

    def _write(self, data: bytes) -> None:
        if self._writer.dropped and not self._writer.is_stuck:
            data = b"note     %d lines dropped\n" % self._writer.dropped + data
            self._writer.dropped = 0
        self._start_line()
        with suppress(OSError):  # the reader is gone, the disk is full: the app goes on
            self._writer.write(data)


def wants_color(color: Color, environ: Mapping[str, str], terminal: bool) -> bool:
    """`color.mode`; on auto a terminal that can, unless NO_COLOR is set (no-color.org)."""
    if color.mode in {"always", "never"}:
        return color.mode == "always"
    if environ.get("NO_COLOR"):
        return False
    return terminal and environ.get("TERM") != "dumb"


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False
