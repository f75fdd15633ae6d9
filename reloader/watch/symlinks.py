"""Links: following those to directories without a loop, and the way that a path takes."""

from __future__ import annotations

import os
import stat

_MOST_LINKS = 40  # links in a row, the kernel's limit (path_resolution(7))


class LinkLoopGuard:
    """Remembers by which path each real directory was reached: a link leads to it only once."""

    def __init__(self) -> None:
        self._paths: dict[tuple[int, int], str] = {}
        self._ids: dict[str, tuple[int, int]] = {}
        self._by_link: set[str] = set()

    def enter(self, path: str, identity: tuple[int, int]) -> bool:
        """Returns False for a directory behind a link that was reached by another path already."""
        if os.path.islink(path) or path.rpartition("/")[0] in self._by_link:
            if self._paths.get(identity, path) != path:
                return False
            self._by_link.add(path)
        self._paths[identity] = path
        self._ids[path] = identity
        return True

    def leave(self, path: str) -> None:
        identity = self._ids.pop(path, None)
        self._by_link.discard(path)
        if identity and self._paths.get(identity) == path:
            del self._paths[identity]


def steps_to(path: str) -> tuple[str, ...]:
    """Returns the names that decide where a path leads: links on the way, and where it ends.

    The last one is the real path, or the first part of it that does not exist. A change of any
    of them may make the path lead elsewhere: the files of a Kubernetes ConfigMap lead to
    `..data/x`, and the link `..data` is what is swapped.
    """
    steps: list[str] = []
    at, rest, links = "/", [part for part in path.split("/") if part], 0
    while rest:
        name = rest.pop(0)
        if name in (".", ".."):
            at = os.path.dirname(at) if name == ".." else at
            continue
        here = at.rstrip("/") + "/" + name
        try:
            target = os.readlink(here) if stat.S_ISLNK(os.lstat(here).st_mode) else ""
        except OSError:  # not there, or replaced just now
            return (*steps, here)
        if not target:
            at = here
            continue
        steps.append(here)
        links += 1
        if links > _MOST_LINKS:
            return tuple(dict.fromkeys(steps))
        rest = [part for part in target.split("/") if part] + rest
        at = "/" if target.startswith("/") else at
    return (*steps, at)
