"""When a burst of changes has settled.

Pure: no clock, no process, no file; time is an argument, in seconds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reloader.core.needs import NOTHING, Needs

if TYPE_CHECKING:
    from dataclasses import dataclass

    from reloader.core.messages import Change, Seconds
else:
    from reloader.light import dataclass

FEW = 2  # changed paths up to which a burst counts as one save
MANY = 20  # beyond them somebody unpacks, formats, checks out: it is waited for while it streams
STREAM: Seconds = 10.0  # how long such a burst may last
GIT_QUIET: Seconds = 1.0  # while git is at work; a conflict leaves it at work for hours
GIT_LONGEST: Seconds = 30.0


@dataclass(frozen=True)
class Pace:
    """How long the files must have been quiet, and how long a burst may last at most.

    The defaults are measured: every editor's single save has its events within 2 ms on an idle
    machine (vim, the slowest, 2.6), a checkout or a formatter on many files leaves gaps below
    20 ms. What they miss costs one restart: a later change dooms the build under way.
    """

    few: Seconds = 0.002
    many: Seconds = 0.020
    longest: Seconds = 1.0


@dataclass(frozen=True)
class Git:
    """What is known of the repository."""

    busy: bool = False
    head: str = ""


@dataclass(frozen=True)
class Burst:
    """Changes that settle together. `lane`: "" for the app, or the name of a rule."""

    lane: str
    first_at: Seconds
    last_at: Seconds
    first_path: str
    paths: frozenset[str] = frozenset()
    needs: Needs = NOTHING
    head: str = ""  # what was checked out when it began
    by_git: bool = False  # git was at work meanwhile
    wait: Seconds = 0.0  # quiet time that is due because our own jobs seem to write its files

    def add(self, changes: list[Change], now: Seconds, git: Git, wait: Seconds) -> Burst:
        needs = self.needs
        for change in changes:
            needs |= change.needs
        paths = self.paths.union(change.path for change in changes)
        by_git = self.by_git or git.busy
        return replace(self, last_at=now, paths=paths, needs=needs, by_git=by_git, wait=wait)

    def due_at(self, pace: Pace, patience: int, git: Git) -> Seconds:
        """When it has settled; each build doomed before doubles the quiet time (`patience`)."""
        quiet = pace.few if len(self.paths) <= FEW else pace.many
        longest = max(STREAM, pace.longest) if len(self.paths) > MANY else pace.longest
        if patience:
            quiet = max(quiet, Pace.few) * (1 << min(patience, 10))
        if git.busy:
            quiet = max(quiet, GIT_QUIET)
        if self.by_git:
            longest = GIT_LONGEST
        return min(self.last_at + max(quiet, self.wait), self.first_at + max(longest, self.wait))

    def cause(self, git: Git) -> str:
        """What git did, in words: "main → feature/x"."""
        if git.head != self.head and self.head:
            return f"{self.head} → {git.head}"
        return (git.head or "git") if self.by_git else ""


def gather(
    bursts: tuple[Burst, ...],
    changes: tuple[Change, ...],
    now: Seconds,
    git: Git,
    wait: Seconds = 0.0,
) -> tuple[Burst, ...]:
    """Each change joins the burst of its lane; a new burst begins where there is none."""
    lanes: dict[str, list[Change]] = {}
    for change in changes:
        for rule in change.needs.rules:
            lanes.setdefault(rule, []).append(change)
        if change.needs.build or change.needs.restart:
            lanes.setdefault("", []).append(change)
    open_bursts = {burst.lane: burst for burst in bursts}
    for lane, members in lanes.items():
        burst = open_bursts.get(lane) or Burst(lane, now, now, members[0].path, head=git.head)
        open_bursts[lane] = burst.add(members, now, git, wait)
    return tuple(open_bursts.values())
