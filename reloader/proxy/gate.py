"""The gate before the app: requests pass, wait or are refused. Pure.

The machine says how it stands (`core.values.Gate`): the proxy only carries that out.
"""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeVar

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reloader.core.values import Ticket
    from reloader.proxy.wire import Request

MOST_HELD = 512  # requests; each holds a connection of the client
MOST_HELD_BYTES = 64 << 20  # of all bodies that wait together
PROBE_AGENT = b"kube-probe/"  # Kubernetes' health checks name themselves


class Door(Enum):
    """The positions of the gate."""

    OPEN = "open"  # the app answers
    CLOSED = "closed"  # no app answers, one is coming: requests wait
    BROKEN = "broken"  # none answers and none is coming, or it has not answered in time


@dataclass(frozen=True)
class Route:
    """The door, the generation that it leads to, and why it is not open."""

    door: Door = Door.CLOSED
    ticket: Ticket | None = None  # None unless it is open
    why: str = "the app has not been started yet"


T = TypeVar("T")


class Hall(Generic[T]):
    """The requests that wait before a closed gate, in the order they came.

    When there are too many of them, or too many bytes, the oldest goes: its client has waited
    longest and is the first to give up.
    """

    def __init__(self, most: int = MOST_HELD, most_bytes: int = MOST_HELD_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._sizes: OrderedDict[T, int] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, it: T, size: int) -> Sequence[T]:
        """Lets it wait, or notes its new size in bytes; returns those that must go for it."""
        self._bytes += size - self._sizes.get(it, 0)
        self._sizes[it] = size
        gone = []
        while len(self._sizes) > self._most or self._bytes > self._most_bytes:
            oldest = next(iter(self._sizes))
            self.leave(oldest)
            gone.append(oldest)
        return gone

    def leave(self, it: T) -> None:
        self._bytes -= self._sizes.pop(it, 0)

    def take(self, most: int) -> Sequence[T]:
        """Returns as many as may go on together, the oldest first."""
        taken = list(self._sizes)[:most]
        for it in taken:
            self.leave(it)
        return taken


def may_wait(request: Request, no_hold: Sequence[str]) -> bool:
    """Returns False for what is better refused at once than held.

    Health checks come again and again, and would pile up. `no_hold` are paths.
    """
    values = request.values
    if values.get(b"x-reloader-hold", b"").lower() == b"no":
        return False
    path = request.target.partition(b"?")[0].decode("latin-1")
    return path not in no_hold and not values.get(b"user-agent", b"").startswith(PROBE_AGENT)
