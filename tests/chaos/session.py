"""One random session: a real `reloader run`, and a person, tools and enemies beside it."""

from __future__ import annotations

import ctypes
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

ACTOR = Path(__file__).with_name("actor.py")
# Seconds until the last save must run, whatever else the machine does. A change that looks like a
# build's own work is held back for 60 (`outputs.HOLDS`), if that build hangs.
PATIENCE = 75.0
END_WITHIN = 30.0
BUILDS = ["ok"] * 5 + ["slow"] * 3 + ["fail", "crash", "hang", "deaf", "writes"]
APPS = ["plain"] * 4 + ["deaf", "daemon", "leaves", "crash", "slow", "group", "storm"]
EXTRAS = ["", "rerun = true\n", "stop_on_error = true\n"]
HARMLESS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH, signal.SIGCHLD, signal.SIGCONT)
HELPERS = ("reloader-guardian", "reloader-sentinel")


class Violation(Exception):  # noqa: N818 -- it is no error of the driver
    """Something has happened that must never happen."""


class Noted(NamedTuple):
    """A line that an actor has written."""

    role: str
    what: str
    version: str


class Session:
    """A seed decides all that is done; the moments in which it takes effect, the machine does."""

    def __init__(
        self, seed: int, folder: Path, command: list[str], *, polls: bool, apps: int
    ) -> None:
        self.random = random.Random(f"{seed} {polls} {apps}")
        self.cookie = f"CHAOS={seed}.{os.getpid()}"
        self.polls, self.command = polls, command
        self.folders = [folder / f"app{number}" for number in range(apps)]
        self.versions = [0] * apps
        self.saves = self.checks = 0
        self.trace: list[str] = []
        self.guarded = True
        self.patience = PATIENCE
        for place in self.folders:
            shutil.rmtree(place, ignore_errors=True)
            (place / "lib").mkdir(parents=True)
            (place / "tmp").mkdir()
        self.log = folder / "log"
        self.log.unlink(missing_ok=True)
        self.output = folder / "output"
        self.process: subprocess.Popen[bytes] | None = None

    # --- what is done ------------------------------------------------------------------------

    def run(self) -> None:
        """Raises Violation."""
        try:
            self._begin()
            for _ in range(self.random.randrange(10, 40)):
                self._step()
                time.sleep(self.random.choice([0, 0, 0.005, 0.03, 0.1, 0.3, 0.6]))
            self._converge()
            self._end()
        finally:
            self._kill_all()

    def _begin(self) -> None:
        for place in range(len(self.folders)):
            self._config(place)
            self._save(place, "ok", "plain")
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "RELOADER"))}
        name, value = self.cookie.split("=")
        env |= {name: value, "CHAOS_LOG": str(self.log)}
        configs = [word for place in self.folders for word in ("-c", str(place))]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*self.command, "run", *configs],
                cwd=self.folders[0],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_the_driver,  # noqa: PLW1509 -- it has one thread
            )
        self._wait(lambda: any(n.role == "app" for n in self._noted()), "no app has started")

    def _step(self) -> None:  # noqa: C901 -- one for each kind of step
        place = self.random.randrange(len(self.folders))
        chance, folder = self.random.random(), self.folders[place]
        if chance < 0.55:
            self._save(place)
        elif chance < 0.65:
            self._config(place, broken=self.random.random() < 0.4)
        elif chance < 0.75:
            number = self.random.choice(HARMLESS)
            self._say(f"signal {number.name}")
            for _ in range(self.random.choice([1, 1, 50])):
                self._signal(number)
        elif chance < 0.81:
            self._say("stop for a while")
            self._signal(signal.SIGSTOP)
            time.sleep(self.random.random() * 0.8)
            if self.random.random() < 0.6:
                self._save(place)
            self._signal(signal.SIGCONT)
        elif chance < 0.84:
            for pid, words in self._processes().items():
                if "actor.py" in words and self.random.random() < 0.5:
                    self._say(f"kill {words}")
                    with suppress(OSError):
                        os.kill(pid, signal.SIGKILL)
        elif chance < 0.87:
            self._kill_a_helper()
        elif chance < 0.91:
            self._say("many files")
            for number in range(30):
                (folder / "lib" / f"f{number}.txt").write_text(str(self.random.random()))
        elif chance < 0.93:
            self._say("a directory goes and comes")
            shutil.rmtree(folder / "lib", ignore_errors=True)
            (folder / "lib/a/b").mkdir(parents=True)
            (folder / "lib/a/b/x.txt").write_text("1")
        elif chance < 0.95:
            self._say("touch")
            (folder / "src.txt").touch()
        else:
            self._converge()

    def _config(self, place: int, *, broken: bool = False) -> None:
        actor = f"{sys.executable} -IS {ACTOR}"
        lines = [
            "[build]",
            f'cmd = "{actor} build"',
            f'bin = "{actor} app"',
            'include_ext = ["txt"]',
            'stop_timeout = "300ms"',
            f"poll = {str(self.polls).lower()}",
            self.random.choice(EXTRAS),
            "nonsense = = 1" if broken else "",
        ]
        self._say(f"config of {place}" + (", broken" if broken else ""))
        config = self.folders[place] / ".reload.toml"
        config.with_suffix(".new").write_text("\n".join(lines) + "\n")
        config.with_suffix(".new").rename(config)

    def _save(self, place: int, build: str = "", app: str = "") -> None:
        """In place, beside and renamed, deleted first, or the old one moved away."""
        self.versions[place] += 1
        self.saves += 1
        version = f"v{place}.{self.versions[place]}"
        build, app = build or self.random.choice(BUILDS), app or self.random.choice(APPS)
        how, source = self.random.randrange(4), self.folders[place] / "src.txt"
        self._say(f"save {version} {build} {app} ({how})")
        text = f"{version} {build} {app}\n"
        if how == 1:
            source.with_name(".src.new").write_text(text)
            source.with_name(".src.new").rename(source)
            return
        if how == 2:
            source.unlink(missing_ok=True)
        elif how == 3 and source.exists():
            source.rename(source.with_name("src.txt~"))
        source.write_text(text)

    def _kill_a_helper(self) -> None:
        for pid, words in self._processes().items():
            if any(helper in words for helper in HELPERS):
                self._say(f"kill {words}")
                self.guarded = False
                with suppress(OSError):
                    os.kill(pid, signal.SIGKILL)

    # --- what must be true -------------------------------------------------------------------

    def _converge(self) -> None:
        """After a good save with a good config the last version of each app runs, and once."""
        self.checks += 1
        for place in range(len(self.folders)):
            self._config(place)
            time.sleep(self.random.choice([0, 0, 0.05]))
            self._save(place, "ok", "plain")
        for place in range(len(self.folders)):
            want = f"v{place}.{self.versions[place]}"
            self._wait(
                lambda place=place, want=want: self._last(place) == want, f"{want} does not run"
            )
        self._wait(lambda: self._alive() == len(self.folders), "not one app each is alive")

    def _last(self, place: int) -> str:
        starts = [n.version for n in self._noted() if n.role == "app" and n.what == "START"]
        return next((v for v in reversed(starts) if v.startswith(f"v{place}.")), "")

    def _alive(self) -> int:
        return sum("actor.py app" in words for words in self._processes().values())

    def _end(self) -> None:
        assert self.process
        ways = ["TERM", "TERM", "INT", "HUP", "twice", "during a build"]
        how = self.random.choice([*ways, "KILL"] if self.guarded else ways)
        self._say(f"end: {how}")
        if how == "during a build":
            self._save(0, "hang")
            time.sleep(0.2)
        number: int = (
            signal.Signals[f"SIG{how}"] if how in {"INT", "HUP", "KILL"} else signal.SIGTERM
        )
        self._signal(number)
        if how == "twice":
            time.sleep(0.05)
            with suppress(OSError):
                self._signal(number)
        try:
            status = self.process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            raise Violation(f"no end within {END_WITHIN:g} s") from None
        if how != "KILL" and status != 0:
            raise Violation(f"exit status {status} after {how}")
        self._wait(lambda: not self._processes(), "something is left alive", ends=True)
        self._check_log()

    def _check_log(self) -> None:
        if any(noted.what == "CLASH" for noted in self._noted()):
            raise Violation("two at once")
        text = self.output.read_text(errors="replace")
        if "Traceback" in text or "fault of reloader" in text:
            raise Violation("a traceback of its own")
        torn = [
            line for line in text.splitlines() if re.search(r"x{30}", line) and not _whole(line)
        ]
        if torn:
            raise Violation(f"an app's line is torn: {torn[0]}")

    def _wait(self, holds: object, why: str, *, ends: bool = False) -> None:
        until = time.monotonic() + self.patience
        while not holds():  # type: ignore[operator]
            if not ends and self.process and self.process.poll() is not None:
                raise Violation(f"it has ended by itself: {self.process.returncode}")
            if time.monotonic() > until:
                raise Violation(f"{why} after {self.patience:g} s; alive: {self._processes()}")
            time.sleep(0.02)

    # --- the system --------------------------------------------------------------------------

    def _say(self, what: str) -> None:
        self.trace.append(f"{time.monotonic():.3f} {what}")

    def _signal(self, number: int) -> None:
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, number)

    def _noted(self) -> list[Noted]:
        with suppress(OSError):
            lines = (line.split() for line in self.log.read_text().splitlines())
            return [Noted(*words[1:4]) for words in lines if len(words) == 5]
        return []

    def _processes(self) -> dict[int, str]:
        """All that carry the cookie, but for reloader itself; by pid, their command lines."""
        found = {}
        for name in filter(str.isdigit, os.listdir("/proc")):
            with suppress(OSError):
                environ = Path(f"/proc/{name}/environ").read_bytes().split(b"\0")
                state = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0]
                if self.cookie.encode() in environ and state not in "ZX":
                    words = Path(f"/proc/{name}/cmdline").read_bytes().replace(b"\0", b" ")
                    found[int(name)] = words.decode(errors="replace")
        if self.process:
            found.pop(self.process.pid, None)
        return found

    def _kill_all(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self._processes():
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def _die_with_the_driver() -> None:
    """Kills reloader when the driver is gone (prctl(2)); its guardian ends what it has started."""
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)


def _whole(line: str) -> bool:
    return re.fullmatch(r"(app\d+ +\| )?app v\S+ x{200} end", line) is not None
