"""Turns command lines and argument lists into commands that can be spawned.

Pure, but for a look at whether `bin` or `entrypoint` names a file. A line that needs no shell runs
without one: a process less between us and the app, and its signals and exit status are its own.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.config.model import Config

SHELL = "/bin/sh"


@dataclass(frozen=True)
class Command:
    """A program (`argv[0]`, still to be looked up) with its arguments.

    All are strings as Python has them from the system, so bytes that are no text survive.
    `env`: names set for this command alone. `shown`: what people call it.
    """

    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    shown: str = ""


def parse_line(line: str) -> Command:
    """A command line: leading NAME=value and plain words run as they are, the rest in `sh -c`.

    What it means is what it means to sh; where that is not certain, sh is asked to do it.
    """
    return _command(line, ())


def app_command(config: Config) -> Command:
    """Returns the app's command, ready to be spawned; there must be one.

    `args_bin` and then `args` are appended one by one, never split or expanded. A `bin` that as
    a whole names a file is that file, so a path may hold spaces; an `entrypoint` that is
    no program of the system's may be one in `root`. Asked again before each start: the build may
    have made the file.
    """
    if (app := config.build.app) is None:
        raise AssertionError("no command runs the app")
    args = app.args + config.args
    if app.words:
        words = app.words + args
        program = words[0]
        file = os.path.join(config.root, program)
        if "/" in program or (os.path.isfile(file) and not _is_on_path(program)):
            program = file
        return Command((program, *words[1:]), (), _shown(words))
    file = os.path.join(config.command_dir, app.line)
    if app.key == "bin" and os.path.isfile(file):
        return Command((file, *args), (), _shown((app.line, *args)))
    return _command(app.line, args)


def _is_on_path(program: str) -> bool:
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return any(os.access(os.path.join(folder, program), os.X_OK) for folder in folders)


def _command(line: str, args: tuple[str, ...]) -> Command:
    shown = " ".join([line.strip(), *map(_quoted, args)])
    plain = _plain_words(line)
    if plain is not None:
        env, words = plain
        return Command((*words, *args), env, shown)
    if args:
        return Command((SHELL, "-c", line.rstrip(" \t\n") + ' "$@"', "sh", *args), (), shown)
    return Command((SHELL, "-c", line), (), shown)


# --- words ---------------------------------------------------------------------------------------

# Every piece that means the same to all shells (POSIX, Shell Command Language, 2.2 Quoting).
# Whatever no piece matches needs a shell: operators, `$`, backquotes, globs, `~`, `#`, `!`, braces,
# line ends, control characters.
_PIECE = re.compile(
    r"""(?P<blank> [ \t]+ )
      | (?P<plain> [^\x00-\x20\x7f"'\\|&;<>()$`*?\[~\#!{}]+ )
      | ' (?P<single> [^'\x00-\x08\x0a-\x1f\x7f]* ) '
      | " (?P<double> (?: [^"\\$`\x00-\x08\x0a-\x1f\x7f] | \\[^\x00-\x1f\x7f] )* ) "
      | \\ (?P<escaped> [^\x00-\x1f\x7f] )""",
    re.VERBOSE,
)
_IN_DOUBLE = re.compile(r'\\([$`"\\])')
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")

# Names that are a shell's own business: reserved words and built-in commands of dash, bash, ksh and
# BusyBox; also those that are programs too, for the two are not the same (`echo "a\nb"`).
_SHELLS_OWN = frozenset(
    """[[ ]] case coproc do done elif else esac fi for function if in namespace select then time
    until while . : [ alias autoload bg bind break builtin caller cd chdir command compgen
    complete compopt continue declare dirs disown echo enable eval exec exit export false fc
    fg float functions getopts hash help hist history integer jobs kill let local login
    logout mapfile nameref newgrp popd print printf pushd pwd read readarray readonly
    redirect return set shift shopt source stop suspend test times trap true type typeset
    ulimit umask unalias unset wait whence""".split()  # noqa: SIM905
)
# Assigning these is an error, or has an effect, in one shell or another.
_SHELLS_NAMES = frozenset(
    """_ BASHOPTS BASH_VERSINFO COMP_WORDBREAKS DIRSTACK EUID FUNCNAME GROUPS HISTCMD IFS LINENO
    OLDPWD OPTIND PPID PWD RANDOM SECONDS SHELLOPTS SHLVL UID""".split()  # noqa: SIM905
)

_Env = tuple[tuple[str, str], ...]


def _plain_words(line: str) -> tuple[_Env, list[str]] | None:
    """The assignments and the words of a line that needs no shell; None if it needs one."""
    env: list[tuple[str, str]] = []
    words: list[str] = []
    for text, is_assignment in _words(line):
        if text is None:
            return None
        name, _, value = text.partition("=")
        if not words and is_assignment:
            if name in _SHELLS_NAMES:
                return None
            env.append((name, value))
        else:
            words.append(text)
    if not words or not words[0] or "=" in words[0] or words[0] in _SHELLS_OWN:
        return None
    return tuple(env), words


def _words(line: str) -> Iterable[tuple[str | None, bool]]:
    """Each word, and whether it would be an assignment if it stood in front; (None, _): a shell."""
    at, word, is_assignment = 0, None, False
    while at < len(line):
        piece = _PIECE.match(line, at)
        if piece is None:
            yield None, False
            return
        at = piece.end()
        if piece["blank"]:
            if word is not None:
                yield word, is_assignment
            word, is_assignment = None, False
            continue
        if word is None:  # the name and its `=` must stand unquoted
            is_assignment = bool(_ASSIGNMENT.match(piece["plain"] or ""))
        word = (word or "") + _value(piece)
    if word is not None:
        yield word, is_assignment


def _value(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        return _IN_DOUBLE.sub(r"\1", piece["double"])
    return piece["plain"] or piece["single"] or piece["escaped"] or ""


def _shown(words: Iterable[str]) -> str:
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """The word as a person would type it into a shell."""
    if re.fullmatch(r"[\w@%+=:,./-]+", word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"
