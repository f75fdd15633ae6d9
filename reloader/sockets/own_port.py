"""A port for each folder: the same at each start, and another for each checkout of a project."""

from __future__ import annotations

import hashlib
import socket
import sys
from contextlib import suppress

# Below the ports that systems give out by themselves (Linux from 32768, macOS from 49152).
FIRST, COUNT = 20_000, 10_000
_TRIES = 50


class OwnPort:
    """A port that no other run of this machine gives its app."""

    def __init__(self, number: int, claim: socket.socket | None) -> None:
        self.number = number
        self._claim = claim

    def close(self) -> None:
        """Lets others have it."""
        if self._claim:
            self._claim.close()


def own_port(name: str) -> OwnPort:
    """Returns the port of what has this name. Raises OSError if there is none.

    If somebody listens there it is the next that is free.
    """
    start = int.from_bytes(
        hashlib.sha256(name.encode(errors="surrogateescape")).digest()[:4], "big"
    )
    for at in range(_TRIES):
        number = FIRST + (start + at) % COUNT
        with suppress(OSError):
            claim = _claim(number)
            try:
                _look(number)
            except OSError:
                OwnPort(number, claim).close()
                raise
            return OwnPort(number, claim)
    raise OSError("no free port")


def _claim(number: int) -> socket.socket | None:
    """Returns what another run meets that would have the same port. Raises OSError if one has it.

    A name, not the port itself, which is to be free for the app.
    """
    if sys.platform != "linux":
        return None
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0reloader-port-{number}")
    except OSError:
        claim.close()
        raise
    return claim


def _look(number: int) -> None:
    """Raises OSError if somebody listens on the port."""
    with socket.socket() as probe:
        # Connections of the last run that are over (TIME_WAIT) are in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("", number))
