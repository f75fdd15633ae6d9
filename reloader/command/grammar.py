"""Python files that were saved with an error of syntax: found before the running app is touched.

Only a file that the app imports can break it, and only the grammar of the app's own Python counts.
Both are told by the byte code that Python left beside the file: `users.cpython-312.pyc`. Where
Python leaves none, as in many images, each file counts, if the app's Python is reloader's own.
Without such evidence a file is not looked at, and a restart tells what is wrong with it, as ever.
"""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING

from reloader import files, threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

MOST = 50  # files of one burst that are looked at; 0.3 ms for 30 lines, 42 ms for 7,000
_LARGEST = 1 << 18  # bytes of one file
_FIRST_LINE = 4096  # bytes of a program, to find its `#!`
_PATIENCE = 1.0  # seconds
_APART = threads.Apart()
_TAG = sys.implementation.cache_tag  # "cpython-312"


def errors(
    paths: Iterable[str], command: Sequence[str], environ: Mapping[str, str]
) -> dict[str, str]:
    """Returns what is wrong with each Python file that the app imports or runs, if anything is.

    `paths`: absolute; `command`: the app's arguments, whose script has no byte code; `environ`:
    what the app is started with. Nothing is known of files on a mount that answers no more: a
    restart tells what is wrong with them.
    """
    return _APART.call(partial(_errors, paths, command, environ), _PATIENCE) or {}


def _errors(
    paths: Iterable[str], command: Sequence[str], environ: Mapping[str, str]
) -> dict[str, str]:
    found = {}
    leaves_none = bool(environ.get("PYTHONDONTWRITEBYTECODE")) and _is_own_python(command, environ)
    for path in [path for path in paths if path.endswith(".py")][:MOST]:
        is_of_app = leaves_none or _is_imported(path) or _is_script(path, command)
        if is_of_app and (text := error(path)):
            found[path] = text
    return found


def error(path: str) -> str:
    """Returns the error of syntax in a Python file, "" if there is none or it can't be read."""
    try:
        source = files.read(path, _LARGEST)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as wrong:
        return f"line {wrong.lineno or 1}: {wrong.msg}"
    except (OSError, ValueError, RecursionError, MemoryError):  # gone, a NUL, too deep: Python's
        return ""
    return ""


def _is_imported(path: str) -> bool:
    """Returns True if a Python of this version has imported the file."""
    folder, _, name = path.rpartition("/")
    prefix = sys.pycache_prefix
    cache = f"{prefix}{folder}" if prefix else f"{folder}/__pycache__"
    return os.path.exists(f"{cache}/{name[: -len('.py')]}.{_TAG}.pyc")


def _is_script(path: str, command: Sequence[str]) -> bool:
    """Returns True for the script in `python app.py`, where that is this very Python."""
    if len(command) < 2 or os.path.basename(path) not in map(os.path.basename, command[1:]):
        return False
    program = os.path.basename(os.path.realpath(shutil.which(command[0]) or command[0]))
    return program == os.path.basename(os.path.realpath(sys.executable))


def _is_own_python(command: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Returns True if the command is reloader's own Python, or a script that names it (`#!`)."""
    program = shutil.which(command[0], path=environ.get("PATH")) if command else None
    if program is None:
        return False
    if _is_python(program):
        return True
    try:
        first = files.head(program, _FIRST_LINE).split(b"\n", 1)[0]
    except OSError:
        return False
    words = first.removeprefix(b"#!").split() if first.startswith(b"#!") else []
    return bool(words) and _is_python(os.fsdecode(words[0]))


def _is_python(program: str) -> bool:
    return os.path.realpath(program) == os.path.realpath(sys.executable)
