"""The loop: each machine gets what concerns it, and nothing else."""

from __future__ import annotations

import os
import signal

from reloader.core.facts import (
    FilesChanged,
    Measured,
    Noticed,
    ProcessExited,
    ProcessStarted,
    SignalReceived,
    Tick,
)
from reloader.core.needs import RELOAD
from reloader.core.news import AppExited, AppStarted, QuitFinished, Warned
from reloader.core.settings import Settings
from reloader.core.state import begin
from reloader.core.values import Change, Status
from reloader.runtime.clock import Clock
from reloader.runtime.loop import Inbox, Loop, System, Worker


class Ticks:
    """Stands still until somebody waits."""

    time = 0.0

    def __call__(self):
        self.time += 0.001
        return self.time


class World:
    """So many machines, their tickets and what each has told."""

    def __init__(self, count):
        clock = Clock(Ticks())
        self.inbox = Inbox(clock)
        self.told = [[] for _ in range(count)]
        self.tickets = [[] for _ in range(count)]
        workers = [
            Worker(
                begin(Settings(), 0.0, seat, count),
                System(self.spawns(seat), self.ends, self.ends, self.measures),
                self.told[seat].append,
            )
            for seat in range(count)
        ]
        self.loop = Loop(workers, self.inbox, clock.now)
        self.step(Tick())
        self.loop.step(*self.inbox.get(0))

    def spawns(self, seat):
        def spawn(ticket, _task, _version):
            self.tickets[seat].append(ticket)
            yield ProcessStarted(ticket, 1000 + ticket, f"app {seat}")

        return spawn

    def ends(self, ticket, _how):
        yield ProcessExited(ticket, Status(signal=signal.SIGTERM))

    def measures(self, ticket):
        yield Measured(ticket, None)

    def step(self, *facts, seat=None):
        self.loop.step(*((seat, fact) for fact in facts))

    def kinds(self, seat):
        return [type(news) for news in self.told[seat]]


def test_tickets_of_all_machines_differ():
    """And tell whose they are."""
    world = World(3)
    for _ in range(3):
        for seat in (0, 2):
            world.step(FilesChanged((Change("a", RELOAD),)), seat=seat)
        for _ in range(6):
            world.loop.step(*world.inbox.get(0))

    given = [ticket for tickets in world.tickets for ticket in tickets]
    assert len(set(given)) == len(given) > 6
    assert all(t % 3 == seat for seat in range(3) for t in world.tickets[seat])


def test_an_end_is_told_to_the_one_whose_process_it_was():
    world = World(2)
    world.step(ProcessExited(world.tickets[1][0], Status(code=3)))

    assert world.kinds(0) == [AppStarted]
    assert world.kinds(1) == [AppStarted, AppExited]


def test_what_concerns_nobody_in_particular_is_told_once():
    world = World(2)
    world.step(Noticed(Warned("x")))
    world.step(Noticed(Warned("y")), seat=1)

    assert [n.text for n in world.told[0] if isinstance(n, Warned)] == ["x"]
    assert [n.text for n in world.told[1] if isinstance(n, Warned)] == ["y"]


def test_a_signal_ends_all_and_the_loop_with_the_last():
    world = World(2)
    world.inbox.put([SignalReceived(signal.SIGTERM)])
    world.loop.run()

    assert all(QuitFinished in world.kinds(seat) for seat in (0, 1))


def test_a_source_s_facts_are_for_its_seat():
    """The inbox reads it when it is ready, and knows whose it is."""

    class Watcher:
        def __init__(self):
            self.ear, self.mouth = os.pipe()

        def fileno(self):
            return self.ear

        def read(self):
            os.read(self.ear, 1)
            return [FilesChanged((Change("b", RELOAD),))]

        def deadline(self):
            return None

        def close(self):
            os.close(self.ear)
            os.close(self.mouth)

    inbox, watcher = Inbox(Clock(Ticks())), Watcher()
    inbox.add(watcher, 1)
    os.write(watcher.mouth, b"x")
    ((seat, fact),) = inbox.get(None)
    inbox.close()

    assert (seat, fact.changes[0].path) == (1, "b")
