"""Makes the pictures of docs/browser.md from a real run: `make pictures`."""

from __future__ import annotations

import json
import socket
import sys
import tempfile
from pathlib import Path

from tests.browser.chromium import Chromium, program
from tests.helpers.project import Project
from tests.helpers.until import until

IMAGES = Path(__file__).parents[2] / "docs" / "images"
APP = """\
import http.server
import users

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        page = open("page.html", "rb").read()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_):
        pass

users.load({"name": "Ada"})
http.server.ThreadingHTTPServer.allow_reuse_address = True
http.server.ThreadingHTTPServer(("127.0.0.1", int(open("port").read())), Handler).serve_forever()
"""
PAGE = """<!doctype html><html><head><title>Shop</title><style>
body { font: 18px/1.6 system-ui, sans-serif; max-width: 42rem; margin: 4rem auto; color: #223 }
input { font: inherit; padding: .3rem .6rem } .card { border: 1px solid #ccd; border-radius: 8px;
padding: 1rem 1.5rem; margin: 1rem 0 }</style></head><body><h1>A small shop</h1>
<p><input value="what was typed stays"></p>
<div class="card"><b>Teapot</b><br>Short and stout.</div>
<div class="card"><b>Kettle</b><br>Boils in a minute.</div></body></html>"""
GOOD = 'def load(row):\n    """Returns the name of a user."""\n    return row["name"].strip()\n'
BAD = GOOD.replace('row["name"]', 'row["nmae"]')


def main() -> int:
    if not program():
        print("no Chromium is installed", file=sys.stderr)
        return 1
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        other.close()
        project = Project(Path(folder))
        project.write("port", str(port))
        project.write("page.html", PAGE)
        project.write("users.py", GOOD)
        project.write("app.py", APP)
        project.config(
            '[build]\nentrypoint = ["python3", "app.py"]\ninclude_ext = ["py", "html"]\n'
            f"[proxy]\nenabled = true\napp_port = {port}\n"
        )
        run = project.run()
        url = run.wait_for("proxy.started")["url"]
        run.wait_for("app.ready")
        chromium = Chromium()
        try:
            _take(project, run, chromium, url)
        finally:
            chromium.close()
            project.close()
    return 0


def _take(project, run, chromium, url: str) -> None:
    page = chromium.page(url)
    for n in range(8):
        project.save("page.html", PAGE.replace("minute", f"minute or {n + 2}"))
        run.wait_for("app.ready")
    page.wait("document.readyState === 'complete'")
    project.save("users.py", BAD)
    run.wait_for("app.exited")
    card = "document.querySelector('reloader-overlay').shadowRoot.querySelector('.card')"
    page.wait(f"{card} !== null")
    _write("overlay-card.png", page)
    page.run(f"{card}.querySelector('button').click()")
    _write("overlay.png", page)
    dashboard = chromium.page(url + "/__reloader/")
    dashboard.wait("document.getElementById('troubles').textContent !== ''")
    _write("dashboard-broken.png", dashboard)
    project.save("users.py", GOOD)
    run.wait_for("app.ready")
    dashboard.wait("document.getElementById('state').textContent === 'live'")
    _write("dashboard.png", dashboard)
    dashboard.dark(on=True)
    until(
        lambda: (
            json.dumps(dashboard.run("matchMedia('(prefers-color-scheme: dark)').matches"))
            == "true"
        )
    )
    _write("dashboard-dark.png", dashboard)


def _write(name: str, page) -> None:
    (IMAGES / name).write_bytes(page.screenshot())
    print(f"docs/images/{name}")


if __name__ == "__main__":
    sys.exit(main())
