"""Heads of HTTP/1.x: bytes to values and back, strict.

A request that two programs could read in two ways is refused, so nothing can be smuggled past the
proxy. Fields keep their order and their case. Pure: no connection, no clock.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Field = tuple[bytes, bytes]  # name and value as they were written

MOST_HEAD = 65536  # bytes of a head; nginx and Node take 8 to 32 KiB, large cookies need more
HEAD_END = b"\r\n\r\n"

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e\x80-\xff]+) HTTP/1\.([01])\Z")
_RESPONSE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([\t\x20-\x7e\x80-\xff]*))?\Z")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*\Z")

# Fields that are about one connection, RFC 9110 section 7.6.1.
_HOP = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade"),
        *(b"proxy-authenticate", b"proxy-authorization"),
    )
)
# `Connection: content-length` must not take away what says how long the body is.
_NEVER_HOP = frozenset((b"content-length", b"transfer-encoding", b"host"))
# Set by the proxy alone: an app would believe a client that sends one of them.
_FORWARDING = frozenset(
    (b"forwarded", b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")
)


class MalformedError(Exception):
    """The bytes are not HTTP/1.x as RFC 9112 has it; `status` is what the client is answered."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Framing(Enum):
    """The ways in which the end of a body is marked."""

    LENGTH = "content-length"
    CHUNKED = "chunked"
    CLOSE = "the end of the connection"


class Request(NamedTuple):
    """The head of a request."""

    method: bytes
    target: bytes
    is_11: bool
    fields: list[Field]
    values: Mapping[bytes, bytes]  # lower-case name -> value; several are joined by ", "
    hop: frozenset[bytes]  # lower-case tokens of Connection
    framing: Framing
    length: int  # of the body, in bytes; 0 if it is chunked
    upgrade: bytes  # the protocol that is asked for, or b""

    @property
    def keeps_alive(self) -> bool:
        return b"close" not in self.hop if self.is_11 else b"keep-alive" in self.hop

    @property
    def has_body(self) -> bool:
        return self.framing is Framing.CHUNKED or self.length > 0

    @property
    def is_replayable(self) -> bool:
        """True if it may be sent a second time: it changes nothing and carries nothing."""
        return self.method in (b"GET", b"HEAD", b"OPTIONS") and not (self.has_body or self.upgrade)


class Response(NamedTuple):
    """The head of a response."""

    status: int
    reason: bytes
    is_11: bool
    fields: list[Field]
    values: Mapping[bytes, bytes]
    hop: frozenset[bytes]
    framing: Framing
    length: int

    @property
    def keeps_alive(self) -> bool:
        said = b"close" not in self.hop if self.is_11 else b"keep-alive" in self.hop
        return said and self.framing is not Framing.CLOSE


def parse_request(head: bytes) -> Request:
    """Returns the request whose head this is, without the empty line; raises MalformedError."""
    first, *lines = head.split(b"\r\n")
    match = _REQUEST.match(first)
    if not match:
        raise MalformedError(400, "the request line is malformed")
    method, target, minor = match.groups()
    is_11 = minor == b"1"
    fields, values = _fields(lines)
    host = values.get(b"host")
    if (host is None and is_11) or (host and b"," in host):
        raise MalformedError(400, "exactly one Host field is needed")
    if not target.startswith(b"/") and (target, method) != (b"*", b"OPTIONS"):
        raise MalformedError(400, "the target is no path")
    hop = _hop(values)
    framing, length = _framing(values, is_11=is_11)
    upgrade = values.get(b"upgrade", b"") if is_11 and b"upgrade" in hop else b""
    return Request(
        *(method, target, is_11, fields, values, hop),
        *(framing or Framing.LENGTH, length, upgrade),
    )


