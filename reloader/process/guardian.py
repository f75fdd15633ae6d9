"""The guardian's work when reloader was killed. See `orphans.Guardian`.

It runs in a process of its own, in which only the standard library and the sources of `mark`,
`stop_rule`, `tree` and this file are to be had.
"""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import time
from typing import TYPE_CHECKING

from reloader.process.mark import ticket_in, ticket_in_limits
from reloader.process.tree import ProcView

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

GRACE = 1.0  # seconds between SIGTERM and SIGKILL; the whole must take less than 2
LOOK = 0.02  # seconds between two looks


def main(run: str, modes: str, jobs: str) -> None:
    """Ends the jobs, "TICKET:GROUP TICKET:GROUP", of this run, and gives the terminal its modes."""
    pairs = (job.split(":") for job in jobs.split())
    restore(modes)
    sweep(run, {int(ticket): int(group) for ticket, group in pairs})
    restore(modes)  # what has just ended may have set those of reloader's keys again


def restore(modes: str, terminal: int = 3) -> None:
    """Sets the terminal's local modes, from "BEFORE:OURS:INPUT", unless somebody has set others.

    A shell's line editor has the same local modes as reloader's keys have, but other input modes.
    The guardian is in another session, so nothing stops it for it (termios(3) stops background
    groups).
    """
    with contextlib.suppress(OSError, ValueError, termios.error):
        before, ours, read = map(int, modes.split(":"))
        now = termios.tcgetattr(terminal)
        if (now[3], now[0]) == (ours, read):
            now[3] = before
            termios.tcsetattr(terminal, termios.TCSANOW, now)


def sweep(run: str, jobs: Mapping[int, int]) -> None:
    """Ends every process of these jobs, {ticket: process group}.

    A process is of a job by its mark, in its environment or among its limits. Only processes of
    the own user are ended. Without /proc (macOS) the groups are all there is to go by.
    """
    if not os.path.exists("/proc/self/stat"):
        _sweep_groups(jobs.values())
        return
    for number in (signal.SIGTERM, signal.SIGCONT):
        _send(_ours(run, jobs), number)
    deadline = time.monotonic() + GRACE
    while _ours(run, jobs) and time.monotonic() < deadline:
        time.sleep(LOOK)
    for _ in range(100):
        left = _ours(run, jobs)
        if not left:
            return
        _send(left, signal.SIGKILL)
        time.sleep(LOOK)


def _ours(run: str, jobs: Mapping[int, int]) -> set[int]:
    view, me, user = ProcView(), os.getpid(), os.getuid()
    found = set()
    for name in os.listdir("/proc"):
        pid = int(name) if name.isdecimal() else me
        if pid == me or _user(pid) != user or view.look(pid) is None:
            continue
        marks = (
            ticket_in_limits(view.limits(pid), run),
            ticket_in(view.environ(pid) or b"", run),
        )
        if any(ticket in jobs for ticket in marks if ticket is not None):
            found |= {pid, *(descendant.pid for descendant in view.below(pid))}
    return found


def _user(pid: int) -> int:
    try:
        return os.stat(f"/proc/{pid}").st_uid
    except OSError:
        return -1


def _send(pids: Collection[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:
            continue


def _sweep_groups(groups: Collection[int]) -> None:
    _send([-group for group in groups], signal.SIGTERM)
    time.sleep(GRACE)
    _send([-group for group in groups], signal.SIGKILL)
