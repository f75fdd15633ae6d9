"""An app that can't be ended is told of, with who holds it: a debugger at its prompt, say."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import ENTRYPOINT, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.project import Project

# Seizes a process and never waits for it, as gdb does at its prompt (ptrace(2)).
TRACER = """
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.ptrace(0x4206, int(sys.argv[1]), None, None):
    sys.exit("may not trace")
print("holds", flush=True)
sys.stdin.read()
"""
FREEZER = Path("/sys/fs/cgroup/freezer")
CONFIG = f'[build]\n{ENTRYPOINT}include_ext = ["py"]\nstop_timeout = "200ms"\n'


@contextlib.contextmanager
def traced(pid: int) -> Iterator[int]:
    tracer = subprocess.Popen(
        (sys.executable, "-IS", "-c", TRACER, str(pid)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert tracer.stdout
        if not tracer.stdout.readline():
            pytest.skip("no right to trace here")
        yield tracer.pid
    finally:
        tracer.communicate()


def test_an_app_in_a_debugger(project: Project) -> None:
    """It is a zombie that only the debugger may reap: the next version starts beside it."""
    project.config(CONFIG)
    project.app("1")
    run = project.start()
    pid = project.noted("START")[0]["pid"]
    with traced(pid) as tracer:
        project.app("2")
        told = run.wait_for("warned")
        run.wait_for("app.started")
        project.wait_noted("START", version="2")
    assert f"process {pid}" in told["text"]
    assert f"held by process {tracer} (python" in told["text"]


def test_an_app_in_a_frozen_control_group(project: Project) -> None:
    """It may wake up again, so nothing starts beside it; that it is waited for is told."""
    group = FREEZER / f"reloader-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:
        pytest.skip("no freezer that can be written")
    project.config(CONFIG)
    project.app("1")
    run = project.start()
    pid = project.noted("START")[0]["pid"]
    try:
        (group / "cgroup.procs").write_text(str(pid))
        (group / "freezer.state").write_text("FROZEN")
        project.app("2")
        told = run.wait_for("warned")
        assert project.versions() == ["1"]
    finally:
        (group / "freezer.state").write_text("THAWED")
    project.wait_noted("START", version="2")
    until(lambda: not (group / "cgroup.procs").read_text())
    group.rmdir()
    assert told["text"].endswith(f"its control group /{group.name} is frozen")
