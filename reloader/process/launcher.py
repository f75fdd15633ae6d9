"""From a task to a process: which command, which environment, which descriptors."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.command.bytecode import Bytecode
from reloader.command.parse import Command, app_command, parse_line
from reloader.core.facts import Noticed, ProcessStarted, SpawnFailed
from reloader.core.news import Warned
from reloader.core.values import Role
from reloader.light import dataclass, replace
from reloader.process.children import SpawnError
from reloader.process.spec import NULL, SpawnSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from reloader.command.environ import EnvFiles
    from reloader.config.model import Config
    from reloader.core.facts import Fact
    from reloader.core.values import Task, Ticket
    from reloader.output.outlet import Outlet
    from reloader.process.children import Children

    # Starts an app as described; returns its pid, and how if not simply so. Raises SpawnError.
    SpawnApp = Callable[[Ticket, SpawnSpec], tuple[int, str]]


@dataclass(frozen=True)
class Streams:
    """Descriptors that the user's commands get as 0, 1 and 2; -1: /dev/null."""

    stdin: int = 0
    stdout: int = 1
    stderr: int = 2
    outlet: Outlet | None = None  # the way of their output; None: straight to these


class Launcher:
    """Starts what the machine orders."""

    def __init__(  # noqa: PLR0913, PLR0917 -- one for each neighbour
        self,
        config: Config,
        children: Children,
        env_files: EnvFiles,
        streams: Streams,
        app_started: Callable[[Ticket, int], None] = lambda _ticket, _pid: None,
        spawn_app: SpawnApp | None = None,
    ) -> None:
        self._config = config
        self._children = children
        self._env_files = env_files
        self._streams = streams
        self._app_started = app_started
        self._spawn_app = spawn_app or (lambda ticket, spec: (children.spawn(ticket, spec), ""))
        self.bytecode = Bytecode()
        self._apps: set[Ticket] = set()  # those that live, and may be some that have ended

    def spawn(self, ticket: Ticket, task: Task) -> Iterator[Fact]:
        """Starts a process; yields the warnings of its env files, then whether it has started."""
        command = self.command(task)
        environ, warnings = self._env_files.read()
        for warning in warnings:
            yield Noticed(Warned(warning))
        # Without a terminal Python would hold its output back until the app ends.
        environ.setdefault("PYTHONUNBUFFERED", "1")
        if task.role in (Role.PRE, Role.BUILD) and self._config.build.cmd:
            with suppress(OSError):  # the build will say it better, if it needs the folder at all
                os.makedirs(self._config.tmp_dir, exist_ok=True)
        cwd = self._config.command_dir
        if warning := self.bytecode.clear({**environ, **dict(command.env)}, command.argv, cwd):
            yield Noticed(Warned(warning))
        environ |= self.bytecode.environ()
        try:
            pid, how = self._start(ticket, task, self._spec(task, command, environ))
        except SpawnError as error:
            why = f"{error.why} ({error.hint})" if error.hint else error.why
            yield SpawnFailed(ticket, command.shown, why, error.passing)
        else:
            if (outlet := self._streams.outlet) and outlet.why_straight:
                text = f"output comes without names, and is not kept: {outlet.why_straight}"
                yield Noticed(Warned(text))
            if task.role is Role.APP:
                self.bytecode.forget()
                self._apps = {t for t in self._apps if self._children.has(t)} | {ticket}
                self._app_started(ticket, pid)
            yield ProcessStarted(ticket, pid, command.shown, how)

    def _start(self, ticket: Ticket, task: Task, spec: SpawnSpec) -> tuple[int, str]:
        """Starts a process, its output on its way; returns its pid and how. Raises SpawnError."""
        outlet = self._streams.outlet
        ends = outlet.open(ticket, task, spec.stdio[1], spec.stdio[2]) if outlet else None
        if ends:
            spec = replace(spec, stdio=(spec.stdio[0], *ends))
        try:
            if task.role is Role.APP:
                return self._spawn_app(ticket, spec)
            return self._children.spawn(ticket, spec), ""
        finally:
            if ends:
                ends.close()

    def reconfigure(self, config: Config, env_files: EnvFiles) -> None:
        """Takes another config for all starts from now on."""
        self._config = config
        self._env_files = env_files

    def is_app(self, ticket: Ticket) -> bool:
        """Returns True for a process of the app, False for that of a build, a rule or a hook."""
        return ticket in self._apps

    def forward(self, number: int) -> None:
        """Hands a signal that is not for reloader on to every process of the app."""
        for ticket in self._apps:
            self._children.forward(ticket, number)

    def _spec(self, task: Task, command: Command, environ: Mapping[str, str]) -> SpawnSpec:
        streams, cwd = self._streams, self._config.command_dir
        # A shell sets PWD when it changes its directory; make's $(PWD) and os.environ trust it.
        env = {**environ, **dict(command.env), "PWD": cwd}
        stdin = streams.stdin if task.role is Role.APP else NULL
        return SpawnSpec(command.argv, env, cwd, (stdin, streams.stdout, streams.stderr))

    def command(self, task: Task) -> Command:
        build = self._config.build
        match task.role:
            case Role.PRE:
                return parse_line(build.pre_cmd[task.index])
            case Role.BUILD:
                return parse_line(build.cmd)
            case Role.POST:
                return parse_line(build.post_cmd[task.index])
            case Role.RULE:
                return parse_line(next(r.cmd for r in build.rules if r.name == task.name))
            case Role.APP:
                return app_command(self._config)
