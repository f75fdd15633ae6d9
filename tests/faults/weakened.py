"""Reloader with one guarding line switched off: `weakened.py GUARD run …`.

The negative control of the faults that a naive reloader happens to survive.
"""

from __future__ import annotations

import os
import re
import sys
import types

from reloader.light import replace


def setting(**values: object) -> None:
    """These settings whatever the config says."""
    from reloader.commands import settings

    honest = settings.settings
    settings.settings = lambda *args, **options: replace(honest(*args, **options), **values)


def no_close() -> None:
    """What a process was given for its output stays open here."""
    from reloader.output.pump import Ends

    Ends.close = lambda _: None


def no_wait_at_the_end() -> None:
    from reloader.core import machine, shutdown

    hasty = lambda state, now: shutdown.finish(replace(state, procs=()), now)  # noqa: E731
    machine.RULES = (machine.Rule("at once", "Quit", hasty), *machine.RULES)


def no_one_build() -> None:
    """A build that is being stopped keeps no other from starting."""
    from reloader.core import machine, state

    both = (machine.Role.PRE, machine.Role.BUILD)
    wanted = state.Guard("", "", lambda it: not any(proc.wanted for proc in it.of(*both)))
    machine.RULES = tuple(
        rule._replace(needs=tuple(wanted if it is machine.NO_JOB else it for it in rule.needs))
        for rule in machine.RULES
    )


def no_time_for_hooks() -> None:
    from reloader.core import shutdown

    shutdown.POST_TIME = 1000.0


def rules_first() -> None:
    """Any rule that runs holds the build up."""
    from reloader.core import machine, state
    from reloader.core.values import Role

    alone = state.Guard("alone", "a rule runs", lambda it: not it.of(Role.RULE))
    machine.RULES = tuple(
        rule._replace(needs=(*rule.needs, alone)) if rule.name == "run_build" else rule
        for rule in machine.RULES
    )


def no_daemons() -> None:
    """What a good build leaves is swept like what a bad one leaves."""
    from reloader.core import pipeline

    pipeline.Scope = types.SimpleNamespace(GROUP=pipeline.Scope.TREE, TREE=pipeline.Scope.TREE)


def wall_clock() -> None:
    """Times to wait are counted by the clock on the wall."""
    import time

    time.monotonic = time.time


def no_skipping() -> None:
    """Time in which we stood still counts."""
    from reloader.runtime import clock

    clock.Clock.woke = lambda *_: None
    clock.Clock.waits = clock.Clock.now


def no_end_of_reach() -> None:
    """What we may not signal is waited for."""
    from reloader.process.children import Children

    Children._note_unkillable = lambda *_: None


def silent_about_the_leader() -> None:
    """Only what the app has started is looked at."""
    from reloader.process.children import Children

    honest = Children._note_unkillable
    Children._note_unkillable = lambda us, job: None if job.leader_alive else honest(us, job)


def never_at_once() -> None:
    """Once everything is killed, another Ctrl-C changes nothing."""
    from reloader.core import shutdown

    honest = shutdown.record_signal
    shutdown.record_signal = lambda state, *args, **options: (
        shutdown.Turn(state)
        if isinstance(state.shutdown, shutdown.Forced)
        else honest(state, *args, **options)
    )


def only_proc() -> None:
    """There is no other way to see processes than /proc."""
    from reloader.process import tree, trees

    trees.Trees._choose_view = lambda _: tree.ProcView()


def forks() -> None:
    """Processes are started by fork and exec."""
    from reloader.process import spawn

    def fork(_: object, path: str, argv: tuple[str, ...], environ: object, actions: list) -> int:
        pid = os.fork()
        if not pid:
            os.setpgid(0, 0)
            for _, source, place in actions:
                os.dup2(source, place)
            os.execve(path, argv, environ)
        return pid

    spawn.Starter._spawn = fork


def no_last_kill() -> None:
    """A fault of ours leaves what we started alone."""
    from reloader.process.children import Children

    Children.close = lambda _: None
    Children.alive = lambda _: False  # so the guardian is let go


def no_checks() -> None:
    """Whatever is wrong with a config, it is not said."""
    from reloader.config import load

    class Deaf(list):
        append = __iadd__ = lambda problems, _: problems

    honest = load.Problems
    load.Problems = lambda: honest(Deaf())


def pythons_patterns() -> None:
    from reloader.config import regex

    regex.compiled, regex.translate = re.compile, str


