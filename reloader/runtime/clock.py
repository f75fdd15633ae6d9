"""The time that deadlines are counted in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.values import Seconds

LATE: Seconds = 0.5  # seconds; a busy machine wakes a process late, too, but not by so much


class Clock:
    """Monotonic seconds, without those in which reloader stood still.

    After `docker pause`, or a SIGSTOP to all, the app was stopped as well: to kill it because its
    time is over would take time that it never had.
    """

    def __init__(self, monotonic: Callable[[], Seconds]) -> None:
        self.monotonic = monotonic
        self._lost: Seconds = 0.0

    def now(self) -> Seconds:
        return self.monotonic() - self._lost

    def woke(self, since: Seconds, due: Seconds) -> None:
        """Notes the end of a wait from `since` to `due`; one that ended much later is left out."""
        if self.now() - due > LATE:
            self._lost += self.now() - since
