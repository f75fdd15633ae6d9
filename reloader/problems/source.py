"""The files that problems are in: which of them are the project's, and their lines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from reloader import files
from reloader.paths import is_below
from reloader.problems.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_SOURCE = 1 << 20  # bytes; of a longer file no lines are shown
MOST_LINE = 300  # characters of a line: minified files have one of a megabyte
_AROUND = 2  # lines shown above the place, and as many below
# Java and Kotlin name a file by its package, which begins below one of these.
_SOURCE_ROOTS = ("src/main/java", "src/main/kotlin", "src/test/java", "src", "app/src/main/java")
_NOT_OURS = ("node_modules", "site-packages", ".venv", "venv", "vendor")


class Line(NamedTuple):
    """A line of a file, by its number from 1."""

    number: int
    text: str


class Sources:
    """The files below `root`; a path that is not absolute is looked for in `folders` too."""

    def __init__(self, root: str, folders: Sequence[str] = ()) -> None:
        self._root = os.path.realpath(root)
        self._folders = (self._root, *folders)

    def resolve(self, path: str) -> str:
        """Returns the absolute path of a file of the project, "" if it is none.

        Packages that were installed into the project's folder are not the project's.
        """
        for folder in self._folders:
            for base in ("", *_SOURCE_ROOTS):
                file = os.path.realpath(os.path.join(folder, base, path))
                if is_below(file, self._root) and os.path.isfile(file):
                    inner = file[len(self._root) :].split(os.sep)
                    return "" if any(name in inner for name in _NOT_OURS) else file
                if os.path.isabs(path):
                    break
        return ""

    def below(self, file: str) -> str:
        """Returns the path below the root of a file that `resolve` gave."""
        return file[len(self._root) :].lstrip("/")

    @staticmethod
    def lines(file: str, number: int) -> tuple[Line, ...]:
        """Returns the line with this number and two around it on each side; () if unreadable."""
        try:
            data = files.read(file, MOST_SOURCE)
        except OSError:
            return ()
        if b"\0" in data:
            return ()
        rows = data.decode("utf-8", "replace").splitlines()
        first = max(1, number - _AROUND)
        shown = rows[first - 1 : number + _AROUND]
        return tuple(
            Line(first + n, plain(row.expandtabs(4))[:MOST_LINE]) for n, row in enumerate(shown)
        )
