"""Finds programs on the PATH, and says why one can't be started.

Looks at files only when a program is looked up or has failed to start; the kernel itself says no
more than "No such file or directory", whatever is missing.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from reloader import files

if TYPE_CHECKING:
    from collections.abc import Mapping

# The same call may work in a moment.
PASSING = frozenset({errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY})
_HEAD = 4096  # bytes: enough for a `#!` line (Linux reads 256) and for ELF's program headers


class SpawnError(Exception):
    """A spawn that failed: the reason, a hint, and whether the same call may work in a moment."""

    def __init__(self, why: str, hint: str = "", *, passing: bool = False) -> None:
        super().__init__(f"{why}; {hint}" if hint else why)
        self.why = why
        self.hint = hint
        self.passing = passing


def find(program: str, environ: Mapping[str, str], cwd: str) -> str:
    """The path of a program, looked up in the PATH of the child-to-be, relative to its `cwd`.

    Raises SpawnError if there is none that may be executed.
    """
    if "/" in program:
        path = os.path.join(cwd, program)
        if problem := _problem(path, program):
            raise problem
        return path
    found = None
    for folder in environ.get("PATH", os.defpath).split(os.pathsep) if program else ():
        path = os.path.join(cwd, folder, program)
        problem = _problem(path, path)
        if problem is None:
            return path
        if os.path.isfile(path):
            found = found or problem
    raise found or _not_on_path(program, cwd)


def diagnose(path: str, number: int) -> SpawnError:
    """Returns why the kernel did not start a program that `find` had found; `number`: its errno."""
    if number in PASSING:
        return _passing(path, number)
    if number == errno.E2BIG:
        return SpawnError("its arguments and environment are too long")
    if number == errno.ENOEXEC:
        hint = "it must be built for the system it runs on"
        return SpawnError(f"{path}: {_foreign(_head(path))}", hint)
    if number in (errno.ENOENT, errno.EACCES) and (problem := _problem(path, path)):
        return problem
    special = {errno.ENOENT: _without_interpreter, errno.EACCES: _forbidden}
    if explain := special.get(number):
        return explain(path)
    return SpawnError(f"{path}: {os.strerror(number)}")


def is_script(path: str) -> bool:
    """Returns True for a text file without `#!`, which a shell would run with /bin/sh.

    POSIX, Command Search and Execution; as in bash, a NUL byte in the first line means it is not.
    """
    head = _head(path)
    return b"\0" not in head.split(b"\n", 1)[0][:80] and not head.startswith(_BINARY)


def _problem(path: str, shown: str) -> SpawnError | None:
    """Returns the reason why this path can't be executed, as far as its mode tells."""
    try:
        mode = os.stat(path).st_mode
    except PermissionError:
        return SpawnError(f"{shown}: permission denied", "a folder on the way is closed to us")
    except (OSError, ValueError):
        if os.path.islink(path):
            return SpawnError(f"{shown}: a link to nothing", "where it points to is missing")
        return SpawnError(f"{shown}: not found", "did the build make it?")
    if stat.S_ISDIR(mode):
        return SpawnError(f"{shown}: is a folder", "name the program in it")
    if not os.access(path, os.X_OK):
        return SpawnError(f"{shown}: not executable", f"chmod +x {shown}")
    return None


def _not_on_path(program: str, cwd: str) -> SpawnError:
    if program and os.path.isfile(os.path.join(cwd, program)):
        return SpawnError(f"{program}: not found on the PATH", f"did you mean ./{program}?")
    return SpawnError(f"{program or repr(program)}: not found on the PATH", "is it installed?")


def _passing(path: str, number: int) -> SpawnError:
    why, hint = {
        errno.EAGAIN: ("too many processes", "see ulimit -u, or the container's pids limit"),
        errno.ENOMEM: ("out of memory", ""),
        errno.EMFILE: ("too many open files", "see ulimit -n"),
        errno.ENFILE: ("too many open files on this machine", ""),
        errno.ETXTBSY: (f"{path}: still being written", "does something else build it?"),
    }[number]
    return SpawnError(why, hint, passing=True)


def _forbidden(path: str) -> SpawnError:
    if os.statvfs(path).f_flag & getattr(os, "ST_NOEXEC", 0):
        return SpawnError(f"{path}: not executable", "its file system is mounted noexec")
    if interpreter := _interpreter(_head(path)):
        return SpawnError(f"{path}: permission denied", f"may {interpreter} be executed?")
    return SpawnError(f"{path}: permission denied")


def _without_interpreter(path: str) -> SpawnError:
    """The file is there, so what is missing is the program or the loader it names."""
    head = _head(path)
    interpreter = _interpreter(head) or "its interpreter"
    if interpreter.endswith("\r"):
        return SpawnError(f"{path}: has Windows line ends", "save it with LF, not CRLF")
    if head.startswith(_ELF):
        return SpawnError(
            f"{path}: needs the loader {interpreter}, which is missing",
            "built for another system, glibc against musl (Alpine)?",
        )
    return SpawnError(
        f"{path}: its #! line names {interpreter}, which is missing", "is it installed?"
    )


# --- what is in a file ---------------------------------------------------------------------------

_ELF = b"\x7fELF"
_MACH = (b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_BINARY = (_ELF, b"MZ\x90", *_MACH)


def _head(path: str) -> bytes:
    try:
        return files.head(path, _HEAD)
    except OSError:
        return b""


def _interpreter(head: bytes) -> str:
    """The program of a `#!` line, the loader of an ELF file; "" if it has none."""
    if head.startswith(b"#!"):
        words = head[2:256].split(b"\n", 1)[0].strip(b" \t").replace(b"\t", b" ").split(b" ")
        return os.fsdecode(words[0])
    if not head.startswith(_ELF) or len(head) < 64:
        return ""
    wide, order = head[4] == 2, "little" if head[5] == 1 else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(head[at : at + size], order)  # type: ignore[arg-type]

    # elf(5): where the program headers are, their size and count; PT_INTERP is 3.
    start = number(32, 8) if wide else number(28, 4)
    size, count = (number(54, 2), number(56, 2)) if wide else (number(42, 2), number(44, 2))
    for at in range(start, start + size * count, size or 1):
        if number(at, 4) == 3:
            offset = number(at + 8, 8) if wide else number(at + 4, 4)
            return os.fsdecode(head[offset:].split(b"\0", 1)[0])
    return ""


def _foreign(head: bytes) -> str:
    if head.startswith(_ELF):
        return "a program for another kind of machine"
    if head.startswith(b"MZ"):
        return "a program for Windows"
    if head.startswith(_MACH):
        return "a program for macOS"
    return "neither a program nor a script"
