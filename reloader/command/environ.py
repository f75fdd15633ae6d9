"""The environment of what we start: the caller's, and what `env_files` add to it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LARGEST = 1 << 20  # bytes; more is no file of settings


class EnvFiles:
    """Env files, read again before each start.

    What was set outside wins, then the later file. A file that is missing is no file; one that
    can't be read or parsed keeps the values it had, and that is said. `outer` is our own
    environment as we found it; it is never changed. Relative paths are below `folder`.
    """

    def __init__(self, paths: Sequence[str], outer: Mapping[str, str], folder: str = "") -> None:
        self._paths = tuple(paths)
        self._folder = folder
        self._outer = dict(outer)
        self._last: dict[str, dict[str, str]] = {}

    def read(self) -> tuple[dict[str, str], list[str]]:
        """The environment as it is now, and what the user should know (never a value)."""
        if not self._paths:
            return dict(self._outer), []
        from reloader.command.dotenv import EnvFileError, parse

        added: dict[str, str] = {}
        warnings = []
        for path in self._paths:
            try:
                text = _text(os.path.join(self._folder, path))
                self._last[path] = dict(parse(text, self._outer, added))
            except FileNotFoundError:
                self._last.pop(path, None)
            except EnvFileError as error:
                warnings.append(f"{path}:{error.line}: {error.text}; its last values stay")
            except OSError as error:
                warnings.append(f"{path}: {error.strerror}; its last values stay")
            added.update(self._last.get(path, {}))
        return {**added, **self._outer}, warnings


def _text(path: str) -> str:
    """What stands in a regular file of modest size; raises OSError.

    Decoded as Python decodes the environment, so that bytes that are no text survive.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(0, "not a file")
        if about.st_size > LARGEST:
            raise OSError(0, "larger than 1 MB")
        data = b""
        while len(data) <= LARGEST and (more := os.read(descriptor, LARGEST)):
            data += more
    finally:
        os.close(descriptor)
    return os.fsdecode(data.removeprefix(b"\xef\xbb\xbf"))
