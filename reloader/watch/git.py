"""Version control at work: while it is, files change that nobody has finished writing."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress

from reloader import files
from reloader.core.facts import GitMoved
from reloader.light import dataclass
from reloader.watch.audit import is_being_written

_MOST = 4096  # bytes of a file that names a branch
# A lock that is older, and that no process holds open, was left by one that was killed, or by a
# rebase that waits for a person. git writes files while it holds its lock open.
STALE = 2.0  # seconds


@dataclass(frozen=True)
class Tool:
    """A tool for version control: its folder, the locks in it, and the files that name a branch."""

    folder: str
    locks: tuple[str, ...]
    heads: tuple[str, ...] = ()


GIT = Tool(
    ".git",
    ("index.lock", "HEAD.lock", "rebase-merge", "rebase-apply"),
    ("rebase-merge/head-name", "rebase-apply/head-name", "HEAD"),
)
_TOOLS = (
    GIT,
    Tool(".hg", ("wlock",), ("bookmarks.current", "branch")),  # Mercurial; a link "host:pid"
    Tool(".sl", ("wlock",), ("bookmarks.current",)),  # Sapling
    Tool(".jj", ("working_copy/working_copy.lock",)),  # Jujutsu, often beside .git
)


class Repository:
    """The repository that holds a folder; Jujutsu may share it with git.

    `folders`: where a lock comes and goes.
    """

    def __init__(self, found: list[tuple[Tool, str]]) -> None:
        self._found = found
        self._held_until: dict[str, float] = {}  # lock -> monotonic; until then it is held
        self.folders = tuple(
            dict.fromkeys(
                os.path.dirname(os.path.join(folder, lock))
                for tool, folder in found
                for lock in tool.locks
            )
        )

    @classmethod
    def of(cls, path: str) -> Repository | None:
        """Looks in the folder and above; returns None where there is no repository."""
        while True:
            if found := [(tool, folder) for tool in _TOOLS if (folder := _folder(path, tool))]:
                return cls(found)
            above = os.path.dirname(path)
            if above == path:
                return None
            path = above

    def state(self) -> GitMoved:
        """Returns the state now; takes some microseconds, and more once for an old lock."""
        locks = [os.path.join(folder, lock) for tool, folder in self._found for lock in tool.locks]
        return GitMoved(any(self._is_held(lock) for lock in locks), self._head())

    def _is_held(self, lock: str) -> bool:
        try:
            since = os.lstat(lock).st_mtime
            moved = max(since, os.stat(os.path.dirname(lock)).st_mtime)
        except OSError:
            self._held_until.pop(lock, None)
            return False
        if time.time() - moved < STALE:
            return True
        now = time.monotonic()
        if now >= self._held_until.get(lock, 0.0):
            # Asked again after a while only: it costs a look at every process.
            self._held_until[lock] = now + STALE if _is_owned(lock) else -1.0
        return self._held_until[lock] > now

    def _head(self) -> str:
        """Returns the branch, or the commit in short; in a rebase the branch that is rebased."""
        tool, folder = self._found[0]
        for name in tool.heads:
            if text := _read(os.path.join(folder, name)).strip():
                if tool is not GIT:
                    return text.splitlines()[0]
                branch = text.removeprefix("ref:").strip().removeprefix("refs/heads/")
                return branch if branch != text else text[:9]
        return ""


def _folder(path: str, tool: Tool) -> str:
    """Returns where a tool keeps its state; "" if that is not here."""
    found = os.path.join(path, tool.folder)
    if os.path.isdir(found):
        return found
    if tool is GIT and os.path.isfile(found):  # a worktree or a submodule
        link = _read(found).removeprefix("gitdir:").strip()
        folder = os.path.normpath(os.path.join(path, link))
        return folder if link and os.path.isdir(folder) else ""
    return ""


def _is_owned(lock: str) -> bool:
    """Returns True if a process that lives has made the lock, or holds it open."""
    with suppress(OSError, ValueError):
        host, _, pid = os.readlink(lock).rpartition(":")
        if host.split("/")[0] == socket.gethostname():
            return os.path.exists(f"/proc/{int(pid)}")
    return not os.path.isdir(lock) and is_being_written(lock)


def _read(path: str) -> str:
    with suppress(OSError):
        return os.fsdecode(files.head(path, _MOST))
    return ""
