"""The files that git tracks, which no ignore file takes out: gitformat-index(5)."""

from __future__ import annotations

import bisect
import os
from contextlib import suppress

from reloader import files

_MOST = 64 << 20  # bytes of an index that is read; some 500,000 files
_HEAD = 12
_FIXED = 62  # bytes of an entry before its name
_EXTENDED = 0x4000  # two more bytes of flags follow
_LONG = 0xFFF  # the length of a name in the flags, at most


class GitIndex:
    """The index of a repository, read when it is first asked; a path is in it or not."""

    def __init__(self, git: str, top: str) -> None:
        """`git`: the folder of the work tree's own data; `top`: where the work tree begins."""
        self._path = os.path.join(git, "index")
        self._prefix = top.rstrip("/") + "/"
        self._data: bytes | None = None
        self._names: list[bytes] = []  # of version 4, where names share their beginnings

    def has(self, path: str, *, is_folder: bool) -> bool:
        """Returns True for a file that is tracked, and for a folder with such a file below it."""
        if not path.startswith(self._prefix):
            return False
        if self._data is None:
            self._read()
        name = os.fsencode(path[len(self._prefix) :]) + b"/" * is_folder
        if not self._names:
            return self._finds(name, is_folder=is_folder)
        at = bisect.bisect_left(self._names, name)
        found = self._names[at] if at < len(self._names) else b""
        return found.startswith(name) if is_folder else found == name

    def _read(self) -> None:
        self._data = b""
        with suppress(OSError):
            self._data = files.read(self._path, most=_MOST)
        if self._data[:4] == b"DIRC" and self._data[4:8] == b"\0\0\0\4":
            self._names = _names_of(self._data)

    def _finds(self, name: bytes, *, is_folder: bool) -> bool:
        """Returns whether an entry begins with the name: its flags tell how long it is."""
        data, at = self._data or b"", _HEAD
        while (at := data.find(name, at)) >= 0:
            length = data.find(b"\0", at) - at
            if is_folder or length == len(name):
                plain = int.from_bytes(data[at - 2 : at], "big")
                extended = int.from_bytes(data[at - 4 : at - 2], "big")
                lengths = {plain & _LONG, (extended & _LONG) if extended & _EXTENDED else -1}
                if min(length, _LONG) in lengths:
                    return True
            at += 1
        return False


def _names_of(data: bytes) -> list[bytes]:
    """Returns the names in an index of version 4, in their order."""
    names: list[bytes] = []
    name, at = b"", _HEAD
    with suppress(IndexError):
        for _ in range(int.from_bytes(data[8:12], "big")):
            flags = int.from_bytes(data[at + _FIXED - 2 : at + _FIXED], "big")
            at += _FIXED + (2 if flags & _EXTENDED else 0)
            cut, at = _number(data, at)
            end = data.index(b"\0", at)
            name = name[: len(name) - cut] + data[at:end]
            names.append(name)
            at = end + 1
    return names


def _number(data: bytes, at: int) -> tuple[int, int]:
    """Returns a number of variable length, and where it ends: as in a pack, gitformat-pack(5)."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1