def slow_patterns() -> None:
    from reloader.config import linear

    linear._repeats = lambda _: 0


def one_environment() -> None:
    """Env files are read once."""
    from reloader.command.environ import EnvFiles

    honest, found = EnvFiles.read, []

    def read(files: EnvFiles) -> object:
        found.append(honest(files))
        return found[0]

    EnvFiles.read = read


def whole_env_files() -> None:
    """A line that can't be read costs the whole file."""
    from reloader.command import dotenv

    honest = dotenv.parse

    def parse(*args: object) -> object:
        parsed = honest(*args)
        return replace(parsed, pairs=()) if parsed.faults else parsed

    dotenv.parse = parse


def any_file() -> None:
    """Whatever lies in tmp_dir is taken for a build's."""
    from reloader.commands.clean import Cleaner

    honest = Cleaner.clean

    def clean(cleaner: Cleaner, config: object) -> object:
        cleaner._builds = [(0.0, float("inf"))]
        return honest(cleaner, config)

    Cleaner.clean = clean


def anybody() -> None:
    """Whoever answers first is right, wherever it runs."""
    from reloader.commands import healthcheck

    healthcheck.socket = types.SimpleNamespace(ask=lambda _: [])
    healthcheck._unwell = lambda _: SystemExit(0)


def fatal_reads() -> None:
    from reloader.config import document, load

    def unreadable(*args: object) -> object:
        raise args[-1]

    document._unreadable = unreadable
    load.read = lambda invocation, environ, cwd, platform=sys.platform: load._read(
        invocation, environ, cwd, platform
    )


def no_self_reloaders() -> None:
    from reloader.config import self_reloaders

    self_reloaders.find = lambda *_: None


def one_layer() -> None:
    """Only the file counts."""
    from reloader.config import load

    load.environment_layer = load.flag_layer = lambda *_: {}


def nothing_of_air() -> None:
    from reloader.config import air

    air.is_air = lambda _: False


def raw_names() -> None:
    from reloader.report import console, text

    console.one_line = text.one_line = str


def always_a_terminal() -> None:
    from reloader.report import console

    console._is_terminal = lambda _: True


def without(module: str, cls: str, method: str) -> None:
    """This method does nothing."""
    import importlib

    setattr(getattr(importlib.import_module(module), cls), method, lambda *_, **__: None)


def no_flush() -> None:
    from reloader.terminal import tty

    tty.termios.tcflush = lambda *_: None


def one_rereading() -> None:
    """Only the first edit of the config is seen."""
    from reloader.commands.app import Live

    honest, edits = Live._reread, []

    def reread(live: Live) -> object:
        edits.append(live)
        return honest(live) if len(edits) == 1 else ()

    Live._reread = reread


GUARDS = {
    "grace": lambda: setting(grace=0.0),
    "no rerun": lambda: setting(rerun=0.0),
    "exit within": lambda: setting(exit_within=None),
    "close": no_close,
    "rereading": one_rereading,
    "wait": no_wait_at_the_end,
    "one build": no_one_build,
    "hook time": no_time_for_hooks,
    "rules apart": rules_first,
    "daemons": no_daemons,
    "monotonic clock": wall_clock,
    "skipped time": no_skipping,
    "end of reach": no_end_of_reach,
    "leader beyond reach": silent_about_the_leader,
    "third": never_at_once,
    "groups": only_proc,
    "no fork": forks,
    "last kill": no_last_kill,
    "checks": no_checks,
    "python's patterns": pythons_patterns,
    "slow patterns": slow_patterns,
    "one environment": one_environment,
    "bad lines": whole_env_files,
    "any file": any_file,
    "belief": anybody,
    "read errors": fatal_reads,
    "self-reloaders": no_self_reloaders,
    "one layer": one_layer,
    "checks for Air": nothing_of_air,
    "escapes": raw_names,
    "terminal": always_a_terminal,
    "suspend": lambda: without("reloader.process.children", "Children", "send_to_groups"),
    "guardian's modes": lambda: without("reloader.process.orphans", "Guardian", "modes"),
    "forward": lambda: without("reloader.process.children", "Children", "forward"),
    "flush": no_flush,
    "start line": lambda: without("reloader.terminal.tty", "Terminal", "start_line"),
}

if __name__ == "__main__":
    sys.path.pop(0)  # this folder: the project under test must find nothing here
    GUARDS[sys.argv.pop(1)]()
    from reloader.__main__ import main

    sys.exit(main())
