"""`reloader wait` and the other commands that ask a run, from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.test_several import CONFIGS, app_of, two
from tests.helpers.project import PYTHON, until

if TYPE_CHECKING:
    from tests.helpers.project import Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peer is known on Linux")
BUILD = "cp src.py tmp/app.py && python3 -m py_compile tmp/app.py"
SERVER = """\
import http.server
VERSION = {version!r}
{more}
http.server.HTTPServer(("127.0.0.1", {port}), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def ask(project: Project, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """One command in the project's folder."""
    command = [sys.executable, "-m", "reloader", *words]
    return subprocess.run(
        command,
        cwd=options.pop("cwd", project.folder),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        **options,
    )


def wait_json(project: Project, *words: str) -> dict:
    done = ask(project, "wait", "--json", *words)
    assert done.stdout, done.stderr
    return json.loads(done.stdout) | {"status": done.returncode}


def server(project: Project, version: str, more: str = "") -> None:
    port = (project.folder / "port").read_text()
    project.save("src.py", SERVER.format(version=version, more=more, port=port))


@pytest.fixture
def built(project: Project) -> Project:
    """A project with a build and a server; it is started, and is not live yet."""
    app = " ".join([*PYTHON, "tmp/app.py"])
    project.config(
        f'[build]\ncmd = {json.dumps(BUILD)}\nfull_bin = {json.dumps(app)}\ninclude_ext = ["py"]\n'
    )
    with socket.create_server(("127.0.0.1", 0)) as it:
        project.write("port", str(it.getsockname()[1]))
    server(project, "1")
    project.run().wait_for("greeted", after=0)
    return project


def running(project: Project) -> str:
    """The version of the code that the app was started with."""
    return (project.folder / "tmp/app.py").read_text().split("VERSION = ")[1].split("'")[1]


def test_live_and_not(built: Project) -> None:
    """Asked right behind each save: the answer is about that save."""
    assert wait_json(built)["live"]
    server(built, "2")
    answer = wait_json(built)
    assert answer["live"]
    assert answer["status"] == 0
    assert answer["generation"] == 2
    assert answer["cause"] == "src.py"
    assert answer["app"]["address"].startswith("http://127.0.0.1:")
    assert running(built) == "2"

    server(built, "3", "this is no Python")
    answer = wait_json(built)
    assert (answer["live"], answer["outcome"], answer["status"]) == (False, "failed", 1)
    assert answer["why"] == "the build failed: exit 1"
    (problem,) = answer["problems"]
    assert problem["line"] == 3
    assert "SyntaxError" in problem["message"]
    assert "no Python" in answer["failures"][0]["output"]
    assert answer["app"]["generation"] == 2  # it goes on

    server(built, "4", "raise SystemExit(3)")
    done = ask(built, "wait")
    assert done.returncode == 1
    assert "not live: the app failed: exit 3" in done.stdout

    server(built, "5")
    done = ask(built, "wait")
    assert done.returncode == 0
    assert done.stdout.startswith("live  pid ")


def test_a_save_that_comes_later_is_no_part_of_the_answer(built: Project) -> None:
    """A build that takes long is waited for; a newer save does not hold the answer back."""
    assert wait_json(built)["live"]
    server(built, "2", "import time; time.sleep(0.3)")
    with subprocess.Popen(
        [sys.executable, "-m", "reloader", "wait", "--json"],
        cwd=built.folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as waiting:
        assert waiting.stdout
        answer = json.loads(waiting.stdout.readline())
    assert answer["live"]
    assert running(built) == "2"


def test_it_is_not_known_in_time(built: Project) -> None:
    """It says what is at work."""
    assert wait_json(built)["live"]
    server(built, "2", "import time; time.sleep(60)")
    answer = wait_json(built, "--timeout", "0.7")
    assert (answer["status"], answer["outcome"]) == (3, "timeout")
    assert "not ready" in answer["why"]


def test_no_reloader_is_here(project: Project) -> None:
    done = ask(project, "wait")
    assert done.returncode == 4
    assert "no reloader runs in" in done.stderr
    for command in ("status", "restart", "build", "pause", "resume", "stop", "events"):
        assert ask(project, command).returncode == 4


def test_pause_and_resume(built: Project) -> None:
    """A pause is told; without changes the app is live all the same."""
    assert wait_json(built)["live"]
    assert ask(built, "pause").stdout == "accepted\n"
    assert wait_json(built)["live"]
    server(built, "2")
    answer = wait_json(built)
    assert (answer["status"], answer["outcome"]) == (1, "paused")
    assert ask(built, "resume").returncode == 0
    assert wait_json(built)["live"]
    assert running(built) == "2"


def test_restart_and_build(built: Project) -> None:
    """They answer when the app is live again, as another process."""
    before = wait_json(built)["app"]["pid"]
    assert ask(built, "restart").returncode == 0
    after = wait_json(built)
    assert after["app"]["pid"] != before
    assert after["generation"] == 2
    assert ask(built, "build").returncode == 0
    assert wait_json(built)["generation"] == 3


def test_status_and_events(built: Project) -> None:
    """Events are those of --json, with their numbers."""
    assert wait_json(built)["live"]
    done = ask(built, "status")
    assert done.returncode == 0
    assert "live  pid " in done.stdout
    record = json.loads(ask(built, "status", "--json").stdout)
    assert record["apps"][0]["condition"] == "live"
    lines = ask(built, "events", "--since", "1").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    stream = built.runs[0].stream
    assert [e["event"] for e in events] == [e["event"] for e in stream[1 : 1 + len(events)]]
    assert [e["seq"] for e in events] == [e["seq"] for e in stream[1 : 1 + len(events)]]


def test_stop_ends_the_run(built: Project) -> None:
    """The command comes back when it is over."""
    assert wait_json(built)["live"]
    done = ask(built, "stop")
    assert done.returncode == 0
    assert built.runs[0].wait(5) == 0
    assert ask(built, "status").returncode == 4


def test_one_of_several(project: Project) -> None:
    """A name chooses the app; without one all have to be live, and the worst is told first."""
    two(project)
    project.run(*CONFIGS).wait_for("greeted", after=0)
    answer = wait_json(project)
    assert answer["live"]
    assert [app["name"] for app in answer["apps"]] == ["api", "worker"]
    app_of(project, "worker", "2", "crash")
    answer = wait_json(project)
    assert not answer["live"]
    assert answer["name"] == "worker"
    assert wait_json(project, "api")["live"]
    done = ask(project, "wait", "nobody")
    assert done.returncode == 1
    assert "no app nobody; expected one of: api, worker" in done.stderr
    assert ask(project, "wait", cwd=project.folder / "api").returncode == 1
    assert ask(project, "stop", "worker").returncode == 0
    assert project.runs[0].process.poll() is None
    project.noted("CLASH")


def test_a_config_that_does_not_hold_is_not_live(built: Project) -> None:
    """What was saved is not what runs."""
    assert wait_json(built)["live"]
    config = (built.folder / ".reload.toml").read_text()
    built.config(config + "[build\n")
    answer = wait_json(built)
    assert answer["status"] == 1
    assert "the config that was saved does not hold" in answer["why"]
    built.config(config)
    assert wait_json(built)["live"]


def test_a_killed_run_leaves_no_lie(built: Project) -> None:
    """Its socket is still there; nobody answers."""
    assert wait_json(built)["live"]
    os.kill(built.runs[0].pid, signal.SIGKILL)
    built.runs[0].wait()
    until(lambda: not built.alive())
    assert ask(built, "wait").returncode == 4


def test_secrets_are_not_told(built: Project) -> None:
    """Values of variables whose names say so are masked in the output of a failure."""
    assert wait_json(built)["live"]
    built.write(".env", "API_TOKEN=hunter2hunter2\n")
    text = (built.folder / ".reload.toml").read_text()
    built.config('env_files = [".env"]\n' + text)
    server(built, "2", "import os; raise SystemExit('leaks ' + os.environ['API_TOKEN'])")
    done = ask(built, "wait", "--json")
    answer = json.loads(done.stdout)
    assert not answer["live"]
    assert "leaks •••" in answer["failures"][0]["output"]
    assert "hunter2" not in done.stdout + ask(built, "events").stdout


# --- where a run is found -------------------------------------------------------------------------

TABLE = '[apps.{name}]\nroot = "{name}"\nbuild.bin = "{run}"\n'
TABLES = "".join(
    TABLE.format(name=name, run=" ".join([*PYTHON, "app.py"])) for name in ("db", "web", "mail")
)
TWO = TABLES[: TABLES.index("[apps.mail]")]


def two_below(project: Project, kind: str) -> tuple[str, ...]:
    """Two apps, no root of theirs the project's folder; returns the arguments of `run`."""
    for name in ("db", "web"):
        app_of(project, name)
        if kind == "files":
            text = f'[build]\nbin = "{" ".join([*PYTHON, "app.py"])}"\n'
            project.config(text, f"{name}/.reload.toml")
    if kind == "tables":
        project.config(TWO)
        return ()
    return ("-c", "db", "-c", "web")


def names_found(project: Project, folder: str, *name: str) -> list[str]:
    """The apps that `status` tells of in a folder; `wait` must find the same run there."""
    waited = ask(project, "wait", "--json", *name, cwd=project.folder / folder)
    assert (waited.returncode, waited.stderr) == (0, ""), waited
    done = ask(project, "status", "--json", *name, cwd=project.folder / folder)
    assert (done.returncode, done.stderr) == (0, ""), done
    return [app["name"] for app in json.loads(done.stdout)["apps"]]


@pytest.mark.parametrize("kind", ["files", "tables"])
def test_found_from_where_it_was_started_and_from_each_root(project: Project, kind: str) -> None:
    """reloader itself moves to the folder of each app that it starts; that is nobody's matter."""
    run = project.run(*two_below(project, kind))
    for name in ("db", "web"):
        run.wait_for("watch.started", after=0, app=name)
        project.wait_noted("START", app=name)

    for folder in (".", "db", "web"):
        assert names_found(project, folder) == ["db", "web"]
        assert names_found(project, folder, "web") == ["web"]
    project.write("other/notes", "")
    assert ask(project, "status", cwd=project.folder / "other").returncode == 4
    assert run.stop() == 0
    assert ask(project, "status").returncode == 4


def test_found_from_within_an_app(project: Project) -> None:
    """Started in one of two folders, by a path to the other."""
    two_below(project, "files")
    run = project.run("-c", "../db", "-c", "../web", cwd=project.folder / "db")
    for name in ("db", "web"):
        run.wait_for("watch.started", after=0, app=name)

    for folder in ("db", "web"):
        assert names_found(project, folder, "web") == ["web"]
    assert ask(project, "status").returncode == 4


def test_found_from_the_root_of_an_app_that_joins(project: Project) -> None:
    """And no more when the app has left, while the run goes on."""
    two_below(project, "tables")
    app_of(project, "mail")
    run = project.run()
    for name in ("db", "web"):
        run.wait_for("watch.started", after=0, app=name)
        project.wait_noted("START", app=name)
    in_mail = project.folder / "mail"
    assert ask(project, "status", cwd=in_mail).returncode == 4

    project.config(TABLES)
    project.wait_noted("START", app="mail")
    for folder in (".", "db", "mail"):
        assert names_found(project, folder) == ["db", "web", "mail"]
        assert names_found(project, folder, "mail") == ["mail"]
        assert ask(project, "healthcheck", cwd=project.folder / folder).returncode == 0

    project.config(TWO)
    assert run.wait_for("app.removed")["app"] == "mail"
    run.wait_for("quit.finished", app="mail")
    until(lambda: ask(project, "status", cwd=in_mail).returncode == 4)
    assert names_found(project, ".") == ["db", "web"]
