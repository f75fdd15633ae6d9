"""The interface of an engine: it hears of changes and gives them as values.

Pure.
"""

from __future__ import annotations

from enum import Enum, Flag, auto
from typing import TYPE_CHECKING, NamedTuple, Protocol

from reloader.watch.snapshot import ScanReason

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    """The kinds of events."""

    FILE = "file"  # a file in a watched folder
    FOLDER = "folder"  # a folder in a watched folder
    ANY = "any"  # a file or a folder
    ITSELF = "itself"  # a watched path was moved or deleted, or its watch has ended
    MOUNTED = "mounted"  # a file that is watched by itself
    MOUNTS = "mounts"  # a file system was unmounted
    BEGUN = "begun"  # the engine listens from here on: everything is to be looked at once more
    LOST = "lost"  # events were lost: the same
    FAILED = "failed"  # the engine can't go on


class Event(NamedTuple):
    """One event: a hint where to look. `names`: a name came or went; `moved_in`: it was moved."""

    kind: Kind
    path: str = ""
    reason: ScanReason = ScanReason.LISTED
    names: bool = False
    moved_in: bool = False


class Why(Flag):
    """The reasons to watch a path; it is watched as long as there is one."""

    TREE = auto()  # a folder of the tree: its names, and its files
    BESIDE = auto()  # the same for a folder in which a link, a root or a lock is waited for
    MOVES = auto()  # a folder above a root: only its own moves
    FILE = auto()  # a file by itself: a mount over a file raises no event in its folder


class Engine(Protocol):
    """Hears of changes. `closes`: it tells when a file is closed after writing.

    `lag`: seconds from a change until its event can be read, at most, on an idle machine.
    """

    name: str
    closes: bool
    lag: float

    @property
    def listens(self) -> bool:
        """True when no change is missed from here on."""

    def fileno(self) -> int:
        """Returns the descriptor to wait for; -1 if a thread sets the wakeup."""

    def start(self) -> bool:
        """Begins to listen, the first scan is done; returns False if no thread can be had now."""

    def watch(self, path: str, why: Why) -> None:
        """Watches a path for one more reason.

        Raises:
            OSError: the path is gone, or can't be watched.

        """

    def unwatch(self, path: str, why: Why) -> None:
        """Takes one reason away."""

    def events(self) -> Iterator[Event]:
        """Yields the events that have come; never blocks."""

    def is_alive(self) -> bool:
        """Returns False if no event can come any more; from any thread."""

    def close(self) -> None:
        """Gives everything back."""


class PollEngine:
    """The engine that hears nothing: pollers look at everything."""

    name = "poll"
    closes = False
    lag = 0.0
    listens = True

    def fileno(self) -> int:
        return -1

    def start(self) -> bool:
        return True

    def watch(self, path: str, why: Why) -> None:
        pass

    def unwatch(self, path: str, why: Why) -> None:
        pass

    def events(self) -> Iterator[Event]:
        return iter(())

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        pass
