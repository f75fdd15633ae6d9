"""A lab for each test, and orphans that come back to it."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import pytest

from reloader.process.orphans import PR_SET_CHILD_SUBREAPER
from tests.process.lab import Lab, child
from tests.process.tty import Tty

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def subreaper(on: bool) -> None:
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, int(on), 0, 0, 0) == 0


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """A fresh set of children; what the test leaves is killed, and nothing may be left then."""
    subreaper(on=True)
    it = Lab(tmp_path)
    yield it
    it.close()
    subreaper(on=False)


@pytest.fixture
def orphaned_lab(tmp_path: Path) -> Iterator[Lab]:
    """The same without a subreaper: orphans go to init, as on macOS."""
    it = Lab(tmp_path, adopts=False)
    yield it
    it.close()


@pytest.fixture
def tty() -> Iterator[type]:
    """Makes one terminal."""
    made: list[Tty] = []

    def make(verbs: str | tuple[str, ...], **options) -> Tty:
        app = child(verbs).argv if isinstance(verbs, str) else verbs
        made.append(Tty(*app, **options))
        return made[0]

    yield make
    for it in made:
        it.close()
