"""The guarantees about exit statuses, trees and signals, each with real processes."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from reloader.core.facts import Measured, ProcessExited, TreeEmptied
from reloader.core.values import Scope, Status
from reloader.process.children import Children, SpawnError
from tests.helpers.until import until
from tests.process.lab import Lab, child, lives, run_program, state, zombies

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


# --- statuses ------------------------------------------------------------------------------------


def test_every_exit_code_is_told_as_it_is(lab: Lab) -> None:
    """tini's matrix: 0 to 255, all at once."""
    tickets = {lab.sh(f"exit {code}"): code for code in range(256)}
    for ticket, code in tickets.items():
        assert lab.exited(ticket) == ProcessExited(ticket, Status(code=code))


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "ABRT", "KILL", "SEGV", "PIPE", "TERM"])
def test_every_signal_is_told_as_it_is(lab: Lab, name: str) -> None:
    ticket = lab.start(f"die {name}")
    assert lab.exited(ticket).status == Status(signal=getattr(signal, f"SIG{name}"))


def test_orphans_and_statuses_do_not_mix(lab: Lab) -> None:
    """100 jobs that each leave an orphan which exits with another code."""
    tickets = {
        lab.sh(f"(exit {n + 1} &) ; (sleep 0.01; exit 99) & exit {n}"): n for n in range(100)
    }
    for ticket, code in tickets.items():
        assert lab.exited(ticket).status == Status(code=code)
    until(lambda: lab.children.collect() or not lab.children.alive())
    assert not zombies()


def test_a_child_that_ends_at_once_is_not_lost(lab: Lab) -> None:
    for _ in range(50):
        assert lab.exited(lab.line("/bin/true")).status.ok


# --- what a tree has written ---------------------------------------------------------------------

WRITER = "head -c 50000 /dev/zero > FILE"


@pytest.mark.parametrize(
    "line",
    [
        f"{WRITER}; echo ready; exec sleep 1000",
        f"sh -c '{WRITER}; exit 0'; echo ready; sleep 1000",
        f"sh -c '{WRITER}; echo ready; sleep 1000'; true",
    ],
    ids=["itself", "a child that is gone", "a grandchild that lives"],
)
def test_what_a_tree_has_written_is_measured(lab: Lab, tmp_path: Path, line: str) -> None:
    """Whoever of it has written; and not much more than that."""
    ticket = lab.sh(line.replace("FILE", str(tmp_path / "file")))
    lab.hear("ready")
    [fact] = lab.children.measure(ticket)
    assert isinstance(fact, Measured)
    assert fact.written
    assert 50_000 <= fact.written.all < 51_000
    assert 50_000 <= fact.written.disk < 58_000 or fact.written.disk == 0  # in memory
    assert lab.children.measure(ticket) == [fact]


def test_what_is_gone_is_not_measured(lab: Lab) -> None:
    ticket = lab.line("/bin/true")
    lab.exited(ticket)
    assert lab.children.measure(ticket) == []


# --- trees ---------------------------------------------------------------------------------------

FAMILIES = {
    "same group": "fork [ {} say kid pause ]",
    "own group": "group [ {} say kid pause ]",
    "daemon": "daemon [ {} say kid pause ]",
    "daemon without an environment": "daemon [ {} bare say kid pause ]",
    "effaced daemon": "daemon [ {} efface say kid pause ]",
    "grandchild of a daemon": "daemon [ {} group [ {} daemon [ {} say kid pause ] pause ] pause ]",
}


@pytest.mark.parametrize("deaf", ["", "deaf TERM,INT,HUP,QUIT"])
@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_kill_reaches_the_whole_tree(lab: Lab, family: str, deaf: str) -> None:
    ticket = lab.start(family.replace("{}", deaf) + " say ready pause")
    kid = lab.hear("kid")
    lab.hear("ready")
    lab.kill(ticket)
    exited = lab.exited(ticket)
    if exited.survivors:
        lab.emptied(ticket)
    assert exited.status.signal == signal.SIGKILL
    assert not lives(kid)


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_what_outlives_its_leader_is_a_survivor_until_it_is_gone(lab: Lab, family: str) -> None:
    ticket = lab.start(family.replace("{}", "") + " die SEGV")
    kid = lab.hear("kid")
    assert lab.exited(ticket).survivors >= 1
    assert lab.children.alive()
    assert not lab.has_emptied(ticket)
    lab.kill(ticket)
    lab.emptied(ticket)
    assert not lives(kid)
    assert not lab.children.alive()


