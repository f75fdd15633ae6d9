"""A web page that tells when and as which process it was started. Standard library only."""

from __future__ import annotations

import os
import signal
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template

MESSAGE = "Hello! Change me and save: this page changes by itself."

PAGE = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
STARTED = datetime.now().astimezone().strftime("%H:%M:%S.%f")[:-3]
answering = threading.Lock()  # held while a page is sent, so that it is whole when we end


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = PAGE.substitute(message=MESSAGE, pid=os.getpid(), started=STARTED).encode()
        with answering:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)


def end(*_: object) -> None:
    raise SystemExit


def main() -> None:
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    port = int(os.environ.get("PORT", "8000"))
    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        finally:
            answering.acquire(timeout=1)


if __name__ == "__main__":
    main()
