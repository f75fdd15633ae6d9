"""The one place that waits for children.

Peek, then collect: between the two the zombie holds its pid and its group, so neither can be
somebody else's.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reloader.core.values import Status

if TYPE_CHECKING:
    from collections.abc import Iterable

_HAS_WAITID = hasattr(os, "waitid")  # on macOS since 3.13


class Waiter:
    """Finds the children that have ended, and takes their exit statuses, each once."""

    def __init__(self) -> None:
        self._taken: dict[int, int] = {}  # without waitid: wait statuses by pid

    def peek(self, known: Iterable[int]) -> int | None:
        """A child that has ended, still a zombie; None if there is none.

        Without waitid only those in `known` are asked, and they are no zombies any more.
        """
        if _HAS_WAITID:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return None
            return ended.si_pid if ended else None
        for pid in known:
            if pid in self._taken:
                return pid
            ended_pid, status = os.waitpid(pid, os.WNOHANG)
            if ended_pid:
                self._taken[pid] = status
                return pid
        return None

    def is_child(self, pid: int) -> bool:
        """Returns True if the process is a child of reloader that has not been collected."""
        if not _HAS_WAITID:
            return False  # such a system has no subreaper either
        try:
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True

    def stopped(self, pid: int) -> int:
        """The signal that has stopped a child since the last call, 0 if none has."""
        if not _HAS_WAITID:
            return 0
        try:
            change = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG)
        except ChildProcessError:
            return 0
        return change.si_status if change else 0

    def collect(self, pid: int) -> Status:
        """Returns the status of a child that was peeked at, and removes the zombie."""
        if pid in self._taken:
            status = self._taken.pop(pid)
        else:
            _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            return Status(signal=os.WTERMSIG(status))
        return Status(code=os.WEXITSTATUS(status))
