"""A formatter's second write: listened for, learned, waited for, forgotten; with virtual time."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reloader.core.debounce import Pace
from reloader.core.facts import ProcessExited, ProcessStarted, Tick
from reloader.core.formatters import LONGEST, MARGIN, MOST, ONE_WRITE
from reloader.core.machine import advance, next_deadline
from reloader.core.news import ChangeSeen
from reloader.core.orders import Spawn, Stop
from reloader.core.settings import Settings, Strategy
from reloader.core.state import begin
from reloader.core.values import Status
from tests.helpers.playbook import save

QUIET = Pace.few
DYING = 0.001  # seconds an app takes to end


class Runs:
    """The machine, and apps that end soon: when each burst settled, and when each app started."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.state = begin(settings or Settings(), 0.0)
        self.now = 0.0
        self.settled: list[float] = []
        self.started: list[float] = []
        self.dying: list[tuple[float, int]] = []
        self.give(Tick())

    def give(self, fact: object) -> None:
        self.state, orders, news = advance(self.state, (fact,), self.now)
        self.settled += [self.now for item in news if isinstance(item, ChangeSeen)]
        for order in orders:
            if isinstance(order, Spawn):
                self.started.append(self.now)
                self.give(ProcessStarted(order.ticket, 100 + order.ticket, "app"))
            elif isinstance(order, Stop):
                self.dying.append((self.now + DYING, order.ticket))

    def until(self, time: float) -> None:
        while (due := min((next_deadline(self.state) or time, *(at for at, _ in self.dying)))) < (
            time
        ):
            self.now = max(self.now, due)
            if self.dying and self.dying[0][0] <= self.now:
                self.give(ProcessExited(self.dying.pop(0)[1], Status()))
            else:
                self.give(Tick())
        self.now = time

    def saves(self, *after: float, path: str = "app.py") -> tuple[int, float]:
        """Saves now and so long after; the starts, and how long the last one came after it."""
        begin, before = self.now, len(self.started)
        for gap in (0.0, *after):
            self.until(begin + gap)
            self.give(save(path))
        last = self.now
        self.until(last + 1)
        return len(self.started) - before, round(self.started[-1] - last - DYING, 6)


@pytest.mark.parametrize("gap", [0.010, 0.030, 0.060, 0.090])
def test_a_save_with_a_formatter_is_one_start(gap: float) -> None:
    """From the very first on; and it starts as soon as the second write is quiet."""
    it = Runs()
    for factor in (1.0, 1.0, 0.95, 1.1, 1.0):
        assert it.saves(factor * gap) == (1, QUIET)


def test_only_the_first_save_of_a_kind_waits() -> None:
    """For as long as an echo may take; from then on nothing is waited for."""
    it = Runs()
    assert it.saves() == (1, LONGEST)
    assert it.saves() == (1, QUIET)
    assert it.saves(path="package/other.py") == (1, QUIET)
    assert it.saves(path=".env") == (1, LONGEST)
    assert it.saves(path=".env") == (1, QUIET)


def test_who_has_to_build_does_not_listen() -> None:
    """The build starts at once, and is doomed by an echo: that is learned, and then waited for."""
    it = Runs(Settings(build=True))
    it.give(ProcessExited(it.state.tickets, Status()))
    for waits in (QUIET, 0.030 + MARGIN):
        it.until(it.now + 1)
        it.give(save())
        assert next_deadline(it.state) == pytest.approx(it.now + waits)
        it.until(it.now + 0.030)
        it.give(save())
        it.until(it.now + 1)


def test_who_overlaps_does_not_listen() -> None:
    """A new version beside the old one is doomed for nothing, too."""
    it = Runs(Settings(strategy=Strategy(overlap=True)))
    it.until(1)
    it.give(save())
    assert next_deadline(it.state) == pytest.approx(it.now + QUIET)
    it.until(2)


def test_a_formatter_may_be_set_up_later() -> None:
    """A second start, once."""
    it = Runs()
    it.saves()
    assert it.saves(0.060) == (2, QUIET)
    assert it.saves(0.060) == (1, QUIET)


@pytest.mark.parametrize("gap", [0.001, 0.004])
def test_the_first_write_is_not_its_own_echo(gap: float) -> None:
    """An editor's save may take that long: a real echo is listened for all the same."""
    it = Runs()
    assert gap < ONE_WRITE
    assert it.saves(gap, 0.050) == (1, QUIET)


