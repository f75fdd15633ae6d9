"""Whose change it is: what an app writes while it starts, and what a person saves meanwhile."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import ENTRYPOINT, PYTHON, until

if TYPE_CHECKING:
    from tests.helpers.project import Project, Run

WRITER = """import os, time
os.makedirs("out", exist_ok=True)
with open(NAME, "w") as file:
    file.write(f"{time.time_ns()}" * 10)
END
"""
LIVES = "time.sleep(1000)"


def writer(project: Project, name: str, end: str = LIVES) -> Run:
    """An app that writes a file at its start, and then lives on or ends."""
    entrypoint = json.dumps([*PYTHON, "writer.py"])
    project.config(f"[build]\nentrypoint = {entrypoint}\ninclude_ext = ['py', 'json']\n")
    (project.folder / "writer.py").write_text(WRITER.replace("NAME", name).replace("END", end))
    return project.run()


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


def test_a_module_that_is_saved_again_and_again(project: Project) -> None:
    """Each start compiles it, which takes as many bytes, and prints: no save waits for that."""
    project.config(f"[build]\nentrypoint = {json.dumps([sys.executable, 'main.py'])}\n")
    (project.folder / "main.py").write_text(
        "import mod, time\nprint('y' * 3000, flush=True)\ntime.sleep(1000)\n"
    )
    module = project.folder / "mod.py"
    text = "".join(f"def f{n}(a, b):\n    return a + {n} * b\n" for n in range(60))
    module.write_text(text)
    run = project.run()
    run.wait_for("watch.started", after=0)
    run.wait_for("app.started", after=0)

    late = 0
    for number in range(12):
        time.sleep(0.9 + 0.1 * (number % 4))  # a person has seen the start
        before, since = run.seq, time.monotonic()
        module.write_text(f"# {number}\n{text}")
        run.wait_for("app.started", after=before)
        late += time.monotonic() - since >= 1
    assert run.events("warned") == []
    until(lambda: list(project.folder.glob("__pycache__/mod.*")), why=run.report)
    assert late <= 2  # the machine was busy; else they are 1, 2, 4 … s late, one after the other


@pytest.mark.parametrize(
    ("name", "end", "told", "hint"),
    [
        ("'data.json'", LIVES, "data.json has changed", 'exclude_file = ["data.json"]'),
        ("'data.json'", "pass", "data.json has changed", 'exclude_file = ["data.json"]'),
        ("f'out/{os.getpid()}.json'", LIVES, "out/ has changed", 'exclude_dir = ["out"]'),
        ("f'out/{os.getpid()}.json'", "pass", "out/ has changed", 'exclude_dir = ["out"]'),
    ],
    ids=["one file", "one file, and ends", "new names", "new names, and ends"],
)
def test_an_app_that_writes_what_is_watched(
    project: Project, name: str, end: str, told: str, hint: str
) -> None:
    """It is told once and slowed; a save by a person counts at once."""
    run = writer(project, name, end)

    warned = run.wait_for("warned", after=0)
    assert warned["text"].startswith(told)
    assert hint in warned["text"]
    starts = len(run.events("app.started"))
    assert starts <= 10, run.report()

    before = run.seq
    (project.folder / "other.py").write_text("x = 1")
    run.wait_for("app.started", after=before, timeout=1.5)  # it would be 2 s
    until(lambda: len(run.events("app.started")) == starts + 2, why=run.report)
    assert len(run.events("warned")) == 1


BUILD_WRITES = """import os, shutil, time
shutil.rmtree("site", ignore_errors=True)
os.makedirs("site")
for n in range(4):
    time.sleep(0.15)
    open(f"site/{n}.py", "w").write(f"# {time.time()}")
"""


def test_a_build_that_writes_what_is_watched(project: Project) -> None:
    """It comes to its end, one more follows, then all is quiet; a save ends a build at once."""
    config = f"cmd = {json.dumps(' '.join([*PYTHON, 'build.py']))}\ninclude_ext = ['py']\n"
    project.config(f"[build]\n{config}{ENTRYPOINT}")
    project.app("1")
    (project.folder / "build.py").write_text(BUILD_WRITES)
    run = project.run()

    told = run.wait_for("warned", after=0)
    assert told["text"].startswith("the build writes site/ (4 files)")
    assert 'exclude_dir = ["site"]' in told["text"]
    assert len(run.events("build.started")) <= 3
    run.wait_for("app.started", after=told["seq"])

    for version in ("2", "3"):
        time.sleep(0.2)  # what comes at once may be the build's own
        project.app(version)
        run.wait_for("build.started")
        until((project.folder / "site" / "1.py").exists, why=run.report)
    project.wait_noted("START", role="app", version="3")

    assert len(run.events("build.cancelled")) <= 2
    assert len(run.events("build.started")) <= 5, run.report()
