"""The interface of what the inbox reads.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds


class Source(Protocol):
    """Something with a descriptor that becomes readable when there are facts.

    A source without a descriptor of its own (a thread) writes a byte into a socket pair.
    """

    def fileno(self) -> int:
        """Returns the descriptor that the inbox waits for; -1 if only the deadline tells."""

    def read(self) -> Iterable[Fact]:
        """Returns the facts there are now; never blocks, and takes 50 ms at most."""

    def deadline(self) -> Seconds | None:
        """Returns when to read the source though its descriptor is quiet (`time.monotonic`).

        Returns None if only the descriptor tells.
        """

    def close(self) -> None:
        """Gives everything back; may be called twice."""
