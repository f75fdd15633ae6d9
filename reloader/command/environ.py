"""The environment of what reloader starts: the caller's, `env_files` below it, `[env]` above."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reloader import files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reloader.command.dotenv import Fault

_UTF16 = (b"\xff\xfe", b"\xfe\xff")  # byte order marks


class EnvFiles:
    """Env files, read again before each start.

    What the config sets (`fixed`) wins, then what was set outside, then the later file. A file
    that is missing is no file. A line that can't be read is left out; a file that can't be read
    keeps the values it had; both are reported.
    `outer` is the environment reloader was started with; it is never changed. Relative paths are
    below `folder`.
    """

    def __init__(
        self,
        paths: Sequence[str],
        outer: Mapping[str, str],
        folder: str = "",
        fixed: Mapping[str, str] | None = None,
    ) -> None:
        self._paths = tuple(paths)
        self._fixed = dict(fixed or {})
        self._folder = folder
        self._outer = dict(outer)
        self._last: dict[str, dict[str, str]] = {}

    def read(self) -> tuple[dict[str, str], list[str]]:
        """Returns the environment as it is now, and warnings (never a value)."""
        if not self._paths:
            return {**self._outer, **self._fixed}, []
        added: dict[str, str] = {}
        warnings = []
        for path in self._paths:
            try:
                values, faults = read(os.path.join(self._folder, path), self._outer, added)
                warnings += [f"{path}:{fault.line}: {fault.text}" for fault in faults]
                self._last[path] = values
            except FileNotFoundError:
                self._last.pop(path, None)
            except OSError as error:
                then = "its last values stay" if path in self._last else "nothing is read from it"
                warnings.append(f"{path}: {error.strerror}; {then}")
            added.update(self._last.get(path, {}))
        return {**added, **self._outer, **self._fixed}, warnings


def read(
    path: str, outer: Mapping[str, str], before: Mapping[str, str]
) -> tuple[dict[str, str], tuple[Fault, ...]]:
    """Returns the values of one env file and the lines that were left out.

    `outer` and `before` as for `dotenv.parse`. Raises OSError with a sentence as its `strerror`.
    """
    from reloader.command.dotenv import parse

    parsed = parse(_text(path), outer, before)
    return dict(parsed.pairs), parsed.faults


def _text(path: str) -> str:
    """Returns the text of a regular file of modest size; raises OSError.

    Decoded as Python decodes the environment, so bytes that are no text survive.
    """
    try:
        data = files.read(path)
    except files.SpecialFileError:
        raise OSError(0, "not a file") from None
    except files.TooLargeError:
        raise OSError(0, "larger than 1 MB") from None
    if _is_utf16(data):
        raise OSError(0, "is UTF-16; save it as UTF-8")
    return os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))


def _is_utf16(data: bytes) -> bool:
    """True with a byte order mark, or if every other byte of the first ones is NUL."""
    head = data[:64]
    even, odd = head[::2], head[1::2]
    is_half_empty = len(head) >= 4 and any(head) and not (any(even) and any(odd))
    return data.startswith(_UTF16) or is_half_empty
