"""Asks the kernel about TCP sockets, by netlink (sock_diag; Linux).

/proc/net/tcp says the same and takes a hundred times as long where a load test has left thousands
of connections in TIME_WAIT: here the kernel filters by state, and writes out what is asked for.
Layouts and numbers: Linux's include/uapi/linux/inet_diag.h, sock_diag.h, netlink.h, tcp.h.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOCK_DIAG = 4  # protocol of netlink
_BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
_REQUEST_DUMP = 0x301
_DONE, _ERROR = 3, 2  # types of netlink messages
_TCP = 6
_ESTABLISHED, _CLOSE_WAIT, _LISTEN = 1 << 1, 1 << 8, 1 << 10  # bits of the state
_INFO = 2  # INET_DIAG_INFO: struct tcp_info; asked for as a bit
_DATA_SENT, _DATA_RECEIVED = 9, 11  # places of 32-bit words in it, after its first 8 bytes
_HEAD = struct.Struct("=IHHII")  # struct nlmsghdr
_PATIENCE = 1.0  # seconds; the kernel answers at once


class Listening(NamedTuple):
    """A socket that listens."""

    inode: int
    port: int
    waiting: int  # connections that nobody has accepted yet


class Connection(NamedTuple):
    """An accepted connection."""

    inode: int
    port: int  # on this side
    unread: int  # bytes that came and nobody has read
    unsent: int  # bytes on their way, or not acknowledged
    sent_ago: int  # ms since the last byte went out
    received_ago: int  # ms since the last byte came in

    @property
    def is_busy(self) -> bool:
        """Returns True while a request is under way: what came last has not been answered.

        False for a finished request, an idle keep-alive, a stream of events, a quiet websocket.
        """
        return bool(self.unread or self.unsent) or self.received_ago <= self.sent_ago


def listening() -> list[Listening]:
    """Returns every TCP socket that listens in this network namespace. Raises OSError."""
    return [Listening(inode, port, unread) for port, unread, _, inode, _ in _dump(_LISTEN) if inode]


def connections(ports: frozenset[int]) -> list[Connection]:
    """Returns the accepted connections to these ports of this machine. Raises OSError."""
    found = []
    for port, unread, unsent, inode, info in _dump(_ESTABLISHED | _CLOSE_WAIT):
        if port in ports and inode and len(info) >= 60:
            words = struct.unpack_from("=13I", info, 8)
            found.append(
                Connection(inode, port, unread, unsent, words[_DATA_SENT], words[_DATA_RECEIVED])
            )
    return found


def _dump(states: int) -> Iterator[tuple[int, int, int, int, bytes]]:
    """Yields (own port, receive queue, send queue, inode, tcp_info) of each socket."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as link:
        link.settimeout(_PATIENCE)
        for family in (socket.AF_INET, socket.AF_INET6):
            ask = struct.pack("=BBBBI", family, _TCP, 1 << (_INFO - 1), 0, states) + bytes(48)
            link.send(_HEAD.pack(_HEAD.size + len(ask), _BY_FAMILY, _REQUEST_DUMP, 1, 0) + ask)
            yield from _messages(link)


def _messages(link: socket.socket) -> Iterator[tuple[int, int, int, int, bytes]]:
    while True:
        data = link.recv(1 << 18)
        at = 0
        while at + _HEAD.size <= len(data):
            length, kind, *_ = _HEAD.unpack_from(data, at)
            if kind == _DONE:
                return
            if kind == _ERROR:
                number = -struct.unpack_from("=i", data, at + _HEAD.size)[0]
                raise OSError(number, "sock_diag")
            body = data[at + _HEAD.size : at + length]
            (port,) = struct.unpack_from("!H", body, 4)
            unread, unsent, _, inode = struct.unpack_from("=IIII", body, 56)
            yield port, unread, unsent, inode, _attribute(body, _INFO)
            at += (length + 3) & ~3


def _attribute(body: bytes, wanted: int) -> bytes:
    at = 72  # struct inet_diag_msg
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if length < 4:
            break
        if kind == wanted:
            return body[at + 4 : at + length]
        at += (length + 3) & ~3
    return b""
