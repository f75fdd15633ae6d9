"""The processes that reloader starts, until nothing is left of them.

The only place that spawns, signals and reaps; for the main thread alone. It rests on one order of
steps: peek at a zombie, look at what lives of its tree while the zombie still holds its pid and
group, and only then collect it. It decides nothing: when to stop or kill is the machine's choice.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.command.which import SpawnError, find
from reloader.core.facts import Measured, Noticed, ProcessExited, TreeEmptied
from reloader.core.news import Warned
from reloader.core.values import Scope, Status, Written
from reloader.light import replace
from reloader.process import mark
from reloader.process.spawn import Starter
from reloader.process.stop_rule import AT_ONCE, Stop
from reloader.process.tree import ProcView, written
from reloader.process.trees import Job, Trees
from reloader.process.wait import Waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds, Ticket
    from reloader.process.oom import MemoryLimit
    from reloader.process.spec import SpawnSpec
    from reloader.process.stop_rule import Key, Member, StopTerms
    from reloader.process.tree import Process

__all__ = ["Children", "SpawnError"]

# Looks in one kill. Each finds what was forked during the one before; what never comes to an end
# is taken up again by the next Kill.
_NOBODY = 0  # the ticket of processes that belong to no job
ROUNDS = 20
HELD_AFTER: Seconds = 1.0  # from the first SIGKILL until it is told what keeps a process alive


class Children:
    """All processes of this run.

    `run`: from `mark.new_run()`. `adopts`: orphans come to reloader, see
    `orphans.become_subreaper`. `strangers`: so do the orphans of others, as to a container's PID 1.
    `guard` is told the jobs that must not outlive reloader, {ticket: process group}, whenever they
    change. `now`: the clock of the loop.
    """

    def __init__(
        self,
        run: str,
        *,
        adopts: bool = True,
        strangers: bool = True,
        guard: Callable[[Mapping[Ticket, int]], None] = lambda _: None,
        now: Callable[[], Seconds] = time.monotonic,
    ) -> None:
        self._run = run
        self.adopts = adopts and ProcView.works()
        self._guard = guard
        self._guarded: Mapping[Ticket, int] = {}
        self._now = now
        self._starter = Starter()
        self._waiter = Waiter()
        self._trees = Trees(run, self._warn, adopts=adopts, strangers=strangers)
        self._notices: list[Fact] = []
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
        with mark.inherited(self._run, ticket):
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
        mark.put_on(pid, self._run, ticket)
        self._enter(ticket, pid)

    def marked(self, ticket: Ticket, env: Mapping[str, str]) -> dict[str, str]:
        """Returns this environment with the mark by which the processes of `ticket` are known."""
        return mark.stamped(env, self._run, ticket)

    def spawn_helper(self, spec: SpawnSpec) -> int:
        """Starts a process that is no part of any tree; returns its pid. Raises SpawnError.

        It may fork processes for `adopt`: its mark is as long as theirs, see `padded_mark`.
        """
        env = self.marked(_NOBODY, spec.env)
        env[mark.NAME] = mark.padded(env[mark.NAME], _NOBODY)
        path = find(spec.argv[0], env, spec.cwd)
        pid = self._starter.start(path, replace(spec, env=env))
        self.register_helper(pid)
        return pid

    def end_helper(self, pid: int) -> None:
        """Kills a helper, unless it has ended."""
        if pid in self._trees.helpers:
            _kill(pid, signal.SIGKILL)

    def padded_mark(self, ticket: Ticket, env: Mapping[str, str]) -> str:
        """Returns what stands for the mark in the memory of a process that a helper has forked."""
        return mark.padded(self.marked(ticket, env)[mark.NAME], ticket)

    def collect(self) -> list[Fact]:
        """Returns what has ended since the last call, and goes on with stops; never blocks."""
        facts: list[Fact] = []
        while (pid := self._waiter.peek(self._trees.leaders)) is not None:
            job = self._trees.leaders.get(pid)
            members = [process.pid for process in self._trees.members(job)] if job else []
            if job:
                facts.append(self._measured(job, [pid, *members]))
            status = self._waiter.collect(pid)
            self._trees.owners.forget(pid)
            if status.signal == signal.SIGKILL and self._memory and self._memory.has_killed():
                why = "out of memory (container's limit)"
                self._warn(f"process {pid} was killed by the kernel: {why}")
            if job:
                facts.append(self._ended(job, status, len(members)))
            elif ended := self._trees.helpers.pop(pid, None):
                ended()
        for job in self._trees.jobs.values():
            self._ask(job)
        return facts + self._emptied()

    def deadline(self) -> Seconds | None:
        """Returns when to call `collect` though none has ended (`time.monotonic`), or None."""
        looks = [job.stop.look_at for job in self._trees.jobs.values() if job.stop]
        due = min((look for look in looks if look is not None), default=None)
        return None if due is None else due - self._now() + time.monotonic()

    def stop(
        self,
        ticket: Ticket,
        number: int,
        terms: StopTerms = AT_ONCE,
        *,
        skip_group: bool = False,
    ) -> list[Fact]:
        """Begins a stop by this signal: processes are asked, each once, as `stop_rule` has it.

        All get SIGCONT, for a stopped process would not act on the signal. `skip_group`: a terminal
        has sent the signal to the process group already.
        """
        if job := self._trees.jobs.get(ticket):
            job.stop = Stop(job.pid, number, terms, self._now())
            members = list(self._trees.members(job))
            if skip_group:
                job.stop.has_asked(p.key for p in members if p.group == job.pid)
            self._ask(job)
            self._send(job, members, signal.SIGCONT)
        return self._emptied()

    def kill(self, ticket: Ticket, scope: Scope = Scope.TREE) -> list[Fact]:
        """SIGKILL, until a look finds nothing new; from now on only survivors in `scope` count."""
        job = self._trees.jobs.get(ticket)
        if job is None:
            return []
        job.scope, job.stop = scope, None
        job.killed_at = self._now() if job.killed_at is None else job.killed_at
        reached: set[Key] = set()
        for _ in range(ROUNDS):
            # Each as soon as it is seen: what has a SIGKILL coming forks no more.
            now = self._send(job, self._trees.members(job), signal.SIGKILL)
            if now <= reached:
                break
            reached |= now
        self._note_unkillable(job)
        return self._note_held(job) + self._emptied()

    def forward(self, ticket: Ticket, number: int) -> None:
        """Hands a signal on to the process itself, as if it stood in reloader's place.

        SIGWINCH goes to its whole group, as a terminal sends it.
        """
        job = self._trees.jobs.get(ticket)
        if job and job.leader_alive:
            _kill(-job.pid if number == signal.SIGWINCH else job.pid, number)

    def stopped(self) -> Iterator[tuple[Ticket, int, int]]:
        """Yields jobs that were stopped since the last call: ticket, pid, and by which signal."""
        for job in tuple(self._trees.leaders.values()):
            if number := self._waiter.stopped(job.pid):
                yield job.ticket, job.pid, number

    def send_to_groups(self, number: int) -> None:
        """Sends a signal to the process group of each job, as a terminal does to its foreground."""
        for job in self._trees.leaders.values():
            _kill(-job.pid, number)

    def register_helper(self, pid: int, ended: Callable[[], object] = lambda: None) -> None:
        """Notes a child of reloader that belongs to no job, whatever its group.

        It is never signalled; `ended` is called when it has been reaped. Every child that was not
        started by `spawn` must be registered, or it is taken for an orphan of a job.
        """
        self._trees.helpers[pid] = ended

    def guarded_by(self, guard: Callable[[Mapping[Ticket, int]], None]) -> None:
        """Tells a new guard all jobs, and from now on whenever they change."""
        self._guard = guard
        if self._guarded:
            guard(self._guarded)

    def survivors(self, ticket: Ticket) -> int:
        """Returns how many processes of its tree live, the process itself not counted."""
        job = self._trees.jobs.get(ticket)
        return sum(p.pid != job.pid for p in self._trees.members(job)) if job else 0

    def measure(self, ticket: Ticket) -> list[Fact]:
        """Tells how much its tree has written; a process that ended counts for its parent."""
        if not (job := self._trees.jobs.get(ticket)):
            return []
        pids = {p.pid for p in self._trees.members(job)}  # a leader that has ended is none
        return [self._measured(job, {job.pid, *pids} if job.leader_alive else pids)]

    def has(self, ticket: Ticket) -> bool:
        """Returns True while anything lives of the tree of this process."""
        return ticket in self._trees.jobs

    def alive(self) -> bool:
        """Returns True if anything of a job is not accounted for."""
        return bool(self._trees.jobs)

    def close(self) -> None:
        """Kills what is still there; nobody is told.

        That includes orphans whose job could not be told. What a good build has left on purpose
        lives on.
        """
        for ticket in tuple(self._trees.jobs):
            self.kill(ticket)
        with suppress(OSError):  # /proc can't be read: then there is nothing that could be done
            for process in list(self._trees.unowned()):
                _kill(process.pid, signal.SIGKILL)
        self.collect()

    # --- what became of it ---------------------------------------------------------------------

    def _enter(self, ticket: Ticket, pid: int) -> None:
        self._trees.jobs[ticket] = self._trees.leaders[pid] = Job(ticket, pid)
        self._trees.owners.forget(pid)
        self._tell_guard()
        if self._memory is None:  # not before the first process: the user waits for it
            from reloader.process.oom import MemoryLimit

            self._memory = MemoryLimit()

    @staticmethod
    def _measured(job: Job, pids: Iterable[int]) -> Fact:
        total = Written()
        for pid in pids:
            if (more := written(pid)) is None:
                return Measured(job.ticket, None)
            total += more
        return Measured(job.ticket, total)

    def _ended(self, job: Job, status: Status, left: int) -> Fact:
        del self._trees.leaders[job.pid]
        job.leader_alive = False
        if not left:
            self._trees.forget(job)
        return ProcessExited(job.ticket, status, left)

    def _emptied(self) -> list[Fact]:
        """Returns what was noticed, and the jobs whose last survivor is gone."""
        empty = [
            j for j in self._trees.jobs.values() if not j.leader_alive and self._trees.is_empty(j)
        ]
        for job in empty:
            self._trees.forget(job)
        self._tell_guard()
        notices, self._notices = self._notices, []
        return [*notices, *(TreeEmptied(job.ticket) for job in empty)]

    def _tell_guard(self) -> None:
        jobs = {job.ticket: job.pid for job in self._trees.jobs.values()}
        if jobs != self._guarded:
            self._guarded = jobs
            self._guard(jobs)

    def _warn(self, text: str) -> None:
        self._notices.append(Noticed(Warned(text)))

    # --- signals -------------------------------------------------------------------------------

    def _ask(self, job: Job) -> None:
        """Sends the signal of the stop that is under way to those who are to get it now."""
        stop = job.stop
        if stop is None or stop.look_at is None:
            return
        now, processes = self._now(), list(self._trees.members(job))
        if stop.waits((process.key for process in processes), now):
            return
        own = [process for process in processes if not self._is_nested(job, process)]
        members = [self._trees.view.member(process, stop.number) for process in own]
        lingering = stop.lingering(members, now)
        asked = stop.next(members, now)
        groups = {process.pid: process.group for process in own if process.start == 0}
        for member in asked:  # a group that stands for its processes has no start
            target = -member.pid if groups.get(member.pid) == member.pid else member.pid
            _kill(target, stop.number)
            _kill(target, signal.SIGCONT)
        if lingering and asked:
            self._note_late(stop, lingering, asked)

    def _note_late(self, stop: Stop, lingering: list[Member], asked: list[Member]) -> None:
        name = signal.Signals(stop.number).name
        first, then = lingering[0], ", ".join(f"{m.pid} ({m.name})" for m in asked[:3])
        self._warn(
            f"process {first.pid} ({first.name}) still runs {stop.lasts(self._now()):.1f} s after "
            f"{name}; now {then} got it, too"
        )

    def _send(self, job: Job, members: Iterable[Process], number: int) -> set[Key]:
        """Sends to each once: to those in the group in one go, to those that left it one by one."""
        grouped = False
        reached = set()
        for process in members:
            reached.add(process.key)
            if process.group != job.pid:
                _kill(process.pid, number)
            elif not grouped:
                grouped = True
                _kill(-job.pid, number)
        return reached

    def _is_nested(self, job: Job, process: Process) -> bool:
        """Returns True for the app of a reloader that runs below this one: that one stops it."""
        environ = self._trees.view.environ(process.pid) if process.group != job.pid else None
        return mark.is_nested(environ or b"", self._run)

    # --- what can't be ended -------------------------------------------------------------------

    def _note_unkillable(self, job: Job) -> None:
        """Tells of survivors that another user's rights protect; they don't count any more.

        The process itself is only told: its place is free when it has been collected.
        """
        for process in list(self._trees.members(job)):
            if not _kill(process.pid, 0):
                job.unkillable.add(process.key)
                text = f"process {process.pid} belongs to another user and can't be stopped"
                then = "; its end is waited for" if process.pid == job.pid else ""
                self._warn(text + then)

    def _note_held(self, job: Job) -> list[Fact]:
        """Tells what keeps a process alive a while after SIGKILL: a debugger, a frozen cgroup.

        A zombie that only its debugger still sees holds nothing: it counts as ended.
        """
        if job.killed_at is None or self._now() < job.killed_at + HELD_AFTER:
            return []
        from reloader.process.held import holder, is_traced_zombie

        for process in self._trees.members(job):
            if process.key not in job.told:
                job.told.add(process.key)
                by = holder(process.pid)
                self._warn(f"process {process.pid} ({process.name}) does not end: {by}")
        if not job.leader_alive or not is_traced_zombie(job.pid):
            return []
        self._warn(f"process {job.pid} has ended, but {holder(job.pid)}: it is not waited for")
        self._trees.helpers[job.pid] = lambda: None  # reaped when the debugger lets go
        return [
            self._ended(
                job, Status(signal=signal.SIGKILL), sum(1 for _ in self._trees.members(job))
            )
        ]


def _kill(pid: int, number: int) -> bool:
    """Returns False if the process is another user's; one that is gone is no trouble."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True
