"""Which processes of a tree are asked to end, and when: trees as tables, and virtual time."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from reloader.light import replace
from reloader.process.stop_rule import LOOK_AGAIN, READER_REST, Member, Stop, StopScope, StopTerms

ME = 1  # reloader


def proc(pid: int, parent: int, name: str = "python", **known: Any) -> Member:
    for pipes in ("reads", "writes"):
        known[pipes] = frozenset(known.get(pipes, ()))
    return Member(pid, float(pid), parent, name, **known)


def app(pid: int, parent: int, **known: Any) -> Member:
    """A process that catches the signal."""
    return proc(pid, parent, catches=True, **known)


def plain(pid: int, parent: int, name: str = "python", **known: Any) -> Member:
    """A process that dies of the signal."""
    return proc(pid, parent, name, catches=False, **known)


def sh(pid: int, parent: int, **known: Any) -> Member:
    return plain(pid, parent, "sh", **known)


class Tree:
    """A tree that is being stopped: `asks` at each moment, and processes end in between."""

    def __init__(
        self, *members: Member, scope: StopScope = StopScope.AUTO, number: int = signal.SIGTERM
    ) -> None:
        self.members = list(members)
        self.stop = Stop(members[0].pid, number, StopTerms(scope, 2.5), 0.0)

    def asks(self, now: float) -> list[int]:
        """The pids that get the signal at this moment."""
        if self.stop.waits((member.key for member in self.members), now):
            return []
        return [member.pid for member in self.stop.next(self.members, now)]

    def ends(self, *pids: int) -> Tree:
        """They are gone; their children come to reloader."""
        self.members = [
            replace(member, parent=ME if member.parent in pids else member.parent)
            for member in self.members
            if member.pid not in pids
        ]
        return self


def test_a_wrapper_that_catches_passes_it_on() -> None:
    """uv run, dumb-init: the wrapper is asked, and the app below it is not asked a second time."""
    tree = Tree(app(10, ME, name="uv"), app(11, 10))
    assert tree.asks(0) == [10]
    assert tree.asks(0.03) == []
    assert tree.asks(2.4) == []


def test_an_app_below_a_wrapper_that_does_not_catch_is_asked_itself() -> None:
    """time, xargs, hatch run: they would die, and the app would never hear of it."""
    assert Tree(plain(10, ME, "time"), app(11, 10)).asks(0) == [11]


def test_a_shell_is_asked_first_so_that_it_starts_nothing_more() -> None:
    """sh -c "a; b": b never runs; a trap of its own makes no app of a shell."""
    assert Tree(sh(10, ME), app(11, 10)).asks(0) == [10, 11]
    trap = app(10, ME, name="bash")
    assert Tree(trap, app(11, 10)).asks(0) == [11]


def test_two_apps_in_one_shell_are_both_asked() -> None:
    assert Tree(sh(10, ME), app(11, 10), app(12, 10)).asks(0) == [10, 11, 12]


@pytest.mark.parametrize("above", [(), (sh(9, ME),)], ids=["", "below a shell"])
def test_the_workers_of_a_pool_are_left_to_their_parent(above: tuple[Member, ...]) -> None:
    """Celery, multiprocessing: a worker that dies of the signal takes its task with it."""
    parent = 9 if above else ME
    tree = Tree(*above, app(10, parent), plain(11, 10), plain(12, 10))
    assert tree.asks(0) == [*(member.pid for member in above), 10]
    assert tree.asks(1) == []


def test_a_tree_in_which_nobody_catches_is_asked_from_the_top() -> None:
    """Each top is asked; what is left when it has gone is asked then."""
    tree = Tree(plain(10, ME), plain(11, 10))
    assert tree.asks(0) == [10]
    assert tree.ends(10).asks(0.01) == [11]


def test_what_is_left_when_the_wrapper_has_gone_is_asked_once() -> None:
    """npm tells its shell, ends, and the app was never told."""
    tree = Tree(app(10, ME, name="node"), sh(11, 10), app(12, 11))
    assert tree.asks(0) == [10]
    assert tree.ends(10, 11).asks(0.02) == [12]
    assert tree.asks(1) == []


def test_an_orphan_is_left_alone_while_the_process_lives_that_told_it() -> None:
    """honcho tells the whole tree; the shell between dies, and the app becomes an orphan."""
    tree = Tree(app(10, ME), sh(11, 10), app(12, 11))
    assert tree.asks(0) == [10]
    assert tree.ends(11).asks(0.1) == []


def test_at_half_of_the_grace_everything_is_asked() -> None:
    tree = Tree(app(10, ME), plain(11, 10))
    assert tree.asks(0) == [10]
    assert tree.asks(2.5) == [11]
    assert tree.stop.lingering(tree.members, 2.5) == tree.members
    assert tree.stop.look_at is None


def test_a_reader_is_asked_when_its_writer_has_been_gone_for_a_while() -> None:
    """app | tee log: the last lines arrive."""
    tree = Tree(sh(10, ME), app(11, 10, writes={5}), plain(12, 10, "tee", reads={5}))
    assert tree.asks(0) == [10, 11]
    assert tree.ends(10).asks(1.0) == []
    assert tree.ends(11).asks(1.03) == []
    assert tree.asks(1.0 + READER_REST) == [12]


def test_a_reader_that_catches_is_still_a_reader() -> None:
    tree = Tree(sh(10, ME), app(11, 10, writes={5}), app(12, 10, name="pino", reads={5}))
    assert tree.asks(0) == [10, 11]


def test_a_wrapper_that_reads_its_own_children_is_no_reader() -> None:
    """npm, honcho: their children's output goes through them."""
    assert Tree(app(10, ME, reads={5}), app(11, 10, writes={5})).asks(0) == [10]


