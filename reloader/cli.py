"""The command line: what was asked for, and what is said when it can't be done.

Every key of the config is a flag. Only what a start needs is imported here: the way to the
user's app is timed.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from reloader import __version__
from reloader.config.load import Invocation, load
from reloader.config.model import Kind, options
from reloader.errors import ConfigError, Exit, Problem, ReloaderError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reloader.config.model import Option

_USAGE = "reloader run [-c FILE] [--section.key VALUE …] [--json] [-- ARGS…]"
_HELP = ("-h", "--help")
_BROKEN_PIPE = 128 + 13  # as a shell says of a program that SIGPIPE ended


@dataclass(frozen=True)
class _Command:
    help: str
    run: Callable[[list[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` asks for (default: the process's); gives the exit status.

    Never raises for what a user can do: all is said on stderr, with status 2 if the command
    line or the config can't be used.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _dispatch(arguments)
    except ReloaderError as error:
        for problem in error.problems:
            sys.stderr.write(f"reloader: {problem}\n")
        return error.status
    except BrokenPipeError:  # `reloader run -h | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE


def _dispatch(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in _HELP:
        return _say(_overview())
    if first == "--version":
        return _say(f"reloader {__version__}\n")
    if first in _COMMANDS:
        return _COMMANDS[first].run(arguments[1:])
    if first.startswith("-") or not first:
        return _run(arguments)
    raise ConfigError(_unknown_command(first))


def _say(text: str) -> int:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
    sys.stdout.flush()
    return Exit.OK


def _overview() -> str:
    lines = [f"  {name:<11} {command.help}" for name, command in _COMMANDS.items()]
    return (
        f"usage: {_USAGE}\n\n"
        "Rebuilds and restarts an app when its files change.\n\n"
        "commands:\n" + "\n".join(lines) + "\n\n"
        "reloader COMMAND -h says more of a command, reloader --version which one this is.\n"
    )


def _unknown_command(name: str) -> Problem:
    from reloader.config.words import nearest

    near = nearest(name, _COMMANDS)
    hint = f"did you mean reloader {near}?" if near else "reloader -h lists the commands"
    return Problem(f"no such command: {name}", hint=hint)


# --- run -----------------------------------------------------------------------------------------


def _run(arguments: list[str]) -> int:
    ours, args = _split(arguments)
    if any(text in _HELP for text in ours):
        return _say(_run_parser(ours, is_help=True).format_help())
    given, rest = _run_parser(ours).parse_known_args(ours)
    flags = {key: texts for key, texts in vars(given).items() if "." in key or key in _TOP_KEYS}
    problems = _strangers(rest)
    if len(given.file) > 1:
        problems.append(Problem("expected one config file, found several", "-c"))
    if problems:
        raise ConfigError(*problems)
    invocation = Invocation(given.file[0] if given.file else "", flags, tuple(args))
    config = load(invocation, os.environ, _working_directory())
    from reloader.commands.run import run

    return run(config, json=given.json)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What is for us, and what after `--` is for the app."""
    if "--" not in arguments:
        return arguments, []
    end = arguments.index("--")
    return arguments[:end], arguments[end + 1 :]


def _working_directory() -> str:
    try:
        return os.getcwd()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(
            Problem(f"the working directory can't be used: {reason}", hint="cd to the project")
        ) from None


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        hint = ""
        if "expected one argument" in message:
            hint = "a value that begins with a dash goes behind a =: --key=-x"
        raise ConfigError(Problem(message.removeprefix("argument "), hint=hint))


class _Formatter(argparse.HelpFormatter):
    """Is told the width; argparse would import shutil to find it, for every argument."""

    def __init__(self, prog: str) -> None:
        try:
            width = int(os.environ.get("COLUMNS", "")) or 80
        except ValueError:
            width = os.get_terminal_size().columns if sys.stdout.isatty() else 80
        super().__init__(prog, max_help_position=40, width=width)


