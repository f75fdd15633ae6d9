"""Who has written what changes while an app starts: measured, and judged; with virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reloader.core.changes import suspect
from reloader.core.debounce import Pace
from reloader.core.facts import FilesChanged, Measured
from reloader.core.feedback import LASTING, RUNS, RUNS_MEASURED, SLACK, Job, Loops
from reloader.core.machine import next_deadline
from reloader.core.needs import RELOAD, Needs
from reloader.core.news import Warned
from reloader.core.orders import Measure, Stop
from reloader.core.settings import Settings
from reloader.core.values import Change
from tests.helpers.playbook import APP, Playbook

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.feedback import Verdict

SIZE = 100
SOON = SLACK - 0.001  # after a start: too soon to be measured before
TERM = 15


class Starts:
    """An app that starts again and again, and a file that changes after each start."""

    def __init__(self) -> None:
        self.loops = Loops()
        self.now = 0.0

    def change(
        self, after: float, wrote: int | None, digest: str = "", size: int = SIZE
    ) -> Verdict:
        job = Job(self.now, is_app=True, wrote=wrote)
        self.now += after
        change = Change("a.py", RELOAD, digest or str(self.now), size)
        self.loops, [verdict] = self.loops.judge([("", change, job)], self.now)
        self.now += verdict.wait or 0
        return verdict


@pytest.mark.parametrize("digest", ["", "same"])
@pytest.mark.parametrize("wrote", [0, SIZE - 1])
def test_what_the_app_cannot_have_written_always_counts(wrote: int, digest: str) -> None:
    """However regular: a script that touches or saves a file once a second is no loop."""
    it = Starts()
    for _ in range(200):
        verdict = it.change(1.0, wrote, digest)
        assert verdict.counts
        assert verdict.wait is None
        assert not verdict.is_found_out
    assert it.loops.measure_at(it.now) is None


def test_an_app_that_has_written_nothing_has_not_emptied_a_file_either() -> None:
    assert not Job(0, is_app=True, wrote=0).can_have_written(Change("a.py", RELOAD))
    assert Job(0, is_app=True, wrote=1).can_have_written(Change("a.py", RELOAD))


def test_what_the_app_writes_is_soon_told_and_slowed() -> None:
    it = Starts()
    verdicts = [it.change(0.3, SIZE) for _ in range(RUNS_MEASURED + 6)]
    assert all(verdict.counts for verdict in verdicts)
    assert [v.is_found_out for v in verdicts].index(True) == RUNS_MEASURED - 1
    assert sum(v.is_found_out for v in verdicts) == 1
    assert [v.wait for v in verdicts] == [0] * (RUNS_MEASURED - 1) + [1, 2, 4, 8, 16, 30, 30]


def test_the_same_bytes_in_the_same_moment_are_the_apps() -> None:
    it = Starts()
    assert [it.change(0.3, SIZE, "same").counts for _ in range(4)] == [True, False, False, False]


@pytest.mark.parametrize("wrote", [None, SIZE])
def test_the_same_bytes_in_another_moment_are_somebodys(wrote: int | None) -> None:
    """Two touches in a row are two restarts, also where nothing can be measured."""
    it = Starts()
    assert all(it.change(after, wrote, "same").counts for after in (1.0, 1.3, 1.0, 0.5, 2.0))


def test_an_empty_file_is_no_proof() -> None:
    """To make one, an app writes nothing: it is told and slowed, and lost never."""
    it = Starts()
    verdicts = [it.change(0.3, SIZE, "empty", size=0) for _ in range(RUNS_MEASURED + 2)]
    assert all(verdict.counts for verdict in verdicts)
    assert [verdict.wait for verdict in verdicts] == [0] * (RUNS_MEASURED - 1) + [1, 2, 4]


def test_what_was_not_measured_is_told_and_not_slowed() -> None:
    """A script in a rhythm looks the same: it takes many runs and some time, and loses nothing."""
    it = Starts()
    verdicts = [it.change(1.0, None) for _ in range(40)]
    assert all(verdict.counts and not verdict.wait for verdict in verdicts)
    found = [verdict.is_found_out for verdict in verdicts].index(True) + 1
    assert found >= max(RUNS, LASTING / 1.0)


def running() -> Playbook:
    """The app has printed as many bytes as the file has when it changes, 2 s after the start."""
    book = Playbook(Settings()).at(0).spawns(APP)
    assert suspect(book.state, 2) == 1
    book.at(2, Measured(1, SIZE)).waits_until(None)
    return change(book, "x").at(2.002).expect(Stop(1, TERM)).exits(1)


def change(book: Playbook, digest: str) -> Playbook:
    return book.at(book.now, FilesChanged((Change("app.py", RELOAD, digest, SIZE),)))


def test_what_an_app_prints_is_not_held_against_it() -> None:
    """It is measured again before the moment at which the file would change again."""
    book = running().spawns(APP)
    early = 2 - SLACK
    book.waits_until(2.002 + early).at(2.002 + early).expect(Measure(2))
    book.at(book.now, Measured(2, SIZE)).waits_until(None)
    book.at(4.002, Measured(2, SIZE + 10))
    change(book, "x").waits_until(4.004)


def test_what_it_writes_after_that_is() -> None:
    book = running().spawns(APP)
    book.at(next_deadline(book.state)).expect(Measure(2)).at(book.now, Measured(2, SIZE))
    book.at(4.002, Measured(2, 2 * SIZE))
    change(book, "x").waits_until(None)


@pytest.mark.parametrize("tell", [lambda book: None, lambda book: book.at(2.5, Measured(2, 0))])
def test_an_old_measure_proves_nothing(tell: Callable[[Playbook], object]) -> None:
    book = running().spawns(APP)
    tell(book)
    book.at(next_deadline(book.state)).expect(Measure(2)).at(4.002)
    change(book, "x").waits_until(None)


def test_an_app_in_a_loop_is_told_once() -> None:
    book = Playbook(Settings()).at(0).spawns(APP)
    told, ticket = 0, 1
    for _ in range(RUNS_MEASURED + 2):
        start = book.state.proc(ticket).started_at
        while (due := next_deadline(book.state)) and due < start + 1:
            book.at(due).expect(Measure(ticket)).at(book.now, Measured(ticket, 0))
        book.at(start + 1, Measured(ticket, SIZE))
        change(book, str(start))
        told += sum(isinstance(item, Warned) for item in book.news)
        book.at(next_deadline(book.state)).expect(Stop(ticket, TERM)).exits(ticket).spawns(APP)
        ticket += 1
    assert told == 1


def nearly_found_out(settings: Settings) -> Playbook:
    """An app that has written the file after each start but the last; that is due to come."""
    book = Playbook(settings).at(0).spawns(APP)
    for ticket in range(1, RUNS_MEASURED):
        book.at(book.now + SOON, Measured(ticket, SIZE))
        change(book, str(ticket)).at(book.now + Pace.few).expect(Stop(ticket, TERM))
        book.exits(ticket).spawns(APP)
    return book.at(book.now + SOON)


def test_what_a_rule_is_for_frees_no_loop_of_the_app() -> None:
    """Each lane has its own wait, though both files come at once."""
    book = nearly_found_out(Settings(rule_paces={"css": Pace()}))
    css = Change("a.css", Needs(rules=frozenset({"css"})), "x", 2 * SIZE)
    book.at(book.now, Measured(RUNS_MEASURED, SIZE))
    book.at(book.now, FilesChanged((Change("app.py", RELOAD, "x", SIZE), css)))
    assert {burst.lane: burst.wait for burst in book.state.bursts} == {"": 1, "css": None}
    book.waits_until(book.now + Pace.few)


@pytest.mark.parametrize("order", [("app.py",), ("app.py", "mine.py"), ("mine.py", "app.py")])
def test_a_save_does_not_wait_with_what_the_app_writes(order: tuple[str, ...]) -> None:
    """In one burst, however they fall into it: it is due as if the app had written nothing."""
    book = nearly_found_out(Settings())
    ticket = RUNS_MEASURED
    for number, name in enumerate(order, 1):
        size = 2 * SIZE if name == "mine.py" else SIZE
        book.at(book.now + 0.001, Measured(ticket, number * SIZE))
        book.at(book.now, FilesChanged((Change(name, RELOAD, name, size),)))
    book.waits_until(book.now + (Pace.few if "mine.py" in order else 1))
