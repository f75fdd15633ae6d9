"""One reloader for one app in one place; other apps of the same place are not in its way."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from tests.helpers.project import ENTRYPOINT

if TYPE_CHECKING:
    from tests.helpers.project import Project


def again(project: Project, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-m", "reloader", "run", *args),
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_same_app_is_refused(project: Project) -> None:
    """The status is 3, and the other one's pid is named."""
    project.config(f"[build]\n{ENTRYPOINT}")
    project.app("1")
    run = project.start()

    second = again(project)

    assert str(run.pid) in second.communicate(timeout=20)[1]
    assert second.returncode == 3


def test_other_arguments_are_another_app(project: Project) -> None:
    """A web process and a worker that differ in their arguments may run side by side."""
    project.config(f"[build]\n{ENTRYPOINT}")
    project.app("1")
    project.start()

    second = again(project, "--build.entrypoint", "sleep", "--", "100")
    third = again(project, "--build.entrypoint", "sleep", "--", "101")
    try:
        for process in (second, third):
            assert process.stderr
            assert any(line.startswith("run ") for line in iter(process.stderr.readline, ""))
    finally:
        for process in (second, third):
            process.terminate()
            process.communicate(timeout=20)
    assert (second.returncode, third.returncode) == (0, 0)
