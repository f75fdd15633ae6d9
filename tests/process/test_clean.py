"""`clean_on_exit`: what a build has made goes, everything else stays, and that is said."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from reloader.commands.clean import Cleaner
from reloader.config.model import Config
from reloader.core.news import BuildSucceeded
from tests.helpers.until import until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tmp(tmp_path: Path) -> Path:
    return tmp_path.resolve() / "project" / "tmp"


def build(tmp: Path, cleaner: Cleaner, *names: str) -> None:
    """A build of 50 ms that writes these files."""
    begun = time.time()
    for name in names:
        (tmp / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp / name).write_text("made")
    until(lambda: time.time() > begun + 0.05)
    cleaner(BuildSucceeded("make", time.time() - begun))


def later(seconds: float = 0.3) -> None:
    """Files that are written now are not taken for the build's."""
    ends = time.time() + seconds
    until(lambda: time.time() > ends)


def clean(tmp: Path, cleaner: Cleaner) -> str:
    return cleaner.clean(Config(tmp_dir=str(tmp)))


def test_what_builds_made_is_gone(tmp: Path) -> None:
    """With its directories, and nothing is said."""
    cleaner = Cleaner()
    build(tmp, cleaner, "main", "a/b/c.o")
    (tmp / "link").symlink_to("main")
    build(tmp, cleaner, "main", "d")
    assert clean(tmp, cleaner) == ""
    assert not tmp.exists()
    assert clean(tmp, cleaner) == ""  # nothing there is nothing to say


def test_what_somebody_else_made_stays(tmp: Path) -> None:
    """Before the build, after it, a worktree; the build's own files go."""
    cleaner = Cleaner()
    tmp.mkdir(parents=True)
    (tmp / "notes.txt").write_text("mine")
    later()
    build(tmp, cleaner, "main", "x/made", "wt/.git", "wt/feature.py")
    later()
    (tmp / "x" / "dev.sqlite3").write_text("mine")
    said = clean(tmp, cleaner)
    assert "4 files were not made by a build of this run" in said
    left = sorted(path.name for path in tmp.rglob("*") if path.is_file())
    assert left == [".git", "dev.sqlite3", "feature.py", "notes.txt"]


@pytest.mark.parametrize("which", ["tmp", "project"])
def test_a_link_is_not_followed(tmp: Path, tmp_path: Path, which: str) -> None:
    """Neither instead of the directory nor on the way to it."""
    cleaner = Cleaner()
    build(tmp, cleaner, "main")
    precious = tmp_path / "precious"
    tmp.parent.rename(precious)
    if which == "project":
        tmp.parent.symlink_to(precious)
    else:
        tmp.parent.mkdir()
        tmp.symlink_to(precious / "tmp")
    assert "was not deleted" in clean(tmp, cleaner)
    assert (precious / "tmp" / "main").read_text() == "made"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs to mount")
def test_what_is_mounted_below_stays(tmp: Path, tmp_path: Path) -> None:
    """It is on another device, whatever was written there."""
    import subprocess

    cleaner = Cleaner()
    (tmp / "m").mkdir(parents=True)
    mount = subprocess.run(["mount", "-t", "tmpfs", "none", tmp / "m"], check=False)
    if mount.returncode:
        pytest.skip("SKIPPED: no mounts here")
    try:
        build(tmp, cleaner, "main", "m/theirs")
        assert "1 file was not made" in clean(tmp, cleaner)
        assert (tmp / "m" / "theirs").exists()
        assert not (tmp / "main").exists()
    finally:
        subprocess.run(["umount", tmp / "m"], check=True)
