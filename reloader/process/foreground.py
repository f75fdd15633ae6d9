"""Lets the app have the terminal, and learns what was typed there for us.

While the app has the foreground it alone gets Ctrl-C. What that means only the app can tell: a
server ends, and then we end too; a debugger goes on, and so do we. So a sentinel, a shell of 1 MB
in the app's process group, tells us of each Ctrl-C, and then we look:

- the app ends soon: the user meant us as well;
- a moment later it reads key by key: a debugger has taken it;
- else it is still ending: now we are ending too, with all deadlines, but the app is not asked a
  second time; and the next Ctrl-C is the user's second to us.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reloader.core.messages import ProcessExited, SignalReceived, Status

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.core.messages import Fact, Ticket
    from reloader.process.children import Children
    from reloader.process.terminal import Terminal

# `read` ends with the pipe, or when the trap has run. 0.3 s: a debugger has shown its prompt by
# then, and a person who waits for the end doesn't notice.
_SENTINEL = """trap '' TERM QUIT TSTP TTIN TTOU USR1 USR2
trap 'hit=1; echo "hangup $0"' HUP
trap 'hit=1; echo "typed $0"; (sleep .3; echo "later $0") &' INT
while hit=; read -r _ || [ $hit ]; do :; done
echo "gone $0"
"""
_STOPS = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
_INTERRUPTED = 128 + signal.SIGINT  # a shell's exit code for a child that Ctrl-C has ended


@dataclass
class _App:
    """Who has the terminal."""

    ticket: Ticket
    pid: int  # and its group
    leash: int  # the sentinel lives as long as this pipe; -1: there is none
    typed: bool = False  # Ctrl-C, and no debugger has taken it
    hung_up: bool = False  # the terminal is gone
    told: bool = False  # that we are to end
    stopping: bool = False  # by us


class Foreground:
    """A `Source` of what Ctrl-C means; every call is a plain one without a terminal.

    How it is wired:

        foreground = Foreground(children, Terminal.open())
        inbox.add(foreground)
        inbox.add(SignalSource(foreground.collect, launcher.forward, foreground.resume))
        System(..., stop=foreground.stop, ...)
        foreground.give(ticket, pid)  # after the app was spawned with our standard input
        foreground.close()            # at the end: before the last line that we write
    """

    def __init__(self, children: Children, terminal: Terminal | None) -> None:
        self._children = children
        self._terminal = terminal
        self._app: _App | None = None
        self._ear, self._mouth = os.pipe()
        os.set_blocking(self._ear, False)

    def fileno(self) -> int:
        return self._ear

    def give(self, ticket: Ticket, pid: int) -> None:
        """The app is there: the terminal is its. 1 ms, after the app has started."""
        if self._terminal:
            self._terminal.give(pid)
            self._app = _App(ticket, pid, self._post_sentinel(ticket, pid))

    def read(self) -> Iterable[Fact]:
        """What the sentinel has seen: SignalReceived, when it was for us."""
        facts: list[Fact] = []
        for word in self._words():
            if self._app and self._terminal:
                facts += self._seen(word, self._app, self._terminal)
        return facts

    def collect(self) -> list[Fact]:
        """As `Children.collect`; the app's end may come with the signal that was its cause."""
        facts: list[Fact] = []
        for fact in self._children.collect():
            if isinstance(fact, ProcessExited) and self._app and self._app.ticket == fact.ticket:
                facts += self._ended(self._app, fact.status)
            facts.append(fact)
        if self._app and self._terminal and self._children.stopped(self._app.ticket) in _STOPS:
            self._terminal.suspend()
            self.resume()
        return facts

    def stop(self, ticket: Ticket, number: int) -> list[Fact]:
        """As `Children.stop`; but who has got Ctrl-C has been asked already."""
        app = self._app
        if not app or app.ticket != ticket:
            return self._children.stop(ticket, number)
        app.stopping = True
        if number == signal.SIGINT and not app.typed:
            self._dismiss_sentinel(app)  # it would take our signal for the user's
        return self._children.stop(ticket, number, but_group=app.typed)

    def resume(self) -> None:
        """We were continued (SIGCONT): so is the app, in the foreground if we are."""
        if self._app and self._terminal:
            self._terminal.give(self._app.pid)
            with contextlib.suppress(OSError):
                os.killpg(self._app.pid, signal.SIGCONT)

    def close(self) -> None:
        """The terminal as we found it; may be called twice."""
        if self._app:
            self._leave(self._app)
        if self._terminal:
            self._terminal.close()
            self._terminal = None
        if self._ear >= 0:
            os.close(self._ear)
            os.close(self._mouth)
            self._ear = -1

    # --- what it means -------------------------------------------------------------------------

    def _seen(self, word: str, app: _App, terminal: Terminal) -> list[Fact]:
        if app.leash < 0:  # dismissed: what it sees now is our own doing
            return []
        if word == "hangup":
            app.told = True
            return [SignalReceived(int(signal.SIGHUP))]
        if word == "later" and (app.told or not app.typed):
            return []
        first = word == "typed" and not app.typed
        app.typed = True
        if first:
            return []
        if not app.told and terminal.reads_keys():
            app.typed = False
            return []
        app.told = True
        return [SignalReceived(int(signal.SIGINT))]

    def _words(self) -> list[str]:
        """What the sentinel of this app has said."""
        try:
            lines = os.read(self._ear, 4096).decode().splitlines()
        except BlockingIOError:
            return []
        said = (line.partition(" ") for line in lines)
        return [word for word, _, name in said if self._app and name == str(self._app.ticket)]

    def _hear_out(self, app: _App) -> None:
        """The app may end before the sentinel has told us why: 0.5 ms, at most 0.2 s."""
        if app.leash < 0:
            return
        self._dismiss_sentinel(app)
        while select.select([self._ear], [], [], 0.2)[0]:
            words = self._words()
            app.typed |= "typed" in words
            app.hung_up |= "hangup" in words
            if "gone" in words:
                return

    def _ended(self, app: _App, status: Status) -> list[Fact]:
        if not app.stopping and not app.told:
            self._hear_out(app)
        by_ctrl_c = status.signal == signal.SIGINT or status.code == _INTERRUPTED
        had_it = self._terminal is not None and self._terminal.foreground == app.pid
        self._leave(app)
        if app.told:
            return []
        if app.hung_up:
            return [SignalReceived(int(signal.SIGHUP))]
        for_us = app.typed or (had_it and by_ctrl_c and not app.stopping)
        return [SignalReceived(int(signal.SIGINT))] if for_us else []

    def _leave(self, app: _App) -> None:
        self._dismiss_sentinel(app)
        self._app = None
        if self._terminal:
            self._terminal.take_back(app.pid)
            self._terminal.restore()

    # --- the sentinel --------------------------------------------------------------------------

    def _post_sentinel(self, ticket: Ticket, group: int) -> int:
        """Its leash; -1 if there can be none: then only the app's exit status tells."""
        source, leash = os.pipe()
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            pid = os.posix_spawn(
                "/bin/sh",
                ("sh", "-c", _SENTINEL, str(ticket)),
                {"RELOADER_SENTINEL": "1", "PATH": os.defpath},
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, source, 0),
                    (os.POSIX_SPAWN_DUP2, self._mouth, 1),
                    (os.POSIX_SPAWN_DUP2, null, 2),
                ],
                setpgroup=group,
                setsigmask=(),
            )
        except OSError:  # the app has gone already
            os.close(leash)
            return -1
        finally:
            os.close(source)
            os.close(null)
        self._children.ignore(pid)
        return leash

    def _dismiss_sentinel(self, app: _App) -> None:
        if app.leash >= 0:
            os.close(app.leash)
        app.leash = -1
