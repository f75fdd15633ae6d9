"""inotify: what only it can do, and what the kernel does to it."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reloader.config.model import Engine
from reloader.watch import audit, coverage, inotify, mounts
from reloader.watch.tree import Visit
from tests.watch import apart
from tests.watch.seeing import Seeing

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOOD = 17_500  # two events each; the queue holds 16,384


def see(root: Path, **build: object) -> Seeing:
    return Seeing(root, Engine.NATIVE, since_ns=time.time_ns() + 10**9, **build)


def watches(it: Seeing) -> int:
    """Those that tell of what is in a folder."""
    with open(f"/proc/self/fdinfo/{it.watcher._coverage.engine.fileno()}") as info:
        masks = [line.partition("mask:")[2].split()[0] for line in info if "mask:" in line]
    return sum(bool(int(mask, 16) & inotify.CREATE) for mask in masks)


@pytest.mark.parametrize(
    "scene",
    [
        "too_few_watches",
        "too_few_watches_later",
        "no_instance",
        "overlay",
        "mounted_file",
        "mounted_and_unmounted",
        "mounted_over",
        "mount_of_a_deleted_root",
        "mount_of_a_root_deleted_slowly",
    ],
)
def test_apart(scene: str, tmp_path: Path) -> None:
    (tmp_path / "scene").mkdir()
    apart.play(scene, tmp_path / "scene")


def test_a_file_system_that_says_nothing(tmp_path: Path) -> None:
    if not shutil.which("bindfs"):
        pytest.skip("SKIPPED: no bindfs here")
    apart.play("silent_mount", tmp_path)


def test_the_queue_overflows(tmp_path: Path) -> None:
    """Nobody reads while 17,500 files are written; then all that counts is known."""
    apart.files(tmp_path, "a.py", "old/b.py", "gone/c.py")
    with see(tmp_path) as it:
        for number in range(FLOOD):
            with open(tmp_path / f"{number}.txt", "w") as file:
                file.write("x")
        (tmp_path / "new/deep").mkdir(parents=True)
        (tmp_path / "new/deep/d.py").write_text("1")
        (tmp_path / "a.py").write_text("last")
        (tmp_path / "old").rename(tmp_path / "renamed")
        shutil.rmtree(tmp_path / "gone")
        it.wait_to_see("a.py", "new/deep/d.py", "old/b.py", "renamed/b.py", "gone/c.py")
        assert len(it.warnings) == 1
        it.forget()
        for path in ("new/deep/d.py", "renamed/b.py"):
            (tmp_path / path).write_text("new")
            it.wait_to_see(path)
        assert watches(it) == 4


def test_nothing_wakes_an_idle_watcher(tmp_path: Path) -> None:
    apart.files(tmp_path, "a.py", "app.log", "node_modules/x/y.py", ".cache/index", "src/b.py")
    with see(tmp_path) as it, open(tmp_path / "app.log", "w") as log:
        assert watches(it) == 2
        for number in range(100):
            print(number, file=log, flush=True)
            (tmp_path / "node_modules/x/y.py").write_text(str(number))
            (tmp_path / "a.py").read_text()
            (tmp_path / ".cache/new").write_text("1")
            (tmp_path / ".cache/new").replace(tmp_path / ".cache/index")
        assert not it.turn(0.2)


def test_folders_that_stopped_to_matter_are_not_watched(tmp_path: Path) -> None:
    apart.files(tmp_path, *(f"d{number}/e/f.py" for number in range(10)))
    with see(tmp_path) as it:
        assert watches(it) == 21
        for number in range(5):
            shutil.rmtree(tmp_path / f"d{number}")
        for number in range(5, 8):
            (tmp_path / f"d{number}").rename(tmp_path.parent / f"out{number}")
        it.settle()
        assert watches(it) == 5
        (tmp_path / "d9/pyvenv.cfg").write_text("home = /usr")
        it.settle()
        assert watches(it) == 3


def test_a_root_behind_a_link_that_is_changed(tmp_path: Path) -> None:
    apart.files(tmp_path, "one/a.py", "two/a.py")
    (tmp_path / "current").symlink_to("one")
    with see(tmp_path / "current") as it:
        (tmp_path / "next").symlink_to("two")
        (tmp_path / "next").replace(tmp_path / "current")
        it.wait_to_see("a.py")
        it.forget()
        (tmp_path / "one/a.py").write_text("old one")
        it.settle()
        assert not it.seen
        (tmp_path / "two/a.py").write_text("new one")
        it.wait_to_see("a.py")


def test_what_is_above_the_root_is_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far above; and what else goes on up there wakes nobody."""
    monkeypatch.setattr(audit, "_FIRST", 600)  # events alone must do
    apart.files(tmp_path, "x/y/z/a.py", "x/beside.py")
    with see(tmp_path / "x/y/z") as it:
        it.settle()
        assert watches(it) == 1
        (tmp_path / "x/beside.py").write_text("1")
        (tmp_path / "x/y/new").mkdir()
        (tmp_path / "other").mkdir()
        assert not it.turn(0.2)
        for number in (1, 2):
            (tmp_path / "x").rename(tmp_path / f"moved{number}")
            it.wait_to_see("a.py")
            assert it.warnings == [f"{tmp_path}/x/y/z is not there: waiting for it"]
            it.seen.clear()
            apart.files(tmp_path, "x/y/z/a.py")
            it.wait_to_see("a.py")
            it.forget()
            (tmp_path / f"moved{number}/y/z/a.py").write_text("not ours any more")
            it.settle()
            assert not it.seen
            assert watches(it) == 1


