"""The main loop and its inbox: facts in, orders and news out.

It knows no rule and no process: what to do is the machine's, how it is done is the System's.
"""

from __future__ import annotations

import selectors
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reloader.core.machine import State, advance, next_deadline
from reloader.core.messages import Fact, Kill, News, Order, Quit, Seconds, Spawn, Stop, Tick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reloader.core.clock import Clock
    from reloader.core.messages import Scope, Task, Ticket
    from reloader.core.source import Source


@dataclass(frozen=True)
class System:
    """All that the loop asks of the world; faked in tests."""

    now: Callable[[], Seconds]  # monotonic
    spawn: Callable[[Ticket, Task], Iterable[Fact]]
    stop: Callable[[Ticket, int], Iterable[Fact]]
    kill: Callable[[Ticket, Scope], Iterable[Fact]]


class Inbox:
    """Facts in the order they came; sources are read in place when their descriptor is ready."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._facts: deque[Fact] = deque()
        self._selector = selectors.DefaultSelector()
        self._sources: list[Source] = []

    def add(self, source: Source) -> None:
        self._sources.append(source)
        self._selector.register(source.fileno(), selectors.EVENT_READ, source)

    def remove(self, source: Source) -> None:
        """Close it; what it has not told is lost."""
        self._selector.unregister(source.fileno())
        self._sources.remove(source)
        source.close()

    def put(self, facts: Iterable[Fact]) -> None:
        self._facts.extend(facts)

    def get(self, until: Seconds | None) -> tuple[Fact, ...]:
        """All facts at hand; a Tick if there is none by then (monotonic seconds; None: never)."""
        while not self._facts:
            since = self._clock.now()
            ready = self._selector.select(None if until is None else max(0.0, until - since))
            if until is not None:
                self._clock.woke(since, until)
            for key, _ in ready:
                self._facts.extend(key.data.read())
            if not ready and until is not None and self._clock.now() >= until:
                return (Tick(),)
        facts = tuple(self._facts)
        self._facts.clear()
        return facts

    def close(self) -> None:
        for source in self._sources:
            source.close()
        self._selector.close()


@dataclass
class Loop:
    """The one owner of the state."""

    state: State
    inbox: Inbox
    system: System
    publish: Callable[[News], None]

    def step(self, *facts: Fact) -> None:
        self.state, orders, news = advance(self.state, facts, self.system.now())
        for item in news:
            self.publish(item)
        for order in orders:
            self.inbox.put(self._perform(order))

    def run(self) -> None:
        """Until the machine is done."""
        while not self.state.done:
            self.step(*self.inbox.get(next_deadline(self.state)))

    def _perform(self, order: Order) -> Iterable[Fact]:
        match order:
            case Spawn(ticket, task):
                return self.system.spawn(ticket, task)
            case Stop(ticket, number):
                return self.system.stop(ticket, number)
            case Kill(ticket, scope):
                return self.system.kill(ticket, scope)
            case Quit():
                return ()
