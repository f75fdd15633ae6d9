"""Drives a real `reloader run` from outside: a folder of files, a process, its stream of news.

Nothing here sleeps for luck: what has to come is waited for, with a generous deadline, and a
failure shows the stream and stderr.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from tests.helpers import until as waiting

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
Event = dict[str, Any]

DEADLINE = 20.0
ACTOR = Path(__file__).with_name("actor.py").read_text(encoding="utf-8")
COOKIE = "TEST_RUN_COOKIE"
# What a person has set for their own shell must not decide a test.
PERSONAL = (
    *("RELOADER_", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "COLORTERM", "air_wd", "APP_"),
    "PYTHONDONTWRITEBYTECODE",  # each start would compile us anew
)
PROGRAM = (sys.executable, "-m", "reloader")
PYTHON = [sys.executable, "-IS"]  # the quickest start
ENTRYPOINT = f"entrypoint = {json.dumps([*PYTHON, 'app.py'])}\n"
BUILD = f'cmd = "{" ".join(PYTHON)} build.py"\n'
BUILT = BUILD + f"entrypoint = {json.dumps([*PYTHON, 'tmp/app.py'])}\n"


def until(probe: Callable[[], T], timeout: float = DEADLINE, why: Callable[[], str] = str) -> T:
    """`waiting.until`, with what a failure shows."""
    try:
        return waiting.until(probe, timeout)
    except AssertionError as late:
        raise AssertionError(f"{late}\n{why()}") from None


class Run:
    """One `reloader run`, and what it says."""

    def __init__(
        self,
        folder: Path,
        args: tuple[str, ...],
        env: dict[str, str],
        *,
        json_: bool,
        program: tuple[str, ...] = PROGRAM,
        **popen: Any,
    ) -> None:
        self.stdout_file = folder.parent / f"stdout-{uuid.uuid4().hex[:6]}"
        self.stderr_file = self.stdout_file.with_name(f"stderr-{self.stdout_file.name[7:]}")
        self.stream: list[Event] = []
        self.not_json: list[bytes] = []
        self.cursor = 0  # the seq of the last event that was waited for
        self._ended = False
        self._told = threading.Condition()
        command = [*program, "run", *(["--json"] if json_ else []), *args]
        with self.stdout_file.open("wb") as out, self.stderr_file.open("wb") as err:
            streams = {
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE if json_ else out,
                "stderr": err,
                "cwd": folder,
            } | popen
            # A session of its own: Ctrl-C for its group is not Ctrl-C for the tests.
            self.process = subprocess.Popen(command, env=env, start_new_session=True, **streams)
        if json_:
            self._reader = threading.Thread(target=self._read, daemon=True)
            self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._told:
                try:
                    self.stream.append(json.loads(line))
                except ValueError:
                    self.not_json.append(line)
                self._told.notify_all()
        with self._told:
            self._ended = True
            self._told.notify_all()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def seq(self) -> int:
        """Of the last event so far."""
        with self._told:
            return self.stream[-1]["seq"] if self.stream else 0

    @property
    def stderr(self) -> str:
        return self.stderr_file.read_text(encoding="utf-8", errors="replace")

    @property
    def stdout(self) -> bytes:
        return self.stdout_file.read_bytes()

    def events(self, *names: str, after: int = 0) -> list[Event]:
        with self._told:
            return [e for e in self.stream if e["event"] in names and e["seq"] > after]

    def wait_for(
        self, event: str, *, after: int | None = None, timeout: float = DEADLINE, **fields: Any
    ) -> Event:
        """The next such event after the last one that was waited for, or after `after`."""
        since = self.cursor if after is None else after

        def matching() -> list[Event]:
            return [
                e
                for e in self.stream
                if e["event"] == event
                and e["seq"] > since
                and all(e[name] == value for name, value in fields.items())
            ]

        with self._told:
            self._told.wait_for(lambda: matching() or self._ended, timeout)
            found = matching()
            assert found, f"no {event} {fields} after {since}\n{self.report()}"
            self.cursor = max(self.cursor, found[0]["seq"])
            return found[0]

    def send(self, number: int) -> None:
        """Ctrl-C and Ctrl-\\ reach a whole group, as a terminal sends them; others one process."""
        if number in (signal.SIGINT, signal.SIGQUIT):
            os.killpg(self.pid, number)
        else:
            os.kill(self.pid, number)

    def stop(self, number: int = signal.SIGINT, timeout: float = DEADLINE) -> int:
        if self.process.poll() is None:
            self.send(number)
        return self.wait(timeout)

    def wait(self, timeout: float = DEADLINE) -> int:
        """The exit status; the stream is complete then."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s\n{self.report()}") from None
        if hasattr(self, "_reader"):
            self._reader.join(timeout)
        return status

    def report(self) -> str:
        stream = "\n".join(json.dumps(event) for event in self.stream[-60:])
        status = self.process.poll()
        return f"--- stream (exit status: {status})\n{stream}\n--- stderr\n{self.stderr[-6000:]}"


