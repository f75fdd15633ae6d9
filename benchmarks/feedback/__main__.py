"""Plays random traces over the rules of before and of now, and prints one table.

`make bench-feedback`; `python -m benchmarks.feedback -n 300 --seed 2`
"""

from __future__ import annotations

import argparse
import random
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from benchmarks.feedback import traces
from benchmarks.feedback.before import Before
from benchmarks.feedback.world import Trace, World
from benchmarks.figures import table
from reloader.core.values import Role

if TYPE_CHECKING:
    from collections.abc import Callable

LATE = 0.13  # seconds to the first stop or start; 0.1 s are the wait for a formatter
APART = 0.3  # saves so close together are one
PATIENCE = 35.0  # a change may wait 30 s


@dataclass
class Score:
    """Of all traces of a kind."""

    number: int = 0
    up: int = 0  # the app came up
    quiet: int = 0  # in the end
    builds: list[int] = field(default_factory=list)
    apps: list[int] = field(default_factory=list)  # in the first minute
    told: list[float] = field(default_factory=list)  # first, after seconds
    tellings: int = 0  # of one trace, at most
    wrong: int = 0  # traces in which a person's file is told
    waits: list[float] = field(default_factory=list)  # of saves
    swallowed: int = 0  # saves that were acted on with the next
    never: int = 0

    def add(self, trace: Trace, rules: object, seed: int) -> None:
        log = World(trace, rules, random.Random(seed)).play()
        builds, apps = log.starts[Role.BUILD], log.starts[Role.APP]
        self.number += 1
        self.up += bool(apps)
        self.quiet += max([*builds, *apps], default=0) < trace.lasts * 0.6
        self.builds.append(len(builds))
        self.apps.append(sum(at < 60 for at in apps))
        self.told += [at for at, _ in log.told[:1]]
        self.tellings = max(self.tellings, len(log.told))
        mine = {path for save in trace.saves for path in save.paths}
        self.wrong += any(path in text for path in mine for _, text in log.told)
        for number, at in enumerate(log.saves):
            went = next((x for x in log.actions if x >= at), None)
            begun = any(x >= at for times in log.starts.values() for x in times)
            after = next((x for x in log.saves[number + 1 :] if x > at + APART), trace.lasts)
            if went is not None and begun:
                self.waits.append(went - at)
                self.swallowed += went > after and went - at > LATE
            elif trace.lasts - at > PATIENCE:
                self.never += 1

    @property
    def late(self) -> float:
        return sum(wait > LATE for wait in self.waits) / max(len(self.waits), 1)


def at(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 0.95 else f"{value * 1000:.0f} ms"


BUILDS: list[tuple[str, Callable[[Score], str]]] = [
    ("the app comes up", lambda s: f"{s.up / s.number:.0%}"),
    ("quiet in the end", lambda s: f"{s.quiet / s.number:.0%}"),
    (
        "builds, nobody saves: median, p90, max",
        lambda s: f"{statistics.median(s.builds):.0f}, {at([*s.builds], 0.9):.0f}, {max(s.builds)}",
    ),
]
APPS: list[tuple[str, Callable[[Score], str]]] = [
    ("told", lambda s: f"{len(s.told) / s.number:.0%}"),
    ("told first after, median", lambda s: seconds(at(s.told, 0.5))),
    ("times told, at most", lambda s: f"{s.tellings}"),
    (
        "starts in the first minute: median, p90, max",
        lambda s: f"{statistics.median(s.apps):.0f}, {at([*s.apps], 0.9):.0f}, {max(s.apps)}",
    ),
]
SAVES: list[tuple[str, Callable[[Score], str]]] = [
    ("saves", lambda s: f"{len(s.waits) + s.never}"),
    (f"later than {LATE * 1000:.0f} ms", lambda s: f"{s.late:.2%}"),
    ("p90, max", lambda s: f"{seconds(at(s.waits, 0.9))}, {seconds(max(s.waits, default=0))}"),
    ("seen with the next save only", lambda s: f"{s.swallowed}"),
    ("never", lambda s: f"{s.never}"),
    ("told wrongly", lambda s: f"{s.wrong} of {s.number}"),
]
KINDS: list[tuple[str, Callable[[random.Random], Trace], list[tuple[str, Callable[[Score], str]]]]]
KINDS = [
    ("a build that writes what is watched", traces.build_alone, BUILDS),
    ("a build that leaves a daemon that writes", traces.build_that_leaves_a_daemon, BUILDS),
    ("an app that writes what is watched", traces.app_alone, APPS),
    ("saves during such builds", traces.saves_in_builds, SAVES),
    ("saves during builds that write nothing", traces.saves_in_plain_builds, SAVES),
    ("regular saves", traces.saves, SAVES),
    ("saves beside an app that writes", traces.saves_beside_an_app_that_writes, SAVES),
]
RULES: dict[str, Callable[[], object]] = {"before": Before, "now": lambda: None}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.feedback", description=__doc__)
    parser.add_argument("-n", "--number", type=int, default=150, help="traces of each kind")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--only", default="", help="part of a kind's name")
    options = parser.parse_args()
    rows = []
    for name, make, columns in KINDS:
        if options.only not in name:
            continue
        scores = {rules: Score() for rules in RULES}
        for number in range(options.number):
            for rules, score in scores.items():
                trace = make(random.Random(f"{name} {options.seed} {number}"))
                score.add(trace, RULES[rules](), number)
        rows += [
            [name if first else "", what, *(show(score) for score in scores.values())]
            for first, (what, show) in zip([True] + [False] * 9, columns, strict=False)
        ]
    print(table(["traces", "what is seen", *RULES], rows))


if __name__ == "__main__":
    main()
