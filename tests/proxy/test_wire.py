"""Heads and bodies without a connection, and llhttp as the judge of what is accepted."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloader.proxy.bodies import Chunked, body_of
from reloader.proxy.wire import (
    HEAD_END,
    Framing,
    MalformedError,
    parse_request,
    parse_response,
    request_bytes,
    response_bytes,
)

httptools = pytest.importorskip("httptools")

CHUNKS = b"5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n"
SEEDS = (
    b"POST /x?y=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: b\r\nConnection: close, X\r\nX: 1\r\nCookie: a=b; c=d\r\n\r\n",
)
PIECES = (
    *(b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\0", b"Content-Length: 3", b"0", b"5", b"+"),
    *(b"Transfer-Encoding: chunked", b"-", b"0x", b";", b",", b"chunked", b"identity", b"_"),
    *(b"HTTP/1.1", b"\x0b", b"\x80", b"\xff", b" \r\n", b"Host: q\r\n", b"\r\n\r\n"),
)
KNOWN = (b"GET", b"POST", b"HEAD", b"PUT", b"DELETE", b"OPTIONS", b"PATCH")
ROUNDS = 20_000  # 2 seconds; a thousandth of what was tried when it was written


def mutated(chance: random.Random, data: bytes) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at, way = chance.randrange(len(data) + 1), chance.random()
        if way < 0.4:
            data = data[:at] + chance.choice(PIECES) + data[at:]
        elif way < 0.6:
            data = data[:at] + data[at + chance.randint(1, 6) :]
        elif way < 0.8:
            data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        else:
            to = chance.randrange(len(data) + 1)
            data = data[:at] + data[min(at, to) : max(at, to)] + data[at:]
    return data


def read_by_us(data: bytes):
    """(method, target, extent in bytes), or None if it is refused or not whole."""
    start = data
    while start.startswith(b"\r\n"):
        start = start[2:]
    head, found, rest = start.partition(HEAD_END)
    if not found:
        return None
    try:
        request = parse_request(head)
        body = body_of(request)
        if body.is_over:
            return request.method, request.target, len(data) - len(rest)
        after = None
        for at in range(0, len(rest), 7):
            if after is None:
                _, after = body.feed(rest[at : at + 7])
            else:
                after += rest[at : at + 7]
    except MalformedError:
        return None
    return None if after is None else (request.method, request.target, len(data) - len(after))


class Heard:
    def __init__(self) -> None:
        self.url = b""
        self.is_over = False

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_message_complete(self) -> None:
        self.is_over = True


def read_by_llhttp(data: bytes):
    heard = Heard()
    parser = httptools.HttpRequestParser(heard)
    for at in range(len(data)):
        try:
            parser.feed_data(data[at : at + 1])
        except httptools.HttpParserUpgrade:
            heard.is_over = True
        except httptools.HttpParserError:
            return None
        if heard.is_over:
            return parser.get_method(), heard.url, at + 1
    return None


def test_what_is_accepted_is_read_as_llhttp_reads_it():
    """Method, target and end of each accepted request are those that llhttp finds.

    It refuses, beyond that, bytes over 0x7f in a target, and a tab after "chunked", which is not
    passed on.
    """
    chance = random.Random(7)
    accepted = 0
    for _ in range(ROUNDS):
        data = mutated(chance, chance.choice(SEEDS))
        ours = read_by_us(data)
        if ours is None or ours[0] not in KNOWN:
            continue
        accepted += 1
        theirs = read_by_llhttp(data)
        if theirs is None and (any(byte > 0x7F for byte in ours[1]) or b"chunked\t" in data):
            continue
        assert theirs == ours, data
    assert accepted > ROUNDS / 20


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=6), st.data())
def test_chunks_in_any_pieces(parts, data):
    """A chunked body ends where it ends, whatever the pieces; unframed gives what is in it."""
    wire = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nT: v\r\n\r\n"
    after = b"GET / HTTP/1.1"
    cuts = sorted(data.draw(st.sets(st.integers(0, len(wire + after)), max_size=12)))
    pieces = [
        (wire + after)[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire + after)], strict=True)
    ]
    for unframed, whole in ((False, wire), (True, b"".join(parts))):
        body, out, rest = Chunked(unframed=unframed), b"", None
        for piece in pieces:
            if rest is None:
                part, rest = body.feed(piece)
                out += part
            else:
                rest += piece
        assert (out, rest) == (whole, after)


def test_fields_keep_their_order_and_case():
    """What passes is written as it was read, blanks around a value apart."""
    request = parse_request(b"GET /a HTTP/1.1\r\nhOst: x\r\nB:  2 \r\nb: 3\r\nTE: trailers")
    assert request_bytes(request, b"1.2.3.4", b"http") == (
        b"GET /a HTTP/1.1\r\nhOst: x\r\nB: 2\r\nb: 3\r\nX-Forwarded-For: 1.2.3.4\r\n"
        b"X-Forwarded-Proto: http\r\nX-Forwarded-Host: x\r\n\r\n"
    )
    assert request.values[b"b"] == b"2, 3"


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("status", [200, 204, 304, 103])
def test_which_responses_have_a_body(method, status):
    """A response to HEAD, and 1xx, 204 and 304, have none, whatever their length says."""
    head = b"HTTP/1.1 %d x\r\nContent-Length: 7" % status
    response = parse_response(head, method)
    assert response.length == (7 if (status, method) == (200, b"GET") else 0)
    assert b"Content-Length: 7" in response_bytes(response)


def test_without_a_length_a_response_ends_with_the_connection():
    """Then the connection is not kept."""
    response = parse_response(b"HTTP/1.1 200 OK", b"GET")
    assert response.framing is Framing.CLOSE
    assert not response.keeps_alive
