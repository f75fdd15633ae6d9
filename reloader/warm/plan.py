"""Which commands can start from libraries that are imported already.

Looks at the first bytes of the program; nothing is started.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from reloader import files
from reloader.command.which import SpawnError, find
from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Long paths and blanks don't fit into a #! line: pip and uv write a script for two languages.
_EXEC = re.compile(rb"#!/bin/sh\n'''exec' [\"']?([^\"'\n]+?)[\"']? \"\$0\"")
SITE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "site")  # of `sitecustomize`
_HEAD = 512  # bytes: more than the kernel reads of a #! line
_WITH_VALUE = ("-X", "-W", "--check-hash-based-pycs")
# Debuggers, profilers and instruments have to come before everything else.
_FIRST = frozenset(
    """debugpy pdb pydevd trace cProfile profile coverage viztracer scalene pyinstrument kernprof
    memray ddtrace-run newrelic-admin opentelemetry-instrument gevent""".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Verdict:
    """`why` a command can't be started warm, "" if it can; `told` if somebody may expect it."""

    why: str = ""
    told: bool = True


def judge(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> Verdict:
    """Tells if this command is Python, and starts in a way that a server can start in, too."""
    verdict = _program(argv, env, cwd)
    if not verdict.why and not os.path.isdir(SITE):
        return Verdict("reloader is a single file here: its sources can't be loaded into the app")
    return verdict


def _program(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> Verdict:  # noqa: PLR0911 -- an answer each
    try:
        path = find(argv[0], env, cwd)
    except SpawnError as error:
        return Verdict(error.why, told=False)
    try:
        head = files.head(path, _HEAD)
    except OSError as error:
        return Verdict(f"{path}: {error.strerror}", told=False)
    name = os.path.basename(argv[0])
    if env.get("PYTHONINSPECT"):
        return Verdict("PYTHONINSPECT is set")
    if head.startswith(b"#!"):
        if name in _FIRST:
            return Verdict(f"{name} has to be first")
        interpreter, *flags = _shebang(head)
        if not _is_python(interpreter):
            return Verdict(f"{argv[0]} is a script for {os.path.basename(interpreter)}", told=False)
        return _flags([*flags, path])
    if not _is_python(path):
        return Verdict(f"{argv[0]} is not Python", told=False)
    return _flags(argv[1:])


def interpreter(argv: Sequence[str], env: Mapping[str, str], cwd: str) -> str:
    """Returns the Python that a command starts; "" if it is none."""
    try:
        path = find(argv[0], env, cwd)
        head = files.head(path, _HEAD)
        if head.startswith(b"#!"):
            path = find(_shebang(head)[0], env, cwd)
    except (SpawnError, OSError):
        return ""
    return path if _is_python(path) else ""


def _shebang(head: bytes) -> list[str]:
    """Returns the interpreter of a script and its flags."""
    if match := _EXEC.match(head):
        return [os.fsdecode(match[1])]
    words = os.fsdecode(head[2:].split(b"\n", 1)[0]).split()
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if word != "-S"]
    return words or [""]


def _is_python(path: str) -> bool:
    return re.fullmatch(r"python(3(\.\d+)?)?", os.path.basename(path)) is not None


def _flags(words: Sequence[str]) -> Verdict:
    """Judges what comes after the interpreter."""
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] not in ("-", "--"):
        word = words[at]
        if word in _WITH_VALUE:
            at += 2
            continue
        if not word.startswith(("--", "-X", "-W")):
            letters = re.split("[cm]", word[1:], maxsplit=1)
            if found := next((letter for letter in letters[0] if letter in "IES"), ""):
                return Verdict(f"python -{found} takes no module from outside")
            if "i" in letters[0]:
                return Verdict("python -i asks for more")
            if len(letters) == 2:
                return _module(letters[1], words[at + 1 :], is_module="m" in word)
        at += 1
    if at >= len(words) or words[at] == "-":
        return Verdict("the program is read from the input")
    return Verdict()


def _module(joined: str, rest: Sequence[str], *, is_module: bool) -> Verdict:
    """Judges `-m NAME` and `-c CODE`; `joined`: what follows in the same word."""
    name = joined or (rest[0] if rest else "")
    if not name:
        return Verdict("the command is not complete")
    if is_module and name.partition(".")[0] in _FIRST:
        return Verdict(f"{name} has to be first")
    return Verdict()
