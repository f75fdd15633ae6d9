"""`reloader run -c a -c b`: several apps in one run, each restarted on its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import PYTHON, actor, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.project import Project, Run

CONFIGS = ("-c", "api/.reload.toml", "-c", ".air.worker.toml")


def app_of(project: Project, name: str, version: str = "1", mode: str = "plain") -> None:
    """Its script notes each start in the common log as `name` and `version`."""
    # A log of its own for the lock: two at once are right here, two of one name are not.
    script = actor("app", version, mode).replace('f"{LOG}.{ROLE}.lock"', f'f"{{LOG}}.{name}.lock"')
    script = script.replace('"what": what,', f'"what": what, "app": "{name}",')
    project.save(f"{name}/app.py", script)


def two(project: Project, more: str = "") -> None:
    for name, file, script in (
        ("api", "api/.reload.toml", "app.py"),
        ("worker", ".air.worker.toml", "worker/app.py"),  # an Air file's runs where we start
    ):
        command = " ".join([*PYTHON, script])
        text = f'root = "{name}"\n[build]\ncmd = ""\nfull_bin = "{command}"\n'
        project.config(text + 'include_ext = ["py"]\n' + more, file)
        app_of(project, name)


def started(project: Project, *args: str) -> Run:
    run = project.run(*CONFIGS, *args)
    for name in ("api", "worker"):
        run.wait_for("watch.started", after=0, app=name)
        run.wait_for("app.started", after=0, app=name)
        project.wait_noted("START", app=name)
    return run


def starts(project: Project) -> list[tuple[str, str]]:
    return [(line["app"], line["version"]) for line in project.noted("START")]


def test_each_app_is_restarted_on_its_own(project: Project) -> None:
    """A save in one folder is nothing to the other; each runs in its own folder."""
    two(project)
    run = started(project)

    app_of(project, "worker", "2")
    project.wait_noted("START", app="worker", version="2")
    app_of(project, "api", "3")
    project.wait_noted("START", app="api", version="3")

    assert sorted(starts(project)) == [("api", "1"), ("api", "3"), ("worker", "1"), ("worker", "2")]
    folders = {line["app"]: line["cwd"] for line in project.noted("START")}
    assert folders == {"api": str(project.folder / "api"), "worker": str(project.folder)}
    assert {event["app"] for event in run.events("reloader.stopped", "app.stopped")} == {
        "api",
        "worker",
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all(project: Project, number: int) -> None:
    """Each app is asked once, and is waited for."""
    two(project)
    run = started(project)
    for name in ("api", "worker"):
        app_of(project, name, "2", "slow")
        project.wait_noted("START", app=name, version="2")

    assert run.stop(number) == 0

    assert sorted(line["app"] for line in project.noted("END", version="2")) == ["api", "worker"]
    assert len(run.events("quit.finished")) == 2


def test_one_deaf_app_holds_the_other_up_only_at_the_end(project: Project) -> None:
    """It is killed after its time; the run ends when the last app has."""
    two(project, 'kill_delay = "300ms"\n')
    run = started(project)
    app_of(project, "api", "2", "ignore")
    project.wait_noted("START", app="api", version="2")

    assert run.stop() == 0

    killed = {event["app"]: event["killed"] for event in run.events("app.stopped")[-2:]}
    assert killed == {"api": True, "worker": False}


def test_a_signal_for_the_apps_reaches_each(project: Project) -> None:
    """SIGUSR1 is not ours: it is handed on, once to each app."""
    two(project)
    for name in ("api", "worker"):
        project.write(
            f"{name}/app.py",
            "import os, signal\n"
            "os.chdir(os.path.dirname(os.path.abspath(__file__)))\n"
            "signal.signal(signal.SIGUSR1, lambda *_: open('usr1', 'a').write('x'))\n"
            "open('up', 'w').close()\n"
            "while True: signal.pause()\n",
        )
    run = project.run(*CONFIGS)
    folders = [project.folder / "api", project.folder / "worker"]
    until(lambda: all((f / "up").exists() for f in folders), why=run.report)

    run.send(signal.SIGUSR1)

    until(lambda: all((f / "usr1").exists() for f in folders), why=run.report)
    assert [(f / "usr1").read_text() for f in folders] == ["x", "x"]


def test_a_broken_build_is_its_own_app_s(project: Project) -> None:
    """The other one goes on, and its saves work."""
    two(project)
    text = (project.folder / "api/.reload.toml").read_text()
    project.config(text.replace('cmd = ""', 'cmd = "test ! -e broken"'), "api/.reload.toml")
    run = started(project)

    project.write("api/broken", "")
    app_of(project, "api", "2")
    assert run.wait_for("build.failed")["app"] == "api"
    app_of(project, "worker", "2")
    project.wait_noted("START", app="worker", version="2")

    assert ("api", "2") not in starts(project)


def test_an_edited_config_is_its_own_app_s(project: Project) -> None:
    """The named keys are those of one file, and only its app starts again."""
    two(project)
    run = started(project)

    text = (project.folder / ".air.worker.toml").read_text()
    project.config(text + 'args_bin = ["more"]\n', ".air.worker.toml")

    changed = run.wait_for("config.changed")
    assert (changed["app"], changed["keys"]) == ("worker", ["build.args_bin"])
    until(lambda: len(project.noted("START", app="worker")) == 2, why=run.report)
    assert len(project.noted("START", app="api")) == 1


def test_lines_carry_the_name(project: Project) -> None:
    """Those of reloader and those of the apps."""
    two(project)
    run = project.run(*CONFIGS, json_=False)
    until(lambda: run.stderr.count("| watching") == 2, why=run.report)
    until(lambda: run.stdout.count(b"app 1 says hello\n") == 2, why=run.report)

    assert run.stop() == 0

    lines = run.stderr.splitlines()
    assert {line[:9] for line in lines} == {"api    | ", "worker | "}
    lines = sorted(run.stdout.splitlines())
    assert lines == [b"api    | app 1 says hello", b"worker | app 1 says hello"]


def refused(project: Project, *args: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "reloader", "run", *args)
    environ = os.environ | {"APP_LOG": str(project.log)}
    return subprocess.run(
        command,
        check=False,
        cwd=project.folder,
        env=environ,
        text=True,
        capture_output=True,
        timeout=20,
    )


def test_one_bad_config_starts_none(project: Project) -> None:
    """What is wrong is said, for all of them at once."""
    two(project)
    project.config("[build]\ndelay = 'x'\n", ".air.worker.toml")
    project.config("[build]\nbum = 1\n", "api/.reload.toml")

    done = refused(project, *CONFIGS)

    assert done.returncode == 2
    assert ".air.worker.toml:2" in done.stderr
    assert "api/.reload.toml:2" in done.stderr
    assert starts(project) == []


def test_one_that_runs_already_starts_none(project: Project) -> None:
    """The first of the two would have started, were it alone."""
    two(project)
    run = project.run("-c", ".air.worker.toml")
    project.wait_noted("START", app="worker")

    done = refused(project, *CONFIGS)

    assert (done.returncode, str(run.pid) in done.stderr) == (3, True)
    assert starts(project) == [("worker", "1")]


def test_one_config_twice_is_a_mistake(project: Project) -> None:
    two(project)

    done = refused(project, *CONFIGS, "-c", "./api/../.air.worker.toml")

    assert done.returncode == 2
    assert "the same one twice" in done.stderr
    assert starts(project) == []


def test_the_healthcheck_asks_for_all(project: Project, tmp_path: Path) -> None:
    """One app that is down is named; it is well when all are up."""
    two(project)
    run = started(project)

    def health() -> tuple[int, str]:
        command = (sys.executable, "-m", "reloader", "healthcheck")
        done = subprocess.run(
            command, check=False, cwd=project.folder, text=True, capture_output=True, timeout=20
        )
        return done.returncode, done.stdout + done.stderr

    assert health()[0] == 0

    project.save("worker/app.py", "raise SystemExit(3)\n")
    run.wait_for("app.exited", app="worker")

    status, text = health()
    assert status == 1
    assert "worker: the app is not up: exit 3" in text
