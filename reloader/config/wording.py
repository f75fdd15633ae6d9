"""Puts values and names into messages.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LONGEST = 60  # characters of a value that a message repeats; enough to know it again


def shown(value: object) -> str:
    """A TOML value as a message shows it: texts quoted and cut, tables and lists by name."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return str(value)  # numbers, dates and times are written as TOML writes them


def quoted(text: str) -> str:
    """The text in double quotes, on one line, cut where it gets long."""
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    inner = "".join(_visible(char) for char in cut)
    return f'"{inner}"'


def _visible(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return char if char.isprintable() else repr(char)[1:-1]


def nearest(key: str, known: Iterable[str]) -> str:
    """The known key that was most likely meant, or "".

    The same name in another table comes first: a key above its `[table]` is the commonest slip
    in Air's issues (#447, #678).
    """
    from difflib import get_close_matches

    keys = list(known)
    table, _, name = key.rpartition(".")
    for other in keys:
        if other.rpartition(".")[2] == name:
            return other
    siblings = {k.rpartition(".")[2]: k for k in keys if k.rpartition(".")[0] == table}
    names = {k.rpartition(".")[2]: k for k in keys} | siblings
    if close := get_close_matches(name, names, n=1, cutoff=0.85):
        return names[close[0]]
    if close := get_close_matches(name, siblings, n=1, cutoff=0.65):
        return siblings[close[0]]
    close = get_close_matches(key, keys, n=1, cutoff=0.75)
    return close[0] if close else ""