class Project:
    """A folder under test, the log of its app and build, and the runs in it."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "project"
        self.folder.mkdir()
        self.log = tmp_path / "app.log"
        self.cookie = uuid.uuid4().hex
        self.runs: list[Run] = []
        self.program = PROGRAM  # what is started; a release has others

    # --- files ---

    def write(self, name: str, text: str) -> Path:
        """In place; folders are made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def save(self, name: str, text: str) -> Path:
        """Atomically, as most editors do: a temporary file beside it, then a rename."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:6]}")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
        return path

    def save_like_vim(self, name: str, text: str) -> Path:
        """A probe, the old file becomes the backup, the text is written anew, the backup goes."""
        path = self.folder / name
        probe, backup = path.with_name("4913"), path.with_name(path.name + "~")
        probe.touch()
        probe.unlink()
        path.rename(backup)
        path.write_text(text, encoding="utf-8")
        backup.unlink()
        return path

    def config(self, text: str, name: str = ".reload.toml") -> Path:
        return self.write(name, text)

    def app(self, version: str = "1", mode: str = "plain") -> Path:
        return self.save("app.py", actor("app", version, mode))

    def build(self, version: str = "1", mode: str = "plain") -> Path:
        return self.save("build.py", actor("build", version, mode))

    # --- runs ---

    def run(
        self, *args: str, json_: bool = True, env: dict[str, str] | None = None, **popen: Any
    ) -> Run:
        """Starts `reloader run` with `args`; `env` is set on top of a clean environment."""
        clean = {n: v for n, v in os.environ.items() if not n.startswith(PERSONAL)}
        if hold := os.environ.get("TEST_SWAP_HOLD"):  # the whole suite with the port held, or not
            clean["RELOADER_SWAP_HOLD"] = hold
        clean |= {COOKIE: self.cookie, "APP_LOG": str(self.log)} | (env or {})
        self.runs.append(Run(self.folder, args, clean, json_=json_, program=self.program, **popen))
        return self.runs[-1]

    def start(self, *args: str, **options: Any) -> Run:
        """`run`, and wait until the app is up and no change is missed any more."""
        before = len(self.versions())
        run = self.run(*args, **options)
        run.wait_for("watch.started", after=0)
        run.wait_for("app.started", after=0)
        until(lambda: len(self.versions()) > before, why=self.report)
        return run

    # --- what the app and the build noted ---

    def noted(self, what: str | None = None, **fields: Any) -> list[Event]:
        text = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [
            line
            for line in lines
            if what in (None, line["what"]) and all(line[n] == v for n, v in fields.items())
        ]

    def wait_noted(self, what: str, **fields: Any) -> Event:
        """The first such line, once it is there."""
        return until(lambda: self.noted(what, **fields), why=self.report)[0]

    def versions(self, role: str = "app") -> list[str]:
        """Of the starts so far, in order."""
        return [line["version"] for line in self.noted("START", role=role)]

    # --- the end ---

    def alive(self) -> dict[int, str]:
        """Every living process that a run of ours has brought into the world, and its command."""
        mark = f"{COOKIE}={self.cookie}".encode()
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(entry.name)] = command.decode(errors="replace")
            except OSError:
                continue
        return found

    def close(self) -> None:
        """Ends every run and asserts that it ended well, with nothing of it left alive."""
        try:
            for run in self.runs:
                if run.process.poll() is None:
                    assert run.stop() == 0, run.report()
                assert run.not_json == [], run.report()
            until(
                lambda: not self.alive(), 3, lambda: f"left alive: {self.alive()}\n{self.report()}"
            )
            assert self.noted("CLASH") == [], "two at once"
        finally:
            self._kill_leftovers()

    def _kill_leftovers(self) -> None:
        while left := self.alive():
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            for run in self.runs:
                run.process.poll()
        for run in self.runs:
            run.process.wait()
            if run.process.stdout:
                run.process.stdout.close()

    def report(self) -> str:
        log = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        return "\n".join([f"--- log\n{log}", *(run.report() for run in self.runs)])


def actor(role: str, version: str, mode: str) -> str:
    """The script of an app or a build."""
    head = f'ROLE = "{role}"  # app | build\nVERSION = "{version}"\nMODE = "{mode}"\n'
    return ACTOR.replace('ROLE = "app"  # app | build\nVERSION = "1"\nMODE = "plain"\n', head)
