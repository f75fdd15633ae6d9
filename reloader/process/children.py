"""The processes we start, until nothing is left of them.

The only place that spawns, signals and reaps; for the main thread alone. Rests on one order of
steps: peek at a zombie, look at what lives of its tree while the zombie still holds its pid and
group, and only then collect it. It decides nothing: when to stop or kill is the machine's.
"""

from __future__ import annotations

import os
import signal
import sys
from itertools import chain
from typing import TYPE_CHECKING

from reloader.command.which import SpawnError, find
from reloader.core.facts import Measured, Noticed, ProcessExited, TreeEmptied
from reloader.core.news import Warned
from reloader.core.values import Scope, Status, Written
from reloader.light import dataclass, field, replace
from reloader.process.mark import NAME, is_effaced, is_nested, padded, stamped, ticket_in
from reloader.process.spawn import Starter
from reloader.process.tree import GroupView, ProcView, written
from reloader.process.wait import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reloader.core.facts import Fact
    from reloader.core.values import Ticket
    from reloader.process.oom import MemoryLimit
    from reloader.process.spec import SpawnSpec
    from reloader.process.tree import Process, View

__all__ = ["Children", "SpawnError"]

# Looks in one kill. Each finds what was forked during the one before; what never comes to an end
# is taken up again by the next Kill.
ROUNDS = 20
_NOBODY: Ticket = 0  # owns what is not of this run


@dataclass
class _Job:
    """A process we started, and its tree."""

    ticket: Ticket
    pid: int  # also the number of its process group
    led: bool = True  # not collected yet, so pid and group are surely its own
    scope: Scope = Scope.TREE  # which survivors count
    beyond: set[tuple[int, float]] = field(default_factory=set)  # (pid, start) we may not signal

    def counts(self, process: Process) -> bool:
        """Whether the place of this job is taken while the process lives."""
        in_scope = self.scope is Scope.TREE or process.group == self.pid
        return in_scope and (process.pid, process.start) not in self.beyond


