"""An app of a run: the parts that its config makes, and makes again when it is edited."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import TYPE_CHECKING

from reloader import __version__
from reloader.command.environ import EnvFiles
from reloader.commands import settings
from reloader.commands.browser import Browser, secrets
from reloader.commands.clean import Cleaner
from reloader.commands.overheard import Overheard
from reloader.commands.problems import failed_part, problems_in
from reloader.commands.swap import Swap
from reloader.control.memory import Memory
from reloader.control.status import Status
from reloader.core.changes import is_first_to_come
from reloader.core.facts import ConfigLoaded, Dismissed, Noticed, ProcessStarted
from reloader.core.needs import Needs
from reloader.core.news import (
    AppDropped,
    AppExited,
    AppRemoved,
    AppStopped,
    BuildFailed,
    BuildSucceeded,
    ConfigChanged,
    ConfigRejected,
    Greeted,
    Informed,
    ProblemsFound,
    QuitFinished,
    RuleFailed,
    Warned,
)
from reloader.core.state import begin
from reloader.core.values import Role, Task
from reloader.core.view import view
from reloader.light import replace
from reloader.output.outlet import Outlet
from reloader.problems.secrets import hidden
from reloader.process import orphans
from reloader.process.launcher import Launcher
from reloader.process.mark import new_run
from reloader.process.stop_rule import AT_ONCE
from reloader.report.buildlog import BuildLog
from reloader.report.bus import Bus
from reloader.report.console import Console, Screen
from reloader.report.footer import Footer
from reloader.report.title import Title
from reloader.runtime.loop import SEATS, System, Worker

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reloader.commands.shared import Project, Shared
    from reloader.config.changes import Changes
    from reloader.config.model import Config
    from reloader.control.socket import StatusSocket
    from reloader.core.facts import Fact
    from reloader.core.news import News
    from reloader.core.settings import Settings
    from reloader.core.values import Change, Ticket, Version
    from reloader.core.view import Snapshot
    from reloader.filter.rules import FileFilter
    from reloader.process.spec import SpawnSpec
    from reloader.report.bus import Report
    from reloader.runtime.loop import Seat
    from reloader.runtime.source import Source
    from reloader.warm.client import Warm


class Live:
    """The config that holds, its reports and its watcher; a new one changes what it touches."""

    def __init__(
        self, project: Project, seat: Seat, shared: Shared, status: StatusSocket | None
    ) -> None:
        self.config = project.config
        self._project = project
        self.seat = seat
        self._shared = shared
        self._bus = Bus()
        self._cleaner = Cleaner()
        self._bus.add(self._cleaner)
        is_alone = not project.name
        mark = b"" if is_alone else project.name.ljust(shared.label_width).encode() + b" | "
        self.output = Outlet(shared.pump, is_alone=is_alone, mark=mark)
        self._socket = status
        if status:
            status.status = self.status
        self.memory = Memory()
        self._bus.add(self.memory)
        self._bus.add(partial(shared.chronicle, app=project.name))
        if shared.json:
            self._bus.add(partial(shared.json, app=project.name))
        self._reports: list[Report] = []
        self._console: Console | None = None
        self._watcher: Overheard | None = None
        self._worker: Worker | None = None
        self._warm: Warm | None = None
        self._told_rejected = False
        self._leaves = False  # it was taken out of the config
        self._unused = ""  # what was edited and needs another run
        self._note = ""  # a warning about reloader's own files; "" if none
        self._browser = Browser(self.snapshot, shared.inbox, seat)
        self._bus.add(self._browser)
        self._report()
        self._swap = Swap(self.config, self._environ, shared.inbox, seat, project.name)
        self.launcher = Launcher(
            self.config,
            shared.children,
            self._env_files,
            replace(shared.streams, outlet=self.output),
            shared.foreground.give,
            self._spawn,
        )

    def greet(self) -> None:
        config, port = self.config, self._swap.port
        self._bus.publish(Greeted(__version__, config.file, os.getpid(), config.found, port))
        for info in config.infos:
            self._bus.publish(Informed(info.line))
        for text in filter(
            None,
            (
                *(warning.line for warning in self.config.warnings),
                self._note,
                self._socket.warning if self._socket else "",
                settings.cut_short(self._settings),
            ),
        ):
            self._bus.publish(Warned(text))

    @property
    def config_name(self) -> tuple[str, str]:
        """Returns the config file and the name in its `[apps.*]`, which may be ""."""
        return self.config.file_path, self.config.name

    def worker(self) -> Worker:
        """Makes the machine of this app."""
        shared = self._shared
        children = shared.children

        def stop(ticket: Ticket, number: int) -> Iterable[Fact]:
            is_app = self.launcher.is_app(ticket)
            terms = settings.stop_terms(self.config.build) if is_app else AT_ONCE
            return shared.foreground.stop(ticket, number, terms)

        def spawn(ticket: Ticket, task: Task, _: Version | None) -> Iterable[Fact]:
            for fact in self.launcher.spawn(ticket, task):
                yield fact
                if isinstance(fact, ProcessStarted) and task.role is Role.APP:
                    yield from self._swap.started(ticket, fact.pid)

        route, drain = self._swap.route, self._swap.drain
        system = System(
            spawn, stop, children.kill, children.measure, route, children.forward, drain
        )
        state = begin(self._settings, shared.inbox.now(), self.seat, SEATS)
        join, (file, name) = self._browser.join, self.config_name
        self._worker = Worker(state, join(system), self._publish, file, name)
        return self._worker

    def _spawn(self, ticket: Ticket, spec: SpawnSpec) -> tuple[int, str]:
        """Starts the app, warm where that may be; returns its pid and how it was started."""
        children = self._shared.children
        spec = replace(spec, env={**spec.env, **self._swap.environ()})
        if not self._is_warm(spec):
            return children.spawn(ticket, spec, partial(self._swap.start, ticket)), ""
        if self._warm is None:
            from reloader.warm.client import Entry, Warm

            swap = self._swap
            entry = Entry(swap.start, swap.meet, swap.file)
            try:
                self._warm = Warm(f"reloader-warm-{new_run()}", children, entry)
            except OSError:  # no descriptor to be had: the next start is tried warm
                return children.spawn(ticket, spec, partial(swap.start, ticket)), ""
            self._shared.inbox.add(self._warm, self.seat)
        return self._warm.spawn(ticket, spec)

    def _is_warm(self, spec: SpawnSpec) -> bool:
        """Returns True for a Python app that can start from a server."""
        warm = self.config.python.warm
        if warm == "false" or not self._shared.children.adopts:
            return False
        from reloader.warm.plan import judge

        return warm == "true" or not judge(spec.argv, spec.env, spec.cwd).why

    def _publish(self, news: News) -> None:
        """Publishes news of the machine, with the problems that the output of a failure names."""
        output = self._output_of(news)
        self._browser.output = self.memory.output = output
        self._bus.publish(news)
        if output and (found := problems_in(output, self.config)):
            self._bus.publish(ProblemsFound(failed_part(news), found))
        self._leaves |= isinstance(news, AppRemoved)
        if self._leaves and isinstance(news, QuitFinished):
            self._leave()

    def _leave(self) -> None:
        """Gives back what the app has had of the run, which goes on without it."""
        self._browser.close()
        sources: tuple[Source | None, ...] = (self._watcher, self._socket, self._console)
        for source in filter(None, sources):
            self._shared.inbox.remove(source)
        self.clean()
        self._shared.crew.left(self.seat)

    def _output_of(self, news: News) -> str:
        """Returns the output behind a failure; "" for any other news, or if none was kept."""
        match news:
            case BuildFailed():
                return self.output.last(Role.BUILD) or self.output.last(Role.PRE)
            case RuleFailed(rule):
                return self.output.last(Role.RULE, rule)
            case AppExited(ok=False) | AppDropped():
                return self.output.last(Role.APP)
            case BuildSucceeded() | AppStopped():
                self.output.last(Role.APP if isinstance(news, AppStopped) else Role.BUILD)
        return ""

    def snapshot(self) -> Snapshot:
        """Returns how the app stands; only after `worker`."""
        if self._worker is None:
            raise RuntimeError("the app has no state yet")
        return view(self._worker.state, self._shared.inbox.now())

    @property
    def name(self) -> str:
        """The name of the app in a run of several; "" if it is the only one."""
        return self._project.name

    @property
    def rejected(self) -> str:
        """Returns why the config does not hold as it was saved; "" if it does."""
        why = (text for key, text in self._shared.rejected.items() if key in (self.seat, str(key)))
        return next(why, self._unused)

    def tell_behind(self, *facts: Fact) -> None:
        """Tells the machine these facts behind every change that was made before now."""
        if self._watcher is None:
            self._shared.inbox.put(facts, self.seat)
        else:
            self._watcher.tell_behind(*facts)

    def secrets(self) -> list[str]:
        """Returns the values that nobody is shown."""
        return hidden(secrets(self._environ()))

    def status(self) -> Status:
        return Status.of(self.snapshot(), os.getpid(), self.config.root, self._project.name)

    def look(self, since_ns: int) -> None:
        """Begins with all that can wait until the app has been started.

        Of an app that waits for others, the first build has all that was changed until now.
        """
        waits = self._worker is not None and is_first_to_come(self._worker.state)
        self._watch(time.time_ns() if waits else since_ns)
        self.open_proxy()
        self._advise()

    def _watch(self, since_ns: int) -> None:
        from reloader import watch

        watcher = watch.open(self.config, self._file_filter(), since_ns, self._reread)
        self._watcher = Overheard(watcher, self._saved)
        self._shared.inbox.add(self._watcher, self.seat)

    def _file_filter(self) -> FileFilter:
        from reloader.watch import filter_of

        return filter_of(self.config, self._project.files)

    def _saved(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Notes Python files that were saved; returns the changes with what is wrong in them."""
        paths = [os.path.join(self.config.root, change.path) for change in changes]
        self.launcher.bytecode.saved(paths)
        has_python = any(path.endswith(".py") for path in paths)
        if not has_python or self.config.build.app is None:
            return tuple(changes)
        from reloader.command import grammar

        command = self.launcher.command(Task(Role.APP))
        environ = {**self._environ(), **dict(command.env)}
        found = grammar.errors(paths, command.argv, environ)
        return tuple(
            replace(change, error=found.get(path, ""))
            for path, change in zip(paths, changes, strict=True)
        )

    def open_proxy(self) -> None:
        """Opens the proxy if the config has one; after the first spawn."""
        self._browser.open(self.config, lambda: self._env_files)

    def _advise(self) -> None:
        """Looks closer at the app's command, but in an idle moment: it would slow the start."""
        from reloader.commands.advice import Advice

        advice = Advice(lambda: self.config)
        self._bus.add(advice)
        self._shared.inbox.add(advice, self.seat)

    def clean(self) -> None:
        """Removes what was kept for the run.

        With `clean_on_exit` that is also what the builds have made in `tmp_dir`.
        """
        self._swap.close()
        self.launcher.bytecode.close()
        if self.config.misc.clean_on_exit and (text := self._cleaner.clean(self.config)):
            self._bus.publish(Warned(text))

    # --- the config has been edited ------------------------------------------------------------

    def _reread(self) -> Iterator[Fact]:
        """The config files have been touched: what follows."""
        from reloader.config.changes import RUN, changed

        reading = self._project.read()
        if self._leaves:
            return
        if reading.apps:
            yield from self._shared.crew.complete(self._project, reading.apps, self._shared)
        if reading.config is None:
            yield from self._reject("; ".join(problem.line for problem in reading.problems))
            return
        self._shared.rejected.pop(self.seat, None)
        changes = changed(self.config, reading.config)
        if self._told_rejected and not changes:
            yield Noticed(ConfigChanged(()))
        self._told_rejected = False
        self._unused = ""
        if changes.needs_run:
            keys = " and ".join(key for key in changes.keys if key in RUN)
            self._unused = f"{keys} was edited: start reloader again for that"
            yield Noticed(Warned(self._unused))
        elif changes:
            yield from self._take(reading.config, changes)

    def _reject(self, text: str) -> Iterator[Fact]:
        """Keeps the last config; of apps of one file only the first one says why."""
        rejected = self._shared.rejected
        if not text:  # there is nothing wrong, but no such app to be run any more
            yield Dismissed()
        elif text not in rejected.values():
            self._told_rejected = True
            yield Noticed(ConfigRejected(text))
        rejected[self.seat] = text

    def _take(self, config: Config, changes: Changes) -> Iterator[Fact]:
        told = {warning.text for warning in self.config.warnings}
        self.config = config
        self.launcher.reconfigure(config, self._env_files)
        self._swap.reconfigure(config)
        if changes.needs_report:
            self._report()
        if changes.needs_rewatch and self._watcher:
            self._watcher.reconfigure(config, self._file_filter())
        if changes.needs_proxy or "build.rules" in changes.keys:  # a rule may refresh the browser
            self.open_proxy()
        yield Noticed(ConfigChanged(changes.keys))
        for warning in config.warnings:
            if warning.text not in told:
                yield Noticed(Warned(warning.line))
        needs = Needs(build=changes.needs_build, restart=changes.needs_restart)
        yield ConfigLoaded(self._settings, needs)

    # --- what a config makes -------------------------------------------------------------------

    @property
    def _settings(self) -> Settings:
        return settings.settings(self.config, is_pid1=orphans.is_pid1())

    def _environ(self) -> dict[str, str]:
        return self._env_files.read()[0]

    @property
    def _env_files(self) -> EnvFiles:
        config = self.config
        return EnvFiles(config.env_files, self._shared.environ, config.root, config.env)

    def _report(self) -> None:
        for report in self._reports:
            self._bus.remove(report)
        if self._console:
            self._shared.inbox.remove(self._console)
        shared, label = self._shared, self._project.name.ljust(self._shared.label_width)
        draw = None if self._project.name else shared.draw
        footer = Footer(draw, shared.console.fd, shared.foreground.is_free) if draw else None
        screen = Screen(shared.foreground.start_line, footer)
        self._console = Console(self.config, shared.environ, shared.console, label, screen)
        shared.inbox.add(self._console, self.seat)
        self._reports = [self._console, self._build_log()]
        if draw:
            name = os.path.basename(self.config.root)
            self._reports.append(Title(draw, self.config.terminal, shared.environ, name))
        for report in self._reports:
            self._bus.add(report)

    def _build_log(self) -> BuildLog:
        """Returns a path in `tmp_dir`; elsewhere if that can't be written (a read-only mount)."""
        path = os.path.join(self.config.tmp_dir, self.config.build.log)
        folder = os.path.dirname(path)
        while not os.path.exists(folder) and folder != os.path.dirname(folder):
            folder = os.path.dirname(folder)
        self._note = ""
        if os.access(folder, os.W_OK) or not self.config.build.cmd:
            return BuildLog(path)
        elsewhere = self._shared.environ.get("TMPDIR") or "/tmp"  # noqa: S108 -- a directory of its own in it
        ours = os.path.join(elsewhere, f"reloader-{os.getuid()}")
        path = os.path.join(ours, os.path.basename(path))
        self._note = f"{folder} can't be written: failed builds are noted in {path}"
        return BuildLog(path, private=True)