def test_a_survivor_that_ends_by_itself_empties_the_tree(lab: Lab) -> None:
    ticket = lab.start("daemon [ say kid pause ] exit 0")
    kid = lab.hear("kid")
    assert lab.exited(ticket).survivors >= 1
    os.kill(kid, signal.SIGTERM)
    lab.emptied(ticket)
    assert lab.facts.count(TreeEmptied(ticket)) == 1


def test_daemons_of_two_jobs_are_told_apart(lab: Lab) -> None:
    """A kill of one job leaves the other's orphans alone, and both get their facts."""
    one = lab.start("daemon [ say one pause ] exit 1")
    two = lab.start("daemon [ say two pause ] exit 2")
    first, second = lab.hear("one"), lab.hear("two")
    assert min(lab.exited(one).survivors, lab.exited(two).survivors) >= 1
    lab.kill(one)
    lab.emptied(one)
    assert (lives(first), lives(second)) == (False, True)


def test_an_orphan_that_carries_no_mark_at_all_is_ours() -> None:
    """To a subreaper that is not PID 1 only its own descendants can come: V4's daemon.

    It has thrown away the environment, and the limit, and was never seen below its parents.
    """
    assert run_program(
        """
        lab = Lab(Path("/"), strangers=False)
        become_subreaper()
        ticket = lab.sh("ulimit -x unlimited; env -i setsid sh -c 'echo kid $$; exec sleep 1000' &"
                        "sleep 0.2; exit 0")
        kid = lab.hear("kid")
        print(lab.exited(ticket).survivors)
        lab.kill(ticket)
        lab.emptied(ticket)
        print(lives(kid))
        """
    ) == ["1", "False"]


def test_an_orphan_that_may_be_of_two_jobs_is_killed_only_at_the_end() -> None:
    """Never on a guess; but nothing outlives reloader."""
    assert run_program(
        """
        lab = Lab(Path("/"), strangers=False)
        become_subreaper()
        other = lab.start("say ready pause")
        lab.hear("ready")
        ticket = lab.start("say ready pause")
        lab.hear("ready")
        environ = {"PATH": os.environ["PATH"]}
        code = "echo middle; env -i setsid sh -c 'echo kid $$; exec sleep 1000' & exit 0"
        middle = os.posix_spawn("/bin/sh", ["sh", "-c", code], environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, lab.mouth, 1)])
        kid = lab.hear("kid")
        lab.children.collect()
        for one in (other, ticket):
            lab.kill(one)
            lab.exited(one)
            print(lives(kid))
        lab.children.close()
        until(lambda: not lives(kid))
        """
    ) == ["True", "True"]


def test_the_daemons_of_two_jobs_without_an_environment_are_told_apart(lab: Lab) -> None:
    """A restart of one app never ends the daemon of another."""
    tickets = [lab.start(f"daemon [ bare say {name} pause ] say up pause") for name in "ab"]
    first, second = lab.hear("a"), lab.hear("b")
    for _ in tickets:
        lab.hear("up")
    lab.kill(tickets[1])
    lab.exited(tickets[1])
    until(lambda: lab.children.collect() or not lives(second))
    assert lives(first)


def test_a_stranger_without_an_environment_is_left_alone(lab: Lab) -> None:
    """As PID 1: what `docker exec … env -i setsid x` leaves is nobody's to kill."""
    stranger = os.posix_spawn("/bin/sleep", ["sleep", "1000"], {}, setsid=True)
    ticket = lab.start("daemon [ say kid pause ] exit 0")
    lab.hear("kid")
    lab.exited(ticket)
    lab.kill(ticket)
    lab.emptied(ticket)
    assert lives(stranger)
    os.kill(stranger, signal.SIGKILL)
    until(lambda: lab.children.collect() or not state(stranger))


def test_a_tree_with_another_environment_is_remembered(lab: Lab) -> None:
    """tox and sudo run things with an environment of their own: the mark is gone."""
    ticket = lab.sh(
        "env -i X=1 setsid sh -c \"trap '' TERM; echo kid $$; sleep 1000 & wait\" & wait"
    )
    kid = lab.hear("kid")
    lab.children.stop(ticket, signal.SIGTERM)
    assert lab.exited(ticket).survivors >= 1
    lab.kill(ticket)
    lab.emptied(ticket)
    assert not lives(kid)


