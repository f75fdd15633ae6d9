"""`reloader run`: the composition root. It knows the whole house and decides nothing."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from reloader.commands.app import Live
from reloader.commands.shared import Shared
from reloader.control.memory import Chronicle
from reloader.control.socket import StatusSocket
from reloader.core.facts import Noticed, Tick
from reloader.core.news import ConfigRejected
from reloader.errors import ConfigError, Exit, TakenError
from reloader.output.outlet import LazyPump
from reloader.process import orphans, signals
from reloader.process.children import Children
from reloader.process.launcher import Streams
from reloader.process.mark import new_run
from reloader.report.console import is_drawable, writer
from reloader.runtime.clock import Clock
from reloader.runtime.loop import Inbox, Loop
from reloader.terminal.foreground import Foreground
from reloader.terminal.tty import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reloader.commands.control import Control
    from reloader.commands.shared import Project
    from reloader.core.facts import Fact
    from reloader.errors import ReloaderError
    from reloader.report.jsonl import JsonLines
    from reloader.runtime.loop import Seat


def run(projects: Sequence[Project], *, json: bool = False) -> int:
    """Until a signal ends them all; gives the exit status.

    Raises TakenError or ConfigError, before anything has started.
    """
    started_in = os.getcwd()
    sockets = [_status_socket(project, started_in) for project in projects]
    clock = Clock(time.monotonic)
    children, guardian = _children(clock)
    is_alone = len(projects) == 1
    keys = all(project.config.terminal.keys for project in projects) and not json
    # Without keys the app has the terminal from its start: of several, none can.
    terminal = Terminal.open() if is_alone or keys else None
    foreground = Foreground(children, terminal, reads_keys=keys, told=guardian.modes)
    inbox = Inbox(clock)
    crew = Crew(Loop([], inbox, clock.now))
    lines = writer()
    shared = Shared(
        dict(os.environ),
        started_in,
        inbox,
        children,
        foreground,
        _streams(terminal, is_alone=is_alone, json=json),
        lines,
        _json() if json else None,
        max(len(project.name) for project in projects),
        LazyPump(),
        crew,
        {},
        Chronicle(),
        _drawing(terminal, lines.fd, json=json),
    )
    inbox.add(_signals(foreground, crew.apps, has_terminal=terminal is not None), urgent=True)
    inbox.add(foreground)
    for project, socket in zip(projects, sockets, strict=True):
        crew.join(project, socket, shared)
    since = time.time_ns()
    try:
        # The first job is spawned before the rest is imported: the user waits for the app.
        crew.loop.step((None, Tick()))
        crew.loop.answer()
        inbox.put(foreground.open())
        _begin_the_rest(crew, shared, since)
        crew.loop.run()
        children.close()  # orphans whose job could not be told
    except BaseException:  # a bug: no process may outlive reloader for it
        children.close()
        raise
    finally:
        foreground.close()
        inbox.close()
        guardian.close(all_gone=not children.alive())
    shared.pump.close()
    for app in crew.apps:
        app.clean()
    return Exit.OK


def _begin_the_rest(crew: Crew, shared: Shared, since_ns: int) -> None:
    from reloader.commands.control import Control
    from reloader.commands.later import Later

    for app in crew.apps:
        app.look(since_ns)
    crew.control = Control(crew.apps, shared)
    crew.control.open()
    shared.inbox.add(Later())


class Crew:
    """The apps of a run, and the loop with their machines; an edit may bring and take some."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.apps: list[Live] = []
        self.control: Control | None = None  # None until the first apps have started

    def join(self, project: Project, socket: StatusSocket | None, shared: Shared) -> Live:
        """Takes an app in; its machine begins with the next step of the loop."""
        app = Live(project, len(self.loop.workers), shared, socket)
        self.apps.append(app)
        if socket:
            shared.inbox.add(socket)
        app.greet()
        self.loop.workers.append(app.worker())
        return app

    def left(self, seat: Seat) -> None:
        self.apps[:] = [app for app in self.apps if app.seat != seat]
        if self.control:
            self.control.follow()

    def complete(self, project: Project, names: Sequence[str], shared: Shared) -> Iterator[Fact]:
        """Starts the apps of an edited file that do not run yet; yields what is wrong with them."""
        here = {app.config_name for app in self.apps}
        for name in names:
            if project.sibling is None or (project.config.file_path, name) in here:
                continue
            try:
                new = project.sibling(name)
                app = self.join(new, _status_socket(new, shared.started_in), shared)
            except (ConfigError, TakenError) as error:
                yield from _not_joined(name, error, shared.rejected)
                continue
            shared.rejected.pop(name, None)
            app.look(time.time_ns())
            if self.control:
                self.control.follow()
            shared.inbox.put((Tick(),), app.seat)


def _not_joined(name: str, error: ReloaderError, rejected: dict[Seat | str, str]) -> Iterator[Fact]:
    text = "; ".join(problem.line for problem in error.problems)
    if text not in rejected.values():
        rejected[name] = text
        yield Noticed(ConfigRejected(f"{name} is not started: {text}"))


def _children(clock: Clock) -> tuple[Children, orphans.Guardian]:
    run = new_run()
    adopts, is_pid1 = orphans.become_subreaper(), orphans.is_pid1()
    children = Children(run, adopts=adopts, strangers=is_pid1, now=clock.now)
    guardian = orphans.Guardian(run, children.register_helper)
    children.guarded_by(guardian.guard)
    return children, guardian


def _signals(
    foreground: Foreground, apps: Sequence[Live], *, has_terminal: bool
) -> signals.SignalSource:
    def forward(number: int) -> None:
        for app in apps:
            app.launcher.forward(number)

    return signals.SignalSource(
        foreground.collect,
        forward,
        foreground.resume,
        foreground.suspend if has_terminal else None,
        asked=foreground.asked,
        due=foreground.collect_at,
    )


def _streams(terminal: Terminal | None, *, is_alone: bool, json: bool) -> Streams:
    """Returns the standard streams of the commands.

    Several apps can't share an input, and a terminal in whose background reloader runs would stop
    a command that reads. With --json, stdout is for news alone: the output of commands goes to
    stderr.
    """
    is_theirs = is_alone and (terminal or not os.isatty(0))
    return Streams(0 if is_theirs else -1, 2 if json else 1)


def _drawing(terminal: Terminal | None, fd: int, *, json: bool) -> Callable[[str], None] | None:
    """Returns what draws on the terminal of reloader's lines; None if it knows lines only."""
    if terminal is None or json or not is_drawable(fd, os.environ):
        return None
    return terminal.draw


def _json() -> JsonLines:
    from reloader.report.jsonl import JsonLines

    return JsonLines()


def _status_socket(project: Project, started_in: str) -> StatusSocket | None:
    """Returns None where there is no such socket.

    Raises TakenError if the same app runs here already, ConfigError if it is asked for twice.
    """
    config = project.config
    build = config.build
    app = (build.app.key, build.app.text) if build.app else ()
    # Two builds of one app would write the same files, whatever its arguments are.
    args = () if build.cmd else config.args
    what = (config.root, build.cmd, *config.env_files, *app, *args)
    if config.name:  # apps of one file differ by their names alone, say in `[env]`
        what = (*what, config.name)
    try:
        return StatusSocket(started_in, config.root, "\0".join(what))
    except OSError:  # not Linux
        return None
