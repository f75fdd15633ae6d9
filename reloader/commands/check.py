"""`reloader check`: errors in a config, and warnings."""

from __future__ import annotations

import json
import os
import re
from enum import Enum
from typing import TYPE_CHECKING

from reloader.checks.finding import Finding, Level, summary
from reloader.config import warnings
from reloader.config.model import Layer
from reloader.config.project import GO_EXCLUDE_DIR
from reloader.config.toml_writer import effective, value_of
from reloader.config.validate import problem
from reloader.config.wording import quoted
from reloader.errors import Exit, Problem
from reloader.light import replace
from reloader.watch.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reloader.config.app_command import AppCommand
    from reloader.config.document import Document
    from reloader.config.load import Reading
    from reloader.config.model import Config
    from reloader.filter.rules import FileFilter
    from reloader.watch.scan import ProjectScan


def check(reading: Reading, environ: Mapping[str, str]) -> list[Finding]:
    """Returns all findings, the worst first; programs are looked up in the PATH of `environ`."""
    config = reading.config
    found = list(reading.warnings)
    if config:
        found += warnings.closer(config, reading.document)
        told = {problem.where for problem in found}
        missing = _programs(config, reading.document, environ.get("PATH", ""))
        found += [problem for problem in missing if not (problem.where and problem.where in told)]
        found += _env_files(config, environ)
        found += _counting(config, reading.document)
    findings = [Finding.of(Level.ERROR, problem) for problem in reading.problems]
    warned = [Finding.of(Level.WARNING, problem) for problem in dict.fromkeys(found)]
    findings += sorted(warned, key=lambda finding: finding.place[1])
    return findings + [Finding.of(Level.INFO, problem) for problem in reading.infos]


def of_apps(readings: Sequence[Reading], environ: Mapping[str, str]) -> list[Finding]:
    """Returns the findings in the apps of a file; each place is told once.

    A finding without a place in the file names its app.
    """
    found: dict[Finding, None] = {}
    for reading in readings:
        name = reading.config.name if reading.config else ""
        for finding in check(reading, environ):
            is_placed = finding.where or not name
            text = finding.message if is_placed else f"{name}: {finding.message}"
            found[replace(finding, message=text)] = None
    return sorted(found, key=lambda finding: list(Level).index(finding.level))


def status(findings: list[Finding], *, strict: bool) -> Exit:
    """Returns 2 for errors; 1 for warnings, with --strict; else 0."""
    levels = {finding.level for finding in findings}
    if Level.ERROR in levels:
        return Exit.USAGE
    return Exit.FAILED if strict and Level.WARNING in levels else Exit.OK


def conclusion(findings: list[Finding], file: str) -> str:
    """Returns the last line: "FILE: 1 error, 2 warnings"."""
    return f"{file or 'the config'}: {summary(findings) or 'no errors, no warnings'}"


def printed(readings: Sequence[Reading], *, as_json: bool) -> list[str]:
    """Returns the whole config with the origin of each value; nothing if it can't be used.

    Of a file with apps it is that of each of them, with `[apps.NAME]` or `"app"` before it.
    """
    lines = []
    for config in filter(None, (reading.config for reading in readings)):
        if as_json:
            rows: dict[str, object] = {
                key: {"value": value_of(config, key), "origin": origin.where}
                for key, origin in config.origins.items()
            }
            app = {"app": config.name} if config.name else {}
            lines.append(json.dumps(app | rows, default=_plain))
            continue
        if config.name:
            lines += [*("",) * bool(lines), f"# [apps.{config.name}]"]
        lines += effective(config)
    return lines


def _plain(value: object) -> object:
    """Returns what JSON has no form for: an enum by its value, a rule as a table."""
    return value.value if isinstance(value, Enum) else vars(value)


# --- programs ------------------------------------------------------------------------------------


def _programs(config: Config, document: Document | None, path: str) -> Iterator[Problem]:
    """Commands whose program is not there; what only a shell can tell is not judged."""
    from reloader.command.parse import app_command, parse_line

    build = config.build
    jobs: list[tuple[str, int | None, str]] = [("build.cmd", None, build.cmd)]
    jobs += [("build.pre_cmd", index, line) for index, line in enumerate(build.pre_cmd)]
    for key, index, line in jobs:
        if line and _is_missing(program := parse_line(line).argv[0], config.command_dir, path):
            yield problem(key, warnings.at(config, document, key, index), *_no_program(program))
    if build.app is None:
        return
    key = f"build.{build.app.key}"
    program = app_command(config).argv[0]
    is_path = "/" in program or re.search(rf"(?<![\w-]){re.escape(program)}(?![\w-])", build.cmd)
    is_built = is_path and (build.cmd or build.pre_cmd)
    is_there = not _is_missing(program, config.command_dir, path)
    if not is_built and not is_there:
        shown = program.removeprefix(config.command_dir + "/")
        yield problem(key, config.origins[key], *_no_program(shown))
    elif is_built and not is_there and (made := _made_elsewhere(build.cmd, program, config)):
        shown = os.path.relpath(program, config.command_dir)
        text = f"there is no {quoted(shown)}, and cmd makes {quoted(made)}"
        yield problem(key, config.origins[key], text, "let both name the same file")
    is_default = config.origins["build.cmd"].layer is Layer.DEFAULT
    has_build = build.pre_cmd or (build.cmd and not is_default)  # which may make the script
    if not has_build and (script := _missing_script(build.app, config)):
        text = f"there is no {quoted(script)}"
        yield problem(key, config.origins[key], text, "paths begin where commands run")


