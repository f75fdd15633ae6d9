"""What git is doing: while it is at work, files change that nobody has finished writing."""

from __future__ import annotations

import os
from contextlib import suppress

from reloader import files
from reloader.core.facts import GitMoved

# While one of these is there, git is at work: it makes a lock before the first file and takes it
# away after the last; a rebase has its folder from the first commit to the last.
_LOCKS = ("index.lock", "HEAD.lock", "rebase-merge", "rebase-apply")
_MOST = 4096  # bytes of a file of git's that names something


class Repository:
    """The repository that holds a folder. `folder`: where git keeps its state."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    @classmethod
    def of(cls, path: str) -> Repository | None:
        """Looks in the folder and above; None where there is no repository."""
        while True:
            found = os.path.join(path, ".git")
            if os.path.isdir(found):
                return cls(found)
            if os.path.isfile(found):  # a worktree or a submodule
                link = _read(found).removeprefix("gitdir:").strip()
                folder = os.path.normpath(os.path.join(path, link))
                return cls(folder) if link and os.path.isdir(folder) else None
            above = os.path.dirname(path)
            if above == path:
                return None
            path = above

    def state(self) -> GitMoved:
        """As it is now: some microseconds."""
        busy = any(os.path.exists(os.path.join(self.folder, name)) for name in _LOCKS)
        return GitMoved(busy, self._head())

    def _head(self) -> str:
        """The branch, or the commit in short; in a rebase the branch that is rebased."""
        for name in ("rebase-merge/head-name", "rebase-apply/head-name", "HEAD"):
            if text := _read(os.path.join(self.folder, name)).strip():
                branch = text.removeprefix("ref:").strip().removeprefix("refs/heads/")
                return branch if branch != text else text[:9]
        return ""


def _read(path: str) -> str:
    with suppress(OSError):
        return os.fsdecode(files.head(path, _MOST))
    return ""
