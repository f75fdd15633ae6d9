"""A stage on which tools are compared: a project, a tool at work in it, a save, a stamp.

The app writes the time of its first instruction into a FIFO that the driver holds open, so nothing
is polled while a figure is taken.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.tools import PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.tools import Tool

HERE = Path(__file__).parent
PATIENCE = 10.0  # seconds for a start; more is a failure of the tool, or of ours


@dataclass(frozen=True)
class Stamp:
    """An app has begun: when (CLOCK_MONOTONIC, nanoseconds), its pid, and what it found.

    `version`: the CRC-32 of main.py as the app has read it.
    """

    at: int
    pid: int
    version: int


def make_app(folder: Path) -> list[str]:
    """A static C program; Python where no compiler is."""
    program = folder / "stamp"
    for static in (["-static"], []):
        command = ["cc", "-w", "-O2", *static, "-o", str(program), str(HERE / "stamp.c")]
        if shutil.which("cc") and not subprocess.run(command, check=False).returncode:
            return [str(program)]
    print("no C compiler: a Python app takes the time, some 10 ms later", file=sys.stderr)
    return [sys.executable, "-IS", str(HERE / "stamp.py")]


def end_tidily() -> None:
    """SIGTERM unwinds as Ctrl-C does: no tool and no folder is left."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


class Stage:
    """A small project of 60 sources in 20 folders for one tool, and a way to run it."""

    def __init__(self, tool: Tool, top: Path, app: list[str]) -> None:
        self.tool = tool
        self.folder = Path(tempfile.mkdtemp(prefix="stage-", dir=top))
        self._fifo = self.folder.with_suffix(".fifo")
        os.mkfifo(self._fifo)
        self._stamps = os.open(self._fifo, os.O_RDWR | os.O_NONBLOCK)
        self._rest = b""
        self._edits = 0
        self.main = self.folder / "main.py"
        self.app = [*app, str(self._fifo), str(self.main)]
        self.process: subprocess.Popen[bytes] | None = None
        self._fill()

    def _fill(self) -> None:
        self.main.write_text("edit = 0\n")
        for index in range(60):
            path = self.folder / f"package{index % 20}" / f"module{index}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text("pass\n")

    # --- the tool ---

    def start(self, stdout: int = subprocess.DEVNULL) -> float:
        """Milliseconds from the tool's start to the app's first instruction."""
        with tempfile.TemporaryFile() as stdin:
            stdin.write(self.tool.prepare(self.folder, self.app).encode())
            stdin.seek(0)
            begun = time.monotonic_ns()
            self.process = subprocess.Popen(
                self.tool.argv(self.folder, self.app),
                cwd=self.folder,
                env=_environ(),
                stdin=stdin,
                stdout=stdout,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        return (self.stamp().at - begun) / 1e6

    def wait_until_it_watches(self) -> None:
        """A tool watches when a save makes it start the app anew."""
        for _ in range(20):
            self.save()
            if self.stamps(within=2):
                break
        else:
            raise RuntimeError(f"{self.tool.name} starts nothing after a save")
        while self.stamps(within=1.2):  # Air's default delay is 1 s
            pass

    @property
    def ended(self) -> bool:
        """By itself, as some tools do."""
        return self.process is not None and self.process.poll() is not None

    def stop(self) -> None:
        """However the tool takes it, nothing of it is left."""
        if self.process is None:
            return
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(3)
        for pid in [*self.pids(), *self._apps()]:
            _kill(pid)
        self.process.kill()
        self.process.wait()
        self.process = None
        self.stamps(within=0)

    def close(self) -> None:
        self.stop()
        os.close(self._stamps)

    def pids(self) -> list[int]:
        """The tool's processes: its session, and what descends from it; not the app's."""
        leader = self.process.pid if self.process else 0
        family = {leader}
        for pid, parent, session in sorted(_processes()):
            if parent in family or leader in (pid, session):
                family.add(pid)
        return sorted(family - {0} - set(self._apps()))

    def _apps(self) -> list[int]:
        """Each process with the app's very command; some tools lose one when they end."""
        mine = [os.fsencode(word) for word in self.app]
        return [pid for pid, *_ in _processes() if _command(pid)[: len(mine)] == mine]

    # --- saves and stamps ---

    def save(self) -> int:
        """Atomically, as most editors do; the moment at which the new text is there."""
        self._edits += 1
        temporary = self.folder / "main.py~"
        temporary.write_text(f"edit = {self._edits}\n")
        now = time.monotonic_ns()
        temporary.replace(self.main)
        return now

    def stamp(self) -> Stamp:
        """The next start of the app."""
        if stamps := self.stamps(within=PATIENCE):
            return stamps[0]
        raise RuntimeError(f"{self.tool.name}: the app was not started within {PATIENCE} s")

    def stamps(self, within: float) -> list[Stamp]:
        """What has been started by now; if nothing, the first within so many seconds."""
        select.select([self._stamps], [], [], within)
        try:
            self._rest += os.read(self._stamps, 65536)
        except BlockingIOError:
            return []
        *lines, self._rest = self._rest.split(b"\n")
        return [Stamp(*map(int, line.split())) for line in lines]


def _environ() -> dict[str, str]:
    """Ours; but Python may keep what it has compiled, as of a tool that was installed."""
    environ = {**os.environ, "PATH": PATH}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return environ


def _processes() -> Iterator[tuple[int, int, int]]:
    """(pid, parent, session) of each process."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        yield int(entry.parent.name), int(fields[1]), int(fields[3])


def _command(pid: int) -> list[bytes]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
