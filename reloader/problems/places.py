"""Finds places, a file and a line, in the output of compilers and in tracebacks. Pure.

An ending with a number behind it is searched forwards, and the path is read backwards from there,
at most 300 characters: this is linear. One expression that starts at the path takes 81 s for a
megabyte of letters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANCHOR = re.compile(
    r"""File\ "(?P<file>[^"\n]{1,512})",\ line\ (?P<l0>\d{1,7})
    |(?P<end>\.[A-Za-z]\w{0,9}|\b(?:Make|Docker|Rake|Gem|Just|Proc)file)(?:
        :(?P<l1>\d{1,7})(?::(?P<c1>\d{1,5}))?(?![\w.])
       |\((?P<l2>\d{1,7})(?:,\ ?(?P<c2>\d{1,5}))?\)
       |:\[(?P<l3>\d{1,7}),(?P<c3>\d{1,5})\]
       |\ (?P<l4>\d{1,7}):(?P<c4>\d{1,5})(?=\s)
       |\ on\ line\ (?P<l5>\d{1,7})(?!\d)
       |"?,\ line\ (?P<l6>\d{1,7})(?!\d))""",
    re.VERBOSE,
)
_PATH = re.compile(r"(?:(?<![A-Za-z])[A-Za-z]:[\\/])?[^\s:()\[\]\"'<>|*?,;=`]*\Z")
_MOST_PATH = 300  # characters; longer ones are no links


class Place(NamedTuple):
    """A file as it was written, a line from 1, a column from 1 or 0, and where that stands."""

    path: str
    line: int
    column: int
    start: int
    end: int


def places(text: str) -> Iterator[Place]:
    """Gives the places of a text in their order; `12:30:45` and `127.0.0.1:80` are none."""
    for match in _ANCHOR.finditer(text):
        if match["file"]:
            if not match["file"].startswith("<"):  # <string>, <frozen runpy>
                yield Place(match["file"], int(match["l0"]), 0, *match.span())
            continue
        end = match.end("end")
        base = max(0, match.start("end") - _MOST_PATH)
        back = _PATH.search(text[base:end])
        if back is None:
            continue
        path, start = back[0], base + back.start()
        word = text[base : start + 2].rpartition(" ")[2]
        if word.endswith("file://"):
            path, start = path[2:], start + 2
        elif "://" in word:  # http://localhost:3000/a.js:3
            continue
        line = next(int(match[key]) for key in _LINES if match[key])
        column = next((int(match[key]) for key in _COLUMNS if match[key]), 0)
        yield Place(path, line, column, start, match.end())


_LINES = ("l1", "l2", "l3", "l4", "l5", "l6")
_COLUMNS = ("c1", "c2", "c3", "c4")
