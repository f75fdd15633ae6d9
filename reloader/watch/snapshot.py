"""Signatures of files, and hashes of their bytes where a signature can't tell.

Events are hints, the snapshot is the truth. Only regular files are opened, and without waiting.
"""

from __future__ import annotations

import errno
import os
import stat
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from reloader.filter.rules import FileFilter, Folder

# (mtime_ns, size, inode, ctime_ns, (mode, uid, gid, links)): 200 same-size rewrites in a row differ
# (measured). A plain tuple: there is one for each file.
Owner = tuple[int, int, int, int]
Signature = tuple[int, int, int, int, Owner]

_OWNERS: dict[Owner, Owner] = {}  # few differ, so all share them
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_WORKTREE, _SUBMODULE = b"/worktrees/", b"/modules/"  # in the .git file of one
MARKS = frozenset({"pyvenv.cfg", "CACHEDIR.TAG", ".git", "conda-meta"})

LARGEST = 16 << 20  # bytes; bigger files are not read: blake2b takes about 1 ms a MB
_CHUNK = 1 << 18
# Never waits for the other end of a FIFO, never becomes our terminal.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
# A file system's clock moves in steps: 1 to 10 ms before Linux 6.13, 1 or 2 s for old formats.
_STEP_NS = 20_000_000
_COARSE_STEP_NS = 2_000_000_000
_SECOND_NS = 1_000_000_000


class ScanReason(IntEnum):
    """The reason to look at a file; the higher one knows more."""

    LISTED = 0  # a directory was read, or everything is looked at
    TOUCHED = 1  # attributes were set
    CREATED = 2  # the name is new; if the file is being written, WRITTEN will follow
    WRITTEN = 3  # the file was closed after writing, or moved here
    OVERDUE = 4  # the file was gone a while ago


class Difference(IntEnum):
    """The difference of two signatures."""

    NONE = 0
    RIGHTS = 1  # chmod, chown, link: no change of the file
    CTIME = 2  # an edit that put the mtime back, or a chmod to the same rights
    CHANGED = 3


def signature(status: os.stat_result) -> Signature:
    owner = (status.st_mode, status.st_uid, status.st_gid, status.st_nlink)
    return (
        status.st_mtime_ns,
        status.st_size,
        status.st_ino,
        status.st_ctime_ns,
        _OWNERS.setdefault(owner, owner),
    )


def difference(old: Signature, new: Signature) -> Difference:
    if old == new:
        return Difference.NONE
    if old[:3] != new[:3]:
        return Difference.CHANGED
    return Difference.RIGHTS if old[4] != new[4] else Difference.CTIME


def is_fresh(sign: Signature, now_ns: int) -> bool:
    """Returns True if the clock has not moved since: one more change could look the same."""
    coarse = sign[0] % _SECOND_NS == 0 and sign[3] % _SECOND_NS == 0
    return now_ns - sign[3] < (_COARSE_STEP_NS if coarse else _STEP_NS)


def below(folder: str, name: str) -> str:
    """Returns the path of a name in a folder; the folder may be "/"."""
    return f"{folder}/{name}" if folder != "/" else folder + name


class Seen(NamedTuple):
    """The file at a path; a link to a file counts as that file. `sign` is None if there is none."""

    sign: Signature | None
    is_link: bool = False


NOTHING_THERE = Seen(None)


def see(path: str) -> Seen:
    """Looks at a path.

    Raises:
        OSError: no right to look, an I/O error: not the same as "gone".

    """
    try:
        status = os.lstat(path)
        if not stat.S_ISLNK(status.st_mode):
            return Seen(signature(status)) if stat.S_ISREG(status.st_mode) else NOTHING_THERE
        return _see_target(path, status)
    except OSError as error:
        if error.errno in _GONE:
            return NOTHING_THERE
        raise


def _see_target(path: str, link: os.stat_result) -> Seen:
    try:
        status = os.stat(path)
    except OSError as error:
        if error.errno in _GONE or error.errno == errno.ELOOP:  # dangling: the link itself
            return Seen(signature(link), is_link=True)
        raise
    return Seen(signature(status), is_link=True) if stat.S_ISREG(status.st_mode) else NOTHING_THERE


