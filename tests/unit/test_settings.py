"""From the config to what the machine needs to know."""

from __future__ import annotations

import signal

import pytest

from reloader.commands.settings import cut_short, settings
from reloader.config.model import Build, Config, Millis, Rule, Seconds
from reloader.core.debounce import Burst, Git, Pace, add_changes
from reloader.core.formatters import FormatterDelays
from reloader.core.needs import NOTHING, RELOAD, Needs
from reloader.core.values import Change


def plan(*, is_air: bool = False, is_pid1: bool = False, **build):
    return settings(Config(build=Build(**build), is_air=is_air), is_pid1=is_pid1)


@pytest.mark.parametrize(
    ("build", "number", "grace"),
    [
        ({}, signal.SIGTERM, 5.0),
        ({"send_interrupt": True}, signal.SIGINT, 5.0),
        ({"send_interrupt": True, "kill_delay": Seconds(2)}, signal.SIGINT, 2),
        ({"send_interrupt": True, "kill_delay": Seconds(0)}, signal.SIGINT, 0),
        ({"kill_delay": Seconds(2)}, signal.SIGTERM, 5.0),
        ({"stop_signal": "SIGHUP", "stop_timeout": Seconds(30)}, signal.SIGHUP, 30),
        ({"stop_signal": "SIGQUIT", "send_interrupt": True}, signal.SIGQUIT, 5.0),
        ({"stop_timeout": Seconds(1), "send_interrupt": True, "kill_delay": Seconds(9)}, 2, 1),
    ],
)
def test_how_the_app_is_stopped(build, number, grace):
    """SIGTERM and 5 s, Air's two keys, and our own two, which win."""
    made = plan(**build)
    assert made.stop_signal == number
    assert made.grace == grace


def test_pace():
    """No delay: by the size of the burst; a written one is the quiet time, zero too."""
    assert plan().pace == Pace()
    assert plan(delay=Millis(300)).pace == Pace(0.3, 0.3, 1.3)
    assert plan(delay=Millis(0)).pace.few == 0
    rules = (Rule("a", "x"), Rule("b", "x", delay=Millis(50)))
    paces = plan(delay=Millis(300), rules=rules).rule_paces
    assert paces["a"].few == 0.3
    assert paces["b"].few == 0.05


def test_what_there_is_to_do():
    """Counts of hooks, whether there is a build and an app, rerun in seconds."""
    made = plan(pre_cmd=("a", "b"), cmd="c", post_cmd=("d",), bin="e", rerun=True)
    assert (made.pre, made.build, made.post, made.app, made.rerun) == (2, True, 1, True, 0.5)
    made = plan()
    assert (made.pre, made.build, made.post, made.app, made.rerun) == (0, False, 0, False, None)


@pytest.mark.parametrize(
    ("air", "stop_on_error", "may"),
    [(True, False, True), (True, True, False), (False, False, False)],
)
def test_whether_a_pre_cmd_may_fail(air, stop_on_error, may):
    """As Air has it in Air's files; elsewhere a failed step is a failed build."""
    assert plan(is_air=air, stop_on_error=stop_on_error).pre_may_fail is may


def test_as_pid_1_there_is_less_time():
    """All must be over before a container engine's SIGKILL at 10 s."""
    assert plan(is_pid1=True).exit_within < 10
    assert plan().exit_within is None


def test_a_longer_time_than_pid_1_has_is_told():
    """Only there, and only if it is longer; both times are named."""
    assert "8 s to stop, not 30" in cut_short(plan(is_pid1=True, stop_timeout=Seconds(30)))
    assert not cut_short(plan(is_pid1=True))
    assert not cut_short(plan(stop_timeout=Seconds(30)))


def test_needs_are_a_set():
    """Union, and what is left when something is met."""
    css = Needs(rules=frozenset({"css"}))
    both = css | RELOAD
    assert both.met(css) == RELOAD
    assert both.met(Needs(build=True)) == Needs(frozenset({"css"}), build=False, restart=True)
    assert not NOTHING
    assert css
    assert both.met(both) == NOTHING


def test_bursts_are_kept_by_lane():
    """Each rule settles by itself; the same path twice counts once."""
    css = Needs(rules=frozenset({"css"}))
    rest = {"git": Git(), "formatters": FormatterDelays(), "learns": True}
    bursts = add_changes((), (Change("a.py", RELOAD), Change("a.css", css)), 1.0, **rest)
    bursts = add_changes(bursts, (Change("a.py", RELOAD), Change("b.py", RELOAD)), 1.5, **rest)
    lanes = {burst.lane: burst for burst in bursts}
    assert lanes["css"].last_at == 1.0
    assert lanes[""].paths == {"a.py", "b.py"}
    assert lanes[""].first_path == "a.py"
    assert lanes[""].first_at == 1.0


def test_a_burst_is_due_when_quiet():
    """Few paths settle sooner than many."""
    pace = Pace(0.002, 0.02, 1.0)
    burst = Burst("", 1.0, 1.0, "a", frozenset("ab"))
    assert burst.due_at(pace, Git()) == pytest.approx(1.002)
    assert Burst("", 1.0, 1.5, "a", frozenset("abc")).due_at(pace, Git()) == pytest.approx(1.52)
