"""The address at which a run can be asked how things stand; taken once, it is a lock as well.

An abstract Unix socket (unix(7)): it needs no writable folder, leaves nothing behind when its owner
is killed, and in a container any user can reach it. Linux only. Nothing can be done through it.
"""

from __future__ import annotations

import os
import socket
import struct
import zlib
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from reloader.control.status import Status
from reloader.errors import ConfigError, Problem, TakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reloader.core.facts import Fact

_WAIT = 0.3  # seconds for an answer; the main loop is never busy for that long
_MOST = 65_536  # bytes of an answer


class StatusSocket:
    """A `Source` without facts: it listens, and answers with the status."""

    def __init__(self, key: str) -> None:
        """`key`: what makes this run unique.

        Raises TakenError; ConfigError if this run has the same one already; OSError where there
        is no such socket to be had.
        """
        self.status: Callable[[], Status] | None = None  # None until the app has a state
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        data = os.fsencode(key)
        address = f"{_prefix()}{zlib.crc32(data):08x}{zlib.adler32(data):08x}"
        try:
            self._socket.bind("\0" + address)
        except OSError:
            self._socket.close()
            _raise_if_ours(address)
            raise
        self._socket.listen(16)

    def fileno(self) -> int:
        return self._socket.fileno()

    def deadline(self) -> None:
        """Returns None: only the descriptor tells."""

    def read(self) -> Iterable[Fact]:
        """Answer who asks; it is a few hundred bytes, which a fresh socket always takes."""
        import json

        with suppress(OSError):
            client, _ = self._socket.accept()
            with client:
                client.setblocking(False)
                if self.status is not None:
                    client.send(json.dumps(asdict(self.status())).encode())
        return ()

    def close(self) -> None:
        self._socket.close()


def ask() -> list[Status]:
    """The status of each run that shares our files, in whatever user's name."""
    found = []
    with suppress(OSError), open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        prefix = f"@{_prefix()}"
        addresses = {line.split()[-1] for line in table if prefix in line}
        for address in sorted(addresses):
            with suppress(OSError, ValueError, TypeError):
                found.append(_status_at(address[1:]))
    return found


def _status_at(address: str) -> Status:
    import json

    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_WAIT)
        client.connect("\0" + address)
        data = b""
        while len(data) < _MOST and (more := client.recv(_MOST)):
            data += more
    return Status(**json.loads(data))


def _raise_if_ours(address: str) -> None:
    """Another user's socket of this name is no lock: only chance or malice put it there."""
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(_WAIT)
        client.connect("\0" + address)
        credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        pid, user, _ = struct.unpack("3i", credentials)
        if pid == os.getpid():
            text = "expected a different app of each config, found the same one twice"
            raise ConfigError(Problem(text, "-c", hint="name each file once"))
        if user == os.getuid():
            text = f"another reloader runs this app already: pid {pid}"
            raise TakenError(Problem(text, hint=f"kill {pid} ends it"))


def _prefix() -> str:
    """Containers may share a network and so these names, but never their mounts."""
    return f"reloader/{os.stat('/proc/self/ns/mnt').st_ino}/"
