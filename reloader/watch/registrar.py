"""What a tree is given: the terms of the run, and a guard.

Pure: interfaces and values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.filter.rules import Rules


@dataclass(frozen=True)
class Terms:
    """What all trees of a run have in common.

    Until a tree's first walk is done, a file never seen before has changed if its ctime is not
    before `since_ns`; after it, always. `follow`: links to folders too. `whole`: bytes decide
    whether a file has changed.
    """

    rules: Rules
    warn: Callable[[str], None]
    since_ns: int = 0
    follow: bool = False
    whole: bool = False


class Guard(Protocol):
    """Who is told which folders we look at, so that changes in them are told to us."""

    def arm(self, path: str) -> bool:
        """Before a folder is listed. False: it is not ours to look at."""

    def disarm(self, path: str) -> None:
        """The folder no longer matters."""

    def link(self, path: str) -> None:
        """A file that counts is a link: what it leads to matters too."""


class Unguarded:
    """Nobody is told: for looking again and again."""

    def arm(self, path: str) -> bool:  # noqa: ARG002
        return True

    def disarm(self, path: str) -> None:
        pass

    def link(self, path: str) -> None:
        pass
