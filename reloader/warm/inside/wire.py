"""The messages between reloader and its processes in the app's interpreter.

Used on both sides, so standard library only, and as little of it as can be: `_socket` takes 1 ms
less than `socket`.
"""

from __future__ import annotations

import _socket
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal

_ORDER: Literal["little", "big"] = sys.byteorder
MOST = 1 << 20  # bytes in a message; an environment takes a tenth of it
MOST_DESCRIPTORS = 8


def pair() -> tuple[_socket.socket, _socket.socket]:
    """Returns two ends; what is sent into one comes out of the other in whole messages."""
    return _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)


def connect(name: str) -> _socket.socket:
    """Returns a connection to the reloader that listens under this name. Raises OSError."""
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    sock.connect(b"\0" + name.encode())
    return sock


def send(sock: _socket.socket, words: Iterable[str], descriptors: Sequence[int] = ()) -> None:
    """Sends one message. Raises OSError, also if the other side has ended or its queue is full."""
    data = b"\0".join(word.encode("utf-8", "surrogateescape") for word in words)
    packed = b"".join(number.to_bytes(4, _ORDER) for number in descriptors)
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)] if descriptors else []
    sock.sendmsg([data], rights, _socket.MSG_NOSIGNAL)


def receive(sock: _socket.socket) -> tuple[list[str], list[int]]:
    """Returns the words of one message and its descriptors; no words: the other side has ended."""
    flags = _socket.MSG_CMSG_CLOEXEC
    data, asides, _, _ = sock.recvmsg(MOST, _socket.CMSG_SPACE(4 * MOST_DESCRIPTORS), flags)
    numbers = []
    for _, _, packed in asides:
        places = range(0, len(packed) - len(packed) % 4, 4)
        numbers += [int.from_bytes(packed[at : at + 4], _ORDER) for at in places]
    return (data.decode("utf-8", "surrogateescape").split("\0") if data else []), numbers
