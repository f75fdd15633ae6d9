"""When a burst of changes has settled.

Pure: no clock, no process, no file; time is an argument, in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.needs import NOTHING, Needs
from reloader.light import dataclass, replace

if TYPE_CHECKING:
    from reloader.core.formatters import FormatterDelay, FormatterDelays
    from reloader.core.values import Change, Seconds

FEW = 2  # changed paths up to which a burst counts as one save
MANY = 20  # paths beyond which a burst is a stream: an archive unpacked, a checkout
STREAM: Seconds = 10.0  # how long such a burst may last
GIT_QUIET: Seconds = 1.0  # while git is at work; a conflict leaves it at work for hours
GIT_LONGEST: Seconds = 30.0


@dataclass(frozen=True)
class Pace:
    """The quiet time that ends a burst, and the longest time that a burst may last.

    The defaults are measured: every editor's single save has its events within 2 ms on an idle
    machine (vim, the slowest, 2.6), a checkout or a formatter on many files leaves gaps below
    20 ms. A change that comes later costs one restart: it cancels the build under way.
    """

    few: Seconds = 0.002
    many: Seconds = 0.020
    longest: Seconds = 1.0


@dataclass(frozen=True)
class Git:
    """The state of the git repository."""

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
    formatter: FormatterDelay | None = None  # a second write of the first path is waited for
    gap: Seconds = 0.0  # it came so long after the first; 0: not yet

    @property
    def is_save(self) -> bool:
        """True if the changed files are so few that a person has saved them."""
        return len(self.paths) <= FEW

    def add(self, changes: list[Change], now: Seconds, git: Git) -> Burst:
        needs = self.needs
        for change in changes:
            needs |= change.needs
        paths = self.paths.union(change.path for change in changes)
        it = replace(self, last_at=now, paths=paths, needs=needs)
        again = now - self.first_at
        late = self.formatter and again > self.formatter.soonest
        if late and self.first_path in {c.path for c in changes}:
            it = replace(it, gap=again)
        return replace(it, by_git=self.by_git or git.busy)

    def due_at(self, pace: Pace, git: Git) -> Seconds:
        """Returns when it has settled."""
        quiet = pace.few if self.is_save else pace.many
        longest = max(STREAM, pace.longest) if len(self.paths) > MANY else pace.longest
        if git.busy:
            quiet = max(quiet, GIT_QUIET)
        if self.by_git:
            longest = GIT_LONGEST
        settled = self.last_at + quiet
        if self.formatter and self.is_save and not self.gap:
            settled = max(settled, self.first_at + self.formatter.wait)
        return min(settled, self.first_at + longest)

    def cause(self, git: Git) -> str:
        """Returns git's part in the burst: "main → feature/x"; "" if git was not at work."""
        if self.head and git.head not in (self.head, ""):
            return f"{self.head} → {git.head}"
        return (git.head or "git") if self.by_git else ""


def add_changes(  # noqa: PLR0913 -- a burst depends on as much
    bursts: tuple[Burst, ...],
    changes: tuple[Change, ...],
    now: Seconds,
    git: Git,
    formatters: FormatterDelays,
    *,
    learns: bool,
) -> tuple[Burst, ...]:
    """Adds each change to the burst of its lane, or begins one.

    `learns`: a save of an unknown kind waits for the second write of a formatter.
    """
    lanes: dict[str, list[Change]] = {}
    for change in changes:
        for rule in change.needs.rules:
            lanes.setdefault(rule, []).append(change)
        if change.needs.build or change.needs.restart:
            lanes.setdefault("", []).append(change)
    open_bursts = {burst.lane: burst for burst in bursts}
    for lane, members in lanes.items():
        burst = open_bursts.get(lane)
        if burst is None:
            path = members[0].path
            delay = None if lane else formatters.expected(path, now, learns=learns)
            burst = Burst(lane, now, now, path, head=git.head, formatter=delay)
        open_bursts[lane] = burst.add(members, now, git)
    return tuple(open_bursts.values())
