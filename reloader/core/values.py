"""The values that facts, orders and news are made of.

Pure: values only.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass

    from reloader.core.needs import Needs
else:
    from reloader.light import dataclass

Seconds = float  # of the loop's clock, or a span of it


# Identifies one spawned process for the whole run; unlike a pid it is never reused, and a spawn
# that failed has one, too.
Ticket = int


class Role(Enum):
    """What a process is to us."""

    PRE = "pre_cmd"
    BUILD = "build"
    RULE = "rule"
    APP = "app"
    POST = "post_cmd"


@dataclass(frozen=True)
class Task:
    """What to spawn: the `index`-th pre_cmd or post_cmd, a rule by `name`, the build, the app."""

    role: Role
    index: int = 0
    name: str = ""


@dataclass(frozen=True)
class Status:
    """How a process ended: an exit code, or the number of the signal that killed it."""

    code: int = 0
    signal: int = 0

    @property
    def ok(self) -> bool:
        return self.code == 0 and self.signal == 0


@dataclass(frozen=True)
class Change:
    """One path that differs from what the last look saw, and what that asks for."""

    path: str  # as people know it: below the root, else absolute
    needs: Needs
    digest: str = ""  # of what it holds, where that was cheap to know; "": not known
    size: int = 0  # in bytes, where the digest is known


class Wish(Enum):
    """What a key asks for."""

    RESTART = "restart"  # without a build, but for one that is owed
    BUILD = "build"  # though nothing has changed, and then a restart
    PAUSE = "pause"  # or go on


class Scope(Enum):
    """How far a kill reaches."""

    GROUP = "group"  # what stayed in the process group; daemons that left it live on
    TREE = "tree"  # every descendant, wherever it went
