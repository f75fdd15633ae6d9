"""An exhaustive search over the machine: every sequence of events within a budget.

`python -m tests.prove` runs it; `explore` is what tests call.
"""

from __future__ import annotations

import gc
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reloader.light import fields
from tests.prove.model import Violation, canonical, start, successors

if TYPE_CHECKING:
    from reloader.core.facts import Fact
    from reloader.core.settings import Settings
    from tests.prove.model import Budget, World


@dataclass
class Report:
    """`closed`: all worlds were seen. `script`: the shortest way to a violation; "" if none."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    closed: bool = False
    seconds: float = 0.0
    violation: str = ""
    script: str = ""


def explore(settings: Settings, budget: Budget, most: int = 10_000_000) -> Report:
    """Breadth first, so the first violation has a shortest script."""
    report, began = Report(), time.perf_counter()
    gc.disable()
    try:
        _search(settings, budget, most, report)
    finally:
        gc.enable()
    report.seconds = time.perf_counter() - began
    return report


def _search(settings: Settings, budget: Budget, most: int, report: Report) -> None:
    # For each world that was seen: the world before it, the fact, the time.
    came: dict[int, tuple[int, Fact | None, float]] = {}
    try:
        first = start(settings, budget)
    except Violation as error:
        report.violation, report.script = str(error), playbook(settings, [])
        return
    came[hash(canonical(first))] = (0, None, 0.0)
    queue: deque[tuple[World, int, int]] = deque([(first, hash(canonical(first)), 0)])
    while queue and len(came) < most:
        world, key, depth = queue.popleft()
        report.depth = max(report.depth, depth)
        attempted = successors(world)
        while True:
            try:
                fact, after = next(attempted)
            except StopIteration:
                break
            except Violation as error:
                report.violation = str(error)
                report.script = playbook(settings, way(came, key), world)
                report.states = len(came)
                return
            report.transitions += 1
            found = hash(canonical(after))
            if found not in came:
                came[found] = (key, fact, after.now)
                queue.append((after, found, depth + 1))
    report.states, report.closed = len(came), not queue


def way(came: dict[int, tuple[int, Fact | None, float]], key: int) -> list[tuple[float, Fact]]:
    steps = []
    while key:
        key, fact, now = came[key]
        if fact is not None:
            steps.append((now, fact))
    return steps[::-1]


def playbook(settings: Settings, steps: list[tuple[float, Fact]], last: World | None = None) -> str:
    """The script as a test would have it; the orders it leads to are left to the reader."""
    lines = [f"book = Playbook({short(settings)}).at(0); book.orders = ()"]
    lines += [f"book.at({now:g}, {fact}); book.orders = ()" for now, fact in steps]
    if last is not None:
        lines += ["# what comes next breaks it; by then:", f"# work {last.state.pipeline.work}"]
        lines += [f"# {last.state.fleet}", f"# shutdown {last.state.shutdown}"]
        lines += [f"# {proc}" for proc in last.state.procs]
    return "\n".join(lines)


def short(value: object) -> str:
    """The value with those of its fields that differ from the default."""
    plain = type(value)()
    given = [
        f"{item.name}={getattr(value, item.name)!r}"
        for item in fields(value)
        if getattr(value, item.name) != getattr(plain, item.name)
    ]
    return f"{type(value).__name__}({', '.join(given)})"
