"""The line of every key, table and array item of a TOML text.

tomli gives values without positions. What is read here has been accepted by tomli, so this only
counts and never judges. Pure.
"""

from __future__ import annotations

import re

Path = tuple[str | int, ...]

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
    walk = _Walk(text)
    while walk.at < len(walk.tokens):
        walk.statement()
    return walk.lines


class _Walk:
    """A cursor over the tokens, one method a production of the grammar."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
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
        elif self._peek() == "[":
            self._header()
        else:
            self._pair(self._table)

    def _header(self) -> None:
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

    def _inside(self, path: Path) -> Path:
        """Where keys below `path` go: an array of tables takes them into its last table."""
        size = self._sizes.get(path, 0)
        return (*path, size - 1) if size else path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = (*table, *self._key())
        self._mark(path, line)
        self.at += 1  # the "="
        self._value(path)

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
