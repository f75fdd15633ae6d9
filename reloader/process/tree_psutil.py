"""Which processes there are, through psutil: where orphans don't come back to us (macOS).

Looks at every process of the machine, so it is the slower way.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil  # type: ignore[import-untyped]

from reloader.process.stop_rule import Member
from reloader.process.tree import Process

if TYPE_CHECKING:
    from collections.abc import Iterator


class PsutilView:
    """A `View` of all processes of our user."""

    def tops(self) -> Iterator[int]:
        ours = os.getuid()
        for process in _all():
            try:
                if process.uids().real == ours:
                    yield process.pid
            except psutil.Error:
                continue

    def below(self, pid: int) -> Iterator[Process]:
        try:
            descendants = psutil.Process(pid).children(recursive=True)
        except psutil.Error:
            return
        yield from filter(None, map(_seen, descendants))

    def look(self, pid: int) -> Process | None:
        try:
            return _seen(psutil.Process(pid))
        except psutil.Error:
            return None

    def limits(self, _pid: int) -> bytes:
        return b""

    def member(self, process: Process, _number: int) -> Member:
        """Returns what is known here: names tell shells, everybody else counts as catching."""
        return Member(process.pid, process.start, process.parent, process.name)

    def environ(self, pid: int) -> bytes | None:
        try:
            environ = psutil.Process(pid).environ()
        except (psutil.Error, OSError):
            return None
        return b"\0".join(os.fsencode(f"{name}={value}") for name, value in environ.items())


def _all() -> Iterator[psutil.Process]:
    try:
        yield from psutil.process_iter()
    except OSError:  # no /proc at all: what is known is what we started
        return


def _seen(process: psutil.Process) -> Process | None:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return Process(
            process.pid,
            os.getpgid(process.pid),
            process.create_time(),
            process.ppid(),
            process.name(),
        )
    except (psutil.Error, OSError):
        return None
