"""Warnings about values that are allowed and probably not meant.

Some of it is said at each start; `reloader check` looks more closely. Looks at the file system,
changes nothing.
"""

from __future__ import annotations

import os
import re
from os.path import join
from typing import TYPE_CHECKING

from reloader.config import project
from reloader.config.model import PLATFORMS, Layer
from reloader.config.validate import problem
from reloader.config.wording import quoted
from reloader.light import replace
from reloader.paths import is_below

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reloader.config.document import Document
    from reloader.config.lines import Path
    from reloader.config.model import Config, Origin
    from reloader.errors import Problem

# No pattern that is about something matches all of these.
_ANY_PATHS = ("zq", "7/Z", "main.go", "a_b/c-d.e f")
_NANOS_FROM = 10**6  # a number for kill_delay: below this it is in ms


def at_start(config: Config) -> Iterator[Problem]:
    """Yields the warnings of each run: a surprise, or a feature that is not there yet."""
    entrypoint = config.build.entrypoint
    if len(entrypoint) == 1 and " " in entrypoint[0]:
        program = join(config.root, entrypoint[0])
        if not os.path.exists(program):
            text = f'"{entrypoint[0]}" is taken as one program'
            yield _doubt(config, "build.entrypoint", text, "arguments are written as a list")
    proxy = config.proxy
    if proxy.enabled and not proxy.is_on:
        text = "no proxy: proxy.app_port, the port that the app listens on, is not set"
        if proxy.app_port:
            text = "no proxy: proxy.proxy_port and proxy.app_port are the same"
        yield _doubt(config, "proxy.enabled", text)
    yield from _started_too_high(config)
    yield from _no_time_to_stop(config)


def shared(config: Config, document: Document | None) -> Iterator[Problem]:
    """Yields a warning for what each of the apps of a file would do by itself."""
    table = document.table.get("build") if document and config.name else None
    if not isinstance(table, dict) or len(document.table["apps"] if document else ()) < 2:
        return
    key = "build.pre_cmd"
    where = config.origins[key].where
    if "pre_cmd" in table and document and where == document.where(("build", "pre_cmd")):
        text = "each app runs it by itself"
        hint = "what all need once is an app with once = true, which they depend on"
        yield problem(key, config.origins[key], text, hint)


_SOON = 0.1  # seconds; an app that ends by itself needs more


def _no_time_to_stop(config: Config) -> Iterator[Problem]:
    """Yields a warning for a time to stop that is too short, and for SIGKILL."""
    build = config.build
    for key, seconds in (("stop_timeout", build.stop_timeout), ("kill_delay", build.kill_delay)):
        if (
            seconds is not None
            and 0 < seconds < _SOON
            and (key == "stop_timeout" or build.send_interrupt)
        ):
            text = f"is {seconds * 1000:g} ms, then the app is killed"
            number = f"{seconds * 1000:g}"
            yield _doubt(config, f"build.{key}", text, f'"{number}s" is {number} seconds')
    if build.stop_signal in {"SIGKILL", "SIGSTOP"}:
        text = f"no app can handle {build.stop_signal}, so it never ends in order"
        yield _doubt(config, "build.stop_signal", text, "SIGTERM and stop_timeout do both")


def _started_too_high(config: Config) -> Iterator[Problem]:
    """`-c backend/.air.toml`, for a project that lies in backend and not here."""
    folder, here = os.path.dirname(config.file_path), config.command_dir
    if not is_below(folder, here):
        return
    marks = [mark for mark in project.MARKS if os.path.exists(join(folder, mark))]
    if marks and not any(os.path.exists(join(here, mark)) for mark in project.MARKS):
        text = f"commands run in {here}, which has no {marks[0]} as the config's folder has"
        hint = f"-c {os.path.relpath(folder, here)}, the folder, runs them there"
        yield problem("root", config.origins["root"], text, hint)


def closer(config: Config, document: Document | None) -> Iterator[Problem]:
    """Yields the warnings that need a look at every value; `document` is the config's file."""
    yield from _stopping(config, document)
    yield from _patterns(config, document)
    yield from _log(config)
    yield from _places(config, document)
    from reloader.config import commandlines

    for warning in commandlines.warnings(config):
        place = at(config, document, f"build.{warning.key}", warning.index)
        yield problem(f"build.{warning.key}", place, warning.text, warning.hint)


# --- stopping ------------------------------------------------------------------------------------


def _stopping(config: Config, document: Document | None) -> Iterator[Problem]:
    """The keys that say how the app is stopped, against each other."""
    build, origins = config.build, config.origins
    key = "build.kill_delay"
    if build.kill_delay is not None:
        meaning, better = _kill_delay(document)
        if not build.send_interrupt:
            text = "has no effect without send_interrupt = true"
            hint = "the app has 5s after SIGTERM, or what stop_timeout says"
            yield problem(key, origins[key], f"{meaning}, and {text}" if meaning else text, hint)
        elif build.stop_timeout is not None:
            yield problem(key, origins[key], "has no effect beside stop_timeout", "keep one")
        elif meaning:
            yield problem(key, origins[key], meaning, better)
    if build.send_interrupt and build.stop_signal not in ("", "SIGINT"):
        text = f"the app gets {build.stop_signal}: stop_signal goes before send_interrupt"
        yield _doubt(config, "build.stop_signal", text, "keep one")


