"""The supervisors that the faults are run against: a new one is one entry of `PEERS`."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults import blinded

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
PYTHON = (sys.executable, "-IS")  # the quickest start


@dataclass
class Want:
    """What a fault asks of a supervisor, in no tool's words."""

    app: list[str] = field(default_factory=lambda: [*PYTHON, "app.py"])
    build: list[str] | None = None  # `wants_build` sets it, and the app that it makes
    rerun: bool = False
    grace: float = 2.0  # seconds from the polite signal to SIGKILL, where a tool has that
    arguments: list[str] = field(default_factory=list)  # given when it is started
    flags: list[str] = field(default_factory=list)  # for reloader alone
    toml: str = ""  # for reloader alone: more lines of [build], more tables
    tuning: tuple[str, ...] = ()  # for reloader alone: of blinded.py

    def wants_build(self) -> None:
        self.build = [*PYTHON, "build.py"]
        self.app = [*PYTHON, "tmp/app.py"]

    @property
    def line(self) -> str:
        """Build and app as one command line, for who knows no builds."""
        app = shlex.join([*self.app, *self.arguments])
        return f"mkdir -p tmp && {shlex.join(self.build)} && exec {app}" if self.build else app


@dataclass(frozen=True)
class Tool:
    name: str
    command: Callable[[Want, Path], list[str]]
    patience: float = 5.0  # how long what has to come is waited for
    settle: float = 1.0  # a save so soon after the start would be missed
    speaks: bool = False  # whether what it says about a fault counts
    wants_list: bool = False  # of the sources, on stdin
    end: int = signal.SIGTERM  # how its users end it

    @property
    def is_here(self) -> bool:
        return shutil.which(self.command(Want(), HERE)[0]) is not None


def write_toml(want: Want, folder: Path) -> None:
    lines = ["[build]", f"entrypoint = {json.dumps(want.app)}", f"stop_timeout = '{want.grace}s'"]
    if want.build:
        lines.append(f"cmd = {json.dumps(shlex.join(want.build))}")
    if want.rerun:
        lines += ["rerun = true", "rerun_delay = 0"]
    file, text = folder / ".reload.toml", "\n".join([*lines, want.toml]) + "\n"
    if folder != HERE and not (file.exists() and file.read_text() == text):
        file.write_text(text)  # not touched in vain: that is a change


def ours(*start: str, blind: tuple[str, ...] = ()) -> Callable[[Want, Path], list[str]]:
    def command(want: Want, folder: Path) -> list[str]:
        write_toml(want, folder)
        names = "+".join((*want.tuning, *blind))
        program = (sys.executable, str(HERE / "blinded.py"), names) if names else start
        behind = ["--", *want.arguments] if want.arguments else []
        return [*program, "run", *want.flags, *behind]

    return command


def reloader() -> Tool:
    """The console script, as people run it."""
    script = Path(sys.executable).with_name("reloader")
    start = (str(script),) if script.exists() else (sys.executable, "-m", "reloader")
    return Tool("reloader", ours(*start), patience=20, settle=0, speaks=True)


def weakened(guard: str) -> Tool:
    """Ours with one guarding line switched off: see weakened.py, blinded.py."""
    if guard in blinded.GUARDS:
        start = ours(blind=(guard,))
    else:
        start = ours(sys.executable, str(HERE / "weakened.py"), guard)
    return Tool(f"reloader without: {guard}", start, patience=3, settle=0.3, speaks=True)


def naive(want: Want, folder: Path) -> list[str]:
    return [sys.executable, str(HERE / "naive.py"), *naive_words(want)]


def naive_words(want: Want) -> list[str]:
    options = ["--build", " ".join(want.build)] if want.build else []
    options += ["--rerun"] if want.rerun else []
    return [*options, " ".join([*want.app, *want.arguments])]


def naive_watching(eyes: str) -> Tool:
    """What its eyes don't see it does not do: see naive_watching.py."""
    start = (sys.executable, str(HERE / "naive_watching.py"), eyes)
    command = lambda want, _: [*start, *naive_words(want)]  # noqa: E731
    return Tool(f"naive, {eyes}", command, patience=3, settle=0.3)


def control(name: str) -> Tool:
    """What must not survive a fault: "naive" or "naive, events|times", or ours without a guard."""
    if name.startswith("naive, "):
        return naive_watching(name.removeprefix("naive, "))
    return NAIVE if name == "naive" else weakened(name)


def air(want: Want, folder: Path) -> list[str]:
    if folder != HERE:
        build = shlex.join(want.build) if want.build else "true"
        text = f"[build]\ncmd = {json.dumps(build)}\nentrypoint = {json.dumps(want.app)}\n"
        text += 'include_ext = ["py"]\nexclude_dir = ["tmp"]\ndelay = 1\nsend_interrupt = true\n'
        (folder / ".air.toml").write_text(f"{text}kill_delay = '{int(want.grace * 1000)}ms'\n")
    return ["air", *(["--", *want.arguments] if want.arguments else [])]


def line(*start: str) -> Callable[[Want, Path], list[str]]:
    return lambda want, folder: [*start, want.line]


def words(*start: str) -> Callable[[Want, Path], list[str]]:
    """For who takes the app's words; a build makes them a shell's."""
    return lambda want, folder: [
        *start,
        *(["sh", "-c", want.line] if want.build else [*want.app, *want.arguments]),
    ]


def watchfiles(want: Want, folder: Path) -> list[str]:
    """It takes one line, and runs it without a shell."""
    start = ("watchfiles", "--filter", "python", "--ignore-paths", "tmp", "--sigint-timeout", "2")
    return [*start, shlex.join(words()(want, folder)), "."]


NAIVE = Tool("naive", naive, patience=3, settle=0, speaks=True)
WATCHEXEC = ("watchexec", "-q", "-r", "-e", "py", "-i", "tmp/**", "--shell=none")
WATCHEXEC += ("--stop-timeout", "2s", "--")
WATCHMEDO = ("watchmedo", "auto-restart", "-R", "-p", "*.py", "--ignore-patterns", "*/tmp/*", "--")
NODEMON = ("nodemon", "-q", "-e", "py", "--watch", "*.py", "--signal", "SIGTERM", "--exec")
PEERS = (
    Tool("Air", air),
    Tool("watchexec", words(*WATCHEXEC)),
    Tool("watchfiles", watchfiles),
    Tool("watchmedo", words(*WATCHMEDO)),
    Tool("nodemon", line(*NODEMON), end=signal.SIGINT),
    Tool("entr", words("entr", "-n", "-r"), wants_list=True),
)
