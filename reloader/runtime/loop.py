"""The main loop and its inbox: facts in, orders and news out.

It knows no rule and no process: what to do is the machine's, how it is done is the System's.
A run of several apps has a machine for each; what comes in finds its way by seat or by ticket.
"""

from __future__ import annotations

import selectors
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING

from reloader.core.changes import suspects, wants_look
from reloader.core.facts import (
    BecameIdle,
    BecameReady,
    DependencyStands,
    DependentStands,
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
from reloader.core.machine import advance, next_deadline
from reloader.core.orders import Drain, Kill, Order, Quit, Reply, Route, Signal, Spawn, Stop
from reloader.core.standing import standing
from reloader.light import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reloader.core.news import News
    from reloader.core.state import State
    from reloader.core.values import Gate, Scope, Seconds, Task, Ticket, Version
    from reloader.runtime.clock import Clock
    from reloader.runtime.source import Source


Seat = int  # which of the run's machines; that of seat s gives out the tickets s + SEATS, s + 2 * …
SEATS = 1000  # in a run, those of apps that have left included
Letter = tuple["Seat | None", Fact]  # None: for whom it concerns
_TURN: Seconds = 0.05  # of reading, before what there is by then is acted on; a read takes 30 ms


@dataclass(frozen=True)
class System:
    """The ways in which a machine acts on the world; faked in tests.

    By default nothing holds the app's clients, and every generation is idle at once.
    """

    spawn: Callable[[Ticket, Task, Version | None], Iterable[Fact]]
    stop: Callable[[Ticket, int], Iterable[Fact]]
    kill: Callable[[Ticket, Scope], Iterable[Fact]]
    measure: Callable[[Ticket], Iterable[Fact]]
    route: Callable[[Gate, Ticket | None], Iterable[Fact]] = lambda *_: ()
    signal: Callable[[Ticket, int], None] = lambda *_: None
    drain: Callable[[Ticket, bool], Iterable[Fact]] = lambda ticket, is_ending: (
        () if is_ending else (BecameIdle(ticket),)
    )


class Inbox:
    """Facts in the order they came; a source is read in place when its descriptor is ready.

    Time passes whatever the sources do: `get` gives a Tick when a deadline has passed, however
    many sources stay ready.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._letters: deque[Letter] = deque()
        self._selector = selectors.DefaultSelector()
        self._urgent: dict[Source, Seat | None] = {}
        self._others: dict[Source, Seat | None] = {}  # in turn: the one read last is at the end

    def add(self, source: Source, seat: Seat | None = None, *, urgent: bool = False) -> None:
        """Reads the source from now on; an urgent one (signals) before all others."""
        (self._urgent if urgent else self._others)[source] = seat
        if source.fileno() >= 0:
            self._selector.register(source.fileno(), selectors.EVENT_READ, source)

    def remove(self, source: Source) -> None:
        """Closes the source and never reads it again, though it may be ready by now."""
        if source.fileno() >= 0:
            self._selector.unregister(source.fileno())
        self._urgent.pop(source, None)
        self._others.pop(source, None)
        source.close()

    def now(self) -> Seconds:
        """Returns the time in the clock that all deadlines are counted in."""
        return self._clock.now()

    def put(self, facts: Iterable[Fact], seat: Seat | None = None) -> None:
        self._letters.extend((seat, fact) for fact in facts)

    def get(self, until: Seconds | None) -> tuple[Letter, ...]:
        """Returns all facts at hand, and a Tick if it is `until` by then (seconds of the clock).

        Waits until there is one of them; for ever if `until` is None and nothing comes.
        """
        while not self._letters:
            self._read(self._wait(until))
            if until is not None and self._clock.now() >= until:
                self._letters.append((None, Tick()))
        return self.take()

    def take(self) -> tuple[Letter, ...]:
        """Returns the facts at hand without a look at the sources."""
        letters = tuple(self._letters)
        self._letters.clear()
        return letters

    def close(self) -> None:
        for source in (*self._urgent, *self._others):
            source.close()
        self._selector.close()

    def _wait(self, until: Seconds | None) -> set[Source]:
        """Returns the sources whose descriptor is ready or whose deadline has passed."""
        since = self._clock.waits()
        deadlines = {
            source: since + at - self._clock.monotonic()
            for source in (*self._urgent, *self._others)
            if (at := source.deadline()) is not None
        }
        times = [*deadlines.values(), *(() if until is None else (until,))]
        due = max(since, min(times)) if times else None
        found = self._selector.select(None if due is None else due - since)
        self._clock.woke(since, due)
        ready: set[Source] = {key.data for key, _ in found}
        now = self._clock.now()
        return ready | {source for source, at in deadlines.items() if now >= at}

    def _read(self, ready: set[Source]) -> None:
        """Reads the sources in turn; those for which there is no time are ready the next time."""
        ends = self._clock.now() + _TURN
        for source in (*self._urgent, *self._others):
            if source not in ready:
                continue
            if source in self._urgent:
                self.put(source.read(), self._urgent[source])
            elif source in self._others:  # reading another one may have removed it
                seat = self._others[source] = self._others.pop(source)
                self.put(source.read(), seat)
                if self._clock.now() >= ends:
                    return


@dataclass
class Worker:
    """The state of one app, the system that acts for it, and the publisher of its news.

    Apps of one `file` can depend on each other, by name.
    """

    state: State
    system: System
    publish: Callable[[News], None]
    file: str = ""
    name: str = ""


@dataclass
class Loop:
    """The one owner of the states; each worker's seat is its place in the list."""

    workers: list[Worker]
    inbox: Inbox
    now: Callable[[], Seconds]  # monotonic
    told: dict[tuple[Seat, Seat], tuple[Fact, Fact]] = field(default_factory=dict)

    def step(self, *letters: Letter) -> None:
        """Gives the facts to the machines; what one of them changes, those behind it know at once.

        Apps stand behind those that they depend on, so no build begins in the moment in which
        something that has to complete before it has changed.
        """
        all_letters = list(letters)
        for seat, worker in enumerate(self.workers):
            facts = tuple(fact for to, fact in all_letters if self._concerns(seat, to, fact))
            if not facts or worker.state.done:
                continue
            self._advance(seat, worker, facts)
            for to, fact in self._standings():
                if to > seat:
                    all_letters.append((to, fact))
                else:
                    self.inbox.put((fact,), to)

    def answer(self) -> None:
        """Handles the facts at hand: the answers to orders, as of the first spawn."""
        while letters := self.inbox.take():
            self.step(*letters)

    def run(self) -> None:
        """Until all machines are done."""
        while states := [w.state for w in self.workers if not w.state.done]:
            deadlines = [due for due in map(next_deadline, states) if due is not None]
            self.step(*self.inbox.get(min(deadlines, default=None)))

    def _standings(self) -> Iterator[tuple[Seat, Fact]]:
        """Yields what has changed for apps that depend on others, and for those others."""
        links = dict(self._links())
        for (seat, other), facts in links.items():
            before = self.told.get((seat, other), (None, None))
            for to, fact, old in zip((seat, other), facts, before, strict=True):
                if fact != old:
                    yield to, fact
        for seat, other in self.told.keys() - links.keys():  # depended on no more
            yield other, DependentStands(self.workers[seat].name, is_gone=True)
        self.told = links

    def _links(self) -> Iterator[tuple[tuple[Seat, Seat], tuple[Fact, Fact]]]:
        """Yields each app with one that it depends on, and what each is to know of the other."""
        for seat, worker in enumerate(self.workers):
            for name in worker.state.settings.depends_on:
                if (other := self._seat_of(worker.file, name)) is not None:
                    stands = DependencyStands(name, *standing(self.workers[other].state))
                    depends = DependentStands(worker.name, worker.state.done)
                    yield (seat, other), (stands, depends)

    def _seat_of(self, file: str, name: str) -> Seat | None:
        """Returns the newest app of this name: one that was taken out may have come back."""
        seats = range(len(self.workers) - 1, -1, -1)
        of = ((s, self.workers[s]) for s in seats)
        return next((s for s, w in of if (w.file, w.name) == (file, name)), None)

    def _concerns(self, seat: Seat, to: Seat | None, fact: Fact) -> bool:
        match fact:
            case (
                ProcessStarted()
                | SpawnFailed()
                | ProcessExited()
                | TreeEmptied()
                | BecameReady()
                | BecameIdle()
                | Measured()
            ):
                return fact.ticket % self.workers[seat].state.every == seat
            case Noticed() if to is None:  # told once
                return seat == next((i for i, w in enumerate(self.workers) if not w.state.done), 0)
            case _:
                return to is None or to == seat

    def _advance(self, seat: Seat, worker: Worker, facts: tuple[Fact, ...]) -> None:
        now = self.now()
        if any(isinstance(fact, FilesChanged) for fact in facts) or wants_look(worker.state, now):
            measured = (worker.system.measure(ticket) for ticket in suspects(worker.state))
            facts = (*chain.from_iterable(measured), *facts)
        worker.state, orders, news = advance(worker.state, facts, now)
        for item in news:
            worker.publish(item)
        for order in orders:
            self.inbox.put(_perform(worker.system, order), seat)


def _perform(system: System, order: Order) -> Iterable[Fact]:  # noqa: PLR0911 -- one for each order
    match order:
        case Spawn(ticket, task, version):
            return system.spawn(ticket, task, version)
        case Stop(ticket, number):
            return system.stop(ticket, number)
        case Kill(ticket, scope):
            return system.kill(ticket, scope)
        case Route(gate, ticket):
            return system.route(gate, ticket)
        case Drain(ticket, is_ending):
            return system.drain(ticket, is_ending)
        case Signal(ticket, number):
            system.signal(ticket, number)
            return ()
        case Reply(request, outcome):
            if request.reply is not None:
                request.reply(outcome)
            return ()
        case Quit():
            return ()
