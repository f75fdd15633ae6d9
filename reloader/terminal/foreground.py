r"""Decides who has the terminal: reloader's keys, or a job that wants it.

A job starts in the background. When it, or any of its group, reads from the terminal or sets its
modes, the kernel stops the group (SIGTTIN, SIGTTOU; termios(3)) and we are told: then the job gets
the foreground, with the modes as they were, and goes on as if nothing had been. It keeps it for
life. So we read keys exactly while nobody else wants to read.

While a job has the foreground it alone gets Ctrl-C. What that means only it can tell: a server
ends, and then we end too; a debugger goes on, and so do we. So a sentinel, a shell of 1 MB
in its process group, tells us of each Ctrl-C, and then we look:

- the app ends soon: the user meant us as well;
- a moment later it reads key by key: a debugger has taken it;
- else it is still ending: now we are ending too, with all deadlines, but the app is not asked a
  second time; and the next Ctrl-C is the user's second to us.

While we have it, Ctrl-C and Ctrl-\ reach us alone, and the machine hands them on; on Ctrl-Z we
stop all jobs and ourselves.
"""

from __future__ import annotations

import os
import select
import selectors
import signal
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from reloader.core.facts import Noticed, ProcessExited, SignalReceived
from reloader.core.news import KeysOffered, Warned
from reloader.light import dataclass
from reloader.process.stop_rule import AT_ONCE
from reloader.terminal import sentinel
from reloader.terminal.keys import OFFER, Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds, Status, Ticket
    from reloader.process.children import Children
    from reloader.process.stop_rule import StopTerms
    from reloader.terminal.tty import Terminal

_POST_AGAIN = 1.0  # seconds between two sentinels of one app, if the first has ended or failed
_WANTS = (signal.SIGTTIN, signal.SIGTTOU)
_INTERRUPTED = 128 + signal.SIGINT  # a shell's exit code for a child that Ctrl-C has ended
# A program that polls before it reads wakes up with us at a key: in this time it has read, and was
# stopped for it. Seconds; nobody feels it.
_AFTER_YOU, _LOOK = 0.02, 0.002


@dataclass
class _Holder:
    """The job that has the terminal."""

    ticket: Ticket
    pid: int  # and its group
    leash: int = -1  # the sentinel lives as long as this pipe; -1: there is none
    typed: bool = False  # Ctrl-C, and no debugger has taken it
    hung_up: bool = False  # the terminal is gone
    told: bool = False  # that we are to end
    stopping: bool = False  # by us


