"""`check`, `explain` and `init` as a user runs them, and that a run does what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.helpers.project import BUILT, PYTHON, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.project import Project


def reloader(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("RELOADER_", "air_wd"))}
    command = [sys.executable, "-m", "reloader", *arguments]
    return subprocess.run(
        command, cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=30
    )


def test_a_run_does_what_explain_says(project: Project) -> None:
    """For each file: a save of one that counts reloads, and of the others nothing happens."""
    ignored = ["notes.txt", "vendor/x.py", "pages/x.txt", ".hidden/x.py"]
    counting = ["pages/x.py", ".hidden/named.cfg", "build.py"]
    for name in [*ignored, *counting[:2]]:
        project.write(name, "1")
    project.app()
    project.build()
    project.config(
        f"[build]\n{BUILT}include_ext = ['py']\nexclude_dir = ['vendor']\n"
        "include_file = ['.hidden/named.cfg']\n"
    )

    said = reloader(project.folder, "explain", *ignored, *counting).stdout.split("\n\n")

    effects = [text.partition(": ")[2].partition("\n")[0] for text in said]
    assert effects == ["nothing"] * 4 + ["builds and restarts the app"] * 3
    run = project.start()
    for number, name in enumerate(counting[:2], 2):
        for other in ignored:
            project.save(other, str(number))
        project.save(name, str(number))
        change = run.wait_for("change.seen")
        assert change["path"].endswith(name)
        run.wait_for("app.started")
        until(lambda: len(project.versions()) == number)  # noqa: B023 -- asked at once
    assert len(run.events("change.seen")) == 2


def test_check_of_a_broken_and_a_doubtful_config(project: Project) -> None:
    """2 and 1 and 0; lines that an editor can jump to; JSON."""
    project.config("[build]\nbni = 'x'\n")
    broken = reloader(project.folder, "check")
    assert broken.returncode == 2
    assert broken.stdout.startswith(".reload.toml:2: error: build.bni: unknown key\n  hint: did")

    project.app()
    project.config(f"[build]\nentrypoint = {json.dumps([*PYTHON, 'app.py'])}\nkill_delay = 500\n")
    assert reloader(project.folder, "check").returncode == 0
    doubtful = reloader(project.folder, "check", "--strict", "--json")
    assert doubtful.returncode == 1
    (record,) = map(json.loads, doubtful.stdout.splitlines())
    assert (record["file"], record["line"]) == (".reload.toml", 3)
    assert doubtful.stderr == ""


def test_what_check_prints_runs(project: Project) -> None:
    """The effective config, saved as a file, is a config that runs the same."""
    project.app()
    project.config(f"[build]\nentrypoint = {json.dumps([*PYTHON, 'app.py'])}\nargs_bin = ['a b']\n")
    printed = reloader(project.folder, "check", "--print")
    assert printed.returncode == 0
    project.config(printed.stdout)

    project.start()

    assert project.noted("START", role="app")[0]["args"] == ["a b"]


def test_from_air_to_ours(project: Project) -> None:
    """An Air file, converted, runs the same app by the same build."""
    project.app()
    project.build()
    air = f"tmp_dir = 'tmp'\n[build]\n# ours\n{BUILT}include_ext = ['py']\ndelay = 1000\n"
    project.config(air + "stop_on_root = false\nkill_delay = 500\n", ".air.toml")

    done = reloader(project.folder, "init", "--from", ".air.toml")

    assert done.returncode == 0, done.stderr
    assert "build.stop_on_root: left out" in done.stdout
    assert "# ours\n" in (project.folder / ".reload.toml").read_text()
    run = project.start()
    assert run.events("greeted")[0]["config"] == ".reload.toml"
    assert project.versions("build") == ["1"]
    assert run.events("warning") == []


def test_a_command_that_reloads_by_itself_is_told_once(project: Project) -> None:
    """By the script of a package.json; with the settings that let both work; by check, too."""
    project.write("package.json", '{"scripts": {"dev": "vite"}}')
    project.app()
    project.write("npm", f"#!/bin/sh\nexec {' '.join(PYTHON)} app.py\n").chmod(0o755)
    lines = 'include_ext = [] and include_file = ["package.json"]'
    project.config(f'[build]\nbin = "PATH={project.folder}:$PATH npm run dev"\n')
    assert lines in reloader(project.folder, "check").stdout

    run = project.start()
    assert lines in run.wait_for("warned")["text"]
    project.save("x.py", "1")
    run.wait_for("app.started")
    assert len([event for event in run.events("warned") if lines in event["text"]]) == 1


def test_an_app_that_watches_its_own_files_is_told_once(project: Project) -> None:
    """Whatever it is called: after a restart for a save its processes are looked at."""
    project.app()
    project.write(
        "own.py",
        "import ctypes, runpy\nlibc = ctypes.CDLL(None)\n"
        "libc.inotify_add_watch(libc.inotify_init1(0), b'.', 0x2)\n"
        "runpy.run_path('app.py', run_name='__main__')\n",
    )
    project.config(f"[build]\nentrypoint = {json.dumps([*PYTHON, 'own.py'])}\n")
    run = project.start()
    for number in ("2", "3"):
        project.app(number)
        run.wait_for("app.started")
        until(lambda: number in project.versions())  # noqa: B023 -- asked at once
        if number == "2":
            assert "the app watches its files itself" in run.wait_for("warned")["text"]
    run.stop()
    assert len(run.events("warned")) == 1
