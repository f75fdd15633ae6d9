"""`[apps.*]`: one file, one command, several apps that need each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_several import app_of, refused, starts
from tests.helpers.project import PYTHON, until

if TYPE_CHECKING:
    from tests.helpers.project import Project, Run

RUN = " ".join(PYTHON)
TWO = f"""\
[build]
include_ext = ["py"]

[env]
SHARED = "1"

[apps.api]
root = "api"
build.bin = "{RUN} app.py"

[apps.worker]
root = "worker"
build.bin = "{RUN} app.py"
env.PART = "w"
"""


def two(project: Project, text: str = TWO) -> None:
    for name in ("api", "worker"):
        app_of(project, name)
    project.config(text)


def started(project: Project, *args: str, apps: tuple[str, ...] = ("api", "worker")) -> Run:
    run = project.run(*args)
    for name in apps:
        run.wait_for("watch.started", after=0, app=name)
        run.wait_for("app.started", after=0, app=name)
        project.wait_noted("START", app=name)
    return run


def reloader(project: Project, *args: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "reloader", *args)
    return subprocess.run(
        command, check=False, cwd=project.folder, text=True, capture_output=True, timeout=20
    )


# --- one file ------------------------------------------------------------------------------------


def test_each_app_of_a_file_is_restarted_on_its_own(project: Project) -> None:
    """As with two files: a save in one folder is nothing to the other."""
    two(project)
    run = started(project)

    app_of(project, "worker", "2")
    project.wait_noted("START", app="worker", version="2")

    assert run.stop() == 0
    assert sorted(starts(project)) == [("api", "1"), ("worker", "1"), ("worker", "2")]


def test_variables_of_the_file_reach_the_apps(project: Project) -> None:
    """The shared ones and an app's own; before what is set outside."""
    script = "import os\nprint(os.environ['SHARED'], os.environ.get('PART'))\n"
    for name in ("api", "worker"):
        project.write(f"{name}/app.py", script)
    project.config(TWO)
    run = project.run(json_=False, env={"SHARED": "outside"})
    until(lambda: run.stdout.count(b"\n") == 2, why=run.report)

    assert sorted(run.stdout.splitlines()) == [b"api    | 1 None", b"worker | 1 w"]
    assert run.stop() == 0


def test_apps_are_chosen_by_name(project: Project) -> None:
    """Flags may stand behind the names."""
    two(project)
    run = project.run("worker", "--build.delay", "5")
    run.wait_for("watch.started", after=0)
    project.wait_noted("START", app="worker")

    assert run.stop() == 0
    assert starts(project) == [("worker", "1")]
    assert "app" not in run.events("app.started")[0]  # it is alone, as with one `-c`


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("api", "wroker"), 'no app "wroker"\n  hint: did you mean worker?'),
        (("--profile", "dev"), 'no profile "dev"'),
    ],
)
def test_what_is_not_there_is_told(project: Project, args: tuple[str, ...], said: str) -> None:
    two(project)

    done = refused(project, *args)

    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_a_profile_adds_its_apps(project: Project) -> None:
    """Without it they are left out; named, they run."""
    two(project, TWO.replace('root = "worker"', 'root = "worker"\nprofiles = ["jobs"]'))
    run = project.run()
    project.wait_noted("START", app="api")
    assert run.stop() == 0
    assert starts(project) == [("api", "1")]

    run = started(project, "--profile", "jobs")
    assert run.stop() == 0
    run = project.run("worker")
    until(lambda: len(project.noted("START", app="worker")) == 2, why=run.report)
    assert run.stop() == 0


def test_the_same_app_runs_once(project: Project) -> None:
    """The lock is an app's: another app of the file may run beside it."""
    two(project)
    run = project.run("worker")
    project.wait_noted("START", app="worker")

    done = refused(project)
    assert (done.returncode, str(run.pid) in done.stderr) == (3, True)

    other = project.run("api")
    project.wait_noted("START", app="api")
    assert other.stop() == run.stop() == 0


def test_commands_know_each_app(project: Project) -> None:
    """`explain` says for whom a file counts, `check` tells all, each once."""
    two(project, TWO.replace('env.PART = "w"', 'build.kill_delay = "1s"'))

    explained = reloader(project, "explain", "api/app.py").stdout
    assert "[apps.api]\n  api/app.py: restarts the app\n" in explained
    assert "[apps.worker]\n  api/app.py: nothing\n" in explained
    checked = reloader(project, "check")
    assert "without send_interrupt" in checked.stdout
    assert checked.stdout.endswith(".reload.toml: 1 warning\n")
    printed = reloader(project, "check", "--print").stdout
    assert "# [apps.api]\n" in printed
    assert 'SHARED = "1"' in printed
    examined = reloader(project, "doctor").stdout
    assert "worker: " in examined


