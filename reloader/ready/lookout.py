"""Tells when a generation of the app has become ready, and when one has become idle (Linux).

A thread for each question, for a look may take its time; it ends with the answer, or with the
process. Nothing is looked at when nothing is asked.
"""

from __future__ import annotations

import threading
from collections import deque
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from reloader import threads
from reloader.core.facts import BecameIdle, BecameReady, Noticed
from reloader.core.news import Warned
from reloader.process.tree import ProcView
from reloader.ready import accepting, idle, probe
from reloader.ready.probe import Ready, Way
from reloader.runtime.wakeup import Wake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds, Ticket
    from reloader.sockets.ports import Ports

# A program that listens nowhere, as the one before it did, is ready when it has lived so long and
# is at rest, or so long and works: a server that imports for seconds is not taken for a worker.
LIVES: Seconds = 1.0
WORKS: Seconds = 10.0
OTHERS: Seconds = 1.0  # from the first address that is waited on, for the others of the last one
_FIRST_LOOK: Seconds = 0.003
_LONGEST_PAUSE: Seconds = 0.1  # between two looks
_SHARE = 6  # of the time, one part at most is spent looking
_BUSY_LOOK: Seconds = 0.01  # sock_diag walks all connections of the machine: 8 ms on a busy one
_REST = 20  # milliseconds between two writes of one answer, at most; the kernel counts in 4, often
_QUIET_LOOKS = 3  # at rest in so many looks in a row
_LEARNS: Seconds = 60.0
_LEARN_PAUSE: Seconds = 0.5
_PROBES = "127.77.0.1"  # where probes come from: steered to the generation that is asked