def test_a_stranger_with_an_environment_of_its_own_is_left_alone(lab: Lab) -> None:
    """As PID 1 the orphans of `docker exec` come to us; they are not ours to kill."""
    environ = {"PATH": os.environ["PATH"]}
    stranger = os.posix_spawn("/bin/sh", ["sh", "-c", "exec sleep 1000"], environ, setpgroup=0)
    ticket = lab.start("daemon [ say kid pause ] exit 0")
    lab.hear("kid")
    lab.exited(ticket)
    lab.kill(ticket)
    lab.emptied(ticket)
    assert lives(stranger)
    os.kill(stranger, signal.SIGKILL)
    until(lambda: lab.children.collect() or not state(stranger))


def test_daemons_of_a_build_that_succeeded_live_on(lab: Lab) -> None:
    """gradle and dmypy: the group is swept, who left it stays, also at the app's next stop."""
    build = lab.start("fork [ say kid pause ] daemon [ efface say daemon pause ] say ready exit 0")
    kid, daemon = lab.hear("kid"), lab.hear("daemon")
    assert lab.exited(build).survivors >= 2
    lab.kill(build, Scope.GROUP)
    lab.emptied(build)
    assert (lives(kid), lives(daemon)) == (False, True)
    app = lab.start("say ready pause")
    lab.hear("ready")
    lab.kill(app)
    assert lab.exited(app).survivors == 0
    assert lives(daemon)
    os.kill(daemon, signal.SIGKILL)
    until(lambda: lab.children.collect() or not state(daemon))


def test_daemons_alone_empty_the_group_at_once(lab: Lab) -> None:
    build = lab.start("daemon [ say daemon pause ] exit 0")
    daemon = lab.hear("daemon")
    assert lab.exited(build).survivors >= 1
    assert lab.children.kill(build, Scope.GROUP) == [TreeEmptied(build)]
    assert lives(daemon)
    os.kill(daemon, signal.SIGKILL)
    until(lambda: lab.children.collect() or not state(daemon))


def test_a_storm_of_forks_is_ended(lab: Lab, tmp_path: Path) -> None:
    """Each child leaves group and session and forks on, faster than anyone can look."""
    count = tmp_path / "count"
    count.touch()
    environ = {**os.environ, "STORM": "2000", "STORM_COUNT": str(count)}
    ticket = lab.start(child("storm"), environ)
    until(lambda: count.stat().st_size >= 50)

    def gone() -> bool:
        lab.kill(ticket)
        lab.facts += lab.children.collect()
        return not lab.children.alive()

    until(gone)
    assert not lab.left()


# --- signals -------------------------------------------------------------------------------------


def test_stop_reaches_everyone_exactly_once(lab: Lab) -> None:
    """Leader, child in its group, child in its own group, daemon."""
    ticket = lab.start("fork [ count ] group [ count ] daemon [ group [ count ] count ] count")
    everyone = sorted(lab.hear("counts") for _ in range(5))
    lab.children.stop(ticket, signal.SIGRTMIN)
    assert sorted(lab.hear("got") for _ in range(5)) == everyone
    assert lab.ear.lines == []


def test_stop_wakes_who_is_stopped(lab: Lab) -> None:
    ticket = lab.start("loud TERM say ready pause")
    pid = lab.hear("ready")
    os.kill(pid, signal.SIGSTOP)
    until(lambda: state(pid) == "T")
    lab.children.stop(ticket, signal.SIGTERM)
    assert lab.hear("got TERM") == pid


def test_a_forwarded_signal_reaches_the_leader_alone(lab: Lab) -> None:
    ticket = lab.start("loud USR1 fork [ loud USR1 say kid pause ] say ready pause")
    lab.hear("kid")
    pid = lab.hear("ready")
    lab.children.forward(ticket, signal.SIGUSR1)
    assert lab.hear("got USR1") == pid
    lab.children.stop(ticket, signal.SIGCONT)
    assert lab.ear.lines == []


def test_unknown_tickets_are_no_trouble(lab: Lab) -> None:
    assert lab.children.stop(99, signal.SIGTERM) == []
    assert lab.children.kill(99) == []
    assert lab.children.survivors(99) == 0
    lab.children.forward(99, signal.SIGUSR1)


