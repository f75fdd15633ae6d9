"""Orders, in the imperative: the machine tells the world.

Pure: values only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.values import Scope

if TYPE_CHECKING:
    from dataclasses import dataclass

    from reloader.core.values import Task, Ticket
else:
    from reloader.light import dataclass


@dataclass(frozen=True)
class Spawn:
    """Start the task; the answer is ProcessStarted or SpawnFailed."""

    ticket: Ticket
    task: Task


@dataclass(frozen=True)
class Stop:
    """Ask the whole tree to end, with this signal and then SIGCONT."""

    ticket: Ticket
    signal: int


@dataclass(frozen=True)
class Kill:
    """SIGKILL, to what is in scope."""

    ticket: Ticket
    scope: Scope = Scope.TREE


@dataclass(frozen=True)
class Measure:
    """Find out how much the tree has written."""

    ticket: Ticket


@dataclass(frozen=True)
class Quit:
    """The loop ends."""


Order = Spawn | Stop | Kill | Measure | Quit
