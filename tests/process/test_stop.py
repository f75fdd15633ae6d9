"""Real wrappers, pools and pipes: the app is asked to end once, and nothing it says is lost."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from reloader.process.stop_rule import StopScope, StopTerms
from tests.helpers.until import until
from tests.process.lab import CHILD, PYTHON, lives

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.process.lab import Lab

AUTO = StopTerms(StopScope.AUTO, 2.5)
SOON = StopTerms(StopScope.AUTO, 0.3)
APP = " ".join([*PYTHON, CHILD, "loud TERM say ready wait"])
# Passes the signal on, and waits: what uv run and dumb-init do.
FORWARDER = f"""
import signal, subprocess, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {{signal.SIGTERM}})
app = subprocess.Popen({APP!r}.split(), preexec_fn=lambda: signal.pthread_sigmask(
    signal.SIG_UNBLOCK, {{signal.SIGTERM}}))
signal.signal(signal.SIGTERM, lambda *_: app.send_signal(signal.SIGTERM))
signal.pthread_sigmask(signal.SIG_UNBLOCK, {{signal.SIGTERM}})
sys.exit(app.wait())
"""
POOL = """
import os, time
from concurrent.futures import ProcessPoolExecutor
import signal
def work():
    print("working", flush=True)
    time.sleep(0.5)
    return 7
if __name__ == "__main__":
    with ProcessPoolExecutor(1) as pool:
        job = pool.submit(work)
        signal.signal(signal.SIGTERM, lambda *_: None)
        print("result", job.result(), flush=True)
"""


def until_all(lab: Lab, ticket: int) -> None:
    """Goes on with the stop, as the loop does, until nothing is left."""

    def over() -> bool:
        lab.facts += lab.children.collect()
        return not lab.children.has(ticket)

    until(over)


def said(lab: Lab, word: str) -> int:
    """How often the processes said so, all in all."""
    lab.ear.listen(0.2)
    return sum(line.startswith(word) for line in lab.ear.lines)


@pytest.mark.parametrize(
    "line",
    [
        APP,
        f"{APP} & wait",
        f"{APP}; echo started-b",
        "uv",
        *(f"{tool} {APP}" for tool in ("dumb-init", "tini -s --", "tini -g -s --", "timeout 100")),
    ],
    ids=["alone", "sh", "a;b", "forwarder", "dumb-init", "tini", "tini -g", "timeout"],
)
def test_the_app_is_asked_once(lab: Lab, tmp_path: Path, line: str) -> None:
    """However it is wrapped; and a shell above it starts nothing more."""
    if line == "uv":
        (tmp_path / "forward.py").write_text(FORWARDER)
        line = " ".join([*PYTHON, str(tmp_path / "forward.py")])
    elif not shutil.which(line.split()[0]):
        pytest.skip(f"no {line.split()[0]} here")
    ticket = lab.sh(line)
    app = lab.hear("ready")
    lab.children.stop(ticket, signal.SIGTERM, AUTO)
    assert lab.hear("got TERM") == app
    for _ in range(4):
        lab.facts += lab.children.collect()
        assert said(lab, "got TERM") == 0
    os.kill(app, signal.SIGUSR1)
    until_all(lab, ticket)
    assert said(lab, "started-b") == 0


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: f"{x} & wait"], ids=["alone", "sh"])
def test_the_job_of_a_pool_is_finished(
    lab: Lab, tmp_path: Path, wrap: Callable[[str], str]
) -> None:
    """The worker, which would die of the signal, is left to the pool that waits for it."""
    (tmp_path / "pool.py").write_text(POOL)
    ticket = lab.sh(wrap(" ".join([PYTHON[0], "-I", str(tmp_path / "pool.py")])))
    lab.hear("working")
    lab.children.stop(ticket, signal.SIGTERM, AUTO)
    assert lab.hear("result") == 7
    until_all(lab, ticket)


def test_the_last_lines_go_through_the_pipe(lab: Lab, tmp_path: Path) -> None:
    """The reader of `app | tee log` outlives its writer."""
    last = " ".join([*PYTHON, CHILD, "ends TERM say ready pause"])
    ticket = lab.sh(f"{last} | tee {tmp_path}/log")
    lab.hear("ready")
    lab.children.stop(ticket, signal.SIGTERM, AUTO)
    until_all(lab, ticket)
    assert said(lab, "bye") == 1
    assert "bye" in (tmp_path / "log").read_text()


def test_a_wrapper_that_passes_nothing_on_is_told_of(lab: Lab) -> None:
    """At half of the grace the app below is asked, and a sentence says which process kept it."""
    ticket = lab.start("loud TERM fork [ ends TERM say kid pause ] say ready wait")
    kid, wrapper = lab.hear("kid"), lab.hear("ready")
    lab.children.stop(ticket, signal.SIGTERM, SOON)
    lab.hear("got TERM")

    def asked() -> bool:
        lab.facts += lab.children.collect()
        return not lives(kid)

    until(asked)
    lab.hear("bye")
    (text,) = [fact.news.text for fact in lab.facts if hasattr(fact, "news")]
    assert f"process {wrapper} (python" in text
    assert str(kid) in text
    os.kill(wrapper, signal.SIGUSR1)
    until_all(lab, ticket)


def test_a_stop_has_a_deadline_until_everybody_was_asked(lab: Lab) -> None:
    ticket = lab.start("loud TERM say ready wait")
    app = lab.hear("ready")
    assert lab.children.deadline() is None
    lab.children.stop(ticket, signal.SIGTERM, SOON)
    assert lab.children.deadline() is not None
    until(lambda: lab.children.collect() or lab.children.deadline() is None)
    os.kill(app, signal.SIGUSR1)
    until_all(lab, ticket)
