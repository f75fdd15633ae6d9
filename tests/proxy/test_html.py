"""The script in pages: where it goes, in which responses, and through real connections."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloader.core.facts import Noticed
from reloader.core.news import Warned
from reloader.proxy.html import MOST_LOOK, place
from tests.proxy.rig import Rig, get

TAG = b'<script src="/__reloader/client.js"></script>'
PAGE = b"<!doctype html><html><head><title>x</title></head><body>" + b"y" * 3000 + b"</body></html>"
PARTS = (b"<!doctype html><head></head><body>one", b"two", b"three")
CUT = (b"<!doc", b"type html><ht", b"ml><he", b"ad><title>s</title></head>", b"<body>z")
DOCUMENT = b"Sec-Fetch-Dest: document"

PLACES = {  # "|" is where the script goes
    b"<!doctype html><html><head>|<title>": "after head",
    b"<!DOCTYPE html>\n<HTML lang='en'>\n<HEAD data-x='a>b'>|<title>": "any case, quotes",
    b"<!doctype html>|<title>x</title>": "no head",
    b"<html>|<body>": "no head, but html",
    b"|<li>one</li>": "a fragment",
    b"|<header>one</header>": "a tag that begins like head",
    b"<!-- <head> --><!doctype html><html><head>|x": "a comment",
    b"\xef\xbb\xbf<!doctype html><head>|": "a byte order mark",
    b"|plain text <head>": "head in the text",
    b"<!doctype html><html>|<script>'<head>'</script>": "head in a script",
}


@pytest.mark.parametrize("page", PLACES, ids=PLACES.values())
def test_place(page):
    """The script comes first in the head, and a doctype stays before it."""
    whole, at = page.replace(b"|", b""), page.index(b"|")
    assert place(whole, is_all=True) == at
    seen = [place(whole[:n], is_all=False) for n in range(len(whole) + 1)]
    assert {at, None} >= set(seen), "a part of a page never leads elsewhere"


@given(
    st.lists(
        st.sampled_from((b"<", b"!--", b"-->", b"<!doctype", b"<html", b"<head", b">", b" ", b"'"))
    )
)
def test_place_is_never_inside_a_tag_that_comes_first(pieces):
    """What is decided for a part holds for the whole."""
    page = b"".join(pieces)
    for n in range(len(page)):
        if (early := place(page[:n], is_all=False)) is not None:
            assert place(page, is_all=True) == early


def test_a_head_that_does_not_come_is_not_waited_for():
    """After 16 KiB of comment the page goes on; no page takes more than a moment."""
    assert place(b"<!--" + b"x" * MOST_LOOK, is_all=False) == 0
    assert place(b"<!-- x -->" * 5000 + b"<p>", is_all=False) == 0


class Pages:
    """An app of pages, in all the ways in which a page can come."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.seen = b""
        self.go_on = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._answer(connection)

    def _answer(self, it: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += it.recv(65536)
        self.seen += data
        path = data.split()[1].partition(b"?")[0]
        send, head = it.sendall, b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"
        sized = b"Content-Length: %d\r\n\r\n"
        chunked = head + b"Transfer-Encoding: chunked\r\n"
        packed = gzip.compress(PAGE)
        plain = {
            b"/length": head + b'ETag: "a"\r\nContent-MD5: x\r\n' + sized % len(PAGE) + PAGE,
            b"/gzip": head + b"Content-Encoding: gzip\r\n" + sized % len(packed) + packed,
            b"/br": head + b"Content-Encoding: br\r\n" + sized % 4 + b"brbr",
            b"/close": head + b"\r\n" + PAGE,
            b"/304": b'HTTP/1.1 304 N\r\nContent-Type: text/html\r\nETag: "a"\r\n\r\n',
            b"/404": head.replace(b"200 OK", b"404 N") + sized % 12 + b"<p>none</p>x",
            b"/fragment": head + sized % 12 + b"<li>one</li>",
            b"/empty": head + sized % 0,
            b"/utf16": head.replace(b"utf-8", b"utf-16") + sized % 2 + b"ab",
            b"/file": head + b"Content-Disposition: attachment\r\n" + sized % len(PAGE) + PAGE,
            b"/json": head.replace(b"text/html", b"application/json") + sized % 2 + b"{}",
            b"/sandbox": head + b"Content-Security-Policy: sandbox\r\n" + sized % len(PAGE) + PAGE,
            b"/broken": head + b"Content-Encoding: gzip\r\n" + sized % 4 + b"nope",
        }
        if data.startswith(b"HEAD"):
            send(head + sized % len(PAGE))
        elif path in plain:
            send(plain[path])
        elif path == b"/cut":
            send(chunked + b"\r\n")
            for part in CUT:
                send(b"%x\r\n%s\r\n" % (len(part), part))
            send(b"0\r\n\r\n")
        else:
            self._stream(it, chunked, is_packed=path == b"/packed-stream")

    def _stream(self, it: socket.socket, chunked: bytes, *, is_packed: bool) -> None:
        """Each part is sent when the one before has been seen."""
        packer = zlib.compressobj(6, zlib.DEFLATED, 31)
        it.sendall(chunked + (b"Content-Encoding: gzip\r\n" if is_packed else b"") + b"\r\n")
        for part in PARTS:
            data = packer.compress(part) + packer.flush(zlib.Z_SYNC_FLUSH) if is_packed else part
            it.sendall(b"%x\r\n%s\r\n" % (len(data), data))
            self.go_on.wait(10)
            self.go_on.clear()
        tail = packer.flush() if is_packed else b""
        it.sendall((b"%x\r\n%s\r\n" % (len(tail), tail) if tail else b"") + b"0\r\n\r\n")

    def close(self) -> None:
        self.listener.close()


@pytest.fixture(scope="module")
def site():
    pages = Pages()
    rig = Rig(pages.port).open()
    yield rig, pages
    rig.close()
    pages.close()


def length(said) -> bytes:
    lines = said.head.lower().split(b"\r\n")
    return b"".join(
        line.partition(b": ")[2] for line in lines if line.startswith(b"content-length")
    )


@pytest.mark.parametrize(
    "path", [b"/length", b"/gzip", b"/cut", b"/close", b"/404", b"/fragment", b"/empty"]
)
def test_pages_get_the_script_once(site, path):
    """However a page comes, the script is in it, and its length is right."""
    rig, _ = site
    said = rig.ask(get(path, DOCUMENT))
    assert said.data.count(TAG) == 1
    assert b"content-encoding" not in said.head.lower()
    if length(said):
        assert int(length(said)) == len(said.body)
    else:
        assert said.body.endswith(b"0\r\n\r\n")
    assert b"content-md5" not in said.head.lower()
    assert b'ETag: "a"' in said.head or path != b"/length"


@pytest.mark.parametrize("path", [b"/br", b"/304", b"/utf16", b"/file", b"/json"])
def test_what_is_no_page_passes_as_it_is(site, path):
    """What can't be edited, and what is no page, is not touched."""
    rig, _ = site
    assert TAG not in rig.ask(get(path, DOCUMENT)).data


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ([b"Sec-Fetch-Dest: iframe"], True),
        ([b"Sec-Fetch-Dest: empty"], False),
        ([b"Sec-Fetch-Dest: image", b"Accept: text/html"], False),
        ([b"Accept: text/html,*/*"], True),
        ([], False),
        ([b"Accept: text/html", b"HX-Request: true"], False),
        ([b"Accept: text/html", b"Turbo-Frame: x"], False),
        ([b"Accept: text/html", b"X-Requested-With: XMLHttpRequest"], False),
    ],
)
def test_which_requests_are_for_a_document(site, fields, expected):
    """Only what a browser shows as a page of its own gets the script, never a fragment."""
    rig, _ = site
    assert (TAG in rig.ask(get(b"/length", *fields)).data) is expected


