"""Which processes there are below us: from /proc, on Linux, where orphans come back to us.

Reads only what it is asked about: on a machine with a thousand processes, ours are a handful.
`tree_psutil` has the view for other systems.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from reloader.core.values import Written
from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@dataclass(frozen=True)
class Process:
    """A process that lives: neither gone nor a zombie. A reused pid has another `start`."""

    pid: int
    group: int  # 0: not known
    start: float  # since when, in whatever unit; 0: not known


class View(Protocol):
    """How processes are seen."""

    def tops(self) -> Iterator[int]:
        """Those that may have lost their parents: nobody above them tells whose they are."""

    def below(self, pid: int) -> Iterator[Process]:
        """The living descendants of a process, zombie or not; parents first."""

    def look(self, pid: int) -> Process | None:
        """One process; None if it is gone or a zombie."""

    def environ(self, pid: int) -> bytes | None:
        """What it was started with, as in /proc/PID/environ; None: that can't be told."""


class ProcView:
    """Through /proc; needs us to be PID 1 or a subreaper, so that no orphan leaves our tree."""

    def __init__(self) -> None:
        self._pid = os.getpid()

    @staticmethod
    def works() -> bool:
        """Whether the kernel has the lists of children (CONFIG_PROC_CHILDREN)."""
        return os.path.exists(f"/proc/self/task/{os.getpid()}/children")

    def tops(self) -> Iterator[int]:
        # What ends while it is looked at has handed its children on to us: so we ask again, until
        # there is nobody new. (The kernel hands on before a process is a zombie.)
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
        stat = _read(f"/proc/{pid}/stat")
        if not stat:
            return _hidden(pid)
        # proc_pid_stat(5): the name in (3) may hold anything, so count from its last bracket:
        # state 0, ppid 1, pgrp 2, num_threads 17, starttime 19.
        fields = stat[stat.rindex(b")") + 2 :].split(b" ", 20)
        if fields[0] in b"ZX" and int(fields[17]) <= 1:  # more threads: only the first has ended
            return None
        return Process(pid, int(fields[2]), float(fields[19]))

    def environ(self, pid: int) -> bytes | None:
        return _read(f"/proc/{pid}/environ")


class GroupView:
    """Where /proc can't be read: a process group as a whole, as if it were one process.

    `groups`: those that may live. Who left its group is out of sight.
    """

    def __init__(self, groups: Callable[[], Iterable[int]]) -> None:
        self._groups = groups

    def tops(self) -> Iterator[int]:
        return iter(tuple(self._groups()))

    def below(self, _pid: int) -> Iterator[Process]:
        return iter(())

    def look(self, pid: int) -> Process | None:
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            pass
        return Process(pid, pid, 0)

    def environ(self, _pid: int) -> bytes | None:
        return None


def written(pid: int) -> Written | None:
    """Returns what a process has written, a zombie too; None if that can't be told.

    What children wrote counts once it has waited for them (proc_pid_io(5), the kernel's exit.c).
    """
    # Each line is "name: bytes"; wchar is the second, write_bytes the sixth.
    fields = (_read(f"/proc/{pid}/io") or b"").split()
    return Written(int(fields[3]), int(fields[11])) if len(fields) >= 12 else None


def _children(pid: int) -> Iterator[int]:
    """Children belong to the thread that started them, and are handed on when it ends."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for thread in threads:
        yield from map(int, (_read(f"/proc/{pid}/task/{thread}/children") or b"").split())


def _hidden(pid: int) -> Process | None:
    """Mounted with hidepid=2, /proc keeps others' processes from us; their group it can't."""
    try:
        return Process(pid, os.getpgid(pid), 0)
    except OSError:
        return None


def _read(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        data = b""
        while more := os.read(descriptor, 65536):
            data += more
    except OSError:
        return None
    else:
        return data
    finally:
        os.close(descriptor)
