"""The control socket: for whom it is, and that nobody can hold a run up."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from reloader.control import client, place, server
from reloader.control.peer import Peer
from reloader.control.server import ControlServer
from reloader.control.wire import Ask, read_ask
from reloader.errors import ReloaderError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user is played by root")
STRANGER = 65534  # nobody


@pytest.fixture
def environ(tmp_path_factory) -> dict[str, str]:
    """A place of its own; short, for a socket's path may have 107 bytes."""
    return {"XDG_RUNTIME_DIR": tempfile.mkdtemp(prefix="r-", dir="/tmp")}


class Serving:
    """A server in a thread; its handler echoes, or is the given one."""

    def __init__(self, environ: dict[str, str], directory: str, handle=None) -> None:
        self.asked: list[Ask] = []
        self._handle = handle
        self.server = ControlServer(environ, directory, [directory], self._answer)
        self._ends = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _answer(self, ask: Ask, caller: server.Caller) -> None:
        self.asked.append(ask)
        if self._handle:
            self._handle(ask, caller)
        else:
            caller.say({"do": ask.do})
            caller.end()

    def _run(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(self.server.fileno(), selectors.EVENT_READ)
        while not self._ends:
            selector.select(0.02)
            self.server.read()
        selector.close()

    def close(self) -> None:
        self._ends = True
        self._thread.join()
        self.server.close()


@contextmanager
def serving(environ: dict[str, str], directory: object, handle=None) -> Iterator[Serving]:
    it = Serving(environ, str(directory), handle)
    try:
        yield it
    finally:
        it.close()


def folder_of(environ: dict[str, str]) -> str:
    return f"{environ['XDG_RUNTIME_DIR']}/reloader"


def raw(environ: dict[str, str]) -> socket.socket:
    """A connection to the one socket there is."""
    (name,) = os.listdir(folder_of(environ))
    connected = socket.socket(socket.AF_UNIX)
    connected.settimeout(10)
    connected.connect(f"{folder_of(environ)}/{name}")
    return connected


def test_a_run_answers_for_its_directory(environ, tmp_path: Path) -> None:
    """In it and below it; elsewhere nobody does."""
    (tmp_path / "api").mkdir()
    with serving(environ, tmp_path):
        for directory in (tmp_path, tmp_path / "api"):
            (run,) = client.runs(environ, str(directory))
            assert client.first(run, Ask("status")) == {"do": "status"}
        for elsewhere in (tmp_path.parent, "/"):
            with pytest.raises(client.NoReloaderError, match="no reloader runs in") as error:
                client.runs(environ, str(elsewhere))
            assert error.value.status == 4
    assert os.listdir(folder_of(environ)) == []


def test_only_the_user_may_look_into_the_folder(environ, tmp_path: Path) -> None:
    with serving(environ, tmp_path):
        assert os.lstat(folder_of(environ)).st_mode & 0o7777 == 0o700
        (name,) = os.listdir(folder_of(environ))
        assert os.lstat(f"{folder_of(environ)}/{name}").st_mode & 0o777 == 0o600


@needs_root
@pytest.mark.parametrize("kind", ["another user's", "open to all", "a link", "a file"])
def test_a_folder_that_somebody_has_prepared_is_passed_over(environ, tmp_path, kind) -> None:
    """Neither a run nor one who asks uses it; another place is taken."""
    folder = folder_of(environ)
    if kind == "a link":
        os.mkdir(folder + "-else", 0o700)
        os.symlink(folder + "-else", folder)
    elif kind == "a file":
        open(folder, "w").close()
    else:
        os.mkdir(folder, 0o700)
        if kind == "another user's":
            os.chown(folder, STRANGER, STRANGER)
        else:
            os.chmod(folder, 0o777)
    with serving(environ, tmp_path) as it:
        assert not next(iter(it.server._listeners)).startswith(environ["XDG_RUNTIME_DIR"] + "/")
        (run,) = client.runs(environ, str(tmp_path))
        assert client.first(run, Ask("status")) == {"do": "status"}


def test_a_dead_runs_socket_is_replaced(environ, tmp_path: Path) -> None:
    """It answers nobody, is passed over, and the next run removes it."""
    code = (
        "import os, sys; from reloader.control.server import ControlServer\n"
        "s = ControlServer(dict(os.environ), sys.argv[1], [sys.argv[1]], print)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    env = {**os.environ, **environ}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=env, check=False)
    (stale,) = os.listdir(folder_of(environ))
    with pytest.raises(client.NoReloaderError):
        client.runs(environ, str(tmp_path))
    with serving(environ, tmp_path):
        (name,) = os.listdir(folder_of(environ))
        assert name != stale


@needs_root
def test_a_stranger_gets_no_answer_and_is_not_believed(environ, tmp_path, monkeypatch) -> None:
    """The kernel keeps him out of the folder; if that were open, his user is looked at."""
    code = (
        "import socket, sys; c = socket.socket(socket.AF_UNIX); c.connect(sys.argv[1]);"
        'c.sendall(b\'{"do": "stop"}\\n\'); print(len(c.recv(100)))'
    )

    def asks(path: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/usr/bin/env", "python3", "-c", code, path],
            user=STRANGER,
            group=STRANGER,
            extra_groups=[],
            capture_output=True,
            text=True,
            check=False,
        )

    with serving(environ, tmp_path) as it:
        path = next(iter(it.server._listeners))
        assert "PermissionError" in asks(path).stderr
        for open_ in (environ["XDG_RUNTIME_DIR"], folder_of(environ)):
            os.chmod(open_, 0o755)
        os.chmod(path, 0o666)
        heard = asks(path)
        assert heard.stdout.strip() == "0" or "Error" in heard.stderr
        assert it.asked == []
        # Nor is an answer of his believed: the folder is not private any more.
        with pytest.raises(client.NoReloaderError):
            client.runs(environ, str(tmp_path))
        os.chmod(folder_of(environ), 0o700)
        monkeypatch.setattr(client, "peer_of", lambda _: Peer(7, 7))
        with pytest.raises(client.NoReloaderError):
            client.runs(environ, str(tmp_path))


def test_slow_and_dead_callers_hold_nobody_up(environ, tmp_path: Path, monkeypatch) -> None:
    """Half a request, none, one that is never read, one that goes: the next is answered at once."""
    monkeypatch.setattr(server, "PATIENCE", 0.3)
    much = {"much": "x" * 2_000_000}
    with serving(environ, tmp_path, lambda ask, caller: (caller.say(much), caller.end())):
        silent, half, deaf, gone = (raw(environ) for _ in range(4))
        half.sendall(b'{"do": "sta')
        deaf.sendall(Ask("status").line())
        gone.sendall(Ask("status").line())
        gone.close()
        began = time.monotonic()
        (run,) = client.runs(environ, str(tmp_path))
        assert client.first(run, Ask("status")) == much
        assert time.monotonic() - began < 2
        for one in (silent, half):  # dropped, when their time is over
            assert one.recv(10) == b""
            one.close()
        deaf.close()


def test_a_caller_that_never_reads_is_dropped(environ, tmp_path: Path, monkeypatch) -> None:
    """What it is told does not pile up without an end."""
    monkeypatch.setattr(server, "_MOST_WAITING", 100_000)
    told: list[server.Caller] = []
    with serving(environ, tmp_path, lambda _, caller: told.append(caller)) as it:
        deaf = raw(environ)
        deaf.sendall(Ask("events", follow=True).line())
        ends = time.monotonic() + 10
        while not told:
            assert time.monotonic() < ends
        while not told[0].is_gone:
            told[0].say({"event": "x" * 1000})
            it.server.flush()
            assert len(told[0].waiting) < 200_000
            assert time.monotonic() < ends
        deaf.close()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"\n", "one JSON object"),
        (b"[]\n", "one JSON object"),
        (b"\xff\n", "one JSON object"),
        (b"[" * 60_000 + b"\n", "one JSON object"),
        (b"{}\n", "one of status"),
        (b'{"do": "exec"}\n', "one of status"),
        (b'{"do": "wait", "timeout": "1"}\n', "timeout as float, found str"),
        (b'{"do": "wait", "timeout": true}\n', "timeout as float, found bool"),
        (b'{"do": "wait", "timeout": -1}\n', "up to a day"),
        (b'{"do": "wait", "timeout": NaN}\n', "up to a day"),
        (b'{"do": "wait", "app": 1}\n', "app as str"),
        (b"x" * 70_000, "at most 65536 bytes"),
    ],
)
def test_what_is_no_request_is_refused(environ, tmp_path: Path, line: bytes, said: str) -> None:
    """In words, and nothing is done."""
    with serving(environ, tmp_path) as it, raw(environ) as connected:
        connected.sendall(line)
        assert said in json.loads(connected.makefile().readline())["error"]
        assert it.asked == []


