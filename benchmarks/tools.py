"""The tools that are compared: a new one is one entry of `TOOLS`."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Beside this Python, and where `go install` and `cargo install` put what they make.
PLACES = [Path(sys.executable).parent, Path.home() / "go/bin", Path.home() / ".cargo/bin"]
PATH = os.pathsep.join([os.environ["PATH"], *map(str, PLACES)])

APP = "APP"  # stands for the app's words
LINE = "LINE"  # stands for the app as one command line
FOLDER = "FOLDER"  # stands for the project's folder, which is the working directory, too


@dataclass(frozen=True)
class Tool:
    """What starts a tool in a project, so that it keeps the app running."""

    name: str
    command: tuple[str, ...]
    install: str = ""  # how one gets it
    file: tuple[str, str] = ("", "")  # name and text; %s: the app's words in TOML
    wants_list: bool = False  # of the sources, on stdin

    @property
    def program(self) -> str | None:
        """Its path; None: it is not here."""
        return shutil.which(self.command[0], path=PATH)

    def argv(self, folder: Path, app: Sequence[str]) -> list[str]:
        return [self.program or self.command[0], *self._words(folder, app)]

    def _words(self, folder: Path, app: Sequence[str]) -> Iterator[str]:
        for word in self.command[1:]:
            if word == APP:
                yield from app
            else:
                yield {LINE: shlex.join(app), FOLDER: str(folder)}.get(word, word)

    def prepare(self, folder: Path, app: Sequence[str]) -> str:
        """Writes its config; the answer is its stdin."""
        name, text = self.file
        if name:
            (folder / name).write_text(text % json.dumps(app))
        if not self.wants_list:
            return ""
        return "".join(f"{path}\n" for path in sorted(folder.rglob("*.py")))


def reloader() -> tuple[str, ...]:
    """As people run it."""
    script = Path(sys.executable).with_name("reloader")
    return (str(script), "run") if script.exists() else (sys.executable, "-m", "reloader", "run")


# Air has no way to build nothing.
AIR = '[build]\ncmd = "true"\nentrypoint = %s\ninclude_ext = ["py"]\n'
GET_AIR = "go install github.com/air-verse/air@latest"

FLOOR = Tool(
    "floor: inotify read, kill, spawn",
    (sys.executable, "-IS", str(Path(__file__).with_name("floor.py")), FOLDER, APP),
)
RELOADER = Tool("reloader", reloader(), file=(".reload.toml", "[build]\nentrypoint = %s\n"))

TOOLS = (
    FLOOR,
    RELOADER,
    Tool("Air, delay = 1", ("air",), GET_AIR, (".air.toml", AIR + "delay = 1\n")),
    Tool("Air", ("air",), GET_AIR, (".air.toml", AIR)),
    Tool(
        "watchmedo auto-restart",
        ("watchmedo", "auto-restart", "-R", "-p", "*.py", "--", APP),
        "pip install 'watchdog[watchmedo]'",
    ),
    Tool(
        "watchfiles",
        ("watchfiles", "--filter", "python", LINE, "."),
        "pip install watchfiles",
    ),
    Tool(
        "nodemon",
        ("nodemon", "--quiet", "--ext", "py", "--exec", LINE),
        "npm install --global nodemon",
    ),
    Tool("entr", ("entr", "-n", "-r", APP), "apt-get install entr", wants_list=True),
    Tool(
        "watchexec",
        ("watchexec", "--quiet", "--restart", "--exts", "py", "--", APP),
        "cargo install watchexec-cli",
    ),
    Tool("wgo", ("wgo", "-file", r"\.py$", APP), "go install github.com/bokwoon95/wgo@latest"),
)
