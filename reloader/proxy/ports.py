"""Finds the process that has a port, for the message that says it is taken."""

from __future__ import annotations

import os
from contextlib import suppress

from reloader import files

_LISTENS = "0A"  # TCP_LISTEN in /proc/net/tcp
_MOST = 1 << 24  # bytes of such a table: a line of 150 for each of 100,000 connections that linger


def owner(port: int) -> str:
    """Returns "pid 4121 (nginx)", or "another process" where that can't be known."""
    inodes = _listening(port)
    for pid in filter(str.isdigit, _names("/proc")) if inodes else ():
        for fd in _names(f"/proc/{pid}/fd"):
            with suppress(OSError):
                if os.readlink(f"/proc/{pid}/fd/{fd}") in inodes:
                    return f"pid {pid} ({_read(f'/proc/{pid}/comm').strip()})"
    return "another process"


def _listening(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in _read(table).splitlines()[1:]:
            words = line.split()
            if words[3] == _LISTENS and int(words[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{words[9]}]")
    return found


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _read(path: str) -> str:
    try:
        return files.read(path, _MOST).decode("ascii", "replace")
    except OSError:
        return ""
