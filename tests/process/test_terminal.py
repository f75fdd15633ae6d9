"""What a person at a terminal may rely on; each with a real pty and a shell with job control."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.until import until
from tests.process.lab import ROOT, Ear, child, lives, state

if TYPE_CHECKING:
    from collections.abc import Iterator

SHELL = str(Path(__file__).with_name("jobshell.py"))
CTRL_C, CTRL_D, CTRL_Z = b"\x03", b"\x04", b"\x1a"
INT, TERM, HUP = (f"SignalReceived(number={n})" for n in (2, 15, 1))


class Tty:
    """A terminal with a shell that runs a `mini.py` that runs an app."""

    def __init__(self, *app: str, where: str = "fg", shell: bool = True, **env: str) -> None:
        self.keyboard, terminal = os.openpty()
        self.modes = termios.tcgetattr(terminal)
        self.modes[3] &= ~termios.ECHOCTL  # no ^C on the screen, between two lines
        termios.tcsetattr(terminal, termios.TCSANOW, self.modes)
        inner, self.commands = os.pipe()
        events, outer = os.pipe()
        mini = (sys.executable, "-m", "tests.process.mini", *app)
        leader = (*RUN[:2], SHELL, where) if shell else (*RUN, LEAD)
        self.shell = subprocess.Popen(
            (*RUN, MOVE, str(inner), str(outer), *leader, *mini),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            pass_fds=(inner, outer),
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", **env},
        )
        os.close(inner)
        os.close(outer)
        self.terminal = terminal
        self.screen, self.events = Ear(self.keyboard), Ear(events)
        self.hear = self.screen.hear
        self.hear("run")
        self.mini = self.hear("pid")
        self.app = self.hear("app")

    def ready(self) -> None:
        """The app is, and we have told the terminal so."""
        self.app = self.hear("ready") or self.app
        until(lambda: any(map(listens, sentinels(self.app))))

    def type(self, keys: bytes) -> None:
        os.set_blocking(self.keyboard, True)
        os.write(self.keyboard, keys)
        os.set_blocking(self.keyboard, False)

    @property
    def foreground(self) -> int:
        return os.tcgetpgrp(self.keyboard)

    def sees(self, text: str, times: int = 1, timeout: float = 10) -> bool:
        """Whether it comes to stand on the screen so many times, wherever."""
        deadline = time.monotonic() + timeout
        while "\n".join([*self.screen.lines, self.screen._rest.decode()]).count(text) < times:
            assert self.screen.listen(0.05), f"ended without {text}: {self.screen.lines}"
            if time.monotonic() > deadline:
                return False
        return True

    def see(self, text: str, times: int = 1) -> None:
        assert self.sees(text, times), f"no {text}: {self.screen.lines}"

    def type_until(self, text: str, keys: bytes) -> None:
        """Python's readline may sleep over a signal that comes just before it waits for keys."""
        for _ in range(20):
            self.type(keys)
            if self.sees(text, timeout=0.5):
                return
        raise AssertionError(f"no {text}: {self.screen.lines}")

    def heard(self, word: str) -> bool:
        """Whether such a line has come so far."""
        self.screen.listen(0.02)
        return any(line.startswith(word) for line in self.screen.lines)

    def close(self) -> None:
        for pid in (self.app, self.mini, self.shell.pid):
            if lives(pid):
                os.kill(pid, signal.SIGKILL)
        self.shell.wait(10)
        for descriptor in (self.keyboard, self.terminal, self.commands):
            if descriptor >= 0:
                os.close(descriptor)
        self.events.close()


RUN = (sys.executable, "-IS", "-c")
# The shell finds its commands at 3 and says things on 4.
MOVE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
# As `docker run -t` starts PID 1: leader of a session with a terminal, no shell above.
LEAD = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def tty() -> Iterator[type]:
    """Makes one terminal."""
    made: list[Tty] = []

    def make(verbs: str | tuple[str, ...], **options) -> Tty:
        app = child(verbs).argv if isinstance(verbs, str) else verbs
        made.append(Tty(*app, **options))
        return made[0]

    yield make
    for it in made:
        it.close()


# --- what is typed -------------------------------------------------------------------------------


def test_the_app_reads_what_is_typed(tty) -> None:
    it = tty("say ready input say end")
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


def test_the_next_app_gets_the_terminal_too(tty) -> None:
    it = tty("say ready input")
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


# --- Ctrl-C --------------------------------------------------------------------------------------


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


def listens(pid: int) -> bool:
    """Whether it catches SIGINT; before that a sentinel is not there yet."""
    try:
        (line,) = re.findall(
            "^SigCgt:\t(.*)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE
        )
    except (OSError, ValueError):
        return False
    return bool(int(line, 16) >> (signal.SIGINT - 1) & 1)


