"""Is what was saved live? Each answer, in a script with virtual time."""

from __future__ import annotations

import pytest

from reloader.core.debounce import Pace
from reloader.core.facts import BecameReady, ConfigLoaded, ProcessStarted, Requested
from reloader.core.needs import NOTHING, Needs
from reloader.core.orders import Reply, Spawn, Stop
from reloader.core.settings import Settings, Strategy
from reloader.core.values import Outcome, Request, Role, Task, Wish
from tests.helpers.playbook import APP, BUILD, Playbook, save

BUILDS = Settings(build=True)
WAIT = Request(Wish.WAIT, "test")
ASKED = Requested(WAIT)
TERM = 15


def said(outcome: Outcome) -> Reply:
    return Reply(WAIT, outcome)


def up(settings: Settings = BUILDS) -> Playbook:
    book = Playbook(settings).at(0)
    if settings.build:
        book.spawns(BUILD).exits(1)
    return book.spawns(APP)


def starts(book: Playbook) -> Playbook:
    """The app is ordered and starts at once."""
    ticket = book.state.tickets
    assert [type(order) for order in book.orders] == [Spawn]
    book.orders = ()
    return book.at(book.now, ProcessStarted(ticket, 100 + ticket, "app"))


def test_nothing_has_changed():
    """The app that runs has all that was saved: at once."""
    up().at(5, ASKED).expect(said(Outcome.LIVE))


def test_a_save_is_built_and_started():
    """No answer comes while it settles, builds and replaces the old one."""
    book = up().at(5, save()).at(5, ASKED).at(5.002).spawns(BUILD)
    book.exits(3, at=6).expect(Stop(2, TERM)).exits(2, at=6.1)
    starts(book).expect(said(Outcome.LIVE))


def test_a_newer_save_is_not_the_question():
    """While one takes over, it is waited for: what runs then has both."""
    book = up().at(5, save()).at(5, ASKED).at(5.002).spawns(BUILD)
    book.exits(3, at=6).expect(Stop(2, TERM)).at(6.05, save()).at(6.06)
    # The newer save is built first: a start would be of an old version.
    book.spawns(BUILD).exits(2, at=6.1).exits(4, at=7)
    starts(book).expect(said(Outcome.LIVE))


def test_a_failed_build():
    up().at(5, save()).at(5, ASKED).at(5.002).spawns(BUILD).exits(3, 2).expect(said(Outcome.FAILED))


def test_the_failure_before_is_over_when_a_change_comes():
    """Asked behind a save that mends it."""
    book = up().at(5, save()).at(5.002).spawns(BUILD).exits(3, 2)
    book.at(9, ASKED).expect(said(Outcome.FAILED))
    book.at(10, save()).at(10, ASKED).at(10.002).spawns(BUILD)
    book.exits(4, at=11).expect(Stop(2, TERM)).exits(2, at=11.1)
    starts(book).expect(said(Outcome.LIVE))


@pytest.mark.parametrize(("code", "outcome"), [(0, Outcome.ENDED), (3, Outcome.FAILED)])
def test_an_app_that_has_ended(code, outcome):
    up().exits(2, code, at=3).at(5, ASKED).expect(said(outcome))


@pytest.mark.parametrize(("code", "outcome"), [(0, Outcome.ENDED), (3, Outcome.FAILED)])
def test_an_app_that_is_started_again(code, outcome):
    """In a crash loop it is failed, though it will be started again."""
    up(Settings(rerun=0.5)).exits(1, code, at=3).at(3.1, ASKED).expect(said(outcome))


def test_an_app_is_live_when_it_can_answer():
    """A process that runs is not enough where its readiness is known."""
    book = Playbook(Settings(strategy=Strategy(awaits_ready=True))).at(0).spawns(APP)
    book.at(1, ASKED).at(2).at(3, BecameReady(1)).expect(said(Outcome.LIVE))


def test_it_is_over_in_time():
    book = Playbook(Settings(strategy=Strategy(awaits_ready=True))).at(0).spawns(APP)
    book.at(1, ASKED).at(60.9).at(61).expect(said(Outcome.TIMEOUT))
    assert book.state.questions == ()


def test_a_project_without_an_app():
    """It is live when it was built well."""
    book = Playbook(Settings(build=True, app=False)).at(0).spawns(BUILD).exits(1)
    book.at(5, save()).at(5, ASKED).at(5.002).spawns(BUILD)
    book.exits(2, at=6).expect(said(Outcome.LIVE))
    book.at(7, save()).at(7, ASKED).at(7.002).spawns(BUILD).exits(3, 1).expect(said(Outcome.FAILED))


def test_paused():
    """With changes it is not live; without any it is."""
    book = up().at(4, Requested(Request(Wish.PAUSE))).at(5, ASKED).expect(said(Outcome.LIVE))
    book.at(6, save()).at(6, ASKED).expect(said(Outcome.PAUSED))


def test_a_build_at_work_comes_to_its_end_in_a_pause():
    book = up().at(5, save()).at(5, ASKED).at(5.002).spawns(BUILD)
    book.at(5.5, Requested(Request(Wish.PAUSE))).exits(3, at=6).expect(said(Outcome.PAUSED))


def test_reloader_is_ending():
    book = up().at(5, save()).at(5, ASKED).signal(5)
    book.expect(Stop(2, TERM), said(Outcome.IGNORED)).exits(2).orders = ()


def test_a_rule_that_nothing_waits_for():
    """A question waits for its command, too, and tells of its failure."""
    css = Task(Role.RULE, name="css")
    settings = Settings(rule_paces={"css": Pace()})
    book = up(settings).at(5, save("a.css", rule="css")).at(5, ASKED).at(5.002).spawns(css)
    book.exits(2, at=6).expect(said(Outcome.LIVE))
    book.at(7, save("a.css", rule="css")).at(7, ASKED).at(7.002).spawns(css)
    book.exits(3, 1, at=8).expect(said(Outcome.FAILED))


def test_a_rule_that_is_taken_out_of_the_config():
    """Nothing is owed any more."""
    then = {"rule_paces": {"pip": Pace()}, "rule_then": {"pip": Needs(restart=True)}}
    pip = Task(Role.RULE, name="pip")
    book = up(Settings(**then)).at(5, save("a", rule="pip")).at(5, ASKED).at(5.002).spawns(pip)
    book.at(6, ConfigLoaded(Settings(), NOTHING)).expect(said(Outcome.LIVE))
    book.exits(2, at=7)


def test_what_is_held_back_counts_later(monkeypatch):
    """A change that waits, since it may be the build's own, is waited for."""
    book = up()
    held = [True]
    monkeypatch.setattr(type(book.state.feedback), "holds", lambda *_: held[0])
    book.at(5, ASKED).at(6)
    held[0] = False
    book.at(7).expect(said(Outcome.LIVE))
