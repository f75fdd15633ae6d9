"""Pages of the docs as programs: files are saved, commands run, in the order of the text.

| block | what is done |
|---|---|
| any language with `title="PATH"` | the file is saved, as editors do; what runs sees it |
| `console` | a line after `$ ` is run; the other lines must be seen in its output |
| `console` that begins without `$ ` | these lines must come from what runs |
| `^C` in it | what runs is ended as by Ctrl-C, and must end with 0 |
| `toml` without a title | a config: it must have no error |

In the lines `…` stands for anything. A port of the page is replaced by a free one.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.helpers.until import until

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_FENCE = re.compile(
    r"^```(?P<language>[\w-]*)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_PORTS = re.compile(r"(?<=127\.0\.0\.1:)\d{4}|(?<=listen\()\d{4}")
DEADLINE = 120.0  # seconds: a first build may compile a standard library


class Block(NamedTuple):
    language: str
    title: str
    body: str


def blocks(text: str) -> list[Block]:
    return [Block(m["language"], m["title"] or "", m["body"]) for m in _FENCE.finditer(text)]


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


class Player:
    """Plays one page in a directory of its own. `path`: directories that go before the PATH."""

    def __init__(self, folder: Path, path: list[str]) -> None:
        self.folder = folder / "shop"
        self.folder.mkdir()
        self.out = folder / "output"
        self.cursor = 0
        self.running: subprocess.Popen[bytes] | None = None
        mine = [*path, str(Path(sys.executable).parent)]
        clean = {n: v for n, v in os.environ.items() if not n.startswith(("RELOADER_", "PYTHON"))}
        self.env = clean | {
            "PATH": os.pathsep.join([*mine, clean["PATH"]]),
            "COLUMNS": "100",
            "NO_COLOR": "1",
        }

    def play(self, text: str) -> None:
        try:
            for block in blocks(text):
                if block.title:
                    self.save(block.title, block.body)
                elif block.language == "console":
                    self.console(block.body.splitlines())
            if self.running:
                self.interrupt()
        finally:
            if self.running:
                self.running.kill()
                self.running.wait()

    def save(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".{path.name}.new~")
        fresh.write_text(text)
        fresh.replace(path)

    def console(self, lines: list[str]) -> None:
        steps: list[tuple[str, list[str]]] = [("", [])]
        for line in lines:
            if line.startswith("$ ") or line == "^C":
                steps.append((line, []))
            else:
                steps[-1][1].append(line)
        for command, expected in steps:
            if command == "^C":
                self.interrupt()
            elif command and self.running and not is_run(command[2:]):
                self.beside(command[2:], expected)
            elif command:
                self.start(command[2:], expected)
            elif expected:
                self.see(expected)

    def start(self, command: str, expected: list[str]) -> None:
        """Runs until the lines are there; a program that goes on then stays until ^C."""
        if self.running:
            self.interrupt()
        self.cursor = 0
        with self.out.open("wb") as out:
            self.running = subprocess.Popen(
                ["sh", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        if not is_run(command):
            status = self.running.wait(DEADLINE)
            self.running = None
            assert status == 0, self.report(f"{command}: exit status {status}")
            self.see(expected)
        else:
            self.see(expected or ["watching"])

    def beside(self, command: str, expected: list[str]) -> None:
        """Runs a short command while another program runs."""
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.env,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=DEADLINE,
        )
        assert done.returncode == 0, self.report(f"{command}: {done.stdout}")
        assert unseen(done.stdout, 0, expected)[0] == "", self.report(f"{command}: {done.stdout}")

    def see(self, expected: list[str]) -> None:
        """Waits until what runs has written these lines, in their order."""

        def missing() -> bool:
            missing, at = unseen(self.said, self.cursor, expected)
            if not missing:
                self.cursor = at
            return not missing

        try:
            until(missing, DEADLINE if self.running else 0.1)
        except AssertionError:
            line = unseen(self.said, self.cursor, expected)[0]
            raise AssertionError(self.report(f"not seen: {line}")) from None

    def interrupt(self) -> None:
        assert self.running, "nothing runs"
        os.killpg(self.running.pid, signal.SIGINT)
        status = self.running.wait(DEADLINE)
        self.running = None
        assert status == 0, self.report(f"exit status {status} after Ctrl-C")

    @property
    def said(self) -> str:
        return self.out.read_text(errors="replace")

    def report(self, what: str) -> str:
        return f"{what}\n--- output\n{self.said}"


def is_run(command: str) -> bool:
    """Tells if the command is one that goes on until Ctrl-C."""
    words = command.split()
    short = ("check", "explain", "doctor", "init", "healthcheck", "help", "completion", "--version")
    short += ("status", "wait", "logs", "restart", "build", "stop", "pause", "resume")
    return words[0] == "reloader" and (len(words) == 1 or words[1] not in short)


def unseen(text: str, begin: int, expected: list[str]) -> tuple[str, int]:
    """The first line that is not in the text, "" if all are; and where the last of them ends.

    Their order is not looked at: a build and the first look at the files are at work at once.
    """
    end = begin
    for line in expected:
        pattern = r"[^\n]*?".join(re.escape(part.strip()) for part in line.split("…"))
        found = re.compile(pattern).search(text, begin)
        if not found:
            return line, end
        end = max(end, found.end())
    return "", end


def with_free_ports(text: str) -> tuple[str, dict[str, str]]:
    """The page with other ports, and which was replaced by which."""
    ports = {port: str(free_port()) for port in dict.fromkeys(_PORTS.findall(text))}
    for old, new in ports.items():
        text = re.sub(rf"\b{old}\b", new, text)
    return text, ports
