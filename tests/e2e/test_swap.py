"""Nothing refused, nothing lost: the port is held, a broken save leaves the last good version."""

from __future__ import annotations

import json
import signal
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import PYTHON, until
from tests.sockets.rig import free_port, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tests.helpers.project import Project, Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")

# Says its version; /slow takes its time, /events never ends. Dies at SIGTERM at once.
APP = """
import http.server, os, time
VERSION = "{version}"
{extra}
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/slow":
            time.sleep(0.15)
        self.send_response(200)
        if self.path == "/events":
            self.end_headers()
            while True:
                self.wfile.write(b"data\\n\\n"); self.wfile.flush(); time.sleep(0.05)
        self.send_header("Content-Length", str(len(VERSION))); self.end_headers()
        self.wfile.write(VERSION.encode())
    def log_message(self, *_): pass
class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64
Server(("127.0.0.1", {port}), Handler).serve_forever()
"""


class Server:
    """An app under reloader, and clients of it."""

    def __init__(
        self,
        project: Project,
        swap: str = "",
        extra: str = "",
        python: Sequence[str] = PYTHON,  # isolated: it starts cold
    ) -> None:
        self.project = project
        self.port = free_port()
        # By flag: a run of all tests may set it in the environment.
        self.flags = ("--swap.hold", "off" if 'hold = "off"' in swap else "on")
        project.config(f"[build]\nentrypoint = {json.dumps([*python, 'app.py'])}\n[swap]\n{swap}")
        self.save("1", extra)

    def save(self, version: str, extra: str = "") -> None:
        self.project.save("app.py", APP.format(version=version, port=self.port, extra=extra))

    def run(self) -> Run:
        run = self.project.run(*self.flags)
        run.wait_for("watch.started", after=0)
        run.wait_for("app.ready", after=0)
        assert self.get() == "1"
        return run

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 20)

    def get(self, path: str = "/") -> str:
        with self.connect() as it:
            return ask(it, path)

    def reloads(self, run: Run, *versions: str) -> None:
        for version in versions:
            before = run.seq
            self.save(version)
            run.wait_for("app.ready", after=before)
            until(lambda version=version: self.get() == version, why=run.report)


def ask(it: socket.socket, path: str = "/") -> str:
    it.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data or not data.rpartition(b"\r\n\r\n")[2]:
        more = it.recv(4096)
        if not more:
            raise ConnectionResetError("closed before the answer was there")
        data += more
    return data.rpartition(b"\r\n\r\n")[2].decode()


class Crowd:
    """Clients in a closed loop, each with a new connection for each request."""

    def __init__(self, act: Callable[[], str], count: int = 4) -> None:
        self.answers: list[str] = []
        self.lost: list[str] = []
        self._act = act
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(count)]

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                self.answers.append(self._act())
            except OSError as error:
                self.lost.append(repr(error))

    def __enter__(self) -> Crowd:  # noqa: PYI034 -- Self is 3.11's
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)


@pytest.fixture(params=["replace", "overlap"])
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    yield f'hold = "on"\nmode = "{request.param}"\n'


def test_no_request_is_lost(project: Project, mode: str) -> None:
    """New connections, slow requests among them, through reloads of an app that just dies."""
    server = Server(project, mode)
    run = server.run()
    paths = iter(["/", "/slow", "/", "/"] * 100000)
    with Crowd(lambda: server.get(next(paths))) as crowd:
        for version in map(str, range(2, 8)):
            server.reloads(run, version)
            until(lambda version=version: version in crowd.answers)
    assert not crowd.lost
    # `reloads` has seen each version; one that lives for 0.1 s may answer none of the crowd.
    assert {"1", "7"} <= set(crowd.answers) <= set(map(str, range(1, 8)))


def test_no_request_is_lost_by_an_app_that_starts_warm(project: Project, mode: str) -> None:
    """It is forked from a process without a filter, and takes that itself before it begins."""
    server = Server(project, mode, python=[sys.executable])
    run = server.run()
    until(lambda: any("modules are ready" in e["text"] for e in run.events("informed")), 60)
    with Crowd(server.get) as crowd:
        server.reloads(run, *map(str, range(2, 6)))
        until(lambda: "5" in crowd.answers)
    assert not crowd.lost
    assert [e["how"] for e in run.events("app.started")] == ["", *["warm"] * 4]
    assert not run.events("warned")


def test_clients_wait_for_a_slow_start(project: Project) -> None:
    """Nobody is refused while the new version imports, however long that takes."""
    server = Server(project, 'hold = "on"\n')
    run = server.run()
    server.save("2", "time.sleep(1)")
    run.wait_for("app.stopped")
    assert server.get() == "2"