# --- a file that is edited ------------------------------------------------------------------------


def test_only_the_app_whose_table_was_edited_starts_again(project: Project) -> None:
    """The others know nothing of it."""
    two(project)
    run = started(project)

    project.config(TWO.replace('PART = "w"', 'PART = "x"'))

    changed = run.wait_for("config.changed")
    assert (changed["app"], changed["keys"]) == ("worker", ["env"])
    until(lambda: len(project.noted("START", app="worker")) == 2, why=run.report)
    assert run.stop() == 0
    assert len(project.noted("START", app="api")) == 1
    assert len(run.events("config.changed")) == 1


def test_apps_come_and_go_with_their_tables(project: Project) -> None:
    """One that is taken out ends; put back it starts again; the other is left alone."""
    two(project)
    run = started(project)
    without = TWO[: TWO.index("[apps.worker]")]

    project.config(without)
    assert run.wait_for("app.removed")["app"] == "worker"
    run.wait_for("quit.finished", app="worker")
    app_of(project, "worker", "2")

    project.config(TWO)
    project.wait_noted("START", app="worker", version="2")
    app_of(project, "worker", "3")
    project.wait_noted("START", app="worker", version="3")

    assert run.stop() == 0
    assert len(project.noted("START", app="api")) == 1


def test_a_mistake_is_told_once(project: Project) -> None:
    """All apps of the file go on as they were, and say nothing more."""
    two(project)
    run = started(project)

    project.config(TWO + "[apps.api]\n")
    run.wait_for("config.rejected")
    app_of(project, "api", "2")
    project.wait_noted("START", app="api", version="2")
    project.config(TWO.replace("[apps.api]", "[apps.api]\nbuild.bum = 1"))
    assert "apps.api.build.bum" in run.wait_for("config.rejected")["text"]
    project.config(TWO)
    run.wait_for("config.changed", keys=[])

    assert run.stop() == 0
    assert len(run.events("config.rejected")) == 2


# --- apps that need each other --------------------------------------------------------------------

STACK = f"""\
[build]
include_ext = ["py"]

[apps.web]
root = "web"
depends_on = {{ db = "started", migrate = "completed" }}
build.bin = "{RUN} app.py"

[apps.migrate]
root = "migrate"
once = true
depends_on = {{ db = "started" }}
build.bin = "{RUN} app.py"

[apps.db]
root = "db"
build.bin = "{RUN} app.py"
"""


MIGRATE = "raise SystemExit(open('../code').read() != '0')\n"


def stack(project: Project) -> None:
    for name in ("web", "db"):
        app_of(project, name)
    project.write("code", "0")
    project.write("migrate/app.py", MIGRATE)
    project.config(STACK)


def order(run: Run, *events: str) -> list[tuple[str, str]]:
    return [(event["event"], event["app"]) for event in run.events(*events)]


def test_apps_start_in_the_order_of_need_and_end_in_the_reverse(project: Project) -> None:
    """The one-off has completed before the app that needs it starts."""
    stack(project)
    run = project.run()
    run.wait_for("app.started", app="web", after=0)
    project.wait_noted("START", app="web")

    assert order(run, "app.started", "app.completed") == [
        ("app.started", "db"),
        ("app.started", "migrate"),
        ("app.completed", "migrate"),
        ("app.started", "web"),
    ]
    health = reloader(project, "healthcheck")
    assert health.returncode == 0, health.stderr

    assert run.stop() == 0
    stopped = order(run, "app.stopped", "quit.finished")
    assert [name for event, name in stopped if event == "app.stopped"] == ["web", "db"]
    assert stopped.index(("quit.finished", "web")) < stopped.index(("app.stopped", "db"))


def test_who_depends_waits_and_it_is_told_why(project: Project) -> None:
    """A failed migration holds up the app that needs it, and nothing else; then it goes on."""
    stack(project)
    project.write("code", "1")
    run = project.run()
    waits = run.wait_for("app.waits", app="web", needs="migrate", why="exit 1", after=0)
    assert waits["condition"] == "completed"
    health = reloader(project, "healthcheck")
    assert health.returncode == 1
    assert "migrate" in health.stderr
    app_of(project, "db", "2")
    project.wait_noted("START", app="db", version="2")

    project.write("code", "0")
    os.utime(project.folder / ".reload.toml")
    project.config(STACK.replace("once = true", 'once = true\nenv.AGAIN = "1"'))
    project.wait_noted("START", app="web")
    assert run.stop() == 0