class Children:
    """All processes of this run.

    `run`: from `mark.new_run()`. `adopts`: orphans come back to us, see `init.become_subreaper`.
    `guard` is told the process groups that must not outlive us, whenever they change.
    """

    def __init__(
        self,
        run: str,
        *,
        adopts: bool = True,
        guard: Callable[[tuple[int, ...]], None] = lambda _: None,
    ) -> None:
        self._run = run
        self.adopts = adopts and ProcView.works()
        self._guard = guard
        self._guarded: tuple[int, ...] = ()
        self._starter = Starter()
        self._waiter = Waiter()
        self._jobs: dict[Ticket, _Job] = {}
        self._leaders: dict[int, _Job] = {}  # by pid, until they are collected
        self._owners: dict[int, tuple[float, Ticket]] = {}  # pid: start, whose it is
        self._ignored: set[int] = set()
        self._notices: list[Fact] = []
        self._seen_view: View | None = None
        self._memory: MemoryLimit | None = None

    def spawn(
        self,
        ticket: Ticket,
        spec: SpawnSpec,
        through: Callable[[Callable[[], int]], int] = lambda start: start(),
    ) -> int:
        """Starts a process in a process group of its own; returns its pid.

        No signal is blocked or ignored in it. reloader itself moves to `spec.cwd` and stays there.
        `through` is given the function that starts the process, and calls it, in any thread.
        Raises SpawnError.
        """
        marked = self.marked(ticket, spec.env)
        try:
            os.chdir(spec.cwd)
        except OSError as error:
            raise SpawnError(
                f"{spec.cwd}: {error.strerror}", "the folder it is to run in"
            ) from None
        path = find(spec.argv[0], marked, spec.cwd)
        pid = through(lambda: self._starter.start(path, replace(spec, env=marked)))
        self._enter(ticket, pid)
        return pid

    def adopt(self, ticket: Ticket, pid: int) -> None:
        """Takes charge of a process that another process has forked for reloader.

        The forker has ended, so the process is a child of reloader (a subreaper); it leads a
        process group of its own, and waits until this call has returned, for its exit status would
        be lost if it ended before. Raises SpawnError if it is no such process.
        """
        try:
            leads = os.getpgid(pid) == pid
        except ProcessLookupError:
            leads = False
        if not leads or not self._waiter.is_child(pid):
            raise SpawnError(f"process {pid} ended before it was taken over", passing=True)
        self._enter(ticket, pid)

    def marked(self, ticket: Ticket, env: Mapping[str, str]) -> dict[str, str]:
        """Returns this environment with the mark by which the processes of `ticket` are known."""
        return stamped(env, self._run, ticket)

    def spawn_helper(self, spec: SpawnSpec) -> int:
        """Starts a process that is no part of any tree; returns its pid. Raises SpawnError.

        It may fork processes for `adopt`: its mark is as long as theirs, see `padded_mark`.
        """
        env = self.marked(_NOBODY, spec.env)
        env[NAME] = padded(env[NAME], _NOBODY)
        path = find(spec.argv[0], env, spec.cwd)
        pid = self._starter.start(path, replace(spec, env=env))
        self._ignored.add(pid)
        return pid

    def end_helper(self, pid: int) -> None:
        """Kills a helper, unless it has ended."""
        if pid in self._ignored:
            _kill(pid, signal.SIGKILL)

    def padded_mark(self, ticket: Ticket, env: Mapping[str, str]) -> str:
        """Returns what stands for the mark in the memory of a process that a helper has forked."""
        return padded(self.marked(ticket, env)[NAME], ticket)

    def _enter(self, ticket: Ticket, pid: int) -> None:
        self._jobs[ticket] = self._leaders[pid] = _Job(ticket, pid)
        self._owners.pop(pid, None)
        self._tell_guard()
        if self._memory is None:  # not before the first process: the user waits for it
            from reloader.process.oom import MemoryLimit

            self._memory = MemoryLimit()

    def collect(self) -> list[Fact]:
        """Everything that has ended since the last call; never blocks."""
        facts: list[Fact] = []
        while (pid := self._waiter.peek(self._leaders)) is not None:
            job = self._leaders.get(pid)
            members = [process.pid for process in self._members(job)] if job else []
            if job:
                facts.append(self._measured(job, [pid, *members]))
            status = self._waiter.collect(pid)
            self._owners.pop(pid, None)
            self._ignored.discard(pid)
            if status.signal == signal.SIGKILL and self._memory and self._memory.has_killed():
                text = f"process {pid} was killed by the kernel: out of memory (container's limit)"
                self._notices.append(Noticed(Warned(text)))
            if job:
                facts.append(self._ended(job, status, len(members)))
        return facts + self._emptied()

    def stop(self, ticket: Ticket, number: int, *, but_group: bool = False) -> list[Fact]:
        """Send a signal to everything in the tree, each once; then SIGCONT, for who is stopped.

        `but_group`: not to the process group, a terminal has asked it already.
        """
        if job := self._jobs.get(ticket):
            members = list(self._members(job))
            asked = [p for p in members if p.group != job.pid or not but_group]
            self._send(job, [p for p in asked if not self._is_nested(job, p)], number)
            self._send(job, members, signal.SIGCONT)
        return self._emptied()

    def kill(self, ticket: Ticket, scope: Scope = Scope.TREE) -> list[Fact]:
        """SIGKILL, until a look finds nothing new; from now on only survivors in `scope` count."""
        job = self._jobs.get(ticket)
        if job is None:
            return []
        job.scope = scope
        reached: set[Process] = set()
        for _ in range(ROUNDS):
            # Each as soon as it is seen: what has a SIGKILL coming forks no more.
            now = self._send(job, self._members(job), signal.SIGKILL)
            if now <= reached:
                break
            reached |= now
        self._note_beyond_reach(job)
        return self._emptied()

    def forward(self, ticket: Ticket, number: int) -> None:
        """Hand a signal on to the process itself, as if it stood in our place.

        SIGWINCH goes to its whole group, as a terminal sends it.
        """
        job = self._jobs.get(ticket)
        if job and job.led:
            _kill(-job.pid if number == signal.SIGWINCH else job.pid, number)

    def stopped(self) -> Iterator[tuple[Ticket, int, int]]:
        """The jobs that were stopped since the last call: ticket, pid, the signal that did it."""
        for job in tuple(self._leaders.values()):
            if number := self._waiter.stopped(job.pid):
                yield job.ticket, job.pid, number

    def send_to_groups(self, number: int) -> None:
        """To the process group of each job, as a terminal sends it to the one in its foreground."""
        for job in self._leaders.values():
            _kill(-job.pid, number)

    def ignore(self, pid: int) -> None:
        """A child of ours that belongs to no tree, whatever its group; it is only reaped."""
        self._ignored.add(pid)

    def survivors(self, ticket: Ticket) -> int:
        """How many processes of its tree live, the process itself not counted."""
        job = self._jobs.get(ticket)
        return sum(p.pid != job.pid for p in self._members(job)) if job else 0

    def measure(self, ticket: Ticket) -> list[Fact]:
        """How much its tree has written; who is gone is part of whoever has waited for it."""
        job = self._jobs.get(ticket)
        return [self._measured(job, [p.pid for p in self._members(job)])] if job else []

    def is_running(self, ticket: Ticket) -> bool:
        """Returns True until the process itself has ended, whatever lives on of its tree."""
        job = self._jobs.get(ticket)
        return job is not None and job.led

    def alive(self) -> bool:
        """Whether anything we started is not accounted for."""
        return bool(self._jobs)

    def close(self) -> None:
        """Kill what is still there; nobody is told. For the way out when all else has failed."""
        for ticket in tuple(self._jobs):
            self.kill(ticket)
        self.collect()

    # --- whose is it ---------------------------------------------------------------------------

    @property
    def _view(self) -> View:
        if self._seen_view is None:
            self._seen_view = self._choose_view()
        return self._seen_view

    def _choose_view(self) -> View:
        if self.adopts:
            return ProcView()
        if sys.platform == "linux" and not os.path.exists("/proc/self/stat"):
            text = "/proc can't be read: what leaves its process group is not found any more"
            self._notices.append(Noticed(Warned(text)))
            return GroupView(lambda: [job.pid for job in self._jobs.values()])
        from reloader.process.tree_psutil import PsutilView

        return PsutilView()

    def _members(self, job: _Job) -> Iterator[Process]:
        """What lives of a job's tree, as far as it counts."""
        found: set[int] = set()
        for top in self._tops_of(job):
            for process in chain((top,), self._view.below(top.pid)):
                if process.pid in found:
                    continue
                found.add(process.pid)
                # Remembered for when its parents are gone and its environment says nothing.
                self._owners[process.pid] = (process.start, job.ticket)
                if job.counts(process):
                    yield process

    def _tops_of(self, job: _Job) -> Iterator[Process]:
        """The processes of a job that have no parents in it, and maybe some that have."""
        for pid in self._view.tops():
            if pid in self._ignored or self._leaders.get(pid, job) is not job:
                continue
            top = self._view.look(pid)
            owner = self._owner(top, job) if top else _NOBODY
            if top and owner == job.ticket:
                yield top
            elif owner is None:  # it may just be ending, and not have handed on its children yet
                yield from (p for p in self._view.below(pid) if self._owner(p, job) == job.ticket)

    def _owner(self, process: Process, asking: _Job) -> Ticket | None:
        """Whose tree it belongs to, if it has no parents; None: that can't be told."""
        if process.pid == asking.pid and asking.led:
            return asking.ticket
        known = self._owners.get(process.pid)
        if known and known[0] == process.start:
            return known[1]
        for job in self._jobs.values():
            if process.group == job.pid:
                return job.ticket
        environ = self._view.environ(process.pid)
        if environ is None:
            return None
        ticket = ticket_in(environ, self._run) or _NOBODY
        if ticket == _NOBODY and self.adopts and is_effaced(environ):
            # It came to us as an orphan and has overwritten its environment, as nginx does. What
            # `docker exec` left behind comes to us too, but with an environment of its own.
            ticket = asking.ticket
        self._owners[process.pid] = (process.start, ticket)
        return ticket

    # --- what became of it ---------------------------------------------------------------------

    @staticmethod
    def _measured(job: _Job, pids: Iterable[int]) -> Fact:
        total = Written()
        for pid in pids:
            if (more := written(pid)) is None:
                return Measured(job.ticket, None)
            total += more
        return Measured(job.ticket, total)

    def _ended(self, job: _Job, status: Status, left: int) -> Fact:
        del self._leaders[job.pid]
        job.led = False
        if not left:
            self._forget(job)
        return ProcessExited(job.ticket, status, left)

    def _emptied(self) -> list[Fact]:
        """The jobs whose last survivor is gone."""
        empty = [j for j in self._jobs.values() if not j.led and not any(self._members(j))]
        for job in empty:
            self._forget(job)
        self._tell_guard()
        notices, self._notices = self._notices, []
        return [*notices, *(TreeEmptied(job.ticket) for job in empty)]

    def _forget(self, job: _Job) -> None:
        """Owners stay only for what lives on, the daemons of a build: they are no strangers."""
        del self._jobs[job.ticket]
        for pid, (start, ticket) in tuple(self._owners.items()):
            if ticket == job.ticket:
                process = self._view.look(pid)
                if process is None or process.start != start:
                    del self._owners[pid]

    def _tell_guard(self) -> None:
        groups = tuple(job.pid for job in self._jobs.values())
        if groups != self._guarded:
            self._guarded = groups
            self._guard(groups)

    # --- signals -------------------------------------------------------------------------------

    def _send(self, job: _Job, members: Iterable[Process], number: int) -> set[Process]:
        """Each once: those in the group in one go, those that left it one by one."""
        grouped = False
        reached = set()
        for process in members:
            reached.add(process)
            if process.group != job.pid:
                _kill(process.pid, number)
            elif not grouped:
                grouped = True
                _kill(-job.pid, number)
        return reached

    def _is_nested(self, job: _Job, process: Process) -> bool:
        """The app of a reloader that we run is that one's to ask."""
        environ = self._view.environ(process.pid) if process.group != job.pid else None
        return is_nested(environ or b"", self._run)

    def _note_beyond_reach(self, job: _Job) -> None:
        """Survivors that another user's rights protect don't count: nothing could be done.

        The process itself, too, is only told: its place is free when it has been collected.
        """
        for process in list(self._members(job)):
            if not _kill(process.pid, 0):
                job.beyond.add((process.pid, process.start))
                text = f"process {process.pid} belongs to another user and can't be stopped"
                then = "; its end is waited for" if process.pid == job.pid else ""
                self._notices.append(Noticed(Warned(text + then)))


def _kill(pid: int, number: int) -> bool:
    """False if it is another user's; one that is gone is no trouble."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True
