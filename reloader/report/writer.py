"""Writes lines to a descriptor whose reader may have stopped reading."""

from __future__ import annotations

import os
import select
from collections import deque

_CHUNK = 4096  # PIPE_BUF (pipe(7)): after POLLOUT a write of this size is whole and instant


class Writer:
    """Never blocks: without a reader lines wait; beyond `keep` the newest are dropped, counted.

    The descriptor stays in blocking mode, for the app may share it.
    """

    def __init__(self, fd: int, keep: int) -> None:
        self.fd = fd
        self._keep = keep
        self._waiting: deque[bytes] = deque()
        self.dropped = 0

    def write(self, data: bytes) -> None:
        """Now if it can be, else with a later line. Raises OSError when the reader is gone."""
        if len(self._waiting) >= self._keep:
            self.dropped += 1
        else:
            self._waiting.append(data)
        while self._waiting and self._is_writable():
            head = self._waiting.popleft()
            written = os.write(self.fd, head[:_CHUNK])
            if written < len(head):
                self._waiting.appendleft(head[written:])

    @property
    def is_stuck(self) -> bool:
        return bool(self._waiting)

    def _is_writable(self) -> bool:
        poll = select.poll()
        poll.register(self.fd, select.POLLOUT)
        return any(event & ~select.POLLNVAL for _, event in poll.poll(0))
