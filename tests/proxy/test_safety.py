"""The security list: each line with a control, which differs in just that and is served."""

from __future__ import annotations

import json
import re
import socket
import time
from pathlib import Path

import pytest

import reloader.proxy
from reloader.core.facts import Requested
from reloader.core.news import AppExited, BuildFailed
from reloader.core.values import Wish
from reloader.problems.secrets import MASK
from reloader.proxy import browser
from reloader.proxy.access import host_trouble
from reloader.proxy.wire import parse_request
from tests.proxy.rig import Rig, get, talk

KEY = (
    b"Upgrade: websocket",
    b"Sec-WebSocket-Version: 13",
    b"Sec-WebSocket-Key: " + b"a" * 22 + b"==",
)


def request(host: bytes):
    return parse_request(b"GET / HTTP/1.1\r\nHost: " + host)


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        (b"localhost", True),
        (b"localhost:8090", True),
        (b"LOCALHOST.", True),
        (b"app.localhost:1", True),
        (b"127.0.0.1", True),
        (b"[::1]:80", True),
        (b"192.168.1.5", True),  # where the connection arrived
        (b"192.168.1.6", False),
        (b"0.0.0.0", False),
        (b"[::]", False),
        (b"evil.example", False),
        (b"localhost.evil.example", False),
        (b"notlocalhost", False),
        (b"", False),
        (b"mine.test", True),
        (b"a.mine.test", False),
        (b"any.below.test", True),
        (b"below.test", False),
    ],
)
def test_hosts(host, allowed):
    """A name that anybody can point at this machine is refused, and the key for it is named."""
    trouble = host_trouble(request(host), "192.168.1.5", ("mine.test", ".below.test"))
    assert (trouble == "") is allowed
    if host.endswith(b"example"):
        assert "proxy.allowed_hosts" in trouble


def test_a_foreign_host_reaches_nothing(rig, backend):
    """403, for the app's pages and for the proxy's own; the same with a right host is served."""
    for path in (b"/", b"/__reloader/client.js", b"/__reloader/status"):
        assert rig.ask(get(path, host=b"evil.example")).statuses == [403]
        assert rig.ask(get(path)).statuses == [200]
    assert b"evil" not in backend.seen


def test_loopback_by_default(rig):
    """The proxy listens on 127.0.0.1 and nowhere else."""
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.2", rig.port), timeout=1)
    socket.create_connection(("127.0.0.1", rig.port)).close()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([], 200),
        ([b"Sec-Fetch-Site: same-origin"], 200),
        ([b"Sec-Fetch-Site: none"], 200),
        ([b"Sec-Fetch-Site: cross-site"], 403),
        ([b"Sec-Fetch-Site: same-site"], 403),
        ([b"Origin: http://evil.example"], 403),
        ([b"Origin: null"], 403),
        ([b"Origin: http://127.0.0.1"], 200),
    ],
)
def test_other_sites_read_nothing_of_ours(rig, fields, status):
    """The status, the script and the dashboard are for this origin."""
    for path in (b"/__reloader/status", b"/__reloader/client.js", b"/__reloader/"):
        said = rig.ask(get(path, *fields))
        assert said.statuses == [status]
        assert b"access-control" not in said.head.lower()


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (b"http://127.0.0.1", 101),
        (b"http://127.0.0.1:1", 403),
        (b"http://evil.example", 403),
        (b"null", 403),
        (None, 101),  # no browser
    ],
)
def test_the_channel_checks_its_origin(rig, origin, status):
    """A page of another site can't listen."""
    fields = [*KEY, *([b"Origin: " + origin] if origin else [])]
    with rig.connect() as it:
        sent = get(b"/__reloader/events", *fields).replace(
            b"Connection: close", b"Connection: Upgrade"
        )
        said = talk(it, sent, wait=0.3)
    assert said.statuses == [status]
    assert (b'"type":"state"' in said.data) is (status == 101)


