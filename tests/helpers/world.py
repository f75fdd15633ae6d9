"""A simulated machine for the state machine: random delays, failures and deaf children.

It holds what must never happen, at every step, whatever the seed.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reloader.core.facts import (
    BecameIdle,
    BecameReady,
    FilesChanged,
    Measured,
    ProcessExited,
    ProcessStarted,
    Requested,
    SignalReceived,
    SpawnFailed,
    Tick,
    TreeEmptied,
)
from reloader.core.machine import advance, next_deadline
from reloader.core.needs import RELOAD, Needs
from reloader.core.news import AppDropped, AppExited, AppStarted, StartFailed
from reloader.core.orders import Drain, Kill, Quit, Route, Spawn, Stop
from reloader.core.state import Again, Failed, begin, is_moving
from reloader.core.values import Change, Gate, Kind, Request, Role, Scope, Status, Wish, Written

if TYPE_CHECKING:
    from reloader.core.settings import Settings

PIPELINE = (Role.PRE, Role.BUILD)
# A wait changes nothing; tests/prove looks at its answers.
WISHES = tuple(wish for wish in Wish if wish is not Wish.WAIT)


@dataclass
class Process:
    ticket: int
    role: Role
    name: str
    version: int  # of the source, as it was when it started (an app: as its build was)
    deaf: bool
    leader: bool = True  # still there
    children: int = 0  # of its tree, without the leader
    daemons: int = 0  # that left the group


@dataclass
class World:
    seed: int
    settings: Settings
    now: float = 0.0
    version: int = 1
    built: int = 0
    quits: int = 0
    steps: int = 0
    alive: dict[int, Process] = field(default_factory=dict)
    excuse: str = ""  # why no app runs, as it was last told; "" if one was started since
    gate: Gate = Gate.REFUSE

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.state = begin(self.settings, 0.0)
        self.writes = self.random.random() < 0.4  # what is watched, by the build and the app
        self.queue: list = []
        self.serial = 0
        for _ in range(self.random.randrange(12)):
            self.later(self.random.random() * 20, "save")
        for _ in range(self.random.choice([0, 0, 3, 9])):
            self.later(self.random.random() * 25, Requested(Request(self.random.choice(WISHES))))
        self.later(30, "go on")
        self.quiet_at = 120.0  # long after the last save
        self.quit_at = self.quiet_at + 30
        self.later(self.quiet_at, "rest")
        self.later(self.quit_at, SignalReceived(15))
        if self.random.random() < 0.3:
            self.later(self.quit_at + self.random.random(), SignalReceived(2))

    def random_request(self) -> Requested:
        return Requested(Request(self.random.choice(WISHES)))

    def later(self, delay: float, what) -> None:
        self.serial += 1
        heapq.heappush(self.queue, (self.now + delay, self.serial, what))

    def run(self) -> World:
        fact = Tick()
        while not self.state.done:
            self.steps += 1
            assert self.steps < 20_000, "no end"
            self.state, orders, news = advance(self.state, (fact,), self.now)
            for item in news:
                self.hear(item)
            for order in orders:
                self.perform(order)
            self.check()
            if not self.state.done:
                fact = self.next_fact()
        assert self.quits == 1
        assert not self.alive, f"left alive: {self.alive}"
        return self

    def next_fact(self):
        while True:
            deadline = next_deadline(self.state)
            assert deadline is not None or self.queue, f"stuck: {self.state}"
            if deadline is not None and (not self.queue or deadline < self.queue[0][0]):
                self.now = max(self.now, deadline)
                return Tick()
            self.now, _, what = heapq.heappop(self.queue)
            fact = what if not callable(what) and not isinstance(what, str) else self.happen(what)
            if fact is not None:
                return fact

    def happen(self, what):
        if what == "save":
            return self.save()
        if what == "go on":
            return Requested(Request(Wish.RESUME))
        if what == "rest":
            return self.rest()
        return what()

    def save(self):
        if self.settings.rule_paces and self.random.random() < 0.3:
            return FilesChanged((Change("a.css", Needs(rules=frozenset({"css"}))),))
        self.version += 1
        self.measure()
        path = self.random.choice(["a.py", f"v{self.version}.py"])
        kind = self.random.choice([Kind.CHANGED, Kind.CHANGED, Kind.NEW, Kind.DELETED])
        size = self.random.choice([0, 500])
        return FilesChanged((Change(path, RELOAD, kind=kind, size=size, least=size),))

    def write(self, ticket: int):
        """A job or the app writes a file of its own, which changes nothing in the sources."""
        process = self.alive.get(ticket)
        if process is None or not process.leader:
            return None
        self.measure()
        digest = self.random.choice(["", "same"])
        return FilesChanged((Change(f"{process.role.value}.txt", RELOAD, digest, size=500),))

    def measure(self) -> None:
        for process in self.alive.values():
            if process.role is Role.APP:
                written = self.random.choice([None, Written(), Written(1000, 0), Written(0, 4096)])
                fact = Measured(process.ticket, written)
                self.state, _, _ = advance(self.state, (fact,), self.now)

    def hear(self, news) -> None:
        """Notes what people are told about an app that does not run."""
        match news:
            case AppStarted():
                self.excuse = ""
            case AppDropped(why=why):
                self.excuse = why
            case (
                AppExited(restart_in=None, why=why)
                | StartFailed(what="app", retry_in=None, why=why)
            ):
                self.excuse = why

    def rest(self) -> None:
        """Long after the last change the last version runs, or it is told why not."""
        state = self.state
        assert not state.bursts or self.writes
        failed = isinstance(state.pipeline.work, Failed)
        if state.shortage is not None and state.shortage.retry_at is not None:
            return
        if isinstance(state.fleet.want, Again):
            assert state.fleet.want.at >= self.now, "a promised start that never comes"
            return
        if is_moving(state):
            assert self.alive, f"work left: {state.pipeline}"
            return  # a deaf tree, a hanging build: still at work
        apps = [p for p in self.alive.values() if p.role is Role.APP]
        if self.settings.app and state.fleet.wanted is not None:
            assert apps or self.excuse, f"no app, though one was built: {state.fleet}"
        assert state.fleet.wanted is not None or failed or not self.settings.app
        newest = max((p.version for p in apps), default=self.version)
        if not failed and not self.excuse:
            assert newest == self.version, f"stale: {apps}, {self.version}"

    def perform(self, order) -> None:
        match order:
            case Spawn(ticket, task):
                self.spawn(ticket, task)
            case Stop(ticket):
                if not self.alive[ticket].deaf:
                    self.later(self.random.choice([0.01, 0.3, 1]), lambda: self.end(ticket, 0, 15))
            case Kill(ticket, Scope.GROUP):
                self.later(0.01, lambda: self.sweep(ticket, group=True))
            case Kill(ticket):
                self.later(0.01, lambda: self.end(ticket, 0, 9, whole=True))
            case Route(gate):
                self.gate = gate
            case Drain(ticket, is_ending):
                assert not is_ending or self.state.shutdown is None
                if self.random.random() < 0.5:
                    self.later(self.random.random(), BecameIdle(ticket))
            case Quit():
                self.quits += 1

    def spawn(self, ticket: int, task) -> None:
        chance = self.random.random()
        if chance < 0.06:
            return self.later(0, SpawnFailed(ticket, "x", "no", passing=chance < 0.03))
        version = self.built if task.role is Role.APP and self.settings.build else self.version
        self.alive[ticket] = Process(
            ticket,
            task.role,
            task.name,
            version,
            deaf=self.random.random() < 0.2,
            children=self.random.choice([0, 0, 2]),
            daemons=self.random.choice([0, 0, 0, 1]),
        )
        self.later(0, ProcessStarted(ticket, 100 + ticket, "x"))
        if self.writes and task.role in (Role.BUILD, Role.APP):
            self.later(0.1 + self.random.random(), lambda: self.write(ticket))
        if self.settings.strategy.awaits_ready and self.random.random() < 0.8:
            self.later(self.random.random() * 5, BecameReady(ticket, "http://127.0.0.1:8000"))
        code = 0 if self.random.random() < 0.75 else 1
        if task.role is not Role.APP:
            if self.random.random() < 0.95:
                self.later(0.001 + self.random.expovariate(1), lambda: self.end(ticket, code, 0))
        elif self.random.random() < 0.3:
            self.later(self.random.random() * 30, lambda: self.end(ticket, code, 0))
        return None

    def end(self, ticket: int, code: int, number: int, *, whole: bool = False):
        """Leader's end, with its tree if `whole` (or if there is none)."""
        process = self.alive.get(ticket)
        if process is None:
            return None
        if whole:
            process.children = process.daemons = 0
        elif number and self.random.random() < 0.7:
            process.children = 0
        if not process.leader:
            if process.children + process.daemons and number != 9:
                process.children = process.daemons = 0
            return self.empty(ticket)
        process.leader = False
        if process.role is Role.BUILD and not code and not number:
            self.built = process.version
        survivors = process.children + process.daemons
        if not survivors:
            del self.alive[ticket]
        return ProcessExited(ticket, Status(code, number), survivors)

    def sweep(self, ticket: int, *, group: bool):
        process = self.alive.get(ticket)
        if process is None or process.leader:
            return None
        process.children = 0
        if group:
            process.daemons = 0  # let go: no longer ours to wait for
        return self.empty(ticket)

    def empty(self, ticket: int):
        process = self.alive[ticket]
        if process.leader or process.children or process.daemons:
            return None
        del self.alive[ticket]
        return TreeEmptied(ticket)

    def check(self) -> None:
        roles = [p.role for p in self.alive.values()]
        apps = [p for p in self.state.generations if p.ticket in self.alive]
        if not self.settings.strategy.overlap:
            assert sum(r is Role.APP for r in roles) <= 1, "two apps"
        assert sum(p.ready_at is None for p in apps) <= 1, "two candidates"
        assert sum(p.wanted and p.ready_at is not None for p in apps) <= 1, "two that serve"
        assert len(apps) <= 4, "too many that leave"
        if self.gate is Gate.OPEN and not self.state.done:
            assert self.state.serving, "clients are sent to nobody"
        assert sum(r in PIPELINE for r in roles) <= 1, "two builds"
        names = [p.name for p in self.alive.values() if p.role is Role.RULE]
        assert len(names) == len(set(names)), "a rule twice"
        if self.state.done:
            return
        known = {p.ticket for p in self.state.procs}
        assert set(self.alive) <= known, "a process nobody knows"
