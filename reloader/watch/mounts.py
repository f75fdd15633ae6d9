"""Which file systems tell of changes, and where they are mounted.

A write of our own proves nothing: a mount that hides the host's edits still tells of ours. So the
type decides, and what no list knows the audit finds out.
"""

from __future__ import annotations

import contextlib
import re
import select
import time
from typing import TYPE_CHECKING, BinaryIO

from reloader.light import dataclass
from reloader.paths import is_below

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.runtime.wakeup import Wake

_TABLE = "/proc/self/mountinfo"

# Edits made on the other side (the host, the server) raise no event, or not all.
# Tried: 9p, virtiofs, fuse.*; the rest from their documentation.
_SILENT = frozenset(
    {"9p", "virtiofs", "fakeowner", "fuse", "fuseblk", "drvfs"}  # another kernel or a process
    | {"vboxsf", "prl_fs", "vmhgfs"}  # a virtual machine's host
    | {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "gfs2", "ocfs2"}  # a server
)
# Only this kernel writes here, so every edit raises an event. Not overlay: its lower layers may be
# written from outside.
_LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "ramfs", "zfs", "f2fs", "bcachefs", "apfs"}
)


# Writes go through the kernel's pages, and each page that they make dirty counts as written to a
# disk in /proc/PID/io; not so in memory, nor where the file system writes by itself.
_COUNTED = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "overlay"})


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo."""

    point: str
    fstype: str
    source: str  # what of the file system is mounted; ends with "//deleted" when that is gone

    @property
    def is_silent(self) -> bool:
        """Somebody else can change files without an event here."""
        return self.fstype in _SILENT or self.fstype.startswith("fuse.")

    @property
    def is_counted(self) -> bool:
        """Writes here count as written to a disk (`write_bytes`)."""
        return self.fstype in _COUNTED

    @property
    def is_local(self) -> bool:
        """True for a mount that no other machine can write to."""
        return self.fstype in _LOCAL


class Mounts:
    """The mounts of this machine, by directory."""

    def __init__(self, mounts: tuple[Mount, ...] = ()) -> None:
        self.at = {mount.point: mount for mount in mounts}  # a later one hides an earlier one

    def of(self, path: str) -> Mount | None:
        """The mount a path without symlinks is on; None: nothing is known."""
        while path not in self.at:
            if path in ("/", ""):
                return None
            path = path.rpartition("/")[0] or "/"
        return self.at[path]


def parse(text: str) -> Mounts:
    """Reads mountinfo (man 5 proc): "36 35 98:0 /source /point rw - fstype device options"."""
    found = []
    for line in text.splitlines():
        before, dash, after = line.partition(" - ")
        words = before.split(" ")
        if dash and len(words) > 4:
            source, point = _plain(words[3]), _plain(words[4])
            found.append(Mount(point, after.split(" ")[0], source))
    return Mounts(tuple(found))


def read() -> Mounts:
    """Reads the mounts of now; there are none where there is no /proc."""
    try:
        with open(_TABLE, "rb") as table:
            return parse(table.read().decode("utf-8", "surrogateescape"))
    except OSError:
        return Mounts()


class MountWait:
    """A wait that ends early when something is mounted where folders lie, or is gone from there.

    No event tells of that: a watch stays with the folder that is hidden now. (proc(5): poll(2) on
    mountinfo gives POLLPRI.) `end` ends a wait, too. For one thread.
    """

    _table: BinaryIO | None = None

    def __init__(self, folders: Iterable[str], end: Wake) -> None:
        self._folders = tuple(folders)
        self._poll = select.poll()
        self._poll.register(end, select.POLLIN)
        with contextlib.suppress(OSError):  # not Linux: nothing is known of mounts
            self._table = open(_TABLE, "rb")  # noqa: SIM115 -- as long as we are
            self._poll.register(self._table, select.POLLPRI)
        self._known = self._now()

    def close(self) -> None:
        if self._table:
            self._table.close()

    def wait(self, seconds: float) -> bool:
        """Returns True if a mount ended the wait."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if any(event & select.POLLIN for _, event in self._poll.poll(left * 1000)):
                return False
            if (now := self._now()) != self._known:
                self._known = now
                return True
        return False

    def _now(self) -> list[Mount]:
        return [
            mount
            for point, mount in read().at.items()
            if any(is_below(point, path) or is_below(path, point) for path in self._folders)
        ]


def _plain(text: str) -> str:
    r"""Spaces and such are written \040."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
