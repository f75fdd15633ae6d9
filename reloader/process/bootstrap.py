"""The first statements of the program, before any import that takes time.

As PID 1 the kernel drops a signal that nobody handles yet; so the signals that ask us to end are
held back until `SignalSource` takes them over. Imports next to nothing.
"""

from __future__ import annotations

import os
import signal

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)  # ask us to end
FORWARDED = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)  # are the app's
HELD = frozenset({*ENDING, *FORWARDED, signal.SIGCHLD, signal.SIGCONT})


def block() -> None:
    """Hold back the signals we live by, and give every descriptor its place.

    An inherited `SIGCHLD = SIG_IGN` is undone: with it the kernel throws exit statuses away, and
    a failed build would look like a success (POSIX, wait: "SIGCHLD ... set to SIG_IGN").
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _occupy_standard_descriptors()


def release() -> None:
    """Lets signals through again: a command that starts nothing ends at Ctrl-C like any program."""
    if signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ()):
        return  # `block` has not been called
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback, and status 130 in a shell
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)


def _occupy_standard_descriptors() -> None:
    """Started with `>&-`, the next file we open would be the app's standard output."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: this one
            os.set_inheritable(null, True)
