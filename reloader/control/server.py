"""The control socket: answers the user's own processes, and root's, without ever waiting for one.

A Unix socket in a private folder (`place`). All of it is a source of the main loop; what a caller
does not read waits here, and a caller that reads nothing at all is dropped.
"""

from __future__ import annotations

import os
import selectors
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reloader.control import place
from reloader.control.peer import peer_of
from reloader.control.wire import LONGEST_ASK, line_of, read_ask

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reloader.control.wire import Ask
    from reloader.core.facts import Fact
    from reloader.core.values import Seconds

MOST_CALLERS = 64
PATIENCE: Seconds = 5.0  # for the request of a caller, and for a caller that has its answer
_MOST_WAITING = 1 << 22  # bytes that a caller has not read yet
_AT_ONCE = 16_384  # bytes of one read or write
_BACKLOG = 64


class Caller:
    """A process that has asked; it is answered by `say`, and `end` closes when all is read."""

    def __init__(self, connected: socket.socket, now: Seconds) -> None:
        self.socket = connected
        self.asked = b""  # as far as it has come
        self.has_asked = False
        self.waiting = bytearray()
        self.ends = False
        self.is_gone = False
        self.due: Seconds | None = now + PATIENCE
        self.late: Callable[[], None] | None = None  # called when it is due; None: it is dropped

    def say(self, record: dict[str, Any]) -> None:
        """Answers with one line; a caller that does not read is dropped."""
        if len(self.waiting) > _MOST_WAITING:
            self.is_gone = True
        if not self.is_gone:
            self.waiting += line_of(record)

    def end(self) -> None:
        """Closes when the caller has read all of its answer."""
        self.ends = True
        self.due, self.late = time.monotonic() + PATIENCE, None


class ControlServer:
    """A `Source` without facts. `handle(ask, caller)` answers, now or later."""

    def __init__(
        self,
        environ: Mapping[str, str],
        started_in: str,
        roots: Sequence[str],
        handle: Callable[[Ask, Caller], None],
    ) -> None:
        """Raises OSError where there is no place for the socket."""
        self._handle = handle
        self._selector = selectors.DefaultSelector()
        self._callers: dict[int, Caller] = {}
        self._listeners: dict[str, socket.socket] = {}  # by path
        self._folder = place.make(environ)
        _remove_stale(self._folder)
        self._started = place.digest(started_in)
        self._run = os.urandom(4).hex()
        try:
            self.cover(roots)
        except BaseException:
            self.close()
            raise

    def cover(self, roots: Sequence[str]) -> None:
        """Has the run found from each of these roots, and from no other one any more.

        It is found from the directory it was started in by any of them. Raises OSError.
        """
        names = (place.Name(self._started, place.digest(root), self._run) for root in roots)
        paths = {f"{self._folder}/{name}": None for name in names}
        for path in paths:
            if path not in self._listeners:
                self._listen(path)
        for path in self._listeners.keys() - paths.keys():
            self._leave(path)

    def _listen(self, path: str) -> None:
        """Takes a name only when it listens: a name without a listener is a dead run's."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.setblocking(False)
            listener.bind(f"{path}.new")
            os.chmod(f"{path}.new", 0o600)
            listener.listen(_BACKLOG)
            os.rename(f"{path}.new", path)
        except BaseException:
            listener.close()
            raise
        self._listeners[path] = listener
        self._selector.register(listener, selectors.EVENT_READ)

    def _leave(self, path: str) -> None:
        with suppress(OSError):
            os.unlink(path)
        listener = self._listeners.pop(path)
        self._selector.unregister(listener)
        listener.close()

    # --- a source of the inbox -------------------------------------------------------------------

    def fileno(self) -> int:
        return self._selector.fileno()

    def deadline(self) -> Seconds | None:
        return min((c.due for c in self._callers.values() if c.due is not None), default=None)

    def read(self) -> Iterable[Fact]:
        """Goes on with every caller that is ready; a read takes no longer than they are many."""
        for key, events in self._selector.select(0):
            if key.data is None:
                self._accept(key.fileobj)  # type: ignore[arg-type]
            elif events & selectors.EVENT_READ:
                self._hear(key.data)
        now = time.monotonic()
        for caller in list(self._callers.values()):
            if caller.due is not None and now >= caller.due:
                caller.due, late = None, caller.late
                if late is None:
                    caller.is_gone = True
                else:
                    late()
        self.flush()
        return ()

    def flush(self) -> None:
        """Hands on what is to be said; called when answers may have come from elsewhere."""
        for caller in list(self._callers.values()):
            self._write(caller)
            if caller.is_gone or (caller.ends and not caller.waiting):
                self._drop(caller)

    def close(self) -> None:
        for path in list(self._listeners):
            self._leave(path)
        for caller in list(self._callers.values()):
            self._write(caller)
            self._drop(caller)
        self._selector.close()

    # --- callers ---------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            connected, _ = listener.accept()
            connected.setblocking(False)
            caller = Caller(connected, time.monotonic())
            if not peer_of(connected).may_order:
                connected.close()
                return
            self._callers[connected.fileno()] = caller
            self._selector.register(connected, selectors.EVENT_READ, caller)
            if len(self._callers) > MOST_CALLERS:
                caller.say({"error": f"{MOST_CALLERS} callers are being answered already"})
                caller.end()

    def _hear(self, caller: Caller) -> None:
        try:
            data = caller.socket.recv(_AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            caller.is_gone = True
            return
        if caller.has_asked:  # one request a connection
            return
        caller.asked += data
        line, newline, _ = caller.asked.partition(b"\n")
        if not newline and len(caller.asked) <= LONGEST_ASK:
            return
        caller.has_asked, caller.due = True, None
        try:
            if len(line) > LONGEST_ASK:
                raise ValueError(f"expected at most {LONGEST_ASK} bytes")  # noqa: TRY301
            self._handle(read_ask(line), caller)
        except ValueError as error:
            caller.say({"error": str(error)})
            caller.end()

    def _write(self, caller: Caller) -> None:
        with suppress(BlockingIOError):
            while caller.waiting and not caller.is_gone:
                try:
                    sent = caller.socket.send(caller.waiting[:_AT_ONCE])
                except BlockingIOError:
                    raise
                except OSError:
                    caller.is_gone = True
                    return
                del caller.waiting[:sent]
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if caller.waiting else 0)
        if not caller.is_gone and self._selector.get_key(caller.socket).events != wanted:
            self._selector.modify(caller.socket, wanted, caller)

    def _drop(self, caller: Caller) -> None:
        caller.is_gone = True
        self._callers.pop(caller.socket.fileno(), None)
        with suppress(KeyError, ValueError):
            self._selector.unregister(caller.socket)
        caller.socket.close()


def _remove_stale(folder: str) -> None:
    """Removes the sockets of runs that are dead: nobody listens there any more."""
    for text in os.listdir(folder):
        if not text.removesuffix(".new").endswith(place.SUFFIX):
            continue
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.setblocking(False)
            try:
                client.connect(f"{folder}/{text}")
            except ConnectionRefusedError:
                if not text.endswith(".new"):  # it may begin to listen in a moment
                    os.unlink(f"{folder}/{text}")
