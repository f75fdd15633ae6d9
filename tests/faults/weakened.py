"""Reloader with one guarding line switched off: `weakened.py GUARD run …`.

The negative control of the faults that a naive reloader happens to survive.
"""

from __future__ import annotations

import sys
from dataclasses import replace

sys.path.pop(0)  # this folder: the project under test must find nothing here


def setting(**values: object) -> None:
    """These settings whatever the config says."""
    from reloader.core import plan

    honest = plan.settings
    plan.settings = lambda *args, **options: replace(honest(*args, **options), **values)


def no_mask() -> None:
    from reloader.process import early

    early.signal.pthread_sigmask = lambda *_: None


def no_close() -> None:
    """What the starter opens stays open."""
    import os
    import types

    from reloader.process import spawn

    spawn.os = types.SimpleNamespace(**{**vars(os), "close": lambda _: None})


def no_wait_at_the_end() -> None:
    from reloader.core import machine

    honest = machine.finish
    hasty = lambda state, now: honest(replace(state, procs=()), now)  # noqa: E731
    machine.RULES = (hasty, *machine.RULES)


def no_one_build() -> None:
    """A build that runs keeps no other from starting."""
    from reloader.core import machine

    honest = machine.State.of
    both = (machine.Role.PRE, machine.Role.BUILD)
    machine.State.of = lambda state, *roles: () if roles == both else honest(state, *roles)


def no_time_for_hooks() -> None:
    from reloader.core import machine

    machine.POST_TIME = 1000.0


def rules_first() -> None:
    """Any rule that runs holds the build up."""
    from reloader.core import machine

    honest = machine.may_go_on
    machine.may_go_on = lambda state: honest(state) and not state.of(machine.Role.RULE)


def always_a_terminal() -> None:
    from reloader.report import console

    console._is_terminal = lambda _: True


def without(module: str, cls: str, method: str) -> None:
    """This method does nothing."""
    import importlib

    setattr(getattr(importlib.import_module(module), cls), method, lambda *_, **__: None)


def no_flush() -> None:
    from reloader.process import terminal

    terminal.termios.tcflush = lambda *_: None


def one_rereading() -> None:
    """Only the first edit of the config is seen."""
    from reloader.commands.live import Live

    honest, edits = Live.reread, []

    def reread(live: Live, *args: object) -> object:
        edits.append(live)
        return honest(live, *args) if len(edits) == 1 else ()

    Live.reread = reread


GUARDS = {
    "grace": lambda: setting(grace=0.0),
    "no rerun": lambda: setting(rerun=0.0),
    "exit within": lambda: setting(exit_within=None),
    "mask": no_mask,
    "close": no_close,
    "rereading": one_rereading,
    "wait": no_wait_at_the_end,
    "one build": no_one_build,
    "hook time": no_time_for_hooks,
    "rules apart": rules_first,
    "terminal": always_a_terminal,
    "suspend": lambda: without("reloader.process.children", "Children", "send_to_groups"),
    "guardian's modes": lambda: without("reloader.process.init", "Guardian", "modes"),
    "forward": lambda: without("reloader.process.children", "Children", "forward"),
    "flush": no_flush,
    "start line": lambda: without("reloader.process.terminal", "Terminal", "start_line"),
}

if __name__ == "__main__":
    GUARDS[sys.argv.pop(1)]()
    from reloader.__main__ import main

    sys.exit(main())
