"""The main loop and its inbox: facts in, orders and news out.

It knows no rule and no process: what to do is the machine's, how it is done is the System's.
A run of several apps has a machine for each; what comes in finds its way by seat or by ticket.
"""

from __future__ import annotations

import selectors
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reloader.core.facts import (
    Fact,
    FilesChanged,
    Measured,
    Noticed,
    ProcessExited,
    ProcessStarted,
    SpawnFailed,
    Tick,
    TreeEmptied,
)
from reloader.core.machine import State, advance, next_deadline, suspect
from reloader.core.orders import Kill, Measure, Order, Quit, Spawn, Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reloader.core.news import News
    from reloader.core.values import Scope, Seconds, Task, Ticket
    from reloader.runtime.clock import Clock
    from reloader.runtime.source import Source


Seat = int  # which of the run's machines; seat s of n gives out the tickets with ticket % n == s
Letter = tuple["Seat | None", Fact]  # None: for whom it concerns


@dataclass(frozen=True)
class System:
    """All that a machine asks of the world; faked in tests."""

    spawn: Callable[[Ticket, Task], Iterable[Fact]]
    stop: Callable[[Ticket, int], Iterable[Fact]]
    kill: Callable[[Ticket, Scope], Iterable[Fact]]
    measure: Callable[[Ticket], Iterable[Fact]]


class Inbox:
    """Facts in the order they came; sources are read in place when their descriptor is ready."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._letters: deque[Letter] = deque()
        self._selector = selectors.DefaultSelector()
        self._sources: list[Source] = []

    def add(self, source: Source, seat: Seat | None = None) -> None:
        self._sources.append(source)
        self._selector.register(source.fileno(), selectors.EVENT_READ, (source, seat))

    def remove(self, source: Source) -> None:
        """Close it; what it has not told is lost."""
        self._selector.unregister(source.fileno())
        self._sources.remove(source)
        source.close()

    def put(self, facts: Iterable[Fact], seat: Seat | None = None) -> None:
        self._letters.extend((seat, fact) for fact in facts)

    def get(self, until: Seconds | None) -> tuple[Letter, ...]:
        """All facts at hand; a Tick if there is none by then (monotonic seconds; None: never)."""
        while not self._letters:
            since = self._clock.now()
            ready = self._selector.select(None if until is None else max(0.0, until - since))
            if until is not None:
                self._clock.woke(since, until)
            for key, _ in ready:
                source, seat = key.data
                self.put(source.read(), seat)
            if not ready and until is not None and self._clock.now() >= until:
                return ((None, Tick()),)
        letters = tuple(self._letters)
        self._letters.clear()
        return letters

    def close(self) -> None:
        for source in self._sources:
            source.close()
        self._selector.close()


@dataclass
class Worker:
    """A state, what acts for it, and who is told."""

    state: State
    system: System
    publish: Callable[[News], None]


@dataclass
class Loop:
    """The one owner of the states; each worker's seat is its place in the list."""

    workers: Sequence[Worker]
    inbox: Inbox
    now: Callable[[], Seconds]  # monotonic

    def step(self, *letters: Letter) -> None:
        for seat, worker in enumerate(self.workers):
            facts = tuple(fact for to, fact in letters if self._concerns(seat, to, fact))
            if facts and not worker.state.done:
                self._advance(seat, worker, facts)

    def run(self) -> None:
        """Until all machines are done."""
        while states := [w.state for w in self.workers if not w.state.done]:
            deadlines = [due for due in map(next_deadline, states) if due is not None]
            self.step(*self.inbox.get(min(deadlines, default=None)))

    def _concerns(self, seat: Seat, to: Seat | None, fact: Fact) -> bool:
        match fact:
            case ProcessStarted() | SpawnFailed() | ProcessExited() | TreeEmptied() | Measured():
                return fact.ticket % len(self.workers) == seat
            case Noticed():  # told once
                return seat == (to or 0)
            case _:
                return to is None or to == seat

    def _advance(self, seat: Seat, worker: Worker, facts: tuple[Fact, ...]) -> None:
        now = self.now()
        changed = any(isinstance(fact, FilesChanged) for fact in facts)
        if changed and (ticket := suspect(worker.state, now)) is not None:
            facts = (*worker.system.measure(ticket), *facts)
        worker.state, orders, news = advance(worker.state, facts, now)
        for item in news:
            worker.publish(item)
        for order in orders:
            self.inbox.put(_perform(worker.system, order), seat)


def _perform(system: System, order: Order) -> Iterable[Fact]:
    match order:
        case Spawn(ticket, task):
            return system.spawn(ticket, task)
        case Stop(ticket, number):
            return system.stop(ticket, number)
        case Kill(ticket, scope):
            return system.kill(ticket, scope)
        case Measure(ticket):
            return system.measure(ticket)
        case Quit():
            return ()
