"""Advice about an app that reloads itself: given in an idle moment, once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reloader.core.facts import Noticed
from reloader.core.news import (
    AppExited,
    AppStarted,
    AppStopped,
    ChangeSeen,
    ConfigChanged,
    Warned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reloader.config.model import Config
    from reloader.core.facts import Fact
    from reloader.core.news import News
    from reloader.core.values import Seconds

_AFTER_START: Seconds = 0.3  # by then the first app has been started; the look takes some 20 ms
_AFTER_RESTART: Seconds = 3.0  # by then most tools have set up their watches


class Advice:
    """A source that is read by deadline alone, and a report that notices when it is time.

    First the words of the command are looked at. If they tell nothing, the processes of an app
    that was restarted for a save are: is there one that watches the project by itself?
    """

    name = "advice"

    def __init__(self, config: Callable[[], Config]) -> None:
        self._config = config
        self._due: Seconds | None = time.monotonic() + _AFTER_START
        self._told = ""  # the last warning: each is given once
        self._app_pid = 0  # 0: no app is up
        self._has_changed = False  # a save has been seen, so the next start is a restart

    def __call__(self, news: News) -> None:
        match news:
            case ChangeSeen():
                self._has_changed = True
            case AppStarted(_, pid):
                self._app_pid = pid
                if self._has_changed and not self._told:
                    self._due = time.monotonic() + _AFTER_RESTART
            case AppStopped() | AppExited():
                self._app_pid = 0
            case ConfigChanged():
                self._due = time.monotonic() + _AFTER_START

    def fileno(self) -> int:
        return -1

    def deadline(self) -> Seconds | None:
        return self._due

    def read(self) -> Iterator[Fact]:
        self._due = None
        text = self._by_command() or self._by_processes()
        if text and text != self._told:
            self._told = text
            yield Noticed(Warned(text))

    def close(self) -> None:
        pass

    def _by_command(self) -> str:
        from reloader.config import self_reloaders

        tool = self_reloaders.of(self._config())
        return f"{tool.text}; to let both work: {tool.advice}" if tool else ""

    def _by_processes(self) -> str:
        config = self._config()
        if self._told or not (self._app_pid and self._has_changed and config.build.include_ext):
            return ""
        from reloader.config import self_reloaders
        from reloader.process.watching import watcher_below

        found = watcher_below(self._app_pid, config.root)
        if not found:
            return ""
        pid, name = found
        return (
            f"the app watches its files itself (pid {pid}, {name}); if it reloads by itself, a save"
            f" reloads it twice; to let both work: {self_reloaders.settings(config.command_dir)}"
        )
