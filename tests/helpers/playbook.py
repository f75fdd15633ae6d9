"""A script for the machine, with virtual time: facts in, orders and news expected out.

    Playbook(Settings()).at(0.0, Tick()).expect(Spawn(1, APP)) …

A step's orders must be exactly those expected; a script that ends with something unchecked fails.
"""

from __future__ import annotations

from reloader.core.facts import FilesChanged, ProcessExited, ProcessStarted, SignalReceived, Tick
from reloader.core.formatters import Echo, Echoes
from reloader.core.machine import State, advance, next_deadline
from reloader.core.needs import RELOAD, Needs
from reloader.core.orders import Spawn
from reloader.core.settings import Settings
from reloader.core.values import Change, Role, Status, Task

APP = Task(Role.APP)
BUILD = Task(Role.BUILD)
NO_FORMATTER = Echoes({"py": Echo(gap=0.0, trust=0)})  # its first save was long ago


def save(*paths: str, rule: str = "") -> FilesChanged:
    needs = Needs(rules=frozenset({rule})) if rule else RELOAD
    return FilesChanged(tuple(Change(path, needs) for path in paths or ("app.py",)))


class Playbook:
    def __init__(self, settings: Settings | None = None) -> None:
        self.state = State(settings or Settings(), echoes=NO_FORMATTER)
        self.now = 0.0
        self.orders: tuple = ()
        self.news: tuple = ()
        self.script: list[str] = []

    def at(self, now: float, fact=None) -> Playbook:
        """Give the machine a fact (default: a Tick) at that time."""
        assert not self.orders, f"unexpected orders {self.orders} in\n{self}"
        assert now >= self.now
        self.now = now
        self.state, self.orders, self.news = advance(self.state, (fact or Tick(),), now)
        self.script.append(
            f"{now:8.3f} {fact or Tick()}\n         -> {self.orders}\n         !! {self.news}"
        )
        return self

    def expect(self, *orders) -> Playbook:
        assert self.orders == orders, f"expected {orders} in\n{self}"
        self.orders = ()
        return self

    def tells(self, *kinds: type) -> Playbook:
        """The news of this step are of these kinds, in this order."""
        assert tuple(type(n) for n in self.news) == kinds, f"expected news {kinds} in\n{self}"
        return self

    def spawns(self, task: Task) -> Playbook:
        """The step ordered just this; the process starts at once, its pid is 100 + ticket."""
        ticket = self.state.tickets
        return self.expect(Spawn(ticket, task)).at(
            self.now, ProcessStarted(ticket, 100 + ticket, str(task))
        )

    def exits(
        self, ticket: int, code: int = 0, *, survivors: int = 0, at: float | None = None
    ) -> Playbook:
        when = self.now if at is None else at
        return self.at(when, ProcessExited(ticket, Status(code), survivors))

    def signal(self, now: float, number: int = 15) -> Playbook:
        return self.at(now, SignalReceived(number))

    def waits_until(self, deadline: float | None) -> Playbook:
        assert not self.orders, f"unexpected orders in\n{self}"
        due = next_deadline(self.state)
        assert due == deadline or abs((due or 0) - (deadline or 0)) < 1e-9, (
            f"next deadline {due} in\n{self}"
        )
        return self

    def done(self) -> None:
        assert not self.orders, f"unexpected orders in\n{self}"
        assert self.state.done, f"not done in\n{self}"

    def __str__(self) -> str:
        return "\n".join(self.script)
