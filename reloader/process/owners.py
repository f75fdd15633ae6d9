"""Owners: to which job a process belongs.

A process with a living parent belongs where its parent belongs. One that has lost its parents
comes to reloader, and is known by what it can't throw away: it was seen below a job before, it
carries the mark as a resource limit, it is in the process group of a job. Never by a guess: a
process that could be of two jobs is left alone until reloader ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.process.mark import ticket_in, ticket_in_limits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reloader.core.values import Ticket
    from reloader.process.stop_rule import Key
    from reloader.process.tree import Process, View

NOBODY: Ticket = 0  # owns a process of another program
UNKNOWN: Ticket = -1  # owns a process of this run that may be of one job or another


class Owners:
    """Remembers which process belongs to which job.

    `all_are_ours`: only descendants of reloader can come to it, as to a subreaper. As PID 1 it also
    gets the orphans of strangers: of `docker exec`, for example.
    """

    def __init__(self, run: str, *, all_are_ours: bool) -> None:
        self._run = run
        self._all_are_ours = all_are_ours
        self._known: dict[int, tuple[float, Ticket]] = {}  # by pid: start and owner

    def __len__(self) -> int:
        return len(self._known)

    def of(self, process: Process, groups: Mapping[int, Ticket], view: View) -> Ticket | None:
        """Returns the owner of a process that has no parents; `groups`: those of the jobs.

        Returns None if it can't be told because the process is just ending.
        """
        known = self._recall(process.key)
        if known is not None:
            return known
        ticket = ticket_in_limits(view.limits(process.pid), self._run)
        if ticket is None:
            ticket = groups.get(process.group)
        if ticket is None:
            environ = view.environ(process.pid)
            if environ is None:
                return None
            ticket = ticket_in(environ, self._run)
        if ticket is None:
            ticket = self._only(groups) if self._all_are_ours else NOBODY
        self.remember(process, ticket)
        return ticket

    def remember(self, process: Process, ticket: Ticket) -> None:
        """Notes an owner for later, when the parents are gone and nothing else tells."""
        self._known[process.pid] = process.start, ticket

    def forget(self, pid: int) -> None:
        """Forgets a process that is gone."""
        self._known.pop(pid, None)

    def known_of(self, ticket: Ticket) -> Iterable[Key]:
        """Returns the processes that are remembered for this owner."""
        return [(pid, start) for pid, (start, owner) in self._known.items() if owner == ticket]

    def _recall(self, key: Key) -> Ticket | None:
        known = self._known.get(key[0])
        return known[1] if known and known[0] == key[1] else None

    @staticmethod
    def _only(groups: Mapping[int, Ticket]) -> Ticket:
        """Returns the job that it must be of if there is but one."""
        tickets: Iterator[Ticket] = iter(groups.values())
        only = next(tickets, UNKNOWN)
        return only if next(tickets, None) is None else UNKNOWN
