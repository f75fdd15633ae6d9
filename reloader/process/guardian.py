"""What the guardian does when the supervisor was killed. See `init.Guardian`.

Runs in a process of its own, without the site packages: standard library and `tree`, `mark` only.
"""

from __future__ import annotations

import contextlib
import os
import signal
import termios
import time
from typing import TYPE_CHECKING

from reloader.process.mark import is_effaced, ticket_in
from reloader.process.tree import ProcView

if TYPE_CHECKING:
    from collections.abc import Collection

GRACE = 1.0  # seconds between SIGTERM and SIGKILL; the whole must take less than 2
LOOK = 0.02  # seconds between two looks


def restore(modes: str, terminal: int = 3) -> None:
    """The terminal's local modes, as "BEFORE:OURS:INPUT", unless somebody has set others.

    A shell's line editor has the same local modes as our keys have, but other input modes. We are
    in another session, so nothing stops us for it (termios(3) stops background groups).
    """
    with contextlib.suppress(OSError, ValueError, termios.error):
        before, ours, read = map(int, modes.split(":"))
        now = termios.tcgetattr(terminal)
        if (now[3], now[0]) == (ours, read):
            now[3] = before
            termios.tcsetattr(terminal, termios.TCSANOW, now)


def sweep(run: str, groups: Collection[int]) -> None:
    """End every process of this run: those that carry its mark, and those of its `groups`.

    Only processes of our own user; one of a group that has an environment without the mark is
    another's, which got the number later. Without /proc (macOS) the groups are all we have.
    """
    if not os.path.exists("/proc/self/stat"):
        _sweep_groups(groups)
        return
    for number in (signal.SIGTERM, signal.SIGCONT):
        _send(_ours(run, groups), number)
    deadline = time.monotonic() + GRACE
    while _ours(run, groups) and time.monotonic() < deadline:
        time.sleep(LOOK)
    for _ in range(100):
        left = _ours(run, groups)
        if not left:
            return
        _send(left, signal.SIGKILL)
        time.sleep(LOOK)


def _ours(run: str, groups: Collection[int]) -> set[int]:
    view, me, user = ProcView(), os.getpid(), os.getuid()
    found = set()
    for name in os.listdir("/proc"):
        pid = int(name) if name.isdecimal() else me
        if pid == me or _user(pid) != user or not (process := view.look(pid)):
            continue
        environ = view.environ(pid) or b""
        in_group = process.group in groups and is_effaced(environ)
        if in_group or ticket_in(environ, run) is not None:
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
