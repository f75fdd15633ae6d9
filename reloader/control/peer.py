"""The process at the other end of a Unix socket, and whether to trust it. Linux (SO_PEERCRED)."""

from __future__ import annotations

import os
import socket
import struct
from typing import NamedTuple

_UCRED = struct.Struct("3i")  # unix(7): pid, uid, gid, as they were at connect or at listen


class Peer(NamedTuple):
    """Its pid is 0 if it lives in another pid namespace."""

    pid: int
    uid: int

    @property
    def may_ask(self) -> bool:
        """True for a process to tell how things stand.

        That is the user's own and root's, in the same mounts; as PID 1, any in the same container.
        """
        is_known = self.uid in (0, os.getuid()) or os.getpid() == 1
        return is_known and bool(self.pid) and _shares_mounts(self.pid)

    @property
    def may_order(self) -> bool:
        """True for a process to have something done: the user's own, and root's."""
        return self.uid in (0, os.getuid())

    @property
    def is_believed(self) -> bool:
        """True for a process whose answer counts: the user's own, root's, the container's PID 1."""
        return bool(self.pid) and (self.uid in (0, os.getuid()) or self.pid == 1)


def peer_of(connected: socket.socket) -> Peer:
    """Returns who listens, for a client, or who connects, for a server. Raises OSError."""
    data = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, _ = _UCRED.unpack(data)
    return Peer(pid, uid)


def _shares_mounts(pid: int) -> bool:
    """False for a process of another container; True where it can't be told (another's process)."""
    try:
        return os.stat(f"/proc/{pid}/ns/mnt").st_ino == os.stat("/proc/self/ns/mnt").st_ino
    except PermissionError:
        return True
    except OSError:
        return False