@pytest.mark.parametrize("extra", ["raise SystemExit(3)", "time.sleep(99)"])
def test_a_new_version_that_is_not_good_is_dropped(project: Project, extra: str) -> None:
    """Overlap: it crashes, or is not ready in time; the old one answers all along."""
    server = Server(project, 'hold = "on"\nmode = "overlap"\nready_timeout = "1s"\n')
    run = server.run()
    with Crowd(server.get) as crowd:
        before = run.seq
        server.save("2", extra)
        dropped = run.wait_for("app.dropped", after=before)
        assert dropped["kept_pid"] == run.events("app.started")[0]["pid"]
        until(lambda: len(crowd.answers) > 20)
        assert set(crowd.answers) == {"1"}
        server.reloads(run, "3")
    assert not crowd.lost


def test_a_broken_save_stops_nothing(project: Project) -> None:
    """An error of syntax is a failed build with file and line; the last good version goes on."""
    server = Server(project)
    run = server.run()
    pid = run.events("app.started")[0]["pid"]
    server.save("2", "def (:")
    failed = run.wait_for("build.failed")
    assert failed["why"].startswith("app.py, line 4: ")
    assert (failed["app_pid"], server.get()) == (pid, "1")
    server.reloads(run, "3")
    assert len(run.events("app.started")) == 2


def test_refused_at_once_when_nothing_comes(project: Project) -> None:
    """A start that fails leaves no client hanging; the save that mends it serves them again."""
    server = Server(project, 'hold = "on"\n')
    run = server.run()
    answers: list[str] = []

    def client() -> None:
        try:
            answers.append(server.get())
        except OSError as error:
            answers.append(type(error).__name__)

    server.save("2", "time.sleep(0.5); raise SystemExit(3)")
    run.wait_for("app.stopped")
    waiting = threading.Thread(target=client)
    waiting.start()
    run.wait_for("app.exited")
    waiting.join(10)
    assert answers in (["ConnectionResetError"], ["ConnectionRefusedError"])
    until(lambda: refused(server.port))
    server.reloads(run, "3")


def test_an_open_stream_does_not_block_a_reload(project: Project) -> None:
    """An app that waits for its event streams is ended after a second, not after its grace."""
    extra = (
        "import signal\n"
        "def bye(*_): threading.Thread(target=lambda: time.sleep(60)).start(); raise SystemExit\n"
        "import threading\nsignal.signal(signal.SIGTERM, bye)\n"
    )
    server = Server(project, 'hold = "on"\n', extra)
    run = server.run()
    with server.connect() as stream:
        stream.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b"data" in stream.recv(4096) + stream.recv(4096)
        since = time.monotonic()
        server.save("2")
        until(lambda: server.get() == "2", why=run.report)
        assert time.monotonic() - since < 3.5  # grace is 5 s; the machine may be busy
    assert run.events("app.stopped")[0]["killed"]


def test_a_shutdown_at_work_keeps_its_grace(project: Project) -> None:
    """Without an open connection what takes long is the app's own end, and that is waited for."""
    extra = (
        "import signal, pathlib\n"
        "def bye(*_): time.sleep(1.8); pathlib.Path('flushed').touch(); raise SystemExit\n"
        "signal.signal(signal.SIGTERM, bye)\n"
    )
    server = Server(project, 'hold = "on"\n', extra)
    run = server.run()
    server.save("2")
    run.wait_for("app.stopped")
    assert server.get() == "2"
    assert (project.folder / "flushed").exists()
    assert not run.events("app.stopped")[0]["killed"]


def test_hold_off_is_as_before(project: Project) -> None:
    """Clients are refused while nobody listens; readiness is told all the same."""
    server = Server(project, 'hold = "off"\n')
    run = server.run()
    server.save("2", "time.sleep(1)")
    run.wait_for("app.stopped")
    until(lambda: refused(server.port))
    run.wait_for("app.ready", path="app.py")
    assert server.get() == "2"


def test_ready_by_a_path(project: Project) -> None:
    """Overlap with `ready = "/health"`: the new version is asked while the old one serves."""
    server = Server(project, 'hold = "on"\nmode = "overlap"\nready = "/health"\n')
    run = server.run()
    with Crowd(server.get) as crowd:
        before = run.seq
        project.save(
            "app.py",
            APP.format(version="2", port=server.port, extra="BORN = time.monotonic()").replace(
                "        self.send_response(200)\n",
                "        late = self.path == '/health' and time.monotonic() < BORN + 1\n"
                "        self.send_response(503 if late else 200)\n",
                1,
            ),
        )
        ready = run.wait_for("app.ready", after=before)
        assert ready["seconds"] >= 1
        until(lambda: server.get() == "2")
    assert not crowd.lost


