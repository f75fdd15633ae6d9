"""Finds the command for one file, by its extension, its first line and its content."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reloader.detect import compiled, node, python
from reloader.detect.candidate import Candidate, quoted
from reloader.detect.others import shell_of
from reloader.detect.sources import module_at

if TYPE_CHECKING:
    from reloader.detect.folder import Folder

# By extension: the command that runs the file, and the extensions that are watched.
_RUNNERS = {
    "rb": ("ruby {}", ("rb", "erb")),
    "php": ("php {}", ("php",)),
    "pl": ("perl {}", ("pl", "pm")),
    "lua": ("lua {}", ("lua",)),
    "exs": ("elixir {}", ("ex", "exs")),
    "jl": ("julia {}", ("jl",)),
    "r": ("Rscript {}", ("R", "r")),
    "dart": ("dart run {}", ("dart",)),
    "java": ("java {}", ("java",)),
    "jar": ("java -jar {}", ("jar",)),
    "swift": ("swift {}", ("swift",)),
    "fish": ("fish {}", ("fish",)),
    "bash": ("bash {}", ("bash", "sh")),
    "zsh": ("zsh {}", ("zsh", "sh")),
}
_BUILDS = {
    "c": ("cc -g -o ./tmp/main {}", ("c", "h")),
    "cc": ("c++ -g -o ./tmp/main {}", ("cc", "cpp", "h", "hpp")),
    "cpp": ("c++ -g -o ./tmp/main {}", ("cc", "cpp", "h", "hpp")),
    "rs": ("rustc -o ./tmp/main {}", ("rs",)),
    "zig": ("zig build-exe -femit-bin=./tmp/main {}", ("zig",)),
}


def run_file(folder: Folder, path: str, *, is_plain: bool = False) -> Candidate | None:
    """Returns how the file at `path` is run; None: its extension and its content don't say.

    `is_plain`: as a program with arguments, although it may hold an app for a server.
    """
    extension = path.rpartition(".")[2].lower() if "." in posixpath.basename(path) else ""
    if extension == "py":
        return python.run_file(folder, module_at(folder, path), is_plain=is_plain)
    if extension == "go":
        return compiled.go_file(folder, path)
    if extension in ("js", "mjs", "cjs", "ts", "mts", "cts"):
        command = node.runs_file(folder, quoted(path))
        return (
            Candidate("a program", command, path, include_ext=node.EXTENSIONS) if command else None
        )
    if extension in _RUNNERS:
        command, watched = _RUNNERS[extension]
        return Candidate("a program", command.format(quoted(path)), path, include_ext=watched)
    if extension in _BUILDS:
        command, watched = _BUILDS[extension]
        build = f"mkdir -p tmp && {command.format(quoted(path))}"
        return Candidate("a program", "./tmp/main", path, build, include_ext=watched)
    return _executable(folder, path, extension)


def _executable(folder: Folder, path: str, extension: str) -> Candidate | None:
    """Returns a script by its `#!` line or `.sh`, and a file that may be executed."""
    head = folder.head(path)
    place = path if "/" in path else f"./{path}"
    is_script = head.startswith("#!")
    if extension == "sh" and not (is_script and folder.may_run(path)):
        return Candidate("a shell script", f"{shell_of(head)} {quoted(path)}", path)
    if folder.may_run(path) and (is_script or not head.isprintable()):
        return Candidate("a program", quoted(place), path)
    if is_script and (
        found := re.match(r"#!\s*(?:/usr/bin/env\s+(?:-S\s+)?)?(\S+(?: \S+)*)", head)
    ):
        return Candidate("a script", f"{found[1]} {quoted(path)}", path)
    return None