def test_the_app_need_not_compress_a_page(site):
    """A page is asked for without Accept-Encoding, everything else with it."""
    rig, pages = site
    rig.ask(get(b"/length?page", DOCUMENT, b"Accept-Encoding: gzip"))
    rig.ask(get(b"/length?data", b"Accept-Encoding: gzip"))
    asked = pages.seen.split(b"GET ")
    assert [b"Accept-Encoding" in one for one in asked if b"?page" in one or b"?data" in one] == [
        False,
        True,
    ]


@pytest.mark.parametrize("path", [b"/stream", b"/packed-stream"])
def test_a_streamed_page_is_not_held_back(site, path):
    """Each part of a page is there before the app sends the next one, compressed or not."""
    rig, pages = site
    with rig.connect() as it:
        it.sendall(get(path, DOCUMENT))
        data = b""
        for part in (b"one", b"two", b"three"):
            while part not in data:
                more = it.recv(65536)
                assert more, data
                data += more
            pages.go_on.set()
        while not data.endswith(b"0\r\n\r\n"):
            data += it.recv(65536)
    assert data.count(TAG) == 1


def test_head_has_no_length_that_get_would_not_have(site):
    """A HEAD of a page has no Content-Length; without the script it would be another one."""
    rig, _ = site
    said = rig.ask(get(b"/length", DOCUMENT).replace(b"GET", b"HEAD", 1))
    assert said.statuses == [200]
    assert length(said) == b"" and said.body == b""


@pytest.mark.parametrize("path", [b"/length", b"/cut"])
def test_http_10_gets_no_chunks(site, path):
    """An old client gets the page up to the end of the connection."""
    rig, _ = site
    said = rig.ask(get(path, DOCUMENT).replace(b"HTTP/1.1", b"HTTP/1.0", 1))
    assert said.data.count(TAG) == 1 and b"chunked" not in said.head and said.end == "eof"


def test_a_page_that_can_not_be_unpacked_is_cut_off(site):
    """A body that is not what it says ends as an error, never as a whole page."""
    rig, _ = site
    said = rig.ask(get(b"/broken", DOCUMENT))
    assert said.end in ("reset", "eof") and b"nope" not in said.data


def test_pages_that_can_not_reload_are_told(site):
    """The user is told why, once: another compression, a sandbox."""
    rig, _ = site
    for _ in range(2):
        rig.ask(get(b"/sandbox", DOCUMENT))
    rig.read()
    texts = [
        f.news.text for f in rig.facts if isinstance(f, Noticed) and isinstance(f.news, Warned)
    ]
    assert [text for text in texts if "sandbox" in text] == [
        "/sandbox can't reload itself: its Content-Security-Policy is a sandbox"
    ]
