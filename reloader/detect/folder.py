"""A project's directory as detection sees it: read only, small, and never an error."""

from __future__ import annotations

import os
import posixpath
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from reloader import files
from reloader.config.document import parse
from reloader.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 100_000  # bytes of one file that are read: a source says early what it is
_MOST_FILES = 300  # files that are read in one look at a project
_MOST_FOLDERS = 300  # directories that are listed in one look
_MOST_NAMES = 2_000  # names of one directory
# Directories that hold no sources of the project itself.
SKIPPED = frozenset(
    """node_modules venv env virtualenv site-packages __pycache__ __pypackages__ target dist build
    out bin obj vendor third_party tmp temp logs log data coverage htmlcov test tests testing
    testdata spec e2e example examples sample samples demo demos fixtures docs doc benchmarks bench
    scripts migrations alembic static assets public templates""".split()  # noqa: SIM905
)


class Folder:
    """The directory at `top`; all paths are relative to it, with `/` between their names.

    What is missing, unreadable, special or too large reads as empty. Each directory is listed
    once and each file read once; beyond `_MOST_FILES` and `_MOST_FOLDERS` there is nothing more.
    """

    def __init__(self, top: str) -> None:
        self.top = top
        self._listed: dict[str, dict[str, bool]] = {}
        self._read: dict[str, str] = {}

    def below(self, path: str) -> Folder:
        """Returns the directory at `path` as a project of its own."""
        return Folder(posixpath.join(self.top, path))

    # --- names ---------------------------------------------------------------------------------

    def files(self, path: str = "") -> list[str]:
        """Returns the names of the files in a directory, sorted; links to files count."""
        return [name for name, is_folder in self._names(path).items() if not is_folder]

    def folders(self, path: str = "") -> list[str]:
        """Returns the names of the directories that may hold sources, sorted."""
        return [
            name
            for name, is_folder in self._names(path).items()
            if is_folder and name not in SKIPPED and not name.startswith(".")
        ]

    def has(self, *paths: str) -> bool:
        """Returns True if any of these files or directories is there."""
        return any(posixpath.basename(p) in self._names(posixpath.dirname(p)) for p in paths)

    def first(self, *paths: str) -> str:
        """Returns the first of these files that is there, or ""."""
        return next((path for path in paths if self.is_file(path)), "")

    def is_file(self, path: str) -> bool:
        """Returns True if a file is at `path`, which may begin with `./`."""
        path = posixpath.normpath(path)
        return self._names(posixpath.dirname(path)).get(posixpath.basename(path)) is False

    def matching(self, pattern: str, path: str = "") -> list[str]:
        """Returns the files in a directory whose names fit the glob."""
        return [name for name in self.files(path) if fnmatchcase(name, pattern)]

    def glob(self, pattern: str) -> list[str]:
        """Returns the directories that a pattern like `services/*` names."""
        found = [""]
        for part in posixpath.normpath(pattern).split("/"):
            found = [
                posixpath.join(path, name)
                for path in found
                for name, is_folder in self._names(path).items()
                if is_folder and fnmatchcase(name, part.replace("**", "*"))
            ]
        return found

    def walk(self, depth: int) -> Iterator[str]:
        """Yields the directories that may hold sources, nearest first: "" itself, then below."""
        level = [""]
        for _ in range(depth + 1):
            yield from level
            level = [posixpath.join(path, name) for path in level for name in self.folders(path)]

    def _names(self, path: str) -> dict[str, bool]:
        """Returns the names in a directory: True for a directory."""
        if path not in self._listed:
            if len(self._listed) >= _MOST_FOLDERS:
                return {}
            self._listed[path] = dict(sorted(self._scanned(path)))
        return self._listed[path]

    def _scanned(self, path: str) -> list[tuple[str, bool]]:
        found = []
        try:
            with os.scandir(posixpath.join(self.top, path)) as entries:
                for entry in entries:
                    found.append((entry.name, entry.is_dir()))
                    if len(found) >= _MOST_NAMES:
                        break
        except (OSError, ValueError):
            return []
        return found

    # --- content -------------------------------------------------------------------------------

    def read(self, path: str) -> str:
        """Returns the beginning of a text file; "" if there is none."""
        path = posixpath.normpath(path)
        if path not in self._read:
            if len(self._read) >= _MOST_FILES or not (path[:2] == ".." or self.is_file(path)):
                return ""
            self._read[path] = _beginning(posixpath.join(self.top, path))
        return self._read[path]

    def head(self, path: str) -> str:
        """Returns the first line of a file; of a binary one, characters that are no text."""
        return self.read(path).partition("\n")[0][:200]

    def may_run(self, path: str) -> bool:
        """Returns True if the file may be executed."""
        return os.access(posixpath.join(self.top, path), os.X_OK)

    def table(self, path: str) -> dict[str, Any]:
        """Returns what a TOML file holds; {} if it can't be read."""
        text = self.read(path)
        try:
            return dict(parse(text, path).table) if text else {}
        except ConfigError:
            return {}

    def json(self, path: str) -> dict[str, Any]:
        """Returns what a JSON file holds, comments left out; {} if it is no object."""
        import json

        text = self.read(path)
        try:
            found = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            found = _lenient(text)
        return found if isinstance(found, dict) else {}


def _lenient(text: str) -> Any:
    """Returns JSON with comments and trailing commas (tsconfig.json, deno.jsonc), or {}."""
    import json
    import re

    quoted = r'"(?:[^"\\]|\\.)*"'
    text = re.sub(rf"({quoted})|//[^\n]*|/\*.*?\*/", lambda m: m[1] or "", text, flags=re.DOTALL)
    text = re.sub(rf"({quoted})|,(?=\s*[}}\]])", lambda m: m[1] or "", text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return {}


def _beginning(path: str) -> str:
    """Returns up to `_LARGEST` bytes of a regular file as text."""
    try:
        content = files.head(path, _LARGEST)
    except OSError:
        return ""
    return content.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n")
