"""Keys of ours, for as long as nobody else wants to read; each with a real pty."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import sys
import termios
from pathlib import Path

import pytest

from tests.helpers.until import until
from tests.process.lab import lives, state
from tests.process.test_ctrl_c import CTRL_C
from tests.process.test_terminal import CTRL_Z
from tests.process.tty import Tty, patience, sentinels

CTRL_BACKSLASH = b"\x1c"
RESTART = "Requested(request=Request(wish=<Wish.RESTART"


@pytest.fixture
def it(tty):
    """An app that does not read, and keys that are read; one terminal a test."""

    def make(verbs="ends TERM say ready pause", **options) -> Tty:
        made = tty(verbs, MINI_KEYS="1", **options)
        made.hear("Noticed(news=KeysOffered")
        made.app = made.hear("ready") or made.app
        return made

    return make


def modes(it: Tty) -> list:
    return termios.tcgetattr(it.terminal)


def children(of: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{of}/task/{of}/children").read_text().split()]


def takes_keys(it: Tty) -> bool:
    return not modes(it)[3] & (termios.ICANON | termios.ECHO)


# --- what is typed -------------------------------------------------------------------------------


def test_a_key_needs_no_enter_and_is_not_seen(it) -> None:
    it = it()
    assert takes_keys(it)
    assert modes(it)[3] & termios.ISIG
    it.type(b"r")
    it.hear(RESTART)
    assert it.hear("app") != it.app
    it.hear("ready")
    assert "r" not in it.screen.lines


@pytest.mark.parametrize("keys", [b"\n", b"rs\n", b"r\n"])
def test_enter_and_rs_restart_once(it, keys: bytes) -> None:
    it = it()
    it.type(keys)
    it.hear(RESTART)
    it.hear("app")
    it.hear("ready")
    it.type(b"q")
    it.hear("SignalReceived(number=15")
    it.hear("over")
    assert not it.heard(RESTART)


# --- signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "name"), [(CTRL_C, "INT"), (CTRL_BACKSLASH, "QUIT")])
def test_what_a_key_sends_reaches_the_app_once_and_ends_both(it, key: bytes, name: str) -> None:
    it = it(f"loud TERM,INT,QUIT ends {name} say ready pause")
    it.type(key)
    it.hear(f"SignalReceived(number={getattr(signal, 'SIG' + name):d}, typed=True)")
    assert it.hear("bye") == it.app
    it.events.hear("exited 0")
    assert not it.heard("got")
    assert modes(it) == it.modes


def test_an_app_that_takes_its_time_is_not_asked_twice(it) -> None:
    it = it("loud INT,TERM say ready pause")
    it.type(CTRL_C)
    it.hear("got INT")
    patience(0.1)
    assert not it.heard("got")
    it.type(CTRL_C)
    it.hear("ProcessExited(ticket=1, status=Status(code=0, signal=9)")
    it.hear("over")


def test_a_signal_from_elsewhere_in_the_background_is_no_key(tty) -> None:
    """SIGINT for a job of the shell's that runs in the background: the stop signal, as ever."""
    it = tty("ends TERM say ready pause", MINI_KEYS="1", where="bg")
    it.hear("ready")
    os.kill(it.mini, signal.SIGINT)
    it.hear("SignalReceived(number=2, typed=False)")
    it.hear("bye")


def test_ctrl_z_stops_both_and_fg_resumes_both(it) -> None:
    it = it()
    it.type(CTRL_Z)
    it.events.hear(f"stopped {signal.SIGTSTP:d}")
    until(lambda: (state(it.app), state(it.mini)) == ("T", "T"))
    assert modes(it) == it.modes
    os.write(it.commands, b"fg\n")
    until(lambda: takes_keys(it) and state(it.app) == "S")
    it.type(b"\n")
    it.hear(RESTART)