def test_an_app_goes_on_when_what_it_needs_fails(project: Project) -> None:
    """One app's failure is its own; a save of the app waits, and is not lost."""
    stack(project)
    run = project.run()
    project.wait_noted("START", app="web")
    run.wait_for("watch.started", after=0, app="web")
    run.wait_for("watch.started", after=0, app="db")
    seq = run.seq

    project.save("db/app.py", "raise SystemExit(3)\n")
    run.wait_for("app.exited", app="db")
    app_of(project, "web", "2")
    run.wait_for("app.waits", app="web", needs="db", after=seq)
    assert len(run.events("app.stopped", "app.exited", after=seq)) == 2  # both of the db
    app_of(project, "db", "3")
    project.wait_noted("START", app="web", version="2")
    assert run.stop() == 0


def test_a_second_ctrl_c_waits_for_nobody(project: Project) -> None:
    stack(project)
    app_of(project, "web", "1", "ignore")
    run = project.run()
    project.wait_noted("START", app="web")
    run.send(signal.SIGTERM)
    run.wait_for("quit.started", app="db", after=0)
    run.send(signal.SIGTERM)

    assert run.wait() == 0


# --- folders and steps that apps share ------------------------------------------------------------

SHARED = f"""\
[build]
include_ext = ["py"]
include_dir = [".", "../shared"]

[apps.gen]
once = true
build.include_dir = ["proto"]
build.bin = "{RUN} gen.py"

[apps.api]
root = "api"
depends_on = ["gen"]
build.bin = "{RUN} app.py"

[apps.worker]
root = "worker"
depends_on = ["gen"]
build.bin = "{RUN} app.py"
"""
GEN = """\
import os
with open("runs", "a") as runs:
    runs.write("x")
for name in ("a", "b"):
    with open(f"shared/.{name}", "w") as file:
        file.write(open("proto/api.py").read())
    os.replace(f"shared/.{name}", f"shared/{name}.py")
"""


def shared(project: Project) -> None:
    two(project, SHARED)
    project.write("shared/lib.py", "1")
    project.write("proto/api.py", "1")
    project.write("gen.py", GEN)


def test_a_save_in_a_shared_folder_restarts_who_watches_it(project: Project) -> None:
    """Each once."""
    shared(project)
    run = started(project)

    project.save("shared/lib.py", "2")
    for name in ("api", "worker"):
        run.wait_for("change.seen", after=0, app=name, path=str(project.folder / "shared/lib.py"))
    until(lambda: len(starts(project)) == 4, why=run.report)

    assert run.stop() == 0
    assert len(starts(project)) == 4
    assert (project.folder / "runs").read_text() == "x"


def test_a_step_that_all_need_runs_once(project: Project) -> None:
    """The generator's files change in the middle of its run; both apps restart when it is done."""
    shared(project)
    run = started(project)
    run.wait_for("watch.started", after=0, app="gen")
    seq = run.seq

    project.save("proto/api.py", "2")
    run.wait_for("app.completed", app="gen", after=seq)
    until(lambda: len(starts(project)) == 4, why=run.report)
    for name in ("api", "worker"):  # long after what a formatter may add
        run.wait_for("app.ready", after=0, app=name, generation=2)

    assert run.stop() == 0
    done = run.events("app.completed", after=seq)[0]["seq"]
    begun = [event["seq"] for event in run.events("app.started", after=seq)]
    assert [seq for seq in begun if seq > done] == begun[1:]  # the first is the generator
    assert len(starts(project)) == 4
    assert (project.folder / "runs").read_text() == "xx"


def test_who_asks_is_told_that_a_one_off_is_well(project: Project) -> None:
    """It does not run, and nothing is missing."""
    project.app()
    project.config(
        '[build]\ninclude_ext = ["py"]\n[apps.migrate]\nonce = true\nbuild.bin = "true"\n'
        f'[apps.api]\ndepends_on = ["migrate"]\nbuild.bin = "{RUN} app.py"\n'
    )
    run = project.run()
    run.wait_for("app.ready", app="api", after=0)

    status, wait = reloader(project, "status"), reloader(project, "wait")

    assert (status.returncode, wait.returncode) == (0, 0), status.stderr + wait.stderr
    assert "migrate  live  completed\n" in status.stdout
    assert run.stop() == 0