def test_requests_are_read_back() -> None:
    ask = Ask("wait", "api", 1.5, 17.0, 3, follow=True)
    assert read_ask(ask.line()) == ask
    assert read_ask(b'{"do": "wait", "timeout": 3, "new": 1}') == Ask("wait", timeout=3.0)


def test_too_many_callers_are_told(environ, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(server, "MOST_CALLERS", 2)
    with serving(environ, tmp_path, lambda *_: None):
        first, second = raw(environ), raw(environ)
        for one in (first, second):
            one.sendall(Ask("status").line())
        third = raw(environ)
        assert "2 callers" in json.loads(third.makefile().readline())["error"]
        for one in (first, second, third):
            one.close()


def test_a_run_that_hangs_does_not_hold_up_who_asks(environ, tmp_path: Path, monkeypatch) -> None:
    """It is named when the time is over."""
    monkeypatch.setattr(client, "_ANSWERS", 0.3)
    with serving(environ, tmp_path, lambda *_: None):
        (run,) = client.runs(environ, str(tmp_path))
        with pytest.raises(ReloaderError, match=f"{os.getpid()} does not answer"):
            client.first(run, Ask("status", timeout=0))


def test_the_folder_of_a_long_name_is_left_out(tmp_path: Path) -> None:
    """A path of a socket has 107 bytes: a longer place is none."""
    deep = tmp_path / ("x" * 60)
    deep.mkdir()
    assert not place.make({"TMPDIR": str(deep)}).startswith(str(deep))
