"""Whose change it is: what an app writes while it starts, and what a person saves meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.helpers.project import ENTRYPOINT, PYTHON, until

if TYPE_CHECKING:
    from tests.helpers.project import Project, Run

CONFIG = f"[build]\nentrypoint = {json.dumps([*PYTHON, 'writer.py'])}\ninclude_ext = ['py']\n"
WRITER = """import os, time
with open("data.py", "w") as file:
    file.write(TEXT)
open(f"up-{os.getpid()}", "w").close()
time.sleep(1000)
"""
NEW = "f'{time.time_ns()}' * 10"  # each time
SAME = "'x' * 200"


def writer(project: Project, text: str) -> Run:
    project.config(CONFIG)
    (project.folder / "writer.py").write_text(WRITER.replace("TEXT", text))
    (project.folder / "data.py").touch()
    return project.run()


def wait_until_up(project: Project, run: Run) -> None:
    """The next app has written its file."""
    pid = run.wait_for("app.started")["pid"]
    until((project.folder / f"up-{pid}").exists, why=run.report)


def causes(run: Run) -> list[str]:
    return [change["path"] for change in run.events("change.seen")]


def test_each_touch_is_a_start(project: Project) -> None:
    """However soon after the start before, though no byte is another one."""
    project.config(f"[build]\n{ENTRYPOINT}")
    project.app("1")
    run = project.start()

    for _ in range(12):
        (project.folder / "app.py").touch()
        run.wait_for("app.started")

    assert causes(run) == ["app.py"] * 12
    assert run.events("warned") == []


def test_an_app_that_writes_what_is_watched(project: Project) -> None:
    """It is told after a few starts and slowed; a save by a person counts at once."""
    run = writer(project, NEW)

    told = run.wait_for("warned", after=0)
    assert told["text"].startswith("data.py has changed after each of the last starts, and the app")
    assert 'exclude_file = ["data.py"]' in told["text"]
    starts = len(run.events("app.started"))
    assert starts <= 5, run.report()
    until(lambda: len(run.events("app.started")) == starts + 2, why=run.report)  # 1 s, 2 s

    before = run.seq
    (project.folder / "writer.py").write_text(WRITER.replace("TEXT", SAME))
    run.wait_for("app.started", after=before, timeout=2)  # it would be 4 s
    assert causes(run)[-1] in {"data.py", "writer.py"}
    assert len(run.events("warned")) == 1


def test_an_app_that_writes_the_same_each_time(project: Project) -> None:
    """One more start, and no more; a new file is one."""
    run = writer(project, SAME)

    for _ in range(2):
        wait_until_up(project, run)
    for name in ("one.py", "two.py"):  # what comes before it has been judged
        (project.folder / name).touch()
        run.wait_for("change.seen", path=name)
        wait_until_up(project, run)

    assert causes(run) == ["data.py", "one.py", "two.py"], run.report()
