"""Holding: requests wait for the app that comes, and are refused when none does."""

from __future__ import annotations

import json
import threading

import pytest

from reloader.core.facts import BecameIdle, BecameReady
from reloader.core.news import AppNotReady, BuildFailed
from reloader.proxy.gate import Hall, may_wait
from reloader.proxy.wire import parse_request
from tests.helpers.until import until
from tests.proxy.backend import Backend
from tests.proxy.rig import Rig, get, talk

POST = b"POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"
DOCUMENT = b"Sec-Fetch-Dest: document"


@pytest.fixture
def shut(backend):
    """A proxy whose app has not been started yet."""
    it = Rig(backend.port)
    yield it
    it.close()


class Asking:
    """A request under way."""

    def __init__(self, rig: Rig, *parts: bytes) -> None:
        self.said = None
        self._thread = threading.Thread(target=self._run, args=(rig, parts), daemon=True)
        self._thread.start()

    def _run(self, rig: Rig, parts) -> None:
        self.said = rig.ask(*parts)

    def end(self):
        self._thread.join(10)
        assert self.said is not None
        return self.said


def held(rig: Rig, count: int) -> None:
    until(lambda: rig.status()["held"] == count)


def test_requests_wait_and_are_answered_in_their_order(shut, backend):
    """While the gate is closed nothing reaches the app; when it opens everything does."""
    asking = []
    for n in range(5):
        asking.append(Asking(shut, get(b"/%d" % n)))
        held(shut, n + 1)
    asking.append(Asking(shut, POST))
    held(shut, 6)
    assert bytes(backend.seen) == b""
    shut.open()
    assert [one.end().statuses for one in asking] == [[200]] * 6
    assert backend.seen.count(b"GET /") == 5 and b"\r\n\r\nabc" in backend.seen


def test_a_client_that_goes_away_frees_its_place(shut, backend):
    """A closed connection waits for nothing, and its request is never sent."""
    with shut.connect() as it:
        it.sendall(get(b"/gone"))
        held(shut, 1)
    held(shut, 0)
    shut.open()
    assert shut.ask(get(b"/here")).statuses == [200]
    assert b"/gone" not in backend.seen


def test_without_hope_requests_are_refused_with_the_reason(shut):
    """503 with Retry-After: a page that comes back by itself, or JSON for programs."""
    shut.feed(BuildFailed("go build", "exit 1", 0.1, 0), output="main.go:7:2: undefined: x\n")
    waiting = Asking(shut, get(b"/data"))
    held(shut, 1)
    shut.break_("the build failed: exit 1")
    for said in (waiting.end(), shut.ask(get(b"/data"))):
        assert said.statuses == [503]
        assert b"Retry-After: 1" in said.head and b"no-store" in said.head
        told = json.loads(said.body)
        assert told["error"] == "the build failed: exit 1"
        assert told["places"] == ["main.go:7: undefined: x"]
    page = shut.ask(get(b"/", DOCUMENT))
    assert b"the build failed: exit 1" in page.body
    assert b"client.js" in page.body and b"data-waits" in page.body


def test_the_reason_is_text(shut):
    """A reason with markup in it is shown as it is written."""
    shut.break_("<img src=x onerror=alert(1)>")
    page = shut.ask(get(b"/", DOCUMENT))
    assert b"<img" not in page.body and b"&lt;img" in page.body


def test_an_app_that_does_not_answer_in_time_holds_nobody(shut):
    """What waits is refused when the app is late, and passes as soon as it answers."""
    waiting = Asking(shut, get(b"/"))
    held(shut, 1)
    shut.feed(AppNotReady(1, 1, 5.0))
    assert waiting.end().statuses == [503]
    assert b"does not answer" in shut.ask(get(b"/")).body
    shut.open()
    until(lambda: shut.ask(get(b"/")).statuses == [200])


@pytest.mark.parametrize(
    ("fields", "path", "waits"),
    [
        ([], b"/", True),
        ([], b"/healthz", False),
        ([], b"/healthz?x=1", False),
        ([b"X-Reloader-Hold: no"], b"/", False),
        ([b"User-Agent: kube-probe/1.30"], b"/", False),
        ([b"User-Agent: Mozilla/5.0"], b"/", True),
    ],
)
def test_health_checks_do_not_pile_up(fields, path, waits):
    """A check is refused at once, so that a container is not held for healthy or hung."""
    request = parse_request(b"\r\n".join((b"GET " + path + b" HTTP/1.1", b"Host: a", *fields)))
    assert may_wait(request, ("/healthz",)) is waits


