"""The last output of one app's processes, for those who ask for it later.

A thread adds, another reads; both are atomic (deque, one writer).
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.values import Seconds

KEPT = 1 << 20  # bytes of all processes together


class Piece(NamedTuple):
    """Output as it came. `of`: "app", "build", the name of a rule …; `number` counts from 1."""

    number: int
    at: Seconds  # since 1970
    of: str
    data: bytes


class Ring:
    """Pieces of output; the oldest are dropped when there is too much."""

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque()
        self._size = 0
        self._number = 0
        self.told: Callable[[], None] | None = None  # called in the writer's thread

    def add(self, of: str, data: bytes) -> None:
        self._number += 1
        self._pieces.append(Piece(self._number, time.time(), of, data))
        self._size += len(data)
        while self._size > KEPT and len(self._pieces) > 1:
            self._size -= len(self._pieces.popleft().data)
        if self.told:
            self.told()

    @property
    def last(self) -> int:
        """Returns the number of the newest piece."""
        return self._number

    def pieces(self, after: int = 0, since: Seconds = 0.0) -> list[Piece]:
        """Returns those after a number, and since a time."""
        kept = self._pieces.copy()
        return [piece for piece in kept if piece.number > after and piece.at >= since]
