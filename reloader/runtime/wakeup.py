"""A descriptor that other threads make readable."""

from __future__ import annotations

import contextlib
import socket


class Wake:
    """A socket pair, for `select` on Windows knows nothing else."""

    def __init__(self) -> None:
        self._inner, self._outer = socket.socketpair()
        self._inner.setblocking(False)
        self._outer.setblocking(False)

    def fileno(self) -> int:
        return self._inner.fileno()

    def set(self) -> None:
        """Makes the descriptor readable; from any thread, at any time."""
        with contextlib.suppress(OSError):  # full: it is readable; closed: nobody waits
            self._outer.send(b"\0")

    def clear(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while self._inner.recv(4096):
                pass

    def close(self) -> None:
        self._inner.close()
        self._outer.close()
