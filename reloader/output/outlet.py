"""The way that the output of one app's processes takes: straight to people, or through the pump.

Builds, rules and hooks are always pumped, and so is an app without a terminal, or one of several.
An app that is alone at a terminal keeps that terminal: prompts, debuggers and full-screen programs
are its own. Where no pump can be had, everything goes straight, and the next process tries again.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from reloader.core.values import Role
from reloader.output.ring import Ring

if TYPE_CHECKING:
    from reloader.core.values import Task, Ticket
    from reloader.output.pump import Ends, Pump


class LazyPump:
    """The pump of a run, made when the first process needs it."""

    def __init__(self) -> None:
        self._made: Pump | None = None

    def __call__(self) -> Pump:
        """Raises OSError if there can be none now."""
        if self._made is None:
            from reloader.output.pump import Pump

            self._made = Pump()
        return self._made

    def close(self) -> None:
        """Hands on what is there, if anything was pumped."""
        if self._made:
            self._made.close()


class Outlet:
    """Opens channels for the processes of one app, and finds their output again."""

    def __init__(self, pump: LazyPump, *, is_alone: bool, mark: bytes) -> None:
        """`mark` goes before each line of an app's output; b"" for none."""
        self._pump = pump
        self._is_alone = is_alone
        self._mark = mark
        self._last: dict[Task | Role, Ticket] = {}  # the newest process of each task
        self.ring = Ring()
        self.has_terminal = False  # the app writes straight to a terminal: nothing of it is kept
        self.why_straight = ""  # the output of the last process is not kept, for want of something

    def open(self, ticket: Ticket, task: Task, stdout: int, stderr: int) -> Ends | None:
        """Returns the ends that the process gets; None if it writes straight to the streams."""
        is_app = task.role is Role.APP
        if is_app and self._is_alone and (_is_terminal(stdout) or _is_terminal(stderr)):
            self.has_terminal = True
            return None
        if _is_device(stdout) and _is_device(stderr):  # /dev/null: nobody reads
            return None
        key = task.role if is_app else task
        before = self._last.pop(key, None)
        self.why_straight = ""
        try:
            pump = self._pump()
            if before is not None and not is_app:
                pump.forget(before)
            ends = pump.open(
                ticket,
                stdout,
                stderr,
                self._mark,
                partial(self.ring.add, task.name or task.role.value),
            )
        except OSError as error:
            self.why_straight = error.strerror or str(error)
            return None
        self._last[key] = ticket
        return ends

    def last(self, role: Role, name: str = "") -> str:
        """Returns the output of the newest process of this role, as far as it was kept.

        All that it has written so far is handed on before.
        """
        tickets = [
            ticket
            for key, ticket in self._last.items()
            if (key is role) or (not isinstance(key, Role) and (key.role, key.name) == (role, name))
        ]
        if not tickets:
            return ""
        pump = self._pump()
        pump.flush(max(tickets))
        return pump.tail(max(tickets))


def _is_device(fd: int) -> bool:
    """Returns True for a character device that is no terminal."""
    with suppress(OSError):
        return stat.S_ISCHR(os.fstat(fd).st_mode) and not os.isatty(fd)
    return False


def _is_terminal(fd: int) -> bool:
    with suppress(OSError):
        return os.isatty(fd)
    return False