def test_a_health_check_is_answered_while_the_gate_is_closed(shut):
    """503 at once."""
    assert shut.ask(get(b"/healthz")).statuses == [503]


def test_the_oldest_goes_when_there_are_too_many():
    """Neither the count nor the bytes grow beyond what is allowed."""
    hall: Hall[int] = Hall(most=3, most_bytes=100)
    assert [hall.add(n, 10) for n in range(4)] == [[], [], [], [0]]
    assert hall.add(2, 85) == [1]
    assert hall.add(5, 200) == [2, 3, 5]
    assert len(hall) == 0 and hall.add(6, 100) == []
    assert hall.take(5) == [6]


def test_what_the_app_has_begun_is_waited_for(backend):
    """BecameIdle comes when the POST under way has its answer, and a GET is not waited for."""
    rig = Rig(backend.port).open()
    with rig.connect() as post:
        post.sendall(POST[:-1])  # a byte is missing: the app waits for it
        until(lambda: b"\r\n\r\nab" in backend.seen)
        rig.shut()
        assert rig.server.drain(7) == ()
        waiting = Asking(rig, get(b"/next"))
        held(rig, 1)
        rig.read()
        assert BecameIdle(7) not in rig.facts
        said = talk(post, POST[-1:])
        assert said.statuses == [200]
        rig.wait(lambda: BecameIdle(7) in rig.facts)
    rig.open()
    assert waiting.end().statuses == [200]
    rig.close()


def test_an_event_stream_does_not_hold_a_restart_up():
    """It never ends by itself, so it is not waited for; nor is an idle keep-alive connection."""
    backend = Backend()
    rig = Rig(backend.port).open()
    with rig.connect() as it:
        it.sendall(get(b"/x").replace(b"Connection: close\r\n", b""))
        assert it.recv(65536).startswith(b"HTTP/1.1 200")
        rig.shut()
        rig.server.drain(3)
        rig.wait(lambda: BecameIdle(3) in rig.facts)
    rig.close()
    backend.close()


def test_the_app_is_found_when_it_listens(backend):
    """BecameReady comes when a connection is possible, not before."""
    port = backend.port
    backend.close()
    rig = Rig(port)
    rig.server.expect(4)
    assert rig.status()["ready"] is False
    assert rig.facts == [f for f in rig.facts if not isinstance(f, BecameReady)]
    again = Backend(port)
    rig.wait(lambda: BecameReady(4, f"127.0.0.1:{port}") in rig.facts)
    rig.close()
    again.close()


def test_a_request_that_a_kept_connection_lost_is_sent_again(rig, backend):
    """An app may close a connection just as a request arrives on it: a GET goes out anew, once."""
    plain = get(b"/first-only").replace(b"Connection: close\r\n", b"")
    with rig.connect() as it:
        it.sendall(plain)
        assert it.recv(65536).startswith(b"HTTP/1.1 200")
        said = talk(it, get(b"/first-only"))
    assert said.statuses == [200]
    assert backend.seen.count(b"/first-only") == 3
    assert rig.ask(get(b"/drop")).statuses == [502]
    assert backend.seen.count(b"/drop") == 2


def test_a_post_is_never_sent_again(rig, backend):
    """It goes out on a connection of its own, once, whatever becomes of it."""
    assert rig.ask(get(b"/x").replace(b"Connection: close\r\n", b""), wait=0.2).statuses == [200]
    lost = POST.replace(b"/x", b"/drop")
    assert rig.ask(lost).statuses == [502]
    assert backend.seen.count(b"POST /drop") == 1


def test_a_refused_connection_is_tried_again(backend):
    """An app that goes away without a word costs a request nothing but time."""
    port = backend.port
    rig = Rig(port).open()
    assert rig.ask(get(b"/1")).statuses == [200]
    backend.close()
    waiting = Asking(rig, POST)
    again = Backend(port)
    assert waiting.end().statuses == [200]
    rig.close()
    again.close()
