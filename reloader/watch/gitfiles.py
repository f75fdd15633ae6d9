"""The ignore files of git, from wherever it reads them: gitignore(5)."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader import files
from reloader.filter.gitignore import Ignores
from reloader.filter.rules import FileFilter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.config.model import Config

_MOST = 1 << 18  # bytes of an ignore file that are read


def filter_of(config: Config, config_files: Iterable[str] = ()) -> FileFilter:
    """Makes the filter of a run: files that git ignores do not count for the default extensions."""
    return FileFilter.of(config, config_files, GitIgnores(config.root))


class GitIgnores:
    """Reads the ignore files as folders are judged; without a repository only `.gitignore`."""

    def __init__(self, root: str) -> None:
        self._root = root

    def __call__(self, folder: str, above: Ignores | None) -> Ignores:
        """Returns the rules for the paths in a folder; `above`: those of the folder above it.

        None: the scan begins here. If the folder itself is ignored by the repository around it,
        that is not what its owner wants to know, and only its own files count.
        """
        if above is None:
            above = self._around(folder)
        elif os.path.lexists(os.path.join(folder, ".git")):  # another repository
            above = self._of_repository(folder)
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
        found = self._with_own(os.path.dirname(chain[-1]), found)
        while chain:
            path = chain.pop()
            if found.why(path, is_folder=True):
                return Ignores()
            if chain:
                found = self._with_own(path, found)
        return found

    def _with_own(self, folder: str, above: Ignores) -> Ignores:
        path = os.path.join(folder, ".gitignore")
        return above.below(folder, _text(path), os.path.relpath(path, self._root))

    def _of_repository(self, top: str) -> Ignores:
        """Returns the rules that lie outside the work tree: the weakest first."""
        found = Ignores()
        common = _common_dir(os.path.join(top, ".git"))
        for path in (_excludes_file(common), os.path.join(common, "info/exclude")):
            found = found.below(top, _text(path), path)
        return found


def _common_dir(git: str) -> str:
    """Returns where a repository keeps what its worktrees share."""
    if os.path.isdir(git):
        return git
    link = _text(git).removeprefix("gitdir:").strip()
    folder = os.path.normpath(os.path.join(os.path.dirname(git), link)) if link else git
    common = _text(os.path.join(folder, "commondir")).strip()
    return os.path.normpath(os.path.join(folder, common)) if common else folder


def _excludes_file(git: str) -> str:
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
        section = ""
        for line in _text(config).splitlines():
            if head := re.match(r"\s*\[\s*([^\]]*?)\s*\]", line):
                section = head[1].lower()
            elif section == "core" and (
                value := re.match(r"\s*excludesfile\s*=\s*(.*)", line, re.IGNORECASE)
            ):
                text = re.sub(r"\s+[#;].*$", "", value[1]).strip().strip('"')
                found = os.path.expanduser(text)
    return found


def _text(path: str) -> str:
    with suppress(OSError):
        return os.fsdecode(files.read(path, most=_MOST))
    return ""
