"""Which processes there are below reloader: from /proc, on Linux, where orphans come back to it.

Reads only what it is asked about: on a machine with a thousand processes, those of reloader are a
handful. `tree_psutil` has the view for other systems.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Protocol, TypeVar

from reloader.core.values import Written
from reloader.light import dataclass
from reloader.process.stop_rule import Member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reloader.process.stop_rule import Key

T = TypeVar("T")

# The process is gone, or may not be looked at. Every other error means that nothing is known.
_GONE = frozenset({errno.ENOENT, errno.ESRCH, errno.ENOTDIR})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
_USED_UP = frozenset({errno.EMFILE, errno.ENFILE})


@dataclass(frozen=True)
class Process:
    """A process that lives: neither gone nor a zombie. A reused pid has another `start`."""

    pid: int
    group: int  # 0: not known
    start: float  # since when, in whatever unit; 0: not known
    parent: int = 0  # its pid; 0: not known
    name: str = ""  # of the program, the first 15 bytes; "": not known

    @property
    def key(self) -> Key:
        return self.pid, self.start


class View(Protocol):
    """A view of the processes. Each method raises OSError if nothing can be known now."""

    def tops(self) -> Iterator[int]:
        """Yields processes that may have lost their parents, so that their owner is unknown."""

    def below(self, pid: int) -> Iterator[Process]:
        """Yields the living descendants of a process, zombie or not; parents first."""

    def look(self, pid: int) -> Process | None:
        """Returns one process, None if it is gone or a zombie."""

    def environ(self, pid: int) -> bytes | None:
        """Returns what it was started with, as in /proc/PID/environ; None if that can't be told."""

    def limits(self, pid: int) -> bytes:
        """Returns its resource limits, as in /proc/PID/limits; b"" if they can't be told."""

    def member(self, process: Process, number: int) -> Member:
        """Returns what the rule of a stop by this signal must know of a process."""


class ProcView:
    """Through /proc, where reloader is PID 1 or a subreaper, so that no orphan leaves its tree."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        _reserve.fill()

    @staticmethod
    def works() -> bool:
        """Returns True if the kernel has the lists of children (CONFIG_PROC_CHILDREN)."""
        return os.path.exists(f"/proc/self/task/{os.getpid()}/children")

    def tops(self) -> Iterator[int]:
        # What ends while it is looked at has handed its children on to reloader: so they are asked
        # for until there is nobody new. (The kernel hands on before a process is a zombie.)
        seen: set[int] = set()
        while fresh := [pid for pid in _children(self._pid) if pid not in seen]:
            seen.update(fresh)
            yield from fresh

    def below(self, pid: int) -> Iterator[Process]:
        seen, queue = {pid}, [pid]
        while queue:
            parent = queue.pop()
            for child in _children(parent):
                if child in seen:
                    continue
                seen.add(child)
                queue.append(child)
                if process := self.look(child):
                    yield process

    def look(self, pid: int) -> Process | None:
        text = _read(f"/proc/{pid}/stat")
        if not text:
            return _hidden(pid)
        # proc_pid_stat(5): the name in (2) may hold anything, so count from its last bracket:
        # state 0, ppid 1, pgrp 2, num_threads 17, starttime 19.
        end = text.rindex(b")")
        fields = text[end + 2 :].split(b" ", 20)
        if fields[0] in b"ZX" and int(fields[17]) <= 1:  # more threads: only the first has ended
            return None
        name = os.fsdecode(text[text.index(b"(") + 1 : end])
        return Process(pid, int(fields[2]), float(fields[19]), int(fields[1]), name)

    def environ(self, pid: int) -> bytes | None:
        return _read(f"/proc/{pid}/environ")

    def limits(self, pid: int) -> bytes:
        return _read(f"/proc/{pid}/limits") or b""

    def member(self, process: Process, number: int) -> Member:
        reads, writes = _pipes(process.pid)
        name = process.name
        try:
            program = os.path.basename(os.readlink(f"/proc/{process.pid}/exe"))
        except OSError:  # another user's
            program = name
        if program.startswith(("busybox", "bash", "zsh", "ksh", "dash")):  # dash.distrib, bash5
            name = program.rstrip("0123456789.")
        caught = _mask(_read(f"/proc/{process.pid}/status") or b"", b"SigCgt:")
        catches = bool(caught >> (number - 1) & 1)
        return Member(process.pid, process.start, process.parent, name, catches, reads, writes)


class GroupView:
    """A view for systems without /proc: a process group as a whole, as if it were one process.

    `groups`: those that may live. A process that left its group is out of sight.
    """

    def __init__(self, groups: Callable[[], Iterable[int]]) -> None:
        self._groups = groups

    def tops(self) -> Iterator[int]:
        return iter(tuple(self._groups()))

    def below(self, _pid: int) -> Iterator[Process]:
        return iter(())

    def look(self, pid: int) -> Process | None:
        return group_as_process(pid)

    def environ(self, _pid: int) -> bytes | None:
        return None

    def limits(self, _pid: int) -> bytes:
        return b""

    def member(self, process: Process, _number: int) -> Member:
        return Member(process.pid, process.start, process.parent)


def group_as_process(group: int) -> Process | None:
    """Returns a process group as if it were one process, None if nothing is left of it."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return Process(group, group, 0)