def test_in_the_background_nobody_is_disturbed(it) -> None:
    """Ctrl-Z, bg: we run, the modes are the shell's, what is typed is the shell's."""
    it = it("loud CONT say ready pause")
    it.type(CTRL_Z)
    it.events.hear("stopped")
    os.write(it.commands, b"bg\n")
    it.hear("got CONT")
    it.type(b"r\n")
    patience(0.2)
    assert modes(it) == it.modes
    assert state(it.mini) == "S"
    assert not it.heard(RESTART)
    assert struct.unpack("i", fcntl.ioctl(it.terminal, termios.FIONREAD, bytes(4)))[0] == 2


def test_stopped_unasked_it_leaves_the_shell_its_modes(it) -> None:
    """SIGSTOP can't be answered: the shell has set its own modes before we go on."""
    it = it("loud CONT say ready pause")
    os.kill(it.mini, signal.SIGSTOP)
    it.events.hear("stopped")
    own = modes(it)
    own[3] ^= termios.ECHO
    termios.tcsetattr(it.terminal, termios.TCSANOW, own)
    os.write(it.commands, b"bg\n")
    it.hear("got CONT")
    patience(0.1)
    assert modes(it) == own


def test_started_in_the_background_it_is_not_stopped(tty) -> None:
    it = tty("say ready pause", where="bg", MINI_KEYS="1")
    it.hear("ready")
    patience(0.2)
    assert (state(it.app), state(it.mini)) == ("S", "S")
    assert modes(it) == it.modes


def test_without_a_shell_above(tty) -> None:
    """`docker run -t`: Ctrl-Z does nothing, keys work."""
    it = tty("say ready pause", shell=False, MINI_KEYS="1")
    it.hear("ready")
    until(lambda: takes_keys(it))
    it.type(CTRL_Z)
    patience(0.1)
    it.type(b"r")
    it.hear(RESTART)


def test_a_new_size_reaches_the_whole_group(it) -> None:
    it = it("loud WINCH fork [ loud WINCH say kid pause ] say ready pause")
    kid = it.hear("kid")
    fcntl.ioctl(it.keyboard, termios.TIOCSWINSZ, struct.pack("4H", 40, 100, 0, 0))
    assert {it.hear("got WINCH"), it.hear("got WINCH")} == {it.app, kid}


# --- an app that wants to read -------------------------------------------------------------------


def reads_later(it: Tty) -> None:
    os.kill(it.app, signal.SIGUSR1)
    until(lambda: it.foreground == it.app)


def test_it_gets_the_terminal_when_it_reads(it) -> None:
    """With the modes as they were; keys are off then, what is typed is its alone."""
    it = it("ends TERM say ready wait input")
    reads_later(it)
    assert modes(it) == it.modes
    it.type(b"r\nq\n")
    it.hear("line r")
    it.hear("line q")
    assert not it.heard(RESTART)


@pytest.mark.parametrize("number", [signal.SIGTTIN, signal.SIGTTOU])
def test_stopped_by_a_kill_it_goes_on(it, number: int) -> None:
    """It has the terminal already: there is nothing to wait for."""
    it = it("ends TERM say ready wait input")
    reads_later(it)
    os.kill(it.app, number)
    it.type(b"hello\n")
    it.hear("line hello")


def test_a_child_of_it_may_read_as_well(it) -> None:
    it = it("say ready fork [ wait input ] pause")
    (kid,) = until(lambda: sentinels(it.app))
    os.kill(kid, signal.SIGUSR1)
    until(lambda: it.foreground == it.app)
    it.type(b"hello\n")
    it.hear("line hello")


POLLS = """
import os, select
os.write(1, b"ready\\n")
select.select([0], [], [])
print("line", input(), flush=True)
"""


def test_one_that_polls_first_loses_nothing(it) -> None:
    """We wake up with it at the first key, and let it read first."""
    it = it((sys.executable, "-ISc", POLLS), MINI="again")
    it.type(b"hello\n")
    it.hear("line hello")
    assert not it.heard("Requested")


