"""Apps that depend on others: who waits for whom, what is told, and who ends first."""

from __future__ import annotations

import pytest

from reloader.core.facts import (
    BecameReady,
    DependencyStands,
    DependentStands,
    Dismissed,
    ProcessStarted,
)
from reloader.core.news import AppCompleted, AppRemoved, AppStarted, AppWaits, BuildSucceeded
from reloader.core.orders import Quit, Spawn, Stop
from reloader.core.settings import Settings, Strategy
from reloader.core.standing import Standing, standing
from reloader.core.values import Stage
from reloader.core.view import Condition, view
from tests.helpers.playbook import APP, BUILD, Playbook, save

DB = Settings(depends_on={"db": Stage.READY})
BUILT = Settings(build=True, depends_on={"db": Stage.READY, "gen": Stage.COMPLETED})
ONCE = Settings(once=True)


def stands(name: str, stage: Stage, why: str = "") -> DependencyStands:
    return DependencyStands(name, stage, why)


def test_a_start_waits_until_the_other_is_ready():
    """A process of it is not enough; the wait is told once."""
    book = Playbook(DB).at(0).tells(AppWaits).expect()
    book.at(1, stands("db", Stage.STARTED)).tells().expect()
    book.at(2, stands("db", Stage.READY)).spawns(APP).tells(AppStarted)


def test_what_is_wrong_with_the_other_is_told():
    """When it fails, and not again while nothing changes."""
    book = Playbook(DB).at(0)
    failed = stands("db", Stage.DOWN, "exit 1")
    assert book.at(1, failed).news == (AppWaits("db", "ready", "exit 1"),)
    book.at(2, failed).tells()

    found = view(book.state, 2)
    assert found.condition is Condition.WAITING
    assert found.blocked == "waits for db to be ready (exit 1)"
    assert found.down == "it waits for db to be ready (exit 1)"


def test_a_build_waits_for_what_completes_and_not_for_what_runs():
    """The build begins beside a database that still starts; the start waits for it."""
    book = Playbook(BUILT).at(0).expect()
    book.at(1, stands("gen", Stage.COMPLETED)).spawns(BUILD)
    book.exits(1, at=2).tells(BuildSucceeded, AppWaits).expect()
    book.at(3, stands("db", Stage.READY)).spawns(APP)


def test_what_completes_anew_is_a_reload():
    """The first time it is the start; while it runs again, a save waits, and both are one build."""
    book = Playbook(BUILT).at(0).at(0, stands("db", Stage.READY))
    book.at(1, stands("gen", Stage.COMPLETED)).spawns(BUILD).exits(1, at=2).spawns(APP)
    book.at(3, stands("gen", Stage.DOWN)).expect()
    book.at(3, save()).at(4).expect()
    book.at(5, stands("gen", Stage.COMPLETED)).spawns(BUILD)
    assert view(book.state, 5).pending == ("build", "restart")
    book.exits(3, at=6).expect(Stop(2, 15))
    book.exits(2).spawns(APP).waits_until(None)


def test_a_database_that_is_back_is_no_reload():
    """Only what completes is an input."""
    book = Playbook(DB).at(0).at(0, stands("db", Stage.READY)).spawns(APP)
    book.at(1, stands("db", Stage.DOWN, "exit 1")).at(2, stands("db", Stage.READY)).expect()


def test_an_app_that_runs_goes_on_when_the_other_fails():
    """A save waits then, and the version before goes on."""
    book = Playbook(DB).at(0).at(0, stands("db", Stage.READY)).spawns(APP)
    book.at(1, stands("db", Stage.DOWN, "exit 1")).tells().expect()
    book.at(2, save())
    book.at(3).expect()
    assert view(book.state, 3).app
    book.at(4, stands("db", Stage.READY)).expect(Stop(1, 15))
    book.exits(1).spawns(APP)


def test_the_app_ends_after_those_that_depend_on_it():
    """And has its whole grace then."""
    book = Playbook(Settings(grace=5)).at(0).spawns(APP)
    book.at(1, DependentStands("web", is_gone=False))
    book.signal(2).waits_until(None)
    assert view(book.state, 2).blocked == "apps that depend on this one end first"
    book.at(60, DependentStands("web", is_gone=True)).expect(Stop(1, 15)).waits_until(65)
    book.exits(1, at=61).expect(Quit()).done()


def test_a_second_signal_waits_for_nobody():
    """The person has had enough."""
    book = Playbook().at(0).spawns(APP).at(1, DependentStands("web", is_gone=False))
    book.signal(2).expect()
    book.signal(3)
    assert [type(order).__name__ for order in book.orders] == ["Kill"]
    book.orders = ()
    book.exits(1, 1, at=3.1).expect(Quit()).done()


def test_as_pid_1_there_is_a_limit_for_all():
    """A container engine waits for nobody."""
    book = Playbook(Settings(exit_within=8)).at(0).spawns(APP)
    book.at(1, DependentStands("web", is_gone=False))
    book.signal(2).waits_until(10)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(0, Standing(Stage.COMPLETED)), (3, Standing(Stage.DOWN, "exit 3"))],
)
def test_a_one_off_has_completed_with_0(code, expected):
    """Any other status is a failure, and says which."""
    book = Playbook(ONCE).at(0).spawns(APP)
    assert standing(book.state) == Standing(Stage.STARTED)
    book.exits(1, code, at=1)
    assert standing(book.state) == expected


def test_a_one_off_that_is_done_is_well():
    """It is not up, and nothing is missing."""
    book = Playbook(ONCE).at(0).spawns(APP).exits(1, at=1).tells(AppCompleted)

    found = view(book.state, 1)
    assert (found.condition, found.completed, found.down) == (Condition.LIVE, True, "")


def test_a_save_takes_back_what_was_complete():
    """At once, before it has settled: who depends on it must not begin in between."""
    book = Playbook(ONCE).at(0).spawns(APP).exits(1, at=1)
    book.at(2, save())
    assert standing(book.state) == Standing(Stage.DOWN)
    book.at(3).spawns(APP).exits(2, at=4)
    assert standing(book.state).stage is Stage.COMPLETED


def test_a_build_alone_completes():
    """What has no app is complete when its build is."""
    book = Playbook(Settings(build=True, app=False)).at(0).spawns(BUILD)
    assert standing(book.state).stage is Stage.DOWN
    book.exits(1, 2, at=1)
    assert standing(book.state) == Standing(Stage.DOWN, "its build failed: exit 2")
    book.at(2, save()).at(3).spawns(BUILD).exits(2, at=4)
    assert standing(book.state).stage is Stage.COMPLETED


def test_the_stages_of_an_app():
    """Started with its process, ready when it can answer, and beside a failed build as before."""
    book = Playbook(Settings(strategy=Strategy(awaits_ready=True))).at(0).expect(Spawn(1, APP))
    assert standing(book.state) == Standing(Stage.DOWN)
    book.at(0, ProcessStarted(1, 101, "x"))
    assert standing(book.state) == Standing(Stage.STARTED)
    book.at(1, BecameReady(1))
    assert standing(book.state) == Standing(Stage.READY)


def test_an_app_that_was_taken_out_ends_alone():
    """As at the end of the run; nobody is told of a signal."""
    book = Playbook().at(0).spawns(APP)
    book.at(1, Dismissed()).tells(AppRemoved).expect(Stop(1, 15))
    book.at(1, Dismissed()).tells()
    book.exits(1).expect(Quit()).done()