def written(pid: int) -> Written | None:
    """Returns what a process has written, a zombie too; None if that can't be told.

    What children wrote counts once it has waited for them (proc_pid_io(5), the kernel's exit.c).
    """
    # Each line is "name: bytes"; wchar is the second, write_bytes the sixth.
    try:
        fields = (_read(f"/proc/{pid}/io") or b"").split()
    except OSError:  # no descriptor, an error of the kernel: then it can't be told
        return None
    return Written(int(fields[3]), int(fields[11])) if len(fields) >= 12 else None


def _children(pid: int) -> Iterator[int]:
    """Yields children of all threads: they belong to the thread that started them."""
    threads = _reserve.lent(os.listdir, f"/proc/{pid}/task")
    for thread in threads or ():
        yield from map(int, (_read(f"/proc/{pid}/task/{thread}/children") or b"").split())


def _hidden(pid: int) -> Process | None:
    """Returns what is known of a process that /proc, mounted with hidepid=2, does not show."""
    try:
        return Process(pid, os.getpgid(pid), 0)
    except OSError:
        return None


def _mask(status: bytes, name: bytes) -> int:
    """Returns a mask of signals from /proc/PID/status, 0 if it is not there."""
    for line in status.splitlines():
        if line.startswith(name):
            return int(line.split()[1], 16)
    return 0


def _pipes(pid: int) -> tuple[frozenset[int], frozenset[int]]:
    """Returns the pipes that a process may read from, and those behind its descriptors 1 and 2."""
    reads, writes = set(), set()
    for name in _reserve.lent(os.listdir, f"/proc/{pid}/fd") or ():
        path = f"/proc/{pid}/fd/{name}"
        try:
            about = os.stat(path)
            if not stat.S_ISFIFO(about.st_mode):
                continue
            mode = os.lstat(path).st_mode  # proc_pid_fd(5): r and w of the user, as it was opened
        except OSError:  # closed meanwhile
            continue
        if mode & 0o400:
            reads.add(about.st_ino)
        if mode & 0o200 and name in ("1", "2"):
            writes.add(about.st_ino)
    return frozenset(reads), frozenset(writes)


def _read(path: str) -> bytes | None:
    """Returns what a file in /proc holds, None if it is gone or forbidden. Raises OSError."""
    return _reserve.lent(_whole, path)


def _whole(path: str) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = b""
        while more := os.read(descriptor, 65536):
            data += more
        return data
    finally:
        os.close(descriptor)


class _Reserve:
    """A descriptor that is kept open, so that /proc can be read when all others are in use."""

    def __init__(self) -> None:
        self._descriptor = -1

    def fill(self) -> None:
        if self._descriptor < 0:
            try:
                self._descriptor = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
            except OSError:  # all are in use at this moment: the next time
                self._descriptor = -1

    def lent(self, call: Callable[[str], T], path: str) -> T | None:
        """Calls with the path; returns None if the process is gone or may not be looked at.

        Raises OSError if nothing can be known: it must not be taken for "there is none".
        """
        try:
            try:
                return call(path)
            except OSError as error:
                if error.errno not in _USED_UP or self._descriptor < 0:
                    raise
            os.close(self._descriptor)
            self._descriptor = -1
            try:
                return call(path)
            finally:
                self.fill()
        except OSError as error:
            if error.errno in _GONE | _FORBIDDEN:
                return None
            raise


_reserve = _Reserve()
