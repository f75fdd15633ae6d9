"""Builds, hooks and rules: what runs, in which order, and what happens when it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import BUILD, BUILT, ENTRYPOINT, PYTHON, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.project import Project, Run


def start(project: Project, config: str = f"[build]\n{BUILT}") -> Run:
    project.config(config)
    project.app("1")
    project.build("1")
    return project.start()


def whats(project: Project) -> list[str]:
    return [f"{line['role']} {line['what']}" for line in project.noted()]


def test_build_then_app(project: Project) -> None:
    """On start and on a save the build runs to its end first; the old app goes when it is done."""
    run = start(project)

    project.app("2")
    project.wait_noted("START", role="app", version="2")

    build = ["build START", "build COPIED", "build END"]
    swap = ["app SIGTERM", "app END", "app START"]
    assert whats(project) == [*build, "app START", *build, *swap]
    names = [e["event"] for e in run.stream if not e["event"].startswith("watch")]
    assert names[:4] == ["greeted", "build.started", "build.succeeded", "app.started"]


def test_a_change_dooms_the_build(project: Project) -> None:
    """A build that would never end is killed with its deaf daemons; the last state runs."""
    project.config(f"[build]\n{BUILT}")
    project.app("1")
    project.build("1", "hang")
    run = project.run()
    run.wait_for("watch.started", after=0)
    family = until(lambda: len(them := set(project.alive()) - {run.pid}) >= 6 and them)

    project.app("2")
    project.build("2")
    project.wait_noted("START", role="app", version="2")

    assert project.versions() == ["2"]
    assert not family & set(project.alive()), project.report()
    assert run.wait_for("build.cancelled", after=0)


def test_a_change_after_the_build_has_read_its_sources_is_not_lost(project: Project) -> None:
    """What is saved while the build runs, but after it has read the file, is built again."""
    project.config(f"[build]\n{BUILT}")
    project.app("1")
    project.build("1", "slow")
    run = project.run()
    run.wait_for("watch.started", after=0)
    project.wait_noted("COPIED")

    project.app("2")

    project.wait_noted("START", role="app", version="2")
    assert project.versions() == ["2"]


def test_many_saves_during_builds(project: Project) -> None:
    """However the saves fall into running builds, in the end the last one runs."""
    run = start(project)

    for version in range(2, 22):
        builds = len(project.versions("build"))
        project.app(str(version))
        if version % 2:  # every other save falls into a build that has just begun
            until(lambda n=builds: len(project.versions("build")) > n, why=run.report)

    project.wait_noted("START", role="app", version="21")
    assert project.versions()[-1] == "21"
    # Each app that ever ran is a version that was saved, in the order of the saves.
    assert project.versions() == sorted(project.versions(), key=int)


def test_a_save_into_every_build(project: Project) -> None:
    """Saves that fall into one build after the other are no loop: the last one runs."""
    run = start(project)

    for version in range(2, 12):
        builds = len(project.versions("build"))
        if version > 2:
            until(lambda n=builds: len(project.noted("COPIED")) >= n, why=run.report)
        project.app(str(version))
        until(lambda n=builds: len(project.versions("build")) > n, why=run.report)

    project.wait_noted("START", role="app", version="11")


def test_a_failed_build_keeps_the_app(project: Project) -> None:
    """The old app is not touched, the failure is shown with its output, the next save recovers."""
    run = start(project)
    pid = run.events("app.started")[0]["pid"]

    project.build("2", "fail")
    failed = run.wait_for("build.failed")

    assert (failed["why"], failed["app_pid"]) == ("exit 1", pid)
    until(lambda: "build 2: no such thing" in run.stderr, why=run.report)
    assert project.noted("SIGTERM") == []
    assert pid in project.alive()
    log = project.folder / "tmp" / "build-errors.log"
    assert "exit 1" in until(lambda: log.exists() and log.read_text())

    project.build("3")
    run.wait_for("app.started")
    assert [line["pid"] for line in project.noted("SIGTERM")] == [pid]


def test_stop_on_error(project: Project) -> None:
    """With `stop_on_error` a failed build stops the app; the next save starts it again."""
    run = start(project, f"[build]\n{BUILT}stop_on_error = true\n")

    project.build("2", "fail")
    assert run.wait_for("build.failed")["app_pid"] == 0
    run.wait_for("app.stopped")
    assert whats(project)[-1] == "app END"

    project.build("3")
    run.wait_for("app.started")


def test_a_failed_first_build_recovers(project: Project) -> None:
    """No app starts after a failed build; the save that mends it starts the app."""
    project.config(f"[build]\n{BUILT}")
    project.app("1")
    project.build("1", "fail")
    run = project.run()
    assert run.wait_for("build.failed")["app_pid"] == 0
    run.wait_for("watch.started", after=0)

    project.build("2")
    project.wait_noted("START", role="app")
    assert project.versions("build") == ["1", "2"]
    assert project.versions() == ["1"]


def test_a_build_without_an_app(project: Project) -> None:
    """A config with a build and no app builds on each save, and that is all."""
    project.config(f"[build]\n{BUILD}")
    project.app()
    project.build("1")
    run = project.run()
    run.wait_for("build.succeeded")
    run.wait_for("watch.started", after=0)

    project.build("2")

    run.wait_for("build.succeeded")
    assert project.versions("build") == ["1", "2"]
    assert run.events("app.started", "start.failed") == []


def test_a_shell_where_one_is_needed(project: Project) -> None:
    """Assignments work as they are; `&&`, redirections and variables go through a shell."""
    build = f"APP_MODE=debug {' '.join(PYTHON)} build.py > ../built.txt"
    config = BUILT.replace(BUILD, f"cmd = '{build} && echo $APP_LOG >> ../built.txt'\n")
    start(project, f"[build]\n{config}")

    assert (project.folder.parent / "built.txt").read_text() == f"{project.log}\n"
    assert project.noted("END", role="build")[0]["env"]["APP_MODE"] == "debug"


# --- hooks ---------------------------------------------------------------------------------------

ORDER = 'pre_cmd = ["echo first >> ../order", "echo second >> ../order"]\n'


def test_pre_cmd(project: Project) -> None:
    """Each pre_cmd runs before each build, in order."""
    run = start(project, f"[build]\n{ORDER}{BUILT}")
    order = project.folder.parent / "order"
    assert order.read_text() == "first\nsecond\n"

    project.app("2")

    run.wait_for("app.started")
    assert order.read_text() == "first\nsecond\n" * 2


def test_a_failed_pre_cmd_fails_the_build(project: Project) -> None:
    """A pre_cmd that fails is a failed build: no build runs, no app starts."""
    project.config(f"[build]\npre_cmd = [\"sh -c 'exit 7'\"]\n{BUILT}")
    project.app()
    project.build()
    run = project.run()

    failed = run.wait_for("build.failed")

    assert (failed["why"], "exit 7" in failed["command"]) == ("exit 7", True)
    assert project.noted() == []


def test_in_a_file_of_airs_a_failed_pre_cmd_is_passed_over(project: Project) -> None:
    """With an `.air.toml` the build goes on after a failed pre_cmd, as with Air."""
    project.config(
        f'[build]\npre_cmd = ["sh -c \'exit 7\'"]\n{BUILT}include_ext = ["py"]\n', ".air.toml"
    )
    project.app()
    project.build()
    run = project.start()

    failed = run.wait_for("hook.failed", after=0)

    assert (failed["hook"], failed["why"]) == ("pre_cmd", "exit 7")


def test_post_cmd_runs_once_after_the_app(project: Project) -> None:
    """At the end each post_cmd runs once, when the app has finished, whether it fails or not."""
    hooks = (
        'post_cmd = ["cp ../app.log ../at-post.log", "sh -c \'exit 3\'", "echo post >> ../order"]\n'
    )
    run = start(project, f"[build]\n{hooks}{BUILT}")
    project.app("2")
    run.wait_for("app.started")

    assert run.stop() == 0

    assert (project.folder.parent / "order").read_text() == "post\n"
    last = (project.folder.parent / "at-post.log").read_text().splitlines()[-1]
    assert json.loads(last)["what"] == "END"
    assert [e["why"] for e in run.events("hook.failed")] == ["exit 3"]


def test_post_cmd_is_bounded(project: Project) -> None:
    """A post_cmd that never ends, and is deaf, does not keep reloader from ending."""
    run = start(
        project,
        f"[build]\npost_cmd = [\"sh -c 'trap : TERM; while :; do sleep 1; done'\"]\n{BUILT}",
    )

    assert run.stop(signal.SIGTERM) == 0

    assert [e["hook"] for e in run.events("hook.failed")] == ["post_cmd"]
    assert project.alive() == {}


@pytest.mark.parametrize("clean", [True, False])
def test_clean_on_exit(project: Project, *, clean: bool) -> None:
    """With `clean_on_exit` the tmp_dir is gone at the end, else it stays; sources always stay."""
    run = start(project, f"[build]\n{BUILT}[misc]\nclean_on_exit = {str(clean).lower()}\n")
    assert (project.folder / "tmp" / "app.py").exists()

    assert run.stop() == 0

    assert (project.folder / "tmp").exists() is not clean
    assert (project.folder / "app.py").exists()


# --- environment ---------------------------------------------------------------------------------


def test_env_files(project: Project) -> None:
    """Read again before each start; a removed name is gone; what is set outside wins."""
    project.write(".env", "APP_COLOR=red\nAPP_OUTSIDE=file\nAPP_QUOTED='two words'\n")
    project.config(f'env_files = [".env", "missing.env"]\n[build]\n{BUILT}')
    project.app("1")
    project.build("1")
    run = project.start(env={"APP_OUTSIDE": "outside"})
    seen = project.noted("START", role="app")[-1]["env"]
    assert (seen["APP_COLOR"], seen["APP_OUTSIDE"], seen["APP_QUOTED"]) == (
        "red",
        "outside",
        "two words",
    )
    assert project.noted("START", role="build")[-1]["env"]["APP_COLOR"] == "red"

    project.write(".env", "APP_SIZE=9\n")
    project.app("2")
    run.wait_for("app.started")

    seen = project.wait_noted("START", role="app", version="2")["env"]
    assert seen["APP_SIZE"] == "9"
    assert "APP_COLOR" not in seen
    assert seen["APP_OUTSIDE"] == "outside"


# --- rules ---------------------------------------------------------------------------------------

RULES = """
[[build.rules]]
name = "css"
cmd = "cp style.css ../style-built.css"
include_ext = ["css"]