HIDDEN = ("unshare", "-m", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$@"', "sh")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become two users")
@pytest.mark.parametrize("prefix", [(), HIDDEN], ids=["", "hidepid"])
def test_another_users_process_is_told_once_and_then_not_waited_for(prefix: tuple) -> None:
    """A helper that became another user: we may not signal it, so it must not hold us up.

    With hidepid=2, /proc doesn't even show it to us.
    """
    lines = run_program(
        """
        lab = Lab(Path("/"))
        become_subreaper()
        ticket = lab.start("fork [ say kid pause ] user 65534 say ready pause")
        kid = lab.hear("kid")
        lab.hear("ready")
        os.setresuid(65534, 65534, 65534)
        print([str(kid) in fact.news.text for fact in lab.children.kill(ticket)])
        print(lab.exited(ticket).survivors, lab.children.alive(), lives(kid))
        print(kid)
        """,
        *prefix,
    )
    os.kill(int(lines.pop()), signal.SIGKILL)
    assert lines == ["[True]", "0 False True"]


# --- processes that another process has forked ---------------------------------------------------

FORKER = """
import os, sys
go, lead = int(sys.argv[1]), sys.argv[2] == "lead"
if os.fork() == 0:
    if lead:
        os.setpgid(0, 0)
    print("adopted", os.getpid(), flush=True)
    os.read(go, 1)
    os.spawnv(os.P_NOWAIT, "/bin/sh", ["sh", "-c", "echo kid $$; exec sleep 1000"])
    os._exit(7)
"""


def forked(lab: Lab, *, lead: bool = True) -> tuple[int, int]:
    """A process whose forker has ended, and what makes it go on."""
    hold, go = os.pipe()
    os.set_inheritable(hold, True)
    argv = (sys.executable, "-c", FORKER, str(hold), "lead" if lead else "")
    environ = {"PATH": os.environ["PATH"]}
    actions = [(os.POSIX_SPAWN_DUP2, lab.mouth, 1)]
    forker = os.posix_spawn(argv[0], argv, environ, file_actions=actions)
    os.close(hold)
    pid = lab.hear("adopted")
    until(lambda: lab.children.collect() or not state(forker))
    return pid, go


def test_a_process_that_was_adopted_is_one_like_any_other(lab: Lab) -> None:
    """Its exit status, and what it leaves behind, are told and ended under its own id."""
    pid, go = forked(lab)
    lab.children.adopt(5, pid)
    assert lab.children.has(5)
    os.close(go)
    kid = lab.hear("kid")
    assert lab.exited(5) == ProcessExited(5, Status(code=7), 1)
    lab.kill(5)
    lab.emptied(5)
    assert not lives(kid)


def test_only_a_child_that_leads_its_group_is_adopted(lab: Lab) -> None:
    """Else its end would never be known, or a signal for it would reach reloader itself."""
    pid, go = forked(lab, lead=False)
    with pytest.raises(SpawnError):
        lab.children.adopt(5, pid)
    os.close(go)
    os.kill(lab.hear("kid"), signal.SIGKILL)
    until(lambda: lab.children.collect() or not state(pid))
    with pytest.raises(SpawnError):
        lab.children.adopt(6, pid)
    with pytest.raises(SpawnError):
        lab.children.adopt(7, 1)
    assert not lab.children.alive()


# --- the whole -----------------------------------------------------------------------------------


def test_close_kills_what_is_left(lab: Lab) -> None:
    lab.start("deaf TERM daemon [ deaf TERM say kid pause ] say ready pause")
    kid, pid = lab.hear("kid"), lab.hear("ready")
    lab.children.close()
    until(lambda: not lives(kid) and not lives(pid))


def test_nothing_is_kept_of_what_is_gone(lab: Lab) -> None:
    """200 generations with daemons: no memory of processes, no descriptor stays."""
    descriptors = len(os.listdir("/proc/self/fd"))
    for _ in range(100):
        ticket = lab.sh("(sleep 1000 &) ; exit 0")
        lab.exited(ticket)
        lab.kill(ticket)
        lab.emptied(ticket)
        lab.facts.clear()
    until(lambda: lab.children.collect() or not zombies())
    assert not len(lab.children._trees.owners)
    assert not lab.children._trees.leaders
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_what_died_below_its_parents_is_forgotten_too(lab: Lab) -> None:
    ticket = lab.sh("sleep 1000 & echo kid $!; wait; exit 0")
    kid = lab.hear("kid")
    assert lab.children.survivors(ticket) == 1
    os.kill(kid, signal.SIGKILL)
    lab.exited(ticket)
    assert not len(lab.children._trees.owners)


def test_the_guard_is_told_whenever_the_groups_change(tmp_path: Path) -> None:
    told: list[Mapping[int, int]] = []
    lab = Lab(tmp_path)
    lab.children = Children(lab.run, guard=told.append)
    ticket = lab.sh("exit 0")
    lab.exited(ticket)
    assert told == [{ticket: lab.pid}, {}]
    lab.close()
