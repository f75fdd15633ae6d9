"""Sorts the words of a command line: switches, a config file, flags of the config, the rest.

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
        super().__init__(prog, max_help_position=40, width=width())


def width() -> int:
    """Returns the columns that a text for stdout may have."""
    try:
        return int(os.environ.get("COLUMNS", "")) or 80
    except ValueError:
        return os.get_terminal_size().columns if os.isatty(1) else 80


class Grammar(NamedTuple):
    """The words that a command takes beside the flags of the config."""

    name: str
    usage: str
    takes_words: bool = False
    switches: tuple[tuple[str, str], ...] = ()  # --name, what it does


class Given(NamedTuple):
    options: argparse.Namespace
    flags: dict[str, list[str]]  # of the config
    words: list[str]  # what is no flag
    ignored: tuple[str, ...] = ()  # globs of files, on top of what the config leaves out


class Short(NamedTuple):
    """A flag under the name that nodemon and watchexec have for it."""

    names: tuple[str, ...]
    key: str  # of the config
    value: str  # in the help; "" for a switch
    help: str


_IGNORED = "ignored"
SHORT = (
    Short(("-e", "--ext"), "build.include_ext", "EXT,EXT", "extensions to watch"),
    Short(("-w", "--watch"), "build.include_dir", "DIR", "watch only this directory or file"),
    Short(("-i", "--ignore"), _IGNORED, "GLOB", "do not watch these files"),
    Short(("-q", "--quiet"), "log.main_only", "", "no lines about changes, builds and starts"),
    Short(("-v", "--verbose"), "log.verbose", "", "also lines about what begins, and infos"),
)
# What other tools call it, and what to type here.
_ELSEWHERE = {
    "a command is named without a flag: reloader -- COMMAND": "--exec -x --cmd --command --run",
    "leave it out: reloader restarts the app by itself": "-r --restart --reload --auto-restart -R",
    "extensions are -e EXT,EXT": "--exts --extensions --filter -f --pattern --patterns",
    "a directory is -w DIR": "--reload-dir --watch-path --path --dir --include --reload-include",
    "files are left out by -i GLOB": "--reload-exclude --exclude --ignore-paths -x",
    "it is --build.delay MS": "--delay -d --debounce --interval",
    "it is --build.stop_signal SIGNAL": "--signal -s --stop-signal",
    "it is --build.stop_timeout TIME": "--stop-timeout --kill-after --timeout",
    "it is --build.poll": "-L --legacy-watch --poll --force-polling -p",
    "it is --screen.clear_on_rebuild": "--clear -C",
    "it is reloader --version": "-V -version",
    "it is reloader init": "--init",
}


def read(grammar: Grammar, arguments: list[str]) -> Given:
    """Returns the meaning of the arguments. Raises ConfigError for an unknown flag."""
    given, rest = parser_of(grammar, arguments).parse_known_args(arguments)
    flags = {key: texts for key, texts in vars(given).items() if "." in key or key in _TOP_KEYS}
    for short in SHORT:
        for text in getattr(given, short.names[0], None) or ():
            is_file = short.key == "build.include_dir" and os.path.isfile(text)
            key = "build.include_file" if is_file else short.key
            flags[key] = [*flags.get(key, []), text]
    ignored = _globs(flags.pop(_IGNORED, []))
    problems, words = _strangers(rest)
    if not grammar.takes_words:
        problems += map(_unexpected, words)
    if problems:
        raise ConfigError(*problems)
    return Given(given, flags, words, ignored)


def parser_of(grammar: Grammar, arguments: list[str]) -> Parser:
    """The parser for these arguments: knows the flags that are in them, which takes 4 ms less."""
    given = {text.partition("=")[0] for text in arguments}
    prog = f"reloader {grammar.name}"
    parser = Parser(prog=prog, usage=grammar.usage, formatter_class=Formatter, **PLAIN)
    add = parser.add_argument
    add("-h", "--help", action="store_true", help="this text")
    add("-c", "--config", dest="file", action="append", default=[], metavar="FILE", help=_FILE)
    add("--profile", action="append", default=[], metavar="NAME", help=PROFILE)
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
    for key, option, _ in options():
        names = (f"--{key}", "--color") if key == "color.mode" else (f"--{key}",)
        if not given.isdisjoint(names):
            add(*names, dest=key, action="append", **_arity(option))
    return parser


def _globs(texts: list[str]) -> tuple[str, ...]:
    """Patterns of `exclude_file` for those of `-i`, which mean what they do in a .gitignore."""
    found = []
    for text in texts:
        pattern = text.removeprefix("./").rstrip("/")
        pattern = pattern if "/" in pattern else f"**/{pattern}"
        found += [pattern, f"{pattern}/**"]
    return tuple(found)


PROFILE = "also the apps of [apps.*] that have this profile"
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


def divide(arguments: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Splits into reloader's own flags, the command from its first word, and the words after `--`.

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
            hint = next((h for h, names in _ELSEWHERE.items() if flag in names.split()), hint)
            problems.append(Problem("no such flag", flag, hint))
        elif not (index and rest[index - 1].startswith("-") and "=" not in rest[index - 1]):
            words.append(text)
    return problems, words


def _unexpected(word: str) -> Problem:
    return Problem(f"unexpected argument: {word}", hint="arguments for the app go behind --")


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Splits into reloader's own words, and the app's after `--`."""
    if "--" not in arguments:
        return arguments, []
    end = arguments.index("--")
    return arguments[:end], arguments[end + 1 :]
