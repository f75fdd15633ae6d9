"""News for people: lines on stderr, the same words with and without a terminal."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from reloader.core.news import ChangeSeen, Greeted, ProblemsFound, WatchStarted
from reloader.report.lines import Line, Part, beginning, line_of
from reloader.report.reloads import LONG, SOON, Reloads
from reloader.report.text import one_line
from reloader.report.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reloader.config.model import Color, Config
    from reloader.core.facts import Fact
    from reloader.core.news import News
    from reloader.core.values import Seconds
    from reloader.report.footer import Footer

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
_REDRAWN: Seconds = 1.0  # between two looks at a footer, which counts the seconds
_LINE_BYTES = 4000  # what a command may take of one line


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


def writer(fd: int = 2) -> Writer:
    """Returns a writer for a descriptor that may be a terminal, a pipe, a file, or closed.

    The writer never blocks: without a reader, lines wait, and the rest are dropped and counted.
    """
    return Writer(fd, _KEPT_LINES)


class Screen(NamedTuple):
    """The terminal that lines go to.

    `start_line` is called before a line: the app may have left the cursor in the middle of one.
    """

    start_line: Callable[[], None]
    footer: Footer | None  # of a run with one app; None: this terminal knows lines only


class Console:
    """The lines of one app; of several, each carries its app's name.

    A build or a start that takes long is shown in the footer, or in a line where there is none; for
    that the console has a deadline, as a source of the inbox.
    """

    name = "console"

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        writer: Writer,
        app: str = "",
        screen: Screen | None = None,
    ) -> None:
        self._app = f"{one_line(app)} | " if app else ""
        self._log = config.log
        self._color = config.color
        self._is_once = config.app.once != "false"
        self._banner = config.misc.startup_banner
        is_terminal = _is_terminal(writer.fd)
        self._start_line = screen.start_line if screen and is_terminal else lambda: None
        self._colored = wants_color(config.color, environ, is_terminal)
        clearing = config.screen
        # ED 2 clears the screen, RIS resets the terminal with its scroll-back.
        clear = b"\x1b[2J\x1b[H" if clearing.keep_scroll else b"\x1bc"
        # With several apps it would take the others' lines away.
        self._clear = clear if clearing.clear_on_rebuild and is_terminal and not app else b""
        self._writer = writer
        self._footer = screen.footer if screen and is_terminal else None
        self._drawn_at: Seconds = 0.0
        self._reloads: Reloads | None = None
        if config.build.app is not None and not config.log.verbose:
            self._reloads = Reloads(tells_ready=bool(config.swap.ready))

    # --- a source that has nothing but a deadline ------------------------------------------------

    def fileno(self) -> int:
        return -1

    def deadline(self) -> Seconds | None:
        """Returns when people are to be told that they wait for something."""
        if self._reloads is None:
            return None
        if self._footer and self._footer.is_shown:
            return self._drawn_at + _REDRAWN
        return self._reloads.due(SOON if self._footer else LONG)

    def read(self) -> tuple[Fact, ...]:
        """Tells so; a deadline that has not come tells nothing."""
        now = time.monotonic()
        at = self.deadline()
        if self._reloads is None or at is None or now < at:
            return ()
        line = self._reloads.waiting(now)
        if self._footer and line and self._footer.show(f"{line.verb:<8} {line.text}"):
            self._drawn_at = now
        else:
            if line:
                self._footer = None
            self._reloads, lines = self._reloads.overdue(now)
            self._put(lines)
        return ()

    def close(self) -> None:
        if self._footer:
            self._footer.hide()

    # --- a report --------------------------------------------------------------------------------

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
        if self._reloads is None:
            lines = tuple(filter(None, (line_of(news) or self._remark(news),)))
        else:
            self._reloads, lines = self._reloads.after(news, time.monotonic())
            if self._footer and self._reloads.work is None:
                self._footer.hide()
        self._put(lines)

    def _remark(self, news: News) -> Line | None:
        return beginning(news) if self._log.verbose else None

    def _put(self, lines: Iterable[Line]) -> None:
        for line in filter(self._is_shown, lines):
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


def is_drawable(fd: int, environ: Mapping[str, str]) -> bool:
    """Returns True for a terminal that understands more than lines."""
    return _is_terminal(fd) and environ.get("TERM", "dumb") != "dumb"


def _is_terminal(fd: int) -> bool:
    try:
        return os.isatty(fd)
    except OSError:
        return False
