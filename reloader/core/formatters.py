"""Learns how long after a save a formatter writes the file again, and waits for that write.

Formatters are set up by language, so the delay is known by kind of file: its extension. The first
save of a kind waits as long as a second write may take, so that even this save is one start. With
a build first nothing waits, because cancelling the build costs less. After a second write, later
saves of the kind wait as long as it took, and end as soon as it has come; without one, they do
not wait. A second write that nothing waited for is a start of its own, and is learned by that;
one that stays away is forgotten.

Pure: no clock, no process, no file; time is an argument, in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.light import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.core.values import Seconds

LONGEST: Seconds = 0.1  # a second write within this time belongs to the save before it
MARGIN: Seconds = 0.015  # a second write may come so much later than the last one
ONE_WRITE: Seconds = 0.005  # the events of one save; measured: vim, the slowest, 2.6 ms
MOST = 64  # kinds that are remembered
TRUSTED = 2  # the most trust; after two saves without a second write none is waited for
# Trust lost by a second write after a start that had waited: most likely the app or build wrote it.
LATE = 4


def kind(path: str) -> str:
    """Returns the extension, which has one formatter; a name without one is its own kind."""
    name = path.rpartition("/")[2]
    stem, _, extension = name.rpartition(".")
    return extension if stem else name


@dataclass(frozen=True)
class FormatterDelay:
    """The time from a save to the second write of a kind of file.

    `trust`: saves with a second write, less those that waited for one in vain.
    """

    gap: Seconds  # 0: no second write was seen yet
    trust: int

    @property
    def wait(self) -> Seconds:
        """Returns how long a save waits for the second write, from its first one."""
        if self.trust <= 0:
            return 0.0
        return self.gap + MARGIN if self.gap else LONGEST

    @property
    def soonest(self) -> Seconds:
        """Returns the time before which a write is still the first, or that of two formatters."""
        return 0.75 * self.gap or ONE_WRITE


UNKNOWN = FormatterDelay(gap=0.0, trust=1)


@dataclass(frozen=True)
class FormatterDelays:
    """The delays by kind, and the last save for which a second write may still come."""

    known: Mapping[str, FormatterDelay] = field(default_factory=dict)
    path: str = ""  # of that save; "" if there is none
    at: Seconds = 0.0
    until: Seconds = 0.0
    waited: bool = False

    def expected(self, path: str, now: Seconds, *, learns: bool) -> FormatterDelay | None:
        """Returns the delay that a save which begins now waits for; None if it does not wait.

        A second write has none itself. `learns`: a kind that is not known waits, too.
        """
        delay = self.known.get(kind(path), UNKNOWN if learns else None)
        return delay if delay and delay.wait and not self._is_second(path, now) else None

    def settled(
        self, path: str, at: Seconds, now: Seconds, *, is_save: bool, gap: Seconds | None
    ) -> FormatterDelays:
        """Returns the delays after changes for which a start is due now.

        `at`: when they began; `is_save`: they are few; `gap`: from the first write of `path` to
        the second; 0 if it was waited for in vain, None if it was not waited for.
        """
        if self._is_second(path, at):
            known = self._learn(path, at - self.at, -LATE if self.waited else 1)
            return replace(self, known=known)
        if not is_save:
            return FormatterDelays(self.known)
        known, in_vain = self.known, gap == 0
        if gap is not None:
            known = self._learn(path, gap, -1 if in_vain else 1)
        return FormatterDelays(known, path, at, (now if in_vain else at) + LONGEST, in_vain)

    def _is_second(self, path: str, now: Seconds) -> bool:
        """True for the second write of a save for which there was a start already."""
        return path == self.path and now < self.until

    def _learn(self, path: str, gap: Seconds, trust: int) -> Mapping[str, FormatterDelay]:
        """Returns the known delays with one more save; `gap` is 0 if no second write came."""
        known = dict(self.known)
        old = known.pop(kind(path), UNKNOWN)
        if gap and trust > 0:  # a longer one counts at once: a write that is late is a second start
            old = replace(old, gap=min(max(gap, (old.gap + gap) / 2), LONGEST))
        while len(known) >= MOST:
            del known[next(iter(known))]
        known[kind(path)] = replace(old, trust=min(old.trust + trust, TRUSTED))
        return known