def _run_parser(arguments: list[str], *, is_help: bool = False) -> _Parser:
    """The parser for these arguments: knows the flags that are in them, which takes 4 ms less."""
    given = {text.partition("=")[0] for text in arguments}
    parser = _Parser(prog="reloader run", usage=_USAGE, formatter_class=_Formatter, **_PLAIN)
    add = parser.add_argument
    add("-h", "--help", action="store_true", help="this text")
    add("-c", "--config", dest="file", action="append", default=[], metavar="FILE", help=_FILE)
    add("--json", action="store_true", help="one JSON object a line on stdout for each news")
    for key, option, default in options():
        names = (f"--{key}", "--color") if key == "color.mode" else (f"--{key}",)
        if is_help or not given.isdisjoint(names):
            words = _described(option, default) if is_help else {}
            add(*names, dest=key, action="append", **_arity(option), **words)
    return parser


_PLAIN: dict[str, Any] = {"add_help": False, "allow_abbrev": False}
_FILE = (
    "the config file; else $RELOADER_CONFIG, .reload.toml, [tool.reloader] in pyproject.toml,"
    " .air.toml or .config/air.toml"
)
_TOP_KEYS = frozenset(key for key, _, _ in options() if "." not in key)


def _arity(option: Option) -> dict[str, Any]:
    """A switch needs no value; what was not given leaves no trace, so that each layer is exact."""
    sparse: dict[str, Any] = {"default": argparse.SUPPRESS}
    return sparse | {"nargs": "?", "const": "true"} if option.kind is Kind.FLAG else sparse


def _described(option: Option, default: object) -> dict[str, Any]:
    from reloader.config.render import flag_help, metavar

    text = flag_help(option, default).replace("%", "%%")
    return {"help": text, "metavar": metavar(option)}


def _strangers(rest: list[str]) -> list[Problem]:
    """The problems of what argparse could not place; a value behind an unknown flag is not one."""
    from reloader.config.words import nearest

    problems = []
    for index, text in enumerate(rest):
        if text.startswith("-"):
            flag = text.partition("=")[0]
            near = nearest(flag.lstrip("-"), [key for key, _, _ in options()])
            hint = f"did you mean --{near}?" if near else "reloader run -h lists the flags"
            problems.append(Problem("no such flag", flag, hint))
        elif not (index and rest[index - 1].startswith("-") and "=" not in rest[index - 1]):
            hint = "arguments for the app go behind --"
            problems.append(Problem(f"unexpected argument: {text}", hint=hint))
    return problems


# --- init ----------------------------------------------------------------------------------------


def _init(arguments: list[str]) -> int:
    parser = _Parser(prog="reloader init", formatter_class=_Formatter, **_PLAIN)
    parser.add_argument("-h", "--help", action="store_true", help="this text")
    parser.add_argument("--force", action="store_true", help="overwrite a .reload.toml")
    given = parser.parse_args(arguments)
    if given.help:
        return _say(parser.format_help())
    from reloader.commands.init import init

    return _say(init(_working_directory(), force=given.force))


# --- healthcheck ---------------------------------------------------------------------------------


def _healthcheck(arguments: list[str]) -> int:
    parser = _Parser(prog="reloader healthcheck", formatter_class=_Formatter, **_PLAIN)
    parser.add_argument("-h", "--help", action="store_true", help="this text")
    text = "a failed build is no harm while the last good app runs"
    parser.add_argument("--app-only", action="store_true", help=text)
    given = parser.parse_args(arguments)
    if given.help:
        return _say(parser.format_help())
    from reloader.commands.healthcheck import healthcheck

    return _say(healthcheck(_working_directory(), app_only=given.app_only))


_COMMANDS = {
    "run": _Command("build, run, watch; what reloader does without a command", _run),
    "init": _Command("write a .reload.toml that fits the project", _init),
    "healthcheck": _Command("whether the app is up and its last build was good", _healthcheck),
}
