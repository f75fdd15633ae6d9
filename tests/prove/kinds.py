"""The kinds of config that are searched, and how much happens in each."""

from __future__ import annotations

from typing import NamedTuple

from reloader.core.debounce import Pace
from reloader.core.needs import Needs
from reloader.core.settings import Settings, Strategy
from tests.prove.model import Budget

HOLD = Strategy(awaits_ready=True, holds=True, drain=0.25)
OVERLAP = Strategy(overlap=True, awaits_ready=True, holds=True, drain=0.25, ready_within=4)


RULES = Settings(rule_paces={"pip": Pace()}, rule_then={"pip": Needs(restart=True)})


class Kind(NamedTuple):
    name: str
    settings: Settings
    budget: Budget


FULL = Budget(saves=2, signals=2, wishes=1, failed_spawns=1, failed_builds=2, crashes=1)
SMALL = Budget(saves=1, signals=1, wishes=1, failed_builds=1, crashes=1)

KINDS = (
    Kind("plain", Settings(), FULL),
    Kind("build", Settings(build=True), FULL),
    Kind("stop_on_error", Settings(build=True, stop_on_error=True), FULL._replace(failed_spawns=0)),
    Kind("rerun", Settings(build=True, rerun=0.5), FULL._replace(wishes=0)),
    Kind(
        "hooks",
        Settings(build=True, pre=1, post=1),
        SMALL._replace(wishes=0, signals=2, failed_builds=2),
    ),
    Kind(
        "rules", Settings(rule_paces={"pip": Pace()}, rule_then={"pip": Needs(restart=True)}), FULL
    ),
    Kind("edits", Settings(build=True), SMALL._replace(edits=1)),
    Kind("broken saves", Settings(), FULL._replace(broken=2)),
    Kind("hold", Settings(strategy=HOLD), FULL),
    Kind("overlap", Settings(build=True, strategy=OVERLAP), SMALL._replace(saves=2)),
)
