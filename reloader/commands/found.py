"""Finds the app without a config: the file or command that was typed, or a look at the project."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from reloader.config.layers import Guess
from reloader.detect.candidate import quoted, with_environment
from reloader.detect.folder import Folder
from reloader.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reloader.detect.candidate import Candidate

_MOST = 9  # candidates that are listed


def found(folder: str, args: tuple[str, ...], *, asks: bool = False) -> Guess:
    """Returns how the project in `folder` is run, of which no config names a command.

    What is after `--` is the command, unless it begins with a dash. `asks`: at a terminal, a
    person chooses if several commands are possible.

    Raises ConfigError: nothing says it, or several files do and nobody can choose.
    """
    if args and not args[0].startswith("-"):
        return typed(args, folder)
    from reloader.detect.project import look

    candidates = look(Folder(folder))
    if not candidates:
        raise ConfigError(nothing(folder))
    if len(candidates) > 1:
        if not asks:
            raise ConfigError(several(candidates))
        candidates = [asked(candidates)]
    (candidate,) = candidates
    return Guess(candidate.settings(), candidate.where, said(candidate))


def said(candidate: Candidate) -> str:
    """Returns the line that tells of a command that no config names."""
    return f"no config: {candidate.command}, found in {candidate.where}; reloader init keeps it"


# --- nothing, or several -------------------------------------------------------------------------


def nothing(folder: str) -> Problem:
    """Returns what to say where no file tells how the project is run."""
    from reloader.config import discover

    hint = "reloader FILE or reloader -- COMMAND runs one; reloader init writes a config to fill in"
    if others := discover.others(folder):
        hint = f"reloader run -c {others[0]}; {hint}"
    where = "" if folder == os.getcwd() else os.path.relpath(folder)
    return Problem("no config file here, and no file that says how the app is run", where, hint)


def several(candidates: Sequence[Candidate]) -> Problem:
    """Returns what to say where only a person can choose, with what to type for each."""
    rows = tuple(f"  {to_type(it)}   # {it.kind}, {it.where}" for it in candidates[:_MOST])
    text = "no config file here, and several ways to run this:"
    roots = list(dict.fromkeys(it.root for it in candidates))
    hint = "type one of them; reloader init writes them into a config to choose from"
    if all(roots) and len(roots) > 1:
        hint = f"all of them: reloader {' '.join(f'-c {root}' for root in roots)}"
    return Problem(text, "", hint, rows)


def to_type(candidate: Candidate) -> str:
    """Returns what to type for one of several ways to run a project."""
    if candidate.root:
        return f"reloader {candidate.root}"
    if candidate.cmd:
        return f"reloader --build.cmd '{candidate.cmd}' -- {candidate.bin}"
    return f"reloader -- {candidate.bin}"


def _can_ask() -> bool:
    try:
        return os.isatty(0) and os.isatty(2) and os.tcgetpgrp(0) == os.getpgrp()
    except OSError:
        return False


def asked(candidates: Sequence[Candidate]) -> Candidate:
    """Returns the candidate that a person at the terminal chooses.

    Raises ConfigError: there is no terminal to ask at.
    """
    import signal

    if not _can_ask():
        raise ConfigError(several(candidates))

    # Signals are held back until the app is there; here a person may want to leave.
    ending = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT}
    held = signal.pthread_sigmask(signal.SIG_UNBLOCK, ending)
    try:
        sys.stderr.write("several ways to run this:\n")
        for number, it in enumerate(candidates[:_MOST], 1):
            sys.stderr.write(f"  {number}  {it.command}   {it.where}\n")
        while True:
            sys.stderr.write(f"which one? [1-{min(len(candidates), _MOST)}] ")
            sys.stderr.flush()
            line = sys.stdin.readline()
            if not line:
                raise ConfigError(several(candidates))
            text = line.strip()
            if text.isdecimal() and 1 <= int(text) <= min(len(candidates), _MOST):
                return candidates[int(text) - 1]
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        raise SystemExit(128 + signal.SIGINT) from None
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held)


# --- what was typed ------------------------------------------------------------------------------


def typed(words: tuple[str, ...], cwd: str) -> Guess:
    """Returns what was typed behind `reloader`: a file, or a command, each with its arguments.

    Raises ConfigError: the file does not say how it is run, or there is no such program.
    """
    first, args = words[0], words[1:]
    path = os.path.join(cwd, first)
    is_program = os.access(path, os.X_OK) and "." not in os.path.basename(first)
    if os.path.isfile(path) and not (is_program and "/" in first):
        return _file(os.path.normpath(first), args[1:] if args[:1] == ("--",) else args, cwd)
    if not args and any(char in first for char in " \t|&;"):
        return _typed({"build.bin": first})
    from reloader.command.which import SpawnError, find

    try:
        find(first, os.environ, cwd)
    except SpawnError as error:
        raise ConfigError(unknown(first, cwd, str(error))) from None
    return _typed({"build.entrypoint": words})


def _file(path: str, args: tuple[str, ...], cwd: str) -> Guess:
    from reloader.detect.files import run_file

    folder = Folder(cwd)
    candidate = run_file(folder, path, is_plain=bool(args))
    if candidate is None:
        hint = f"reloader -- COMMAND {quoted(path)}"
        raise ConfigError(Problem("the file does not say how it is run", path, hint))
    candidate = with_environment(folder, candidate)
    settings = candidate.settings() | ({"build.args_bin": args} if args else {})
    return _typed(settings)


def _typed(settings: dict[str, object]) -> Guess:
    return Guess({"build.cmd": ""} | settings, "the command line", takes_args=True)


def unknown_command(name: str, commands: Iterable[str]) -> Problem:
    """Returns what to say of a first word that is no command of reloader's, and nothing to run."""
    from reloader.config.wording import nearest

    is_file = "." in name
    near = nearest(name, commands) or (_near_file(name, os.getcwd()) if is_file else "")
    hint = f"did you mean reloader {near}?" if near else "reloader -h lists the commands"
    kind = "file, directory or command" if is_file else "command"
    return Problem(f"no such {kind}: {name}", hint=hint)


def unknown(word: str, cwd: str, why: str) -> Problem:
    """Returns what to say of a word that is no file and no program."""
    near = _near_file(word, cwd)
    hint = f"did you mean reloader {near}?" if near else ""
    return Problem(why, hint=hint or "reloader FILE, reloader DIRECTORY or reloader -- COMMAND")


def _near_file(word: str, cwd: str) -> str:
    """Returns the file whose name is nearly the one that was typed, or ""."""
    from difflib import get_close_matches

    folder, name = os.path.split(word)
    try:
        names = os.listdir(os.path.join(cwd, folder))
    except OSError:
        return ""
    near = get_close_matches(name, names, n=1, cutoff=0.7)
    return os.path.join(folder, near[0]) if near else ""
