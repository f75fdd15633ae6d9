"""`reloader run`: the composition root. It knows the whole house and decides nothing."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from reloader.commands.app import Live, Shared
from reloader.control.socket import StatusSocket
from reloader.core.facts import Tick
from reloader.errors import Exit
from reloader.output.outlet import LazyPump
from reloader.process import orphans, signals
from reloader.process.children import Children
from reloader.process.launcher import Streams
from reloader.process.mark import new_run
from reloader.report.console import writer
from reloader.runtime.clock import Clock
from reloader.runtime.loop import Inbox, Loop
from reloader.terminal.foreground import Foreground
from reloader.terminal.tty import Terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reloader.commands.app import Project
    from reloader.report.jsonl import JsonLines


def run(projects: Sequence[Project], *, json: bool = False) -> int:
    """Until a signal ends them all; gives the exit status.

    Raises TakenError or ConfigError, before anything has started.
    """
    sockets = [_status_socket(project) for project in projects]
    clock = Clock(time.monotonic)
    children, guardian = _children(clock)
    is_alone = len(projects) == 1
    keys = all(project.config.terminal.keys for project in projects) and not json
    # Without keys the app has the terminal from its start: of several, none can.
    terminal = Terminal.open() if is_alone or keys else None
    foreground = Foreground(children, terminal, reads_keys=keys, told=guardian.modes)
    inbox = Inbox(clock)
    shared = Shared(
        dict(os.environ),
        inbox,
        children,
        foreground,
        _streams(terminal, is_alone=is_alone, json=json),
        writer(),
        _json() if json else None,
        max(len(project.name) for project in projects),
        LazyPump(),
    )
    apps = [
        Live(project, seat, shared, socket)
        for seat, (project, socket) in enumerate(zip(projects, sockets, strict=True))
    ]
    inbox.add(_signals(foreground, apps, has_terminal=terminal is not None), urgent=True)
    inbox.add(foreground)
    for socket in filter(None, sockets):
        inbox.add(socket)
    for app in apps:
        app.greet()
    loop = Loop([app.worker(len(apps)) for app in apps], inbox, clock.now)
    since = time.time_ns()
    try:
        # The first job is spawned before the rest is imported: the user waits for the app.
        loop.step((None, Tick()))
        loop.answer()
        inbox.put(foreground.open())
        _begin_the_rest(apps, inbox, since)
        loop.run()
        children.close()  # orphans whose job could not be told
    except BaseException:  # a bug: no process may outlive reloader for it
        children.close()
        raise
    finally:
        foreground.close()
        inbox.close()
        guardian.close(all_gone=not children.alive())
    shared.pump.close()
    for app in apps:
        app.clean()
    return Exit.OK


def _begin_the_rest(apps: Sequence[Live], inbox: Inbox, since_ns: int) -> None:
    from reloader.commands.later import Later

    for app in apps:
        app.watch(since_ns)
        app.open_proxy()
        app.advise()
    inbox.add(Later())


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


def _json() -> JsonLines:
    from reloader.report.jsonl import JsonLines

    return JsonLines()


def _status_socket(project: Project) -> StatusSocket | None:
    """Returns None where there is no such socket.

    Raises TakenError if the same app runs here already, ConfigError if it is asked for twice.
    """
    config = project.config
    build = config.build
    app = (build.app.key, build.app.text) if build.app else ()
    # Two builds of one app would write the same files, whatever its arguments are.
    args = () if build.cmd else config.args
    what = (config.root, build.cmd, *config.env_files, *app, *args)
    try:
        return StatusSocket(os.getcwd(), config.root, "\0".join(what))
    except OSError:  # not Linux
        return None
