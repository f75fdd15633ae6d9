"""The ignore files of git, from wherever it reads them: gitignore(5)."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader import files
from reloader.filter.gitignore import Ignores
from reloader.filter.rules import FileFilter
from reloader.watch.gitindex import GitIndex

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.config.model import Config

    Stamp = tuple[int, int, int] | None  # when it was written, its size, its inode; None: no file

_MOST = 1 << 18  # bytes of an ignore file that are read


def filter_of(config: Config, config_files: Iterable[str] = ()) -> FileFilter:
    """Makes the filter of a run: files that git ignores do not count for the default extensions."""
    return FileFilter.of(config, config_files, GitIgnores(config.root))


class GitIgnores:
    """Reads the ignore files as folders are judged; without a repository only `.gitignore`."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._outside: dict[str, Stamp] = {}  # files of rules that lie outside the tree

    def fresh(self) -> GitIgnores:
        """Returns a reader that knows nothing yet."""
        return GitIgnores(self._root)

    def moved(self) -> str:
        """Returns a file outside the tree that has changed since it was read; "" if none has."""
        return next((path for path, seen in self._outside.items() if _stamp(path) != seen), "")

    @property
    def folders(self) -> frozenset[str]:
        """The folders of those files; not people's home, where much else is written."""
        home = os.path.expanduser("~")
        return frozenset(map(os.path.dirname, self._outside)) - {home, "/etc"}

    def __call__(self, folder: str, above: Ignores | None) -> Ignores:
        """Returns the rules for the paths in a folder; `above`: those of the folder above it.

        None: the scan begins here. If the folder itself is ignored by the repository around it,
        that is not what its owner wants to know, and only its own files count.
        """
        if above is None:
            above = self._around(folder)
        elif os.path.lexists(os.path.join(folder, ".git")):  # another repository
            above = self._of_repository(folder)
        else:
            above = above.entered(folder)
        return self._with_own(folder, above)

    def _around(self, folder: str) -> Ignores:
        chain = [folder]
        while not os.path.lexists(os.path.join(chain[-1], ".git")):
            above = os.path.dirname(chain[-1])
            if above == chain[-1]:
                return Ignores()
            chain.append(above)
        found = self._of_repository(chain.pop())
        if not chain:
            return found
        found = self._with_own(os.path.dirname(chain[-1]), found, is_outside=True)
        while chain:
            path = chain.pop()
            if found.why(path, is_folder=True):
                return Ignores()
            if chain:
                found = self._with_own(path, found, is_outside=True)
        return found

    def _with_own(self, folder: str, above: Ignores, *, is_outside: bool = False) -> Ignores:
        path = os.path.join(folder, ".gitignore")
        text = self._text(path) if is_outside else _text(path)
        return above.below(folder, text, os.path.relpath(path, self._root))

    def _of_repository(self, top: str) -> Ignores:
        """Returns the rules that lie outside the work tree: the weakest first."""
        git = _git_dir(os.path.join(top, ".git"))
        common = _common_dir(git)
        found = Ignores(tracked=GitIndex(git, top).has)
        for path in (self._excludes_file(common), os.path.join(common, "info/exclude")):
            found = found.below(top, self._text(path), path)
        return found

    def _excludes_file(self, git: str) -> str:
        """Returns git's core.excludesFile; the last config that sets it decides."""
        home = os.path.expanduser("~")
        settings = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        found = os.path.join(settings, "git/ignore")
        for config in (
            "/etc/gitconfig",
            os.path.join(settings, "git/config"),
            os.path.join(home, ".gitconfig"),
            os.path.join(git, "config"),
        ):
            found = _excludes_in(self._text(config)) or found
        return found

    def _text(self, path: str) -> str:
        """Returns what a file outside the tree holds; a change of it is known from then on."""
        self._outside[path] = _stamp(path)
        return _text(path)


def _git_dir(git: str) -> str:
    """Returns where a work tree keeps its own data: ".git", or where a file of that name leads."""
    if os.path.isdir(git):
        return git
    link = _text(git).removeprefix("gitdir:").strip()
    return os.path.normpath(os.path.join(os.path.dirname(git), link)) if link else git


def _common_dir(folder: str) -> str:
    """Returns where a repository keeps what its worktrees share."""
    common = _text(os.path.join(folder, "commondir")).strip()
    return os.path.normpath(os.path.join(folder, common)) if common else folder


def _excludes_in(config: str) -> str:
    """Returns the value of core.excludesFile in the text of a config; "" if it has none."""
    section = found = ""
    for line in config.splitlines():
        if head := re.match(r"\s*\[\s*([^\]]*?)\s*\]", line):
            section = head[1].lower()
        elif section == "core" and (
            value := re.match(r"\s*excludesfile\s*=\s*(.*)", line, re.IGNORECASE)
        ):
            text = re.sub(r"\s+[#;].*$", "", value[1]).strip().strip('"')
            found = os.path.expanduser(text)
    return found


def _stamp(path: str) -> Stamp:
    with suppress(OSError):
        status = os.stat(path)
        return status.st_mtime_ns, status.st_size, status.st_ino
    return None


def _text(path: str) -> str:
    with suppress(OSError):
        return os.fsdecode(files.read(path, most=_MOST))
    return ""
