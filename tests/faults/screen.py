"""A terminal for a supervisor: what is typed there, and what stands on it."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.faults.rig import Rig

CTRL_C = b"\x03"
# Makes its standard input the session's terminal, and becomes the program.
LEAD = """import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])"""


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
