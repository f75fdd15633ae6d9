"""A script for the machine, with virtual time: facts in, orders and news expected out.

    Playbook(Settings()).at(0.0, Tick()).expect(Spawn(1, APP)) …

A step's orders must be exactly those expected. A script whose last step has orders that nothing
expects fails, too, as it is thrown away.
"""

from __future__ import annotations

from reloader.core.facts import FilesChanged, ProcessExited, ProcessStarted, SignalReceived, Tick
from reloader.core.formatters import FormatterDelay, FormatterDelays
from reloader.core.machine import advance, next_deadline
from reloader.core.needs import RELOAD, Needs
from reloader.core.orders import Spawn
from reloader.core.settings import Settings
from reloader.core.state import begin
from reloader.core.values import Change, Role, Status, Task
from reloader.light import replace

APP = Task(Role.APP)
BUILD = Task(Role.BUILD)
NO_FORMATTER = FormatterDelays(
    {"py": FormatterDelay(gap=0.0, trust=0)}
)  # its first save was long ago


def save(*paths: str, rule: str = "") -> FilesChanged:
    """Files of 100 bytes, which no app of these scripts has written, for they write nothing."""
    needs = Needs(rules=frozenset({rule})) if rule else RELOAD
    changes = (Change(path, needs, size=100, least=100) for path in paths or ("app.py",))
    return FilesChanged(tuple(changes))


def plain(order):
    """The order without the version that it starts: most scripts say nothing of it."""
    return replace(order, version=None) if isinstance(order, Spawn) else order


class Playbook:
    def __init__(self, settings: Settings | None = None) -> None:
        self.orders: tuple = ()
        self.news: tuple = ()
        self.script: list[str] = []
        self.failed = False
        self.now = 0.0
        self.state = replace(begin(settings or Settings(), 0.0), formatters=NO_FORMATTER)

    def __del__(self) -> None:
        """An unfinished script is a failed one (pytest turns this into an error)."""
        if not self.failed:
            self.must(not self.orders, "no more orders", self.orders)

    def must(self, holds: bool, expected: object, found: object) -> None:
        if not holds:
            self.failed = True
            script = "\n".join(self.script)
            raise AssertionError(f"\n{script}\n\nexpected {expected}\nfound    {found}")

    def at(self, now: float, fact=None) -> Playbook:
        """Give the machine a fact (default: a Tick) at that time."""
        self.must(not self.orders, "no more orders", self.orders)
        self.must(now >= self.now, f"a time after {self.now}", now)
        self.now = now
        self.state, self.orders, self.news = advance(self.state, (fact or Tick(),), now)
        self.script.append(
            f"{now:8.3f} {fact or Tick()}\n         -> {self.orders}\n         !! {self.news}"
        )
        return self

    def expect(self, *orders) -> Playbook:
        with_version = any(isinstance(order, Spawn) and order.version for order in orders)
        found = self.orders if with_version else tuple(plain(order) for order in self.orders)
        self.must(found == orders, orders, found)
        self.orders = ()
        return self

    def tells(self, *kinds: type) -> Playbook:
        """The news of this step are of these kinds, in this order."""
        found = tuple(type(n) for n in self.news)
        self.must(found == kinds, kinds, found)
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
        self.must(not self.orders, "no orders", self.orders)
        due = next_deadline(self.state)
        close = due == deadline or abs((due or 0) - (deadline or 0)) < 1e-9
        self.must(close, f"the next deadline at {deadline}", due)
        return self

    def done(self) -> None:
        self.must(not self.orders, "no orders", self.orders)
        self.must(self.state.done, "the end", self.state)

    def __str__(self) -> str:
        return "\n".join(self.script)