class Foreground:
    """A `Source` of what is typed for us; every call is a plain one without a terminal.

    `reads_keys`: else the app has the terminal from its start. `told`: see `Terminal.take_keys`.
    How it is wired:

        foreground = Foreground(children, Terminal.open(), reads_keys=True)
        inbox.add(foreground)
        inbox.add(SignalSource(foreground.collect, launcher.forward, foreground.resume,
                               foreground.suspend, foreground.asked))
        System(..., stop=foreground.stop, ...)
        foreground.give(ticket, pid)  # after the app was spawned with our standard input
        inbox.put(foreground.open())  # from now on keys are read
        foreground.close()            # at the end: before the last line that we write
    """

    def __init__(
        self,
        children: Children,
        terminal: Terminal | None,
        *,
        reads_keys: bool = False,
        told: Callable[[int, int, int], object] = lambda *_: None,
    ) -> None:
        self._children = children
        self._terminal = terminal
        self._reads_keys = reads_keys and terminal is not None
        self._told = told
        self._keys = Keys()
        self._holder: _Holder | None = None
        self._newest: Ticket = 0  # the newest generation of an app
        self._reader: Ticket = 0  # the last app that wanted the terminal
        self._kept = False  # what is typed is kept for an app that is expected to want it
        self._others_wait = False  # for the terminal, while a job has it
        self._is_open = False
        self._post_at: Seconds | None = None  # when to post the next sentinel
        self._ear, self._mouth = os.pipe()
        os.set_blocking(self._ear, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ear, selectors.EVENT_READ)

    def fileno(self) -> int:
        selector: Any = self._selector
        return int(selector.fileno())

    def open(self) -> list[Fact]:
        """Read keys from now on, if we are to and can; says so."""
        self._is_open = True
        self._settle()
        takes = self._terminal is not None and self._terminal.gives_keys
        return [Noticed(KeysOffered(OFFER))] if takes else []

    def give(self, ticket: Ticket, pid: int) -> None:
        """The app is there; 1 ms, after the app has started.

        The successor of an app that wanted the terminal will want it too: until it asks, what is
        typed is no key but waits for it. If it never does, keys are back with the next one.
        """
        if not self._reads_keys:
            self._hand_over(ticket, pid)
        self._kept = self._reader != 0 and self._reader == self._newest
        self._newest = ticket
        self._settle()

    def deadline(self) -> Seconds | None:
        """Returns when to post a sentinel, if the last one has fallen or none was to be had."""
        return self._post_at

    def read(self) -> Iterable[Fact]:
        """Returns the news of the sentinel, and the requests of keys."""
        facts: list[Fact] = []
        if self._post_at is not None and time.monotonic() >= self._post_at:
            self._post_at = None
            if self._holder and not self._holder.told:
                self._post_sentinel(self._holder)
        for word in self._words():
            if self._holder and self._terminal:
                facts += self._seen(word, self._holder, self._terminal)
        if self._terminal and self._terminal.gives_keys:
            facts += self._read_keys(self._terminal)
        return facts

    def collect(self) -> list[Fact]:
        """As `Children.collect`; the app's end may come with the signal that was its cause."""
        facts: list[Fact] = []
        for fact in self._children.collect():
            holder = self._holder
            if isinstance(fact, ProcessExited):
                if holder and holder.ticket == fact.ticket:
                    facts += self._ended(holder, fact.status)
                elif fact.ticket == self._newest:
                    self._kept = False  # it never wanted it
            facts.append(fact)
        facts += self._look_for_stops()
        self._settle()  # also because `fg` of a job that runs in the background sends no signal
        return facts

    def collect_at(self) -> Seconds | None:
        """Returns `Children.deadline`."""
        return self._children.deadline()

    def stop(self, ticket: Ticket, number: int, terms: StopTerms = AT_ONCE) -> list[Fact]:
        """Stops as `Children.stop` does; processes that got Ctrl-C have been asked already."""
        app = self._holder
        if not app or app.ticket != ticket:
            return self._children.stop(ticket, number, terms)
        app.stopping = True
        if number == signal.SIGINT and not app.typed:
            self._dismiss_sentinel(app)  # it would take our signal for the user's
        return self._children.stop(ticket, number, terms, skip_group=app.typed)

    def asked(self, number: int) -> SignalReceived:
        """A request to end; a key's, if it could have been typed where we have the foreground."""
        typed = number in {signal.SIGINT, signal.SIGQUIT} and self._has_it
        return SignalReceived(number, typed)

    def suspend(self, number: int = signal.SIGTSTP) -> None:
        """All jobs stop, and we, as by this signal; until continued.

        SIGTSTP is Ctrl-Z, for us or for who has the terminal; SIGTTIN and SIGTTOU: a job wants the
        terminal and it is a shell's, who is told so by our own stop.
        """
        if not self._terminal:
            return
        self._leave_keys()
        self._children.send_to_groups(signal.SIGTSTP)
        self._terminal.suspend(number)
        self.resume()

    def resume(self) -> None:
        """Continues every job after SIGCONT, in the foreground as before if reloader is."""
        if not self._terminal:
            return
        self._leave_keys()  # a shell may have set other modes meanwhile
        if self._holder:
            self._terminal.give(self._holder.pid)
        self._children.send_to_groups(signal.SIGCONT)
        self._settle()

    def start_line(self) -> None:
        """Makes the next output begin on a line of its own."""
        if self._terminal and (self._has_it or self._holder_has_it):
            self._terminal.start_line()

    def is_free(self) -> bool:
        """Returns True if reloader has the terminal, and no app."""
        return self._has_it

    def close(self) -> None:
        """The terminal as we found it; may be called twice."""
        self._is_open = False
        if self._holder:
            self._leave(self._holder, killed=True)
        self._leave_keys()
        if self._terminal:
            self._terminal.close()
            self._terminal = None
        if self._ear >= 0:
            self._selector.close()
            os.close(self._ear)
            os.close(self._mouth)
            self._ear = -1

    # --- whose it is ---------------------------------------------------------------------------

    @property
    def _has_it(self) -> bool:
        return self._terminal is not None and not self._holder and self._terminal.is_ours

    @property
    def _holder_has_it(self) -> bool:
        holder, terminal = self._holder, self._terminal
        return bool(holder and terminal and terminal.foreground == holder.pid)

    def _settle(self) -> None:
        """Keys are read if nobody else wants to read."""
        free = self._is_open and not self._holder and not self._kept
        if not self._terminal or not self._reads_keys or not free:
            self._leave_keys()
        elif self._terminal.gives_keys:
            self._terminal.renew_keys()
        elif self._terminal.take_keys(self._told):
            self._selector.register(self._terminal, selectors.EVENT_READ)

    def _leave_keys(self) -> None:
        if self._terminal and self._terminal.gives_keys:
            self._selector.unregister(self._terminal)
            self._terminal.leave_keys()

    def _look_for_stops(self) -> list[Fact]:
        """A job that was stopped because it wants the terminal gets it, if it is ours to give."""
        facts: list[Fact] = []
        terminal = self._terminal
        for ticket, pid, number in self._children.stopped() if terminal else ():
            if number in _WANTS and self._holder_has_it and self._holds(ticket):
                self._children.send_to_groups(signal.SIGCONT)  # a kill -TTIN of somebody's
            elif number in _WANTS and self._holder_has_it:
                self._others_wait = True
                text = f"process {pid} waits for the terminal, which another has: it is stopped"
                facts.append(Noticed(Warned(text)))
            elif number in _WANTS:
                ours = self._has_it
                if not self._holder:
                    self._hand_over(ticket, pid)
                if not ours:  # a shell has it
                    self.suspend(number)
            elif number == signal.SIGTSTP and (ticket == self._newest or self._holds(ticket)):
                self.suspend()
        return facts

    def _holds(self, ticket: Ticket) -> bool:
        return self._holder is not None and self._holder.ticket == ticket

    def _hand_over(self, ticket: Ticket, pid: int) -> None:
        if not self._terminal:
            return
        self._leave_keys()
        self._terminal.give(pid)
        self._holder = _Holder(ticket, pid)
        self._post_sentinel(self._holder)
        if ticket == self._newest:
            self._reader = ticket

    def _read_keys(self, terminal: Terminal) -> list[Fact]:
        """Returns None if a program that polled before wants to read the keys."""
        facts: list[Fact] = []
        deadline = time.monotonic() + _AFTER_YOU
        while select.select([terminal], [], [], 0)[0]:
            facts += self._look_for_stops()
            if not terminal.gives_keys:
                return facts
            if not self._children.alive() or time.monotonic() > deadline:
                break
            select.select([], [], [], _LOOK)
        else:
            return facts
        data = terminal.read_keys()
        if not data:  # a shell has it, or it is gone: until we are continued
            self._leave_keys()
        return facts + self._keys.typed(data, time.monotonic())

    # --- what it means -------------------------------------------------------------------------

    def _seen(self, word: str, app: _Holder, terminal: Terminal) -> list[Fact]:
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
        """Returns the words of this app's sentinel."""
        try:
            lines = os.read(self._ear, 4096).decode().splitlines()
        except BlockingIOError:
            return []
        said = (line.partition(" ") for line in lines)
        holder = self._holder
        return [word for word, _, name in said if holder and name == str(holder.ticket)]

    def _hear_out(self, app: _Holder) -> None:
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

    def _ended(self, app: _Holder, status: Status) -> list[Fact]:
        if not app.stopping and not app.told:
            self._hear_out(app)
        by_ctrl_c = status.signal == signal.SIGINT or status.code == _INTERRUPTED
        had_it = self._holder_has_it
        # It may have read the end, and ended, before it or the sentinel got the hang-up.
        app.hung_up |= self._terminal is not None and self._terminal.is_gone
        self._leave(app, killed=status.signal != 0)
        if app.told:
            return []
        if app.hung_up:
            return [SignalReceived(int(signal.SIGHUP))]
        for_us = app.typed or (had_it and by_ctrl_c and not app.stopping)
        return [SignalReceived(int(signal.SIGINT))] if for_us else []

    def _leave(self, app: _Holder, *, killed: bool) -> None:
        self._dismiss_sentinel(app)
        self._holder, self._post_at = None, None
        if self._terminal:
            self._terminal.take_back(app.pid)
            self._terminal.restore(killed=killed)
        if app.ticket == self._newest:
            self._kept = app.stopping  # replaced: what is typed meanwhile is for its successor
        if self._others_wait:  # they ask again
            self._children.send_to_groups(signal.SIGCONT)
            self._others_wait = False
        self._settle()

    # --- the sentinel --------------------------------------------------------------------------

    def _post_sentinel(self, app: _Holder) -> None:
        """Without one only the app's exit status tells; one that falls is replaced."""
        posted_at = time.monotonic()
        try:
            pid, app.leash = sentinel.post(app.ticket, app.pid, self._mouth)
        except OSError:  # the app has gone already; no process or descriptor to be had
            self._post_at = posted_at + _POST_AGAIN
        else:
            self._children.register_helper(pid, partial(self._fell, app, posted_at))

    def _fell(self, app: _Holder, posted_at: Seconds) -> None:
        """Notes the end of a sentinel; one that was not dismissed is to be replaced."""
        if app.leash >= 0:
            self._dismiss_sentinel(app)
            self._post_at = posted_at + _POST_AGAIN

    def _dismiss_sentinel(self, app: _Holder) -> None:
        if app.leash >= 0:
            os.close(app.leash)
        app.leash = -1
