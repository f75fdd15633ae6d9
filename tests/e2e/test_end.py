"""How the app's life and the run's own come to an end, and what is left of them: nothing."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import ENTRYPOINT, until

if TYPE_CHECKING:
    from tests.helpers.project import Project, Run

PLAIN = f"[build]\n{ENTRYPOINT}"


def test_crash_at_start_recovers(project: Project) -> None:
    """An app that dies at once is reported with its traceback; the next save starts it again."""
    project.config(PLAIN)
    project.app("1", "crash")
    run = project.run()
    exited = run.wait_for("app.exited")
    assert (exited["ok"], exited["why"], exited["restart_in"]) == (False, "exit 1", None)
    until(lambda: "RuntimeError: boom 1" in run.stderr, why=run.report)
    run.wait_for("watch.started", after=0)

    project.app("2")

    project.wait_noted("START", version="2")
    assert project.versions() == ["1", "2"]


def test_an_app_that_is_not_there_recovers(project: Project) -> None:
    """A program that can't be started is named; once it exists, it runs."""
    project.config('[build]\nentrypoint = ["./server"]\ninclude_ext = ["*"]\n')
    run = project.run()
    failed = run.wait_for("start.failed")
    assert "server" in failed["command"]
    run.wait_for("watch.started", after=0)

    server = project.folder.parent / "server"
    server.write_text("#!/bin/sh\nexec sleep 1000\n")
    server.chmod(0o755)
    server.rename(project.folder / "server")

    run.wait_for("app.started")


def test_rerun(project: Project) -> None:
    """With `rerun` an app that ends by itself is started again without a change."""
    project.config(f"[build]\n{ENTRYPOINT}rerun = true\nrerun_delay = 20\n")
    project.app("1", "once")
    run = project.run()

    until(lambda: len(project.versions()) >= 2, why=run.report)

    assert run.events("change.seen") == []
    assert run.wait_for("app.exited", after=0)["restart_in"] == pytest.approx(0.02)


def test_no_rerun_without_asking(project: Project) -> None:
    """By default an app that ended stays ended until the next change."""
    project.config(PLAIN)
    project.app("1", "once")
    run = project.run()
    exited = run.wait_for("app.exited")
    assert (exited["ok"], exited["restart_in"]) == (True, None)
    run.wait_for("watch.started", after=0)

    project.app("2")

    project.wait_noted("START", version="2")
    assert project.versions() == ["1", "2"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_app_gets_to_finish(project: Project, number: signal.Signals) -> None:
    """Asked to end, reloader asks the app, waits until it has finished, and exits with 0."""
    project.config(PLAIN)
    project.app("1", "slow")
    run = project.start()

    assert run.stop(number) == 0

    assert [line["what"] for line in project.noted()] == ["START", "SIGTERM", "END"]
    assert [e["event"] for e in run.stream[-3:]] == ["quit.started", "app.stopped", "quit.finished"]
    assert run.events("quit.started")[0]["signal"] == number.name


def test_send_interrupt(project: Project) -> None:
    """With `send_interrupt` the app is asked by SIGINT instead of SIGTERM."""
    project.config(f'[build]\n{ENTRYPOINT}send_interrupt = true\nkill_delay = "20s"\n')
    project.app("1", "slow")
    run = project.start()

    assert run.stop(signal.SIGTERM) == 0

    assert [line["what"] for line in project.noted()] == ["START", "SIGINT", "END"]


def test_stop_signal(project: Project) -> None:
    """`stop_signal` names the signal that asks the app to end."""
    project.config(f'[build]\n{ENTRYPOINT}stop_signal = "SIGINT"\n')
    project.app()
    project.start().stop()

    assert [line["what"] for line in project.noted()] == ["START", "SIGINT", "END"]


def test_a_deaf_app_is_killed_after_its_time(project: Project) -> None:
    """An app that ignores the signal is killed after `stop_timeout`, and the new one runs."""
    project.config(f"[build]\n{ENTRYPOINT}stop_timeout = 200\n")
    project.app("1", "ignore")
    run = project.start()

    project.app("2")

    project.wait_noted("START", version="2")
    assert run.wait_for("app.stopped", after=0)["killed"] is True


def test_the_second_ctrl_c_kills_at_once(project: Project) -> None:
    """An app that would be waited for ten minutes is gone at once when Ctrl-C comes again."""
    project.config(f'[build]\n{ENTRYPOINT}stop_timeout = "600s"\n')
    project.app("1", "ignore")
    run = project.start()

    run.send(signal.SIGINT)
    run.wait_for("quit.started")
    until(lambda: run.process.poll() is not None or run.send(signal.SIGINT), why=run.report)

    assert run.wait() == 0
    assert run.wait_for("app.stopped", after=0)["killed"] is True


def test_one_ctrl_c_that_comes_twice_is_one(project: Project) -> None:
    """A terminal and `make` both hand Ctrl-C on: the app still gets to finish."""
    project.config(PLAIN)
    project.app("1", "slow")
    run = project.start()

    run.send(signal.SIGINT)
    run.send(signal.SIGTERM)  # at once: on a busy machine an event in between takes too long
    assert run.wait() == 0

    assert [line["what"] for line in project.noted()] == ["START", "SIGTERM", "END"]


@pytest.mark.parametrize("kind", ["reload", "end"])
def test_the_whole_family_ends(project: Project, kind: str) -> None:
    """Children of the app, and deaf daemons of theirs in other sessions, end with the app."""
    project.config(f"[build]\n{ENTRYPOINT}stop_timeout = 300\n")
    project.app("1", "family")
    run = project.start()
    family = until(lambda: len(them := family_of(project, run)) >= 5 and them)

    if kind == "reload":
        project.app("2")
        project.wait_noted("START", version="2")
        assert not family & family_of(project, run), project.report()
    assert run.stop() == 0

    assert project.alive() == {}


def family_of(project: Project, run: Run) -> set[int]:
    return set(project.alive()) - {run.pid}


def test_nothing_is_left_when_it_ends_during_a_start(project: Project) -> None:
    """A SIGTERM at any moment of the start ends with 0 and leaves nothing behind."""
    project.config(f"[build]\n{ENTRYPOINT}stop_timeout = 300\n")
    project.app("1", "family")
    for wait in ("greeted", "app.started", "watch.started"):
        run = project.run()
        run.wait_for(wait)
        assert run.stop(signal.SIGTERM) == 0, run.report()
        assert project.alive() == {}
    # Earlier still, before there is any news: the default of the signal may end it, too.
    run = project.run()
    until(lambda: Path(f"/proc/{run.pid}/cmdline").read_bytes())
    assert run.stop(signal.SIGTERM) in {0, -signal.SIGTERM}
