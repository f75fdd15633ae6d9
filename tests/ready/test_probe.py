"""The ways to be ready beyond waiting for connections: a path, a command, a notice."""

from __future__ import annotations

import http.server
import os
import socket
import subprocess
import sys
import threading

import pytest

from reloader.ready import probe
from reloader.ready.probe import Notices, Ready, Way
from tests.helpers.until import until


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("", Ready(Way.ACCEPTS)),
        ("/health?deep=1", Ready(Way.HTTP, "/health?deep=1")),
        ("exec: pg_isready -q", Ready(Way.COMMAND, "pg_isready -q")),
        ("notify", Ready(Way.NOTIFY)),
    ],
)
def test_the_key_is_understood(text: str, ready: Ready) -> None:
    assert Ready.of(text) == ready


@pytest.mark.parametrize("text", ["health", "exec:", "http://x/", "Notify"])
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="notify"):
        Ready.of(text)


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_path_answers() -> None:
    """Well with 2xx and 3xx; 4xx, 5xx and silence are not ready."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        found = {
            code: probe.answers("127.0.0.1", port, f"/{code}") for code in (200, 302, 404, 503)
        }
        server.shutdown()
    assert found == {200: True, 302: True, 404: False, 503: False}
    assert not probe.answers("127.0.0.1", port, "/200")  # nobody listens


def test_silence_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "LOOK", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        assert not probe.answers("127.0.0.1", deaf.getsockname()[1], "/")


def test_a_command_succeeds(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With status 0, in its folder, with its environment; one that hangs is killed."""
    (tmp_path / "here").touch()
    env = {**os.environ, "ANSWER": "42"}

    def runs(command: str) -> bool:
        it = probe.succeeds(command, env, str(tmp_path))
        until(lambda: os.waitpid(-1, os.WNOHANG)[0])
        return it

    assert runs('test -e here && test "$ANSWER" = 42')
    assert not runs("exit 3")
    assert not runs("nonsense-of-a-command 2>/dev/null")
    monkeypatch.setattr(probe, "LOOK", 0.1)
    assert not runs("sleep 1000")


def test_a_program_says_that_it_is_ready() -> None:
    """Its pid comes from the kernel; other states are not it."""
    notices = Notices()
    code = (
        "import os, socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
        "n = os.environ['NOTIFY_SOCKET']; s.connect('\\0' + n[1:] if n[0] == '@' else n);"
        "[s.send(t) for t in (b'STATUS=READY=1', b'STOPPING=1')]; input();"
        "s.send(b'STATUS=up\\nREADY=1\\n'); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "NOTIFY_SOCKET": notices.name},
        stdin=subprocess.PIPE,
    ) as it:
        assert notices.ready() == set()
        it.stdin.write(b"\n")
        it.stdin.flush()
        assert until(notices.ready) == {it.pid}
        assert notices.ready() == {it.pid}
        notices.forget()
        assert notices.ready() == set()
        it.stdin.write(b"\n")
    notices.close()
