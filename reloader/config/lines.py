"""The line of every key, table and array item of a TOML text.

tomli gives values without positions. What is read here has been accepted by tomli, so this only
counts and never judges. Pure.
"""

from __future__ import annotations

import re
from typing import NamedTuple

Path = tuple[str | int, ...]


class Statement(NamedTuple):
    """A `[header]` or a `key = value`, with its first and last line, from 1."""

    path: Path
    first: int
    last: int
    is_header: bool


_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'"
    r"|\#[^\n]*"
    r"|[][{}=,.\n]"
    r"""|[^][{}=,.\s"'#]+""",
    re.DOTALL,
)
_ESCAPES = {
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    '"': '"',
    "\\": "\\",
}


def locate(text: str) -> dict[Path, int]:
    r"""Path → line, from 1: `("build", "cmd")`, `("build", "pre_cmd", 1)`, `("build",)`.

    A table is where its header is, or else its first key. Array items and arrays of tables are
    numbered from 0. `text` must be TOML that tomli has accepted, with `\n` line ends.
    """
    return _walked(text).lines


def statements(text: str) -> list[Statement]:
    """The headers and pairs of a text that tomli has accepted, in their order."""
    return _walked(text).statements


def loosened(text: str) -> str:
    r"""The text with `\n` line ends, and with comments of which nothing is left but plain text."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _TOKEN.sub(lambda m: _plain(m[0]) if m[0].startswith("#") else m[0], lines)


def _plain(comment: str) -> str:
    return "".join(char if char.isprintable() and char != "\ufffd" else " " for char in comment)


def comment_of(line: str) -> str:
    """The comment at the end of a line where no text of several lines ends; "" if there is none."""
    pieces = [match[0] for match in _TOKEN.finditer(line)]
    return pieces[-1] if pieces and pieces[-1].startswith("#") else ""


def _walked(text: str) -> _Walk:
    walk = _Walk(text)
    while walk.at < len(walk.tokens):
        walk.statement()
    return walk


class _Walk:
    """A cursor over the tokens, one method a production of the grammar."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self.statements: list[Statement] = []
        self.tokens: list[tuple[str, int]] = []
        self.at = 0
        self._table: Path = ()
        self._sizes: dict[Path, int] = {}  # of the arrays of tables so far
        line = 1
        for match in _TOKEN.finditer(text):
            piece = match[0]
            if not piece.startswith("#"):
                self.tokens.append((piece, line))
            line += piece.count("\n")
        self.tokens.append(("\n", line))

    def statement(self) -> None:
        if self._peek() == "\n":
            self.at += 1
            return
        first, is_header = self._line(), self._peek() == "["
        path = self._header() if is_header else self._pair(self._table)
        piece, line = self.tokens[self.at - 1]
        self.statements.append(Statement(path, first, line + piece.count("\n"), is_header))

    def _header(self) -> Path:
        line = self._line()
        self.at += 1
        is_array = self._peek() == "["
        self.at += is_array
        *parents, name = self._key()
        self.at += 1 + is_array
        path: Path = ()
        for part in parents:
            path = self._inside((*path, part))
        path = (*path, name)
        if is_array:
            self._mark(path, line)
            self._sizes[path] = self._sizes.get(path, 0) + 1
        self._table = self._inside(path)
        self._mark(self._table, line)
        self.lines[self._table] = line  # a header goes before `[a.b]` above `[a]`
        return self._table

    def _inside(self, path: Path) -> Path:
        """Returns the path that keys below `path` belong to: the last table of an array."""
        size = self._sizes.get(path, 0)
        return (*path, size - 1) if size else path

    def _pair(self, table: Path) -> Path:
        line = self._line()
        path = (*table, *self._key())
        self._mark(path, line)
        self.at += 1  # the "="
        self._value(path)
        return path

    def _key(self) -> list[str]:
        parts = []
        while (piece := self._peek()) not in ("=", "]"):
            if piece != ".":
                parts.append(_unquoted(piece))
            self.at += 1
        return parts

    def _value(self, path: Path) -> None:
        piece = self._peek()
        if piece == "[":
            self._array(path)
        elif piece == "{":
            self._inline_table(path)
        else:  # a number or a date may be several tokens
            while self._peek() not in (",", "\n", "]", "}"):
                self.at += 1

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while (piece := self._peek()) != "]":
            if piece in (",", "\n"):
                self.at += 1
                continue
            self._mark((*path, index), self._line())
            self._value((*path, index))
            index += 1
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        while (piece := self._peek()) != "}":
            if piece in (",", "\n"):
                self.at += 1
            else:
                self._pair(path)
        self.at += 1

    def _mark(self, path: Path, line: int) -> None:
        """Note the line of `path`, and of the tables it brings into being."""
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)

    def _peek(self) -> str:
        return self.tokens[self.at][0]

    def _line(self) -> int:
        return self.tokens[self.at][1]


def _unquoted(piece: str) -> str:
    if piece.startswith("'"):
        return piece[1:-1]
    if piece.startswith('"'):
        return re.sub(r"\\(u.{4}|U.{8}|x..|.)", _meaning, piece[1:-1])
    return piece


def _meaning(escape: re.Match[str]) -> str:
    code = escape[1]
    plain = _ESCAPES.get(code)
    return chr(int(code[1:], 16)) if plain is None else plain
