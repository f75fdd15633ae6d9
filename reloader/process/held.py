"""Finds the reason why a process is alive after SIGKILL (Linux).

A look at /proc and the cgroup, for a sentence to a person; it decides nothing.
"""

from __future__ import annotations

import os

from reloader import files

_CGROUP = "/sys/fs/cgroup"


def holder(pid: int) -> str:
    """Returns who or what holds a process: "held by process 12 (gdb)"."""
    status = _fields(pid)
    tracer = status.get("TracerPid", "0")
    if tracer != "0":
        name = _fields(int(tracer)).get("Name", "?")
        return f"held by process {tracer} ({name})"
    if group := _frozen(pid):
        return f"its control group {group} is frozen"
    if status.get("State", "").startswith("D"):
        return f"it waits in the kernel{_where(pid)}, for a disk or a network file system"
    return "SIGKILL was sent, and it still runs"


def is_traced_zombie(pid: int) -> bool:
    """Returns True for a process that has ended and that only its tracer may reap."""
    status = _fields(pid)
    return status.get("State", "").startswith("Z") and status.get("TracerPid", "0") != "0"


def _fields(pid: int) -> dict[str, str]:
    """Returns /proc/PID/status; empty if the process is gone."""
    lines = _text(f"/proc/{pid}/status").splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name: value.strip() for name, _, value in pairs}


def _where(pid: int) -> str:
    where = _text(f"/proc/{pid}/wchan").strip("\0\n0 ")
    return f" ({where})" if where else ""


def _frozen(pid: int) -> str:
    """Returns the path of the frozen control group that the process is in, "" if it is in none."""
    for line in _text(f"/proc/{pid}/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if "freezer" in controllers.split(","):
            where, wanted = f"{_CGROUP}/freezer{path}/freezer.state", "FROZEN"
        elif not controllers:
            where, wanted = f"{_CGROUP}{path}/cgroup.events", "frozen 1"
        else:
            continue
        if wanted in _text(where):
            return path
    return ""


def _text(path: str) -> str:
    try:
        return os.fsdecode(files.read(path))
    except OSError:
        return ""
