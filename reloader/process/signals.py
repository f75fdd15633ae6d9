"""Signals as facts.

The handlers only take notes; everything that a signal leads to happens in the main loop.
"""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from reloader.core.facts import SignalReceived
from reloader.process.bootstrap import ENDING, HELD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds

_MAY_IGNORE = (signal.SIGHUP, signal.SIGTSTP)  # nohup; a shell without job control


class SignalSource:
    """A `Source` of what signals tell.

    `collect` is called when a child may have ended. `forward` is called with the number of a
    signal that is the app's and not ours: `docker kill -s USR1` reaches PID 1, so us, alone.
    `resume` is called when we were continued after a stop; `suspend`, if it is there, when we are
    asked to stop. `asked` makes the fact of a request to end. `due`: when to call `collect` though
    no signal came (`time.monotonic`).
    Only for the main thread (signal.signal). An inherited `SIGHUP = SIG_IGN` is kept: nohup.
    """

    def __init__(  # noqa: PLR0913 -- each is a thing that a signal leads to
        self,
        collect: Callable[[], Iterable[Fact]],
        forward: Callable[[int], None] = lambda _: None,
        resume: Callable[[], None] = lambda: None,
        suspend: Callable[[], None] | None = None,
        *,
        asked: Callable[[int], Fact] = SignalReceived,
        due: Callable[[], Seconds | None] = lambda: None,
    ) -> None:
        self._collect = collect
        self._forward = forward
        self._resume = resume
        self._suspend = suspend
        self._asked = asked
        self._due = due
        self._noted: list[int] = []
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        # A full pipe loses no signal: it is only the bell, the notes are ours.
        self._old_bell = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        self._old_handlers = {
            number: signal.signal(number, self._note)
            for number in (*HELD, *((signal.SIGTSTP,) if suspend else ()))
            if not (number in _MAY_IGNORE and signal.getsignal(number) is signal.SIG_IGN)
        }
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)

    def fileno(self) -> int:
        return self._read

    def deadline(self) -> Seconds | None:
        """Returns when processes are to be looked at though none has ended."""
        return self._due()

    def read(self) -> Iterable[Fact]:
        """The facts since the last call; each signal once, however often it came meanwhile."""
        try:
            while len(os.read(self._read, 4096)) == 4096:
                pass
        except BlockingIOError:
            pass
        # Python runs a handler some time after its byte was written. This call runs those that
        # are due (it ends in PyErr_CheckSignals), so no byte is taken without its note.
        signal.pthread_sigmask(signal.SIG_BLOCK, ())
        noted, self._noted = self._noted, []
        due = self._due()
        if due is not None and time.monotonic() >= due:
            noted.append(signal.SIGCHLD)
        facts: list[Fact] = []
        for number in dict.fromkeys(noted):
            if number == signal.SIGCHLD:
                facts += self._collect()
            elif number in ENDING:
                facts.append(self._asked(number))
            elif number == signal.SIGTSTP and self._suspend:
                self._suspend()
            elif number == signal.SIGCONT:
                self._resume()
            else:
                self._forward(number)
        return facts

    def close(self) -> None:
        """Signals that come now change our exit status no more; for the way out.

        Those that ask us to end are ignored from here on, in every thread: our own mask does not
        hold for the others, and Python's handler for SIGINT would raise in this one.
        """
        if self._write < 0:
            return
        signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
        signal.set_wakeup_fd(self._old_bell)
        for number, handler in self._old_handlers.items():
            over = signal.SIG_IGN if number in ENDING else handler
            signal.signal(number, over if over is not None else signal.SIG_DFL)
        os.close(self._read)
        os.close(self._write)
        self._write = -1

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self._noted.append(number)
