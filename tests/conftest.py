"""What every test can have."""

from __future__ import annotations

import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.helpers.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A busy machine may take long over any example.
settings.register_profile("reloader", deadline=None)
settings.load_profile("reloader")

# Tests mean the same wherever they are started: under nohup SIGHUP is ignored, by children, too;
# and a person's PYTHONPATH or PYTHONOPTIMIZE is not for the programs that tests start.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
for _name in [_name for _name in os.environ if _name.startswith("PYTHON")]:
    del os.environ[_name]


@pytest.fixture
def free_port() -> int:
    """A port that nobody has at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project folder; at the end everything that ran in it must be gone."""
    it = Project(tmp_path)
    yield it
    it.close()
