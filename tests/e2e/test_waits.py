"""Random saves with random builds, each followed by a wait; `make wait-check` is the long one."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.waits.session import Session

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.skipif(sys.platform != "linux", reason="the peer is known on Linux")
def test_no_answer_is_wrong(tmp_path: Path) -> None:
    """Each is held against what runs; a slow machine takes fewer turns, for it has its time."""
    session = Session(tmp_path, 5)
    try:
        ends = time.monotonic() + 15
        told = set()
        for _ in range(40):
            told.add(session.turn())
            if time.monotonic() > ends and {"live", "failed"} <= told:
                break
    except AssertionError as error:
        raise AssertionError(f"{error}\n{session.report()}") from None
    finally:
        session.close()
    assert {"live", "failed"} <= told
