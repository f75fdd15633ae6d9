"""One trace: a build, an app and a person in virtual time, around the real state machine."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, NamedTuple

from reloader.core.changes import suspects, wants_look
from reloader.core.facts import (
    FilesChanged,
    GitMoved,
    Measured,
    ProcessExited,
    ProcessStarted,
    Tick,
    TreeEmptied,
)
from reloader.core.machine import advance, next_deadline
from reloader.core.needs import RELOAD
from reloader.core.news import Warned
from reloader.core.orders import Kill, Spawn, Stop
from reloader.core.settings import Settings
from reloader.core.state import begin
from reloader.core.values import Change, Kind, Role, Status, Written
from reloader.light import replace

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

STEPS = 20_000  # of a trace, at most
BOOKED_EARLY = 0.03  # of the app's writes: an earlier look has counted their bytes
AT_WORK = 0.3  # of a person's saves: the app has written elsewhere meanwhile


class Output(Enum):
    """What the app writes besides."""

    QUIET = auto()
    CHATTY = auto()  # much, to its stdout
    BUSY = auto()  # much, to a disk
    BLIND = auto()  # that can't be counted here


class Write(NamedTuple):
    """A file that is written so long after the start; "~" in a name is new each time."""

    after: float
    path: str
    kind: Kind = Kind.CHANGED
    size: int = 1000
    same: bool = False  # it holds the same bytes each time


class Job(NamedTuple):
    """A process: how long it lives (None: until it is stopped), and what it writes.

    `later`: what is written after its end, by a process that it has left behind.
    """

    lives: float | None
    writes: list[Write]
    later: list[Write]


class Save(NamedTuple):
    at: float
    paths: list[str]


@dataclass(frozen=True)
class Trace:
    """What happens: how the build and the app behave, and when somebody saves."""

    build: Callable[[], Job] | None = None
    app: Callable[[], Job] = lambda: Job(None, [], [])
    saves: list[Save] = field(default_factory=list)
    output: Output = Output.QUIET
    polled: float = 0.0  # how often; 0: by events
    lasts: float = 60.0
    jitter: float = 0.0  # of each time, either way: how busy the machine is
    git: bool = False  # is at work in each save
    in_memory: bool = False  # the project lies on a tmpfs
    exist: tuple[str, ...] = ()  # files that were there before


@dataclass
class Log:
    """What was seen from outside."""

    starts: dict[Role, list[float]] = field(default_factory=lambda: {r: [] for r in Role})
    actions: list[float] = field(default_factory=list)  # starts and stops
    told: list[tuple[float, str]] = field(default_factory=list)
    saves: list[float] = field(default_factory=list)


@dataclass
class Process:
    role: Role
    later: list[Write]
    alive: bool = True
    stopping: bool = False


class World:
    """Plays a trace, with the rules that stand in `State.feedback`; None: reloader's own."""

    def __init__(self, trace: Trace, rules: Any, rng: random.Random) -> None:
        self.trace, self.rng, self.log = trace, rng, Log()
        self.now = 0.0
        self.state = begin(Settings(build=trace.build is not None), 0.0)
        if rules is not None:
            self.state = replace(self.state, feedback=rules)
        self.queue: list[tuple[float, int, Callable[[], None]]] = []
        self.serial = 0
        self.processes: dict[int, Process] = {}
        self.batch: dict[str, Change] = {}
        self.polled_at = 0.0
        self.total = Written()
        self.hashes = 0
        self.files = {*trace.exist, *(path for save in trace.saves for path in save.paths)}

    def play(self) -> Log:
        for save in self.trace.saves:
            for number, path in enumerate(save.paths):
                self.at(save.at + 0.001 * number, lambda p=path, n=number: self.save(p, n))
        if self.trace.polled:
            self.at(self.trace.polled * self.rng.random(), self.poll)
        self.feed(Tick())
        for _ in range(STEPS):
            due = next_deadline(self.state)
            if self.queue and (due is None or self.queue[0][0] < due):
                self.now, _, act = heapq.heappop(self.queue)
            elif due is not None:
                self.now, act = max(self.now, due), self.tick
            else:
                break
            if self.now > self.trace.lasts:
                break
            act()
        return self.log

    def at(self, when: float, act: Callable[[], None]) -> None:
        self.serial += 1
        heapq.heappush(self.queue, (when, self.serial, act))

    def feed(self, *facts: Any) -> None:
        self.state, orders, news = advance(self.state, facts, self.now)
        self.log.told += [(self.now, item.text) for item in news if isinstance(item, Warned)]
        for order in orders:
            match order:
                case Spawn(ticket, task):
                    self.spawn(ticket, task.role)
                case Stop(ticket) | Kill(ticket):
                    self.stop(ticket)

    def tick(self) -> None:
        """As the loop does: a look at the app comes before what is due."""
        if wants_look(self.state, self.now):
            self.measure_apps()
        self.feed(Tick())

    # --- processes -----------------------------------------------------------------------------

    def spawn(self, ticket: int, role: Role) -> None:
        job = self.trace.build() if role is Role.BUILD and self.trace.build else self.trace.app()
        self.processes[ticket] = Process(role, job.later)
        self.log.starts[role].append(self.now)
        self.log.actions.append(self.now)
        speed = self.jittered()
        lasts = [self.now + 0.003 + self.delayed(w.after, role, speed) for w in job.writes]
        for when, write in zip(lasts, job.writes, strict=True):
            self.at(when, lambda w=write: self.write(ticket, w))
        if job.lives is not None:
            end = self.now + 0.004 + self.delayed(job.lives, role, speed)
            self.at(max([end, *lasts]) + 1e-6, lambda: self.end(ticket, stopped=False))
        self.feed(ProcessStarted(ticket, 1000 + ticket, role.value))

    def jittered(self) -> float:
        return self.rng.uniform(1 - self.trace.jitter, 1 + self.trace.jitter)

    def delayed(self, seconds: float, role: Role, speed: float) -> float:
        """A build is slow as a whole; an app's times lie where they like."""
        if role is Role.BUILD:
            return seconds * speed
        return seconds * self.jittered() + self.rng.uniform(0, 0.02 + 0.1 * self.trace.jitter)

    def stop(self, ticket: int) -> None:
        process = self.processes[ticket]
        if not process.alive:  # what it has left in its group; a daemon has left that
            self.at(self.now + 0.005, lambda: self.feed(TreeEmptied(ticket)))
        elif not process.stopping:
            process.stopping = True
            self.log.actions.append(self.now)
            takes = self.rng.uniform(0.002, 0.05) * (1 + 3 * self.trace.jitter)
            self.at(self.now + takes, lambda: self.end(ticket, stopped=True))

    def end(self, ticket: int, *, stopped: bool) -> None:
        process = self.processes[ticket]
        if not process.alive:
            return
        process.alive = False
        for write in [] if stopped else process.later:
            self.at(self.now + write.after, lambda w=write: self.change(w, by_app=False))
        failed = process.role is Role.APP and not stopped
        if process.role is Role.APP:
            self.measure(ticket)
            if hasattr(self.state.feedback, "app_ended"):
                self.state = replace(self.state, feedback=self.state.feedback.app_ended())
        left = 1 if process.later and not stopped else 0
        self.feed(ProcessExited(ticket, Status(1 if failed else 0), left if not failed else 0))

    # --- files ---------------------------------------------------------------------------------

    def save(self, path: str, number: int) -> None:
        if self.trace.git:
            self.feed(GitMoved(busy=True))
            self.at(self.now + 0.05, lambda: self.feed(GitMoved(busy=False)))
        self.log.saves.append(self.now)
        if not number and self.rng.random() < AT_WORK and self.trace.output is not Output.BLIND:
            self.total += Written(2000, 4096)
        self.change(Write(0, path), by_app=False)

    def write(self, ticket: int, write: Write) -> None:
        process = self.processes[ticket]
        if process.alive:
            self.change(write, by_app=process.role is Role.APP)

    def change(self, write: Write, *, by_app: bool) -> None:
        path = write.path.replace("~", f"{self.rng.random():.9f}"[2:])
        if by_app and self.rng.random() >= BOOKED_EARLY:
            self.total += Written(write.size, -(-write.size // 4096) * 4096)
        if self.trace.output in (Output.CHATTY, Output.BUSY):
            self.total += Written(20_000, 20_480 if self.trace.output is Output.BUSY else 0)
        gone = write.kind is Kind.DELETED
        if gone and path not in self.files:
            return
        size = 0 if gone else write.size
        self.hashes += 1
        digest = path if write.same else str(self.hashes)
        before = self.batch[path].kind if path in self.batch else None
        is_new = path not in self.files and before is not Kind.DELETED
        kind = Kind.DELETED if gone else Kind.NEW if is_new else Kind.CHANGED
        (self.files.discard if gone else self.files.add)(path)
        self.batch[path] = Change(
            path, RELOAD, digest if size else "", kind, size, size, on_disk=not self.trace.in_memory
        )
        if not self.trace.polled and len(self.batch) == 1:
            self.at(self.now + self.rng.uniform(0.0002, 0.002), self.deliver)

    def poll(self) -> None:
        self.deliver()
        self.at(self.now + self.trace.polled, self.poll)

    def measure(self, ticket: int) -> None:
        total = None if self.trace.output is Output.BLIND else self.total
        self.feed(Measured(ticket, total))

    def deliver(self) -> None:
        """What the watcher has seen goes to the machine, after a look at what the app wrote."""
        age = self.trace.polled + 0.002
        changes = tuple(replace(change, age=age) for change in self.batch.values())
        self.batch.clear()
        if not changes:
            return
        self.measure_apps()
        self.feed(FilesChanged(changes))

    def measure_apps(self) -> None:
        for ticket in suspects(self.state):
            self.measure(ticket)
