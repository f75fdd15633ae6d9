"""`reloader run`: the composition root. It knows the whole house and decides nothing."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from reloader import __version__
from reloader.control.socket import StatusSocket
from reloader.control.status import Status
from reloader.core import plan
from reloader.core.loop import Inbox, Loop, System
from reloader.core.machine import State
from reloader.core.messages import Greeted, Noted, Tick, Warned
from reloader.errors import Exit
from reloader.process import init, signals
from reloader.process.children import Children
from reloader.process.environ import EnvFiles
from reloader.process.foreground import Foreground
from reloader.process.launcher import Launcher, Streams
from reloader.process.mark import new_run
from reloader.process.terminal import Terminal
from reloader.report.buildlog import BuildLog
from reloader.report.bus import Bus, Report
from reloader.report.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.config.model import Config


def run(config: Config, *, json: bool = False) -> int:
    """Until a signal ends it; gives the exit status."""
    environ = dict(os.environ)
    os.chdir(config.root)
    run_name = new_run()
    guardian = init.Guardian(run_name)
    children = Children(run_name, adopts=init.become_subreaper(), guard=guardian.guard)
    # With --json, stdout is for news alone: what the commands write there goes to stderr.
    terminal = Terminal.open()
    foreground = Foreground(children, terminal)
    # A terminal that is not ours to give would stop who reads from it.
    stdin = 0 if terminal or not os.isatty(0) else -1
    streams = Streams(stdin, 2 if json else 1)
    env_files = EnvFiles(config.env_files, environ)
    launcher = Launcher(config, children, env_files, streams, foreground.give)
    status = _status_socket(config)
    inbox = Inbox(time.monotonic)
    inbox.add(signals.SignalSource(foreground.collect, launcher.forward, foreground.resume))
    inbox.add(foreground)
    bus = _bus(config, environ, json=json)
    if status:
        inbox.add(status)
        bus.add(status)
    bus.publish(Greeted(__version__, config.file, os.getpid()))
    for aside in config.asides:
        bus.publish(Noted(aside))
    for note in config.notes:
        bus.publish(Warned(note))
    loop = Loop(
        State(plan.settings(config, is_pid1=init.is_pid1())),
        inbox,
        System(time.monotonic, launcher.spawn, foreground.stop, children.kill),
        bus.publish,
    )
    since = time.time_ns()
    loop.step(Tick())  # the first job is spawned: the user waits for the app, not for us
    _watch(config, inbox, since)
    loop.run()
    foreground.close()
    inbox.close()
    guardian.close()
    _clean(config)
    return Exit.OK


def _status_socket(config: Config) -> StatusSocket | None:
    """Raises TakenError if the same app runs here already; None where there is no such socket."""
    build = config.build
    status = Status(os.getpid(), config.root, has_app=plan.has_app(build))
    what = (config.root, config.file, build.cmd, build.full_bin, build.bin, *build.entrypoint)
    try:
        return StatusSocket(status, "\0".join(what))
    except OSError:  # not Linux
        return None


def _bus(config: Config, environ: Mapping[str, str], *, json: bool) -> Bus:
    reports: list[Report] = [
        Console(config, environ),
        BuildLog(os.path.join(config.tmp_dir, config.build.log)),
    ]
    if json:
        from reloader.report.jsonl import JsonLines

        reports.append(JsonLines())
    return Bus(*reports)


def _watch(config: Config, inbox: Inbox, since: int) -> None:
    from reloader import watch
    from reloader.watch.rules import Rules

    inbox.add(watch.open(config, Rules.of(config), since))


def _clean(config: Config) -> None:
    """`clean_on_exit`: the config was refused if this folder held anything but what builds make."""
    if config.misc.clean_on_exit and not os.path.islink(config.tmp_dir):
        import shutil

        shutil.rmtree(config.tmp_dir, ignore_errors=True)
