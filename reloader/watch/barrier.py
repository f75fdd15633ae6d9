"""Facts that have to come behind every change that was made before them."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds
    from reloader.watch.engine import Engine
    from reloader.watch.poll_fallback import PollFallback

_MOST = 256  # facts; where a look hangs, the oldest are dropped


class Barrier:
    """Holds facts back until pollers have looked at everything once more, and events have come."""

    def __init__(self) -> None:
        self._facts: deque[Fact] = deque(maxlen=_MOST)
        self._look = 0  # of the pollers, which has to be over
        self.wake_at: Seconds | None = None  # when the events have come; None: they have

    def add(self, facts: Iterable[Fact]) -> None:
        self._facts.extend(facts)

    def begin(self, polled: PollFallback, engine: Engine) -> bool:
        """Asks for what the facts wait for; returns True if all is to be looked at."""
        if not self._facts:
            return False
        self._look = polled.look_again()
        self.wake_at = time.monotonic() + engine.lag if engine.lag else None
        return self.wake_at is not None

    def opens(self, polled: PollFallback) -> bool:
        """Returns True if the facts follow when all that can be read now has been told."""
        if self.wake_at is not None and time.monotonic() < self.wake_at:
            return False
        self.wake_at = None
        return bool(self._facts) and polled.has_looked(self._look)

    def take(self) -> list[Fact]:
        """Returns the facts, once."""
        facts = list(self._facts)
        self._facts.clear()
        return facts
