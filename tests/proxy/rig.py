"""A proxy of its own for a test: the real server, fed by hand."""

from __future__ import annotations

import json
import re
import select
import socket
from typing import TYPE_CHECKING, Any

from reloader.core.facts import Noticed
from reloader.core.news import ProxyStarted
from reloader.core.settings import Settings
from reloader.core.state import begin
from reloader.core.values import Gate
from reloader.core.view import Failure, view
from reloader.light import replace
from reloader.proxy.options import Options
from reloader.proxy.server import Server
from tests.helpers.until import until

if TYPE_CHECKING:
    from reloader.core.facts import Fact
    from reloader.core.news import News
    from reloader.core.view import Snapshot


def options(app_port: int, **changed: object) -> Options:
    plain = Options(
        root="/nowhere",
        host="127.0.0.1",
        port=0,
        app_port=app_port,
        patience=5.0,
        allowed_hosts=(),
        no_hold=("/healthz",),
        overlay="corner",
        editor="vscode",
        path_map={},
        refreshing=frozenset({"styles"}),
        secrets=tuple,
    )
    return plain._replace(**changed)  # type: ignore[arg-type]


def snapshot() -> Snapshot:
    """How a run stands in which nothing has happened."""
    return view(begin(Settings(), 0.0, 0, 1), 0.0)


class Rig:
    """The proxy, its port, and the facts that it has told."""

    def __init__(self, app_port: int, **changed: object) -> None:
        self.snapshot = snapshot()
        self.server = Server(options(app_port, **changed), lambda: self.snapshot)
        self.facts: list[Fact] = []
        self.ticket = 0
        self.wait(lambda: self.url)
        self.port = int(self.url.rpartition(":")[2])

    @property
    def url(self) -> str:
        for fact in self.facts:
            if isinstance(fact, Noticed) and isinstance(fact.news, ProxyStarted):
                return fact.news.url
        return ""

    def read(self) -> None:
        self.facts += self.server.read()

    def wait(self, probe) -> None:
        def look():
            self.read()
            return probe()

        until(look)

    def feed(self, *news: News, output: str = "") -> None:
        for item in news:
            self.server(item, output)
        self.read()

    def fail(self, news: News, output: str = "") -> None:
        """Something broke, and stays broken."""
        self.snapshot = replace(self.snapshot, failure=Failure("build", "make", "exit 1"))
        self.feed(news, output=output)
        self.wait(lambda: self.status()["troubles"])

    def open(self) -> Rig:
        """A new version of the app answers."""
        self.ticket += 1
        self.server.route(Gate.OPEN, self.ticket, "")
        return self

    def shut(self, why: str = "the app is being replaced") -> None:
        """No version answers, one is coming."""
        self.server.route(Gate.HOLD, None, why)

    def break_(self, why: str) -> None:
        """No version answers, none is coming."""
        self.server.route(Gate.REFUSE, None, why)

    def status(self) -> dict[str, Any]:
        return json.loads(self.ask(get(b"/__reloader/status")).body)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def ask(self, *parts: bytes, half: bool = False, wait: float = 10.0) -> Said:
        """Sends the parts, and reads all that comes until the end or a pause."""
        with self.connect() as it:
            return talk(it, *parts, half=half, wait=wait)

    def close(self) -> None:
        self.server.close()


class Said:
    """All that came, and how it ended: eof, reset or open."""

    def __init__(self, data: bytes, end: str) -> None:
        self.data = data
        self.end = end

    @property
    def statuses(self) -> list[int]:
        return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d\d\d) ", self.data)]

    @property
    def head(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[0]

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    def __repr__(self) -> str:
        return f"{self.statuses} {self.end} {self.data[-400:]!r}"


def talk(it: socket.socket, *parts: bytes, half: bool = False, wait: float = 10.0) -> Said:
    data, end = b"", "open"
    try:
        for n, part in enumerate(parts):
            if n:
                select.select([it], [], [], 0.05)  # the proxy has read the part before
            it.sendall(part)
        if half:
            it.shutdown(socket.SHUT_WR)
        it.settimeout(wait)
        while True:
            more = it.recv(65536)
            if not more:
                end = "eof"
                break
            data += more
    except TimeoutError:
        end = "open"
    except (ConnectionResetError, BrokenPipeError):
        end = "reset"
    return Said(data, end)


def get(path: bytes, *fields: bytes, host: bytes = b"127.0.0.1") -> bytes:
    """A request on a connection that ends with its answer."""
    lines = (b"GET " + path + b" HTTP/1.1", b"Host: " + host, b"Connection: close", *fields)
    return b"\r\n".join((*lines, b"", b""))