def sentinels(group: int) -> list[int]:
    """Who is in the app's group but the app."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal() and int(name) != group:
            try:
                if os.getpgid(int(name)) == group:
                    found.append(int(name))
            except ProcessLookupError:
                continue
    return found


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


def test_ctrl_c_at_a_debuggers_prompt_is_the_debuggers(tty) -> None:
    """p, Ctrl-C, c: pdb stays, we stay; the app ends by itself and starts again."""
    it = tty((sys.executable, "-c", PDB.format("")), MINI="again", TERM="dumb")
    it.ready()
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


def test_ctrl_c_that_breaks_into_a_debugger_is_the_debuggers(tty) -> None:
    loop = "while True: time.sleep(0.01)"
    it = tty((sys.executable, "-c", PDB.format(loop)), MINI="again", TERM="dumb")
    it.ready()
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


def echo_of(it: Tty) -> bool:
    return bool(termios.tcgetattr(it.terminal)[3] & termios.ECHO)


def patience(seconds: float) -> None:
    """For what must *not* happen in that time."""
    subprocess.run(["sleep", str(seconds)], check=True)


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


# --- Ctrl-Z --------------------------------------------------------------------------------------


def test_ctrl_z_stops_both_and_fg_resumes_both(tty) -> None:
    it = tty("say ready input")
    it.ready()
    it.type(CTRL_Z)
    it.events.hear(f"stopped {signal.SIGTSTP:d}")
    assert (state(it.app), state(it.mini)) == ("T", "T")
    os.write(it.commands, b"fg\n")
    it.type(b"again\n")
    it.hear("line again")
    assert it.foreground == it.app


def test_in_the_background_it_runs_until_it_reads(tty) -> None:
    """Then the whole job stops, as the shell's user expects; fg brings it back."""
    it = tty(("/bin/sh", "-c", 'echo ready; sleep 0.5; echo on; read x; echo "got $x"'))
    it.ready()
    it.type(CTRL_Z)
    it.events.hear("stopped")
    os.write(it.commands, b"bg\n")
    it.hear("on")
    it.events.hear("stopped")
    os.write(it.commands, b"fg\n")
    it.type(b"hello\n")
    it.hear("got hello")


def test_started_in_the_background_it_waits_for_fg(tty) -> None:
    it = tty("say ready input", where="bg")
    it.ready()
    it.events.hear("stopped")
    os.write(it.commands, b"fg\n")
    it.type(b"hello\n")
    it.hear("line hello")


def test_without_a_shell_above_ctrl_z_does_nothing(tty) -> None:
    """`docker run -t`: nobody could bring us back."""
    it = tty("say ready input", shell=False)
    it.ready()
    it.type(CTRL_Z)
    it.type(b"hello\n")
    it.hear("line hello")


def test_a_stop_that_is_none_of_the_terminals_is_not_followed(tty) -> None:
    """kill -STOP of the app, to look at it: we go on."""
    it = tty("say ready input")
    it.ready()
    os.kill(it.app, signal.SIGSTOP)
    until(lambda: state(it.app) == "T")
    patience(0.1)
    assert state(it.mini) == "S"
    os.kill(it.app, signal.SIGCONT)
    it.type(b"hello\n")
    it.hear("line hello")


# --- the terminal afterwards ---------------------------------------------------------------------


def test_a_program_killed_in_raw_mode_leaves_it_sane(tty) -> None:
    it = tty("deaf TERM raw say ready pause")
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


def test_we_may_write_while_the_app_has_the_terminal(tty) -> None:
    """`stty tostop` stops whoever writes from the background."""
    it = tty("loud TERM say ready pause")
    it.ready()
    modes = termios.tcgetattr(it.terminal)
    modes[3] |= termios.TOSTOP
    termios.tcsetattr(it.terminal, termios.TCSANOW, modes)
    os.kill(it.mini, signal.SIGTERM)
    it.hear(TERM)
    it.hear("got TERM")


def test_nothing_outlives_the_terminal(tty) -> None:
    """The window is closed: the app gets the hang-up, we learn of it and end."""
    it = tty("deaf HUP say ready pause")
    it.ready()
    os.close(it.terminal)
    os.close(it.keyboard)
    it.keyboard = it.terminal = -1
    until(lambda: not lives(it.app) and not lives(it.mini))


def test_without_a_terminal_nothing_is_handed_over() -> None:
    """Nor where our input is a pipe, nor in a session without one; it's just a plain call."""
    code = (
        "from reloader.process.terminal import Terminal; from reloader.process.foreground import *;"
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
