"""Starts the app from a server that has imported its libraries, or as ever."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import time
from functools import partial
from typing import TYPE_CHECKING

from reloader.core.facts import Noticed
from reloader.core.news import Informed
from reloader.light import dataclass, field, replace
from reloader.process.children import SpawnError
from reloader.warm.inside import wire
from reloader.warm.plan import SITE, judge

if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable, Iterator

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds, Ticket
    from reloader.process.children import Children
    from reloader.process.spec import SpawnSpec

LATER: Seconds = 1.0  # after a start: the app has the processor, a new server can wait
ANSWER: Seconds = 0.5  # the longest wait for a server's answer; two forks of a large one take 0.02
MOST_CULPRITS = 8  # modules that a server goes without; with more there is no server
MOST_ANEW = 2  # starts that turned out to need other conditions; with more all starts are cold
_SO_PEERCRED = 17  # socket(7): who has called


@dataclass
class _Server:
    """A process that forks apps, or will when it has imported."""

    pid: int
    call: socket.socket | None = None  # once it has called
    ready: bool = False


@dataclass
class _Kind:
    """Apps that start from the same command in the same environment, and what helps them."""

    spec: SpawnSpec  # the first one's
    why_cold: str = ""  # they get no server; "": they do
    notes: int = -1  # descriptor of what the last one has imported
    without: dict[str, str] = field(default_factory=dict)  # module: why it can't be ready
    anew: int = 0  # starts in which a server has turned out to be another than was needed
    server: _Server | None = None
    successor: _Server | None = None  # takes the server's place when it is ready

    def includes(self, spec: SpawnSpec) -> bool:
        """Tells if a process like the first one can become this app."""
        mine = self.spec
        return (mine.argv, mine.cwd, mine.env, mine.descriptors) == (
            *(spec.argv, spec.cwd, spec.env, spec.descriptors),
        )

    def learn(self, notes: int) -> None:
        if self.notes >= 0:
            os.close(self.notes)
        self.notes = notes


@dataclass(frozen=True)
class Entry:
    """The steps of a process before it becomes the app."""

    # Calls the function that starts one cold.
    through: Callable[[Ticket, Callable[[], int]], int] = lambda _, run: run()
    # Speaks with one that was forked; on its side a function `enter` answers to each message.
    meet: Callable[[Ticket, _socket.socket], None] = lambda _ticket, _call: None
    file: str = ""  # of Python, standard library only, that has the function; "": there is none


class Warm:
    """Starts apps; a source of what their processes and servers have to say.

    `name`: of the socket on which they call.
    """

    def __init__(self, name: str, children: Children, entry: Entry | None = None) -> None:
        self._name = name
        self._children = children
        self._entry = entry or Entry()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(b"\0" + name.encode())
        self._listener.listen(16)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._calls: dict[int, socket.socket] = {}
        self._kind: _Kind | None = None
        self._app = 0  # pid of an app that will call, 0: none
        self._due: Seconds | None = None  # when to see to the server
        self._told = ""
        self._news: list[Fact] = []

    # --- starting ------------------------------------------------------------------------------

    def spawn(self, ticket: Ticket, spec: SpawnSpec) -> tuple[int, str]:
        """Starts the app; returns its pid, and "warm" if it was that. Raises SpawnError."""
        self._app = 0
        if self._kind is None or not self._kind.includes(spec):
            self._forget()
            verdict = judge(spec.argv, spec.env, spec.cwd)
            self._kind = _Kind(spec, verdict.why)
            if verdict.why and verdict.told:
                self._tell(f"cold starts: {verdict.why}")
        kind = self._kind
        if kind.why_cold:
            return self._cold(ticket, spec), ""
        if kind.server and kind.server.call:
            try:
                pid = self._fork(kind, kind.server.call, ticket, spec)
            except (OSError, ValueError, SpawnError) as error:
                has_ended = isinstance(error, ConnectionError)
                self._tell(f"cold start: {'the server has ended' if has_ended else error}")
                self._end(kind.server)
                kind.server = None
            else:
                self._due = time.monotonic() + LATER
                return pid, "warm"
        self._app = self._cold(ticket, self._called(spec, "watch"))
        return self._app, ""

    def _cold(self, ticket: Ticket, spec: SpawnSpec) -> int:
        return self._children.spawn(ticket, spec, partial(self._entry.through, ticket))

    def _fork(self, kind: _Kind, call: socket.socket, ticket: Ticket, spec: SpawnSpec) -> int:
        """Has the server fork the app; returns the pid.

        Raises OSError or SpawnError if there is none. One that was forked all the same ends: it
        waits for a word that does not come.
        """
        mark = self._children.padded_mark(ticket, spec.env)
        env = [f"{name}={value}" for name, value in self._children.marked(ticket, spec.env).items()]
        with contextlib.ExitStack() as stack:
            go, theirs = wire.pair()
            stack.callback(go.close)
            stack.callback(theirs.close)
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            stack.callback(os.close, null)
            notes = os.memfd_create("reloader-imports", os.MFD_CLOEXEC)
            kept = stack.enter_context(contextlib.ExitStack())
            kept.callback(os.close, notes)
            stdio = [null if number < 0 else number for number in spec.stdio]
            words = ("start", mark, spec.cwd, str(len(env)), *env)
            wire.send(call, words, [*stdio, theirs.fileno(), notes])
            answer = self._answer(call)
            if answer[0] != "started":
                raise OSError(f"{answer[-1]} has changed" if answer[1:] else "not understood")
            pid = int(answer[1])
            self._children.adopt(ticket, pid)
            go.settimeout(ANSWER)
            if self._entry.file:
                self._entry.meet(ticket, go)
            go.send(b"g")
            kept.pop_all()
        kind.learn(notes)
        return pid

    @staticmethod
    def _answer(call: socket.socket) -> list[str]:
        """Waits for one message. Raises OSError if none comes in time."""
        if not select.select([call], [], [], ANSWER)[0]:
            raise TimeoutError(f"the server has not answered in {ANSWER:g} s")
        words, _ = wire.receive(call)
        if not words:
            raise ConnectionError
        return words

    def _called(self, spec: SpawnSpec, what: str) -> SpawnSpec:
        """Returns the same with a way to call."""
        path = spec.env.get("PYTHONPATH", "")
        path = f"{SITE}{os.pathsep}{path}" if path else SITE
        env = {**spec.env, "RELOADER_WARM": f"{what},{self._name}", "PYTHONPATH": path}
        return replace(spec, env=env)

    # --- hearing -------------------------------------------------------------------------------

    def fileno(self) -> int:
        return self._epoll.fileno()

    def deadline(self) -> Seconds | None:
        return self._due

    def read(self) -> Iterator[Fact]:
        """Takes calls, hears what is said, and sees to the server when it is time."""
        for descriptor, _ in self._epoll.poll(0):
            if descriptor == self._listener.fileno():
                self._take_call()
            elif descriptor in self._calls:
                self._hear(self._calls[descriptor])
        if self._due is not None and time.monotonic() >= self._due:
            self._due = None
            self._see_to_server()
        news, self._news = self._news, []
        yield from news

    def close(self) -> None:
        """Ends the servers; apps live on."""
        self._forget()
        for call in tuple(self._calls.values()):
            self._hang_up(call)
        self._epoll.close()
        self._listener.close()

    def _take_call(self) -> None:
        with contextlib.suppress(OSError):
            call, _ = self._listener.accept()
            credentials = call.getsockopt(socket.SOL_SOCKET, _SO_PEERCRED, 12)
            _, user, _ = struct.unpack("3i", credentials)
            if user != os.getuid():
                call.close()
                return
            self._calls[call.fileno()] = call
            self._epoll.register(call, select.EPOLLIN)

    def _hear(self, call: socket.socket) -> None:
        try:
            words, descriptors = wire.receive(call)
        except OSError:
            words, descriptors = [], []
        if (kind := self._kind) and words:
            self._take(kind, call, words, descriptors)
        else:
            self._lost(call)
        for descriptor in descriptors:
            os.close(descriptor)

    def _take(
        self, kind: _Kind, call: socket.socket, words: list[str], descriptors: list[int]
    ) -> None:
        """Takes a message of an app or a server; keeps a descriptor by taking it out."""
        it = kind.successor
        match words:
            case ["app", pid, *_] if pid == str(self._app) and descriptors:
                kind.learn(descriptors.pop())
                self._due = time.monotonic() + LATER
            case ["server", pid] if it and pid == str(it.pid):
                it.call = call
                with contextlib.suppress(OSError):
                    wire.send(call, ("import", self._entry.file, *kind.without), [kind.notes])
            case ["ready", modules, memory] if it and it.call is call:
                self._replace(kind, it, f"{modules} modules are ready ({int(memory) / 1e6:.0f} MB)")
            case ["refused", why, culprit] if it and it.call is call:
                self._refused(kind, why, culprit)
            case ["missing", count] if count != "0":
                self._make(kind)

    def _hang_up(self, call: socket.socket) -> None:
        self._calls.pop(call.fileno(), None)
        with contextlib.suppress(OSError):
            self._epoll.unregister(call)
        call.close()

    def _lost(self, call: socket.socket) -> None:
        """The other side has ended: an app that has said its word, or a server."""
        self._hang_up(call)
        kind = self._kind
        if kind and kind.server and kind.server.call is call:
            self._tell("the server of warm starts has ended")
            kind.server = None
            self._due = time.monotonic() + LATER
        elif kind and kind.successor and kind.successor.call is call:
            kind.successor = None

    # --- servers -------------------------------------------------------------------------------

    def _see_to_server(self) -> None:
        """Makes one if there is none, and asks the one there is if it lacks something."""
        kind = self._kind
        if kind is None or kind.notes < 0 or kind.why_cold:
            return
        if why := _started_anew(kind.notes):
            kind.anew += 1
            kind.why_cold = why if kind.anew > MOST_ANEW else ""
            self._tell(f"cold start: {why}")
            self._end(kind.server)
            kind.server = None
        elif kind.server is None:
            self._make(kind)
        elif kind.server.call:
            with contextlib.suppress(OSError):
                wire.send(kind.server.call, ("missing", *kind.without), [kind.notes])

    def _make(self, kind: _Kind) -> None:
        """Starts a server; it calls, is told what to import, and says when that is done."""
        if kind.successor:
            return
        try:
            pid = self._children.spawn_helper(self._called(kind.spec, "serve"))
        except SpawnError as error:
            kind.why_cold = error.why
            self._tell(f"cold starts: {error.why}")
        else:
            kind.successor = _Server(pid)

    def _replace(self, kind: _Kind, server: _Server, text: str) -> None:
        self._end(kind.server)
        kind.server, kind.successor = server, None
        lacking = (f"without {name}: {why}" for name, why in kind.without.items())
        self._tell("; ".join((f"warm starts: {text}", *lacking)))

    def _refused(self, kind: _Kind, why: str, culprit: str) -> None:
        """Makes a server that failed again, without the one module that was to blame."""
        kind.successor = None
        if not culprit or culprit in kind.without or len(kind.without) >= MOST_CULPRITS:
            kind.why_cold = f"{culprit} {why}".strip()
            self._tell(f"cold starts: {kind.why_cold}")
            return
        kind.without[culprit] = why
        self._make(kind)

    def _end(self, server: _Server | None) -> None:
        if server:
            if server.call:
                self._hang_up(server.call)
            self._children.end_helper(server.pid)

    def _forget(self) -> None:
        """Another kind of app starts: nothing of what was learned holds."""
        if kind := self._kind:
            self._end(kind.server)
            self._end(kind.successor)
            if kind.notes >= 0:
                os.close(kind.notes)
        self._kind = self._due = None

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._news.append(Noticed(Informed(text)))


def _started_anew(notes: int) -> str:
    """Returns why the app that has written these went on as a cold start; "": it did not."""
    for line in os.pread(notes, wire.MOST, 0).decode("utf-8", "replace").splitlines():
        if line.startswith("x "):
            return line[2:]
    return ""
