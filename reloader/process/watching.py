"""Processes that watch a directory with an inotify of their own. Linux; reads /proc."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader import files
from reloader.process.tree import ProcView

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST = 2000  # descriptors of a process that are looked at; 20 ms
_WATCHED = re.compile(rb"^inotify wd:\S+ ino:([0-9a-f]+) ", re.MULTILINE)  # proc(5), fdinfo


def watcher_below(pid: int, root: str) -> tuple[int, str] | None:
    """Returns pid and name of a process that watches `root`, or a directory in it, by itself.

    It is `pid` or a descendant. Returns None if there is none, or if that can't be told.
    """
    inodes = set(_inodes(root))
    for process in (pid, *(child.pid for child in ProcView().below(pid))):
        if not inodes.isdisjoint(_watched(process)):
            return process, _name(process)
    return None


def _inodes(root: str) -> Iterator[int]:
    with suppress(OSError), os.scandir(root) as entries:
        yield os.stat(root).st_ino
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield entry.inode()


def _watched(pid: int) -> Iterator[int]:
    """Yields the inodes that a process watches."""
    with suppress(OSError):
        for descriptor in os.listdir(f"/proc/{pid}/fd")[:_MOST]:
            with suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{descriptor}") == "anon_inode:inotify":
                    info = files.read(f"/proc/{pid}/fdinfo/{descriptor}")
                    yield from (int(inode, 16) for inode in _WATCHED.findall(info))


def _name(pid: int) -> str:
    try:
        return files.read(f"/proc/{pid}/comm").decode(errors="replace").strip()
    except OSError:
        return "?"
