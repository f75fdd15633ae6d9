"""A pipe or a pseudo-terminal between a process that writes and the stream that people read.

A process whose stream is a terminal gets a terminal, so that its colours stay.
"""

from __future__ import annotations

import os
from contextlib import suppress

_SIZE_REQUEST = 8  # bytes of struct winsize (ioctl_tty(2))


def pipe() -> tuple[int, int]:
    """Returns a reading and a writing end; the reading end does not block. Raises OSError."""
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    return ours, theirs


def terminal(like: int) -> tuple[int, int]:
    """Returns both ends of a terminal of the size of `like`; the first does not block.

    Its output is raw: the terminal that people see turns line feeds into new lines. Raises OSError.
    """
    import fcntl
    import termios

    ours, theirs = os.openpty()
    try:
        modes = termios.tcgetattr(theirs)
        modes[1] &= ~termios.OPOST
        modes[3] &= ~termios.ECHO
        termios.tcsetattr(theirs, termios.TCSANOW, modes)
        size = fcntl.ioctl(like, termios.TIOCGWINSZ, b"\0" * _SIZE_REQUEST)
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
    except (OSError, termios.error):
        os.close(ours)
        os.close(theirs)
        raise OSError("no terminal of this size") from None
    os.set_blocking(ours, False)
    return ours, theirs


def open_like(stream: int) -> tuple[int, int]:
    """Returns a pair of ends as the stream is: a terminal or a pipe. Raises OSError."""
    with suppress(OSError):
        if os.isatty(stream):
            return terminal(stream)
    return pipe()


def resize(ours: int, like: int) -> None:
    """Gives a terminal the size of another one."""
    import fcntl
    import termios

    with suppress(OSError):
        size = fcntl.ioctl(like, termios.TIOCGWINSZ, b"\0" * _SIZE_REQUEST)
        fcntl.ioctl(ours, termios.TIOCSWINSZ, size)