@pytest.mark.parametrize("gap", [0.101, 0.150, 0.5])
def test_who_comes_late_is_not_waited_for(gap: float) -> None:
    it = Runs()
    for _ in range(5):
        assert it.saves(gap) == (2, QUIET)


def test_an_echo_that_stays_away_is_forgotten() -> None:
    """Two waits in vain, and each is short; after one more echo, one."""
    it = Runs()
    it.saves(0.030)
    assert [it.saves()[1] for _ in range(4)] == [0.030 + MARGIN, 0.030 + MARGIN, QUIET, QUIET]
    assert it.saves(0.030) == (2, QUIET)
    assert [it.saves()[1] for _ in range(3)] == [0.030 + MARGIN, QUIET, QUIET]


def test_a_formatter_is_known_for_all_files_of_its_kind() -> None:
    """And for no others: its first save of one has listened, so it waits for nothing."""
    it = Runs()
    it.saves(path="main.go")
    it.saves(0.030, path="a.py")
    assert it.saves(path="main.go") == (1, QUIET)
    assert it.saves(path="b.py") == (1, 0.030 + MARGIN)
    assert it.saves(0.030, path="c.py") == (1, QUIET)


def test_two_formatters_are_one_start_too() -> None:
    """The second is learned as well: an echo has no echo, so nothing waits after it."""
    it = Runs()
    assert it.saves(0.030, 0.060) == (2, QUIET)
    assert it.saves(0.030, 0.060) == (1, QUIET)


@pytest.mark.parametrize("after", [0.030, 0.060])
def test_what_our_own_app_writes_is_hardly_waited_for(after: float) -> None:
    """It comes after the start however long that waits: so it is no formatter's."""
    it = Runs()
    delays = []
    for _ in range(24):
        it.give(save())
        last = it.now
        before = len(it.started)
        while len(it.started) == before:
            it.until(it.now + 0.001)
        delays.append(it.started[-1] - last)
        it.until(it.now + after)
        it.give(save())
        it.until(it.now + 1)
    assert sum(delay > 2 * QUIET for delay in delays) <= 4


def test_a_bulk_change_waits_for_no_echo() -> None:
    it = Runs()
    it.saves(0.030)
    it.give(save("app.py", *(f"{number}.py" for number in range(10))))
    begin = it.now
    it.until(begin + 1)
    assert it.settled[-1] == pytest.approx(begin + Pace.many)


def test_a_bulk_change_teaches_nothing() -> None:
    it = Runs()
    for _ in range(2):
        it.give(save(*(f"{number}.py" for number in range(10))))
        it.until(it.now + 0.050)
    assert not it.state.formatters.known


def test_few_are_remembered() -> None:
    it = Runs()
    for number in range(3 * MOST):
        it.saves(0.030, path=f"main.{number}")
    assert len(it.state.formatters.known) == MOST


SAVES = st.lists(
    st.tuples(
        st.floats(0.001, 0.3),
        st.sampled_from(["a.py", "b.py"]),
        st.sampled_from([0.0, 0.0, 0.012, 0.03, 0.08, 0.12]),
    ),
    max_size=20,
)


@given(SAVES)
@example([(0.2, "a.py", 0.03)] * 3 + [(0.2, "a.py", 0.0)] * 3)
@example(  # an echo that comes late each time must not be waited for longer and longer
    [
        (0.25, "a.py", 0.03),
        (0.0625, "a.py", 0.012),
        (0.01171875, "a.py", 0.03),
        (0.0625, "a.py", 0.012),
    ]
)
def test_the_last_version_always_runs(saves: list[tuple[float, str, float]]) -> None:
    """And soon: no burst is held longer than for the longest echo after its first write."""
    it = Runs()
    written: list[float] = []
    for pause, path, echo in saves:
        for gap in (pause, echo):
            if gap:
                it.until(it.now + gap)
                it.give(save(path))
                written.append(it.now)
                assert next_deadline(it.state) <= it.now + LONGEST + MARGIN + QUIET
    it.until(it.now + 2)
    assert not it.state.bursts
    assert not it.state.pipeline.needs
    assert it.started[-1] >= max(written, default=0)


@given(st.lists(st.tuples(st.floats(LONGEST, 1), st.sampled_from("abc")), max_size=20))
def test_nothing_is_waited_for_that_was_not_learned(saves: list[tuple[float, str]]) -> None:
    it = Runs()
    it.saves()
    for pause, name in saves:
        it.until(it.now + pause)
        it.give(save(f"{name}.py"))
        assert next_deadline(it.state) == it.now + QUIET
