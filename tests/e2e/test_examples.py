"""The examples run as their READMEs say, with real reloads over HTTP."""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sysconfig
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import until

if TYPE_CHECKING:
    from tests.helpers.project import Project, Run

REPO = Path(__file__).parents[2]
# The extra "go" puts a toolchain beside this Python.
PATH = os.pathsep.join([os.environ["PATH"], sysconfig.get_path("scripts")])
GO = shutil.which("go", path=PATH)
FIRST_GO_BUILD = 180.0  # with an empty cache the standard library is compiled, too


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """A copy of an example, run on a port of its own."""

    def __init__(self, project: Project, example: str) -> None:
        self.project = project
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        shutil.copytree(
            REPO / "examples" / example,
            project.folder / "examples" / example,
            ignore=shutil.ignore_patterns("tmp", "__pycache__"),
        )

    def get(self, path: str = "/") -> str:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, http.client.HTTPException, OSError):  # it is being swapped
            return ""

    def wait_for(self, text: str, run: Run) -> str:
        return until(lambda: text in (page := self.get()) and page, why=run.report)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.project.folder / name).read_text()
        assert old in text
        self.project.save(name, text.replace(old, new))


def test_hello(project: Project) -> None:
    """`reloader run` in the repo serves the page; edits of the script and the page show; a break
    is shown and mended; at the end nobody listens any more."""
    site = Site(project, "hello")
    shutil.copy(REPO / ".reload.toml", project.folder)
    ports = {"RELOADER_PROXY_APP_PORT": str(site.port), "RELOADER_PROXY_PROXY_PORT": "0"}
    run = project.run(env={"PORT": str(site.port)} | ports)
    site.wait_for("Hello! Change me", run)
    run.wait_for("proxy.started", after=0)
    run.wait_for("watch.started", after=0)
    run.wait_for("app.started", after=0)

    site.edit("examples/hello/app.py", "Hello! Change me", "Bonjour! Change me")
    pid = run.wait_for("app.started")["pid"]
    assert f"Process {pid}" in site.wait_for("Bonjour!", run)
    site.edit("examples/hello/page.html", "This text", "That text")
    site.wait_for("That text", run)

    broken = site.project.folder / "examples/hello/app.py"
    whole = broken.read_text()
    project.save("examples/hello/app.py", whole + "(\n")
    assert run.wait_for("app.exited")["ok"] is False
    until(lambda: "SyntaxError" in run.stderr, why=run.report)
    project.save("examples/hello/app.py", whole)
    site.wait_for("Bonjour!", run)

    assert run.stop() == 0
    assert run.events("app.stopped")[-1]["killed"] is False
    assert site.get() == ""


def test_the_repos_config_is_the_examples(project: Project) -> None:
    """`make run` needs nothing but `python3`: the repo's config names no path of a machine."""
    text = (REPO / ".reload.toml").read_text()

    assert 'entrypoint = ["python3", "app.py"]' in text
    assert 'root = "examples/hello"' in text


@pytest.mark.skipif(not GO, reason="no Go: the extra `go` brings one")
def test_go_http(project: Project) -> None:
    """A Go project with Air's own file builds and reloads; while a build fails, the old server
    goes on answering; its own test passes."""
    site = Site(project, "go-http")
    folder = project.folder / "examples" / "go-http"
    project.folder = folder
    env = {"PORT": str(site.port), "PATH": PATH}
    run = project.run(env=env)
    assert run.wait_for("build.started")["command"] == "go build -o ./tmp/main ."
    run.wait_for("build.succeeded", timeout=FIRST_GO_BUILD)
    run.wait_for("watch.started", after=0)
    site.wait_for("Hello from Go", run)
    pid = run.wait_for("app.started", after=0)["pid"]
    assert site.get("/health") == "ok\n"

    site.edit("main.go", "Hello from Go", "Moin from Go")
    site.wait_for("Moin from Go", run)
    assert run.wait_for("app.stopped", pid=pid)["killed"] is False

    site.edit("main.go", "func main() {", "func main() { nonsense")
    failed = run.wait_for("build.failed")
    assert f"process {failed['app_pid']}," in site.get()
    until(lambda: "undefined: nonsense" in run.stderr, why=run.report)
    site.edit("main.go", "func main() { nonsense", "func main() {")
    run.wait_for("app.started")

    before = run.seq
    project.save("main_test.go", (folder / "main_test.go").read_text() + "\n// more\n")
    project.save("page.html", "")
    assert run.wait_for("change.seen", after=before)["path"] == "page.html"  # tests don't count

    assert run.stop() == 0
    assert site.get() == ""
    subprocess.run([str(GO), "test", "./..."], cwd=folder, check=True, capture_output=True)


def test_the_air_file_has_airs_keys_and_values() -> None:
    """`examples/go-http/.air.toml` says what `air init` writes, key by key."""
    from reloader.config.model import Config, options

    text = (REPO / "examples/go-http/.air.toml").read_text()
    found = {line.split(" = ")[0] for line in text.splitlines() if " = " in line}
    ours = {name.rpartition(".")[2] for name, option, _ in options(Config) if not option.here_only}

    # `startup_banner` is Air's, too, but is not written.
    assert found == ours - {"startup_banner"}
