"""WebSocket frames of the event channel, RFC 6455, the server's side. Pure.

Tabs only listen: what they send is read so that their end is noticed, and thrown away.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reloader.proxy.wire import Request

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3
_TEXT, _CLOSE, _PING, _PONG = 1, 8, 9, 10
MOST_PAYLOAD = 4096  # bytes that a tab may send at once


class BadFrameError(Exception):
    """The tab does not speak the protocol."""


def handshake(request: Request) -> bytes:
    """Returns the response that accepts the request; b"" if it is no WebSocket handshake."""
    key = request.values.get(b"sec-websocket-key", b"")
    version = request.values.get(b"sec-websocket-version")
    if request.upgrade.lower() != b"websocket" or version != b"13" or len(key) != 24:
        return b""
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())  # noqa: S324 -- as RFC 6455 has it
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def text_frame(text: bytes) -> bytes:
    """Returns the text (UTF-8) as one frame."""
    return _frame(_TEXT, text)


def _frame(kind: int, data: bytes) -> bytes:
    size = len(data)
    if size < 126:
        length = bytes((size,))
    elif size < 65536:
        length = b"\x7e" + size.to_bytes(2, "big")
    else:
        length = b"\x7f" + size.to_bytes(8, "big")
    return bytes((0x80 | kind,)) + length + data


class Reader:
    """Reads what a tab sends."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """Returns (the answer to it, True if the tab closes); raises BadFrameError."""
        self._data += data
        answer = b""
        while len(self._data) >= 2:
            kind, length = self._data[0] & 15, self._data[1] & 127
            at = 2
            if length == 126:
                length, at = int.from_bytes(self._data[2:4], "big"), 4
            if length > MOST_PAYLOAD or not self._data[1] & 128:
                raise BadFrameError
            end = at + 4 + length
            if len(self._data) < end:
                break
            mask, payload = self._data[at : at + 4], self._data[at + 4 : end]
            self._data = self._data[end:]
            plain = bytes(byte ^ mask[n % 4] for n, byte in enumerate(payload))
            if kind == _PING:
                answer += _frame(_PONG, plain)
            elif kind == _CLOSE:
                return answer + _frame(_CLOSE, plain[:2]), True
        return answer, False
