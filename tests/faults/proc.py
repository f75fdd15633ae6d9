"""What /proc tells about the processes of a rig."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path

COOKIE = "TEST_RUN_COOKIE"
TICKS = os.sysconf("SC_CLK_TCK")


def read(pid: int, name: str) -> bytes:
    """b"" if there is no such process, or none of ours."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


@dataclass(frozen=True)
class Cookie:
    """Set in the supervisor's environment, it marks every process that comes from it."""

    value: str

    def alive(self) -> dict[int, str]:
        mark = f"{COOKIE}={self.value}".encode()
        found = [pid for pid in pids() if mark in read(pid, "environ").split(b"\0")]
        return {pid: " ".join(words(pid)) for pid in found if lives(pid)}


def words(pid: int) -> list[str]:
    return read(pid, "cmdline").decode(errors="replace").split("\0")


def stat(pid: int) -> list[str]:
    """From the state on: state, parent, group, …"""
    return read(pid, "stat").decode(errors="replace").rpartition(")")[2].split()


def lives(pid: int) -> bool:
    return bool(fields := stat(pid)) and fields[0] not in "ZX"


def parents() -> dict[int, int]:
    return {pid: int(fields[1]) for pid in pids() if (fields := stat(pid))}


def line_of_descent(top: int) -> list[int]:
    """It, and its descendants, nearest first."""
    of = parents()
    found = [top]
    for pid in found:
        found += sorted(child for child, parent in of.items() if parent == pid)
    return found


def zombies_below(top: int) -> list[int]:
    return [pid for pid in line_of_descent(top)[1:] if stat(pid)[:1] == ["Z"]]


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/task"))


def status(pid: int, name: str) -> str:
    """One field of /proc/PID/status; "" if the process is gone."""
    for line in read(pid, "status").decode().splitlines():
        if line.startswith(f"{name}:"):
            return line.split()[1]
    return ""


def kilobytes(pid: int, name: str = "VmRSS") -> int:
    return int(status(pid, name) or 0)


def takes(pid: int, number: int) -> bool:
    """Whether it has a handler for this signal, or holds it back."""
    masks = (int(status(pid, name) or "0", 16) for name in ("SigCgt", "SigBlk"))
    return any(mask >> (number - 1) & 1 for mask in masks)


def stands(pid: int) -> bool:
    """Whether each of its threads has been stopped: until then a signal may still be taken."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return all(b") T " in (thread / "stat").read_bytes() for thread in threads)


def pends(pid: int, number: int) -> bool:
    """Whether this signal waits for it to be continued."""
    return bool(int(status(pid, "ShdPnd") or "0", 16) >> (number - 1) & 1)


def cpu(pid: int) -> float:
    """Seconds of CPU so far."""
    fields = stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else 0.0


def cpu_exactly(pid: int) -> float:
    """The same of its main thread, to the nanosecond (proc(5), schedstat)."""
    return int(read(pid, "schedstat").split()[0]) / 1e9


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return
