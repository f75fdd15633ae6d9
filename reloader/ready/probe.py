"""The ways to find out whether a generation of the app can answer, beyond waiting for connections.

Each is one look, made by a thread that may be held up for as long as a look may take.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import struct
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

LOOK = 1.0  # seconds that one look may take
_SHELL = "/bin/sh"
_EXEC = "exec:"
_NOTIFY = "notify"
_CREDENTIALS = struct.Struct("=iII")  # struct ucred: pid, uid, gid


class Way(Enum):
    """The ways to find out readiness."""

    ACCEPTS = auto()  # it waits for connections
    HTTP = auto()  # a path answers well
    COMMAND = auto()  # a command of the user's ends with 0
    NOTIFY = auto()  # it says so (sd_notify)


class Ready(NamedTuple):
    """The key `swap.ready`, understood."""

    way: Way = Way.ACCEPTS
    what: str = ""  # the path, or the command line

    @classmethod
    def of(cls, text: str) -> Ready:
        """Reads "", "/health", "exec: CMD" or "notify". Raises ValueError for anything else."""
        if not text:
            return cls()
        if text.startswith("/"):
            return cls(Way.HTTP, text)
        if text.startswith(_EXEC) and text[len(_EXEC) :].strip():
            return cls(Way.COMMAND, text[len(_EXEC) :].strip())
        if text == _NOTIFY:
            return cls(Way.NOTIFY)
        raise ValueError('"", a path like "/health", "exec: COMMAND" or "notify"')


def answers(host: str, port: int, path: str, source: str = "") -> bool:
    """Returns True if a GET of the path gives a status from 200 to 399.

    `source`: the address that the request comes from; "": the system's choice.
    """
    name = f"[{host}]" if ":" in host else host
    ask = f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\nUser-Agent: reloader\r\n"
    try:
        with socket.create_connection((host, port), LOOK, (source, 0) if source else None) as it:
            it.sendall(f"{ask}Connection: close\r\n\r\n".encode())
            words = it.recv(4096).split(b" ", 2)
    except OSError:
        return False
    return len(words) > 1 and words[0].startswith(b"HTTP/") and words[1][:1] in b"23"


def succeeds(command: str, env: Mapping[str, str], cwd: str) -> bool:
    """Returns True if a command line ends with 0 in time; a later one is killed, with its group.

    Its end is read from a pipe: the main thread collects every process, and with it the status.
    """
    said = says = null = -1
    line = f'cd "$1" && ( {command}\n) 3>&- && echo >&3'
    try:
        said, says = os.pipe()
        null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        pid = os.posix_spawn(
            _SHELL,
            (_SHELL, "-c", line, _SHELL, cwd),
            env,
            file_actions=[(os.POSIX_SPAWN_DUP2, null, n) for n in range(3)]
            + [(os.POSIX_SPAWN_DUP2, says, 3)],
            setpgroup=0,
            setsigmask=(),
        )
        os.close(says)
        says = -1
        if select.select([said], [], [], LOOK)[0]:
            return bool(os.read(said, 1))
        with suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass
    finally:
        for descriptor in (said, says, null):
            if descriptor >= 0:
                os.close(descriptor)
    return False


class Notices:
    """The socket that a program tells its state to, as it would tell systemd (sd_notify)."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind("")  # the kernel chooses an abstract name
        self._socket.setblocking(False)
        self._said: set[int] = set()

    @property
    def name(self) -> str:
        """Returns the value of NOTIFY_SOCKET."""
        name = self._socket.getsockname()
        return "@" + os.fsdecode(name[1:] if isinstance(name, bytes) else name.encode()[1:])

    def ready(self) -> set[int]:
        """Returns the pids that have said READY=1 since `forget`; some may have ended."""
        while True:
            try:
                text, extra, *_ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
            except OSError:
                return self._said
            if b"READY=1" in text.split(b"\n"):
                self._said |= {_CREDENTIALS.unpack_from(data)[0] for _, _, data in extra}

    def forget(self) -> None:
        """Drops all that was said: another generation begins."""
        self.ready()
        self._said = set()

    def close(self) -> None:
        self._socket.close()