def test_its_successor_finds_what_was_typed_ahead(it) -> None:
    """From when the old one is asked to end until the new one reads."""
    it = it("ends TERM say ready wait input")
    reads_later(it)
    os.kill(it.mini, signal.SIGUSR2)
    it.hear("bye")
    it.type(b"r\n")
    it.app = it.hear("app")
    it.type(b"q\n")
    it.hear("ready")
    reads_later(it)
    it.hear("line r")
    it.hear("line q")
    assert not it.heard(RESTART)


def test_keys_are_back_after_one_that_did_not_read(it) -> None:
    """The breakpoint is gone: its first successor is waited for, the next is not."""
    it = it("ends TERM say ready wait input")
    reads_later(it)
    for keys in (False, True):
        os.kill(it.mini, signal.SIGUSR2)
        it.app = it.hear("app")
        it.hear("ready")
        until(lambda: it.foreground == it.mini)
        patience(0.1)
        assert takes_keys(it) is keys
    it.type(b"r")
    it.hear(RESTART)


def test_keys_are_back_when_the_successor_has_ended(it) -> None:
    """It was waited for, and never read."""
    it = it("ends TERM say ready wait input", MINI="wait")
    reads_later(it)
    os.kill(it.mini, signal.SIGUSR2)
    it.app = it.hear("app")
    it.hear("ready")
    patience(0.1)
    assert not takes_keys(it)
    os.kill(it.app, signal.SIGTERM)
    until(lambda: takes_keys(it))


def test_keys_are_back_when_it_has_ended(it) -> None:
    """It waits for a change, or for Enter; what was typed for it asks for nothing."""
    it = it("say ready wait input", MINI="wait")
    reads_later(it)
    it.type(b"rq\n")
    it.hear("line rq")
    it.type(b"r")
    os.kill(it.app, signal.SIGKILL)
    it.see("ProcessExited")
    until(lambda: takes_keys(it))
    assert not it.heard("Requested")
    it.type(b"\n")
    it.hear(RESTART)


# --- modes ---------------------------------------------------------------------------------------


def test_they_are_given_back_when_we_are_killed(it) -> None:
    it = it()
    os.kill(it.mini, signal.SIGKILL)
    until(lambda: modes(it) == it.modes)
    until(lambda: not lives(it.app))


@pytest.mark.parametrize(("which", "bits"), [(3, termios.ECHO), (0, termios.ICRNL)])
def test_a_shell_that_has_set_its_own_is_left_alone(it, which: int, bits: int) -> None:
    """Its line editor's are much like ours, but for a bit."""
    it = it()
    own = modes(it)
    own[which] ^= bits
    termios.tcsetattr(it.terminal, termios.TCSANOW, own)
    guardian = next(pid for pid in children(it.mini) if os.getsid(pid) == pid)
    os.kill(it.mini, signal.SIGKILL)
    until(lambda: not lives(it.app) and not lives(guardian))
    assert modes(it) == own


RESTORES = """
import os, signal, termios
found = termios.tcgetattr(0)
found[3] |= termios.ICANON | termios.ECHO
def end(*_):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    termios.tcsetattr(0, termios.TCSANOW, found)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
os.write(1, b"ready\\n")
signal.pause()
"""


def test_one_that_sets_modes_from_the_background_when_it_ends(it) -> None:
    """As Node does, with what it found at its start: keys go on."""
    it = it((sys.executable, "-ISc", RESTORES))
    it.type(b"r")
    it.hear("app")
    it.hear("ready")
    until(lambda: takes_keys(it))
    it.type(b"q")
    it.hear("SignalReceived(number=15")
    it.hear("over")
    assert modes(it) == it.modes


def test_tostop_stops_nobody(tty) -> None:
    """`stty tostop`: the app may write from the background."""
    it = tty("say ready wait say more pause", tostop=True, MINI_KEYS="1")
    it.hear("ready")
    until(lambda: takes_keys(it))
    os.kill(it.app, signal.SIGUSR1)
    it.hear("more")
    assert it.foreground == it.mini
