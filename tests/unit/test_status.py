"""How things stand: the snapshot, and what `reloader healthcheck` makes of it."""

from __future__ import annotations

import json

import pytest

from reloader.control.status import Status
from reloader.core.debounce import Pace
from reloader.core.facts import Requested, SpawnFailed
from reloader.core.needs import Needs
from reloader.core.settings import Settings
from reloader.core.values import Request, Role, Task, Wish
from reloader.core.view import Condition, view
from tests.helpers.playbook import APP, BUILD, Playbook, save

BUILDS = Settings(build=True)
PIP = Settings(rule_paces={"pip": Pace()}, rule_then={"pip": Needs(restart=True)})


def new(settings: Settings | None = None) -> Playbook:
    return Playbook(settings).at(0)


def up(settings: Settings = BUILDS) -> Playbook:
    book = new(settings)
    if settings.build:
        book.spawns(BUILD).exits(1)
    return book.spawns(APP)


def let_go(book: Playbook) -> Playbook:
    book.orders = ()
    return book


BROKEN = lambda: up().at(5, save()).at(5.002).spawns(BUILD).exits(3, 2)  # noqa: E731
STOPPING = lambda: let_go(up().at(5, Requested(Request(Wish.RESTART))))  # noqa: E731
NO_START = lambda: let_go(new()).at(0, SpawnFailed(1, "./x", "not found"))  # noqa: E731
A_RULE = lambda: (  # noqa: E731
    up(PIP).at(5, save("a", rule="pip")).at(5.002).spawns(Task(Role.RULE, name="pip")).exits(2, 1)
)


@pytest.mark.parametrize(
    ("book", "condition", "trouble", "app_only"),
    [
        (lambda: let_go(new(BUILDS)), Condition.BUILDING, "not been started", "not been started"),
        (up, Condition.LIVE, "", ""),
        (BROKEN, Condition.FAILED, "the last build failed: exit 2; pid 102 still running", ""),
        (lambda: BROKEN().at(9, save()).at(9.002).spawns(BUILD), Condition.BUILDING, "", ""),
        (lambda: up().exits(2, 3), Condition.FAILED, "exit 3", "exit 3"),
        (lambda: up().exits(2, 0), Condition.DOWN, "exit 0", "exit 0"),
        (STOPPING, Condition.STARTING, "being replaced", "being replaced"),
        (NO_START, Condition.FAILED, "./x: not found", "./x: not found"),
        (A_RULE, Condition.FAILED, "a rule failed: exit 1; pid 101 still running", ""),
        (lambda: let_go(up().signal(5)), Condition.ENDING, "is ending", "is ending"),
        (lambda: up().at(5, Requested(Request(Wish.PAUSE))), Condition.PAUSED, "", ""),
    ],
)
def test_trouble(book, condition, trouble, app_only):
    """A failure of any kind is one word for all; `--app-only` minds no failed build."""
    it = book()
    snapshot = view(it.state, it.now)
    assert snapshot.condition is condition
    status = Status.of(snapshot, 1, "/srv/project", "")
    assert trouble in status.trouble(app_only=False)
    assert bool(status.trouble(app_only=False)) is bool(trouble)
    assert app_only in status.trouble(app_only=True)
    assert bool(status.trouble(app_only=True)) is bool(app_only)


@pytest.mark.parametrize(
    ("book", "blocked"),
    [
        (up, ""),
        (BROKEN, "the last build failed"),
        (lambda: let_go(new()).at(0, SpawnFailed(1, "x", "no memory", True)), "tries again"),
        (lambda: up().at(5, Requested(Request(Wish.PAUSE))), "press p"),
        (STOPPING, "has not ended yet"),
        (lambda: up().at(5, save()), "more changes may follow"),
        (lambda: let_go(up().at(5, save()).at(5.002)), "a build"),
        (lambda: let_go(up().signal(5)), "is ending"),
        (A_RULE, "failed"),
    ],
)
def test_why_nothing_happens(book, blocked):
    """The first guard that does not hold says so, and nothing pending is nothing said."""
    it = book()
    text = view(it.state, it.now).blocked
    assert blocked in text
    assert bool(text) is bool(blocked)


def test_a_snapshot_is_json():
    """Every part of it, with the generation, the build and the failure."""
    book = BROKEN().at(6, save()).at(6.002).spawns(BUILD)
    data = json.loads(json.dumps(view(book.state, 7.0).as_json()))
    assert data["generations"][0]["number"] == 1
    assert data["generations"][0]["up"] == 7.0
    assert data["jobs"][0]["role"] == "build"
    assert data["pending"] == ["build", "restart"]
    assert data["condition"] == "building"
