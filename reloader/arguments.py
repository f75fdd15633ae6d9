"""What the words of a command line are: switches, a config file, flags of the config, the rest.

Every key of the config is a flag. Only what a start needs is imported here.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from reloader.config.model import Kind, options
from reloader.errors import ConfigError, Problem

if TYPE_CHECKING:
    from reloader.config.model import Option


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        hint = ""
        if "expected one argument" in message:
            hint = "a value that begins with a dash goes behind a =: --key=-x"
        raise ConfigError(Problem(message.removeprefix("argument "), hint=hint))


class Formatter(argparse.HelpFormatter):
    """Is told the width; argparse would import shutil to find it, for every argument."""

    def __init__(self, prog: str) -> None:
        try:
            width = int(os.environ.get("COLUMNS", "")) or 80
        except ValueError:
            width = os.get_terminal_size().columns if os.isatty(1) else 80
        super().__init__(prog, max_help_position=40, width=width)


class Grammar(NamedTuple):
    """What a command that knows the config takes beside the config's flags."""

    name: str
    usage: str
    takes_words: bool = False
    switches: tuple[tuple[str, str], ...] = ()  # --name, what it does


class Given(NamedTuple):
    options: argparse.Namespace
    flags: dict[str, list[str]]  # of the config
    words: list[str]  # what is no flag


class Short(NamedTuple):
    """A flag under the name that nodemon and watchexec have for it."""

    names: tuple[str, ...]
    key: str  # of the config
    value: str  # in the help; "" for a switch
    help: str


SHORT = (
    Short(("-e", "--ext"), "build.include_ext", "EXT,EXT", "extensions to watch"),
    Short(("-w", "--watch"), "build.include_dir", "DIR", "watch only this directory or file"),
    Short(("-i", "--ignore"), "build.exclude_file", "GLOB", "do not watch these files"),
    Short(("-q", "--quiet"), "log.main_only", "", "no lines about changes, builds and starts"),
)


def read(grammar: Grammar, arguments: list[str]) -> Given:
    """What the arguments say. Raises ConfigError: for flags that there are not."""
    given, rest = parser_of(grammar, arguments).parse_known_args(arguments)
    flags = {key: texts for key, texts in vars(given).items() if "." in key or key in _TOP_KEYS}
    for short in SHORT:
        if texts := getattr(given, short.names[0], []):
            for key, text in (_long(short.key, text) for text in texts):
                flags[key] = [*flags.get(key, []), *text]
    problems, words = _strangers(rest)
    if not grammar.takes_words:
        problems += map(_unexpected, words)
    if problems:
        raise ConfigError(*problems)
    return Given(given, flags, words)


def parser_of(grammar: Grammar, arguments: list[str], *, is_help: bool = False) -> Parser:
    """The parser for these arguments: knows the flags that are in them, which takes 4 ms less."""
    given = {text.partition("=")[0] for text in arguments}
    prog = f"reloader {grammar.name}"
    parser = Parser(prog=prog, usage=grammar.usage, formatter_class=Formatter, **PLAIN)
    add = parser.add_argument
    add("-h", "--help", action="store_true", help="this text")
    add("-c", "--config", dest="file", action="append", default=[], metavar="FILE", help=_FILE)
    for name, words in grammar.switches:
        add(name, action="store_true", help=words)
    for short in SHORT:
        if short.value:
            add(
                *short.names,
                dest=short.names[0],
                action="append",
                metavar=short.value,
                help=short.help,
            )
        else:
            add(
                *short.names,
                dest=short.names[0],
                action="append_const",
                const="true",
                help=short.help,
            )
    for key, option, default in options():
        names = (f"--{key}", "--color") if key == "color.mode" else (f"--{key}",)
        if is_help or not given.isdisjoint(names):
            described = _described(option, default) if is_help else {}
            add(*names, dest=key, action="append", **_arity(option), **described)
    return parser


def _long(key: str, text: str) -> tuple[str, list[str]]:
    """The key of the config and its texts that a short flag stands for."""
    if key == "build.include_dir" and os.path.isfile(text):
        return "build.include_file", [text]
    if key != "build.exclude_file":
        return key, [text]
    pattern = text.removeprefix("./").rstrip("/")
    pattern = pattern if "/" in pattern else f"**/{pattern}"  # as in a .gitignore
    return key, [pattern, f"{pattern}/**"]


PLAIN: dict[str, Any] = {"add_help": False, "allow_abbrev": False}
_FILE = (
    "the config file; else $RELOADER_CONFIG, .reload.toml, [tool.reloader] in pyproject.toml,"
    " .air.toml or .config/air.toml"
)
_BOOLEANS = frozenset({"true", "false", "1", "0", "yes", "no", "on", "off"})
_TOP_KEYS = frozenset(key for key, _, _ in options() if "." not in key)


def _arity(option: Option) -> dict[str, Any]:
    """A switch needs no value; what was not given leaves no trace, so that each layer is exact."""
    sparse: dict[str, Any] = {"default": argparse.SUPPRESS}
    return sparse | {"nargs": "?", "const": "true"} if option.kind is Kind.FLAG else sparse


def _described(option: Option, default: object) -> dict[str, Any]:
    from reloader.config.render import flag_help, metavar

    text = flag_help(option, default).replace("%", "%%")
    return {"help": text, "metavar": metavar(option)}


def divide(arguments: list[str]) -> tuple[list[str], list[str], list[str]]:
    """What is for us, the command that begins with the first word, and what is after `--`.

    All behind the first word is the command's own, flags and `--` included.
    """
    flags = {key for key, option, _ in options() if option.kind is Kind.FLAG}
    switches = {"-h", "--help", "--json", *(n for s in SHORT if not s.value for n in s.names)}
    at = 0
    while at < len(arguments):
        text = arguments[at]
        if text == "--":
            return arguments[:at], [], arguments[at + 1 :]
        if not text.startswith("-") or text == "-":
            return arguments[:at], arguments[at:], []
        following = arguments[at + 1] if at + 1 < len(arguments) else "-"
        if "=" in text or text in switches:
            at += 1
        elif text.lstrip("-") in flags:
            at += 1 + (following.lower() in _BOOLEANS)
        else:
            at += 1 + (not following.startswith("-"))
    return arguments, [], []


def _strangers(rest: list[str]) -> tuple[list[Problem], list[str]]:
    """The flags among what argparse could not place, and the words.

    A word behind an unknown flag is its value.
    """
    from reloader.config.wording import nearest

    problems, words = [], []
    for index, text in enumerate(rest):
        if text.startswith("-"):
            flag = text.partition("=")[0]
            near = nearest(flag.lstrip("-"), [key for key, _, _ in options()])
            hint = f"did you mean --{near}?" if near else "reloader run -h lists the flags"
            problems.append(Problem("no such flag", flag, hint))
        elif not (index and rest[index - 1].startswith("-") and "=" not in rest[index - 1]):
            words.append(text)
    return problems, words


def _unexpected(word: str) -> Problem:
    return Problem(f"unexpected argument: {word}", hint="arguments for the app go behind --")


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """What is for us, and what after `--` is for the app."""
    if "--" not in arguments:
        return arguments, []
    end = arguments.index("--")
    return arguments[:end], arguments[end + 1 :]
