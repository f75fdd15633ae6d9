"""Sixty-three messages that proxies get wrong, and how this one carries or refuses them."""

from __future__ import annotations

import pytest

from tests.proxy.backend import Backend
from tests.proxy.rig import Rig, talk

H = b"Host: 127.0.0.1\r\n"
B = b"POST /x HTTP/1.1\r\n" + H
TE = b"Transfer-Encoding: chunked\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"

REFUSED = {
    "length and chunked": B + b"Content-Length: 5\r\n" + TE + b"\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": B
    + b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(SMUGGLED)
    + SMUGGLED,
    "the same length twice": B + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "a list of lengths": B + b"Content-Length: 3, 3\r\n\r\nabc",
    "length +3": B + b"Content-Length: +3\r\n\r\nabc",
    "length 0x3": B + b"Content-Length: 0x3\r\n\r\nabc",
    "length -1": B + b"Content-Length: -1\r\n\r\nabc",
    "xchunked": B + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked, identity": B + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": B + TE + TE + b"\r\n0\r\n\r\n",
    "blank before the colon": B + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "control before chunked": B + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /x HTTP/1.0\r\n" + H + TE + b"\r\n0\r\n\r\n",
    "folded field": b"GET /x HTTP/1.1\r\n" + H + b"A: b\r\n c: d\r\n\r\n",
    "only line feeds": b"GET /x HTTP/1.1\nHost: a\n\n\r\n\r\n",
    "a line feed in a field": b"GET /x HTTP/1.1\r\n" + H + b"A: b\nC: d\r\n\r\n",
    "a carriage return in a value": b"GET /x HTTP/1.1\r\n" + H + b"A: b\rC: d\r\n\r\n",
    "NUL in a value": b"GET /x HTTP/1.1\r\n" + H + b"A: b\0c\r\n\r\n",
    "chunk size 0x5": B + TE + b"\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "chunk size +5": B + TE + b"\r\n+5\r\nhello\r\n0\r\n\r\n",
    "chunk size 0_5": B + TE + b"\r\n0_5\r\nhello\r\n0\r\n\r\n",
    "chunk size ends with a line feed": B + TE + b"\r\n5\nhello\r\n0\r\n\r\n",
    "chunk longer than it says": B + TE + b"\r\n5\r\nhelloXX0\r\n\r\n" + SMUGGLED,
    "a line feed in a chunk extension": B + TE + b"\r\n5;a\nb\r\nhello\r\n0\r\n\r\n",
    "chunk size over 60 bits": B + TE + b"\r\nfffffffffffffffff5\r\nhello\r\n0\r\n\r\n",
    "no Host": b"GET /x HTTP/1.1\r\n\r\n",
    "two Hosts": b"GET /x HTTP/1.1\r\nHost: localhost\r\nHost: b\r\n\r\n",
    "CONNECT": b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n",
    "an absolute target": b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a blank in the target": b"GET /x y HTTP/1.1\r\n" + H + b"\r\n",
    "HTTP/9.1": b"GET /x HTTP/9.1\r\n" + H + b"\r\n",
    "a head of 200 kB": b"GET /x HTTP/1.1\r\n" + H + b"A: " + b"x" * 200000 + b"\r\n\r\n",
    "a control in the target": b"GET /x\x01 HTTP/1.1\r\n" + H + b"\r\n",
    "an empty name": b"GET /x HTTP/1.1\r\n" + H + b": v\r\n\r\n",
}


