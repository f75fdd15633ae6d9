"""The controlling terminal: who has its foreground, and its modes.

Only a terminal's foreground process group may read from it and gets what Ctrl-C and Ctrl-Z send
(termios(3), tcsetpgrp(3); glibc manual, Implementing a Shell). `Foreground` decides whose it is.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Leave the alternate screen, show the cursor, no mouse reports, no bracketed paste, no colours;
# none of them does anything to a terminal that is in order. (xterm's ctlseqs. 1047 and not 1049,
# which would move the cursor.)
_SANE = b"\x1b[?1047l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m"
_IN, _OUT, _LOCAL, _CHARS = 0, 1, 3, 6  # of tcgetattr's list: modes, and the characters


class Terminal:
    """Ours, if we have one. For the main thread alone."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._us = os.getpgrp()
        self._modes = self._now()
        self._key_modes: list[Any] = []
        self.gives_keys = False  # one by one and unseen, since `take_keys`
        # So that we may write and take the foreground back while we don't have it, and are not
        # stopped if it is taken from us while we read.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)

    @classmethod
    def open(cls) -> Terminal | None:
        """The controlling terminal, if our standard input is one; for then it is the app's too."""
        if not os.isatty(0):
            return None
        try:
            os.tcgetpgrp(0)  # ENOTTY: it is not ours
            return cls(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
        except (OSError, termios.error):  # another session's
            return None

    def fileno(self) -> int:
        """Our standard input: macOS's kqueue does not take /dev/tty."""
        return 0

    @property
    def foreground(self) -> int:
        """The process group in the foreground; 0: the terminal is gone."""
        try:
            return os.tcgetpgrp(self._descriptor)
        except OSError:
            return 0

    @property
    def is_gone(self) -> bool:
        """Returns True if the window was closed, or the connection lost."""
        return not self._now()

    @property
    def is_ours(self) -> bool:
        """True if reloader is in the foreground; otherwise a shell or a job is."""
        return self.foreground == self._us

    def give(self, group: int) -> None:
        """Let this group have the foreground, if it is ours to give."""
        if not self.is_ours:
            return
        self.leave_keys()
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

    def restore(self, *, killed: bool) -> None:
        """The modes as they were; with a clean screen if a program has left others.

        One that was not `killed` and has left our keys' modes found them, and put them back.
        """
        before, now = self._modes, self._now()
        put_back = not killed and now == self._key_modes
        if not self.is_ours or not before or not now or before == now:
            return
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self._descriptor, termios.TCSANOW, before)
            if not put_back and (before[_LOCAL] ^ now[_LOCAL]) & (termios.ICANON | termios.ECHO):
                os.write(self._descriptor, _SANE)

    # --- keys of ours --------------------------------------------------------------------------

    def take_keys(self, told: Callable[[int, int, int], object]) -> bool:
        """From now on keys come one by one, unseen; Ctrl-C and Ctrl-Z are signals as ever.

        What was typed before is forgotten: it was no key. `told` is called with the local modes
        before and after, and the input modes. False: nothing has happened, it was so before or the
        foreground is not ours.
        """
        before = self._now()
        if self.gives_keys or not before or not self.is_ours:
            return False
        modes = [*before[:_CHARS], [*before[_CHARS]]]
        # TOSTOP would stop the app when it writes, for it is in the background.
        modes[_LOCAL] &= ~(termios.ICANON | termios.ECHO | termios.TOSTOP)
        modes[_CHARS][termios.VMIN], modes[_CHARS][termios.VTIME] = 1, 0
        told(before[_LOCAL], modes[_LOCAL], modes[_IN])
        with contextlib.suppress(OSError, termios.error):
            termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)
            termios.tcflush(self._descriptor, termios.TCIFLUSH)
            self._modes, self._key_modes = before, self._now()
            self.gives_keys = True
        return self.gives_keys

    def renew_keys(self) -> None:
        """Take them again, if somebody has set other modes: Node does when it ends."""
        if self.gives_keys and self.is_ours and self._now() != self._key_modes:
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._key_modes)

    def leave_keys(self) -> None:
        """The modes as they were before `take_keys`; a shell that has them now is left alone."""
        if self.gives_keys and self.is_ours:
            with contextlib.suppress(OSError, termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, self._modes)
        self.gives_keys = False

    def read_keys(self) -> bytes:
        """Returns the typed bytes; b"" if there are none for reloader, or the terminal is gone."""
        if not self.is_ours or not select.select([self], [], [], 0)[0]:
            return b""
        try:
            return os.read(0, 4096)
        except OSError:
            return b""

    def start_line(self) -> None:
        """Begin a new line, if the cursor is in the middle of one.

        Only the kernel knows the column. With ONOCR (termios(3)) it drops a carriage return at
        the begin of a line; OCRNL makes what is not dropped a line feed. What others write in
        these 20 µs has its carriage returns changed, too: a progress bar may show twice.
        """
        before = self._now()
        if not before or not before[_OUT] & termios.OPOST or not self._is_writable():
            return
        down, back = [*before], [*before]
        clean = before[_OUT] & ~(termios.OCRNL | termios.ONLRET)
        down[_OUT], back[_OUT] = clean | termios.ONOCR | termios.OCRNL, clean | termios.ONOCR
        with contextlib.suppress(OSError, termios.error):
            try:
                for modes in (down, back):
                    termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)
                    os.write(self._descriptor, b"\r")
            finally:
                termios.tcsetattr(self._descriptor, termios.TCSANOW, before)

    def draw(self, sequence: str) -> None:
        """Writes what moves no text: a title, or a row that is drawn and left again.

        With OPOST (termios(3)) off, for the kernel would count the sequence as columns, and
        `start_line` would take them for a line that has begun.
        """
        before = self._now()
        if not before or not self._is_writable():
            return
        bare = [*before]
        bare[_OUT] = before[_OUT] & ~termios.OPOST
        with contextlib.suppress(OSError, termios.error):
            try:
                termios.tcsetattr(self._descriptor, termios.TCSANOW, bare)
                os.write(self._descriptor, sequence.encode(errors="replace"))
            finally:
                termios.tcsetattr(self._descriptor, termios.TCSANOW, before)

    # --- what else -----------------------------------------------------------------------------

    def reads_keys(self) -> bool:
        """Returns True if a program reads key by key, like a debugger with its own line editor."""
        now = self._now()
        return bool(now) and not now[_LOCAL] & termios.ICANON

    def suspend(self, number: int) -> None:
        """Stop our own process group by this signal; returns when continued.

        The kernel doesn't stop an orphaned group, one without a shell that could continue it
        (POSIX, 2.4.3): then this returns at once.
        """
        handler = signal.signal(number, signal.SIG_DFL)
        os.kill(0, number)
        signal.signal(number, handler)

    def close(self) -> None:
        """Forget what was typed ahead: it was meant for the app, no shell may execute it."""
        self.leave_keys()
        if self.is_ours:
            with contextlib.suppress(termios.error):
                termios.tcflush(self._descriptor, termios.TCIFLUSH)
        os.close(self._descriptor)

    def _is_writable(self) -> bool:
        """Not while Ctrl-S holds it."""
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return any(event & select.POLLOUT for _, event in poll.poll(0))

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
