"""Random saves with random builds, each followed by a wait; `make wait-check` is the long one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.waits.session import Session

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform != "linux", reason="the peer is known on Linux")
def test_no_answer_is_wrong(tmp_path: Path) -> None:
    """Each is held against what runs."""
    session = Session(tmp_path, 5)
    try:
        told = {session.turn() for _ in range(40)}
    except AssertionError as error:
        raise AssertionError(f"{error}\n{session.report()}") from None
    finally:
        session.close()
    assert {"live", "failed"} <= told
