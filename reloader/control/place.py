"""The folder of control sockets: private to one user, and found again by another process.

A folder counts only if it is a directory of a user who is believed (`peer`), and closed to all
others; a link, or a folder that somebody else has made first in /tmp, is passed over.
"""

from __future__ import annotations

import os
import stat
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST = 107  # bytes of a path in sockaddr_un (unix(7))
SUFFIX = ".sock"


class Name(NamedTuple):
    """The name of a socket: where its run was started, a root of its apps, and its own."""

    started: str
    root: str
    run: str

    @classmethod
    def of(cls, text: str) -> Name | None:
        """Reads a file name; returns None if it is none of a control socket."""
        parts = text.removesuffix(SUFFIX).split(".")
        return cls(*parts) if len(parts) == 3 and text.endswith(SUFFIX) else None

    def __str__(self) -> str:
        return ".".join(self) + SUFFIX


def digest(path: str) -> str:
    """Returns 16 letters for a path."""
    data = os.fsencode(path)
    return f"{zlib.crc32(data):08x}{zlib.adler32(data):08x}"


def make(environ: Mapping[str, str]) -> str:
    """Returns the folder of the own user, which is made if need be.

    Raises OSError if there is no place for it: a file system that is read-only, or the folder
    belongs to somebody else.
    """
    trouble: OSError | None = None
    for path in _folders(environ, os.getuid()):
        try:
            with suppress(FileExistsError):
                os.mkdir(path, 0o700)
            check(path, os.getuid())
        except OSError as error:
            trouble = error
        else:
            return path
    raise trouble or FileNotFoundError("no folder for the control socket")


def check(path: str, user: int) -> None:
    """Raises PermissionError if it is no directory, or not this user's alone; OSError if none."""
    about = os.lstat(path)
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != user:
        raise PermissionError(f"{path} is no directory of user {user}")
    if about.st_mode & 0o077:
        raise PermissionError(f"other users may look into {path}")


def sockets(environ: Mapping[str, str], directory: str) -> tuple[list[str], list[str]]:
    """Returns the paths of the sockets of a directory's runs, and of all others; one for each run.

    A run is the directory's if it was started in it, or has it in a root.
    """
    above = [directory]
    while above[-1] != os.path.dirname(above[-1]):
        above.append(os.path.dirname(above[-1]))
    started, roots = digest(directory), {digest(path) for path in above}
    here: dict[str, str] = {}
    others: dict[str, str] = {}
    for folder, text, name in _all(environ):
        is_here = name.started == started or name.root in roots
        (here if is_here else others).setdefault(name.run, f"{folder}/{text}")
    return list(here.values()), [path for run, path in others.items() if run not in here]


def _all(environ: Mapping[str, str]) -> Iterator[tuple[str, str, Name]]:
    """Yields the sockets of the users who are believed: folder, file name, name."""
    users = {os.getuid(): None, 0: None}
    with suppress(OSError):
        users[os.stat("/proc/1").st_uid] = None
    for user in users:
        for folder in _folders(environ, user):
            with suppress(OSError):
                check(folder, user)
                for text in sorted(os.listdir(folder)):
                    if name := Name.of(text):
                        yield folder, text, name


def _folders(environ: Mapping[str, str], user: int) -> Iterator[str]:
    """Yields where the folder of a user may be, best first.

    Both ends may have been started with another environment: the usual places come in any case.
    """
    for base in dict.fromkeys((environ.get("XDG_RUNTIME_DIR", ""), f"/run/user/{user}")):
        with suppress(OSError):
            if base and os.stat(base).st_uid == user:
                yield f"{base}/reloader"
    for base in dict.fromkeys((environ.get("TMPDIR", ""), "/tmp", "/dev/shm")):  # noqa: S108
        path = f"{base}/reloader-{user}"
        if base and len(os.fsencode(path)) < LONGEST - 60:
            yield path
