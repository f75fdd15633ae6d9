"""Servers of many kinds: each says its name to whoever asks, and has no code of its own for swaps."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = (sys.executable, "-IS", "-c")

ACCEPT = """
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[2])))
while True:
    c, _ = s.accept(); c.recv(999); c.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + sys.argv[1].encode()); c.close()
"""

SELECT = """
import select, socket, sys
s = socket.create_server(("0.0.0.0", int(sys.argv[2])))
s.setblocking(False)
while True:
    select.select([s], [], [])
    try: c, _ = s.accept()
    except BlockingIOError: continue
    c.recv(999); c.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + sys.argv[1].encode()); c.close()
"""

HTTP_SERVER = """
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(sys.argv[1].encode())
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), H).serve_forever()
"""

ASYNCIO = """
import asyncio, sys
async def serve(r, w):
    await r.readline()
    w.write(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + sys.argv[1].encode()); await w.drain(); w.close()
async def main():
    async with await asyncio.start_server(serve, None, int(sys.argv[2])) as it: await it.serve_forever()
asyncio.run(main())
"""

WORKERS = """
import os, signal, socket, sys
s = socket.socket(); s.setsockopt(1, 2, 1); s.bind(("127.0.0.1", int(sys.argv[2])))
if os.fork():
    signal.pause()
s.listen(64)
while True:
    c, _ = s.accept(); c.recv(999); c.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + sys.argv[1].encode()); c.close()
"""

NODE = """
require("http").createServer((_, r) => { r.setHeader("Connection", "close"); r.end(process.argv[1]) })
  .listen(+process.argv[2])
"""

GO = """package main

import ("fmt"; "net/http"; "os")

func main() {
    http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
        w.Header().Set("Connection", "close"); fmt.Fprint(w, os.Args[1]) })
    if err := http.ListenAndServe(":"+os.Args[2], nil); err != nil { panic(err) }
}
"""

RUST = """
use std::io::{Read, Write};
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let l = std::net::TcpListener::bind(format!("127.0.0.1:{}", a[2])).unwrap();
    for s in l.incoming() { let mut s = s.unwrap(); let mut b = [0; 999]; let _ = s.read(&mut b);
        let _ = s.write_all(format!("HTTP/1.0 200 OK\\r\\n\\r\\n{}", a[1]).as_bytes()); }
}
"""

JAVA = """
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class Server {
    public static void main(String[] a) throws Exception {
        HttpServer s = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(a[1])), 0);
        s.createContext("/", x -> { byte[] b = a[0].getBytes(); x.getResponseHeaders().set("Connection", "close");
            x.sendResponseHeaders(200, b.length); x.getResponseBody().write(b); x.close(); });
        s.start();
    }
}
"""


class Kind(NamedTuple):
    """How to start one; the name and the port are the last two arguments."""

    name: str
    needs: str  # a program; "": none but Python
    source: str
    file: str = ""  # where the source goes, before it is built
    build: tuple[str, ...] = ()
    run: tuple[str, ...] = ()

    def argv(self, folder: Path) -> tuple[str, ...] | None:
        """Build it in a folder; None if the machine can't."""
        if self.needs and not (program := shutil.which(self.needs)):
            return None
        if not self.file:
            return (program, "-e", self.source, "--") if self.needs else (*PYTHON, self.source)
        (folder / self.file).write_text(self.source)
        if self.build:
            made = subprocess.run(
                self.build, cwd=folder, capture_output=True, text=True, timeout=300, check=False
            )
            assert made.returncode == 0, made.stderr
        first, *rest = self.run
        return (shutil.which(first, path=f"{folder}:/usr/bin:/bin") or first, *rest)


KINDS = (
    Kind("accept", "", ACCEPT),
    Kind("select", "", SELECT),
    Kind("http.server", "", HTTP_SERVER),
    Kind("asyncio", "", ASYNCIO),
    Kind("workers", "", WORKERS),
    Kind("node", "node", NODE),
    Kind(
        "go",
        "go",
        GO,
        "main.go",
        ("env", "CGO_ENABLED=0", "go", "build", "-o", "app", "main.go"),
        ("app",),
    ),
    Kind("rust", "rustc", RUST, "app.rs", ("rustc", "-o", "app", "app.rs"), ("app",)),
    Kind(
        "java",
        "java",
        JAVA,
        "Server.java",
        ("javac", "Server.java"),
        ("java", "-cp", ".", "Server"),
    ),
)
