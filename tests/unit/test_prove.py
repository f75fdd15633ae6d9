"""The exhaustive search over the machine, in small; `make prove` is the large one."""

from __future__ import annotations

import pytest

from reloader.core import fleet, machine, pipeline, state, stopping
from reloader.core.debounce import Pace
from reloader.core.life import Life
from reloader.core.needs import Needs
from reloader.core.settings import Settings
from reloader.core.values import Stage
from reloader.light import replace
from tests.prove.explore import explore
from tests.prove.kinds import HOLD, NEEDS, OVERLAP
from tests.prove.model import Budget

TINY = Budget(saves=1, signals=0, wishes=0, failed_builds=1, crashes=1, lingering=0)
ENDS = TINY._replace(saves=0, signals=1, lingering=1)
BUILD = Settings(build=True)
TWO_BUILDS = TINY._replace(saves=2, crashes=0)
RERUN = Settings(build=True, rerun=0.5)
NEEDY = Settings(depends_on={"db": Stage.READY})
THEN = Settings(rule_paces={"pip": Pace()}, rule_then={"pip": Needs(restart=True)})


@pytest.mark.parametrize(
    ("settings", "budget"),
    [
        (Settings(), TINY._replace(saves=2, signals=1, failed_spawns=1)),
        (BUILD, TWO_BUILDS),
        (BUILD, TINY._replace(wishes=1)),
        (Settings(build=True, stop_on_error=True), TWO_BUILDS),
        (RERUN, TINY),
        (Settings(build=True, pre=1, post=1), ENDS._replace(lingering=0)),
        (THEN, TINY._replace(saves=2)),
        (Settings(), TINY._replace(broken=2)),
        (Settings(strategy=HOLD), TINY._replace(signals=1)),
        (Settings(strategy=OVERLAP), TINY._replace(saves=2, crashes=2)),
        (BUILD, TINY._replace(loops=1)),
        (Settings(build=True, depends_on=NEEDS), TINY._replace(turns=3, signals=1)),
    ],
    ids=[
        "plain",
        "build",
        "wish",
        "stop_on_error",
        "rerun",
        "hooks",
        "rule",
        "broken",
        "hold",
        "overlap",
        "loop",
        "depends",
    ],
)
def test_nothing_is_found(settings, budget):
    """Every sequence of these events is seen, and none breaks an invariant."""
    report = explore(settings, budget)
    assert not report.violation, report.script
    assert report.closed
    assert report.states > 30


def failure_blocks_starts(monkeypatch):
    """A failure on show blocks every start, as one bool once did."""
    rules = [
        rule._replace(needs=(*rule.needs, state.NOT_FAILED))
        if rule.apply is fleet.replace_generation
        else rule
        for rule in machine.RULES
    ]
    monkeypatch.setattr(machine, "RULES", tuple(rules))


def starts_beside_the_old(monkeypatch):
    """The new one does not wait until the old one is gone."""
    monkeypatch.setattr(fleet, "blocking", lambda _: ())


def forgets_what_is_wanted(monkeypatch):
    """A failed build takes back what was wanted."""
    honest = pipeline._fail
    monkeypatch.setattr(
        pipeline, "_fail", lambda it, *args: honest(it, *args).with_want(state.Nothing())
    )


def keeps_the_stale_build(monkeypatch):
    """A change does not cancel the build under way."""
    honest = state.State.mark_for_stop
    monkeypatch.setattr(
        state.State,
        "mark_for_stop",
        lambda it, *procs: honest(it, *(p for p in procs if p.is_app or it.shutdown)),
    )


def stops_before_the_new_is_ready(monkeypatch):
    """An overlap that takes a process that runs for one that can answer."""
    monkeypatch.setattr(state.State, "serving", state.State.running)


def saves_after_the_end_count(monkeypatch):
    """Changes are gathered although reloader is ending."""
    monkeypatch.setattr(
        machine.changes,
        "record_changes",
        lambda it, seen, now: machine.changes.heed(it, it.feedback.judge(seen, now), now),
    )


def ends_too_early(monkeypatch):
    """The end does not wait for processes that were only asked to stop."""
    rules = [
        rule._replace(
            apply=lambda it, now: honest(
                replace(it, procs=tuple(p for p in it.procs if p.life is not Life.STOPPING)), now
            )
        )
        if (honest := rule.apply).__name__ == "finish"
        else rule
        for rule in machine.RULES
    ]
    monkeypatch.setattr(machine, "RULES", tuple(rules))


def ends_before_its_dependents(monkeypatch):
    """Ctrl-C stops what others still need."""
    monkeypatch.setattr(stopping, "NEEDED_NO_MORE", state.ALL_GONE._replace(holds=lambda _: True))


def without(guard):
    """One guard is taken from all rules."""

    def weaken(monkeypatch):
        rules = [
            rule._replace(needs=tuple(g for g in rule.needs if g is not guard))
            for rule in machine.RULES
        ]
        monkeypatch.setattr(machine, "RULES", tuple(rules))

    return weaken


@pytest.mark.parametrize(
    ("weaken", "settings", "budget"),
    [
        (ends_before_its_dependents, NEEDY, TINY._replace(signals=1, turns=1)),
        (without(state.OTHERS_THERE), NEEDY, TINY),
        (without(state.INPUTS_THERE), Settings(build=True, depends_on=NEEDS), TINY),
        (failure_blocks_starts, BUILD, TWO_BUILDS),
        (failure_blocks_starts, RERUN, TINY),
        (starts_beside_the_old, Settings(), TINY),
        (forgets_what_is_wanted, BUILD, TWO_BUILDS),
        (keeps_the_stale_build, BUILD, TWO_BUILDS),
        (ends_too_early, Settings(), ENDS),
        (saves_after_the_end_count, Settings(), ENDS),
        (stops_before_the_new_is_ready, Settings(strategy=OVERLAP), TINY),
    ],
)
def test_a_broken_machine_is_found(monkeypatch, weaken, settings, budget):
    """The search names what is broken, with a script that leads to it."""
    weaken(monkeypatch)
    report = explore(settings, budget)
    assert report.violation
    assert report.script.startswith("book = Playbook(")


WHERE = {
    "retire": (Settings(strategy=OVERLAP), TINY),
    "give_up_waiting": (Settings(strategy=OVERLAP), TINY),
    "refuse_broken": (Settings(), TINY._replace(broken=1)),
    "look_for_streams": (Settings(strategy=HOLD), TINY),
    "move_gate": (Settings(strategy=HOLD), TINY),
    "start_again": (Settings(rerun=0.5), TINY),
    "run_post": (Settings(post=1), ENDS),
    "retry": (Settings(), TINY._replace(failed_spawns=1)),
    "force_exit": (Settings(), ENDS),
    "kill_overdue": (Settings(), ENDS),
    "finish": (Settings(), ENDS),
    "tell_wait": (NEEDY, TINY),
    "answer_questions": (BUILD, TINY._replace(waits=1)),
    "run_rule": (Settings(rule_paces={"css": Pace()}), TINY),
    "act_on_waits": (Settings(), TINY._replace(loops=1)),
}


@pytest.mark.parametrize("rule", [r.name for r in machine.RULES])
def test_each_rule_is_needed(monkeypatch, rule):
    """With any one rule switched off something is found."""
    monkeypatch.setattr(machine, "RULES", tuple(r for r in machine.RULES if r.name != rule))
    settings, budget = WHERE.get(rule, (BUILD, TINY))
    assert explore(settings, budget).violation
