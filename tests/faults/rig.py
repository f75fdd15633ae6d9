"""Runs one supervisor in a folder of its own, saves files, and judges what it sees: the oracle."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

from tests.faults import proc
from tests.faults.tools import HERE, Tool, Want
from tests.helpers.until import until as wait

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

ACTOR = (HERE / "app.py").read_text(encoding="utf-8")
HEAD = 'ROLE = "app"\nVERSION = "1"\nMODE = "plain"\n'
# What a person has set for their own shell must not decide a test.
PERSONAL = ("RELOADER_", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "COLORTERM", "air_", "PYTHON")


class Rig:
    def __init__(self, tool: Tool, folder: Path) -> None:
        self.tool = tool
        self.folder = folder / "project"
        self.folder.mkdir()
        self.log = folder / "app.log"
        self.out, self.err = folder / "stdout", folder / "stderr"
        self.want = Want()
        self.cookie = proc.Cookie(uuid.uuid4().hex)
        self.env = {n: v for n, v in os.environ.items() if not n.startswith(PERSONAL)}
        self.env |= {"APP_LOG": str(self.log), proc.COOKIE: self.cookie.value}
        self.version = 0
        self.process: subprocess.Popen[bytes] | None = None
        self._cleaners: list[Callable[[], object]] = []

    # --- what happens ---

    def edit(self, mode: str = "plain", build: str | None = None) -> str:
        """Saves a new version of the app, and of the build if there is one; its number."""
        self.version += 1
        if self.want.build:
            self.save("build.py", self.script("build", build or "plain"))
        self.save("app.py", self.script("app", mode))
        return str(self.version)

    def script(self, role: str, mode: str) -> str:
        head = f'ROLE = "{role}"\nVERSION = "{self.version}"\nMODE = "{mode}"\n'
        return ACTOR.replace(HEAD, head)

    def save(self, name: str, text: str, mode: int = 0o644) -> None:
        """Atomically, as most editors do."""
        path = self.folder / name
        temporary = path.with_name(f".{path.name}.tmp")
        temporary.write_text(text, encoding="utf-8")
        temporary.chmod(mode)
        temporary.replace(path)

    def launch(self, *prefix: str, **popen: Any) -> subprocess.Popen[bytes]:
        """Starts the supervisor, with `prefix` before its command."""
        command = [*prefix, *self.tool.command(self.want, self.folder)]
        stdin: Any = subprocess.DEVNULL
        if self.tool.wants_list:
            sources = self.log.parent / "sources"
            sources.write_text("app.py\nbuild.py\n" if self.want.build else "app.py\n")
            stdin = sources.open("rb")
        with self.out.open("ab") as out, self.err.open("ab") as err:
            streams = {"stdin": stdin, "stdout": out, "stderr": err} | popen
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.env, start_new_session=True, **streams
            )
        if self.tool.wants_list:
            stdin.close()
        self._cleaners.append(self.process.wait)
        return self.process

    def start(self, *prefix: str, mode: str = "plain", build: str = "plain", **popen: Any) -> None:
        """Saves a first version, starts the supervisor, and waits until that version runs."""
        version = self.edit(mode, build)
        self.launch(*prefix, **popen)
        self.noted("START", version=version, role="app")
        self.settle()

    def settle(self) -> None:
        """A peer gets the time it needs to see the next save at all."""
        time.sleep(self.tool.settle)

    def converge(self, mode: str = "plain", within: float | None = None) -> None:
        """I1: a new version, once saved, runs."""
        version = self.edit(mode)
        self.noted("START", version=version, role="app", within=within)

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def finally_(self, cleaner: Callable[[], object]) -> None:
        self._cleaners.append(cleaner)

    @property
    def pid(self) -> int:
        """The supervisor's, behind whatever started it."""
        assert self.process
        command = self.tool.command(self.want, HERE)
        name = os.path.basename(command[command[0] == sys.executable])
        top = self.process.pid

        def found() -> int | None:
            family = proc.line_of_descent(top)
            named = (p for p in family if name in map(os.path.basename, proc.words(p)[:3]))
            return next(named, None)

        return self.until(found, what=name)

    # --- what is seen ---

    def until(self, probe: Callable[[], Any], within: float | None = None, what: str = "") -> Any:
        try:
            return wait(probe, within or self.tool.patience)
        except AssertionError as late:
            raise AssertionError(f"{what}: {late}\n{self.report()}") from None

    def lines(self, what: str | None = None, **fields: Any) -> list[dict[str, Any]]:
        """What app and build noted."""
        text = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        found = [json.loads(x) for x in text.splitlines(keepends=True) if x.endswith("\n")]
        return [
            x
            for x in found
            if what in (None, x["what"]) and all(x.get(n) == v for n, v in fields.items())
        ]

    def noted(self, what: str, *, within: float | None = None, **fields: Any) -> dict[str, Any]:
        """The last such line, once there is one."""
        return self.until(lambda: self.lines(what, **fields), within, f"{what} {fields}")[-1]

    @property
    def said(self) -> str:
        texts = [path.read_bytes() for path in (self.out, self.err) if path.exists()]
        return b"".join(texts).decode(errors="replace")

    def told(self, *patterns: str) -> None:
        """I9: somewhere in its output; only asked of who is said to speak."""
        for pattern in patterns if self.tool.speaks else ():
            self.until(lambda p=pattern: re.search(p, self.said), what=f"told {pattern}")

    def gone(self, pid: int, within: float | None = None) -> None:
        self.until(lambda: not proc.lives(pid), within, f"pid {pid} gone")

    # --- the end ---

    def ended(self, within: float | None = None, statuses: Sequence[int] = (0,)) -> None:
        """The supervisor ends in time, with its documented status, and I2: nothing is left."""
        assert self.process
        process = self.process
        self.until(lambda: process.poll() is not None, within, "its end")
        if self.tool.speaks:
            assert process.returncode in statuses, f"status {process.returncode}\n{self.report()}"
        self.until(lambda: not self.cookie.alive(), 2, "nothing left alive")

    def stop(self, number: int = 0, within: float | None = None) -> None:
        """By this signal; by default as its users end it."""
        self.send(number or self.tool.end)
        self.ended(within)

    def judge(self) -> None:
        """What holds after every fault: one at a time, no zombies, an end in time, nothing left."""
        if self.process and self.process.poll() is None:
            self.until(lambda: not proc.zombies_below(self.process.pid), 2, "no zombies")
            self.stop()
        elif self.process:
            self.until(lambda: not self.cookie.alive(), 2, "nothing left alive")
        assert not self.lines("CLASH"), f"two at once\n{self.report()}"
        assert not re.search(r"Traceback.*reloader/", self.said, re.DOTALL), self.report()

    def close(self) -> None:
        """Whatever happened, nothing of it stays."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        while left := self.cookie.alive():
            for pid in left:
                proc.kill(pid)
        for cleaner in reversed(self._cleaners):
            cleaner()

    def report(self) -> str:
        log = self.log.read_text(encoding="utf-8")[-3000:] if self.log.exists() else ""
        alive = self.cookie.alive()
        return f"--- {self.tool.name}\n{self.said[-4000:]}\n--- log\n{log}\n--- alive: {alive}"