def test_a_folder_above_is_watched_for_more_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For what a link leads to; then it is watched for a move again."""
    monkeypatch.setattr(audit, "_FIRST", 600)
    apart.files(tmp_path, "x/y/a.py", "x/one", "two")
    (tmp_path / "x/y/link.py").symlink_to("../one")
    with see(tmp_path / "x/y") as it:
        it.settle()
        assert watches(it) == 2
        (tmp_path / "x/one").write_text("new")
        it.wait_to_see("link.py")
        (tmp_path / "x/y/link.py").unlink()
        (tmp_path / "x/y/link.py").symlink_to("a.py")
        it.forget()
        assert watches(it) == 1
        (tmp_path / "x").rename(tmp_path / "moved")
        it.wait_to_see("a.py", "link.py")


def test_a_link_that_led_round_in_circles(tmp_path: Path) -> None:
    apart.files(tmp_path, "one")
    (tmp_path / "link.py").symlink_to("link.py")
    with see(tmp_path) as it:
        it.settle()
        (tmp_path / "link.py").unlink()
        (tmp_path / "link.py").symlink_to("one")
        it.wait_to_see("link.py")
        it.forget()
        (tmp_path / "one").write_text("new")
        it.wait_to_see("link.py")


def test_a_root_that_is_not_there_yet(tmp_path: Path) -> None:
    with see(tmp_path / "x/y/z") as it:
        assert it.warnings == [f"{tmp_path}/x/y/z is not there: waiting for it"]
        apart.files(tmp_path, "x/y/z/sub/a.py")
        it.wait_to_see("sub/a.py")


def test_a_folder_moved_in_while_the_first_walk_goes_on(tmp_path: Path) -> None:
    apart.files(tmp_path, "prepared/sub/a.py", "root/b.py")
    os.utime(tmp_path / "prepared/sub/a.py", (1, 1))
    it = Seeing(tmp_path / "root", Engine.NATIVE, since_ns=time.time_ns() + 10**9)
    it.watcher._coverage._visit(Visit(str(tmp_path / "root"), deep=False))  # as far as it got
    (tmp_path / "prepared").rename(tmp_path / "root/moved")
    with it:
        it.wait_to_see("moved/sub/a.py")


def test_a_mount_without_events_is_polled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apart.files(tmp_path, "a.py", "mnt/b.py", "mnt/sub/c.py")
    table = f"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / {tmp_path}/mnt rw - fuse.grpcfuse x rw\n"
    monkeypatch.setattr(mounts, "read", lambda: mounts.parse(table))
    with see(tmp_path) as it:
        assert it.started[0].engine == f"inotify, poll: {tmp_path}/mnt (fuse.grpcfuse)"
        assert (it.started[0].dirs, it.started[0].files) == (3, 3)
        assert watches(it) == 1
        for path in ("a.py", "mnt/sub/c.py", "mnt/b.py"):
            (tmp_path / path).write_text("new")
            it.wait_to_see(path)
        (tmp_path / "mnt/new").mkdir()
        (tmp_path / "mnt/new/d.py").write_text("1")
        it.wait_to_see("mnt/new/d.py")


def test_a_mount_below_a_root_that_is_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart.files(tmp_path, "real/mnt/a.py")
    (tmp_path / "root").symlink_to("real")
    table = f"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / {tmp_path}/real/mnt rw - 9p x rw\n"
    monkeypatch.setattr(mounts, "read", lambda: mounts.parse(table))
    with see(tmp_path / "root") as it:
        assert it.started[0].engine == f"inotify, poll: {tmp_path}/root/mnt (9p)"


def test_a_target_edited_before_its_folder_is_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart.files(tmp_path, "elsewhere/a.conf", "root/b.py")
    (tmp_path / "root/a.py").symlink_to(tmp_path / "elsewhere/a.conf")
    follow = coverage.Coverage._follow

    def follow_late(self: coverage.Coverage, path: str) -> None:
        if not self._lookouts.all():
            (tmp_path / "elsewhere/a.conf").write_text("edited")
        follow(self, path)

    monkeypatch.setattr(coverage.Coverage, "_follow", follow_late)
    with see(tmp_path / "root") as it:
        it.wait_to_see("a.py")


def test_an_include_dir_that_is_not_there(tmp_path: Path) -> None:
    with see(tmp_path, include_dir=("src", "../lib")) as it:
        expected = [
            f"{path} is not there: waiting for it"
            for path in (tmp_path / "src", tmp_path.parent / "lib")
        ]
        it.wait_for(lambda: sorted(it.warnings) == sorted(expected))
        apart.files(tmp_path, "src/a.py")
        it.wait_to_see("src/a.py")


def test_the_audit_sees_what_nobody_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edit through another name of the file raises no event in our folder."""
    monkeypatch.setattr(audit, "_TRUSTED", (0.05, 1))
    monkeypatch.setattr(audit, "_SETTLE", 0.05)
    apart.files(tmp_path, "root/a.py", "root/b.py")
    os.link(tmp_path / "root/a.py", tmp_path / "other-name")
    with see(tmp_path / "root") as it:
        with open(tmp_path / "root/b.py", "w") as held:
            print("not closed yet", file=held, flush=True)
            (tmp_path / "other-name").write_text("edited")
            it.wait_to_see("a.py")
            expected = "a.py changed without an event (through a hard link from elsewhere?)"
            assert it.warnings == [expected]
            assert "b.py" not in it.seen
        it.wait_to_see("b.py")


def test_an_audit_of_what_is_known_finds_nothing(tmp_path: Path) -> None:
    apart.files(tmp_path, "a.py", "sub/b.py", "env/pyvenv.cfg", "env/c.py", ".git/HEAD")
    with see(tmp_path) as it:
        (tmp_path / "a.py").write_text("new")
        it.wait_to_see("a.py")
        os.utime(tmp_path / "a.py", (1, 1))  # as tar, rsync and shutil.copy2 do, when it is closed
        (tmp_path / "sub/b.py").chmod(0o600)
        it.settle()
        assert it.watcher._audit.sweep(list(it.watcher._tree.folders)) == {}


@pytest.fixture
def _nobody() -> Iterator[None]:
    """Root may look everywhere."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.mark.usefixtures("_nobody")
def test_a_folder_nobody_may_read() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        apart.files(root, "a/x.py", "b/y.py")
        (root / "a").chmod(0)
        with see(root) as it:
            assert it.warnings == ["can't read a: Permission denied"]
            (root / "a").chmod(0o755)
            it.wait_to_see("a/x.py")
            it.forget()
            (root / "a/x.py").write_text("new")
            it.wait_to_see("a/x.py")
            assert len(it.warnings) == 1
