"""`reloader run`: the composition root. It knows the whole house and decides nothing."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader import __version__
from reloader.commands.live import Live
from reloader.control.socket import StatusSocket
from reloader.control.status import Status
from reloader.core import plan
from reloader.core.loop import Inbox, Loop, System
from reloader.core.machine import State
from reloader.core.messages import Greeted, Noted, Tick, Warned
from reloader.errors import Exit
from reloader.process import init, signals
from reloader.process.children import Children
from reloader.process.foreground import Foreground
from reloader.process.launcher import Launcher, Streams
from reloader.process.mark import new_run
from reloader.process.terminal import Terminal
from reloader.report.bus import Bus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reloader.config.load import Reading
    from reloader.config.model import Config


def run(
    config: Config, read: Callable[[], Reading], files: Sequence[str], *, json: bool = False
) -> int:
    """Until a signal ends it; gives the exit status.

    `read` reads the config again, `files` are those that it may come from. Raises TakenError.
    """
    environ = dict(os.environ)
    os.chdir(config.root)
    status = _status_socket(config)
    run_name = new_run()
    guardian = init.Guardian(run_name)
    children = Children(run_name, adopts=init.become_subreaper(), guard=guardian.guard)
    terminal = Terminal.open()
    keys = config.terminal.keys and not json
    foreground = Foreground(children, terminal, reads_keys=keys, told=guardian.modes)
    bus = _bus(status, json=json)
    live = Live(config, environ, read, bus, foreground.start_line)
    # A terminal that is not ours to give would stop who reads from it. With --json, stdout is for
    # news alone: what the commands write there goes to stderr.
    streams = Streams(0 if terminal or not os.isatty(0) else -1, 2 if json else 1)
    launcher = Launcher(config, children, live.env_files, streams, foreground.give)
    inbox = Inbox(time.monotonic)
    inbox.add(_signals(foreground, launcher, has_terminal=terminal is not None))
    inbox.add(foreground)
    if status:
        inbox.add(status)
    _greet(bus, config, live.note)
    system = System(time.monotonic, launcher.spawn, foreground.stop, children.kill)
    loop = Loop(State(live.settings), inbox, system, bus.publish)
    since = time.time_ns()
    try:
        loop.step(Tick())  # the first job is spawned: the user waits for the app, not for us
        inbox.put(foreground.open())
        live.watch(inbox, since)
        _watch_config(live, inbox, launcher, files)
        loop.run()
    except BaseException:  # a fault of ours: nothing of it may outlive us
        children.close()
        raise
    finally:
        foreground.close()
        inbox.close()
        guardian.close()
    _clean(live.config)
    return Exit.OK


def _signals(
    foreground: Foreground, launcher: Launcher, *, has_terminal: bool
) -> signals.SignalSource:
    return signals.SignalSource(
        foreground.collect,
        launcher.forward,
        foreground.resume,
        foreground.suspend if has_terminal else None,
        foreground.asked,
    )


def _bus(status: StatusSocket | None, *, json: bool) -> Bus:
    bus = Bus()
    if status:
        bus.add(status)
    if json:
        from reloader.report.jsonl import JsonLines

        bus.add(JsonLines())
    return bus


def _greet(bus: Bus, config: Config, note: str) -> None:
    bus.publish(Greeted(__version__, config.file, os.getpid()))
    for aside in config.asides:
        bus.publish(Noted(aside))
    for text in filter(None, (*config.notes, note)):
        bus.publish(Warned(text))


def _status_socket(config: Config) -> StatusSocket | None:
    """Raises TakenError if the same app runs here already; None where there is no such socket."""
    build = config.build
    status = Status(os.getpid(), config.root, has_app=plan.has_app(build))
    commands = (build.cmd, build.full_bin, build.bin, *build.entrypoint)
    what = (config.root, config.file, *commands, *build.args_bin, *config.args)
    try:
        return StatusSocket(status, "\0".join(what))
    except OSError:  # not Linux
        return None


def _watch_config(live: Live, inbox: Inbox, launcher: Launcher, files: Sequence[str]) -> None:
    with suppress(OSError, AttributeError):  # no inotify here: an edited config needs a new start
        from reloader.watch.files import Files

        inbox.add(Files(files, lambda: live.reread(inbox, launcher)))


def _clean(config: Config) -> None:
    """`clean_on_exit`: the config was refused if this folder held anything but what builds make."""
    if config.misc.clean_on_exit and not os.path.islink(config.tmp_dir):
        import shutil

        shutil.rmtree(config.tmp_dir, ignore_errors=True)
