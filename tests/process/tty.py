"""A terminal with a job-control shell, for the terminal tests."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

from tests.helpers.until import until
from tests.process.lab import ROOT, Ear, lives

SHELL = str(Path(__file__).with_name("jobshell.py"))
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


class Tty:
    """A terminal with a shell that runs a `mini.py` that runs an app."""

    def __init__(
        self,
        *app: str,
        where: str = "fg",
        shell: bool = True,
        tostop: bool = False,
        **env: str,
    ) -> None:
        self.keyboard, terminal = os.openpty()
        self.modes = termios.tcgetattr(terminal)
        self.modes[3] &= ~termios.ECHOCTL  # no ^C on the screen, between two lines
        self.modes[3] |= termios.TOSTOP if tostop else 0
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
            with contextlib.suppress(ProcessLookupError):
                if lives(pid):
                    os.kill(pid, signal.SIGKILL)
        self.shell.wait(10)
        for descriptor in (self.keyboard, self.terminal, self.commands):
            if descriptor >= 0:
                os.close(descriptor)
        self.events.close()


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


def echo_of(it: Tty) -> bool:
    return bool(termios.tcgetattr(it.terminal)[3] & termios.ECHO)


def patience(seconds: float) -> None:
    """For what must *not* happen in that time."""
    subprocess.run(["sleep", str(seconds)], check=True)