def test_a_reader_that_never_ends_is_asked_at_half_of_the_grace() -> None:
    tree = Tree(sh(10, ME), plain(11, 10, writes={5}), plain(12, 10, "cat", reads={5}))
    assert tree.asks(0) == [10]
    assert tree.ends(10).asks(0.03) == [11]
    assert tree.asks(2.5) == [12]


def test_members_that_a_terminal_has_told_are_not_asked_again() -> None:
    """Ctrl-C reached the group: who left it belongs to those who have got it."""
    tree = Tree(app(10, ME, name="sudo"), app(11, 10))
    tree.stop.has_asked([tree.members[0].key])
    assert tree.asks(0) == []
    assert tree.ends(10).asks(0.1) == [11]


@pytest.mark.parametrize("name", ["make", "npm run dev", "hatch"])
def test_a_wrapper_that_passes_no_interrupt_on_is_none(name: str) -> None:
    """They expect that the terminal sends Ctrl-C to all."""
    assert Tree(app(10, ME, name=name), app(11, 10), number=signal.SIGINT).asks(0) == [11]
    assert Tree(app(10, ME, name=name), app(11, 10)).asks(0) == [10]


def test_other_scopes() -> None:
    """The whole tree at once; or the first process alone, and the others when it has gone."""
    members = (sh(10, ME), app(11, 10), plain(12, 11))
    tree = Tree(*members, scope=StopScope.TREE)
    assert tree.asks(0) == [10, 11, 12]
    tree = Tree(*members, scope=StopScope.LEADER)
    assert tree.asks(0) == [10]
    assert tree.ends(10).asks(0.03) == [11, 12]


def test_without_its_leader_a_tree_is_asked_as_a_whole() -> None:
    tree = Tree(app(10, ME), plain(11, 10), scope=StopScope.LEADER).ends(10)
    assert tree.asks(0) == [11]


def test_the_tree_is_looked_at_again_and_again_until_all_were_asked() -> None:
    tree = Tree(app(10, ME), plain(11, 10))
    tree.asks(0)
    assert tree.stop.look_at == LOOK_AGAIN
    tree.asks(1)
    assert tree.stop.look_at == 1 + LOOK_AGAIN