@pytest.mark.parametrize(
    ("method", "fields", "status"),
    [
        (b"POST", [b"Origin: http://127.0.0.1", b"X-Reloader: 1"], 202),
        (b"GET", [b"Origin: http://127.0.0.1", b"X-Reloader: 1"], 403),
        (b"POST", [b"Origin: http://127.0.0.1"], 403),
        (b"POST", [b"X-Reloader: 1"], 403),
        (b"POST", [b"Origin: http://evil.example", b"X-Reloader: 1"], 403),
        (b"POST", [b"Origin: null", b"X-Reloader: 1"], 403),
        (b"OPTIONS", [b"Origin: http://evil.example"], 403),
    ],
)
def test_other_sites_do_nothing(rig, method, fields, status):
    """Only the dashboard asks for a restart: no form, no link and no script of another site."""
    said = rig.ask(get(b"/__reloader/do/restart", *fields).replace(b"GET", method, 1))
    assert said.statuses == [status]
    rig.read()
    asked = [fact.request for fact in rig.facts if isinstance(fact, Requested)]
    assert [one.wish for one in asked] == [Wish.RESTART] * (status == 202)


def test_the_app_decides_about_its_own_cors(rig, backend):
    """What the app says of other origins passes untouched, and nothing is added to it."""
    said = rig.ask(get(b"/x", b"Origin: http://evil.example"))
    assert said.statuses == [200] and b"access-control" not in said.head.lower()
    assert b"Origin: http://evil.example" in backend.seen


def test_our_answers_are_kept_from_others(rig):
    """No cache, no sniffing, no embedding elsewhere, no framing of the dashboard."""
    for path in (
        b"/__reloader/",
        b"/__reloader/client.js",
        b"/__reloader/status",
        b"/__reloader/no",
    ):
        head = rig.ask(get(path)).head
        for field in (b"no-store", b"nosniff", b"Cross-Origin-Resource-Policy: same-origin"):
            assert field in head, path
    assert b"frame-ancestors 'none'" in rig.ask(get(b"/__reloader/")).head


def test_secrets_are_masked(backend):
    """Values that env files call secret are in no message; other text stays."""
    rig = Rig(backend.port, secrets=lambda: ["hunter2hunter2", "ab"]).open()
    rig.fail(BuildFailed("make", "exit 1", 0.1, 1), output="token hunter2hunter2 about\n")
    text = json.dumps(rig.status(), ensure_ascii=False)
    assert "hunter2" not in text and f"token {MASK} about" in text
    rig.close()


def test_what_broke_is_text_and_nothing_else(rig):
    """Markup in an output reaches the page as a JSON text; the client never makes HTML of it."""
    rig.fail(AppExited(1, False, "exit 1", 0.1, None), output="<img src=x onerror=alert(1)>\x1b[2J")
    assert rig.status()["troubles"][0]["output"] == [["<img src=x onerror=alert(1)>", ""]]
    assets = Path(reloader.proxy.__file__).parent / "assets"
    for script in assets.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|srcdoc", text
        )


def test_a_place_outside_the_project_is_no_link(tmp_path, backend):
    """Sources of other folders are not shown, whatever an output says."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "app.py").write_text("one\ntwo\n")
    (tmp_path / "secret.py").write_text("password\n")
    rig = Rig(backend.port, root=str(root)).open()
    output = "app.py:2:1: error: a\n../secret.py:1:1: error: b\n/etc/hosts.d:1:1: error: c\n"
    rig.fail(BuildFailed("make", "exit 1", 0.1, 1), output=output)
    own, *others = rig.status()["troubles"][0]["problems"]
    assert own["source"] == [[1, "one"], [2, "two"]]
    assert own["url"] == f"vscode://file{root}/app.py:2:1"
    assert [(one["source"], one["url"]) for one in others] == [([], ""), ([], "")]
    rig.close()


def test_a_slow_head_does_not_hold_a_connection(rig, monkeypatch):
    """A client that sends half a head is answered with 408; one that sends nothing may stay."""
    monkeypatch.setattr(browser, "HEAD_TIME", 0.05)
    with rig.connect() as idle:
        begin = time.monotonic()
        assert rig.ask(b"GET / HTTP/1.1\r\nHost: loc").statuses == [408]
        assert time.monotonic() - begin >= 0.05
        assert talk(idle, get(b"/")).statuses == [200]


def test_clients_are_limited(rig, monkeypatch):
    """One connection too many is ended, and the others go on."""
    from reloader.proxy import site

    with rig.connect() as first:
        first.sendall(b"GET")
        assert rig.ask(get(b"/")).statuses == [200]
        monkeypatch.setattr(site, "MOST_CLIENTS", 1)
        assert rig.ask(get(b"/")).statuses == []
        monkeypatch.setattr(site, "MOST_CLIENTS", 1024)
        assert rig.ask(get(b"/")).statuses == [200]
