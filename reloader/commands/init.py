"""`reloader init`: a short `.reload.toml` that works at once, from a look at the project."""

from __future__ import annotations

import os
from os.path import exists, join
from typing import TYPE_CHECKING

from reloader.commands.init_templates import SCHEMA, SCHEMA_LINE, detect, named
from reloader.errors import ConfigError, Problem, ReloaderError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = ".reload.toml"
_AIR_FILES = (".air.toml", ".config/air.toml")


def init(cwd: str, *, force: bool, template: str = "") -> str:
    """Write `.reload.toml` in `cwd`; gives what to tell the user.

    A project that has a config already gets none, unless `force`. `template`: the kind of project,
    where the one that is found is not meant.

    Raises ReloaderError: there is a `.reload.toml`, it can't be written, there is no such template.
    """
    chosen = named(cwd, template) if template else None
    air = next((name for name in _AIR_FILES if exists(join(cwd, name))), "")
    if air and not force and not exists(join(cwd, NAME)):
        return (
            f"{air} is here, and reloader run reads it as it is; nothing written\n"
            f"  reloader init --from {air} converts it to a {NAME}, which then goes before it\n"
        )
    chosen = chosen or detect(cwd)
    _write(cwd, chosen.text(), force=force)
    if not chosen.bin:
        return f"{NAME} written; say in it how the app is run, then: reloader run\n"
    return f"{NAME} written for {chosen.project}; start it with: reloader run\n"


def convert(cwd: str, source: str, environ: Mapping[str, str], *, force: bool) -> str:
    """Write what an Air file means as `.reload.toml`; gives what to tell the user.

    Raises ReloaderError: as `init`, and where the Air file can't be used.
    """
    from reloader.config import air, load
    from reloader.config.convert import convert as converted
    from reloader.config.document import parse, read
    from reloader.config.layers import Findings

    if not air.is_air(source):
        hint = "its name has air in it: .air.toml, .air.docker.toml, air.conf"
        raise ConfigError(Problem("expected an Air file", source, hint))
    home = {"HOME": environ.get("HOME", "")}
    was = load.load(load.Invocation(source), home, cwd)
    text = read(join(cwd, os.path.expanduser(source)), source, loose=True)
    table = air.folded(parse(text, source), Findings()).table
    result = converted(text, table, was, lambda new: load.meaning(parse(new, NAME), home, cwd))
    head = f"{SCHEMA_LINE}\n# From {source}, by reloader init --from.\n\n"
    _write(cwd, head + result.text, force=force)
    changes = "".join(f"  {change}\n" for change in result.changes)
    return f"{NAME} written from {source}; start it with: reloader run\n{changes}"


def _write(cwd: str, text: str, *, force: bool) -> None:
    """The config, and the schema that its first line names beside it."""
    from reloader.config import schema

    try:
        with open(join(cwd, NAME), "w" if force else "x", encoding="utf-8") as file:
            file.write(text)
        with open(join(cwd, SCHEMA), "w", encoding="utf-8") as file:
            file.write(schema.text())
    except FileExistsError:
        raise ReloaderError(
            Problem("there is a config already", NAME, "reloader init --force overwrites it")
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ReloaderError(Problem(f"can't be written: {reason}", NAME)) from None
