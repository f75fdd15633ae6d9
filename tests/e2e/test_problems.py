"""What broke is shown last, for builds and apps, and no output is lost for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.helpers.project import BUILD, ENTRYPOINT

if TYPE_CHECKING:
    from tests.helpers.project import Project

BROKEN = "import sys\nx = 1\ndef broken(:\n"


def test_a_failed_build_shows_its_problem(project: Project):
    """Place, message and source follow the output, in JSON, on the screen and in build.log."""
    project.config("[build]\n" + BUILD + ENTRYPOINT)
    project.write("build.py", "print('built')\n")
    project.app()
    run = project.start()
    run.wait_for("app.started", after=0)
    run.wait_for("watch.started", after=0)
    project.write("build.py", BROKEN)
    run.wait_for("build.failed")
    found = run.wait_for("problems.found")
    assert found["of"] == "build"
    [problem] = found["problems"]
    assert (problem["path"], problem["line"]) == ("build.py", 3)
    assert [3, "def broken(:"] in problem["source"]
    assert "SyntaxError" in problem["message"]


def test_an_app_that_crashes_shows_its_problem(project: Project):
    """Without a terminal its output is read on its way; it comes out whole all the same."""
    project.config("[build]\n" + ENTRYPOINT)
    project.write("app.py", "import sys\nprint('hello')\nraise KeyError('name')\n")
    run = project.run()
    run.wait_for("app.exited", after=0)
    found = run.wait_for("problems.found")
    assert found["of"] == "app"
    assert (found["problems"][0]["path"], found["problems"][0]["line"]) == ("app.py", 3)
    assert "KeyError" in found["problems"][0]["message"]
    assert "hello" in run.stderr
    assert "Traceback" in run.stderr