def _made_elsewhere(cmd: str, program: str, config: Config) -> str:
    """Returns what the build says to make (`-o FILE`) if that is not the program; else ""."""
    found = re.search(r"\s-o[\s=]+([\w./-]+)(?=\s|$)", cmd)
    if not found or found[1].endswith("/"):
        return ""
    made, wanted = (
        os.path.normpath(os.path.join(config.command_dir, p)) for p in (found[1], program)
    )
    return "" if made == wanted or os.path.isdir(made) else found[1]


_SCRIPT = re.compile(r"[\w./-]+\.(?:py|js|mjs|cjs|ts|mts|rb|php|pl|sh|lua)")


def _missing_script(app: AppCommand, config: Config) -> str:
    """Returns the script that an interpreter is to run and that is not there; else ""."""
    from reloader.config.invoked import commands

    for command in commands(app.text, config.command_dir):
        for word in command.words[:1]:
            place = os.path.join(command.place.folder, word)
            if _SCRIPT.fullmatch(word) and "/.bin/" not in word and not os.path.exists(place):
                return word
    return ""


def _is_missing(program: str, folder: str, path: str) -> bool:
    from shutil import which

    if "/" in program:
        return not os.path.exists(os.path.join(folder, program))
    return which(program, path=path) is None


def _no_program(program: str) -> tuple[str, str]:
    if "/" in program:
        return f"there is no {quoted(program)}", "paths begin at the root"
    return f"{quoted(program)} is not found on the PATH", ""


def _env_files(config: Config, environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yields what a start would report of `env_files`; a missing file is told elsewhere."""
    from reloader.command.environ import read

    before: dict[str, str] = {}
    for name in config.env_files:
        try:
            values, faults = read(os.path.join(config.root, name), environ, before)
        except FileNotFoundError:
            continue
        except OSError as error:
            yield Problem(f"the env file can't be read: {error.strerror}", name)
        else:
            before |= values
            yield from (Problem(fault.text, f"{name}:{fault.line}") for fault in faults)


# --- what counts ---------------------------------------------------------------------------------


def _counting(config: Config, document: Document | None) -> Iterator[Problem]:
    """Yields findings about the files that count, as the rules see them now."""
    seen = scan(config)
    dead = list(_endings(config, document, seen.rules))
    if len(dead) < len(config.build.include_ext):  # else one thing is wrong, and told below
        yield from dead
    if not any(seen.folders.values()):
        text = f"no file below {config.root} counts, so no save does anything"
        hint = "reloader explain PATH says why a file doesn't count"
        yield problem("build.include_ext", config.origins["build.include_ext"], text, hint)
    yield from _deeper(config, document, seen)
    yield from _by_accident(config, document, seen)


def _endings(config: Config, document: Document | None, rules: FileFilter) -> Iterator[Problem]:
    """Endings that no path can have, or that something else always takes back."""
    key = "build.include_ext"
    for index, ending in enumerate(config.build.include_ext):
        if ending == "*":
            continue
        place = warnings.at(config, document, key, index)
        text = f"no file with the ending {quoted(ending)} ever counts"
        if any(char in ending for char in "/\\*?[]{}"):
            yield problem(key, place, text, "an ending is what comes after a dot")
            continue
        paths = [f"{top}/{name}.{ending}" for top in rules.named for name in ("zq", "zq/zq")]
        decisions = [rules.decide(path) for path in paths]
        if not any(decision.needs for decision in decisions):
            yield problem(key, place, text, f"why: {decisions[0].because}")


def _deeper(config: Config, document: Document | None, seen: ProjectScan) -> Iterator[Problem]:
    """A folder that exclude_dir means and misses: it is not in the root, but further down."""
    key = "build.exclude_dir"
    if config.origins[key].layer is Layer.DEFAULT:
        return
    root = config.root + "/"
    watched = [path.removeprefix(root) for path in seen.folders if path.startswith(root)]
    for index, text in enumerate(config.build.exclude_dir):
        name = text.strip("/")
        if name in GO_EXCLUDE_DIR or any(char in name for char in "*?["):
            continue
        if os.path.exists(os.path.join(config.root, name)):
            continue
        if found := next((path for path in watched if path.endswith("/" + name)), ""):
            place = warnings.at(config, document, key, index)
            what = f"there is no {quoted(name)} in the root, and {quoted(found)} is watched"
            yield problem(key, place, what, f'for all of that name: "**/{name}"')


def _by_accident(config: Config, document: Document | None, seen: ProjectScan) -> Iterator[Problem]:
    """Patterns in exclude_regex that take files by a part of a name, or by a dot for any letter."""
    from reloader.config.regex import compiled

    key = "build.exclude_regex"
    patterns = config.build.exclude_regex
    if not patterns or config.origins[key].layer is Layer.DEFAULT:
        return
    open_to_all = replace(config, build=replace(config.build, exclude_regex=()))
    root = config.root + "/"
    lost = [p.removeprefix(root) for p in set(scan(open_to_all).paths()) - set(seen.paths())]
    for index, pattern in enumerate(patterns):
        is_word = pattern.replace("_", "").isalnum()
        exact = re.sub(r"(?<!\\)\.(?![*+?{])", r"\.", pattern)
        meant = rf"(?:^|[./]){pattern}(?:$|[./])" if is_word else exact
        if meant == pattern:
            continue
        search, search_meant = compiled(pattern).search, compiled(meant).search
        if paths := [path for path in lost if search(path) and not search_meant(path)]:
            more = f" (+{len(paths) - 1})" if len(paths) > 1 else ""
            text = f"{quoted(pattern)} also takes {min(paths)}{more}"
            word_hint = f'for a folder: exclude_dir = ["**/{pattern}"]'
            hint = word_hint if is_word else f"a dot is any letter; for a dot write '{exact}'"
            yield problem(key, warnings.at(config, document, key, index), text, hint)