class Listing(NamedTuple):
    """The files and folders of a folder that matter."""

    files: dict[str, Signature]
    subs: frozenset[str]  # folders that the filter enters
    links: tuple[str, ...]  # those of the files that are links
    unsure: frozenset[str]  # files that could not be looked at
    marked: bool  # a virtualenv, a tool's cache or another worktree: watched only if named


def listing(path: str, place: Folder, rules: FileFilter, *, follow: bool) -> Listing:
    """Reads a folder; looks only at files that count.

    A link to a folder is a folder if links are followed, or if the config names it.

    Raises:
        OSError: the folder can't be read.

    """
    files: dict[str, Signature] = {}
    subs: list[str] = []
    links: list[str] = []
    unsure: list[str] = []
    marked = False
    prefix = path if path.endswith("/") else path + "/"
    with os.scandir(path) as entries:
        for entry in entries:
            name = entry.name
            try:
                if entry.is_dir(follow_symlinks=follow) or _is_named(entry, prefix, rules):
                    marked = marked or name == "conda-meta"
                    if rules.enters(prefix + name):
                        subs.append(name)
                    continue
                marked = marked or (name in MARKS and _is_mark(prefix, name))
                if not place.decide(name).is_watched:
                    continue
                found = see(prefix + name)
            except OSError:
                unsure.append(name)
                continue
            if found.sign is not None:
                files[name] = found.sign
                if found.is_link:
                    links.append(name)
    return Listing(files, frozenset(subs), tuple(links), frozenset(unsure), marked)


def _is_named(entry: os.DirEntry[str], prefix: str, rules: FileFilter) -> bool:
    """Returns True for a link to a folder that the config names, or that leads to such a one."""
    return entry.is_symlink() and rules.folder(prefix + entry.name).firm and entry.is_dir()


def _is_mark(prefix: str, name: str) -> bool:
    if name != ".git":
        return name != "conda-meta"  # a folder, which is looked for by itself
    try:
        descriptor = os.open(prefix + name, _READ | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        link = os.read(descriptor, 4096)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    # A submodule of a worktree has both in its path: "…/worktrees/x/modules/y".
    return link.rfind(_WORKTREE) > link.rfind(_SUBMODULE)


class ContentHashes:
    """The hashes of files whose signature alone can't tell."""

    def __init__(self) -> None:
        self._hashes: dict[str, bytes] = {}

    def knows(self, path: str) -> bool:
        return path in self._hashes

    def forget(self, path: str) -> None:
        self._hashes.pop(path, None)

    def remember(self, path: str, sign: Signature) -> None:
        """Reads the bytes that go with a signature; keeps nothing if the file has moved on."""
        found = _digest(path)
        if found and difference(found[0], sign) is Difference.NONE:
            self._hashes[path] = found[1]

    def same(self, path: str) -> bool:
        """Returns True if the content hash is unchanged; False if there was none."""
        found = _digest(path)
        old = self._hashes.pop(path, None)
        if found is None:
            return False
        self._hashes[path] = found[1]
        return old == found[1]


def contents_of(path: str) -> tuple[str, int]:
    """Returns the hash in hex, and the size.

    Returns "" and 0 if there is no regular file, or it is above 16 MiB or being written.
    """
    found = _digest(path)
    return (found[1].hex(), found[0][1]) if found else ("", 0)


def _digest(path: str) -> tuple[Signature, bytes] | None:
    """Returns signature and hash of a regular file that stood still and is not too big."""
    try:
        descriptor = os.open(path, _READ)
    except OSError:
        return None
    try:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode) or before.st_size > LARGEST:
            return None
        from hashlib import blake2b  # 5 ms, for few

        hashing = blake2b(digest_size=16)
        while chunk := os.read(descriptor, _CHUNK):
            hashing.update(chunk)
        sign = signature(os.fstat(descriptor))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    stood_still = difference(signature(before), sign) is Difference.NONE
    return (sign, hashing.digest()) if stood_still else None
