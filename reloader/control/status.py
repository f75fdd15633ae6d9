"""How things stand: what the news so far add up to.

Pure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reloader.core.news import (
    AppExited,
    AppStarted,
    AppStopped,
    BuildFailed,
    BuildSucceeded,
    Paused,
    QuitStarted,
    Resumed,
    StartFailed,
)

if TYPE_CHECKING:
    from dataclasses import dataclass

    from reloader.core.news import News
else:
    from reloader.light import dataclass


@dataclass(frozen=True)
class Status:
    """Of one run, as `reloader healthcheck` asks for it."""

    pid: int
    root: str
    has_app: bool
    name: str = ""  # of several apps in one run
    app_pid: int = 0  # 0: it is not up
    why_down: str = "it has not been started yet"
    build_failed: str = ""  # "exit 1"; empty: the last build was good
    paused: bool = False  # by a key

    def after(self, news: News) -> Status:  # noqa: PLR0911 -- one for each news
        match news:
            case AppStarted(_, pid):
                return replace(self, app_pid=pid)
            case AppExited(_, _, why, _, _):
                return replace(self, app_pid=0, why_down=why)
            case AppStopped():
                return replace(self, app_pid=0, why_down="it is being replaced")
            case StartFailed(_, command, why, _):
                return replace(self, why_down=f"{command}: {why}")
            case BuildFailed(_, why, _, _):
                return replace(self, build_failed=why)
            case BuildSucceeded():
                return replace(self, build_failed="")
            case Paused():
                return replace(self, paused=True)
            case Resumed():
                return replace(self, paused=False)
            case QuitStarted():
                return replace(self, why_down="reloader is ending")
            case _:
                return self

    def trouble(self, *, app_only: bool) -> str:
        """Why it is not healthy, in a sentence; empty: it is."""
        if self.has_app and not self.app_pid:
            return f"the app is not up: {self.why_down}"
        if self.build_failed and not app_only:
            goes_on = f"; the app goes on as pid {self.app_pid}" if self.app_pid else ""
            return f"the last build failed: {self.build_failed}{goes_on}"
        return ""
