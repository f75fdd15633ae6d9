"""The address at which a run can be asked how things stand; taken once, it is a lock as well.

An abstract Unix socket (unix(7)): it needs no writable directory and leaves nothing behind when its
owner is killed. Linux only. Nothing can be done through it, and only the user's own processes and
root's are answered and believed (`peer`).

The name says whose run it is, so that it can be asked by name: the mount namespace, the directory
in which reloader was started, the root, and what is run. Anybody may bind it first; then the run
takes another name, and the user is told.
"""

from __future__ import annotations

import errno
import os
import socket
import time
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from reloader import files
from reloader.control.peer import Peer, peer_of
from reloader.control.status import Status, typed
from reloader.errors import ConfigError, Problem, TakenError
from reloader.light import asdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds

_PATIENCE: Seconds = 0.5  # for an answer as a whole; the main loop is never busy for that long
_ALL: Seconds = 1.5  # for the names that have no room for a caller
_MOST = 65_536  # bytes of an answer
_TABLE = 1 << 24  # bytes of /proc/net/unix: 100,000 sockets
_BACKLOG = 16  # connections that wait; more are refused by the kernel


class StatusSocket:
    """A `Source` without facts: it listens, and answers with the status.

    `warning`: why another name had to be taken; "" if all is well.
    """

    def __init__(self, started_in: str, root: str, key: str) -> None:
        """Takes the address; `key` is what makes this run unique.

        Raises TakenError if another run has it; ConfigError if this run has it already; OSError
        where there is no such socket to be had.
        """
        self.status: Callable[[], Status] | None = None  # None until the app has a state
        self.warning = ""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        name = f"{_prefix()}{_hash(started_in)}.{_hash(root)}/{_hash(key)}"
        try:
            strangers = list(_strangers(name))
            if strangers:
                self.warning = _squatted(strangers[0])
                name += f"/{os.urandom(4).hex()}"
            self._socket.bind("\0" + name)
            self._socket.listen(_BACKLOG)
        except BaseException:
            self._socket.close()
            raise

    def fileno(self) -> int:
        return self._socket.fileno()

    def deadline(self) -> Seconds | None:
        return None

    def read(self) -> Iterable[Fact]:
        """Answers who may ask; it is a few hundred bytes, which a fresh socket always takes."""
        import json

        with suppress(OSError):
            client, _ = self._socket.accept()
            with client:
                client.setblocking(False)
                if self.status is not None and peer_of(client).may_ask:
                    client.send(json.dumps(asdict(self.status())).encode())
        return ()

    def close(self) -> None:
        self._socket.close()


class Answer(NamedTuple):
    """The answer of one run: its status, or why there is none.

    `believed`: it comes from the user's own process, or root's.
    """

    status: Status | None
    trouble: str = ""
    believed: bool = True


def ask(directory: str) -> list[Answer]:
    """Returns the answers of the runs of `directory`: started in it, or with it in their root.

    If there is none, that of PID 1: a container's reloader answers wherever it is asked.
    Others may have bound such a name: their answers count only if there is no better one.
    """
    above = [directory]
    while above[-1] != os.path.dirname(above[-1]):
        above.append(os.path.dirname(above[-1]))
    started, roots = _hash(directory), {_hash(path) for path in above}
    prefix = _prefix()
    here: list[str] = []
    others: list[str] = []
    for name in _names(prefix):
        start, _, root = name.removeprefix(prefix).partition("/")[0].partition(".")
        (here if start == started or root in roots else others).append(name)
    answers = list(_answers(here))
    believed = [answer for answer in answers if answer.believed]
    return believed or list(_answers(others, pid=1)) or answers


def _answers(names: Iterable[str], pid: int = 0) -> Iterator[Answer]:
    """Yields the answers, of all or of that `pid`.

    Whoever is busy is asked once more at the end, so nobody can hold the others up.
    """
    busy, ends = [], time.monotonic() + _ALL
    for name in names:
        with suppress(OSError), _client() as client:
            if client.connect_ex("\0" + name) == errno.EAGAIN:  # its backlog is full
                busy.append(name)
            elif not pid or peer_of(client).pid == pid:
                yield _answer(client)
    for name in () if pid else busy:
        with suppress(OSError), _client() as client:
            client.settimeout(max(0.0, min(_PATIENCE, ends - time.monotonic())))
            try:
                client.connect("\0" + name)
            except (TimeoutError, BlockingIOError):
                yield Answer(None, "it does not answer", believed=False)
            else:
                yield _answer(client)


def _answer(client: socket.socket) -> Answer:
    """Returns what the owner of a name says. Raises OSError if it has just gone."""
    peer = peer_of(client)
    if not peer.is_believed:
        text = f"a process of user {peer.uid} (pid {peer.pid}) answers in its place"
        return Answer(None, f"{text}; ask as that user, if it is reloader", believed=False)
    data, ends = b"", time.monotonic() + _PATIENCE
    while len(data) < _MOST and (left := ends - time.monotonic()) > 0:
        client.settimeout(left)
        try:
            more = client.recv(_MOST)
        except TimeoutError:
            break
        if not more:
            status = typed(data)
            return Answer(status, "" if status else f"pid {peer.pid} gives no status")
        data += more
    return Answer(None, f"pid {peer.pid} does not answer")


def _client() -> socket.socket:
    """Returns a socket that doesn't wait."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)


# --- names ---------------------------------------------------------------------------------------


def _strangers(name: str) -> Iterator[str]:
    """Yields who else holds a name, or one that begins with it.

    Raises TakenError, or ConfigError, if it is a run of the same app of the same user.
    """
    for other in _names(name):
        with suppress(ConnectionRefusedError), _client() as client:
            if other == name:  # a run of this app may be busy
                client.settimeout(_PATIENCE)
            try:
                client.connect("\0" + other)
                peer = peer_of(client)
            except (TimeoutError, BlockingIOError):
                peer = Peer(0, -1)
            if peer.pid == os.getpid():
                text = "expected a different app of each config, found the same one twice"
                raise ConfigError(Problem(text, "-c", hint="name each file once"))
            if peer.uid == os.getuid() and peer.pid:
                text = f"another reloader runs this app already: pid {peer.pid}"
                raise TakenError(Problem(text, hint=f"kill {peer.pid} ends it"))
            yield f"a process of user {peer.uid} (pid {peer.pid})" if peer.pid else "somebody"


def _squatted(stranger: str) -> str:
    return (
        f"{stranger} holds the name of this app's status socket: another one is used,"
        " and a second reloader of another user would not be noticed"
    )


def _names(prefix: str) -> list[str]:
    """Returns the names of abstract sockets that begin with `prefix`; each once."""
    found = set()
    with suppress(OSError):
        for line in files.head("/proc/net/unix", _TABLE).decode(errors="replace").split("\n"):
            name = line.rpartition(" ")[2]
            if name.startswith(f"@{prefix}"):
                found.add(name[1:])
    return sorted(found)


def _prefix() -> str:
    """Returns the begin of all names: containers may share a network, but never their mounts."""
    return f"reloader/{os.stat('/proc/self/ns/mnt').st_ino}/"


def _hash(text: str) -> str:
    data = os.fsencode(text)
    return f"{zlib.crc32(data):08x}{zlib.adler32(data):08x}"
