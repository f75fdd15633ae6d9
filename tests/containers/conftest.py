"""What every container test can have: an engine, a wheel of this checkout, a table of figures.

`make test-containers` runs them; the ordinary `make test` doesn't look at this folder. Where there
is no Docker they are skipped, and one line at the end says so.
"""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.containers.stack import Docker, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
WHEEL_PORT = 47_113  # always the same, so that the engine's build cache holds
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
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a build on the host's network finds this checkout's wheel.

    The address changes with reloader, and with nothing else: what the engine has cached holds.
    """
    top = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(top), str(ROOT)]
    subprocess.run(build, check=True, timeout=120)
    (file,) = top.glob("*.whl")
    digest = hashlib.sha256()
    for source in sorted(ROOT.glob("reloader/**/*.py")):
        digest.update(source.read_bytes())
    folder = top / digest.hexdigest()[:12]
    folder.mkdir()
    file.rename(folder / file.name)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(top))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", WHEEL_PORT), handler)
    except OSError:  # another run has it
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/{folder.name}/{file.name}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def stack(
    request: pytest.FixtureRequest,
    docker: Docker,
    wheel: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A copy of the example that the module's EXAMPLE names, and compose in it."""
    example = request.module.EXAMPLE
    folder = tmp_path_factory.mktemp("stack") / example
    shutil.copytree(ROOT / "examples" / example, folder, ignore=shutil.ignore_patterns("postgres"))
    it = Stack(docker, folder, wheel, FIGURES)
    failed = request.session.testsfailed
    yield it
    if request.session.testsfailed > failed:
        print(it.compose("logs", "--tail=60"))
    it.down()
