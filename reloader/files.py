r"""The one place that opens files: never blocks on a pipe, never writes through a link.

In the main thread a call of open(2) that waits for the other end of a named pipe would leave
reloader deaf to every signal, so everybody else calls these functions:

    text = os.fsdecode(files.read(path, most=4096))      # a small file; raises OSError
    head = files.head(path, 512)                         # its first bytes
    files.append(path, b"one line\n")                    # creates it; never through a link
    files.replace(path, data)                            # all or nothing, through a rename
    files.create(path, data)                             # raises FileExistsError

They wait as long as the file system does. A mount that no longer answers (FUSE, NFS) stops the
thread that looks at it, and no flag of open(2) helps: where a path may lie on such a mount, call
them in a thread that may hang.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress

SMALL = 1 << 20  # bytes; a file of settings that is larger is none

_READ = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_WRITE = (
    os.O_WRONLY
    | os.O_CLOEXEC
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
)


class SpecialFileError(OSError):
    """The path names no regular file. `kind` says what it is: "a named pipe"."""

    def __init__(self, path: str, mode: int) -> None:
        kinds = {
            stat.S_IFDIR: "a directory",
            stat.S_IFIFO: "a named pipe",
            stat.S_IFSOCK: "a socket",
            stat.S_IFLNK: "a link",
        }
        self.kind = kinds.get(stat.S_IFMT(mode), "a device")
        super().__init__(errno.EINVAL, f"not a regular file but {self.kind}", path)

    def __str__(self) -> str:
        return f"{self.filename} is {self.kind}"


class TooLargeError(OSError):
    """The file holds more than the caller takes."""

    def __init__(self, path: str, most: int) -> None:
        super().__init__(errno.EFBIG, f"larger than {most:,} bytes", path)

    def __str__(self) -> str:
        return f"{self.filename} is {self.strerror}"


def read(path: str, most: int = SMALL, *, follow: bool = True) -> bytes:
    """Returns what a regular file holds, at most `most` bytes; a file in /proc is one, too.

    Raises OSError, TooLargeError if it holds more, SpecialFileError if it is no regular file, and
    without `follow` also if it is a link.
    """
    data = head(path, most + 1, follow=follow)
    if len(data) > most:
        raise TooLargeError(path, most)
    return data


def head(path: str, count: int, *, follow: bool = True) -> bytes:
    """Returns the first `count` bytes of a regular file, or all if there are fewer.

    Raises as `read` does.
    """
    flags = _READ if follow else _READ | getattr(os, "O_NOFOLLOW", 0)
    descriptor = _open(path, flags)
    try:
        data = b""
        while len(data) < count and (more := os.read(descriptor, min(count - len(data), 1 << 16))):
            data += more
        return data
    finally:
        os.close(descriptor)


def append(path: str, data: bytes, *, private: bool = False) -> None:
    """Adds bytes at the end of a regular file; creates it if need be.

    Raises OSError, SpecialFileError if something else has that name, and a link is something else.
    `private`: for a directory below one that everybody may write to, such as /tmp. It is created
    for the own user alone, and refused if it belongs to another or if others may write to it.
    """
    folder = os.path.dirname(path)
    os.makedirs(folder or ".", mode=0o700 if private else 0o777, exist_ok=True)
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    inside = os.open(folder or ".", flags | os.O_NOFOLLOW if private else flags)
    try:
        about = os.fstat(inside)
        if private and (about.st_uid != os.getuid() or about.st_mode & 0o022):
            raise PermissionError(errno.EPERM, "other users may write to it", folder)
        descriptor = _open(path, _WRITE | os.O_APPEND | os.O_CREAT, inside=inside)
        try:
            _write_all(descriptor, data)
        finally:
            os.close(descriptor)
    finally:
        os.close(inside)


def create(path: str, data: bytes, mode: int = 0o666) -> None:
    """Writes a new file. Raises FileExistsError if anything has that name, a link included."""
    descriptor = _open(path, _WRITE | os.O_CREAT | os.O_EXCL, mode=mode)
    try:
        _write_all(descriptor, data)
    finally:
        os.close(descriptor)


def replace(path: str, data: bytes, mode: int = 0o666) -> None:
    """Puts a new file in the place of what has that name; a link is replaced, never followed.

    All or nothing: a reader sees the old file or the whole new one. Raises OSError.
    """
    fresh = f"{path}.{os.getpid()}.new"
    create(fresh, data, mode)
    try:
        os.replace(fresh, path)
    except OSError:
        with suppress(OSError):
            os.unlink(fresh)
        raise


def _open(path: str, flags: int, *, mode: int = 0o666, inside: int | None = None) -> int:
    """Opens a regular file; `inside`: the descriptor of the directory that holds it.

    Raises SpecialFileError if it is no regular file, OSError if it can't be had.
    """
    name = path if inside is None else os.path.basename(path)
    try:
        descriptor = os.open(name, flags, mode, dir_fd=inside)
    except ValueError as error:  # a NUL, or a letter that the locale's encoding does not have
        raise OSError(errno.EINVAL, str(error), path) from None
    except OSError as error:
        # A pipe without a reader, a socket; a link; a directory.
        if error.errno in (errno.ENXIO, errno.ELOOP, errno.EMLINK, errno.EISDIR):
            raise SpecialFileError(path, _mode(name, inside)) from None
        raise
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise SpecialFileError(path, about.st_mode)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _mode(name: str, inside: int | None) -> int:
    """Returns the mode of the file itself, or of the link; 0 if it is gone."""
    try:
        return os.stat(name, dir_fd=inside, follow_symlinks=False).st_mode
    except OSError:
        return 0


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
