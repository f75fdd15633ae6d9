"""Git's rules for paths that it ignores: gitignore(5).

Pure: texts in, decisions out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from reloader.filter.wildcards import BadPatternError, Glob, git_pattern

if TYPE_CHECKING:

    class Tracked(Protocol):
        """Answers whether git tracks a file, or one below a folder."""

        def __call__(self, path: str, *, is_folder: bool) -> bool: ...


class Pattern(NamedTuple):
    """One line of an ignore file. `anchored`: it is matched against the path, else the name."""

    glob: Glob
    negated: bool
    only_folders: bool
    anchored: bool
    where: str  # "sub/.gitignore:3 "*.gen.py"", for people


class IgnoreFile:
    """The patterns of one file, for paths below the folder that it is about."""

    def __init__(self, text: str, name: str) -> None:
        lines = text.removeprefix("\ufeff").split("\n")
        found = [_pattern(line, name, number) for number, line in enumerate(lines, 1)]
        self._patterns = [pattern for pattern in reversed(found) if pattern]

    def find(self, relative: str, *, is_folder: bool) -> Pattern | None:
        """Returns the last pattern that matches a path below the folder of the file."""
        name = relative.rpartition("/")[2]
        for pattern in self._patterns:
            if pattern.only_folders and not is_folder:
                continue
            if pattern.glob.fullmatch(relative if pattern.anchored else name):
                return pattern
        return None


def _pattern(line: str, name: str, number: int) -> Pattern | None:
    line = _trimmed(line.removesuffix("\r"))
    if not line or line.startswith("#"):
        return None
    written = line
    negated = line.startswith("!")
    line = line[negated:]
    if only_folders := line.endswith("/"):
        line = line[:-1]
    anchored = "/" in line
    line = line.removeprefix("/")
    if not anchored and line.replace("*", "") == "" and line:
        line = "*"  # "**" is about one name here
    try:
        glob = git_pattern(line)
    except BadPatternError:
        return None
    return Pattern(glob, negated, only_folders, anchored, f'{name}:{number} "{written}"')


def _trimmed(line: str) -> str:
    r"""Cuts the spaces at the end, but not one that is quoted: "name\ "."""
    while line.endswith(" "):
        before = line[:-1]
        if (len(before) - len(before.rstrip("\\"))) % 2:
            return line
        line = before
    return line


class IgnoreLevel(NamedTuple):
    """An ignore file, and the folder that its patterns begin at, with a "/" at its end."""

    prefix: str
    file: IgnoreFile


class Ignores:
    """The ignore files that hold for the paths in one folder, the strongest first.

    `tracked`: what git tracks is not ignored; `whole`: the line that excludes the folder itself, in
    which something is tracked all the same.
    """

    def __init__(
        self,
        levels: tuple[IgnoreLevel, ...] = (),
        tracked: Tracked | None = None,
        whole: str = "",
    ) -> None:
        self.levels = levels
        self._tracked = tracked
        self._whole = whole

    def below(self, folder: str, text: str, name: str) -> Ignores:
        """Returns them for a folder that has an ignore file of its own."""
        if not text:
            return self
        level = IgnoreLevel(folder.rstrip("/") + "/", IgnoreFile(text, name))
        return Ignores((level, *self.levels), self._tracked, self._whole)

    def entered(self, folder: str) -> Ignores:
        """Returns them for a folder below; nothing takes back that it is excluded."""
        return Ignores(
            self.levels, self._tracked, self._whole or self._line(folder, is_folder=True)
        )

    def why(self, path: str, *, is_folder: bool) -> str:
        """Returns the line that excludes the path; "" if none does, or if git tracks it."""
        line = self._whole or self._line(path, is_folder=is_folder)
        return "" if line and self._is_tracked(path, is_folder=is_folder) else line

    def _is_tracked(self, path: str, *, is_folder: bool) -> bool:
        return self._tracked is not None and self._tracked(path, is_folder=is_folder)

    def _line(self, path: str, *, is_folder: bool) -> str:
        for prefix, file in self.levels:
            if not path.startswith(prefix):
                continue
            if found := file.find(path[len(prefix) :], is_folder=is_folder):
                return "" if found.negated else found.where
        return ""
