"""The proxy from outside: an app behind it is restarted, broken and mended."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from tests.helpers.project import PYTHON, until

if TYPE_CHECKING:
    from tests.helpers.project import Project, Run

APP = """\
import http.server, os, sys, time
PORT = int(open("port").read() or 0)
time.sleep(BOOT)
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"<!doctype html><html><head></head><body>VERSION</body></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


class Site:
    """A project behind the proxy."""

    def __init__(self, project: Project, free_port: int, more: str = "") -> None:
        self.project = project
        project.write("port", str(free_port))
        project.config(
            f"[build]\nentrypoint = {json.dumps([*PYTHON, 'app.py'])}\ninclude_ext = ['py']\n"
            f"[proxy]\nenabled = true\napp_port = {free_port}\n{more}"
        )

    def save(self, version: str, boot: float = 0.0) -> None:
        text = APP.replace("VERSION", version).replace("BOOT", str(boot))
        self.project.save("app.py", text)

    def run(self) -> Run:
        self.run_ = self.project.run()
        self.url = self.run_.wait_for("proxy.started")["url"]
        return self.run_

    def ask(self, path: str = "/", data: bytes | None = None, **fields: str) -> tuple[int, str]:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        asked = urllib.request.Request(self.url + path, data, headers)
        try:
            with urllib.request.urlopen(asked, timeout=20) as said:
                return said.status, said.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


def test_a_request_waits_for_the_first_start(project: Project, free_port: int) -> None:
    """It is asked before the app listens, and answered by it; a page carries the script."""
    site = Site(project, free_port)
    site.save("one", boot=0.3)
    site.run()
    status, page = site.ask(Accept="text/html")
    assert status == 200
    assert "one" in page and '<head><script src="/__reloader/client.js"></script>' in page


def test_no_request_is_lost_in_restarts(project: Project, free_port: int) -> None:
    """Clients that GET and POST all the time see no error while the app restarts."""
    site = Site(project, free_port)
    site.save("v0")
    run = site.run()
    run.wait_for("app.ready")
    ended, wrong, counts = threading.Event(), [], []

    def ask(data: bytes | None) -> None:
        asked = 0
        while not ended.is_set():
            status, text = site.ask(data=data)
            asked += 1
            if status != 200 or "<body>v" not in text:
                wrong.append((status, text))
        counts.append(asked)

    threads = [threading.Thread(target=ask, args=(data,)) for data in (None, None, b"x", b"y")]
    for thread in threads:
        thread.start()
    for n in range(1, 6):
        site.save(f"v{n}", boot=0.1)
        run.wait_for("app.ready", generation=n + 1)
    ended.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert min(counts) > 5
    assert "v5" in site.ask()[1]


def test_a_crash_is_told_and_mended(project: Project, free_port: int) -> None:
    """A broken app is a 503 with its reason; the next good save answers again."""
    site = Site(project, free_port)
    site.save("good")
    run = site.run()
    run.wait_for("app.ready")
    project.save("app.py", "raise SystemExit(3)")
    run.wait_for("app.exited")
    until(lambda: site.ask()[0] == 503)
    told = json.loads(site.ask()[1])
    assert told["error"] == "exit 3"
    status = json.loads(site.ask("/__reloader/status")[1])
    assert [one["title"] for one in status["troubles"]] == ["the app ended: exit 3"]
    site.save("mended")
    run.wait_for("app.ready")
    until(lambda: "mended" in site.ask()[1])
    until(lambda: json.loads(site.ask("/__reloader/status")[1])["troubles"] == [])


def test_the_dashboard_restarts_the_app(project: Project, free_port: int) -> None:
    """What a button asks for is done."""
    site = Site(project, free_port)
    site.save("one")
    run = site.run()
    run.wait_for("app.ready")
    fields = {"Origin": site.url, "X_Reloader": "1"}
    assert site.ask("/__reloader/do/restart", b"", **fields)[0] == 202
    run.wait_for("app.ready", generation=2)


def test_the_proxy_follows_its_config(project: Project, free_port: int) -> None:
    """It opens when it is enabled in an edited config, and closes when it is not."""
    site = Site(project, free_port)
    site.save("one")
    config = (project.folder / ".reload.toml").read_text(encoding="utf-8")
    project.config(config.replace("enabled = true", "enabled = false"))
    run = project.run()
    run.wait_for("watch.started")
    assert run.events("proxy.started") == []
    project.config(config)
    site.url = run.wait_for("proxy.started")["url"]
    until(lambda: "one" in site.ask()[1])
    project.config(config.replace("enabled = true", "enabled = false"))
    run.wait_for("config.changed")

    def is_closed() -> bool:
        try:
            site.ask()
        except OSError:
            return True
        return False

    until(is_closed)


def test_a_port_that_is_taken_is_told(project: Project, free_port: int) -> None:
    """With its owner; the app runs all the same."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        site = Site(project, free_port, f"proxy_port = {port}\n")
        site.save("one")
        run = project.run()
        told = run.wait_for("warned")["text"]
        assert f"can't listen on 127.0.0.1:{port}" in told and "pid " in told
        run.wait_for("app.ready")
    run.wait_for("proxy.started")