def _kill_delay(document: Document | None) -> tuple[str, str]:
    """Returns the meaning of a bare number, and a way to write it; "" if it has a unit."""
    build = document.table.get("build") if document else None
    value = build.get("kill_delay") if isinstance(build, dict) else None
    if not isinstance(value, int):
        return "", ""
    if value >= _NANOS_FROM:
        text = f"{value / 10**9:g}s"
        return f"{value} means {text}: numbers from a million on are in ns", f'write "{text}"'
    return f"{value} means {value} ms", f'write "{value}ms", so that nobody reads it as ns'


# --- patterns ------------------------------------------------------------------------------------


def _patterns(config: Config, document: Document | None) -> Iterator[Problem]:
    """Regular expressions that take everything, or can take nothing."""
    from reloader.config.regex import compiled

    key = "build.exclude_regex"
    for index, text in enumerate(config.build.exclude_regex):
        place = at(config, document, key, index)
        if all(compiled(text).search(path) for path in _ANY_PATHS):
            yield problem(key, place, f"{quoted(text)} matches every path: no file counts")
        elif reason := _never_matches(text, config.root):
            yield problem(key, place, f"{quoted(text)} matches nothing: {reason[0]}", reason[1])


def _never_matches(text: str, root: str) -> tuple[str, str] | None:
    """Returns why a pattern can't match a path below the root, and a hint."""
    if re.match(r"(\^|\\A)\\?/", text) or text.startswith(root + "/"):
        plain = text.replace("\\/", "/").removeprefix("^").removeprefix("\\A")
        below = plain.removeprefix(root).lstrip("/")
        return "it is searched in the path below the root", f"write {quoted('^' + below)}"
    if text.startswith("!"):
        return "! is just a character in it", "what counts is said by the include_… keys"
    plain = re.sub(r"\\.|\[\^?\]?[^]]*\]", "x", text)  # no quoted characters, no classes
    if re.search(r"[\w.]\^|\$[\w.]", plain) and "(?" not in plain:
        return "^ is the beginning of the path and $ its end", "quoted, \\^ and \\$ are characters"
    if os.sep == "/" and r"\\" in text.replace(r"\\.", ""):
        return "paths have / between their names", f"write {quoted(text.replace(chr(92) * 2, '/'))}"
    return None


def _log(config: Config) -> Iterator[Problem]:
    """`log` is a path in tmp_dir; said twice, it makes a folder in a folder."""
    log, folder = config.build.log, os.path.basename(config.tmp_dir)
    if os.path.normpath(log).startswith(folder + "/"):
        text = f"is in tmp_dir already, so this is {quoted(join(folder, os.path.normpath(log)))}"
        hint = f"write {quoted(os.path.normpath(log).removeprefix(folder + '/'))}"
        yield _doubt(config, "build.log", text, hint)


# --- places --------------------------------------------------------------------------------------


def _places(config: Config, document: Document | None) -> Iterator[Problem]:
    """Folders and files that are named and are not there."""
    expected: tuple[tuple[str, tuple[str, ...], Callable[[str], bool], str], ...] = (
        ("build.include_dir", config.build.include_dir, os.path.isdir, "folder"),
        ("build.include_file", config.build.include_file, os.path.exists, "file"),
        ("env_files", config.env_files, os.path.exists, "file"),
    )
    for key, paths, is_there, kind in expected:
        for index, path in enumerate(paths):
            if not is_there(join(config.root, path)):
                place = at(config, document, key, index)
                yield problem(
                    key, place, f"there is no {kind} {quoted(path)}", _instead(config, path)
                )
    for number, rule in enumerate(config.build.rules):
        for path in rule.include_dir:
            if not os.path.isdir(join(config.root, path)):
                place = config.origins["build.rules"]
                text = f"there is no folder {quoted(path)}"
                yield problem(f"build.rules[{number}].include_dir", place, text)
    for index, path in enumerate(config.build.include_dir):
        if path.rstrip("/") in {text.rstrip("/") for text in config.build.exclude_dir}:
            place = at(config, document, "build.include_dir", index)
            text = f"{quoted(path)} is in exclude_dir as well, which wins"
            yield problem("build.include_dir", place, text, "keep one")


def _instead(config: Config, path: str) -> str:
    """Returns a hint at the path that may have been meant, for one that does not exist."""
    from difflib import get_close_matches

    if any(char in path for char in "*?["):
        return "globs are read in exclude_dir and exclude_file only; include_ext takes endings"
    folder, name = os.path.split(path.rstrip("/"))
    try:
        names = os.listdir(join(config.root, folder))
    except OSError:
        names = []
    if close := get_close_matches(name, names, n=1, cutoff=0.6):
        return f"did you mean {quoted(join(folder, close[0]))}?"
    return "paths begin at the root; it counts as soon as it is there"


def at(config: Config, document: Document | None, key: str, index: int | None) -> Origin:
    """Returns the place of one item of a list in the file, as exactly as is known."""
    origin = config.origins[key]
    if document is None or origin.layer is not Layer.FILE or index is None:
        return origin
    path: Path = tuple(key.split("."))
    for keys in (path, *((path[0], system, *path[1:]) for system in PLATFORMS)):
        if document.where(keys) == origin.where and (*document.prefix, *keys) in document.lines:
            return replace(origin, where=document.where((*keys, index)))
    return origin


def _doubt(config: Config, key: str, text: str, hint: str = "") -> Problem:
    return problem(key, config.origins[key], text, hint)
