"""A config that is edited while it holds: taken up at once, or the last good one stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import ENTRYPOINT, until

if TYPE_CHECKING:
    from tests.helpers.project import Project

PLAIN = f'[build]\n{ENTRYPOINT}include_ext = ["py"]\n'


def test_a_new_command_line_restarts_the_app(project: Project) -> None:
    """What the key touches is done: the app starts again, with the new arguments."""
    project.config(PLAIN)
    project.app("1")
    run = project.start()

    project.config(PLAIN + 'args_bin = ["more"]\n')
    changed = run.wait_for("config.changed")
    run.wait_for("app.started")

    assert changed["keys"] == ["build.args_bin"]
    until(lambda: len(project.noted("START")) == 2, why=run.report)
    assert len(run.events("app.stopped")) == 1


def test_what_touches_nothing_restarts_nothing(project: Project) -> None:
    """A new time to stop holds from the next stop on; the app goes on."""
    project.config(PLAIN)
    project.app("1")
    run = project.start()

    project.config(PLAIN + 'stop_timeout = "3s"\n')
    run.wait_for("config.changed", keys=["build.stop_timeout"])
    project.app("2")
    project.wait_noted("START", version="2")

    assert len(project.noted("START")) == 2


def test_other_files_count_from_now_on(project: Project) -> None:
    """The watch follows the config."""
    project.config(PLAIN)
    project.app("1")
    run = project.start()

    project.config(PLAIN.replace('"py"', '"py", "txt"'))
    run.wait_for("config.changed", keys=["build.include_ext"])
    run.wait_for("watch.started")
    project.save("note.txt", "x")

    assert run.wait_for("change.seen")["path"] == "note.txt"


@pytest.mark.parametrize("broken", ["[build", "[build]\nbni = 1\n", None], ids=str)
def test_a_broken_config_leaves_the_last_good_one(project: Project, broken: str | None) -> None:
    """It is told, the app goes on and still reloads; the repaired file is taken up."""
    project.config(PLAIN)
    project.app("1")
    run = project.start()

    if broken is None:
        (project.folder / ".reload.toml").unlink()
    else:
        project.config(broken)
    rejected = run.wait_for("config.rejected")
    project.app("2")
    project.wait_noted("START", version="2")
    project.config(PLAIN)
    repaired = run.wait_for("config.changed", after=rejected["seq"])

    assert repaired["keys"] == []
    assert project.versions() == ["1", "2"]


def test_a_new_doubt_is_told(project: Project) -> None:
    """As it would be at a start; an old one is not told again."""
    project.config(PLAIN + "[proxy]\nenabled = true\n")
    project.app("1")
    run = project.start()
    assert len(run.events("warned")) == 1

    project.config(PLAIN.replace("]\n", "]\nstop_timeout = '3s'\n", 1))
    run.wait_for("config.changed")
    project.config(PLAIN + "[proxy]\nenabled = true\n")
    run.wait_for("warned")
    project.config(PLAIN + "stop_timeout = '4s'\n[proxy]\nenabled = true\n")
    run.wait_for("config.changed", keys=["build.stop_timeout"])

    assert len(run.events("warned")) == 2
