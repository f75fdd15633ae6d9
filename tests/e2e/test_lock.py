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

    with again(project, "--build.entrypoint", "sleep", "--", "100") as second:
        lines = iter(second.stderr.readline, "")  # type: ignore[union-attr]
        assert any(line.startswith("run ") for line in lines)
        third = again(project, "--build.entrypoint", "sleep", "--", "101")
        assert any(line.startswith("run ") for line in iter(third.stderr.readline, ""))  # type: ignore[union-attr]
        for process in (second, third):
            process.terminate()
            process.communicate(timeout=20)
            assert process.returncode == 0