def test_ready_by_a_command(project: Project) -> None:
    server = Server(project, 'ready = "exec: test -e up"\n')
    run = project.run(*server.flags)
    run.wait_for("watch.started", after=0)
    until(lambda: not refused(server.port))
    assert not run.events("app.ready")
    (project.folder / "up").touch()
    run.wait_for("app.ready", after=0)


SAYS_READY = """
import pathlib, socket as s, threading
def tell():
    while not pathlib.Path("up{}").exists():
        time.sleep(0.02)
    s.socket(s.AF_UNIX, s.SOCK_DGRAM).sendto(b"READY=1", chr(0) + os.environ["NOTIFY_SOCKET"][1:])
threading.Thread(target=tell, daemon=True).start()
"""


def test_ready_when_the_app_says_so(project: Project) -> None:
    """sd_notify, of each generation by itself: the word of the old one does not count."""
    server = Server(project, 'mode = "overlap"\nready = "notify"\n', SAYS_READY.format(1))
    run = project.run(*server.flags)
    run.wait_for("watch.started", after=0)
    until(lambda: not refused(server.port))
    assert not run.events("app.ready")
    (project.folder / "up1").touch()
    run.wait_for("app.ready", after=0)
    before = run.seq
    server.save("2", SAYS_READY.format(2))
    run.wait_for("app.started", after=before)
    with Crowd(server.get) as crowd:
        until(lambda: len(crowd.answers) > 50)
        assert set(crowd.answers) == {"1"}
        (project.folder / "up2").touch()
        run.wait_for("app.ready", after=before)
        until(lambda: "2" in crowd.answers)
    assert not crowd.lost


def test_the_way_to_be_ready_is_edited(project: Project) -> None:
    """The next generation is asked in the new way, the one that runs in the old one still."""
    asked = project.folder.parent / "asked"
    way = f'"exec: touch {asked}; test -e up"'
    server = Server(project, f"ready = {way}\n")
    run = project.run(*server.flags)
    run.wait_for("watch.started", after=0)
    until(asked.exists, why=run.report)
    text = (project.folder / ".reload.toml").read_text()
    project.save(".reload.toml", text.replace(way, '""'))
    run.wait_for("config.changed")
    for _ in range(2):  # the first may have begun before
        asked.unlink(missing_ok=True)
        until(asked.exists, why=run.report)
    assert not run.events("app.ready")
    server.reloads(run, "2")


def test_a_worker_that_listens_nowhere(project: Project) -> None:
    """It is ready when it has lived a second, and a reload of it is as ever."""
    project.config(f"[build]\nentrypoint = {json.dumps([*PYTHON, 'app.py'])}\n")
    project.app("1")
    run = project.start()
    run.wait_for("app.ready", address="")
    project.app("2")
    project.wait_noted("START", version="2")


@pytest.mark.parametrize("hold", ["on", "off"])
def test_a_port_of_its_own(project: Project, hold: str) -> None:
    """The app gets it as PORT, though its environment has another, at each start the same."""
    server = Server(project, f'hold = "{hold}"\nown_port = true\n')
    app = (project.folder / "app.py").read_text()
    app = app.replace(f"{server.port})", 'int(os.environ["PORT"]))')

    def save(version: str) -> None:
        project.save("app.py", app.replace('"1"', f'"{version}"', 1))

    found = []
    for start in range(2):
        save(f"{start}")
        run = project.run(*server.flags, env={"PORT": "1"})
        run.wait_for("watch.started", after=0)
        ready = run.wait_for("app.ready", after=0)
        server.port = run.events("greeted")[0]["port"]
        assert ready["address"].endswith(f":{server.port}")
        save("new")
        run.wait_for("app.ready", path="app.py")
        assert server.get() == "new"
        found.append(server.port)
        assert run.stop(signal.SIGTERM) == 0
    assert found[0] == found[1]


def test_quit_in_the_middle_of_a_swap(project: Project) -> None:
    """Everything ends, and who waits is refused."""
    server = Server(project, 'hold = "on"\n')
    run = server.run()
    server.save("2", "time.sleep(30)")
    run.wait_for("app.stopped")
    waiting = server.connect()
    assert run.stop(signal.SIGTERM) == 0
    with waiting, pytest.raises(OSError, match="reset"):
        ask(waiting)
    assert refused(server.port)
