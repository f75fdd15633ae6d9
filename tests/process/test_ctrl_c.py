"""Ctrl-C reaches the app once, and ends us too, unless a debugger has taken it."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from tests.helpers.until import until
from tests.process.lab import lives, state
from tests.process.tty import listens, patience, sentinels

# The app has the terminal from its start; or it gets it when it wants it.
either = pytest.mark.parametrize("keys", [{}, {"MINI_KEYS": "1"}], ids=["", "keys"])
CTRL_C = b"\x03"
INT = "SignalReceived(number=2"


def test_ctrl_c_reaches_the_app_once_and_ends_both(tty) -> None:
    """A server that ends with 0: nothing but the key tells that the user meant us too."""
    it = tty("ends INT loud TERM say ready pause", MINI="again")
    it.ready()
    it.type(CTRL_C)
    assert it.hear("bye") == it.app
    it.hear(INT)
    it.hear("ProcessExited(ticket=1, status=Status(code=0, signal=0), survivors=0)")
    it.hear("over")
    it.events.hear("exited 0")
    assert not it.heard("got TERM")


def test_ctrl_c_that_kills_the_app_ends_us(tty) -> None:
    it = tty("say ready pause", MINI="again")
    it.ready()
    it.type(CTRL_C)
    it.hear(INT)
    it.hear("over")


def test_ctrl_c_before_the_sentinel_is_there_ends_us(tty) -> None:
    """Then only the app's end tells: killed by SIGINT while it had the terminal."""
    it = tty("say ready pause", MINI="again", PATH="/nowhere")
    it.ready()
    for pid in sentinels(it.app):
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: not lives(pid))
    it.type(CTRL_C)
    it.hear(INT)
    it.hear("over")


def test_a_sentinel_that_was_killed_is_replaced(tty) -> None:
    """The app is deaf to Ctrl-C: nothing but a sentinel can tell of it."""
    it = tty("loud INT say ready pause")
    it.ready()
    (fallen,) = sentinels(it.app)
    os.kill(fallen, signal.SIGKILL)
    until(lambda: any(listens(pid) for pid in sentinels(it.app) if pid != fallen))
    it.type(CTRL_C)
    it.hear("got INT")
    it.hear(INT)


def test_an_app_that_takes_its_time_is_not_asked_twice(tty) -> None:
    """We are ending with all deadlines, it has had its one signal; the next Ctrl-C kills."""
    it = tty("loud INT,TERM daemon [ loud TERM,INT say kid pause ] say ready pause")
    kid = it.hear("kid")
    it.ready()
    it.type(CTRL_C)
    assert it.hear("got INT") == it.app
    it.hear(INT)
    assert it.hear("got TERM") == kid  # who left the group has not heard the key
    assert not it.heard("got")
    it.type(CTRL_C)
    it.hear(INT)
    it.hear("ProcessExited(ticket=1, status=Status(code=0, signal=9)")
    it.hear("over")


def test_two_ctrl_c_in_a_hurry_are_two(tty) -> None:
    it = tty("loud INT say ready pause")
    it.ready()
    it.type(CTRL_C)
    it.hear("got INT")
    it.type(CTRL_C)
    it.hear(INT)


PDB = """
import os, time
os.write(1, b"ready\\n")
breakpoint()
print("go" + "ing", flush=True)
{}
"""


@either
def test_ctrl_c_at_a_debuggers_prompt_is_the_debuggers(tty, keys) -> None:
    """p, Ctrl-C, c: pdb stays, we stay; the app ends by itself and starts again."""
    it = tty((sys.executable, "-c", PDB.format("")), MINI="again", TERM="dumb", **keys)
    it.see("(Pdb) ", 1)
    it.type(b"p 6*7\n")
    it.see("(Pdb) ", 2)
    it.type_until("--KeyboardInterrupt--", CTRL_C)
    it.see("(Pdb) ", 3)
    patience(0.4)
    it.type(b"c\n")
    it.see("going")
    it.hear("app")
    assert not it.heard(INT)


@either
def test_ctrl_c_that_breaks_into_a_debugger_is_the_debuggers(tty, keys) -> None:
    loop = "while True: time.sleep(0.01)"
    it = tty((sys.executable, "-c", PDB.format(loop)), MINI="again", TERM="dumb", **keys)
    it.see("(Pdb) ", 1)
    it.type(b"c\n")
    it.see("going")
    it.type(CTRL_C)
    it.see("Program interrupted")
    it.see("(Pdb) ", 2)
    patience(0.4)
    it.type(b"q\n")
    it.hear("ProcessExited(ticket=1, status=Status(code=1")
    it.hear("app")
    assert not it.heard(INT)


def test_an_end_that_we_have_told_of_is_not_told_twice(tty) -> None:
    """A second one would mean: kill it now."""
    it = tty("loud INT ends USR1 say ready pause")
    it.ready()
    it.type(CTRL_C)
    it.hear(INT)
    os.kill(it.app, signal.SIGUSR1)
    it.hear("over")
    assert not it.heard(INT)


def test_ctrl_c_is_heard_of_though_the_app_was_quicker(tty) -> None:
    """It has ended before the sentinel got to run."""
    it = tty("ends INT say ready pause", MINI="again")
    it.ready()
    (sentinel,) = sentinels(it.app)
    os.kill(sentinel, signal.SIGSTOP)
    until(lambda: state(sentinel) == "T")
    it.type(CTRL_C)
    until(lambda: not lives(it.app))
    os.kill(sentinel, signal.SIGCONT)
    it.hear(INT)
    it.hear("over")


@pytest.mark.parametrize("verbs", ["ends INT say ready pause", "say ready pause"])
def test_our_own_sigint_is_not_taken_for_ctrl_c(tty, verbs: str) -> None:
    """send_interrupt: a restart asks the app with the very same signal."""
    it = tty(verbs, MINI_STOP="SIGINT")
    it.ready()
    os.kill(it.mini, signal.SIGUSR2)
    it.hear("app")
    it.ready()
    assert not it.heard(INT)


def test_our_own_sigint_is_not_taken_for_ctrl_c_by_a_slow_app(tty) -> None:
    it = tty("loud INT say ready pause", MINI_STOP="SIGINT")
    it.ready()
    os.kill(it.mini, signal.SIGUSR2)
    it.hear("got INT")
    patience(0.5)
    assert not it.heard(INT)


def test_ctrl_c_reaches_us_when_no_app_is_there(tty) -> None:
    """It has ended by itself and waits for a change: the terminal is ours again."""
    it = tty("say ready exit 0", MINI="wait")
    it.hear("ready")
    it.hear("ProcessExited")
    it.type(CTRL_C)
    it.hear(INT)
    it.hear("over")
