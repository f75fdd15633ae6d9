"""The pictures of terminals in docs/images, each from a real run on a terminal of its own.

    make screens                # all
    make screens ARGS=reload    # one

A scene is a project, and what a person does in it: a command is typed, a line is waited for, a file
is saved. What the terminal then shows is drawn as an SVG. Needs Go for two of the scenes.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path
from typing import NamedTuple

import pyte
from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parents[1] / "docs/images"
COLUMNS = 110
DEADLINE = 90.0  # seconds for one line: a first build may compile a standard library
QUIET = 0.7  # seconds without output before the picture is taken


# Colours, titles, and where the cursor goes: not what is said.
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\a\x1b]*(\a|\x1b\\)|[78])")


class Save(NamedTuple):
    """A file is saved."""

    path: str
    text: str


class See(NamedTuple):
    """What matches is waited for, since the last save."""

    pattern: str


class Scene(NamedTuple):
    name: str
    files: dict[str, str]
    command: str
    steps: tuple[Save | See, ...]
    rows: int = 40  # of the terminal; a build that runs is shown in the last one


GO_MOD = "module example.com/shop\n\ngo 1.21\n"
GO = """package main

import (
	"fmt"
	"net/http"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello world")
	})
	http.ListenAndServe("127.0.0.1:8080", nil)
}
"""
GO_NEW = GO.replace("hello world", "hello reloader")
GO_BROKEN = GO_NEW.replace('"hello reloader"', "greeting")
PAGE = """from http.server import BaseHTTPRequestHandler, HTTPServer


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello world")


print("shop is open")
HTTPServer(("127.0.0.1", 8080), Page).serve_forever()
"""
WORKER = """import time

print("waiting for jobs")
while True:
    time.sleep(60)
"""
SLOW = """build:
	@echo compiling 214 packages
	@sleep 6
	go build -o server server.go
"""
CONFIG = '[build]\ncmd = "make build"\nbin = "./server"\n'
WATCHING = See(r"watching \d+")
READY = See(r"ready .*http")
RELOADED = See(r"reloaded .*http")
FAILED = See(r"build +failed")
SCENES = (
    Scene("start", {"app.py": PAGE}, "reloader", (WATCHING, READY)),
    Scene(
        "reload",
        {"main.go": GO, "go.mod": GO_MOD},
        "reloader",
        (
            READY,
            Save("main.go", GO_NEW),
            RELOADED,
            Save("main.go", GO_BROKEN),
            FAILED,
            See(r"> +\d+"),
            Save("main.go", GO_NEW),
            RELOADED,
        ),
    ),
    Scene(
        "long-build",
        {"server.go": GO, "Makefile": SLOW, ".reload.toml": CONFIG},
        "reloader",
        (See("compiling"), See(r"(?m)^build .*\b2 ?s")),
        rows=12,
    ),
    Scene(
        "failed-build",
        {"main.go": GO, "go.mod": GO_MOD},
        "reloader",
        (READY, Save("main.go", GO_BROKEN), FAILED, See(r"> +\d+")),
    ),
    Scene(
        "two-apps",
        {"api/app.py": PAGE, "worker/app.py": WORKER},
        "reloader api worker",
        (
            See("shop is open"),
            See("waiting for jobs"),
            See(r"watching[\s\S]*watching"),
            Save("worker/app.py", WORKER.replace("waiting for", "looking for")),
            See("looking for jobs"),
        ),
    ),
)


class Terminal:
    """A real terminal with a program in it, and what it shows."""

    def __init__(self, folder: Path, command: str, rows: int) -> None:
        self.screen = pyte.Screen(COLUMNS, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.said = ""
        self.cursor = 0
        self.stream.feed(f"\x1b[1m$ {command}\x1b[0m\r\n".encode())
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, COLUMNS, 0, 0))
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        left_out = ("RELOADER_", "PYTHON", "NO_COLOR", "COLUMNS", "LINES")
        env = {n: v for n, v in os.environ.items() if not n.startswith(left_out)}
        env |= {"PATH": path, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command.split()],
            cwd=folder,
            env=env,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)

    def read(self, seconds: float) -> bool:
        """Takes in what is written within that time; returns False if there is nothing."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 1 << 16)
        except OSError:  # the program has ended
            return False
        self.stream.feed(data)
        self.said += _ESCAPES.sub("", data.decode(errors="replace"))
        return bool(data)

    def see(self, pattern: str) -> None:
        until = time.monotonic() + DEADLINE
        while not re.search(pattern, self.said[self.cursor :] + "\n".join(self.screen.display)):
            self.read(0.1)
            if time.monotonic() > until or self.process.poll() is not None:
                raise TimeoutError(f"no {pattern!r} in\n{self.said}")

    def end(self) -> None:
        os.write(self.master, b"\x03")
        until = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < until:
            self.read(0.1)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.master)


def play(scene: Scene) -> str:
    """Plays a scene; returns the picture of its end."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "shop"
        for name, text in scene.files.items():
            save(folder / name, text)
        terminal = Terminal(folder, scene.command, scene.rows)
        try:
            for step in scene.steps:
                match step:
                    case Save(path, text):
                        pause(terminal)
                        terminal.cursor = len(terminal.said)
                        save(folder / path, text)
                    case See(pattern):
                        terminal.see(pattern)
            if scene.name != "long-build":
                pause(terminal)
            return picture(terminal.screen)
        finally:
            terminal.end()


def pause(terminal: Terminal) -> None:
    """Waits until the terminal is at rest."""
    while terminal.read(QUIET):
        pass


def save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new~")
    fresh.write_text(text)
    fresh.replace(path)


def picture(screen: pyte.Screen) -> str:
    """Returns the screen as an SVG that needs nothing from elsewhere."""
    lines = [line_of(screen, row) for row in range(screen.lines)]
    while lines and not lines[-1].plain.strip():
        lines.pop()
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, color_system="truecolor")
        console.print(Text("\n").join(lines))
        svg = console.export_svg(title="shop", unique_id="reloader")
    svg = re.sub(r"\s*@font-face \{.*?\}\n", "\n", svg, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;]*;", "font-family: ui-monospace, Menlo, monospace;", svg)
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def line_of(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[row][column]
        style = [word for word, is_on in (("bold", cell.bold), ("italic", cell.italics)) if is_on]
        if cell.fg != "default":
            style.append(colour(cell.fg))
        text.append(cell.data, " ".join(style))
    text.rstrip()
    return text


def colour(name: str) -> str:
    """pyte calls yellow brown, and has hexadecimal digits for the rest."""
    name = name.replace("brown", "yellow").replace("bright", "bright_")
    return f"#{name}" if re.fullmatch(r"[0-9a-f]{6}", name) else name


def main() -> int:
    """Draws the scenes that are named, or all."""
    for scene in SCENES:
        if sys.argv[1:] and scene.name not in sys.argv[1:]:
            continue
        target = IMAGES / f"{scene.name}.svg"
        print(f"{target.name} …", flush=True)
        target.write_text(play(scene))
    return 0


if __name__ == "__main__":
    sys.exit(main())