class Lookout:
    """A source of BecameReady and BecameIdle.

    `environ()`: that of a command of the user's; it runs in `cwd`.
    """

    def __init__(
        self, ports: Ports, ready: Ready, environ: Callable[[], Mapping[str, str]], cwd: str
    ) -> None:
        self._ports = ports
        self._ready = ready
        self._environ = environ
        self._cwd = cwd
        self._wake = Wake()
        self._facts: deque[Fact] = deque()
        # The question of the moment about each; set: look now, something has happened.
        self._asked: dict[Ticket, threading.Event] = {}
        self._waiting: dict[str, Callable[[], None]] = {}  # looks without a thread, by name
        self._retry_at: Seconds | None = None
        self._usual: frozenset[int] = frozenset()  # ports of the last generation that was ready
        self._notices: probe.Notices | None = None

    # --- a source of the inbox -------------------------------------------------------------------

    def fileno(self) -> int:
        return self._wake.fileno()

    def read(self) -> Iterable[Fact]:
        self._wake.clear()
        self._begin_waiting()
        while self._facts:
            yield self._facts.popleft()

    def deadline(self) -> Seconds | None:
        """Returns when to try again to begin a look that has no thread yet."""
        return self._retry_at

    def close(self) -> None:
        for ticket in tuple(self._asked):
            self.ended(ticket)
        self._wake.close()
        if self._notices:
            self._notices.close()

    # --- questions -------------------------------------------------------------------------------

    def ask_for(self, ready: Ready) -> None:
        """From the next generation on readiness is found out in this way."""
        self._ready = ready

    def notify_socket(self) -> str:
        """Returns what the next app's NOTIFY_SOCKET is to be; "" if it is not asked to tell.

        It is the same for all generations, so that each can start warm in one environment.
        """
        if self._ready.way is not Way.NOTIFY:
            return ""
        if self._notices is None:
            self._notices = probe.Notices()
        self._notices.forget()
        return self._notices.name

    def started(self, ticket: Ticket, pid: int) -> None:
        """Watches a new generation until it is ready."""
        event = self._asked[ticket] = threading.Event()
        ready = self._ready

        def watch() -> None:
            if (address := self._until_ready(ticket, pid, event, ready)) is not None:
                self._tell(BecameReady(ticket, address))
                if not address and not self._ports.knows(ticket):
                    self._learn(ticket, pid, event)

        self._run(f"ready-{ticket}", watch)

    def listened(self, ticket: Ticket) -> None:
        """Looks at once: the generation listens on one more address."""
        if event := self._asked.get(ticket):
            event.set()

    def drain(self, ticket: Ticket, pid: int, *, is_ending: bool = False) -> None:
        """Watches a generation until nobody is owed an answer any more.

        `is_ending`: it has been asked to end; then only open connections are no work, for without
        one it may be busy with its own end.
        """
        event = self._asked[ticket] = threading.Event()

        def watch() -> None:
            if self._until_idle(ticket, pid, event, is_ending=is_ending):
                self._tell(BecameIdle(ticket))

        self._run(f"idle-{ticket}", watch)

    def ended(self, ticket: Ticket) -> None:
        """Stops watching a generation that is gone."""
        if event := self._asked.pop(ticket, None):
            event.set()

    # --- how -------------------------------------------------------------------------------------

    def _run(self, name: str, watch: Callable[[], None]) -> None:
        self._waiting[name] = watch
        self._begin_waiting()

    def _begin_waiting(self) -> None:
        """Begins the looks; those that can have no thread now wait for the next try."""
        for name, watch in tuple(self._waiting.items()):
            if threads.start(watch, name, partial(self._failed, name)) is None:
                if self._retry_at is None:
                    self._tell(Noticed(Warned(threads.LACK)))
                self._retry_at = monotonic() + threads.RETRY
                return
            del self._waiting[name]
        self._retry_at = None

    def _failed(self, name: str, error: Exception) -> None:
        """Tells that a look has failed: the deadlines of the machine take its place."""
        self._tell(Noticed(Warned(f"the look whether the app is {name} has failed: {error!r}")))

    def _tell(self, fact: Fact) -> None:
        self._facts.append(fact)
        self._wake.set()

    def _until_ready(
        self, ticket: Ticket, pid: int, event: threading.Event, ready: Ready
    ) -> str | None:
        """Returns the address at which it answers, "" if it has none; None if it is gone."""
        began, first, quiet = monotonic(), 0.0, 0
        while self._asked.get(ticket) is event and accepting.lives(pid):
            since = monotonic()
            listening, pids = self._listening(ticket, pid), self._pids(ticket, pid)
            waited = accepting.waited_on(pids, frozenset(listening))
            ports = {listening[inode] for inode in waited}
            expected = self._usual | self._ports.expected(ticket)
            first = first or (since if waited else 0.0)
            is_all = bool(waited) and expected <= ports
            is_enough = bool(first) and since - first >= OTHERS
            quiet = 0 if listening or expected or accepting.is_at_work(pids) else quiet + 1
            lived = since - began
            is_no_server = quiet >= _QUIET_LOOKS and lived >= LIVES
            is_no_server |= not listening and not expected and lived >= WORKS
            if (is_all or is_enough or is_no_server) and self._agrees(ready, ticket, pid, ports):
                self._usual = frozenset(ports)
                return self._address(ticket, min(ports, default=0))
            pause = min(max(_FIRST_LOOK, (monotonic() - since) * _SHARE), _LONGEST_PAUSE)
            if not listening and self._ports.knows(ticket):  # the broker says when it does
                pause = max(_LONGEST_PAUSE, LIVES - lived - _QUIET_LOOKS * _LONGEST_PAUSE)
            event.wait(pause)
            event.clear()
        return None

    def _learn(self, ticket: Ticket, pid: int, event: threading.Event) -> None:
        """Looks on at one that is taken for no server: where it listens, the next one has to."""
        ends = monotonic() + _LEARNS
        while self._asked.get(ticket) is event and accepting.lives(pid) and monotonic() < ends:
            if listening := self._listening(ticket, pid):
                self._usual = frozenset(listening.values())
                return
            event.wait(_LEARN_PAUSE)
            event.clear()

    def _listening(self, ticket: Ticket, pid: int) -> dict[int, int]:
        if self._ports.knows(ticket):
            return {place.inode: place.address.port for place in self._ports.served(ticket)}
        try:
            return accepting.listening(self._pids(ticket, pid))
        except OSError:  # sock_diag is not to be had
            return {}

    def _pids(self, ticket: Ticket, pid: int) -> list[int]:
        """Returns the processes of the tree, and who listens, wherever that went."""
        below = [process.pid for process in ProcView().below(pid)]
        return [*(place.thread for place in self._ports.served(ticket)), pid, *below]

    def _agrees(self, ready: Ready, ticket: Ticket, pid: int, ports: set[int]) -> bool:
        """Returns True if the way that the config named at the start says so, too."""
        match ready:
            case Ready(Way.HTTP, path):
                source = _PROBES if self._ports.lets_probe(ticket, _PROBES) else ""
                return any(probe.answers(_LOCAL, port, path, source) for port in sorted(ports))
            case Ready(Way.COMMAND, command):
                return probe.succeeds(command, self._environ(), self._cwd)
            case Ready(Way.NOTIFY):
                said, mine = self._notices.ready() if self._notices else (), self._pids(ticket, pid)
                # systemd-notify says it for its parent, and has ended by now.
                return any(one in mine or not accepting.lives(one) for one in said)
            case _:
                return True

    def _address(self, ticket: Ticket, port: int) -> str:
        if not port:
            return ""
        hosts = {p.address.host for p in self._ports.served(ticket) if p.address.port == port}
        host = next(iter(sorted(hosts)), _LOCAL)
        if host in {"0.0.0.0", "::"}:  # noqa: S104 -- any: shown as one that a browser takes
            host = _LOCAL
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def _until_idle(
        self, ticket: Ticket, pid: int, event: threading.Event, *, is_ending: bool
    ) -> bool:
        listening = self._listening(ticket, pid)
        pause = _BUSY_LOOK
        while self._asked.get(ticket) is event and accepting.lives(pid):
            try:
                rest = 0 if is_ending else _REST
                work = idle.work(self._pids(ticket, pid), listening, rest)
            except OSError:
                return False  # its time is given by the deadline alone
            if work.is_idle and (work.quiet or not is_ending):
                return True
            event.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        return False


_LOCAL = "127.0.0.1"
