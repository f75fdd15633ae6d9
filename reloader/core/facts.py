"""Facts, in the past tense: the world tells the machine.

Pure: values only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from reloader.core.needs import Needs
    from reloader.core.news import News
    from reloader.core.settings import Settings
    from reloader.core.values import Change, Request, Stage, Status, Ticket, Written


@dataclass(frozen=True)
class FilesChanged:
    """Paths differ from what the last look saw."""

    changes: tuple[Change, ...]


@dataclass(frozen=True)
class GitMoved:
    """The repository: whether git is at work in it, and what is checked out ("" if unknown)."""

    busy: bool
    head: str = ""


@dataclass(frozen=True)
class ProcessStarted:
    """The process has a pid; `command` is its command line as people are shown it.

    `how`: "warm" if it was forked from a process that has its libraries.
    """

    ticket: Ticket
    pid: int
    command: str
    how: str = ""


@dataclass(frozen=True)
class SpawnFailed:
    """The process could not be started. `passing`: the same call may work in a moment."""

    ticket: Ticket
    command: str
    why: str
    passing: bool = False


@dataclass(frozen=True)
class ProcessExited:
    """The process ended; `survivors` of its tree live on and hold its place."""

    ticket: Ticket
    status: Status
    survivors: int = 0


@dataclass(frozen=True)
class TreeEmptied:
    """The last survivor of a process that had exited is gone."""

    ticket: Ticket


@dataclass(frozen=True)
class BecameReady:
    """The generation can answer; `address` is where, "" if unknown."""

    ticket: Ticket
    address: str = ""


@dataclass(frozen=True)
class BecameIdle:
    """A generation that drains, or was asked to stop, owes nobody an answer any more."""

    ticket: Ticket


@dataclass(frozen=True)
class Measured:
    """Bytes that a process and its tree have written so far; None if that can't be known."""

    ticket: Ticket
    written: Written | None


@dataclass(frozen=True)
class ConfigLoaded:
    """New settings hold from now on, and this is owed for what they have changed."""

    settings: Settings
    needs: Needs


@dataclass(frozen=True)
class SignalReceived:
    """reloader was asked to end: SIGINT, SIGTERM, SIGHUP or SIGQUIT.

    `typed`: by a terminal key, which would have reached an app with the terminal as well.
    """

    number: int
    typed: bool = False


@dataclass(frozen=True)
class Dismissed:
    """The app was taken out of the config: it ends, and the others go on."""


@dataclass(frozen=True)
class Requested:
    """A key was pressed, or a program asked."""

    request: Request


@dataclass(frozen=True)
class DependencyStands:
    """An app that this one depends on has come so far; `why`: what is wrong with it, or ""."""

    name: str
    stage: Stage
    why: str = ""


@dataclass(frozen=True)
class DependentStands:
    """An app that depends on this one is there, or gone with all its processes."""

    name: str
    is_gone: bool


@dataclass(frozen=True)
class Noticed:
    """An edge has something to say that changes nothing."""

    news: News


@dataclass(frozen=True)
class Tick:
    """A deadline has passed."""


Fact = (
    FilesChanged
    | GitMoved
    | ProcessStarted
    | SpawnFailed
    | ProcessExited
    | TreeEmptied
    | BecameReady
    | BecameIdle
    | Measured
    | ConfigLoaded
    | SignalReceived
    | Dismissed
    | Requested
    | DependencyStands
    | DependentStands
    | Noticed
    | Tick
)
