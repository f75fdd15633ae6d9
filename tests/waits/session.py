"""One run of reloader, and random saves in its project, each with the answer that it must get."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from reloader.control import client
from reloader.control.wire import Ask

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT = 60.0
BUILD = """\
. ./source.conf
sleep $BUILDS_FOR
[ $BUILD = good ] || { echo "source.conf:1: error: a bad source" >&2; exit 1; }
cp source.conf tmp/built.new && mv tmp/built.new tmp/built
"""
# Names come before the socket: a client that reaches it finds its version.
APP = """\
import socket, sys, time
source = dict(line.split("=") for line in open("tmp/built").read().split())
time.sleep(float(source["STARTS_IN"]))
if source["APP"] != "good":
    sys.exit("the app is bad")
it = socket.create_server(("127.0.0.1", PORT), backlog=64)
while True:
    client = it.accept()[0]
    client.sendall(source["VERSION"].encode())
    client.close()
"""


class Wrong(AssertionError):  # noqa: N818 -- the word of the report
    """An answer that is not so."""


class Save(NamedTuple):
    """The sources after a save."""

    version: int
    build: str  # "good" or "bad"
    app: str

    @property
    def is_good(self) -> bool:
        return self.build == self.app == "good"


class Session:
    def __init__(self, folder: Path, seed: int) -> None:
        self.folder = folder.resolve() / "project"
        self.folder.mkdir()
        self.dice = random.Random(seed)
        self.last = Save(0, "good", "good")
        self.history: list[str] = []
        with socket.create_server(("127.0.0.1", 0)) as it:
            self.port = it.getsockname()[1]
        (self.folder / "build.sh").write_text(BUILD)
        (self.folder / "app.py").write_text(APP.replace("PORT", str(self.port)))
        (self.folder / "other.conf").write_text("")
        app = json.dumps([sys.executable, "-I", "-S", "app.py"])
        (self.folder / ".reload.toml").write_text(
            f'[build]\ncmd = "sh build.sh"\nentrypoint = {app}\ninclude_ext = ["conf"]\n'
        )
        self.save()
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "reloader", "run", "--json"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ends = time.monotonic() + 30
        while not self.is_there():
            if time.monotonic() > ends:
                raise Wrong("it does not start")
            time.sleep(0.05)

    def is_there(self) -> bool:
        try:
            for run in client.runs(os.environ, str(self.folder)):
                run.close()
        except client.NoReloaderError:
            return False
        return True

    # --- saves -----------------------------------------------------------------------------------

    def save(self, *ways: str) -> Save:
        """The sources of a new version, by one of the ways in which editors save."""
        dice = self.dice
        kind = dice.random()
        build = "bad" if kind < 0.15 else "good"
        app = "bad" if 0.15 <= kind < 0.25 else "good"
        it = Save(self.last.version + 1, build, app)
        text = (
            f"VERSION={it.version}\nBUILD={build}\nAPP={app}\n"
            f"BUILDS_FOR={dice.choice((0, 0, 0, 0.02, 0.1))}\n"
            f"STARTS_IN={dice.choice((0, 0, 0, 0.03, 0.1))}\n"
        )
        source = self.folder / "source.conf"
        way = dice.choice(ways or ("in place", "rename", "vim", "two files"))
        if way == "in place":
            source.write_text(text)
        elif way == "vim" and source.exists():
            source.rename(self.folder / "source.conf~")
            source.write_text(text)
            (self.folder / "source.conf~").unlink()
        else:
            if way == "two files":
                (self.folder / "other.conf").write_text(str(it.version))
            fresh = self.folder / ".source.conf.new"
            fresh.write_text(text)
            fresh.replace(source)
        self.history.append(f"{it} {way}")
        self.last = it
        return it

    # --- a turn ----------------------------------------------------------------------------------

    def turn(self) -> str:
        """Some saves, a wait, and the check of its answer; returns what kind it was."""
        dice = self.dice
        for _ in range(dice.choice((1, 1, 1, 2, 4))):
            saved = self.save()
            if dice.random() < 0.3:
                time.sleep(dice.random() * 0.15)
        newer: list[Save] = []
        later = None
        if dice.random() < 0.15:
            # Whole at once: a build that reads half a newer save fails, and rightly so.
            later = threading.Timer(dice.random() * 0.2, lambda: newer.append(self.save("rename")))
            later.start()
        answer = self.by_command() if dice.random() < 0.02 else self.wait()
        runs = self.running()
        if later:
            later.join()
        self.check(answer, runs, saved, newer)
        self.history[:-12] = []
        return ("live" if answer["live"] else str(answer["outcome"])) + ("+" if newer else "")

    def check(self, answer: dict[str, Any], runs: int, saved: Save, newer: list[Save]) -> None:
        """Without a newer save the answer is exact; with one, what runs has at least this one."""
        said = f"{answer}, version {runs} runs, saved: {saved}, later: {newer}"
        if answer["outcome"] not in ("live", "failed"):
            raise Wrong(f"no answer: {said}")
        if not newer:
            if answer["live"] != saved.is_good:
                raise Wrong(said)
            if answer["live"] and runs != saved.version:
                raise Wrong(f"another version runs: {said}")
        elif answer["live"]:
            good = {save.version for save in (saved, *newer) if save.is_good}
            # The newer one may be about to take its place: nobody answers, or it does.
            if not good or (runs and runs < saved.version):
                raise Wrong(said)
        elif all(save.is_good for save in (saved, *newer)):
            raise Wrong(said)
        if not answer["live"] and saved.build == "bad" and not newer and not answer["problems"]:
            raise Wrong(f"without its problem: {said}")

    def wait(self) -> dict[str, Any]:
        (run,) = client.runs(os.environ, str(self.folder))
        return client.first(run, Ask("wait", timeout=TIMEOUT))

    def by_command(self) -> dict[str, Any]:
        command = [sys.executable, "-m", "reloader", "wait", "--json", "--timeout", str(TIMEOUT)]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, check=False)
        answer: dict[str, Any] = json.loads(done.stdout)
        if (done.returncode == 0) != answer["live"]:
            raise Wrong(f"exit status {done.returncode} for {answer}")
        return answer

    def running(self) -> int:
        """The version that answers now; 0 if none does."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as it:
                return int(it.recv(100) or b"0")
        except (OSError, ValueError):
            return 0

    # --- the end ---------------------------------------------------------------------------------

    def report(self) -> str:
        self.log.flush()
        with open(self.log.name, "rb") as log:
            told = log.read()[-6000:].decode(errors="replace")
        return "\n".join(["saves:", *self.history[-10:], "told:", told])

    def close(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        finally:
            self.process.kill()  # nothing, if it has ended
            self.log.close()
