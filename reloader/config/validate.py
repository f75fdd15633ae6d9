"""Checks that need the whole config: directories on this machine, keys against each other.

Looks at the file system, changes nothing.
"""

from __future__ import annotations

import os
from os.path import join, realpath
from typing import TYPE_CHECKING

from reloader.config.model import Layer
from reloader.errors import Problem
from reloader.paths import is_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.config.model import Config, Origin

_SHARED = ("/", "/tmp", "/var/tmp")  # noqa: S108 -- these are not used but spared
_LOOK_AT = 20_000  # files, 50 ms; what a build leaves is less
# What counts as a source where `include_ext` is "*" and so tells nothing.
_SOURCES = (
    *("c", "cc", "cpp", "cs", "css", "dart", "ex", "go", "h", "hpp", "html", "java", "js"),
    *("jsx", "kt", "lua", "php", "pl", "py", "rb", "rs", "scala", "sh", "sql", "swift"),
    *("ts", "tsx", "vue", "zig"),
)


def home_folder(variable: str) -> str:
    """The home folder, from HOME if set; "": there is none (a uid without a passwd entry)."""
    path = variable or os.path.expanduser("~")
    return realpath(path) if path.startswith("/") else ""


def root_problem(root: str, origin: Origin) -> Problem | None:
    """The root is a folder."""
    if os.path.isdir(root):
        return None
    found = "something else" if os.path.exists(root) else "nothing"
    hint = "paths begin where reloader was started"
    return problem("root", origin, f"expected a folder at {root}, found {found}", hint)


def dangerous_root(config: Config, home: str, file_dir: str) -> Problem | None:
    """`/` and the home folder are refused, as in Air: too much to watch.

    In a container HOME is often the WORKDIR, so a home that holds the config file itself is a
    project like any other.
    """
    root = realpath(config.root)
    if config.build.ignore_dangerous_root_dir or root not in ("/", home):
        return None
    if root != "/" and file_dir in (root, join(root, ".config")):
        return None
    name = "/" if root == "/" else f"the home folder {root}"
    return problem(
        "root",
        config.origins["root"],
        f"expected a project folder, found {name}: too much to watch",
        "start in the project's folder, or set build.ignore_dangerous_root_dir = true",
    )


def cleaning(config: Config, home: str) -> str:
    """Returns why `clean_on_exit` is refused: the files it would delete; "" if it is allowed."""
    target = realpath(config.tmp_dir)
    if is_below(realpath(config.root), target):
        return f"would delete the project: tmp_dir is {target}"
    if target in _SHARED:
        return f"would delete {target}, which is everybody's"
    if home and is_below(home, target):
        return f"would delete {target}, which holds the home folder"
    endings = tuple(e for e in config.build.include_ext if e != "*") or _SOURCES
    if source := _source_in(target, endings):
        return f"would delete {target}, which holds {source}"
    return ""


def _source_in(folder: str, endings: tuple[str, ...]) -> str:
    """The first repository or source file below `folder`, relative to it; "" if none is seen."""
    suffixes = tuple(f".{ending}" for ending in endings)
    seen = 0
    for parent, names, files in os.walk(folder):
        for name in (*names, *files):
            if name == ".git" or (name in files and name.endswith(suffixes)):
                return os.path.relpath(join(parent, name), folder)
        seen += len(files) + 1
        if seen > _LOOK_AT:
            break
    return ""


def app_problems(config: Config) -> Iterator[Problem]:
    """`entrypoint` begins with a program."""
    if config.build.entrypoint and not config.build.entrypoint[0]:
        key = "build.entrypoint"
        yield problem(key, config.origins[key], 'expected a program first, found ""')


def problem(key: str, origin: Origin, text: str, hint: str = "") -> Problem:
    """The problem of a key: flags and variables are named by their origin already."""
    if origin.layer in (Layer.FLAG, Layer.ENVIRONMENT):
        return Problem(text, origin.where, hint)
    where = origin.where if origin.layer is Layer.FILE else ""
    return Problem(f"{key}: {text}", where, hint)
