"""Files that are not told yet: missing for a moment, or still being written.

Nothing here looks at a file or waits; the time is an argument, in monotonic seconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reloader.watch.snapshot import ScanReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reloader.watch.snapshot import Signature

# A missing file is most often half a save: editors move the old one away, then write. The longest
# gap in one save was 4.6 ms (vim on a busy machine, measured), and 30 ms on a busy disk.
PATIENCE = 0.05  # seconds
# A new file that is not closed is whole when it has been quiet for so long: a log is never closed,
# and a file that was linked here raises no event that says so.
UNCLOSED = 1.0  # seconds
UNCLOSED_LONGEST = 10.0


class Unclosed(NamedTuple):
    """A file that is being written: its last signature, since when, and when to look again."""

    sign: Signature
    since: float
    until: float


class Unsettled:
    """The files that may come back, and those that are being written.

    `closes`: an event tells when a file is closed after writing.
    """

    def __init__(self) -> None:
        self.closes = False
        self.missing: dict[str, None] = {}
        self.patient_until = 0.0  # while it is not that late, missing files may come back; 0: none
        self._unclosed: dict[str, Unclosed] = {}

    @property
    def wake_at(self) -> float:
        """When to look again though no event came; 0: never."""
        times = [again.until for again in self._unclosed.values()]
        if self.patient_until:
            times.append(self.patient_until)
        return min(times, default=0.0)

    def keep(self, counts: Callable[[str], bool]) -> None:
        """Forgets the files that count no longer."""
        for path in [path for path in (*self.missing, *self._unclosed) if not counts(path)]:
            self.found(path)
            self._unclosed.pop(path, None)

    def due(self, now: float) -> Iterator[tuple[str, ScanReason]]:
        """Yields the files to look at by now; those that were missing for too long as overdue."""
        if self.missing and now >= self.patient_until:
            for path in self.missing:
                yield path, ScanReason.OVERDUE
            self.missing.clear()
            self.patient_until = 0.0
        for path, again in self._unclosed.items():
            if now >= again.until or not self.closes:
                yield path, ScanReason.LISTED

    def miss(self, path: str, now: float) -> None:
        """Notes that a file is not there."""
        if not self.missing:
            self.patient_until = now + PATIENCE
        self.missing[path] = None

    def found(self, path: str) -> None:
        """Notes that a file is there, or will not come back."""
        if path in self.missing:
            del self.missing[path]
            if not self.missing:
                self.patient_until = 0.0

    def closed(self, path: str) -> None:
        """Notes that nobody writes the file any more, or that it is gone."""
        self._unclosed.pop(path, None)

    def is_unfinished(
        self,
        path: str,
        old: Signature | None,
        new: Signature,
        reason: ScanReason,
        now: float,
    ) -> bool:
        """Returns True while the file is being written: an event will tell, or a later look."""
        before = self._unclosed.pop(path, None)
        if before and reason < ScanReason.WRITTEN:
            reason = ScanReason.CREATED
        if not _seems_unclosed(old, new, reason, closes=self.closes):
            return False
        if before is None:
            before = Unclosed(new, now, now + UNCLOSED)
        elif now >= before.until:
            if before.sign == new or now >= before.since + UNCLOSED_LONGEST:
                return False
            before = Unclosed(new, before.since, now + UNCLOSED)
        self._unclosed[path] = before
        return True


def _seems_unclosed(
    old: Signature | None, new: Signature, reason: ScanReason, *, closes: bool
) -> bool:
    """Returns True for a new file not closed yet.

    Without close events: for a file that was just emptied.
    """
    if not closes:
        return not new[1] and bool(old and old[1])
    if reason is not ScanReason.CREATED or new[4][3] != 1:  # of two names: linked here
        return False
    return not new[1] or new[0] == new[3]  # a write sets both times, a link only one
