"""Finds out whether a server that gets no new connections has answered those it has (Linux)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reloader.ready import accepting
from reloader.sockets import diag

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Work(NamedTuple):
    """Connections that a server has, by what they are owed."""

    waiting: int  # not accepted yet
    busy: int  # a request is under way
    quiet: int  # idle keep-alive, an open stream of events, a websocket at rest

    @property
    def is_idle(self) -> bool:
        """Returns True if nobody is owed an answer."""
        return not self.waiting and not self.busy


def work(pids: Iterable[int], listening: Mapping[int, int], rest: int = 0) -> Work:
    """Returns how busy these processes are with the connections to these sockets: inode to port.

    `rest`: for so many milliseconds after something was sent, more may follow: servers write the
    head of an answer, then its body. Raises OSError where the kernel can't be asked.
    """
    waiting = sum(found.waiting for found in diag.listening() if found.inode in listening)
    own = accepting.sockets(pids)
    accepted = diag.connections(frozenset(listening.values()))
    mine = [connection for connection in accepted if connection.inode in own]
    busy = sum(it.is_busy or it.sent_ago < rest for it in mine)
    return Work(waiting, busy, len(mine) - busy)
