"""PID 1, subreaper, guardian: no zombie, no orphan, no lost signal, nothing outlives us."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from reloader.process.mark import new_run
from reloader.process.orphans import Guardian
from tests.helpers.until import until
from tests.process.lab import ROOT, Mini, environ_of, lives, pids, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PID1 = ("unshare", "-Urpf", "--mount-proc", "--kill-child")


def can_be_pid1() -> bool:
    return subprocess.run([*PID1, "true"], capture_output=True, check=False).returncode == 0


needs_pid1 = pytest.mark.skipif(not can_be_pid1(), reason="no user namespaces here")


# --- PID 1 ---------------------------------------------------------------------------------------


@needs_pid1
def test_pid_1_leaves_no_zombie() -> None:
    """20 daemons that end by themselves while the app lives."""
    lines = run_program(
        """
        from tests.process.lab import zombies
        assert become_subreaper() and os.getpid() == 1
        lab = Lab(Path("/"))
        ticket = lab.start("daemon [ exit 0 ] " * 20 + "say ready pause")
        lab.hear("ready")
        until(zombies)
        def reaped():
            lab.facts += lab.children.collect()
            return not zombies()
        until(reaped)
        print(lab.facts, lives(lab.pid))
        """,
        *PID1,
    )
    assert lines == ["[] True"]


@needs_pid1
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP])
def test_pid_1_ends_when_asked_to(number: int) -> None:
    """As `docker stop` does with any STOPSIGNAL; the kernel drops what PID 1 does not handle."""
    with Mini("say ready pause", *PID1) as mini:
        assert mini.pid == 1
        os.kill(_child_of(mini.process.pid), number)
        assert mini.end()[0] == 0


@needs_pid1
def test_a_sigterm_in_the_first_milliseconds_is_not_lost() -> None:
    """At whatever moment after our first statement; sent from inside, so that it is exact."""
    code = (
        "from reloader.process.bootstrap import block; block(); import os, signal;"
        "pid = os.posix_spawn('/bin/kill', ['kill', '-TERM', '1'], {}); os.waitpid(pid, 0);"
        "from reloader.process.signals import SignalSource; print(SignalSource(list).read())"
    )
    want = b"[SignalReceived(number=15, typed=False)]\n"
    assert _as_pid1(code) == want
    # negative control: without block() the signal is dropped for good
    assert _as_pid1(code.replace("block();", "", 1)) == b"[]\n"


def _as_pid1(code: str) -> bytes:
    done = subprocess.run(
        [*PID1, sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True
    )
    return done.stdout


def _child_of(pid: int) -> int:
    def child() -> int:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return int((file.read().split() or ["0"])[0])

    return until(child)


# --- elsewhere -----------------------------------------------------------------------------------


def test_we_end_well_and_leave_nothing() -> None:
    """The app's daemons are gone, the guardian is gone, no descriptor was lost."""
    with Mini("daemon [ deaf TERM say kid pause ] say ready pause") as mini:
        kid = mini.hear("kid")
        guardian = _guardian(mini.pid)
        mini.process.terminate()
        status, lines = mini.end()
        assert status == 0
        assert "TreeEmptied(ticket=1)" in lines
        assert not lives(kid)
        until(lambda: not lives(guardian))


# --- the guardian --------------------------------------------------------------------------------


def _guardian(supervisor: int) -> int:
    """The one child of the supervisor that carries the guardian's name in its environment."""

    def found() -> int:
        with open(f"/proc/{supervisor}/task/{supervisor}/children") as file:
            children = map(int, file.read().split())
        return next((p for p in children if b"RELOADER_GUARDIAN=" in environ_of(p)), 0)

    return until(found)


@pytest.fixture
def bystander() -> Iterator[int]:
    """A process that looks nearly like ours: the same user, a mark of another run."""
    environ = {**os.environ, "RELOADER_RUN": "0123456789abcdef:1"}
    process = subprocess.Popen(["sleep", "1000"], env=environ)
    yield process.pid
    process.kill()
    process.wait()


FAMILY = (
    "fork [ say kid pause ] group [ say kid pause ] daemon [ say kid pause ] "
    "daemon [ bare say kid pause ] fork [ efface say kid pause ] say ready pause"
)


def test_nothing_outlives_a_killed_supervisor(bystander: int) -> None:
    """Its tree is gone within 2 s, the effaced in its group too; what is others' lives on."""
    with Mini(FAMILY) as mini:
        kids = [mini.hear("kid") for _ in range(5)]
        guardian = _guardian(mini.pid)
        mini.process.kill()
        until(lambda: not any(map(lives, [*kids, mini.app, guardian])), timeout=2)
        assert lives(bystander)


