"""The proxy beside others, all before the same app in one run: `make bench-proxy`.

For each: how many messages of tests/proxy/test_torture.py it carries or refuses as it should;
the time of a request (one client, one connection); its CPU for a request; its memory; whether three
parts of an answer come as they are sent. What is not installed is left out, and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.proxy.backend import Backend
from tests.proxy.rig import talk
from tests.proxy.test_torture import CARRIED, REFUSED

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS = 3000
TICKS = os.sysconf("SC_CLK_TCK")
PARTS = (b"one", b"two", b"three")


class Proxy(NamedTuple):
    """A tool: its program, how it is had, and what starts it (folder, port, app's port)."""

    name: str
    program: str
    get: str
    start: Callable[[Path, int, int], list[str]]


def reloader(folder: Path, port: int, app: int) -> list[str]:
    (folder / ".reload.toml").write_text(
        '[build]\nentrypoint = ["sleep", "1000"]\n'
        f"[proxy]\nenabled = true\nproxy_port = {port}\napp_port = {app}\n"
    )
    return [sys.executable, "-m", "reloader", "run"]


def air(folder: Path, port: int, app: int) -> list[str]:
    (folder / ".air.toml").write_text(
        'root = "."\n[build]\ncmd = "true"\nfull_bin = "sleep 1000"\n'
        f"[proxy]\nenabled = true\nproxy_port = {port}\napp_port = {app}\n"
    )
    return ["air"]


def templ(folder: Path, port: int, app: int) -> list[str]:
    (folder / "go.mod").write_text("module m\ngo 1.21\n")
    (folder / "a.templ").write_text("package m\n\ntempl a() {\n\t<p>a</p>\n}\n")
    return [
        *("templ", "generate", "--watch", f"--proxy=http://127.0.0.1:{app}"),
        *(f"--proxyport={port}", "--proxybind=127.0.0.1", "--open-browser=false"),
        "--cmd=sleep 1000",
    ]


def browser_sync(_: Path, port: int, app: int) -> list[str]:
    return [
        *("browser-sync", "start", f"--proxy=127.0.0.1:{app}", f"--port={port}"),
        *("--no-open", "--no-ui", "--no-notify", "--listen=127.0.0.1"),
    ]


def vite(folder: Path, port: int, app: int) -> list[str]:
    server = {"port": port, "host": "127.0.0.1", "strictPort": True}
    server["proxy"] = {"/": {"target": f"http://127.0.0.1:{app}"}}
    (folder / "vite.config.mjs").write_text(f"export default {json.dumps({'server': server})}\n")
    return ["vite"]


def nginx(folder: Path, port: int, app: int) -> list[str]:
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n"
        "events {}\nhttp { access_log off; keepalive_requests 100000;\n"
        "upstream app { server 127.0.0.1:"
        f"{app}; keepalive 16; }}\nserver {{ listen 127.0.0.1:{port}; location / {{\n"
        "proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection '';\n"
        "proxy_set_header Host $http_host; proxy_buffering off;\n"
        "proxy_request_buffering off; } } }\n"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


TOOLS = (
    Proxy("reloader", sys.executable, "", reloader),
    Proxy("nginx, unbuffered", "nginx", "apt-get install nginx-light", nginx),
    Proxy("Air", "air", "go install github.com/air-verse/air@latest", air),
    Proxy("templ", "templ", "go install github.com/a-h/templ/cmd/templ@latest", templ),
    Proxy("Vite", "vite", "npm install vite", vite),
    Proxy("browser-sync", "browser-sync", "npm install browser-sync", browser_sync),
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def stream_app() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                it, _ = listener.accept()
                with it, suppress(OSError):
                    it.recv(65536)
                    it.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                    for part in PARTS:
                        it.sendall(b"%x\r\n%s\r\n" % (len(part), part))
                        time.sleep(0.3)
                    it.sendall(b"0\r\n\r\n")

    threading.Thread(target=serve, daemon=True).start()
    return listener


class Running:
    """A tool at work before an app."""

    def __init__(self, tool: Proxy, app: int) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="proxy-"))
        self.port = free_port()
        command = tool.start(self.folder, self.port, app)
        self.process = subprocess.Popen(
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        end = time.monotonic() + 30
        while True:
            with suppress(OSError), self.connect() as it:
                if talk(it, request(b"/up", last=True), wait=2).statuses[:1] == [200]:
                    break
            if time.monotonic() > end:
                self.close()
                raise RuntimeError("it does not answer")
            time.sleep(0.05)

    def connect(self) -> socket.socket:
        it = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        it.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return it

    def pids(self) -> list[int]:
        """The process and those below it, without the app."""
        found = [self.process.pid]
        for pid in found:
            with suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
                    found += [int(child) for child in children if int(child) not in found]
        return [pid for pid in found if "sleep" not in name_of(pid)]

    def cpu(self) -> float:
        """Seconds of user and system time so far."""
        total = 0
        for pid in self.pids():
            with suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def memory(self) -> int:
        """Resident MB."""
        total = 0
        for pid in self.pids():
            with suppress(OSError):
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
        return round(total / 1e6)

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return ""


def request(path: bytes, *, last: bool = False) -> bytes:
    ends = b"Connection: close\r\n" if last else b""
    return b"GET " + path + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + ends + b"\r\n"


def torture(running: Running, backend: Backend) -> int:
    """The messages that are carried or refused as they should be."""
    good = 0
    for name, message in REFUSED.items():
        backend.seen.clear()
        with suppress(OSError), running.connect() as it:
            said = talk(it, message, wait=1)
            refused = bool(said.statuses) and 400 <= said.statuses[0] < 506
            good += refused and b"/smuggled" not in backend.seen and bool(name)
    for parts, holds in CARRIED.values():
        backend.seen.clear()
        with suppress(OSError), running.connect() as it:
            good += bool(holds(talk(it, *parts, wait=1), bytes(backend.seen)))
    return good


def latency(running: Running) -> tuple[float, float, float]:
    """(Median ms, 99 % ms, CPU µs a request) of requests one after the other."""
    took = []
    with running.connect() as it:
        for n in range(REQUESTS + 200):
            if n == 200:  # it is warm
                before = running.cpu()
            begin = time.perf_counter()
            it.sendall(request(b"/x"))
            data = b""
            while not data.endswith(b"ok"):
                more = it.recv(65536)
                if not more:
                    raise ConnectionError
                data += more
            took.append(time.perf_counter() - begin)
    cpu = (running.cpu() - before) / REQUESTS * 1e6
    took = took[200:]
    return statistics.median(took) * 1e3, statistics.quantiles(took, n=100)[98] * 1e3, cpu


def streams(tool: Proxy) -> str:
    """The times in s at which the three parts come."""
    listener = stream_app()
    running = None
    try:
        running = Running(tool, listener.getsockname()[1])
        with running.connect() as it:
            begin, data, times = time.monotonic(), b"", []
            it.sendall(request(b"/stream", last=True))
            while len(times) < len(PARTS):
                more = it.recv(65536)
                if not more:
                    break
                data += more
                while len(times) < len(PARTS) and PARTS[len(times)] in data:
                    times.append(time.monotonic() - begin)
        return " ".join(f"{at:.1f}" for at in times)
    except (OSError, RuntimeError):
        return "none"
    finally:
        if running:
            running.close()
        listener.close()


def row(tool: Proxy, rounds: int) -> str:
    backend = Backend()
    running = None
    try:
        running = Running(tool, backend.port)
        runs = [latency(running) for _ in range(rounds)]
        median, late, cpu = (min(values) for values in zip(*runs, strict=True))
        memory = running.memory()
        good = torture(running, backend)
    except (OSError, RuntimeError) as error:
        return f"| {tool.name} | {error} | | | | | |"
    finally:
        if running:
            running.close()
        backend.close()
    count = f"{good} of {len(REFUSED) + len(CARRIED)}"
    numbers = f"{median:.2f} | {late:.2f} | {cpu:.0f} | {memory}"
    return f"| {tool.name} | {count} | {numbers} | {streams(tool)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="tools; all if none is named")
    parser.add_argument("-n", type=int, default=2, help="rounds; the best one counts")
    args = parser.parse_args()
    print("| | messages right | ms, median | ms, 99 % | CPU µs a request | MB | parts at s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for tool in TOOLS:
        if args.names and not any(name.lower() in tool.name.lower() for name in args.names):
            continue
        if not shutil.which(tool.program):
            print(f"{tool.name}: not found ({tool.get})", file=sys.stderr)
            continue
        print(row(tool, args.n), flush=True)


if __name__ == "__main__":
    main()
