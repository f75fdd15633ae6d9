"""Puts the client's script into pages as they stream by. Pure.

Only documents get it, and only in front: after `<head>`, so that nothing of the page can stop it
and nobody has to wait for the end of the page.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, NamedTuple

from reloader.proxy import csp
from reloader.proxy.bodies import LAST_CHUNK, chunk
from reloader.proxy.wire import Framing, MalformedError, response_bytes

if TYPE_CHECKING:
    from reloader.proxy.wire import Field, Request, Response

MOST_LOOK = 16384  # bytes of a page in which `<head>` must have come

# The tags before which nothing is put. A quoted value may hold a ">".
_TAG = re.compile(rb"""(?i)<(!doctype|html|head)(?=[\s/>])(?:[^>"']|"[^"]*"|'[^']*')*>""")
_CUT_TAG = re.compile(rb"(?i)<(?:!doctype|html|head)(?:[\s/]|\Z)")
_FIRST_TAGS = (b"<!--", b"<!doctype", b"<html", b"<head")
_MARK = b"\xef\xbb\xbf"  # UTF-8's byte order mark
_BLANK = re.compile(rb"\s*")

_GONE = frozenset(
    (
        *(b"content-length", b"transfer-encoding"),
        *(b"content-digest", b"repr-digest", b"content-md5", b"digest"),
    )
)
_UNPACKED = (b"identity", b"gzip", b"x-gzip", b"deflate")  # the standard library knows these
_DOCUMENTS = (b"document", b"iframe", b"frame")
_PARTS = (b"hx-request", b"turbo-frame", b"x-requested-with", b"x-up-target", b"x-pjax")


class Addresses(NamedTuple):
    """The addresses of the client's script and its events, below the page's own origin."""

    script: bytes = b"/__reloader/client.js"
    events: bytes = b"/__reloader/events"


def is_document(request: Request) -> bool:
    """Returns True if a browser asks for a whole page, not for a part, an image or data."""
    values = request.values
    wants = values.get(b"sec-fetch-dest")
    if wants is not None:
        is_page = wants in _DOCUMENTS
    else:  # plain HTTP to a host that is not localhost: browsers do not say
        is_page = b"text/html" in values.get(b"accept", b"")
    return is_page and not any(name in values for name in _PARTS)


def for_app(request: Request) -> Request:
    """Returns the request of a page as the app gets it: it need not compress what is edited."""
    fields = [field for field in request.fields if field[0].lower() != b"accept-encoding"]
    return request._replace(fields=fields)


def editor(request: Request, response: Response, at: Addresses, nonce: bytes) -> Editor | None:
    """Returns what puts the script into this response; None if it gets none.

    An HTTP/1.0 client can't read chunks, so it is given what is in them.
    """
    unframes = response.framing is Framing.CHUNKED and not request.is_11
    if not is_document(request) or not _is_page(response):
        return Editor(request, response, b"", encoding=b"") if unframes else None
    encoding = response.values.get(b"content-encoding", b"identity").lower()
    if encoding not in _UNPACKED:
        return Editor(request, response, b"", encoding=b"") if unframes else None
    host = request.values.get(b"host", b"")
    fields, needs_nonce = _loosened(response.fields, host, at, nonce)
    with_nonce = b'nonce="' + nonce + b'" ' if needs_nonce else b""
    tag = b"<script " + with_nonce + b'src="' + at.script + b'"></script>'
    is_packed = encoding != b"identity"
    edited = response._replace(fields=fields)
    return Editor(request, edited, tag, encoding=encoding if is_packed else b"")


def _is_page(response: Response) -> bool:
    kind = response.values.get(b"content-type", b"").lower()
    return (
        kind.partition(b";")[0].strip() == b"text/html"
        and b"utf-16" not in kind
        and response.status not in (204, 206, 304)
        and b"attachment" not in response.values.get(b"content-disposition", b"").lower()
    )


def hindrance(request: Request, response: Response) -> str:
    """Returns why a page stays without the script, or the script without effect; "" if neither."""
    if not (is_document(request) and _is_page(response)):
        return ""
    encoding = response.values.get(b"content-encoding", b"identity").lower()
    if encoding not in _UNPACKED:
        name = encoding.decode("ascii", "replace")
        return f"it is compressed with {name}, though the browser was not said to read that"
    policy = response.values.get(b"content-security-policy", b"")
    return "its Content-Security-Policy is a sandbox" if csp.is_sandbox(policy) else ""


def _loosened(
    fields: list[Field], host: bytes, at: Addresses, nonce: bytes
) -> tuple[list[Field], bool]:
    needs_nonce = False
    result: list[Field] = []
    for name, value in fields:
        new = value
        if name.lower() == b"content-security-policy":
            events = b"ws://" + host + at.events
            loosened = csp.loosen(value, b"http://" + host + at.script, events, nonce)
            new, needs_nonce = loosened.policy, needs_nonce or loosened.needs_nonce
        result.append((name, new))
    return result, needs_nonce


def place(page: bytes, *, is_all: bool) -> int | None:
    """Returns where the script goes; None while that depends on what is still to come.

    A doctype stays first: a page without one is laid out by other rules. Only what comes before the
    page's content is looked at, so nothing in a script or a comment is taken for a tag.
    """
    if len(page) < len(_MARK) and _MARK.startswith(page) and not is_all:
        return None
    at = best = len(_MARK) if page.startswith(_MARK) else 0
    while True:
        at = _BLANK.match(page, at).end()  # type: ignore[union-attr]
        if page.startswith(b"<!--", at):
            end = page.find(b"-->", at + 4)
            if end >= 0:
                at = end + 3
                continue
        elif match := _TAG.match(page, at):
            at = best = match.end()
            if match[1].lower() == b"head":
                return best
            continue
        elif not _is_cut(page, at):
            return best
        return best if is_all or len(page) >= MOST_LOOK else None


def _is_cut(page: bytes, at: int) -> bool:
    """Returns True if what begins here may become one of the first tags."""
    begin = page[at : at + 9].lower()
    return any(tag.startswith(begin) for tag in _FIRST_TAGS) or bool(_CUT_TAG.match(page, at))


class Editor:
    """Gives the bytes of an edited response, its head included."""

    def __init__(self, request: Request, response: Response, tag: bytes, encoding: bytes) -> None:
        self._request = request
        self._response = response
        self._tag = tag
        self._unpack = zlib.decompressobj(47) if encoding else None  # 47: gzip or zlib, as it is
        self._page = b""  # what has come, until the place is found
        self._is_open = False
        self._is_chunked = False

    def feed(self, data: bytes, *, is_last: bool) -> bytes:
        """Returns what goes to the client now; raises MalformedError if it can't be unpacked."""
        if self._unpack:
            data = self._unpacked(data, is_last=is_last)
        if self._is_open:
            return self._framed(data, is_last=is_last)
        self._page += data
        at = place(self._page, is_all=is_last) if self._tag else 0
        if at is None:
            return b""
        page, self._page = self._page[:at] + self._tag + self._page[at:], b""
        self._is_open = True
        if self._request.method == b"HEAD":
            return self._head(None)
        head = self._head(len(page) if is_last else None)
        return head + self._framed(page, is_last=is_last)

    def _unpacked(self, data: bytes, *, is_last: bool) -> bytes:
        assert self._unpack  # noqa: S101 -- for the types
        try:
            out = self._unpack.decompress(data)
            return out + (self._unpack.flush() if is_last else b"")
        except zlib.error as error:
            raise MalformedError(502, f"the page can't be unpacked: {error}") from None

    def _head(self, length: int | None) -> bytes:
        """The head; `length` of the body where it is known already, in bytes."""
        response, request = self._response, self._request
        gone = _GONE | ({b"content-encoding"} if self._unpack else set())
        fields = [field for field in response.fields if field[0].lower() not in gone]
        is_head = request.method == b"HEAD"
        if response.framing is Framing.LENGTH and not self._unpack and not is_head:
            length = response.length + len(self._tag)
        if length is not None:
            fields.append((b"Content-Length", b"%d" % length))
        elif request.is_11 and not is_head:
            self._is_chunked = True
            fields.append((b"Transfer-Encoding", b"chunked"))
        closes = not (request.keeps_alive and request.is_11)
        return response_bytes(response._replace(fields=fields), closes=closes)

    def _framed(self, data: bytes, *, is_last: bool) -> bytes:
        if not self._is_chunked:
            return data
        return chunk(data) + (LAST_CHUNK if is_last else b"")
