"""Children with what a test needs around them: their words, the facts, and a look for leftovers."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reloader.command.parse import Command, parse_line
from reloader.core.facts import ProcessExited, TreeEmptied
from reloader.process.children import (
    Children,
    SpawnError,  # noqa: F401 -- for programs
)
from reloader.process.mark import new_run, ticket_in
from reloader.process.orphans import become_subreaper  # noqa: F401 -- for programs
from reloader.process.spec import NULL, SpawnSpec
from tests.helpers.until import until

if TYPE_CHECKING:
    from reloader.core.facts import Fact

ROOT = Path(__file__).parent.parent.parent
CHILD = str(Path(__file__).parent.parent / "helpers" / "child.py")
PYTHON = (sys.executable, "-IS")


def child(verbs: str) -> Command:
    return Command((*PYTHON, CHILD, *verbs.split()), (), "child")


class Ear:
    """Lines from a descriptor, in whatever order the test wants them."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)
        self.lines: list[str] = []  # not asked for yet
        self._rest = b""

    def hear(self, word: str, timeout: float = 10.0) -> int:
        """Wait for a line that begins with `word`; the number it ends with, or 0."""
        deadline = time.monotonic() + timeout
        while not (line := next((x for x in self.lines if x.startswith(word)), None)):
            left = deadline - time.monotonic()
            assert left > 0, f"no {word}: {self.lines} {self._rest!r}"
            if not self.listen(left):
                raise AssertionError(f"ended without {word}: {self.lines} {self._rest!r}")
        self.lines.remove(line)
        last = line.split()[-1]
        return int(last) if last.isdigit() else 0

    def listen(self, timeout: float) -> bool:
        """Take in what comes within so many seconds; False if nothing will come any more."""
        if not select.select([self._descriptor], [], [], timeout)[0]:
            return True
        try:
            data = os.read(self._descriptor, 1 << 20)
        except OSError:  # a terminal that nobody holds
            data = b""
        *lines, self._rest = (self._rest + data).split(b"\n")
        self.lines += [line.decode(errors="replace").strip("\r\3\x1a") for line in lines]
        return bool(data)

    def to_the_end(self) -> list[str]:
        """All the lines left, when the other side has closed."""
        deadline = time.monotonic() + 10
        while self.listen(0.1):
            assert time.monotonic() < deadline, f"never ends: {self.lines}"
        return [*self.lines, self._rest.decode(errors="replace")] if self._rest else self.lines

    def close(self) -> None:
        os.close(self._descriptor)


class Lab:
    def __init__(self, cwd: Path, *, adopts: bool = True, strangers: bool = True) -> None:
        self._here = os.getcwd()
        self.run = new_run()
        self.children = Children(self.run, adopts=adopts, strangers=strangers)
        self.cwd = str(cwd)
        self.facts: list[Fact] = []
        self._tickets = 0
        ear, self.mouth = os.pipe()
        self.ear = Ear(ear)
        self.hear = self.ear.hear

    def start(
        self, what: Command | str, environ: dict[str, str] | None = None, ticket: int = 0
    ) -> int:
        """Spawn a command, or a child with these verbs; its ticket."""
        self._tickets += 1
        command = child(what) if isinstance(what, str) else what
        env = {**(os.environ if environ is None else environ), **dict(command.env)}
        spec = SpawnSpec(command.argv, env, self.cwd, (NULL, self.mouth, self.mouth))
        self.pid = self.children.spawn(ticket or self._tickets, spec)
        return ticket or self._tickets

    def sh(self, line: str) -> int:
        return self.start(Command(("/bin/sh", "-c", line), (), line))

    def line(self, line: str) -> int:
        return self.start(parse_line(line))

    def exited(self, ticket: int) -> ProcessExited:
        return self._fact(ProcessExited, ticket)

    def emptied(self, ticket: int) -> TreeEmptied:
        return self._fact(TreeEmptied, ticket)

    def has_emptied(self, ticket: int) -> bool:
        self.facts += self.children.collect()
        return TreeEmptied(ticket) in self.facts

    def _fact(self, kind, ticket):
        def found():
            self.facts += self.children.collect()
            return next((f for f in self.facts if type(f) is kind and f.ticket == ticket), None)

        return until(found)

    def kill(self, ticket: int, *args) -> None:
        self.facts += self.children.kill(ticket, *args)

    def close(self) -> None:
        """Kill everything; fail if anything of this run lives on, or lies about as a zombie."""
        self.children.close()

        def over() -> bool:
            self.facts += self.children.collect()
            return not self.children.alive()

        until(over)
        for pid in self.left():
            os.kill(pid, 9)
        until(lambda: self.children.collect() or not zombies())
        self.ear.close()
        os.close(self.mouth)
        os.chdir(self._here)

    def left(self) -> list[int]:
        """What still carries our mark."""
        return [pid for pid in pids() if ticket_in(environ_of(pid), self.run) is not None]


def program(code: str, *prefix: str, **popen: Any) -> subprocess.CompletedProcess[str]:
    """Run this Python in a process of its own; `prefix`: what starts it, like `unshare -p`."""
    names = "from pathlib import Path; from tests.process.lab import *"
    setup = f"import os, signal, sys; sys.path.insert(0, {str(ROOT)!r}); {names}"
    argv = (*prefix, sys.executable, "-c", f"{setup}\n{textwrap.dedent(code)}")
    return subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False, **popen)


def ignoring(*names: str) -> tuple[str, ...]:
    """What starts a program with these signals ignored; dash will not ignore CHLD for others."""
    code = (
        "import os, signal, sys;"
        "[signal.signal(getattr(signal, 'SIG' + n), signal.SIG_IGN) for n in sys.argv[1].split()];"
        "os.execvp(sys.argv[2], sys.argv[2:])"
    )
    return (*PYTHON, "-c", code, " ".join(names))


def run_program(code: str, *prefix: str) -> list[str]:
    """The lines that it prints; it must end well."""
    done = program(code, *prefix)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def environ_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def state(pid: int) -> str:
    """R, S, T, Z ...; "" if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return ""


def lives(pid: int) -> bool:
    return state(pid) not in ("", "Z", "X")


def zombies() -> list[int]:
    mine = str(os.getpid())
    found = []
    for pid in pids():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] == "Z" and fields[1] == mine:
            found.append(pid)
    return found


class Mini:
    """A `mini.py` that runs a child with these verbs; both speak into the same ear."""

    def __init__(
        self,
        verbs: str,
        *prefix: str,
        ready: str = "ready",
        path: str = str(ROOT),
        **popen: Any,
    ) -> None:
        environ = {**os.environ, "PYTHONPATH": path}
        argv = (*prefix, sys.executable, "-m", "tests.process.mini", *child(verbs).argv)
        self._ready = ready
        self._out, into = os.pipe()
        self.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=into, stderr=into, env=environ, **popen
        )
        os.close(into)
        self.ear = Ear(self._out)
        self.hear = self.ear.hear

    def __enter__(self) -> Mini:  # noqa: PYI034 -- Self is 3.11's
        try:
            self.hear("run")
            self.pid = self.hear("pid")
            self.app = self.hear("app")
            if self._ready:
                self.hear(self._ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait(10)
        self.ear.close()

    def end(self) -> tuple[int, list[str]]:
        """Its exit status, and the lines that nobody has asked for."""
        return self.process.wait(10), self.ear.to_the_end()
