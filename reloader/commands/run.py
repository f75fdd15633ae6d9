"""`reloader run`: the composition root. It knows the whole house and decides nothing."""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING

from reloader import __version__
from reloader.core import plan
from reloader.core.loop import Inbox, Loop, System
from reloader.core.machine import State
from reloader.core.messages import Greeted, Tick, Warned
from reloader.errors import Exit
from reloader.process import init, signals
from reloader.process.children import Children
from reloader.process.environ import EnvFiles
from reloader.process.launcher import Launcher, Streams
from reloader.report.buildlog import BuildLog
from reloader.report.bus import Bus
from reloader.report.console import Console

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.config.model import Config


def run(config: Config, *, json: bool = False) -> int:
    """Until a signal ends it; gives the exit status."""
    environ = dict(os.environ)
    os.chdir(config.root)
    init.become_subreaper()
    children = Children(secrets.token_hex(8))
    env_files = EnvFiles(config.env_files, environ)
    # With --json, stdout is for news alone: what the commands write there goes to stderr.
    launcher = Launcher(config, children, env_files, Streams(stdout=2 if json else 1))
    system = System(time.monotonic, launcher.spawn, children.stop, children.kill)
    inbox = Inbox(time.monotonic)
    inbox.add(signals.SignalSource(children.collect))
    bus = _bus(config, environ, json=json)
    bus.publish(Greeted(__version__, config.file, os.getpid()))
    for note in config.notes:
        bus.publish(Warned(note))
    state = State(plan.settings(config, is_pid1=os.getpid() == 1))
    loop = Loop(state, inbox, system, bus.publish)
    since = time.time_ns()
    loop.step(Tick())  # the first job is spawned: the user waits for the app, not for us
    _watch(config, inbox, since)
    loop.run()
    inbox.close()
    _clean(config)
    return Exit.OK


def _bus(config: Config, environ: Mapping[str, str], *, json: bool) -> Bus:
    reports = [Console(config, environ), BuildLog(os.path.join(config.tmp_dir, config.build.log))]
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
