"""What every container test can have: an engine, a wheel of this checkout, a table of figures.

`make test-containers` runs them; the ordinary `make test` doesn't look at this folder. Where there
is no Docker they are skipped, and one line at the end says so.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.containers.stack import Docker, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RUBBISH = shutil.ignore_patterns(
    "__pycache__", "tmp", "postgres", ".env", ".env.local", "active.slot"
)
STANDINS = {
    "golang": ["golang:1.26"],
    "postgres": ["postgres:15", "timescale/timescaledb:latest-pg15"],
    "nginx": ["nginx:1.28"],
    "node": ["node:22"],
}
FIGURES: list[tuple[str, str, str]] = []
SKIPPED: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "containers: needs a Docker engine")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Only for who asks for them: by the mark, or by this folder's name."""
    asked = "containers" in config.option.markexpr or any("containers" in a for a in config.args)
    return None if asked else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mine = [item for item in items if item.path.is_relative_to(HERE)]
    for item in mine:
        item.add_marker(pytest.mark.containers)
    if mine and (reason := Docker.missing()):
        SKIPPED.append(f"{len(mine)} CONTAINER TESTS DID NOT RUN: {reason}")
        for item in mine:
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in SKIPPED:
        terminalreporter.write_line(line, red=True, bold=True)
    for what, measured, value in FIGURES:
        terminalreporter.write_line(f"{what:20} {measured:44} {value:>10}")


@pytest.fixture(scope="session")
def docker() -> Docker:
    """The engine. In the lane, which reaches no registry, with stand-ins for the base images."""
    it = Docker()
    if "RELOADER_TEST_DOCKER" in os.environ:
        for name, tags in STANDINS.items():
            if not all(it.has(tag) for tag in tags):
                it.build_standin(HERE / "standins" / f"{name}.Dockerfile", tags)
    return it


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout's wheel, made by the command that docs/containers.md gives."""
    folder = tmp_path_factory.mktemp("wheel")
    page = (ROOT / "docs" / "containers.md").read_text()
    (command,) = re.findall(r"^pip wheel .*", page, re.MULTILINE)
    words = shlex.split(command.replace("PATH/TO/THE/CHECKOUT", str(ROOT)))
    subprocess.run([sys.executable, "-m", *words], check=True, timeout=120, cwd=folder)
    (file,) = folder.iterdir()
    return file


@pytest.fixture(scope="module")
def stack(
    request: pytest.FixtureRequest,
    docker: Docker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """As much of a clone as the module's EXAMPLE needs, and compose in its folder."""
    clone = tmp_path_factory.mktemp("stack")
    folder = clone / "examples" / request.module.EXAMPLE
    for name in ("pyproject.toml", "README.md", "LICENSE", ".dockerignore"):
        shutil.copy(ROOT / name, clone)
    shutil.copytree(ROOT / "reloader", clone / "reloader", ignore=RUBBISH)
    shutil.copytree(ROOT / "examples" / folder.name, folder, ignore=RUBBISH)
    with (clone / "reloader" / "__init__.py").open("a") as version:  # to be told from any other
        version.write('__version__ += "+clone"\n')
    it = Stack(docker, folder, FIGURES)
    failed = request.session.testsfailed
    yield it
    if request.session.testsfailed > failed:
        print(it.compose("logs", "--tail=60"))
    it.down()
