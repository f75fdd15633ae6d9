"""The command line: what was asked for, and what is said when it can't be done.

Every key of the config is a flag. Only what a start needs is imported here: the way to the
user's app is timed.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from reloader import __version__
from reloader.arguments import (
    PLAIN,
    Formatter,
    Grammar,
    Parser,
    divide,
    parser_of,
    read,
    split,
    width,
)
from reloader.commands import table
from reloader.commands.invocations import (
    apps,
    divided,
    invocations,
    of_one_file,
    projects,
    readings,
    working_directory,
)
from reloader.errors import ConfigError, Exit, Problem, ReloaderError, reason
from reloader.process import bootstrap
from reloader.report.text import say
from reloader.stdout import OutputError, write, write_text

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterable, Sequence


_USAGE = "reloader [run] [FLAGS…] [APP… | FILE | DIRECTORY | COMMAND…] [-- ARGS…]"
_HELP = ("-h", "--help")
_BROKEN_PIPE = 128 + 13  # as a shell says of a program that SIGPIPE ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` asks for (default: the process's); gives the exit status.

    Never raises for what a user can do: all is said on stderr, with status 2 if the command
    line or the config can't be used.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(arguments)
    except ReloaderError as error:
        _complain(error.problems)
        return error.status
    except BrokenPipeError:  # `reloader run -h | head -1`
        return _BROKEN_PIPE
    except OutputError as error:
        _complain([Problem(f"the output can't be written: {error.reason}")])
        return Exit.FAILED
    except Exception as error:  # noqa: BLE001 -- a sentence, not a traceback
        why = reason(error)
        _complain([Problem(why or _fault(error))])
        return Exit.FAILED if why else Exit.FAULT


def _complain(problems: Iterable[Problem]) -> None:
    """Writes to stderr; there is nobody else to tell if that fails."""
    for problem in problems:
        first, *rest = problem.lines()
        with suppress(OSError):
            say([f"reloader: {first}", *rest], sys.stderr)


def _fault(error: Exception) -> str:
    """Returns the message for a bug; the traceback goes to a file."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="reloader-", suffix=".log", delete=False
        ) as file:
            file.write(text)
    except OSError:  # no place for it
        return f"a fault of reloader itself, please report it:\n{text}"
    return f"a fault of reloader itself ({error!r}); please report it with {file.name}"


