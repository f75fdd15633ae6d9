"""Makes the machine's settings from a config.

Pure: values in, values out.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

from reloader.core.debounce import Pace
from reloader.core.needs import Needs
from reloader.core.settings import Settings, Strategy
from reloader.core.values import Stage
from reloader.process.stop_rule import StopScope, StopTerms

if TYPE_CHECKING:
    from reloader.config.model import Build, Config, Millis
    from reloader.core.values import Seconds

PROXY_PATIENCE = 5000  # ms; Air's own, for app_start_timeout = 0
SHUT: Seconds = 0.05  # for the proxy to close its gate, which takes 1 ms; before the stop signal
GRACE: Seconds = 5.0  # from the stop signal to SIGKILL
READY_WITHIN: Seconds = 30.0  # a slow framework with a cold cache; a later one is told
DRAIN: Seconds = 0.25  # most requests under way take less
# `docker stop` sends SIGKILL after 10 s. As PID 1 all is over before that, hooks included.
EXIT_WITHIN: Seconds = 8.0


def settings(config: Config, *, is_pid1: bool = False) -> Settings:
    build = config.build
    return Settings(
        pre=len(build.pre_cmd),
        build=bool(build.cmd),
        post=len(build.post_cmd),
        app=build.app is not None,
        pace=pace(build.delay),
        rule_paces={
            rule.name: pace(build.delay if rule.delay is None else rule.delay)
            for rule in build.rules
        },
        rule_then={
            rule.name: Needs(build=rule.then == "build", restart=True)
            for rule in build.rules
            if rule.then in ("build", "restart")
        },
        rule_signal={rule.name: signal.Signals[rule.signal] for rule in build.rules if rule.signal},
        pre_may_fail=config.is_air and not build.stop_on_error,
        stop_on_error=build.stop_on_error,
        stop_signal=stop_signal(build),
        grace=grace(build),
        strategy=Strategy() if config.app.once != "false" else strategy(config),
        once=config.app.once != "false",
        depends_on={name: Stage[at.upper()] for name, at in config.app.depends_on},
        rerun=build.rerun_delay / 1000 if build.rerun else None,
        exit_within=EXIT_WITHIN if is_pid1 else None,
    )


def strategy(config: Config) -> Strategy:
    """A proxy holds requests while no app answers, and finds out when one does.

    Without one the app's own port is held, and its processes say what they do (Linux).
    """
    proxy, swap = config.proxy, config.swap
    if proxy.is_on:
        within = (proxy.app_start_timeout or PROXY_PATIENCE) / 1000
        drain = max(proxy.drain, SHUT)
        return Strategy(awaits_ready=True, ready_within=within, holds=True, drain=drain)
    if sys.platform != "linux":
        return Strategy()
    holds = swap.hold != "off"
    return Strategy(
        overlap=swap.mode == "overlap",
        awaits_ready=True,
        ready_within=READY_WITHIN if swap.ready_timeout is None else swap.ready_timeout,
        holds=holds,
        drain=(DRAIN if swap.drain_timeout is None else swap.drain_timeout) if holds else 0.0,
    )


def cut_short(settings: Settings) -> str:
    """Returns a warning if the app's time to stop is longer than PID 1 has; else ""."""
    if settings.exit_within is None or settings.grace <= settings.exit_within:
        return ""
    return (
        f"the app gets {settings.exit_within:g} s to stop, not {settings.grace:g}: "
        "as PID 1, reloader exits before docker's SIGKILL after 10 s"
    )


def pace(delay: Millis | None) -> Pace:
    """A delay the user wrote is the quiet time, whatever the burst."""
    if delay is None:
        return Pace()
    quiet = delay / 1000
    return Pace(few=quiet, many=quiet, longest=Pace.longest + quiet)


def stop_signal(build: Build) -> int:
    default = "SIGINT" if build.send_interrupt else "SIGTERM"
    return signal.Signals[build.stop_signal or default]


def stop_terms(build: Build) -> StopTerms:
    """Returns which processes of the app's tree get the stop signal, and when the others do."""
    return StopTerms(StopScope(build.stop_scope), grace(build) / 2)


def grace(build: Build) -> Seconds:
    if build.stop_timeout is not None:
        return build.stop_timeout
    if build.send_interrupt and build.kill_delay is not None:
        return build.kill_delay
    return GRACE
