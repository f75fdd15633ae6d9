"""Signals become facts: each once, none lost, whatever we inherited."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.process.lab import ROOT, Mini, ignoring, run_program

CHILD = "loud TERM,INT,HUP,QUIT,USR1,USR2,WINCH say ready pause"
RECEIVED = "SignalReceived(number=%d, typed=False)"


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT"])
def test_what_asks_us_to_end_is_a_fact(name: str) -> None:
    number = getattr(signal, f"SIG{name}")
    with Mini("say ready pause") as mini:
        mini.process.send_signal(number)
        mini.hear(RECEIVED % number)
        mini.hear("ProcessExited(ticket=1, status=Status(code=0, signal=15), survivors=0)")
        assert mini.end()[0] == 0


@pytest.mark.parametrize("name", ["USR1", "WINCH"])
def test_what_is_the_apps_is_handed_on(name: str) -> None:
    with Mini(CHILD) as mini:
        mini.process.send_signal(getattr(signal, f"SIG{name}"))
        mini.hear(f"got {name}")
        mini.process.send_signal(signal.SIGKILL)


def test_a_hundred_signals_in_a_row_lose_no_other() -> None:
    """A full pipe is only a bell that rings already: the TERM among them comes through, once."""
    lines = run_program(
        """
        from reloader.process.bootstrap import block
        from reloader.process.signals import SignalSource
        block()
        forwarded = []
        source = SignalSource(lambda: [], forwarded.append)
        try:
            while True:
                os.write(source._write, b"x" * 4096)
        except BlockingIOError:
            pass
        for _ in range(1000):
            os.kill(os.getpid(), signal.SIGUSR1)
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            os.kill(os.getpid(), signal.SIGUSR1)
        print(source.read(), forwarded)
        print(source.read())
        """
    )
    assert lines == ["[SignalReceived(number=15, typed=False)] [10]", "[]"]


def test_what_came_while_we_held_signals_back_is_not_lost() -> None:
    lines = run_program(
        """
        from reloader.process.bootstrap import block
        from reloader.process.signals import SignalSource
        block()
        os.kill(os.getpid(), signal.SIGTERM)
        os.posix_spawn("/bin/true", ["true"], {})
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        calls = []
        source = SignalSource(lambda: calls.append(1) or [])
        print(source.read(), calls)
        """
    )
    assert lines == ["[SignalReceived(number=15, typed=False)] [1]"]


def test_none_is_lost_between_the_bell_and_the_note() -> None:
    """10,000 signals from another process, one by one, each answered before the next."""
    lines = run_program(
        """
        import select
        from reloader.process.bootstrap import block
        from reloader.process.signals import SignalSource
        block()
        got = []
        source = SignalSource(lambda: [], got.append)
        us, pid = os.getpid(), os.fork()
        if pid == 0:
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
            for _ in range(10_000):
                os.kill(us, signal.SIGUSR1)
                if signal.sigtimedwait({signal.SIGUSR2}, 5) is None:
                    os._exit(1)
            os._exit(0)
        for n in range(1, 10_001):
            while len(got) < n:
                assert select.select([source], [], [], 5)[0], f"lost number {n}"
                source.read()
            os.kill(pid, signal.SIGUSR2)
        print(len(got), os.waitpid(pid, 0)[1])
        """
    )
    assert lines == ["10000 0"]


def test_an_ignored_sigchld_costs_no_exit_status() -> None:
    """An ignored one makes the kernel throw statuses away, and a Popen report 0."""
    prefix = ignoring("CHLD")
    with Mini("exit 7", *prefix, ready="") as mini:
        mini.hear("ProcessExited(ticket=1, status=Status(code=7, signal=0), survivors=0)")
    control = run_program(
        "import subprocess; print(subprocess.run(['sh', '-c', 'exit 7']).returncode)", *prefix
    )
    assert control == ["0"]


def test_block_alone_undoes_an_ignored_sigchld() -> None:
    """For whatever is run before the loop, or without it."""
    code = """
        from reloader.process.bootstrap import block
        block()
        print(subprocess.run(["sh", "-c", "exit 7"]).returncode)
        """
    assert run_program(code, *ignoring("CHLD")) == ["7"]


def test_nohup_is_respected() -> None:
    with Mini(CHILD, *ignoring("HUP")) as mini:
        mini.process.send_signal(signal.SIGHUP)
        mini.process.send_signal(signal.SIGUSR1)
        mini.hear("got USR1")
        mini.process.send_signal(signal.SIGTERM)
        mini.hear("got TERM")
        mini.process.send_signal(signal.SIGTERM)  # kills
        assert RECEIVED % signal.SIGHUP not in mini.end()[1]


def test_a_signal_after_the_end_does_not_change_our_exit_status() -> None:
    lines = run_program(
        """
        from reloader.process.bootstrap import block
        from reloader.process.signals import SignalSource
        block()
        source = SignalSource(lambda: [])
        import threading
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        source.close()
        source.close()
        for number in (signal.SIGTERM, signal.SIGINT):  # the other thread would take them
            os.kill(os.getpid(), number)
        print("alive")
        """
    )
    assert lines == ["alive"]


def test_standard_descriptors_that_were_closed_are_given_their_place() -> None:
    """Else the next file that is opened would be the app's standard output."""
    code = (
        "from reloader.process.bootstrap import block; import os; block();"
        "fd = os.open('/etc/hostname', 0); os.write(7, str(fd).encode());"
        "os.posix_spawn('/bin/sh', ['sh', '-c', 'echo lost; echo lost >&2; printf , >&7'], {});"
        "os.wait()"
    )
    done = subprocess.run(
        ["sh", "-c", 'exec 7>&1; exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", code],
        capture_output=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.stdout, done.stderr) == (b"3,", b"")
