"""The inbox: time passes whatever its sources do, and a source that was removed is never read."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reloader.core.facts import Noticed, Tick
from reloader.core.news import Warned
from reloader.runtime.clock import Clock
from reloader.runtime.loop import Inbox


class Hand:
    """A clock that only moves when it is told to."""

    time = 100.0

    def __call__(self):
        return self.time


class Busy:
    """A source that is always ready; a read takes so many seconds and gives so many facts."""

    def __init__(self, hand=None, seconds=0.0, facts=0, deadline=None, ready=True):
        self.ear, self.mouth = os.pipe()
        self.hand, self.seconds, self.facts, self.due = hand, seconds, facts, deadline
        self.reads = 0
        self.closed = False
        if ready:
            os.write(self.mouth, b"x")

    def fileno(self):
        return self.ear

    def deadline(self):
        return self.due

    def read(self):
        assert not self.closed
        self.reads += 1
        if self.hand:
            self.hand.time += self.seconds
        return [Noticed(Warned("x"))] * self.facts

    def close(self):
        if not self.closed:
            self.closed = True
            os.close(self.ear)
            os.close(self.mouth)


class Guard:
    """Fails a test in which the inbox goes round for ever."""

    def __init__(self, hand, most):
        self.hand, self.most, self.calls = hand, most, 0

    def __call__(self):
        self.calls += 1
        assert self.calls < self.most, "the inbox does not come back"
        return self.hand()


@pytest.fixture
def inbox():
    """An inbox in real time."""
    it = Inbox(Clock(time.monotonic))
    yield it
    it.close()


@settings(max_examples=200)
@given(
    costs=st.lists(st.floats(0.001, 0.05), min_size=1, max_size=20),
    wait=st.floats(0, 2),
)
def test_a_ready_source_never_holds_up_a_deadline(costs, wait):
    """With any number of sources that stay ready and tell nothing, the Tick comes in time."""
    hand = Hand()
    clock = Clock(Guard(hand, 20_000))
    inbox = Inbox(clock)
    for cost in costs:
        inbox.add(Busy(hand, cost))
    until = clock.now() + wait
    letters = inbox.get(until)
    late = clock.now() - until
    inbox.close()

    assert letters == ((None, Tick()),)
    assert late <= 0.05 + max(costs) + 1e-6


@settings(max_examples=100)
@given(costs=st.lists(st.floats(0.001, 0.06), min_size=2, max_size=12))
def test_each_ready_source_has_its_turn(costs):
    """Though each turn is too short for all of them, none is left out."""
    hand = Hand()
    clock = Clock(Guard(hand, 20_000))
    inbox = Inbox(clock)
    sources = [Busy(hand, cost) for cost in costs]
    for source in sources:
        inbox.add(source)
    for _ in sources:
        inbox.get(clock.now())
    inbox.close()

    assert all(source.reads for source in sources)


def test_signals_are_read_first_in_every_turn():
    """However many others are ready, and though they were there before."""
    hand = Hand()
    clock = Clock(hand)
    inbox = Inbox(clock)
    others = [Busy(hand, 0.03) for _ in range(10)]
    signals = Busy(facts=1)
    for source in others:
        inbox.add(source)
    inbox.add(signals, urgent=True)
    for turn in range(1, 5):
        inbox.get(None)
        assert signals.reads == turn
        assert hand.time <= 100 + turn * 0.08
    inbox.close()


def test_a_source_that_was_removed_is_never_read():
    """Two are ready in one turn, and reading the first removes the second."""
    inbox = Inbox(Clock(time.monotonic))
    first, second = Busy(), Busy()

    def read():
        if not second.closed:
            inbox.remove(second)
        return [Noticed(Warned("x"))]

    first.read = read
    inbox.add(first)
    inbox.add(second)

    assert len(inbox.get(None)) == 1
    assert second.reads == 0
    inbox.close()


def test_a_source_is_read_at_its_deadline(inbox):
    """Its descriptor says nothing, and nobody else has a deadline."""
    source = Busy(facts=1, deadline=time.monotonic() + 0.02, ready=False)
    inbox.add(source)
    ((_, fact),) = inbox.get(None)

    assert fact == Noticed(Warned("x"))
    assert time.monotonic() >= source.due


def test_a_tick_comes_with_what_was_read():
    """Facts that keep coming don't hide that a deadline has passed."""
    hand = Hand()
    clock = Clock(hand)
    inbox = Inbox(clock)
    inbox.add(Busy(hand, 0.01, facts=1))
    letters = inbox.get(clock.now() + 0.005)
    inbox.close()

    assert [type(fact) for _, fact in letters] == [Noticed, Tick]
