"""The trees of the jobs: which processes live, and of which job they are.

Owners tell whose an orphan is, a view how processes are seen; here the two come together.
"""

from __future__ import annotations

import os
import sys
from itertools import chain
from typing import TYPE_CHECKING

from reloader.core.values import Scope
from reloader.light import dataclass, field
from reloader.process.owners import UNKNOWN, Owners
from reloader.process.tree import GroupView, ProcView, group_as_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reloader.core.values import Seconds, Ticket
    from reloader.process.stop_rule import Key, Stop
    from reloader.process.tree import Process, View


@dataclass
class Job:
    """A process that reloader started or adopted, and its tree."""

    ticket: Ticket
    pid: int  # also the number of its process group
    leader_alive: bool = True  # not collected yet, so pid and group are surely its own
    scope: Scope = Scope.TREE  # which survivors count
    stop: Stop | None = None
    killed_at: Seconds | None = None
    unkillable: set[Key] = field(default_factory=set)  # another user's, who may not be signalled
    told: set[Key] = field(default_factory=set)  # those whose holder was told

    def counts(self, process: Process) -> bool:
        """Returns True if the place of this job is taken while the process lives."""
        in_scope = self.scope is Scope.TREE or process.group == self.pid
        return in_scope and process.key not in self.unkillable


class Trees:
    """The jobs of a run, and what lives of the tree of each.

    `adopts`: orphans come to reloader. `strangers`: so do those of others, as to PID 1. `warn` is
    told what people should know.
    """

    def __init__(
        self, run: str, warn: Callable[[str], None], *, adopts: bool, strangers: bool
    ) -> None:
        self.jobs: dict[Ticket, Job] = {}
        self.leaders: dict[int, Job] = {}  # by pid, until they are collected
        self.helpers: dict[int, Callable[[], object]] = {}  # children of reloader without a job
        self._adopts = adopts and ProcView.works()
        self.owners = Owners(run, all_are_ours=self._adopts and not strangers)
        self._warn = warn
        self._seen_view: View | None = None
        self._told_blind = False

    @property
    def view(self) -> View:
        if self._seen_view is None:
            self._seen_view = self._choose_view()
        return self._seen_view

    def _choose_view(self) -> View:
        if self._adopts:
            return ProcView()
        if sys.platform == "linux" and not os.path.exists("/proc/self/stat"):
            self._warn("/proc can't be read: what leaves its process group is not found any more")
            return GroupView(lambda: [job.pid for job in self.jobs.values()])
        from reloader.process.tree_psutil import PsutilView

        return PsutilView()

    def members(self, job: Job) -> Iterator[Process]:
        """Yields what lives of a job's tree, as far as it counts.

        If that can't be known now, the process group stands for all of it.
        """
        try:
            yield from self._seen(job)
        except OSError as error:
            if not self._told_blind:
                self._told_blind = True
                then = "process groups are used meanwhile"
                self._warn(f"/proc can't be read: {error.strerror}; {then}")
            if group := group_as_process(job.pid):
                yield group

    def _seen(self, job: Job) -> Iterator[Process]:
        found: set[int] = set()
        for top in self._tops_of(job):
            for process in chain((top,), self.view.below(top.pid)):
                if process.pid in found:
                    continue
                found.add(process.pid)
                self.owners.remember(process, job.ticket)
                if job.counts(process):
                    yield process

    def _tops_of(self, job: Job) -> Iterator[Process]:
        """Yields the processes of a job that have no parents in it, and maybe some that have."""
        groups = {other.pid: other.ticket for other in self.jobs.values()}
        for pid in self.view.tops():
            leads = self.leaders.get(pid)
            if pid in self.helpers or (leads and leads is not job):
                continue
            top = self.view.look(pid)
            if top is None:
                continue
            owner = job.ticket if leads else self.owners.of(top, groups, self.view)
            if owner == job.ticket:
                yield top
            elif owner is None:  # it may just be ending, with its children not handed on
                yield from (
                    process
                    for process in self.view.below(pid)
                    if self.owners.of(process, groups, self.view) == job.ticket
                )

    def unowned(self) -> Iterator[Process]:
        """Yields the orphans of this run that may be of one job or another, with their trees."""
        for pid in self.view.tops():
            if pid in self.helpers or pid in self.leaders:
                continue
            top = self.view.look(pid)
            if top and self.owners.of(top, {}, self.view) == UNKNOWN:
                yield from (top, *self.view.below(pid))

    def is_empty(self, job: Job) -> bool:
        """Returns True only if it was seen: while /proc can't be read, nothing is empty."""
        try:
            return not any(True for _ in self._seen(job))
        except OSError:
            return False

    def forget(self, job: Job) -> None:
        """Forgets a job; owners stay for what lives on, the daemons of a build."""
        del self.jobs[job.ticket]
        for pid, start in self.owners.known_of(job.ticket):
            try:
                process = self.view.look(pid)
            except OSError:
                continue
            if process is None or process.start != start:
                self.owners.forget(pid)
