"""Following links to folders, without going round in circles."""

from __future__ import annotations

import os


class Reached:
    """Which folders were reached through which path: a link leads to each real folder once."""

    def __init__(self) -> None:
        self._paths: dict[tuple[int, int], str] = {}
        self._ids: dict[str, tuple[int, int]] = {}
        self._by_link: set[str] = set()

    def admits(self, path: str, identity: tuple[int, int]) -> bool:
        """A real folder always; behind a link only what is not in the tree already."""
        if os.path.islink(path) or path.rpartition("/")[0] in self._by_link:
            if self._paths.get(identity, path) != path:
                return False
            self._by_link.add(path)
        self._paths[identity] = path
        self._ids[path] = identity
        return True

    def left(self, path: str) -> None:
        identity = self._ids.pop(path, None)
        self._by_link.discard(path)
        if identity and self._paths.get(identity) == path:
            del self._paths[identity]
