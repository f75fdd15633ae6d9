"""An app's ports, real servers that bind them, and clients."""

from __future__ import annotations

import os
import signal
import socket
import sys

from reloader.process.tree import ProcView
from reloader.sockets.hold import Hold
from reloader.sockets.ports import Ports
from tests.helpers.until import until

PYTHON = (sys.executable, "-IS")

# A server that says its name and pid to each client, and ends at SIGTERM at once.
SERVER = """
import os, socket, sys
name, *addresses = sys.argv[1:]
held = []
for address in addresses:
    host, port = address.rsplit(":", 1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.bind((host, int(port)))
    s.listen(16)
    held.append(s)
while True:
    c, _ = held[0].accept()
    c.sendall(name.encode())
    c.close()
"""


def holds(pids: list[int], inode: int) -> bool:
    """True if one of the processes has a descriptor of this socket."""
    for pid in pids:
        try:
            names = os.listdir(f"/proc/{pid}/fd")
        except OSError:
            continue
        for name in names:
            try:
                if os.readlink(f"/proc/{pid}/fd/{name}") == f"socket:[{inode}]":
                    return True
            except OSError:
                continue
    return False


class Rig:
    """Starts of one app."""

    def __init__(self) -> None:
        self.told: list[int] = []
        self.pids: dict[int, int] = {}
        self.ports = Ports(self.told.append, self.is_open)
        self.hold = Hold(self.ports, lambda: True)

    def is_open(self, start: int, inode: int) -> bool:
        pid = self.pids[start]
        return holds([pid, *(p.pid for p in ProcView().below(pid))], inode)

    def start(self, *argv: str, stdout: int = 2) -> int:
        """Start a command as the next start; its number."""
        number = len(self.pids) + 1
        actions = [(os.POSIX_SPAWN_DUP2, stdout, 1)]

        def run() -> int:
            environ = dict(os.environ)
            return os.posix_spawn(
                argv[0], argv, environ, file_actions=actions, setpgroup=0, setsigmask=()
            )

        self.pids[number] = self.hold.start(number, run)
        return number

    def python(self, code: str, *args: str, **how) -> int:
        return self.start(*PYTHON, "-c", code, *args, **how)

    def server(self, name: str, *addresses: str) -> int:
        """Start the server and wait until it listens everywhere."""
        number = self.python(SERVER, name, *addresses)
        self.listening(number, len(addresses))
        return number

    def listening(self, number: int, addresses: int = 1) -> None:
        until(lambda: self.told.count(number) >= addresses)
        until(lambda: all(accepts(place.inode) for place in self.ports.served(number)))

    def stop(self, number: int, by: int = signal.SIGTERM) -> int:
        """End it and wait for it; its exit status."""
        pid = self.pids[number]
        os.killpg(pid, by)
        _, status = os.waitpid(pid, 0)
        self.ports.forget(number)
        self.pids[number] = 0
        return status

    def wait(self, number: int) -> int:
        """Wait for its own end; its exit code."""
        _, status = os.waitpid(self.pids[number], 0)
        self.ports.forget(number)
        self.pids[number] = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        for number, pid in self.pids.items():
            if pid:
                self.stop(number, signal.SIGKILL)
        self.ports.close()


def accepts(inode: int) -> bool:
    from reloader.sockets import diag

    return any(found.inode == inode for found in diag.listening())


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def ask(port: int, source: str = "") -> str:
    """What the server says to a new client, that comes from this address."""
    own = (source, 0) if source else None
    with socket.create_connection(("127.0.0.1", port), 10, own) as it:
        return it.recv(100).decode()


def refused(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), 5).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # it was closed at that very moment
        return False
    return False
