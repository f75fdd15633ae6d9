"""What the inbox reads from.

Pure: an interface.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.core.facts import Fact


class Source(Protocol):
    """Something with a descriptor that becomes readable when there are facts.

    A source without a descriptor of its own (a thread) writes a byte into a socket pair.
    """

    def fileno(self) -> int:
        """The descriptor the inbox waits for."""

    def read(self) -> Iterable[Fact]:
        """The facts there are now; never blocks."""

    def close(self) -> None:
        """Give everything back; may be called twice."""
