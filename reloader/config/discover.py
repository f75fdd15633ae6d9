"""Which config file counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reloader.config import air
from reloader.config.document import Document, parse, read
from reloader.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "RELOADER_CONFIG"
PYPROJECT = "pyproject.toml"
CANDIDATES = (".reload.toml", PYPROJECT, ".air.toml", ".config/air.toml")


def find(
    named: str, environ: Mapping[str, str], cwd: str, *, looks: bool = False
) -> Document | None:
    """The document of the config file; None: there is none.

    It is `named` (by `-c`), else by RELOADER_CONFIG, else the first of `CANDIDATES` in `cwd`. If a
    folder is named, it is the first of them there; with `looks` there need be none.

    Raises ConfigError: the file can't be read, or isn't TOML, or is another tool's.
    """
    name = named or environ.get(VARIABLE, "")
    remark = "" if named else f" ({VARIABLE})"
    if name and not os.path.isdir(_path(name, cwd)):
        return _named(name, cwd, remark)
    for candidate in CANDIDATES:
        place = os.path.join(name, candidate)
        if os.path.lexists(_path(place, cwd)) and (document := _candidate(place, cwd)):
            return document
    if name and not looks:
        hint = f"cd {name} && reloader init writes one"
        raise ConfigError(Problem("no config file in this folder", name + remark, hint))
    return None


def start(named: str, environ: Mapping[str, str], cwd: str) -> str:
    """The folder that a config is for, if it says nothing else: the one named, else `cwd`."""
    name = named or environ.get(VARIABLE, "")
    folder = os.path.normpath(_path(name, cwd))
    return folder if name and os.path.isdir(folder) else cwd


def places(named: str, environ: Mapping[str, str], cwd: str) -> tuple[str, ...]:
    """The files, absolute, whose coming, changing or going may change what `find` gives."""
    name, folder = named or environ.get(VARIABLE, ""), start(named, environ, cwd)
    is_file = name and folder == cwd and not os.path.isdir(_path(name, cwd))
    names = [_path(name, cwd)] if is_file else [os.path.join(folder, c) for c in CANDIDATES]
    return tuple(map(os.path.normpath, names))


def _path(name: str, cwd: str) -> str:
    return os.path.join(cwd, os.path.expanduser(name))


def _candidate(name: str, cwd: str) -> Document | None:
    """The document if it is ours: a pyproject.toml or an air.toml may have nothing for us."""
    path = _path(name, cwd)
    text = read(path, name, loose=air.is_air(name))
    if os.path.basename(name) == PYPROJECT:
        # Nobody's business is somebody else's syntax error, so look before parsing.
        return parse(text, name, path).below("tool", "reloader") if "reloader" in text else None
    document = parse(text, name, path)
    return None if air.is_air(name) and air.is_other_tool(document.table) else document


def _named(name: str, cwd: str, remark: str) -> Document:
    path = _path(name, cwd)
    text = read(path, name + remark, loose=air.is_air(name))
    document = parse(text, name, path)
    if os.path.basename(name) == PYPROJECT:
        section = document.below("tool", "reloader")
        if section is None:
            raise ConfigError(Problem("expected a table [tool.reloader], found none", name))
        return section
    if air.is_air(name) and air.is_other_tool(document.table):
        raise ConfigError(
            Problem(
                "this is the config of Air, the R formatter: it has [format] and no [build]",
                document.where(("format",)),
                "the Air that rebuilds Go programs and reloader have [build]",
            )
        )
    return document


def others(cwd: str) -> list[str]:
    """Air files in `cwd` that are only used when they are named, for a hint."""
    try:
        names = sorted(os.listdir(cwd))
    except OSError:
        return []
    return [name for name in names if air.is_air(name) and name not in CANDIDATES]
