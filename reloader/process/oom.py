"""Asks the cgroup if the kernel has killed a process for want of memory (Linux)."""

from __future__ import annotations

import os

from reloader import files

_TOP = "/sys/fs/cgroup"


class MemoryLimit:
    """Of the control group that we and our children are in; v2, or v1."""

    def __init__(self) -> None:
        self._file = _counter()
        self._kills = self._count()

    def has_killed(self) -> bool:
        """Since the last call."""
        before, self._kills = self._kills, self._count()
        return self._kills > before

    def _count(self) -> int:
        """0 where nothing counts."""
        try:
            lines = files.read(self._file).splitlines()
        except OSError:
            return 0
        return next((int(x.split()[1]) for x in lines if x.startswith(b"oom_kill ")), 0)


def _counter() -> str:
    try:
        text = os.fsdecode(files.read("/proc/self/cgroup"))
    except OSError:
        return ""
    groups = [line.split(":", 2) for line in text.split("\n") if line.count(":") > 1]
    for _, controllers, path in groups:
        places = (path, "")  # a container sees its own group at the top
        if "memory" in controllers.split(","):
            counters = [f"{_TOP}/memory{place}/memory.oom_control" for place in places]
        elif not controllers:
            counters = [f"{_TOP}{place}/memory.events" for place in places]
        else:
            continue
        if found := next((file for file in counters if os.path.exists(file)), ""):
            return found
    return ""
