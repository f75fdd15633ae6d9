"""The state of a run in the terminal's title and on its tab, and a bell for those who look away.

Sequences: OSC 2 and XTWINOPS 22 and 23 of xterm's ctlseqs; OSC 9;4 of ConEmu's documentation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.news import (
    AppExited,
    AppReady,
    AppStarted,
    BuildCancelled,
    BuildFailed,
    BuildStarted,
    BuildSucceeded,
    Greeted,
    QuitFinished,
    StartFailed,
)
from reloader.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reloader.config.model import Terminal
    from reloader.core.news import News

LONG_BUILD = 10.0  # seconds after which its end rings, with `terminal.bell`
_NO_PROGRESS, _FAILED, _AT_WORK = "0", "2;100", "3"
# Terminals that show OSC 9;4; others take OSC 9 for a notification.
_PROGRAMS = ("ghostty", "WezTerm")


class Title:
    """A report of the news. `name`: the project's."""

    name = "the title"

    def __init__(
        self,
        draw: Callable[[str], None],
        terminal: Terminal,
        environ: Mapping[str, str],
        name: str,
    ) -> None:
        self._draw = draw
        self._shown = ("", "")
        self._terminal = terminal
        self._name = one_line(name)
        self._has_progress = (
            "WT_SESSION" in environ
            or environ.get("ConEmuANSI") == "ON"
            or environ.get("TERM_PROGRAM") in _PROGRAMS
        )

    def __call__(self, news: News) -> None:  # noqa: C901 -- one for each news
        match news:
            case Greeted():
                if self._terminal.title:
                    self._draw("\x1b[22;2t")  # keeps the title that there is
                self._show("", _NO_PROGRESS)
            case BuildStarted():
                self._show("building", _AT_WORK)
            case BuildCancelled():
                self._show("", _NO_PROGRESS)
            case BuildSucceeded(seconds=seconds):
                self._show("", _NO_PROGRESS)
                self._ring(seconds >= LONG_BUILD)
            case BuildFailed():
                self._show("build failed", _FAILED)
                self._ring(True)
            case AppExited(ok=False) | StartFailed():
                self._show("app failed", _FAILED)
            case AppStarted() | AppReady():
                self._show("", _NO_PROGRESS)
            case QuitFinished():
                self._show("", _NO_PROGRESS)
                if self._terminal.title:
                    self._draw("\x1b[23;2t")

    def _show(self, state: str, progress: str) -> None:
        if not self._terminal.title or self._shown == (state, progress):
            return
        self._shown = (state, progress)
        self._draw(f"\x1b]2;{self._name}{state and f': {state}'}\x07")
        if self._has_progress:
            self._draw(f"\x1b]9;4;{progress}\x07")

    def _ring(self, is_due: bool) -> None:
        if is_due and self._terminal.bell:
            self._draw("\x07")
