"""From a command line to the configs that it is about: which files, and which apps in them."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from reloader.arguments import divide, split
from reloader.commands.shared import Project
from reloader.config.discover import find, places
from reloader.config.load import Invocation
from reloader.config.load import read as read_config
from reloader.errors import ConfigError, Problem
from reloader.light import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reloader.arguments import Given
    from reloader.config.document import Document
    from reloader.config.layers import Guess
    from reloader.config.load import Reading


def working_directory() -> str:
    """Returns it. Raises ConfigError: it is gone, or can't be read."""
    try:
        return os.getcwd()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            Problem(f"the working directory can't be used: {reason}", hint="cd to the project")
        ) from None


# --- apps ----------------------------------------------------------------------------------------


def apps(files: Sequence[str]) -> tuple[str, ...]:
    """Returns the names of the apps in the one config file; () if it has none, or can't be read."""
    document = _document("".join(files)) if len(files) < 2 else None
    if document is None or "apps" not in document.table:
        return ()
    from reloader.config.apps import names

    return names(document)


def divided(arguments: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Returns the flags, the names of apps among them, and what is after `--`."""
    ours: list[str] = []
    wanted: list[str] = []
    rest, args = split(arguments)
    while rest:
        flags, rest, _ = divide(rest)
        ours += flags
        wanted += rest[:1]
        rest = rest[1:]
    return ours, wanted, args


def _document(file: str) -> Document | None:
    """Returns the config file; None if there is none, or if it can't be read (told later)."""
    try:
        return find(file, os.environ, working_directory(), looks=True)
    except ConfigError:
        return None


def _each(invocation: Invocation, *, wanted: Sequence[str], every: bool) -> list[Invocation]:
    """Returns the apps of a file in the order of need; the file as it is, if it is one app."""
    document = _document(invocation.file)
    if document is None or "apps" not in document.table:
        if invocation.profiles and document:
            text = "--profile is for apps: there is no [apps.NAME]"
            raise ConfigError(Problem(text, document.name))
        return [invocation]
    from reloader.config.apps import names, problems, selected

    found = names(document)
    if not found or problems(document):  # which its reading tells
        return [invocation]
    wanted = found if every else tuple(wanted)
    return [
        replace(invocation, app=name, wanted=wanted)
        for name in selected(document, wanted, invocation.profiles)
    ]


# --- invocations ---------------------------------------------------------------------------------


def invocations(  # noqa: PLR0913 -- the command line has so many parts
    given: Given,
    args: tuple[str, ...] = (),
    words: Sequence[str] = (),
    *,
    asks: bool = False,
    wanted: Sequence[str] = (),
    every: bool = False,
) -> list[Invocation]:
    """Returns one for each `-c`, or for each of the `[apps.*]` in it that is to run.

    `wanted`: their names; `every`: all of them, whatever their profiles. Without a config, a look
    at the project says what is run. Raises ConfigError: there is no such app or profile.
    """
    guess = None
    if words:
        from reloader.commands.found import typed

        guess = typed(tuple(words), working_directory())
    look = partial(_look, {}, asks=asks)
    profiles = tuple(given.options.profile)
    plain = [
        Invocation(file, given.flags, args, given.ignored, look, guess, profiles=profiles)
        for file in given.options.file or [""]
    ]
    return (
        plain if guess else [one for it in plain for one in _each(it, wanted=wanted, every=every)]
    )


def _look(known: dict[str, Guess], folder: str, args: tuple[str, ...], *, asks: bool) -> Guess:
    """Returns the way to run the project in `folder`; a run stays with the first answer."""
    from reloader.commands.found import found

    if folder not in known:
        known[folder] = found(folder, args, asks=asks)
    return known[folder]


def readings(given: Given) -> dict[str, list[Reading]]:
    """Returns what each `-c` comes to: of a file with `[apps.*]`, a reading for each of them."""
    found: dict[str, list[Reading]] = {}
    for invocation in invocations(given, every=True):
        reading = read_config(invocation, os.environ, working_directory())
        found.setdefault(invocation.file, []).append(reading)
    return found


def of_one_file(given: Given) -> list[Reading]:
    """Returns the readings for a command that looks at one file. Raises ConfigError: at several."""
    if len(given.options.file) > 1:
        raise ConfigError(Problem("expected one config file, found several", "-c"))
    (only,) = readings(given).values()
    return only


# --- projects ------------------------------------------------------------------------------------


def projects(invoked: list[Invocation], started_in: str = "") -> list[Project]:
    """Several configs are several apps; all that is wrong in any of them is said at once.

    `started_in`: where the run was started, if it goes on already, for reloader moves to the
    folder of each command that it starts; "": here.

    A config that is deleted later is missed: a look at the project does not take its place.
    """
    environ, cwd = dict(os.environ), started_in or working_directory()
    found = [read_config(invocation, environ, cwd) for invocation in invoked]
    if problems := [problem for reading in found for problem in reading.problems]:
        raise ConfigError(*dict.fromkeys(problems))
    files = [places(invocation.file, environ, cwd) for invocation in invoked]
    configs = [reading.config for reading in found if reading.config]
    reads = [
        partial(read_config, it if config.found else replace(it, look=None), environ, cwd)
        for it, config in zip(invoked, configs, strict=True)
    ]
    named = [
        config.file or f"{it.file}/.reload.toml"
        for it, config in zip(invoked, configs, strict=True)
    ]
    called: Sequence[str] = ("",)
    if len(configs) > 1:
        from reloader.config.names import names

        called = names(named, [it.app for it in invoked])
    siblings = [partial(_sibling, it, cwd) for it in invoked]
    return [Project(*parts) for parts in zip(configs, reads, files, called, siblings, strict=True)]


def _sibling(invocation: Invocation, started_in: str, name: str) -> Project:
    """Another app of the same file, which an edit has brought. Raises ConfigError."""
    invoked = replace(invocation, app=name, look=None)
    return projects([invoked], started_in)[0]._replace(name=name)
