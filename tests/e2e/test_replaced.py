"""reloader's own files are replaced while it runs (pip, uv sync): what has begun goes on."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reloader
from reloader.commands.later import MODULES
from tests.helpers.project import BUILT, ENTRYPOINT, until

if TYPE_CHECKING:
    from tests.helpers.project import Project, Run


def begin(project: Project, tmp_path: Path) -> Run:
    """Starts a copy of the package, and deletes it when all that is imported later is there."""
    package = tmp_path / "lib" / "reloader"
    shutil.copytree(Path(reloader.__file__).parent, package)
    env = {"PYTHONPATH": str(package.parent), "PYTHONVERBOSE": "1"}
    run = project.start(env=env)
    until(lambda: f"import '{MODULES[-1]}'" in run.stderr, why=run.report)
    shutil.rmtree(package.parent)
    return run


def test_saves_builds_and_crashes(project: Project, tmp_path: Path) -> None:
    """A save, a failed build, one that is mended, an app that crashes, and Ctrl-C."""
    project.config(f'[build]\n{BUILT}include_ext = ["py"]\n')
    project.build("1")
    project.app("1")
    run = begin(project, tmp_path)

    project.app("2")
    project.wait_noted("START", role="app", version="2")
    project.build("3", "fail")
    run.wait_for("build.failed")
    project.build("4")
    run.wait_for("build.succeeded")
    project.app("5", "crash")
    run.wait_for("app.exited")
    project.app("6")
    project.wait_noted("START", role="app", version="6")

    assert run.stop(signal.SIGINT) == 0, run.report()


@pytest.mark.parametrize(
    "edit",
    [
        'include_ext = ["py", "txt"]\n',
        'include_ext = ["py"]\nargs_bin = ["more"]\n',
        'include_ext = ["py"]\npoll = true\n',
        'include_ext = ["py"]\nexclude_regex = ["_x[.]py$"]\n',
        'include_ext = ["py"]\n[[build.rules]]\nname = "x"\ncmd = "true"\ninclude_ext = ["css"]\n',
        'include_ext = ["py"]\nbni = "true"\n',
    ],
)
def test_an_edited_config(project: Project, tmp_path: Path, edit: str) -> None:
    """Whatever it changes is taken up, or refused with a sentence; saves go on."""
    head = f"[build]\n{ENTRYPOINT}"
    project.config(f'{head}include_ext = ["py"]\n')
    project.app("1")
    run = begin(project, tmp_path)

    project.config(head + edit)
    run.wait_for("config.rejected" if "bni" in edit else "config.changed")
    project.app("2")
    project.wait_noted("START", version="2")


def test_a_proxy_that_comes_too_late(project: Project, tmp_path: Path, free_port: int) -> None:
    """Its part of reloader is gone: that is told, and the app goes on."""
    head = f'[build]\n{ENTRYPOINT}include_ext = ["py"]\n'
    project.config(head)
    project.app("1")
    run = begin(project, tmp_path)

    project.config(f"{head}[proxy]\nenabled = true\nproxy_port = {free_port}\napp_port = 1\n")
    told = run.wait_for("warned")
    project.app("2")
    project.wait_noted("START", version="2")

    assert "start it again" in told["text"]


def test_who_asks_and_who_kills(project: Project, tmp_path: Path) -> None:
    """The health check is answered; after SIGKILL the guardian ends the app."""
    project.config(f'[build]\n{ENTRYPOINT}include_ext = ["py"]\n')
    project.app("1")
    run = begin(project, tmp_path)

    asked = subprocess.run(
        (sys.executable, "-m", "reloader", "healthcheck"),
        cwd=project.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (asked.returncode, asked.stdout[:3]) == (0, "ok:")
    run.send(signal.SIGKILL)
    run.wait()
    until(lambda: not project.alive(), 5, why=run.report)