def parse_response(head: bytes, method: bytes) -> Response:
    """Returns the response to a `method` request; raises MalformedError."""
    first, *lines = head.split(b"\r\n")
    match = _RESPONSE.match(first)
    if not match:
        raise MalformedError(502, "the status line is malformed")
    minor, code, reason = match.groups()
    is_11, status = minor == b"1", int(code)
    fields, values = _fields(lines)
    framing, length = _framing(values, is_11=is_11)
    if status < 200 or status in (204, 304) or method == b"HEAD":
        framing, length = Framing.LENGTH, 0
    return Response(
        *(status, reason or b"", is_11, fields, values, _hop(values)),
        *(framing or Framing.CLOSE, length),
    )


def _fields(lines: Iterable[bytes]) -> tuple[list[Field], dict[bytes, bytes]]:
    fields: list[Field] = []
    values: dict[bytes, bytes] = {}
    matches = _FIELD.match
    for line in lines:
        match = matches(line)
        if not match:
            raise MalformedError(400, "a field line is malformed")
        name, value = match.groups()
        fields.append((name, value))
        key = name.lower()
        values[key] = values[key] + b", " + value if key in values else value
    return fields, values


def _hop(values: Mapping[bytes, bytes]) -> frozenset[bytes]:
    said = values.get(b"connection")
    return frozenset(t.strip() for t in said.lower().split(b",")) if said else frozenset()


def _framing(values: Mapping[bytes, bytes], *, is_11: bool) -> tuple[Framing | None, int]:
    """Returns None if no field tells the length of the body."""
    encoding, length = values.get(b"transfer-encoding"), values.get(b"content-length")
    if encoding is not None:
        if length is not None:
            raise MalformedError(400, "both Content-Length and Transfer-Encoding are given")
        if not is_11:
            raise MalformedError(400, "HTTP/1.0 has no Transfer-Encoding")
        if encoding.lower() != b"chunked":
            raise MalformedError(501, "only the transfer encoding chunked is known")
        return Framing.CHUNKED, 0
    if length is None:
        return None, 0
    if not length.isdigit() or len(length) > 18:  # 10^18 bytes fit into 64 bits
        raise MalformedError(400, "the Content-Length is malformed")
    return Framing.LENGTH, int(length)


def _passing(fields: Iterable[Field], hop: frozenset[bytes]) -> list[bytes]:
    """The field lines that go on to the next hop."""
    lines: list[bytes] = []
    for name, value in fields:
        key = name.lower()
        if key in _HOP or (key in hop and key not in _NEVER_HOP):
            continue
        lines += (name, b": ", value, b"\r\n")
    return lines


def request_bytes(request: Request, client: bytes, scheme: bytes) -> bytes:
    """Returns the head as the app gets it.

    `client` is the address that the request came from, `scheme` the one that the browser used.
    """
    out = [request.method, b" ", request.target, b" HTTP/1.1\r\n"]
    if _FORWARDING.isdisjoint(request.values):
        out += _passing(request.fields, request.hop)
    else:
        kept = [field for field in request.fields if field[0].lower() not in _FORWARDING]
        out += _passing(kept, request.hop)
    host = request.values.get(b"host")
    if host is None:  # HTTP/1.0; the app is asked in 1.1, which needs one
        host = b"localhost"
        out.append(b"Host: localhost\r\n")
    out += (b"X-Forwarded-For: ", client, b"\r\nX-Forwarded-Proto: ", scheme)
    out += (b"\r\nX-Forwarded-Host: ", host, b"\r\n")
    if request.upgrade:
        out += (b"Connection: upgrade\r\nUpgrade: ", request.upgrade, b"\r\n")
    out.append(b"\r\n")
    return b"".join(out)


def response_bytes(response: Response, *, closes: bool = False) -> bytes:
    """Returns the head as the client gets it; `closes`: the connection ends after the body."""
    out = [b"HTTP/1.1 %d %s\r\n" % (response.status, response.reason)]
    if response.status == 101:
        protocol = response.values.get(b"upgrade", b"")
        out += (b"Connection: upgrade\r\nUpgrade: ", protocol, b"\r\n")
    out += _passing(response.fields, response.hop)
    if closes:
        out.append(b"Connection: close\r\n")
    out.append(b"\r\n")
    return b"".join(out)
