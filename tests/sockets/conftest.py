"""A rig for each test; nothing of it may be left."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sockets.rig import Rig

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def rig() -> Iterator[Rig]:
    it = Rig()
    yield it
    it.close()
