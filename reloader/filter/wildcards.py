r"""Wildcards in names and paths, matched in time that grows with the text only.

A pattern is cut at its `*` into pieces of fixed length, and each piece is searched for from left to
right: the first place that fits is as good as any other, so nothing is tried twice. A regular
expression with thirty `*` would try as many ways as there are places.

Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    _ReadClass = Callable[[str, int], tuple[str, int]]

_POSIX = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "blank": r" \t",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": r"\x21-\x7e",
    "lower": "a-z",
    "print": r"\x20-\x7e",
    "punct": r"!-/:-@\[-`{-~",
    "space": r" \t\r\n\f\v",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}


class BadPatternError(ValueError):
    """The pattern matches nothing."""


class Piece(NamedTuple):
    """Characters between two stars: a regular expression without repeats, and its length."""

    regex: re.Pattern[str]
    length: int


class Name:
    """A pattern for one name: `*`, `?`, `[a-z]` and the characters themselves."""

    def __init__(self, pieces: list[tuple[str, int]]) -> None:
        first, *self._middle = [Piece(re.compile(text, re.DOTALL), n) for text, n in pieces]
        self._first = first
        self._last = self._middle.pop() if self._middle else None

    def matches(self, name: str) -> bool:
        if not self._first.regex.match(name):
            return False
        at = self._first.length
        if self._last is None:
            return at == len(name)
        end = len(name) - self._last.length
        for piece in self._middle:
            found = piece.regex.search(name, at, end) if end >= at else None
            if found is None:
                return False
            at = found.end()
        return end >= at and self._last.regex.match(name, end) is not None


class Glob:
    """A pattern for whole paths, with "/" between names; `**` is any number of folders."""

    def __init__(self, names: list[Name | None]) -> None:
        self._names = names  # None: `**`

    def fullmatch(self, path: str) -> bool:
        """Returns True if the whole path matches. A `**` at the end takes one name at least."""
        parts = path.split("/")
        names = self._names
        at = part = 0
        retry: tuple[int, int] | None = None
        while part < len(parts):
            if at < len(names) and names[at] is None:
                if at == len(names) - 1:
                    return True
                at += 1
                retry = at, part
            elif at < len(names) and (name := names[at]) and name.matches(parts[part]):
                at += 1
                part += 1
            elif retry is not None:
                at, part = retry[0], retry[1] + 1
                retry = at, part
            else:
                return False
        return at == len(names)


def go_pattern(pattern: str) -> Glob:
    r"""Reads a pattern as Go's filepath.Match does, and `**`.

    `[^a-z]` negates, `\` quotes; a `[` that nothing closes is just that character.
    """
    try:
        return Glob([_name(part, _go_class) for part in _split(pattern, _go_class)])
    except BadPatternError:  # a range like z-a: for Go a pattern that matches nothing
        return Glob([_literal(part) for part in pattern.split("/")])


def git_pattern(pattern: str) -> Glob:
    r"""Reads a pattern as git's wildmatch does: `[!a]` and `[[:alpha:]]`, too.

    Raises:
        BadPatternError: git lets it match nothing.

    """
    return Glob([_name(part, _git_class) for part in _split(pattern, _git_class)])


def _literal(text: str) -> Name:
    return Name([(re.escape(text), len(text))])


def _split(pattern: str, read_class: _ReadClass) -> list[list[str]]:
    """Cuts a pattern at each "/" that is no part of a class; returns its atoms by name."""
    parts: list[list[str]] = [[]]
    at = 0
    while at < len(pattern):
        char = pattern[at]
        size = 1
        if char == "\\":
            size = 2
        elif char == "[":
            size = read_class(pattern, at)[1]
        atom = pattern[at : at + size]
        if atom in ("/", "\\/"):
            parts.append([])
        else:
            parts[-1].append(atom)
        at += size
    return parts


def _name(atoms: list[str], read_class: _ReadClass) -> Name | None:
    """Returns the pattern of one name; None for `**`."""
    if atoms == ["*", "*"]:
        return None
    pieces: list[tuple[str, int]] = []
    text, length = "", 0
    for atom in atoms:
        if atom == "*":
            pieces.append((text, length))
            text, length = "", 0
            continue
        if atom == "?":
            text += "."
        elif atom[0] == "[":
            text += read_class(atom, 0)[0]
        else:
            text += _quoted(atom)
        length += 1
    return Name([*pieces, (text, length)])


def _quoted(atom: str) -> str:
    if atom == "\\":
        raise BadPatternError(atom)
    return re.escape(atom[-1])


def _go_class(pattern: str, at: int) -> tuple[str, int]:
    """Returns the regular expression of the class that begins here, and how long it is written."""
    found = re.compile(r"\[(\^?)((?:\\.|[^\]\\])+)\]", re.DOTALL).match(pattern, at)
    if found is None:
        return r"\[", 1
    inside = re.sub(r"\\.|[\[&|~^]", lambda m: m[0] if m[0][0] == "\\" else "\\" + m[0], found[2])
    return _checked(f"[{found[1]}{inside}]"), len(found[0])


def _git_class(pattern: str, at: int) -> tuple[str, int]:
    """Returns the same for git; the first character of a class may be "]"."""
    end = at + 1
    negated = pattern[end : end + 1] in ("!", "^")
    end += negated
    out: list[str] = []
    first = True
    while True:
        char = pattern[end : end + 1]
        if not char:
            raise BadPatternError(pattern)
        if char == "]" and not first:
            break
        first = False
        if posix := re.compile(r"\[:(\w*):\]").match(pattern, end):
            if posix[1] not in _POSIX:
                raise BadPatternError(pattern)
            out.append(_POSIX[posix[1]])
            end = posix.end()
            continue
        low, end = _one(pattern, end)
        if pattern[end : end + 1] == "-" and pattern[end + 1 : end + 2] not in ("", "]"):
            high, end = _one(pattern, end + 1)
            if low <= high:  # else a range of nothing
                out.append(f"{re.escape(low)}-{re.escape(high)}")
        else:
            out.append(re.escape(low))
    inside = "".join(out)
    if not inside:
        return ("." if negated else r"(?!)."), end + 1 - at
    return _checked(f"[{'^' if negated else ''}{inside}]"), end + 1 - at


def _one(pattern: str, at: int) -> tuple[str, int]:
    """Returns one character of a class, and where the next one begins."""
    if pattern[at] != "\\":
        return pattern[at], at + 1
    if at + 1 >= len(pattern):
        raise BadPatternError(pattern)
    return pattern[at + 1], at + 2


def _checked(regex: str) -> str:
    try:
        re.compile(regex)
    except re.error as error:
        raise BadPatternError(regex) from error
    return regex
