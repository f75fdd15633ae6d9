"""docs/containers.md: each Dockerfile of it is built, starts, and reloads; sizes and times."""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from distribution import binary, image
from tests.containers.conftest import FIGURES, ROOT
from tests.containers.stack import CLIENT, Log, run
from tests.helpers.until import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.containers.stack import Docker

PAGE = (ROOT / "docs" / "containers.md").read_text()
BLOCK = re.compile(r"### ([^\n]+)\n(?:(?!#)[^\n]*\n)*?```dockerfile\n(.*?)```", re.DOTALL)
DOCKERFILES = dict(BLOCK.findall(PAGE))
PROJECTS = {
    "Python": {
        "app.py": "import signal\nprint('app 1')\nsignal.pause()\n",
        "requirements.txt": "six\n",
    },
    "Go": {
        "main.go": 'package main\n\nfunc main() {\n\tprintln("app 1")\n\tselect {}\n}\n',
        "go.mod": "module example.com/app\n\ngo 1.26\n",
        ".reload.toml": "",
    },
    "Node": {
        "server.js": "console.log('app 1'); setInterval(() => {}, 1000)\n",
        "package.json": '{"name": "app", "version": "1.0.0"}\n',
    },
}
WAYS = ["Image", "Distribution", "Copied venv", "Zipapp", "Copied Python"]


@pytest.fixture(scope="session", autouse=True)
def reloader_image(docker: Docker, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The image `reloader`, as `make dist` makes it."""
    folder = binary.build(wheel, tmp_path_factory.mktemp("image"))
    size = image.build(folder, "test")
    FIGURES.append(("image reloader", "size", f"{size / 1e6:.0f} MB"))


def build(wheel: Path, name: str, context: Path) -> str:
    (context / "Dockerfile").write_text(DOCKERFILES[name])
    shutil.copy(wheel, context)
    tag = "reloader-test-" + name.lower().replace(" ", "-")
    args = ["build", "-q", "--network=host", "-t", tag, str(context)]
    run(CLIENT, *args, timeout=300, env={"DOCKER_BUILDKIT": "1"})
    return tag


def test_no_image_takes_reloader_from_the_package_index() -> None:
    """Other programs have the names `reloader` and `reloader-cli` there."""
    examples = {str(path): path.read_text() for path in ROOT.glob("examples/**/Dockerfile")}
    assert len(examples) == 4
    for name, text in {**examples, **DOCKERFILES}.items():
        for command in re.split(r"&&|\n", text.replace("\\\n", " ")):
            words = command.split()
            strangers = {"reloader", "reloader-cli"} & set(words)
            assert "install" not in words or not strangers, f"{name}: {command}"


@pytest.mark.parametrize("name", PROJECTS)
def test_a_development_image(docker: Docker, wheel: Path, name: str, tmp_path: Path) -> None:
    for file, text in PROJECTS[name].items():
        (tmp_path / file).write_text(text)
    tag = build(wheel, name, tmp_path)
    container = docker("run", "-d", "--network=none", tag).strip()
    log = Log(container)
    try:
        log.wait_for("^app 1$")
        until(lambda: any(line.startswith("watching ") for line in log.lines))
        file, text = next(iter(PROJECTS[name].items()))
        (tmp_path / file).write_text(text.replace("app 1", "app 2"))
        docker("cp", str(tmp_path / file), f"{container}:/app/{file}")
        log.wait_for("^app 2$")
        docker("stop", container)
        assert docker("inspect", "-f", "{{.State.ExitCode}}", container).strip() == "0"
    finally:
        log.close()
        docker("rm", "-f", container)


@pytest.mark.parametrize("name", WAYS)
def test_a_way_in(docker: Docker, wheel: Path, name: str, tmp_path: Path) -> None:
    tag = build(wheel, name, tmp_path)
    added = docker.size(tag) - docker.size("golang:1.26")
    times = []
    app = ["--build.cmd", "", "--build.bin", "sh -c 'echo app; exec sleep 1000'"]
    for _ in range(3):
        container = docker(
            "run", "-d", "--network=none", "-w", "/srv", tag, "reloader", "run", *app
        ).strip()
        log = Log(container)
        try:
            log.wait_for("^app$")
            assert docker("exec", container, "reloader", "healthcheck").startswith("ok")
            begun = docker("inspect", "-f", "{{.State.StartedAt}}", container).strip()
            said = docker("logs", "-t", container).splitlines()
        finally:
            log.close()
            docker("rm", "-f", container)
        line = next(line for line in said if line.endswith(" app"))
        times.append((instant(line.split()[0]) - instant(begun)).total_seconds())
    FIGURES.append((name, "added to the image", f"{added / 1e6:.0f} MB"))
    FIGURES.append((name, "container started -> app started, best of 3", f"{min(times):.2f} s"))


def instant(text: str) -> datetime:
    """Docker's nanoseconds are three digits too many for 3.10."""
    return datetime.fromisoformat(text[:26].rstrip("Z") + "+00:00")