[[build.rules]]
name = "broken"
cmd = "sh -c 'exit 4'"
include_file = ["bad.txt"]
"""


def test_rules(project: Project) -> None:
    """A rule's file runs the rule's command and leaves build and app alone; a failure is told."""
    run = start(project, f"[build]\n{BUILT}{RULES}")

    project.save("style.css", "a {}")
    done = run.wait_for("rule.succeeded")
    project.save("bad.txt", "")
    failed = run.wait_for("rule.failed")

    assert done["rule"] == "css"
    assert (project.folder.parent / "style-built.css").read_text() == "a {}"
    assert (failed["rule"], failed["why"]) == ("broken", "exit 4")
    assert len(run.events("build.started")) == len(run.events("app.started")) == 1
    assert project.noted("SIGTERM") == []


@pytest.mark.skipif(os.getuid() != 0, reason="SKIPPED: to mount takes root")
def test_the_build_log_of_a_read_only_project(project: Project, tmp_path: Path) -> None:
    """Where tmp_dir can't be made the log goes to a temporary folder, and that is said."""
    project.config('[build]\ncmd = "sh -c false"\nbin = "true"\n')
    view = tmp_path / "view"
    view.mkdir()
    script = (
        f"mount --bind {project.folder} {view} && mount -o remount,ro,bind {view} && cd {view} &&"
        f" exec timeout -s INT 20 {sys.executable} -m reloader run"
    )
    with subprocess.Popen(
        ("unshare", "-m", "sh", "-c", script),
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as run:
        log = tmp_path / f"reloader-{os.getuid()}" / "build-errors.log"
        until(lambda: log.exists() and "exit 1" in log.read_text())
        run.send_signal(signal.SIGINT)
        assert f"failed builds are noted in {log}" in run.communicate(timeout=20)[1]


def test_a_rule_signals_the_app(project: Project) -> None:
    """It goes on, and reads its file again."""
    project.write("app.conf", "1")
    project.save(
        "app.py",
        "import signal\n"
        "def read(*_): open('read', 'a').write(open('app.conf').read())\n"
        "signal.signal(signal.SIGHUP, read)\n"
        "read()\n"
        "while True: signal.pause()\n",
    )
    rule = '[[build.rules]]\nsignal = "SIGHUP"\ninclude_file = ["app.conf"]\n'
    project.config(f'[build]\n{ENTRYPOINT}include_ext = ["py"]\n{rule}')
    run = project.run()
    run.wait_for("watch.started", after=0)
    until((project.folder / "read").exists, why=run.report)

    project.save("app.conf", "2")

    sent = run.wait_for("app.signalled")
    assert (sent["signal"], sent["pid"]) == ("SIGHUP", run.events("app.started")[0]["pid"])
    until(lambda: (project.folder / "read").read_text() == "12", why=run.report)
    assert run.stop() == 0
    assert len(run.events("app.started")) == 1
