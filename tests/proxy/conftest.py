from __future__ import annotations

import pytest

from tests.proxy.backend import Backend
from tests.proxy.rig import Rig


@pytest.fixture
def backend():
    it = Backend()
    yield it
    it.close()


@pytest.fixture
def rig(backend):
    """The proxy before that app, open."""
    it = Rig(backend.port).open()
    yield it
    it.close()
