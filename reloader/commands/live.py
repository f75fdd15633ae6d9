"""The parts of a run that a config makes, and that are made again when it is edited."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from reloader.core import plan
from reloader.core.messages import (
    ConfigChanged,
    ConfigLoaded,
    ConfigRejected,
    Noticed,
    Warned,
)
from reloader.core.needs import Needs
from reloader.process import init
from reloader.process.environ import EnvFiles
from reloader.report.buildlog import BuildLog
from reloader.report.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reloader.config.changes import Changes
    from reloader.config.load import Reading
    from reloader.config.model import Config
    from reloader.core.loop import Inbox
    from reloader.core.machine import Settings
    from reloader.core.messages import Fact
    from reloader.process.launcher import Launcher
    from reloader.report.bus import Bus, Report
    from reloader.watch.watcher import Watcher


class Live:
    """The config that holds, its reports and its watcher; a new one changes what it touches."""

    def __init__(
        self,
        config: Config,
        environ: Mapping[str, str],
        read: Callable[[], Reading],
        bus: Bus,
        start_line: Callable[[], None] = lambda: None,
    ) -> None:
        self.config = config
        self._start_line = start_line
        self._environ = environ
        self._read = read
        self._bus = bus
        self._reports: list[Report] = []
        self._watcher: Watcher | None = None
        self._rejected = ""
        self.note = ""  # what the user should know of our own files
        self._report()

    @property
    def settings(self) -> Settings:
        return plan.settings(self.config, is_pid1=init.is_pid1())

    @property
    def env_files(self) -> EnvFiles:
        return EnvFiles(self.config.env_files, self._environ)

    def watch(self, inbox: Inbox, since_ns: int) -> None:
        from reloader import watch

        if self._watcher:
            inbox.remove(self._watcher)
        self._watcher = watch.open(self.config, watch.Rules.of(self.config), since_ns)
        inbox.add(self._watcher)

    def reread(self, inbox: Inbox, launcher: Launcher) -> Iterator[Fact]:
        """The config files have been touched: what follows."""
        from reloader.config.changes import RUN, changed

        reading = self._read()
        if reading.config is None:
            text = "; ".join(" ".join(str(problem).split()) for problem in reading.problems)
            if text != self._rejected:
                yield Noticed(ConfigRejected(text))
            self._rejected = text
            return
        changes = changed(self.config, reading.config)
        if self._rejected and not changes:
            yield Noticed(ConfigChanged(()))
        self._rejected = ""
        if changes.needs_run:
            keys = " and ".join(key for key in changes.keys if key in RUN)
            yield Noticed(Warned(f"{keys} was edited: start reloader again for that"))
        elif changes:
            yield from self._take(reading.config, changes, inbox, launcher)

    def _take(
        self, config: Config, changes: Changes, inbox: Inbox, launcher: Launcher
    ) -> Iterator[Fact]:
        since = time.time_ns()
        self.config = config
        launcher.reconfigure(config, self.env_files)
        if changes.needs_report:
            self._report()
        if changes.needs_rewatch:
            self.watch(inbox, since)
        yield Noticed(ConfigChanged(changes.keys))
        needs = Needs(build=changes.needs_build, restart=changes.needs_restart)
        yield ConfigLoaded(self.settings, needs)

    def _report(self) -> None:
        for report in self._reports:
            self._bus.remove(report)
        console = Console(self.config, self._environ, start_line=self._start_line)
        self._reports = [console, BuildLog(self._build_log())]
        for report in self._reports:
            self._bus.add(report)

    def _build_log(self) -> str:
        """In `tmp_dir`; where that can't be written, as on a read-only mount, elsewhere."""
        path = os.path.join(self.config.tmp_dir, self.config.build.log)
        folder = os.path.dirname(path)
        while not os.path.exists(folder) and folder != os.path.dirname(folder):
            folder = os.path.dirname(folder)
        self.note = ""
        if os.access(folder, os.W_OK) or not self.config.build.cmd:
            return path
        elsewhere = self._environ.get("TMPDIR") or "/tmp"  # noqa: S108 -- a folder of our own in it
        ours = os.path.join(elsewhere, f"reloader-{os.getuid()}")
        if os.path.lexists(ours) and os.lstat(ours).st_uid != os.getuid():
            return path  # somebody else has put it there
        path = os.path.join(ours, os.path.basename(path))
        self.note = f"{folder} can't be written: failed builds are noted in {path}"
        return path