def get(path: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join((b"GET " + path + b" HTTP/1.1", b"Host: 127.0.0.1", *fields, b"", b""))


LAST = get(b"/last", b"Connection: close")  # its answer ends the connection


def last(path: bytes) -> bytes:
    return get(path, b"Connection: close")


CARRIED = {
    "three at once": (
        [get(b"/1") + get(b"/2") + LAST],
        lambda it, seen: it.statuses == [200] * 3 and seen.find(b"/1") < seen.find(b"/2"),
    ),
    "a body and the next request at once": (
        [B + b"Content-Length: 3\r\n\r\nabc" + LAST],
        lambda it, seen: it.statuses == [200, 200] and b"\r\n\r\nabc" in seen,
    ),
    "fields named in Connection": (
        [get(b"/x", b"Connection: X-Foo, close", b"X-Foo: secret")],
        lambda it, seen: b"secret" not in seen and it.statuses == [200],
    ),
    "Connection can't name the length": (
        [B + b"Connection: Content-Length, close\r\nContent-Length: 3\r\n\r\nabc"],
        lambda it, seen: b"Content-Length: 3" in seen and it.statuses == [200],
    ),
    "100-continue is the app's": (
        [B + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", b"abc" + LAST],
        lambda it, seen: it.statuses == [100, 200, 200] and b"abc" in seen,
    ),
    "early hints": ([get(b"/103") + LAST], lambda it, seen: it.statuses == [103, 200, 200]),
    "an upgrade that is refused": (
        [get(b"/noup", b"Connection: upgrade", b"Upgrade: websocket") + LAST],
        lambda it, seen: it.statuses == [200, 200] and b"noup" in it.data,
    ),
    "an upgrade that nobody asked for": ([get(b"/101u")], lambda it, seen: it.statuses == [502]),
    "an answer before the body": (
        [b"POST /early HTTP/1.1\r\n" + H + b"Content-Length: 900000\r\n\r\n", b"x" * 900000],
        lambda it, seen: it.statuses == [413],
    ),
    "a body up to the end": (
        [get(b"/close")],
        lambda it, seen: (
            b"until close" in it.data and it.end == "eof" and b"Connection: close" in it.head
        ),
    ),
    "a body that is cut": (
        [get(b"/short")],
        lambda it, seen: it.end in ("eof", "reset") and b"Content-Length: 10" in it.data,
    ),
    "chunks that are cut": (
        [get(b"/ctrunc")],
        lambda it, seen: it.end == "reset" or not it.data.endswith(b"0\r\n\r\n"),
    ),
    "a response with length and chunks": ([get(b"/rclte")], lambda it, seen: it.statuses == [502]),
    "a response with two lengths": ([get(b"/rdupcl")], lambda it, seen: it.statuses == [502]),
    "a carriage return in a response": ([get(b"/crinj")], lambda it, seen: it.statuses == [502]),
    "garbage": ([get(b"/garbage")], lambda it, seen: it.statuses == [502]),
    "trailers": (
        [get(b"/trail") + LAST],
        lambda it, seen: b"X-T: v" in it.data and b"2;a=b\r\nok" in it.data,
    ),
    "304 with a length": (
        [get(b"/304") + LAST],
        lambda it, seen: it.statuses == [304, 200] and b"Content-Length: 50" in it.data,
    ),
    "204": ([get(b"/204") + LAST], lambda it, seen: it.statuses == [204, 200]),
    "HEAD": (
        [b"HEAD /h HTTP/1.1\r\n" + H + b"\r\n" + LAST],
        lambda it, seen: it.statuses == [200, 200] and b"1234" in it.data,
    ),
    "two cookies, their case and order": (
        [last(b"/two")],
        lambda it, seen: b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nx-CaSe: q\r\n" in it.data,
    ),
    "a kept connection that the app has closed": (
        [get(b"/stale"), LAST],
        lambda it, seen: it.statuses == [200, 200],
    ),
    "HTTP/1.0": (
        [b"GET /x HTTP/1.0\r\n" + H + b"\r\n"],
        lambda it, seen: it.statuses == [200] and it.end == "eof",
    ),
    "chunks for HTTP/1.0": (
        [b"GET /chunks HTTP/1.0\r\n" + H + b"\r\n"],
        lambda it, seen: it.body == b"abc" and it.end == "eof",
    ),
    "OPTIONS *": (
        [b"OPTIONS * HTTP/1.1\r\nConnection: close\r\n" + H + b"\r\n"],
        lambda it, seen: it.statuses == [200] and b"OPTIONS * HTTP/1.1" in seen,
    ),
    "the target as it is": (
        [last(b"/a%2Fb/../c//d?x=%zz&y=[1]|")],
        lambda it, seen: b"GET /a%2Fb/../c//d?x=%zz&y=[1]| HTTP" in seen,
    ),
    "Host as it is": (
        [b"GET /x HTTP/1.1\r\nConnection: close\r\nHost: app.localhost:123\r\n\r\n"],
        lambda it, seen: b"Host: app.localhost:123\r\n" in seen,
    ),
    "byte by byte": (
        [B + TE[:-1], b"\n\r\n", b"5", b"\r\nhel", b"lo\r", b"\n0\r\n", b"\r\n" + LAST],
        lambda it, seen: it.statuses == [200, 200] and b"5\r\nhello\r\n0\r\n\r\n" in seen,
    ),
    "a chunk extension": (
        [B + TE + b"\r\n5;a=b\r\nhello\r\n0\r\n\r\n" + LAST],
        lambda it, seen: it.statuses == [200, 200] and b"5;a=b" in seen,
    ),
    "GET with a body": (
        [get(b"/x", b"Content-Length: 3") + b"abc" + LAST],
        lambda it, seen: it.statuses == [200, 200] and b"\r\n\r\nabc" in seen,
    ),
    "a part": (
        [last(b"/range")],
        lambda it, seen: it.statuses == [206] and b"Content-Range: bytes 1-2/4" in it.data,
    ),
    "fields that a response names in Connection": (
        [get(b"/hop") + LAST],
        lambda it, seen: b"X-Secret" not in it.data and it.statuses == [200, 200],
    ),
    "forwarding fields are ours": (
        [get(b"/x", b"X-Forwarded-For: 6.6.6.6", b"Forwarded: for=6.6.6.6", b"Connection: close")],
        lambda it, seen: (
            b"6.6.6.6" not in seen
            and b"X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n" in seen
        ),
    ),
    "an empty line before a request": (
        [b"\r\n\r\n" + LAST],
        lambda it, seen: it.statuses == [200],
    ),
    "no answer at all": ([last(b"/drop")], lambda it, seen: it.statuses == [502]),
}


@pytest.fixture(scope="module")
def made():
    backend = Backend()
    rig = Rig(backend.port).open()
    yield rig, backend
    rig.close()
    backend.close()


@pytest.mark.parametrize("name", REFUSED)
def test_refused(made, name):
    """The client is told with a 4xx or 501, and the app has not seen a request in it."""
    rig, backend = made
    backend.seen.clear()
    said = rig.ask(REFUSED[name])
    assert said.statuses[:1] and said.statuses[0] in {*range(400, 432), 501}, said
    assert len(said.statuses) == 1, said
    assert b"/smuggled" not in backend.seen
    assert b"\r\n\r\n" not in backend.seen or b"chunk" in name.encode(), bytes(backend.seen)


@pytest.mark.parametrize("name", CARRIED)
def test_carried(made, name):
    """What is right arrives as it was sent, and what is broken is seen to be broken."""
    rig, backend = made
    backend.seen.clear()
    parts, holds = CARRIED[name]
    said = rig.ask(*parts)
    assert holds(said, bytes(backend.seen)), (said, bytes(backend.seen))


def test_a_half_closed_client_gets_its_answer(made):
    """A client that sends no more may still read."""
    rig, _ = made
    said = rig.ask(get(b"/2"), half=True)
    assert (said.statuses, said.end) == ([200], "eof")


def test_an_upgraded_connection_passes_both_ways(made):
    """After 101 bytes pass as they are, and each end may close its half."""
    rig, _ = made
    with rig.connect() as it:
        it.sendall(get(b"/echo", b"Connection: upgrade", b"Upgrade: x") + b"early")
        said = talk(it, b"\x00raw\xff", half=True)
    assert said.statuses == [101]
    assert said.body.endswith(b"bye") and b"early" in said.body and b"\x00raw\xff" in said.body
