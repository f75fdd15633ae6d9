"""Apps that are reloaded under load: each answers its version, works 10 ms, and streams events.

None has a line of its own for reloads; Go and Node die at SIGTERM at once.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FASTAPI = """
import asyncio
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse
VERSION = "@"
app = FastAPI()
@app.get("/")
async def root():
    await asyncio.sleep(0.01)
    return PlainTextResponse(VERSION)
@app.get("/events")
async def events():
    async def stream():
        while True:
            yield "data: x\\n\\n"
            await asyncio.sleep(0.1)
    return StreamingResponse(stream(), media_type="text/event-stream")
"""

FLASK = """
import time
from flask import Flask, Response
VERSION = "@"
app = Flask(__name__)
@app.get("/")
def root():
    time.sleep(0.01)
    return VERSION
@app.get("/events")
def events():
    def stream():
        while True:
            yield "data: x\\n\\n"
            time.sleep(0.1)
    return Response(stream(), mimetype="text/event-stream")
"""

EXPRESS = """
const express = require("express"), app = express(), VERSION = "@"
app.get("/", (_, r) => setTimeout(() => r.send(VERSION), 10))
app.get("/events", (_, r) => { r.type("text/event-stream"); setInterval(() => r.write("data: x\\n\\n"), 100) })
app.listen(+process.env.PORT, "127.0.0.1")
"""

GO = """package main

import ("fmt"; "net/http"; "os"; "time")

const version = "@"

func main() {
    http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
        time.Sleep(10 * time.Millisecond); fmt.Fprint(w, version) })
    http.HandleFunc("/events", func(w http.ResponseWriter, r *http.Request) {
        w.Header().Set("Content-Type", "text/event-stream")
        for { fmt.Fprint(w, "data: x\\n\\n"); w.(http.Flusher).Flush(); time.Sleep(100 * time.Millisecond) } })
    if err := http.ListenAndServe("127.0.0.1:" + os.Getenv("PORT"), nil); err != nil { panic(err) }
}
"""


@dataclass(frozen=True)
class App:
    """A kind of app; `run` and the tools' own words may hold PORT."""

    name: str
    needs: str  # a program on the PATH
    file: str
    source: str
    run: str  # the command line that runs it
    build: str = ""
    files: tuple[tuple[str, str], ...] = ()

    def missing(self, path: str) -> str:
        """The program that it takes and that is not here; "" if all is."""
        return "" if shutil.which(self.needs, path=path) else self.needs

    def save(self, folder: Path, version: int) -> None:
        """Atomically, as editors do."""
        fresh = folder / f".{self.file}.new"
        fresh.write_text(self.source.replace('"@"', f'"{version}"'))
        fresh.replace(folder / self.file)


APPS = (
    App(
        "FastAPI", "uvicorn", "app.py", FASTAPI, "uvicorn app:app --port PORT --log-level critical"
    ),
    App("Flask", "flask", "app.py", FLASK, "flask run --port PORT"),
    App("Express", "node", "app.js", EXPRESS, "node app.js"),
    App(
        "Go",
        "go",
        "main.go",
        GO,
        "./tmp/main",
        "go build -o ./tmp/main .",
        (("go.mod", "module app\n\ngo 1.21\n"),),
    ),
)


@dataclass(frozen=True)
class Swapper:
    """A tool that reloads an app; RUN and BUILD stand for the app's commands."""

    name: str
    needs: str
    command: str
    apps: tuple[str, ...] = ("FastAPI", "Flask", "Express", "Go")
    env: tuple[tuple[str, str], ...] = ()
    air: bool = False

    def line(self, app: App, port: int) -> str:
        build = f"{app.build} && " if app.build and "BUILD" in self.command else ""
        line = self.command.replace("BUILD", build).replace("RUN", app.run)
        return line.replace("PORT", str(port))


OURS = "reloader run"
SWAPPERS = (
    Swapper("reloader, replace", "reloader", OURS),
    Swapper("reloader, overlap", "reloader", OURS, env=(("RELOADER_SWAP_MODE", "overlap"),)),
    Swapper("reloader, hold off", "reloader", OURS, env=(("RELOADER_SWAP_HOLD", "off"),)),
    Swapper("uvicorn --reload", "uvicorn", "RUN --reload", ("FastAPI",)),
    Swapper("flask --debug", "flask", "flask run --debug --port PORT", ("Flask",)),
    Swapper(
        "gunicorn --reload",
        "gunicorn",
        "gunicorn --reload --threads 24 --log-level critical -b 127.0.0.1:PORT app:app",
        ("Flask",),
    ),
    Swapper("Air", "air", "air", air=True),
    Swapper(
        "nodemon",
        "nodemon",
        "nodemon --quiet --watch . --ext py,js,go --ignore tmp --exec 'BUILDRUN'",
        ("FastAPI", "Flask", "Express"),
    ),
    Swapper(
        "watchexec",
        "watchexec",
        "watchexec --quiet --restart --exts py,js,go 'BUILDexec RUN'",
    ),
)
