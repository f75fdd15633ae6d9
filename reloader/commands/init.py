"""`reloader init`: a short `.reload.toml` that works at once, from a look at the project."""

from __future__ import annotations

import os
from os.path import exists, join, lexists
from typing import TYPE_CHECKING, NamedTuple

from reloader import files
from reloader.commands.found import several
from reloader.commands.init_templates import SCHEMA, SCHEMA_LINE, named, text
from reloader.detect.folder import Folder
from reloader.detect.project import look
from reloader.errors import ConfigError, Problem, ReloaderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reloader.detect.candidate import Candidate

NAME = ".reload.toml"
_AIR_FILES = (".air.toml", ".config/air.toml")
_AGENT_FILES = ("AGENTS.md", "CLAUDE.md")
_FOR_AGENTS = "After an edit run `reloader wait`; if it is not live, mend what it prints."
_READ = 1 << 20  # bytes of such a file


class Plan(NamedTuple):
    """A config to be written, "" if none is needed, and what to tell the user."""

    text: str
    said: str


def plan(
    cwd: str, *, force: bool, template: str = "", ask: Callable[[Sequence[Candidate]], Candidate]
) -> Plan:
    """Returns the config for the project in `cwd`; nothing is written.

    A project that has another config already gets none, unless `force`. `template`: the kind of
    project, where the one that is found is not meant. `ask` chooses where several are possible;
    it raises ConfigError if nobody can be asked.

    Raises ReloaderError: there is a `.reload.toml`, no such template, or several projects below.
    """
    chosen = [named(Folder(cwd), template)] if template else []
    if lexists(join(cwd, NAME)) and not force:
        raise _there_already()
    if other := "" if force else _other_config(cwd):
        return Plan("", other)
    chosen = chosen or look(Folder(cwd))
    if len(chosen) > 1 and (one := _asked(chosen, ask)):
        chosen = [one]
    if len(chosen) > 1 and any(it.root for it in chosen):
        raise ReloaderError(several(chosen))
    return Plan(text(chosen), _told(chosen))


def _asked(
    chosen: Sequence[Candidate], ask: Callable[[Sequence[Candidate]], Candidate]
) -> Candidate | None:
    try:
        return ask(chosen)
    except ConfigError:
        return None


def _other_config(cwd: str) -> str:
    """Returns what to say of a config that reloader reads already, or ""."""
    from reloader.config import discover

    air = next((name for name in _AIR_FILES if exists(join(cwd, name))), "")
    if air:
        return (
            f"{air} is here, and reloader run reads it as it is; nothing written\n"
            f"  reloader init --from {air} converts it to a {NAME}, which then goes before it\n"
        )
    document = discover.find("", {}, cwd)
    if document:
        return f"{document.name} has a [tool.reloader] already; nothing written\n"
    return ""


def _told(chosen: Sequence[Candidate]) -> str:
    """Returns what was chosen, and why."""
    if len(chosen) != 1:
        todo = "say in it how the app is run"
        todo = f"take the # off one of the {len(chosen)} ways in it" if chosen else todo
        return f"{NAME} written; {todo}, then: reloader\n"
    (it,) = chosen
    found = f", found in {it.where}" if it.where else ""
    return f"{NAME} written for {it.kind}: {it.command}{found}; start it with: reloader\n"


def init(cwd: str, *, force: bool, template: str = "") -> str:
    """Writes what `plan` gives; returns what to tell the user.

    Raises ReloaderError: as `plan`, and if the file can't be written.
    """
    from reloader.commands.found import asked

    planned = plan(cwd, force=force, template=template, ask=asked)
    return planned.said + write(cwd, planned.text, force=force)


def write(cwd: str, text: str, *, force: bool) -> str:
    """Writes the config and the schema that its first line names; returns what to say of that.

    A file that is there stays, but with `force`; a link is replaced then, never followed.

    Raises ReloaderError: a file is there, or can't be written.
    """
    from reloader.config import schema

    if not text:
        return ""
    name = NAME
    try:
        put = files.replace if force else files.create
        put(join(cwd, NAME), text.encode())
        name = SCHEMA
        put = files.replace if _is_schema(join(cwd, SCHEMA)) else files.create
        put(join(cwd, SCHEMA), schema.text().encode())
    except FileExistsError:
        if name == NAME:
            raise _there_already() from None
        return f"{SCHEMA} is there already and stays as it is\n"
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ReloaderError(Problem(f"can't be written: {reason}", name)) from None
    told = f"{SCHEMA} written beside it: editors complete and check the config with it\n"
    return told + _for_agents(cwd)


def _for_agents(cwd: str) -> str:
    """Returns what to add to the project's file for agents; "" if there is none, or it has that."""
    for name in _AGENT_FILES:
        try:
            text = files.head(join(cwd, name), _READ)
        except OSError:
            continue
        return "" if b"reloader wait" in text else f"for agents, add to {name}: {_FOR_AGENTS}\n"
    return ""


def _is_schema(path: str) -> bool:
    """A schema that an earlier init has written; a new version may replace it."""
    from reloader.config import schema

    head = schema.text()[:60].encode()
    try:
        return files.head(path, len(head), follow=False) == head
    except OSError:
        return False


def _there_already() -> ReloaderError:
    hint = "reloader init --force overwrites it"
    return ReloaderError(Problem("there is a config already", NAME, hint))


def convert(cwd: str, source: str, environ: Mapping[str, str]) -> Plan:
    """Returns what an Air file means as a config of reloader's own; nothing is written.

    Raises ReloaderError: the Air file can't be used.
    """
    from reloader.config import air, load
    from reloader.config.convert import convert as converted
    from reloader.config.document import parse, read
    from reloader.config.written import Problems

    if not air.is_air(source):
        hint = "its name has air in it: .air.toml, .air.docker.toml, air.conf"
        raise ConfigError(Problem("expected an Air file", source, hint))
    home = {"HOME": environ.get("HOME", "")}
    was = load.load(load.Invocation(source), home, cwd)
    text = read(join(cwd, os.path.expanduser(source)), source, loose=True)
    table = air.folded(parse(text, source), Problems()).table
    result = converted(text, table, was, lambda new: load.meaning(parse(new, NAME), home, cwd))
    head = f"{SCHEMA_LINE}\n# From {source}, by reloader init --from.\n\n"
    changes = "".join(f"  {change}\n" for change in result.changes)
    said = f"{NAME} written from {source}; start it with: reloader run\n{changes}"
    return Plan(head + result.text, said)
