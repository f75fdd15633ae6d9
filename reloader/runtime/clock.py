"""The time that deadlines are counted in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.values import Seconds

LATE: Seconds = 0.5  # seconds; a busy machine wakes a process late, too, but not by so much


class Clock:
    """Monotonic seconds, without those in which reloader stood still.

    After `docker pause`, or a SIGSTOP to all, the app was stopped as well: to kill it because its
    time is over would take time that it never had. A wait that ended much later than it should was
    such a pause; so was work that took long and had no processor for most of it.
    """

    def __init__(
        self,
        monotonic: Callable[[], Seconds],
        worked: Callable[[], Seconds] = time.thread_time,
    ) -> None:
        """`worked()`: the time that the calling thread had a processor."""
        self.monotonic = monotonic
        self._worked = worked
        self._lost: Seconds = 0.0
        self._at_work: tuple[Seconds, Seconds] | None = None  # since, and what had been worked

    def now(self) -> Seconds:
        now = self.monotonic() - self._lost
        if self._at_work and now - self._at_work[0] > LATE:
            since, worked = self._at_work
            if self._worked() - worked < (now - since) / 2:
                self._lost += now - since
                now = since
            self._at_work = now, self._worked()
        return now

    def waits(self) -> Seconds:
        """Returns when a wait begins; until `woke` there is no work that could stand still."""
        now = self.now()
        self._at_work = None
        return now

    def woke(self, since: Seconds, due: Seconds | None) -> None:
        """Notes the end of a wait from `since` to `due`; one that ended much later is left out."""
        if due is not None and self.now() - due > LATE:
            self._lost += self.now() - since
        self._at_work = self.now(), self._worked()
