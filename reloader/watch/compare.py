"""Comparing a file with the last look at it, by signature, and by bytes where that can't tell."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from reloader.watch.snapshot import (
    ContentHashes,
    Difference,
    ScanReason,
    Signature,
    difference,
    is_fresh,
)

if TYPE_CHECKING:
    from reloader.watch.options import ScanOptions


class Comparison:
    """Compares files, and remembers the ones that signatures alone can't tell apart.

    `careful`: where the clock is too coarse for signatures, bytes are compared, because no event
    will come.
    """

    def __init__(self, *, careful: bool) -> None:
        self.since_ns = 0
        self.unread: deque[str] = deque()  # files whose bytes are to be known in time
        self._careful = careful
        self._by_content = False
        self._hashes = ContentHashes()
        self._fresh: set[str] = set()

    def configure(self, options: ScanOptions) -> None:
        self.since_ns = options.since_ns
        self._by_content = options.by_content

    def is_fresh(self, path: str) -> bool:
        """Returns True if one more change could have left the signature as it is."""
        return path in self._fresh

    def fresh(self) -> tuple[str, ...]:
        """Returns the files of which `is_fresh` is true."""
        return tuple(self._fresh)

    def forget(self, path: str) -> None:
        self._hashes.forget(path)
        self._fresh.discard(path)

    def learn(self, path: str, sign: Signature | None) -> None:
        """Reads the bytes that go with a signature."""
        if sign:
            self._hashes.remember(path, sign)

    def differs(self, path: str, old: Signature | None, new: Signature, reason: ScanReason) -> bool:
        """Returns True if the file is another than at the last look."""
        if old == new and path not in self._fresh:
            return False
        differs = self._differs(path, old, new, reason)
        if not is_fresh(new, time.time_ns()):
            self._fresh.discard(path)
            return differs
        self._fresh.add(path)
        if self._careful and not self._hashes.knows(path):
            self._hashes.remember(path, new)
        return differs

    def _differs(
        self, path: str, old: Signature | None, new: Signature, reason: ScanReason
    ) -> bool:
        if old is None:
            if self._by_content:
                self.unread.append(path)
            return new[3] >= self.since_ns
        verdict = difference(old, new)
        if verdict is Difference.CHANGED and not self._by_content:
            self._hashes.forget(path)
            return True
        if verdict is Difference.NONE:
            told = reason >= ScanReason.CREATED or self._hashes.knows(path)
            if not (told and path in self._fresh):
                return False
        elif verdict is Difference.RIGHTS or (
            verdict is Difference.CTIME and reason is ScanReason.TOUCHED
        ):
            return False
        return not self._hashes.same(path)
