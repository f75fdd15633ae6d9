"""The second write of a save, by a formatter: listened for, learned, and then waited for.

Formatters are set up by language, so it is known by kind of file: its extension. The first save
of a kind listens, for as long as an echo may take, so that the very first is one start, too; but
not where a build comes first, for to doom that costs less than the wait. If there was an echo,
later saves of the kind wait as long as it took, and start as soon as it has come; if not, they
wait for nothing. An echo that is not waited for is a start of its own, and learned by that; one
that stays away is forgotten.

Pure: no clock, no process, no file; time is an argument, in seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.light import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.core.debounce import Burst
    from reloader.core.values import Seconds

ECHO: Seconds = 0.1  # a second write within this time belongs to the save before it
MARGIN: Seconds = 0.015  # by how much later than the last time it may come
ONE_WRITE: Seconds = 0.005  # what a save's own events take: vim's, the slowest, 2.6 ms
MOST = 64  # kinds that are remembered
TRUSTED = 2  # as far as trust goes: two saves without an echo, and none is waited for
LATE = 4  # trust lost if it came after a start that had waited: most likely our own job writes it


def kind(path: str) -> str:
    """What has one formatter: the extension; a name without one is a kind of its own."""
    name = path.rpartition("/")[2]
    stem, _, extension = name.rpartition(".")
    return extension if stem else name


@dataclass(frozen=True)
class Echo:
    """`trust`: saves with an echo, less those for which one was awaited in vain."""

    gap: Seconds  # 0: none was heard yet
    trust: int

    @property
    def wait(self) -> Seconds:
        """How long a save is held for it, from its first write."""
        if self.trust <= 0:
            return 0.0
        return self.gap + MARGIN if self.gap else ECHO

    @property
    def soonest(self) -> Seconds:
        """What comes before is still the first write, or the first of two formatters."""
        return 0.75 * self.gap or ONE_WRITE


UNHEARD = Echo(gap=0.0, trust=1)


@dataclass(frozen=True)
class Echoes:
    """By kind; and the save that may still have one: of which path, when, was it waited for."""

    known: Mapping[str, Echo] = field(default_factory=dict)
    path: str = ""  # "": none
    at: Seconds = 0.0
    until: Seconds = 0.0
    waited: bool = False

    def expected(self, path: str, now: Seconds, *, listens: bool) -> Echo | None:
        """What a save that begins now is held for; an echo has none itself."""
        echo = self.known.get(kind(path), UNHEARD if listens else None)
        return echo if echo and echo.wait and not self._has_come(path, now) else None

    def settled(self, burst: Burst, now: Seconds) -> Echoes:
        """What is known after a burst for which a start is due now."""
        path = burst.first_path
        if self._has_come(path, burst.first_at):
            known = self._learn(path, burst.first_at - self.at, -LATE if self.waited else 1)
            return replace(self, known=known)
        if not burst.is_save:
            return Echoes(self.known)
        at, waited = burst.first_at, burst.echo is not None
        known = self.known
        if burst.echo_after:
            known, waited = self._learn(path, burst.echo_after, 1), False
        elif waited:
            known = self._learn(path, 0.0, -1)
        return Echoes(known, path, at, (now if waited else at) + ECHO, waited)

    def _has_come(self, path: str, now: Seconds) -> bool:
        """The echo of a save for which there was a start already."""
        return path == self.path and now < self.until

    def _learn(self, path: str, gap: Seconds, trust: int) -> Mapping[str, Echo]:
        """`gap`: 0 if it did not come."""
        known = dict(self.known)
        old = known.pop(kind(path), UNHEARD)
        if gap and trust > 0:  # a longer one counts at once, for one that is late is a second start
            old = replace(old, gap=min(max(gap, (old.gap + gap) / 2), ECHO))
        while len(known) >= MOST:
            del known[next(iter(known))]
        known[kind(path)] = replace(old, trust=min(old.trust + trust, TRUSTED))
        return known
