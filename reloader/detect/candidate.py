"""A way to run a project: the command lines, what is watched, and the file that told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reloader.light import dataclass, replace

if TYPE_CHECKING:
    from reloader.detect.folder import Folder

Texts = tuple[str, ...]


@dataclass(frozen=True)
class Candidate:
    """One way to run a project; the names of the fields are the keys they stand for.

    `kind` is what people call it ("a FastAPI app"), `where` the file that told, below the root.
    What is empty is left to the defaults, but `include_ext`: None is the default, () is no
    extension at all, for a dev server that reloads by itself.
    """

    kind: str
    bin: str
    where: str
    cmd: str = ""
    root: str = ""
    include_ext: Texts | None = None
    include_dir: Texts = ()
    include_file: Texts = ()
    exclude_dir: Texts = ()
    exclude_regex: Texts = ()
    env_files: Texts = ()
    remark: str = ""

    @property
    def command(self) -> str:
        """Returns the command in one line for people."""
        line = f"{self.cmd} && {self.bin}" if self.cmd and self.bin else self.cmd or self.bin
        return f"{line} (in {self.root})" if self.root else line

    def settings(self) -> dict[str, Any]:
        """Returns the keys of the config that it sets, in the order of a file."""
        values: dict[str, Any] = {
            "root": self.root,
            "env_files": self.env_files,
            "build.cmd": self.cmd,
            "build.bin": self.bin,
            "build.include_ext": self.include_ext,
            "build.include_dir": self.include_dir,
            "build.include_file": self.include_file,
            "build.exclude_dir": self.exclude_dir,
            "build.exclude_regex": self.exclude_regex,
        }
        return {
            key: value
            for key, value in values.items()
            # No build is said too: Go's default would be one.
            if value or key == "build.cmd" or (key == "build.include_ext" and value is not None)
        }

    def inside(self, folder: str) -> Candidate:
        """Returns it for the directory above: run in `folder`, found there."""
        return replace(self, root=folder, where=f"{folder}/{self.where}")


def with_environment(folder: Folder, candidate: Candidate) -> Candidate:
    """Returns it with the project's env files.

    A dev server that reloads by itself reads its own, and looks at them again when it likes.
    """
    files = tuple(name for name in (".flaskenv", ".env") if folder.is_file(name))
    if candidate.include_ext == () or not files:
        return candidate
    return replace(candidate, env_files=files)


def beside(kind: str, command: str, where: str, files: Texts = ()) -> Candidate:
    """Returns a dev server that reloads by itself: only `files` restart it, no extension does."""
    remark = "It reloads by itself; only these files need a restart."
    return Candidate(kind, command, where, include_ext=(), include_file=files, remark=remark)


def quoted(word: str) -> str:
    """Returns a word as a person would type it into a shell."""
    if re.fullmatch(r"[\w@%+=:,./-]+", word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"
