"""The controlling terminal: who has its foreground, and its modes.

Only a terminal's foreground process group may read from it and gets what Ctrl-C and Ctrl-Z send.
What is typed is for the app, so the app's group gets it (termios(3), tcsetpgrp(3); glibc manual,
Implementing a Shell). `Foreground` decides when.
"""

from __future__ import annotations

import contextlib
import os
import signal
import termios
from typing import Any

# Leave the alternate screen, show the cursor, no mouse reports, no bracketed paste, no colours;
# none of them does anything to a terminal that is in order. (xterm's ctlseqs. 1047 and not 1049,
# which would move the cursor.)
_SANE = b"\x1b[?1047l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m"
_LOCAL = 3  # of tcgetattr's list: the local modes


class Terminal:
    """Ours, if we have one. For the main thread alone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._us = os.getpgrp()
        self._modes = self._now()
        # So that we may write and take the foreground back while we don't have it.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)

    @classmethod
    def open(cls) -> Terminal | None:
        """The controlling terminal, if our standard input is one; for then it is the app's too."""
        if not os.isatty(0):
            return None
        try:
            return cls(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
        except (OSError, termios.error):  # another session's
            return None

    @property
    def foreground(self) -> int:
        """The process group in the foreground; 0: the terminal is gone."""
        try:
            return os.tcgetpgrp(self._descriptor)
        except OSError:
            return 0

    def give(self, group: int) -> None:
        """Let this group have the foreground, if it is ours to give."""
        if self.foreground != self._us:
            return
        self._modes = self._now() or self._modes
        with contextlib.suppress(OSError):  # it is gone already
            os.tcsetpgrp(self._descriptor, group)
            os.killpg(group, signal.SIGCONT)  # it may have read too early, which stops it

    def take_back(self, group: int) -> None:
        """The foreground is ours again, if this group has it or nobody that lives."""
        now = self.foreground
        if now in (0, self._us) or (now != group and _exists(now)):
            return
        with contextlib.suppress(OSError):
            os.tcsetpgrp(self._descriptor, self._us)

    def restore(self) -> None:
        """The modes as they were; with a clean screen if a program was killed in raw mode."""
        before, now = self._modes, self._now()
        if self.foreground != self._us or not before or not now or before == now:
            return
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self._descriptor, termios.TCSANOW, before)
            if (before[_LOCAL] ^ now[_LOCAL]) & (termios.ICANON | termios.ECHO):
                os.write(self._descriptor, _SANE)

    def reads_keys(self) -> bool:
        """Whether a program reads key by key, as a debugger does that has its own line editor."""
        now = self._now()
        return bool(now) and not now[_LOCAL] & termios.ICANON

    def suspend(self) -> None:
        """Stop our own process group, as Ctrl-Z has stopped the app's; returns when continued.

        The kernel doesn't stop an orphaned group, one without a shell that could continue it
        (POSIX, 2.4.3): then this returns at once.
        """
        os.kill(0, signal.SIGTSTP)

    def close(self) -> None:
        """Forget what was typed ahead: it was meant for the app, no shell may execute it."""
        if self.foreground == self._us:
            with contextlib.suppress(termios.error):
                termios.tcflush(self._descriptor, termios.TCIFLUSH)
        os.close(self._descriptor)

    def _now(self) -> list[Any]:
        try:
            return termios.tcgetattr(self._descriptor)
        except termios.error:
            return []


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
