"""The kinds of config that are searched, and how much happens in each."""

from __future__ import annotations

from typing import NamedTuple

from reloader.core.debounce import Pace
from reloader.core.needs import Needs
from reloader.core.settings import Settings, Strategy
from reloader.core.values import Stage
from tests.prove.model import Budget

HOLD = Strategy(awaits_ready=True, holds=True, drain=0.25)
# Times that are multiples of one another let deadlines of several generations coincide; with each
# its own, the times between them would make a world of each order of events.
OVERLAP = Strategy(overlap=True, awaits_ready=True, holds=True, drain=0.25, ready_within=1)
EVEN = Settings(build=True, pace=Pace(0.25, 0.25), grace=2.0, strategy=OVERLAP)

NEEDS = {"db": Stage.READY, "gen": Stage.COMPLETED}
RULES = Settings(rule_paces={"pip": Pace()}, rule_then={"pip": Needs(restart=True)})


class Kind(NamedTuple):
    name: str
    settings: Settings
    budget: Budget


FULL = Budget(saves=2, signals=1, wishes=1, failed_spawns=1, failed_builds=2, crashes=1)
FEW = FULL._replace(saves=1, failed_spawns=0, failed_builds=1)
WAITS = Budget(saves=1, signals=1, wishes=1, failed_builds=1, crashes=1, waits=1)

# The longest search first, so that two processes end at about the same time.
KINDS = (
    Kind("overlap", EVEN, FULL._replace(wishes=0)),
    Kind("edits", Settings(build=True), FULL._replace(edits=1)),
    Kind("rules", RULES, FULL),
    Kind("build", Settings(build=True), FULL),
    Kind("stop_on_error", Settings(build=True, stop_on_error=True), FULL),
    Kind("rerun", Settings(build=True, rerun=0.5), FULL),
    Kind("hooks", Settings(build=True, pre=1, post=1), FULL),
    Kind("broken saves", Settings(), FULL._replace(broken=2)),
    Kind("loops", Settings(build=True), FULL._replace(saves=1, loops=1, failed_spawns=0)),
    Kind("hold", Settings(strategy=HOLD), FULL),
    Kind("plain", Settings(), FULL),
    Kind("depends", Settings(build=True, depends_on=NEEDS), FEW._replace(wishes=0, turns=3)),
    Kind("depends, one", Settings(depends_on={"db": Stage.READY}), FEW._replace(turns=3)),
    Kind("waits", Settings(build=True), WAITS._replace(saves=2)),
    Kind("waits, rerun", Settings(build=True, rerun=0.5), WAITS),
    Kind("waits, stop_on_error", Settings(build=True, stop_on_error=True), WAITS),
    Kind("waits, rules", RULES, WAITS),
    Kind("waits, overlap", Settings(strategy=OVERLAP), WAITS),
)
