"""A terminal for a supervisor: what is typed there, and what stands on it."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import sys
import termios
import threading
from typing import TYPE_CHECKING

from tests.faults.tools import HERE

if TYPE_CHECKING:
    from tests.faults.rig import Rig

CTRL_C, CTRL_Z = b"\x03", b"\x1a"
SHELL = str(HERE.parent / "process" / "jobshell.py")
# Makes its standard input the session's terminal, and becomes the program.
LEAD = """import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])"""

# The shell finds its commands at 3 and says things on 4.
MOVE = """import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])"""


class Screen:
    def __init__(self, rig: Rig) -> None:
        self.keyboard, self._terminal = os.openpty()
        self.modes = termios.tcgetattr(self._terminal)
        self._seen = b""
        self._over = False
        self.rig = rig
        self._reader = threading.Thread(target=self._read, daemon=True)
        rig.finally_(self.close)

    def start(self, mode: str) -> None:
        """As `Rig.start`, with this terminal as its controlling one."""
        self._reader.start()
        lead = (sys.executable, "-IS", "-c", LEAD)
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self._terminal)
        self.rig.start(*lead, mode=mode, **streams)

    def start_in_shell(self, mode: str) -> None:
        """The same, as the job of a shell with job control."""
        self._reader.start()
        inner, self._commands = os.pipe()
        self._events, outer = os.pipe()
        python = (sys.executable, "-IS")
        move = (*python, "-c", MOVE, str(inner), str(outer), *python, SHELL, "fg")
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self._terminal)
        for descriptor in (self._commands, self._events):
            self.rig.finally_(lambda number=descriptor: os.close(number))
        self.rig.start(*move, mode=mode, pass_fds=(inner, outer), **streams)
        os.close(inner)
        os.close(outer)

    def tell_shell(self, word: str) -> None:
        os.write(self._commands, f"{word}\n".encode())

    def shell_found(self) -> int:
        """Bytes that were typed ahead and that it found when its job had ended."""
        said = os.read(self._events, 4096).decode().split("\n")
        return int(next(line.split()[2] for line in said if line.startswith("exited")))

    @property
    def waiting(self) -> int:
        """Bytes that were typed and nobody has read."""
        return struct.unpack("i", fcntl.ioctl(self._terminal, termios.FIONREAD, bytes(4)))[0]

    @property
    def foreground(self) -> int:
        return os.tcgetpgrp(self.keyboard)

    def resize(self, lines: int, columns: int) -> None:
        size = struct.pack("4H", lines, columns, 0, 0)
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, size)

    def _read(self) -> None:
        while not self._over:
            if not select.select([self.keyboard], [], [], 0.02)[0]:
                continue
            try:
                data = os.read(self.keyboard, 1 << 16)
            except OSError:  # nobody holds it any more
                return
            self._seen += data
            with self.rig.out.open("ab") as out:
                out.write(data)

    def type(self, keys: bytes) -> None:
        os.write(self.keyboard, keys)

    def sees(self, text: bytes, times: int = 1, within: float | None = None) -> None:
        self.rig.until(lambda: self._seen.count(text) >= times, within, f"{text!r} on the screen")

    @property
    def seen(self) -> bytes:
        return self._seen

    @property
    def is_as_before(self) -> bool:
        return termios.tcgetattr(self._terminal) == self.modes

    def close(self) -> None:
        """As when its window is closed: the kernel hangs up on whoever is in the foreground."""
        if self._over:
            return
        self._over = True
        if self._reader.ident:
            self._reader.join()
        os.close(self._terminal)
        os.close(self.keyboard)
