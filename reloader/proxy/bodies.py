"""Bodies of HTTP/1.x: where they end.

`feed` gives the part of the data that belongs to the body, checked, and what comes after the body,
which is None while more of it is to come. Bytes pass as they stand on the wire, so a chunked body
is never framed anew; `unframed=True` gives what is in the chunks instead. Pure.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from reloader.proxy.wire import Framing, MalformedError

if TYPE_CHECKING:
    from reloader.proxy.wire import Request, Response

Fed = tuple[bytes, "bytes | None"]

_CRLF = b"\r\n"
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_SIZE = re.compile(
    rb"([0-9a-fA-F]{1,15})(?:;" + _TOKEN + rb"(?:=(?:" + _TOKEN + rb'|"[\x20\x21\x23-\x7e]*"))?)*\Z'
)
_TRAILER = re.compile(rb"(" + _TOKEN + rb"):[\t\x20-\x7e\x80-\xff]*\Z")
# Fields that would say another length after the fact, RFC 9110 section 6.5.1.
_NO_TRAILERS = (b"transfer-encoding", b"content-length", b"host")
_MOST_SIZE_LINE = 256  # bytes; a size has at most 15 digits, the rest is extensions
_MOST_TRAILER = 8192  # bytes of one trailer field


class Body(Protocol):
    """The rest of a message, piece by piece."""

    @property
    def is_over(self) -> bool:
        """True if nothing more of it comes."""

    def feed(self, data: bytes) -> Fed:
        """Returns (part of the body, what comes after it or None); raises MalformedError."""


class Counted:
    """As many bytes as Content-Length says."""

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def is_over(self) -> bool:
        return self._left == 0

    def feed(self, data: bytes) -> Fed:
        size = len(data)
        if size < self._left:
            self._left -= size
            return data, None
        end, self._left = self._left, 0
        return (data, b"") if size == end else (data[:end], data[end:])


class UntilClose:
    """All that comes before the end of the connection."""

    is_over = False

    def feed(self, data: bytes) -> Fed:
        return data, None


class _Next(Enum):
    """The part of a chunked body that comes next."""

    SIZE = "the line with a chunk's size"
    DATA = "a chunk's data"
    END = "the line end after a chunk"
    TRAILER = "trailer fields and the empty line"
    NOTHING = "nothing, it is over"


class Chunked:
    """Chunks, and trailer fields; with `unframed` only the data in the chunks is given."""

    def __init__(self, *, unframed: bool = False) -> None:
        self._unframed = unframed
        self._next = _Next.SIZE
        self._left = 0  # of this chunk's data
        self._held = b""  # the begin of a line whose end is still to come

    @property
    def is_over(self) -> bool:
        return self._next is _Next.NOTHING

    def feed(self, data: bytes) -> Fed:
        if self._held:
            data, self._held = self._held + data, b""
        at = 0
        pieces: list[bytes] = []
        while self._next is not _Next.NOTHING:
            if self._next is _Next.DATA:
                end = min(at + self._left, len(data))
                if self._unframed:
                    pieces.append(data[at:end])
                self._left -= end - at
                at = end
                if self._left:
                    break
                self._next = _Next.END
            start = at
            at = self._line(data, at)
            if at == start:
                self._held = data[at:]
                break
        part = b"".join(pieces) if self._unframed else data[:at]
        return part, (data[at:] if self.is_over else None)

    def _line(self, data: bytes, at: int) -> int:
        """Takes the line that begins at `at`; returns where the next begins, `at` if it is cut."""
        if self._next is _Next.END:
            if data.startswith(_CRLF, at):
                self._next = _Next.SIZE
                return at + 2
            if data[at:] not in (b"", b"\r"):
                raise MalformedError(400, "a chunk does not end where its size says")
            return at
        end = data.find(_CRLF, at)
        is_size = self._next is _Next.SIZE
        if end < 0:
            if len(data) - at > (_MOST_SIZE_LINE if is_size else _MOST_TRAILER):
                raise MalformedError(400, "a line of the chunked body is too long")
            return at
        line = data[at:end]
        if is_size:
            match = _SIZE.match(line)
            if not match:
                raise MalformedError(400, "a chunk's size is malformed")
            self._left = int(match[1], 16)
            self._next = _Next.DATA if self._left else _Next.TRAILER
        elif not line:
            self._next = _Next.NOTHING
        else:
            match = _TRAILER.match(line)
            if not match or match[1].lower() in _NO_TRAILERS:
                raise MalformedError(400, "a trailer field is malformed")
        return end + 2


def body_of(head: Request | Response, *, unframed: bool = False) -> Body:
    """Returns what tells the body of this message from what comes after it."""
    if head.framing is Framing.CHUNKED:
        return Chunked(unframed=unframed)
    if head.framing is Framing.CLOSE:
        return UntilClose()
    return Counted(head.length)


def chunk(data: bytes) -> bytes:
    """Returns the data as one chunk; no data is no chunk, for that would be the last one."""
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""


LAST_CHUNK = b"0\r\n\r\n"
