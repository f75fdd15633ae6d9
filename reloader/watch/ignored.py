"""Saves that do nothing, told once for each kind of file.

A save of a file that does not count is worth a line, so that nobody waits for a restart. A program
that writes files all the time is not: a kind is told when one file of it, or two, were written, and
then it was quiet.

Pure: the time is an argument, in monotonic seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.filter.globs import is_made, is_temporary

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET = 1.0  # seconds; an editor's save is over by then, a build that writes files goes on
MOST = 2  # writes of one kind in that time; a formatter may write a file again
SEVERAL = 4  # files at once, of whatever kind: a checkout or a build, no save


class IgnoredSaves:
    """The kinds of files that were written and do not count; each is told once in a run."""

    def __init__(self) -> None:
        self._told: set[str] = set()
        self._waiting: dict[str, tuple[str, str]] = {}  # kind -> path and reason
        self._writes: dict[str, int] = {}
        self._since = 0.0

    @property
    def wake_at(self) -> float | None:
        """When a line is due; None if none is."""
        return self._since + QUIET if self._waiting else None

    def saved(self, path: str, why: str, now: float) -> None:
        """Notes that a file was written which does not count."""
        name = path.rpartition("/")[2]
        kind = name.rpartition(".")[2]
        if kind in self._told or is_temporary(name) or is_made(name):
            return
        self._waiting.setdefault(kind, (path, why))
        self._writes[kind] = self._writes.get(kind, 0) + 1
        self._since = now

    def due(self, now: float) -> Iterator[tuple[str, str]]:
        """Yields path and reason of each save to be told now."""
        if not self._waiting or now < self._since + QUIET:
            return
        many = sum(self._writes.values()) >= SEVERAL
        for kind, found in self._waiting.items():
            if not many and self._writes[kind] <= MOST:
                self._told.add(kind)
                yield found
        self._waiting.clear()
        self._writes.clear()
