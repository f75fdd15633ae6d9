"""What a person at a terminal may rely on; each with a real pty and a shell with job control."""

from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios

import pytest

from tests.helpers.until import until
from tests.process.lab import ROOT, lives, state
from tests.process.test_ctrl_c import either
from tests.process.tty import echo_of, patience

CTRL_D, CTRL_Z = b"\x04", b"\x1a"
INT, TERM = "SignalReceived(number=2", "SignalReceived(number=15"


# --- what is typed -------------------------------------------------------------------------------


@either
def test_the_app_reads_what_is_typed(tty, keys) -> None:
    it = tty("say ready input say end", **keys)
    it.ready()
    it.type(b"hello\n")
    it.hear("line hello")
    it.type(CTRL_D)
    it.hear("end")
    it.hear("ProcessExited(ticket=1, status=Status(code=0, signal=0), survivors=0)")
    assert not it.heard(INT)
    it.events.hear("exited 0")


def test_an_app_that_reads_at_once_is_not_stopped_for_it(tty) -> None:
    """It may read before the terminal is its; 20 starts."""
    it = tty(("/bin/sh", "-c", 'read x; echo "got $x"'), MINI="again")
    for n in range(20):
        it.type(b"%d\n" % n)
        it.hear(f"got {n}")


@either
def test_the_next_app_gets_the_terminal_too(tty, keys) -> None:
    it = tty("say ready input", **keys)
    it.ready()
    os.kill(it.mini, signal.SIGUSR2)
    new = it.hear("app")
    it.ready()
    until(lambda: it.foreground == new)
    it.type(b"hello\n")
    assert it.hear("line hello") == new


def test_what_was_typed_ahead_is_nobodys_command(tty) -> None:
    """At the end no shell may find it; a negative control: while the app lives it is there."""
    it = tty("ends TERM say ready pause")
    it.ready()
    it.type(b"rm -rf x\n")
    until(lambda: struct.unpack("i", fcntl.ioctl(it.terminal, termios.FIONREAD, bytes(4)))[0] == 9)
    os.kill(it.mini, signal.SIGTERM)
    it.hear("bye")
    it.events.hear("exited 0 0")


def test_a_new_size_reaches_the_app(tty) -> None:
    it = tty("loud WINCH say ready pause")
    it.ready()
    fcntl.ioctl(it.keyboard, termios.TIOCSWINSZ, struct.pack("4H", 40, 100, 0, 0))
    assert it.hear("got WINCH") == it.app


# --- Ctrl-Z --------------------------------------------------------------------------------------


@either
def test_ctrl_z_stops_both_and_fg_resumes_both(tty, keys) -> None:
    it = tty("say ready input", **keys)
    it.ready()
    it.type(CTRL_Z)
    it.events.hear(f"stopped {signal.SIGTSTP:d}")
    assert (state(it.app), state(it.mini)) == ("T", "T")
    os.write(it.commands, b"fg\n")
    it.type(b"again\n")
    it.hear("line again")
    assert it.foreground == it.app


@either
def test_in_the_background_it_runs_until_it_reads(tty, keys) -> None:
    """Then the whole job stops, as the shell's user expects; fg brings it back."""
    it = tty("loud CONT say ready input", **keys)
    it.ready()
    it.type(CTRL_Z)
    it.events.hear("stopped")
    os.write(it.commands, b"bg\n")
    it.hear("got CONT")
    it.events.hear("stopped")
    os.write(it.commands, b"fg\n")
    it.type(b"hello\n")
    it.hear("line hello")


@either
def test_started_in_the_background_it_waits_for_fg(tty, keys) -> None:
    it = tty("say ready input", where="bg", **keys)
    it.hear("ready")
    it.events.hear("stopped")
    os.write(it.commands, b"fg\n")
    it.type(b"hello\n")
    it.hear("line hello")


@either
def test_without_a_shell_above_ctrl_z_does_nothing(tty, keys) -> None:
    """`docker run -t`: nobody could bring us back."""
    it = tty("say ready input", shell=False, **keys)
    it.ready()
    it.type(CTRL_Z)
    it.type(b"hello\n")
    it.hear("line hello")


@either
def test_a_stop_that_is_none_of_the_terminals_is_not_followed(tty, keys) -> None:
    """kill -STOP of the app, to look at it: we go on."""
    it = tty("say ready input", **keys)
    it.ready()
    os.kill(it.app, signal.SIGSTOP)
    until(lambda: state(it.app) == "T")
    patience(0.1)
    assert state(it.mini) == "S"
    os.kill(it.app, signal.SIGCONT)
    it.type(b"hello\n")
    it.hear("line hello")


# --- the terminal afterwards ---------------------------------------------------------------------


@either
def test_a_program_killed_in_raw_mode_leaves_it_sane(tty, keys) -> None:
    it = tty("deaf TERM raw say ready pause", **keys)
    it.ready()
    assert not echo_of(it)
    os.kill(it.app, signal.SIGKILL)
    it.events.hear("exited 0")
    assert termios.tcgetattr(it.terminal) == it.modes
    it.see("\x1b[?25h")


def test_a_program_that_ends_well_has_nothing_written_behind_it(tty) -> None:
    it = tty("say ready exit 0")
    it.events.hear("exited 0")
    assert not any("\x1b" in line for line in it.screen.lines)


@either
def test_we_may_write_while_the_app_has_the_terminal(tty, keys) -> None:
    """`stty tostop` stops whoever writes from the background."""
    it = tty("loud TERM say ready input", **keys)
    it.ready()
    modes = termios.tcgetattr(it.terminal)
    modes[3] |= termios.TOSTOP
    termios.tcsetattr(it.terminal, termios.TCSANOW, modes)
    os.kill(it.mini, signal.SIGTERM)
    it.hear(TERM)
    it.hear("got TERM")


@either
@pytest.mark.parametrize("verbs", ["say ready input", "deaf HUP say ready input"])
def test_nothing_outlives_the_terminal(tty, verbs: str, keys) -> None:
    """The window is closed: the app gets the hang-up, we learn of it and end."""
    it = tty(verbs, MINI="again", **keys)
    it.ready()
    os.close(it.terminal)
    os.close(it.keyboard)
    it.keyboard = it.terminal = -1
    until(lambda: not lives(it.app) and not lives(it.mini))


def test_without_a_terminal_nothing_is_handed_over() -> None:
    """Nor where our input is a pipe, nor in a session without one; it's just a plain call."""
    code = (
        "from reloader.terminal.tty import Terminal; from reloader.terminal.foreground import *;"
        "from reloader.process.children import Children;"
        "f = Foreground(Children('run'), Terminal.open()); f.give(1, 1); f.resume();"
        "print(f.read(), f.collect(), f.stop(1, 15)); f.close(); f.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        capture_output=True,
        cwd=ROOT,
        check=True,
    )
    assert done.stdout == b"[] [] []\n"
