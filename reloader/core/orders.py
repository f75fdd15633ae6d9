"""Orders, in the imperative: the machine tells the world.

Pure: values only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.values import Scope
from reloader.light import dataclass

if TYPE_CHECKING:
    from reloader.core.values import Gate, Outcome, Request, Task, Ticket, Version


@dataclass(frozen=True)
class Spawn:
    """Start the task; the answer is ProcessStarted or SpawnFailed.

    `version`: of the app; None for builds, rules and hooks.
    """

    ticket: Ticket
    task: Task
    version: Version | None = None


@dataclass(frozen=True)
class Stop:
    """Ask the whole tree to end, with this signal and then SIGCONT."""

    ticket: Ticket
    signal: int


@dataclass(frozen=True)
class Signal:
    """Send this signal to the app's main process, which goes on."""

    ticket: Ticket
    signal: int


@dataclass(frozen=True)
class Kill:
    """Send SIGKILL to all processes in scope."""

    ticket: Ticket
    scope: Scope = Scope.TREE


@dataclass(frozen=True)
class Route:
    """New connections: to the generation `ticket`, or held, or refused.

    Ordered only where `Strategy.holds`; the sockets and the proxy carry it out.
    """

    gate: Gate
    ticket: Ticket | None = None  # None unless the gate is open


@dataclass(frozen=True)
class Drain:
    """Tell when this generation has answered what it had begun; the answer is BecameIdle.

    `is_ending`: it has been asked to stop; tell only if clients still hold connections open.
    """

    ticket: Ticket
    is_ending: bool = False


@dataclass(frozen=True)
class Reply:
    """Answer a request."""

    request: Request
    outcome: Outcome


@dataclass(frozen=True)
class Quit:
    """The loop ends."""


Order = Spawn | Stop | Signal | Kill | Route | Drain | Reply | Quit
