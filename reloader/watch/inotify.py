"""The kernel's inotify: three calls and the parsing of what it says.

Linux only; no package is needed. Limits and flags: man 7 inotify.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import NamedTuple

from reloader import files

ATTRIB = 0x4
CLOSE_WRITE = 0x8
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
DELETE_SELF = 0x400
MOVE_SELF = 0x800
UNMOUNT = 0x2000
OVERFLOW = 0x4000
IGNORED = 0x8000
ONLYDIR = 0x1000000
EXCL_UNLINK = 0x4000000
MASK_ADD = 0x20000000
ISDIR = 0x40000000

_HEAD = struct.Struct("iIII")  # watch, mask, cookie, length of the name
_BUFFER = 1 << 16  # bytes; about 2,000 events, parsed in about 2 ms


class Event(NamedTuple):
    """`watch`: what `add` gave; `name`: in the watched folder, "" for the folder itself."""

    watch: int
    mask: int
    name: str


class Inotify:
    """One inotify descriptor.

    Raises:
        OSError: EMFILE when `fs.inotify.max_user_instances` is reached, ENOSYS without inotify.

    """

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._add, self._rm = libc.inotify_add_watch, libc.inotify_rm_watch
        self._add.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32)
        self.descriptor: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self.descriptor < 0:
            raise _error("inotify_init1")

    def add(self, path: str, mask: int) -> int:
        """Watches a path; the number is the same for every path to the same file.

        Raises:
            OSError: ENOSPC when `fs.inotify.max_user_watches` is reached.

        """
        watch: int = self._add(self.descriptor, os.fsencode(path), mask)
        if watch < 0:
            raise _error(path)
        return watch

    def remove(self, watch: int) -> None:
        """Ends a watch; one that has ended by itself is no error."""
        self._rm(self.descriptor, watch)

    def read(self) -> list[Event]:
        """One buffer of events; empty: there are none now, or there is nobody to tell (`lives`)."""
        try:
            data = os.read(self.descriptor, _BUFFER)
        except OSError:
            return []
        events = []
        at, end = 0, len(data)
        while at < end:
            watch, mask, _, length = _HEAD.unpack_from(data, at)
            at += _HEAD.size
            name = os.fsdecode(data[at : at + length].rstrip(b"\0")) if length else ""
            events.append(Event(watch, mask, name))
            at += length
        return events

    def lives(self) -> bool:
        """Returns True if the kernel holds the watch: somebody may have closed the descriptor.

        From any thread. What the kernel says of a descriptor: man 5 proc, fdinfo.
        """
        try:
            return b"inotify wd:" in files.head(f"/proc/self/fdinfo/{self.descriptor}", 4096)
        except FileNotFoundError:
            return not os.path.exists("/proc/self/fdinfo")
        except OSError:  # no descriptor is left to look with: that tells nothing
            return True

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number), what)
