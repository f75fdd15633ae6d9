"""Warm starts from the command line: what the user sees, and that it is a restart."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import until

if TYPE_CHECKING:
    from tests.helpers.project import Project, Run

APP = """import decimal, email.message, json, os, signal, sys
import leaf
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
def started():
    line = dict(what="START", role="app", version=leaf.VALUE, pid=os.getpid(),
                mark=os.environ["RELOADER_RUN"], parent=os.getppid(), group=os.getpgid(0),
                session=os.getsid(0), path=os.environ.get("PYTHONPATH"))
    with open({log!r}, "a") as log:
        log.write(json.dumps(line) + "\\n")
started()
print("version", leaf.VALUE, flush=True)
while True:
    signal.pause()
"""


def begin(project: Project, config: str = "", **options: object) -> Run:
    entrypoint = json.dumps([sys.executable, "app.py"])
    project.config(f"[build]\nentrypoint = {entrypoint}\n{config}")
    project.write("app.py", APP.format(log=str(project.log)))
    save(project, 1)
    run = project.run(**options)  # type: ignore[arg-type]
    run.wait_for("watch.started")
    project.wait_noted("START", version="1")
    return run


def save(project: Project, version: int) -> None:
    project.save("leaf.py", f'VALUE = "{version}"\n')


def until_ready(run: Run) -> None:
    """The server has been made; it says so in an `informed`."""
    until(lambda: any("modules are ready" in e["text"] for e in run.events("informed")), 60)


def test_from_the_second_start_on(project: Project) -> None:
    """The first start is as ever; then each is a new process with the new code, and says (warm)."""
    run = begin(project)
    until_ready(run)
    for version in range(2, 5):
        save(project, version)
        project.wait_noted("START", version=str(version))

    hows = [event["how"] for event in run.events("app.started")]
    assert hows == ["", "warm", "warm", "warm"]
    starts = project.noted("START")
    assert len({start["pid"] for start in starts}) == 4
    assert [event["pid"] for event in run.events("app.started")] == [s["pid"] for s in starts]
    assert {start["parent"] for start in starts} == {run.pid}
    assert all(start["group"] == start["pid"] for start in starts)
    assert len({start["session"] for start in starts}) == 1
    assert len({start["mark"] for start in starts}) == 4
    assert {start["path"] for start in starts} == {os.environ.get("PYTHONPATH")}
    # The mark in its memory, by which whatever it leaves behind is found, is its own, too.
    with open(f"/proc/{starts[-1]['pid']}/environ", "rb") as file:
        (mark,) = (e for e in file.read().split(b"\0") if e.startswith(b"RELOADER_RUN="))
    run_name, _, ticket = mark.decode().partition("=")[2].rpartition(":")
    assert [run_name, int(ticket)] == [
        starts[-1]["mark"].rpartition(":")[0],
        int(starts[-1]["mark"].rpartition(":")[2]),
    ]


def test_the_user_can_say_no(project: Project) -> None:
    """With python.warm = false nothing is prepared, and all starts are as ever."""
    run = begin(project, "[python]\nwarm = false\n")
    save(project, 2)
    project.wait_noted("START", version="2")

    assert [event["how"] for event in run.events("app.started")] == ["", ""]
    assert not [e for e in run.events("informed") if "warm" in e["text"]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left(project: Project, number: int) -> None:
    """At the end app and server are gone; an app that forks a daemon is swept as ever."""
    run = begin(project)
    until_ready(run)
    save(project, 2)
    project.wait_noted("START", version="2")
    assert any("reloader: warm" in command for command in project.alive().values())

    assert run.stop(number) == 0

    until(lambda: not project.alive(), 3, lambda: str(project.alive()))


def test_a_crash_and_its_end(project: Project) -> None:
    """A version that fails says so with its own traceback and status, and the next one is warm."""
    run = begin(project)
    until_ready(run)
    project.save("leaf.py", "raise SystemExit(7)\n")
    assert run.wait_for("app.exited")["why"] == "exit 7"
    save(project, 3)
    project.wait_noted("START", version="3")

    assert [event["how"] for event in run.events("app.started")] == ["", "warm", "warm"]


def test_a_supervisor_that_is_killed(project: Project) -> None:
    """SIGKILL to reloader ends app and server."""
    run = begin(project)
    until_ready(run)
    save(project, 2)
    project.wait_noted("START", version="2")
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    until(lambda: not project.alive(), 10, lambda: str(project.alive()))
