"""Starting without a config: a file, a command, a directory, or nothing at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.project import Project

PYTHON = sys.executable
WAYS = {
    "nothing at all": ((), []),
    "a file": (("app.py",), []),
    "a file and its arguments": (("app.py", "--port", "a b"), ["--port", "a b"]),
    "a file and arguments behind dashes": (("app.py", "--", "-v"), ["-v"]),
    "a command": ((PYTHON, "app.py", "--", "x"), ["--", "x"]),
    "a command behind dashes": (("--", PYTHON, "app.py", "x"), ["x"]),
    "arguments for what is found": (("--", "--port", "1"), ["--port", "1"]),
    "a line for a shell": ((f"exec {PYTHON} app.py one two",), ["one", "two"]),
    "short flags": (("-e", "py,html", "-w", ".", "-i", "*.log", "-q", "app.py"), []),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_to_start(project: Project, way: str) -> None:
    """The app runs with its arguments, and a save restarts it."""
    arguments, args = WAYS[way]
    project.app()

    run = project.start(*arguments)
    project.app("2")

    run.wait_for("app.started")
    project.wait_noted("START", version="2")
    assert [line["args"] for line in project.noted("START", role="app")] == [args, args]


def test_what_was_found_is_said(project: Project) -> None:
    """In the first line: the command, the file that told, and how to keep it."""
    project.app()

    run = project.start()

    (greeting,) = run.events("greeted")
    assert greeting["config"] == ""
    assert greeting["found"].endswith("app.py, found in app.py; reloader init keeps it")


def test_a_directory_is_started_as_if_from_there(project: Project) -> None:
    """The app's directory is the one that was named."""
    project.app()
    (project.folder / "sub").mkdir()
    (project.folder / "app.py").rename(project.folder / "sub" / "app.py")

    project.start("sub")

    assert project.noted("START")[0]["cwd"] == str(project.folder / "sub")


def test_a_config_goes_before_what_is_found(project: Project) -> None:
    """What is behind dashes is for its app then."""
    project.app()
    project.write("other.py", project.app().read_text())
    project.config(f"[build]\nbin = '{PYTHON} other.py'\n")

    project.start("--", "x")

    (start,) = project.noted("START")
    assert start["args"] == ["x"]


def reloader(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("RELOADER_", "air_wd"))}
    command = [PYTHON, "-m", "reloader", *arguments]
    return subprocess.run(
        command, cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=30
    )


def test_a_choice_without_a_terminal(project: Project) -> None:
    """Each way is there to be typed, and nothing is started."""
    for name in ("fetch.py", "report.py"):
        project.write(name, "if __name__ == '__main__':\n    raise SystemExit(9)\n")

    done = reloader(project.folder)

    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert len([line for line in lines if line.startswith("  reloader -- python")]) == 2
    assert "fetch.py   # a Python program" in done.stderr
    assert "report.py   # a Python program" in done.stderr


def test_init_prints_or_writes(project: Project) -> None:
    """`--print` writes nothing; what is written is what a bare run does."""
    project.app()

    printed = reloader(project.folder, "init", "--print")
    assert printed.returncode == 0
    assert not (project.folder / ".reload.toml").exists()
    written = reloader(project.folder, "init")

    assert "found in app.py; start it with: reloader" in written.stdout
    assert (project.folder / ".reload.toml").read_text() == printed.stdout
    project.start()


def test_a_config_that_is_deleted_is_missed(project: Project) -> None:
    """What a look at the project would find does not take the place of what runs."""
    project.app()
    config = project.config(f"[build]\nbin = '{PYTHON} app.py'\n")
    run = project.start()

    config.unlink()

    assert "no config file here" in run.wait_for("config.rejected")["text"]
    project.app("2")
    project.wait_noted("START", version="2")
    assert run.events("config.changed") == []


def test_init_can_start_at_once(project: Project) -> None:
    """`init --run` writes the config, says what is in it, and reloads the app."""
    project.app()
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("RELOADER_", "air_wd"))}
    clean |= {"APP_LOG": str(project.log)}
    run = subprocess.Popen(
        [PYTHON, "-m", "reloader", "init", "--run"],
        cwd=project.folder,
        env=clean,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        project.wait_noted("START", version="1")
        until(lambda: "watching" in (run.stdout.readline() if run.stdout else ""))
        project.app("2")
        project.wait_noted("START", version="2")
    finally:
        os.killpg(run.pid, signal.SIGINT)
        run.communicate(timeout=20)
    assert run.returncode == 0
    assert "app.py" in (project.folder / ".reload.toml").read_text()


def test_init_shows_what_an_air_file_becomes(project: Project) -> None:
    """`init --print --from` writes nothing."""
    project.config('[build]\nbin = "./app"\ncmd = "make"\n', name=".air.toml")

    done = reloader(project.folder, "init", "--print", "--from", ".air.toml")

    assert done.returncode == 0
    assert 'cmd = "make"' in done.stdout
    assert os.listdir(project.folder) == [".air.toml"]
