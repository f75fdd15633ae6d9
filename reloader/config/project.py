"""Looks at a project directory, for the defaults that follow from its files."""

from __future__ import annotations

import os
import posixpath
from typing import Any

from reloader.light import dataclass

GO_MARKS = ("go.mod",)
PYTHON_MARKS = ("pyproject.toml", "setup.py", "requirements.txt")
MARKS = (*GO_MARKS, *PYTHON_MARKS, "package.json", "Cargo.toml")  # of a project of any kind

GO_EXT = ("go", "tpl", "tmpl", "html")  # as Air
# Besides Air's: module files, and the templates of net/http.
GO_MORE_EXT = ("gohtml", "mod", "sum")
PYTHON_EXT = (
    *("py", "html", "jinja", "jinja2", "j2", "toml"),
    *("yaml", "yml", "env", "json", "sql"),  # settings and data that a program reads as it starts
)
GO_EXCLUDE_DIR = ("assets", "tmp", "vendor", "testdata")  # as Air
GO_EXCLUDE_REGEX = ("_test.go",)  # as Air
APP_KEYS = ("build.full_bin", "build.entrypoint", "build.bin")  # the first that is written runs


@dataclass(frozen=True)
class Project:
    """The languages that a folder's own files (not those below) tell of; or it is Air's."""

    go: bool = False
    python: bool = False
    air: bool = False


def look(root: str) -> Project:
    """Returns the contents of `root`; a directory that can't be listed is empty."""
    try:
        names = os.listdir(root)
    except OSError:
        names = []
    return Project(
        go=any(mark in names for mark in GO_MARKS),
        python=any(name in PYTHON_MARKS or name.endswith(".py") for name in names),
    )


def go_binary(tmp_dir: str) -> str:
    """Returns the path of the Go default's program: `./tmp/main`, or in another `tmp_dir`."""
    path = posixpath.normpath(posixpath.join(tmp_dir, "main"))
    return path if path.startswith("/") else f"./{path}"


def go_command(tmp_dir: str) -> str:
    return f"go build -o {go_binary(tmp_dir)} ."


def defaults(project: Project, tmp_dir: str) -> dict[str, Any]:
    """The values that depend on the project, for keys that nobody wrote.

    `build.bin` goes with Go's `cmd` and only counts if no app is written; that is the caller's.
    """
    values: dict[str, Any] = {"build.include_ext": extensions(project)}
    if project.go:
        values |= {
            "build.cmd": go_command(tmp_dir),
            "build.bin": go_binary(tmp_dir),
            "build.exclude_dir": GO_EXCLUDE_DIR,
            "build.exclude_regex": GO_EXCLUDE_REGEX,
        }
    return values


def extensions(project: Project) -> tuple[str, ...]:
    if project.air:  # an Air file means what it means in Air
        return GO_EXT
    both = ((*GO_EXT, *GO_MORE_EXT) if project.go else ()) + (PYTHON_EXT if project.python else ())
    return tuple(dict.fromkeys(both)) or ("*",)