def _dispatch(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in _HELP:
        return write_text(_overview())
    if first == "--version":
        return write(f"reloader {__version__}")
    if first in COMMANDS:
        if first != "run":
            bootstrap.release()
        return COMMANDS[first](arguments[1:])
    if first.startswith("-") or not first or _is_run(first):
        return _run(arguments)
    from reloader.commands.found import unknown_command

    raise ConfigError(unknown_command(first, COMMANDS))


def _is_run(word: str) -> bool:
    """The word is a file, a directory, a program, or a command line in one word."""
    if os.path.exists(word) or "/" in word or " " in word:
        return True
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return any(os.access(os.path.join(folder, word), os.X_OK) for folder in folders)


def _overview() -> str:
    return (
        f"usage: {_USAGE}\n\n"
        "Rebuilds and restarts an app when its files change.\n\n"
        f"{table.overview()}\n"
        "Run 'reloader COMMAND --help' for details, 'reloader --version' for the version.\n"
    )


_RUN = Grammar(
    "run", _USAGE, switches=(("--json", "one JSON object a line on stdout for each event"),)
)
_CHECK = Grammar(
    "check",
    "reloader check [-c FILE]… [--strict] [--json] [--print] [--section.key VALUE …]",
    switches=(
        ("--strict", "exit status 1 for warnings, too"),
        ("--json", "one JSON object a line for each finding"),
        ("--print", "the whole config, each value with its origin; warnings on stderr"),
    ),
)
_DOCTOR = Grammar(
    "doctor",
    "reloader doctor [-c FILE] [--json] [--section.key VALUE …]",
    switches=(("--json", "one JSON object a line for each finding"),),
)
_EXPLAIN = Grammar(
    "explain",
    "reloader explain [-c FILE] [--section.key VALUE …] [PATH|KEY|SECTION…]",
    takes_words=True,
)


# --- run -----------------------------------------------------------------------------------------


def _run(arguments: list[str]) -> int:
    ours, words, args = divide(arguments)
    if any(text in _HELP for text in ours):
        from reloader.commands.usage import run_help

        return write_text(run_help(_USAGE, width()))
    given = read(_RUN, ours)
    wanted: list[str] = []
    if words and words[0] in apps(given.options.file):
        ours, wanted, args = divided(arguments)
        given, words = read(_RUN, ours), []
    elif all(map(os.path.isdir, words)):  # `reloader DIR` is `cd DIR && reloader`
        given.options.file.extend(words)
        words = []
    invoked = invocations(given, tuple(args), words, asks=True, wanted=wanted)
    found = projects(invoked)
    from reloader.commands.run import run

    return run(found, json=given.options.json)


# --- check, explain, doctor ----------------------------------------------------------------------


def _check(arguments: list[str]) -> int:
    if any(text in _HELP for text in arguments):
        return write_text(parser_of(_CHECK, arguments).format_help())
    given = read(_CHECK, arguments)
    import json

    from reloader.commands import check

    statuses = []
    for named, found in readings(given).items():
        findings = check.of_apps(found, os.environ)
        document = found[0].document
        file = document.name if document else named
        if given.options.json:
            lines = [json.dumps(finding.record()) for finding in findings]
        else:
            lines = [line for finding in findings for line in finding.lines()]
            lines.append(check.conclusion(findings, file))
        if given.options.print:
            write(*check.printed(found, as_json=given.options.json))
            say(lines, sys.stderr)
        else:
            write(*lines)
        statuses.append(check.status(findings, strict=given.options.strict))
    return max(statuses)


def _explain(arguments: list[str]) -> int:
    if any(text in _HELP for text in arguments):
        return write_text(parser_of(_EXPLAIN, arguments).format_help())
    ours, behind = split(arguments)
    given = read(_EXPLAIN, ours)
    words = [*given.words, *behind]
    if not words:
        from reloader.commands.why import why_now

        return write(*why_now(working_directory()))
    found = of_one_file(given)
    from reloader.commands.explain import explain_apps

    return write(*explain_apps(words, found, working_directory()))


def _doctor(arguments: list[str]) -> int:
    if any(text in _HELP for text in arguments):
        return write_text(parser_of(_DOCTOR, arguments).format_help())
    given = read(_DOCTOR, arguments)
    found = of_one_file(given)
    import json

    from reloader.commands import doctor

    configs = [reading.config for reading in found if reading.config]
    wrong = dict.fromkeys(problem for reading in found for problem in reading.problems)
    findings = []
    for finding in doctor.doctor(configs, list(wrong)):  # at once: the next may take long
        findings.append(finding)
        write(*([json.dumps(finding.record())] if given.options.json else finding.rows()))
    if not given.options.json:
        write(doctor.conclusion(findings))
    return doctor.status(findings)


# --- init ----------------------------------------------------------------------------------------


def _init(arguments: list[str]) -> int:
    parser = Parser(prog="reloader init", formatter_class=Formatter, **PLAIN)
    parser.add_argument("-h", "--help", action="store_true", help="this text")
    parser.add_argument("--force", action="store_true", help="overwrite a .reload.toml")
    text = "convert this Air file, with its comments, and say what changed"
    parser.add_argument("--from", dest="source", metavar="FILE", default="", help=text)
    text = "for this kind of project, not the one that is found: go, fastapi, node, …"
    parser.add_argument("--template", metavar="NAME", default="", help=text)
    parser.add_argument("--print", action="store_true", help="print the config, write nothing")
    parser.add_argument("--run", action="store_true", help="start at once with the new config")
    given = parser.parse_args(arguments)
    if given.help:
        return write_text(parser.format_help())
    if given.source and given.template:
        raise ConfigError(Problem("--from and --template exclude each other", hint="keep one"))
    status = _written(given)
    if not given.run or given.print:
        return status
    bootstrap.block()
    return _run([])


def _written(given: Namespace) -> int:
    from reloader.commands.found import asked
    from reloader.commands.init import convert, plan, write

    cwd = working_directory()
    force = given.force or given.print
    if given.source:
        planned = convert(cwd, given.source, os.environ)
    else:
        planned = plan(cwd, force=force, template=given.template, ask=asked)
    if given.print:
        return write_text(planned.text)
    return write_text(planned.said + write(cwd, planned.text, force=given.force))


# --- what a run is asked -------------------------------------------------------------------------


def _healthcheck(arguments: list[str]) -> int:
    from reloader.commands.healthcheck import main

    return main(arguments, working_directory())


def _mcp(arguments: list[str]) -> int:
    if arguments:
        return write_text(table.help_of("mcp"))
    from reloader.commands.mcp import main

    return main(working_directory())


def _ask(name: str, arguments: list[str]) -> int:
    from reloader.commands.ask import main

    return main(name, arguments, working_directory())


# --- help, completion ----------------------------------------------------------------------------


def _help(arguments: list[str]) -> int:
    """Of a command its flags, of a key of the config what it means."""
    if not arguments or arguments[0] in _HELP:
        return write_text(_overview())
    if arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](["--help"])
    return _explain([word.lstrip("-") for word in arguments])


def _completion(arguments: list[str]) -> int:
    from reloader.commands.completion import completion

    return write_text(completion("".join(arguments), table.helps()))


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "run": _run,
    "check": _check,
    "explain": _explain,
    "doctor": _doctor,
    "init": _init,
    "healthcheck": _healthcheck,
    "mcp": _mcp,
    "help": _help,
    "completion": _completion,
    **{name: partial(_ask, name) for name in table.ASKING},
}
