"""The listening sockets of one address, one for each start of the app that has one.

They are an SO_REUSEPORT group: several sockets listen on the same address, and a classic BPF
program of one instruction says which of them gets a new connection. The kernel numbers them in the
order in which they began to listen; when one is closed, the last takes its number. A number that is
out of range lets the kernel choose, which is harmless when one is left.
(Linux, net/core/sock_reuseport.c.)
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.sockets import diag

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.sockets.address import Address

_SO_ATTACH_REUSEPORT_CBPF = 51
_LOAD, _IS_EQUAL, _RETURN = 0x20, 0x15, 0x06  # BPF_LD | BPF_W | BPF_ABS, BPF_JEQ, BPF_RET
_IP_HEADER = 0xFFF00000  # SKF_NET_OFF
_IP_SOURCE = 12  # offset of the source address in an IPv4 header
_LOOKS, _LOOK = 200, 0.001  # and seconds between two
_JOINS = 20
BACKLOG = 4096  # connections that wait; the kernel cuts it to net.core.somaxconn


def make(address: Address, *, beside: bool) -> socket.socket:
    """Returns a socket that is bound and may join a group. Raises OSError as the app's bind would.

    `beside`: other sockets of this user may have the address. Else a stranger who has it is an
    error, as it is for an app that binds it alone: so the option is set after the bind.
    """
    made = socket.socket(address.family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address.family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(address.v6only))
        if beside:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address.name)
        if not beside:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with suppress(OSError):  # what joins it later gets nothing until it is steered to
                attach(made, 0)
    except OSError:
        made.close()
        raise
    return made


def inode_of(held: socket.socket) -> int:
    """Returns the number that names a socket in /proc, whoever has a descriptor of it."""
    return os.fstat(held.fileno()).st_ino


def wait_closed(inodes: set[int]) -> None:
    """Waits until none of these sockets listens, but no longer than a process takes to end.

    Raises OSError where the kernel can't be asked.
    """
    _wait(inodes.isdisjoint)


def wait_listening(inode: int) -> bool:
    """Returns True once the socket listens, False if it does not within the time of a call.

    Raises OSError where the kernel can't be asked.
    """
    return _wait(lambda alive: inode in alive)


def _wait(wanted: Callable[[set[int]], bool]) -> bool:
    pause = threading.Event()
    for _ in range(_LOOKS):
        if wanted({found.inode for found in diag.listening()}):
            return True
        pause.wait(_LOOK)
    return False


class Group:
    """The order in which the sockets of one address began to listen, by their inodes."""

    def __init__(self) -> None:
        self._order: list[int] = []

    def joined(self, inode: int) -> None:
        """Notes that a socket has begun to listen."""
        if inode not in self._order:
            self._order.append(inode)

    def members(self) -> tuple[int, ...]:
        """Returns those that still listen. Raises OSError."""
        alive = {found.inode for found in diag.listening()}
        for inode in [known for known in self._order if known not in alive]:
            at = self._order.index(inode)
            last = self._order.pop()
            if last != inode:
                self._order[at] = last
        return tuple(self._order)

    def join(self, address: Address, *, beside: bool) -> socket.socket:
        """Returns a socket that listens, as the last of the group. Raises OSError.

        When another leaves at that very moment, nobody can tell which came first, and with it the
        numbers of all; so it is done again.
        """
        for _ in range(_JOINS):
            made = make(address, beside=beside)
            try:
                before = self.members()
                made.listen(BACKLOG)
                is_last = self.members() == before
            except OSError:
                made.close()
                raise
            if is_last:
                self.joined(inode_of(made))
                return made
            made.close()
        raise OSError(errno.EAGAIN, "others leave the group all the time")

    def steer(self, through: socket.socket, inode: int, probed: int = 0, source: str = "") -> None:
        """Sends new connections to one socket; `through`: any of the group. Raises OSError.

        Those that come from the IPv4 address `source` go to the socket `probed`.
        """
        members = self.members()

        def index(wanted: int) -> int:
            return members.index(wanted) if wanted in members else len(members)

        attach(through, index(inode), (source, index(probed)) if probed else None)


def attach(through: socket.socket, index: int, probe: tuple[str, int] | None = None) -> None:
    """Makes the socket with this number get all new connections. Raises OSError.

    `probe`: an IPv4 address, and the number of the socket that gets those from there.
    """
    steps = [(_RETURN, 0, 0, index)]
    if probe:
        source = int.from_bytes(socket.inet_aton(probe[0]), "big")
        steps = [
            (_LOAD, 0, 0, _IP_HEADER + _IP_SOURCE),
            (_IS_EQUAL, 0, 1, source),
            (_RETURN, 0, 0, probe[1]),
            *steps,
        ]
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(buffer))
    through.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, head)