def test_what_has_overwritten_its_mark_does_not_outlive_it_either() -> None:
    """Then its process group tells: setproctitle in a server does that to leader and workers."""
    with Mini("efface fork [ efface say kid pause ] say ready pause") as mini:
        kid = mini.hear("kid")
        mini.process.kill()
        until(lambda: not lives(mini.app) and not lives(kid), timeout=2)


def test_what_we_leave_on_purpose_outlives_us() -> None:
    """A daemon that a build has set up, when we end well."""
    run = new_run()
    environ = {**os.environ, "RELOADER_RUN": f"{run}:1"}
    with subprocess.Popen(["sleep", "1000"], env=environ) as daemon:
        guardian = Guardian(run)
        guardian.guard({1: os.getpid()})
        pid = _guardian(os.getpid())
        guardian.close()
        assert os.waitpid(pid, 0) == (pid, 0)
        assert lives(daemon.pid)
        daemon.kill()


def test_negative_control_without_the_guardian_everything_outlives_it() -> None:
    with Mini(FAMILY) as mini:
        kids = [mini.hear("kid") for _ in range(5)]
        guardian = _guardian(mini.pid)
        mini.process.send_signal(signal.SIGSTOP)  # it would start another
        os.kill(guardian, signal.SIGKILL)
        mini.process.kill()
        mini.process.wait()
        assert all(map(lives, [*kids, mini.app]))
        for pid in [*kids, mini.app]:
            os.kill(pid, signal.SIGKILL)


def test_the_guardian_asks_before_it_kills() -> None:
    with Mini("loud TERM say ready pause") as mini:
        mini.process.kill()
        mini.hear("got TERM")
        until(lambda: not lives(mini.app), timeout=2)


def test_the_guardian_is_not_met_by_signals_for_us() -> None:
    """It has a session of its own, so no terminal's Ctrl-C, and is deaf to TERM."""
    with Mini(FAMILY, start_new_session=True) as mini:
        kids = [mini.hear("kid") for _ in range(5)]
        guardian = _guardian(mini.pid)
        assert os.getsid(guardian) == guardian
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            os.kill(guardian, number)
        os.killpg(mini.pid, signal.SIGKILL)
        until(lambda: not any(map(lives, [*kids, mini.app])), timeout=2)


def test_the_guardian_is_small_and_late() -> None:
    with Mini("say ready pause") as mini:
        guardian = _guardian(mini.pid)
        with open(f"/proc/{guardian}/status") as file:
            (resident,) = [line for line in file if line.startswith("VmRSS")]
        assert int(resident.split()[1]) < 3000  # kB
        assert sorted(os.listdir(f"/proc/{guardian}/fd")) == ["0", "1", "2"]
        with open(f"/proc/{guardian}/stat") as one, open(f"/proc/{mini.app}/stat") as two:
            started, app = (int(f.read().rsplit(")", 1)[1].split()[19]) for f in (one, two))
        assert app <= started
        mini.process.terminate()
        mini.process.wait(10)


def test_a_guardian_that_is_gone_is_replaced() -> None:
    """The new one knows all that the old one was told, and ends everything in its place."""
    with Mini(FAMILY) as mini:
        kids = [mini.hear("kid") for _ in range(5)]
        for _ in range(2):
            guardian = _guardian(mini.pid)
            time.sleep(1.1)  # one that ends sooner is not replaced at once
            os.kill(guardian, signal.SIGKILL)
            until(lambda gone=guardian: gone not in pids())
        guardian = _guardian(mini.pid)
        mini.process.kill()
        until(lambda: not any(map(lives, [*kids, mini.app, guardian])), timeout=2)


def test_the_guardian_needs_no_file_of_the_package(tmp_path: Path) -> None:
    """The package was replaced, or removed, while it waited (pip, uv sync)."""
    package = tmp_path / "reloader"
    shutil.copytree(ROOT / "reloader", package)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    with Mini(FAMILY, path=str(tmp_path)) as mini:
        kids = [mini.hear("kid") for _ in range(5)]
        _guardian(mini.pid)
        shutil.rmtree(package)
        mini.process.kill()
        until(lambda: not any(map(lives, [*kids, mini.app])), timeout=2)


@needs_pid1
def test_pid_1_needs_no_guardian() -> None:
    with Mini("say ready pause", *PID1) as mini:
        inner = _child_of(mini.process.pid)
        app = _child_of(inner)
        with open(f"/proc/{inner}/task/{inner}/children") as file:
            assert file.read().split() == [str(app)]
        os.kill(inner, signal.SIGKILL)
        until(lambda: not lives(app))
