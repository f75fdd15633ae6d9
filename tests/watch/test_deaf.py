"""An inotify that tells nothing any more is found by the audit, and made anew."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING

import pytest

from reloader.config.model import Engine
from reloader.watch import audit, inotify
from tests.watch.apart import files
from tests.watch.seeing import Seeing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ANEW = "inotify does not answer any more: watching anew, all is looked at again"


def replaced(descriptor: int) -> None:
    """Another inotify, that watches nothing, is in its place."""
    other = inotify.Inotify()
    os.dup2(other.descriptor, descriptor)
    other.close()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "_TRUSTED", (0.05, 1))


def see(root: Path) -> Seeing:
    files(root, "root/a.py", "root/sub/b.py", "elsewhere/c.conf")
    (root / "root/c.py").symlink_to(root / "elsewhere/c.conf")
    return Seeing(root / "root", Engine.NATIVE, since_ns=time.time_ns() + 10**9)


@pytest.mark.parametrize("end", [os.close, replaced], ids=["closed", "replaced"])
def test_it_is_made_anew(tmp_path: Path, end: Callable[[int], None]) -> None:
    """What changed meanwhile is seen, and after that everything is as before."""
    with see(tmp_path) as it:
        end(it.watcher._coverage.engine.fileno())
        (tmp_path / "root/sub/b.py").write_text("new")
        it.wait_to_see("sub/b.py")
        it.wait_for(lambda: ANEW in it.warnings)
        it.forget()
        it.watcher._audit.close()
        for path, name in (("root/a.py", "a.py"), ("root/sub/b.py", "sub/b.py")):
            (tmp_path / path).write_text("newer")
            it.wait_to_see(name)
        (tmp_path / "elsewhere/c.conf").write_text("newer")
        it.wait_to_see("c.py")
        (tmp_path / "root/new").mkdir()
        (tmp_path / "root/new/d.py").write_text("1")
        it.wait_to_see("new/d.py")
        assert it.warnings.count(ANEW) == 1


def test_when_there_is_none_to_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then everything is polled, and that is said."""

    def refuse() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with see(tmp_path) as it:
        monkeypatch.setattr(inotify, "Inotify", refuse)
        os.close(it.watcher._coverage.engine.fileno())
        it.wait_for(lambda: any("polling instead" in text for text in it.warnings))
        it.wait_for(lambda: len(it.started) == 2)
        (tmp_path / "root/a.py").write_text("new")
        it.wait_to_see("a.py")


def test_one_that_lives_is_left_alone(tmp_path: Path) -> None:
    """Also where nothing is watched."""
    with see(tmp_path) as it:
        assert it.watcher._coverage.engine.is_alive()
        it.settle()
        assert not it.warnings
    nothing = inotify.Inotify()
    assert not nothing.lives()
    nothing.close()
