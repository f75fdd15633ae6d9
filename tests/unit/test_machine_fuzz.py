"""Random runs in a simulated world: what must never happen, does not."""

from __future__ import annotations

import pytest

from reloader.core.debounce import Pace
from reloader.core.settings import Settings, Strategy
from tests.helpers.world import World

RULE = {"css": Pace()}
REPLACE = Strategy(awaits_ready=True, holds=True, drain=0.25)
OVERLAP = Strategy(overlap=True, awaits_ready=True, holds=True, drain=0.25, ready_within=4)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(build=True),
        Settings(build=True, pre=2, post=2, rule_paces=RULE),
        Settings(build=True, stop_on_error=True, grace=1, rule_paces=RULE),
        Settings(build=True, pre=1, pre_may_fail=True, rerun=0.5),
        Settings(rerun=0.0, exit_within=8, grace=30),
        Settings(build=True, app=False),
        Settings(build=True, strategy=REPLACE),
        Settings(strategy=OVERLAP),
        Settings(build=True, rerun=0.5, strategy=OVERLAP),
    ],
    ids=[
        "plain",
        "build",
        "hooks",
        "stop_on_error",
        "rerun",
        "pid1",
        "no-app",
        "held",
        "overlap",
        "overlap-build",
    ],
)
def test_the_invariants_hold(settings):
    """One build, one app, one of each rule; an end; the last version runs or a failure is shown."""
    for seed in range(150):
        try:
            World(seed, settings).run()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
