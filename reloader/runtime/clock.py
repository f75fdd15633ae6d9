"""The time that deadlines are counted in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.values import Seconds

LATE: Seconds = 0.5  # a busy machine wakes us later than we asked for, too, but not by so much


class Clock:
    """Monotonic seconds, without those in which we stood still.

    After `docker pause`, or a SIGSTOP to all of us, the app was stopped with us: to kill it because
    its time is over would take from it what it never had.
    """

    def __init__(self, monotonic: Callable[[], Seconds]) -> None:
        self.monotonic = monotonic
        self._lost: Seconds = 0.0

    def now(self) -> Seconds:
        return self.monotonic() - self._lost

    def woke(self, since: Seconds, due: Seconds) -> None:
        """We waited since then for `due`: if it is much later now, that wait does not count."""
        if self.now() - due > LATE:
            self._lost += self.now() - since
