"""Pending work as a set, never a queue.

Pure: no clock, no process, no file.
"""

from __future__ import annotations

from reloader.light import dataclass, replace


@dataclass(frozen=True)
class Needs:
    """The work that a change leads to. A burst of changes is the union of their needs."""

    rules: frozenset[str] = frozenset()  # names of [[build.rules]] whose command must run
    build: bool = False
    restart: bool = False

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            self.rules | other.rules,
            self.build or other.build,
            self.restart or other.restart,
        )

    def __bool__(self) -> bool:
        return bool(self.rules) or self.build or self.restart

    def met(self, other: Needs) -> Needs:
        """Returns the needs that are left when `other` has been done."""
        return replace(
            self,
            rules=self.rules - other.rules,
            build=self.build and not other.build,
            restart=self.restart and not other.restart,
        )


NOTHING = Needs()
RESTART = Needs(restart=True)
RELOAD = Needs(build=True, restart=True)
