"""The snapshot and the looking, without an engine."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from reloader.filter.rules import FileFilter
from reloader.watch import snapshot, tree, unsettled, watcher
from reloader.watch.options import ScanOptions
from reloader.watch.scan import count_files
from reloader.watch.snapshot import ContentHashes, Difference, ScanReason, difference
from reloader.watch.tree import Tree
from reloader.watch.unsettled import PATIENCE
from tests.watch.apart import files
from tests.watch.seeing import Seeing, config_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def tree_of(root: Path, **terms: object) -> Tree:
    """A tree whose first walk is done."""
    warnings: list[str] = []
    it = Tree(ScanOptions(FileFilter.of(config_for(root)), warnings.append, **terms))
    assert it.work(time.monotonic() + 10)
    it.take()
    return it


def test_what_signatures_say() -> None:
    owner = (0o100644, 0, 0, 1)
    old = (1, 2, 3, 4, owner)
    assert difference(old, old) is Difference.NONE
    for new in ((9, 2, 3, 9, owner), (1, 9, 3, 9, owner), (1, 2, 9, 9, owner)):
        assert difference(old, new) is Difference.CHANGED
    assert difference(old, (1, 2, 3, 9, owner)) is Difference.CTIME
    assert difference(old, (1, 2, 3, 9, (0o100755, 0, 0, 1))) is Difference.RIGHTS
    assert difference(old, (9, 2, 3, 9, (0o100755, 0, 0, 1))) is Difference.CHANGED


def test_what_cannot_be_looked_at_has_not_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files(tmp_path, "a.py", "b.py")
    it = tree_of(tmp_path)
    see = snapshot.see

    def failing(path: str) -> snapshot.Seen:
        if path.endswith("a.py"):
            raise OSError(errno.EIO, "the disk is tired")
        return see(path)

    monkeypatch.setattr(snapshot, "see", failing)
    monkeypatch.setattr(tree, "see", failing)
    (tmp_path / "b.py").unlink()
    it.visit(str(tmp_path))
    it.look(str(tmp_path / "a.py"))
    assert it.doubtful() == {str(tmp_path / "b.py")}
    monkeypatch.undo()
    (tmp_path / "b.py").write_text("b.py is back")
    it.visit(str(tmp_path))
    assert list(it.take()) == [str(tmp_path / "b.py")]


def test_what_is_missing_may_come_back(tmp_path: Path) -> None:
    """Half a save is not told; what else changed meanwhile waits, but not for ever."""
    files(tmp_path, "a.py", "b.py")
    it = tree_of(tmp_path)
    a, b = (str(tmp_path / name) for name in ("a.py", "b.py"))

    def changed(*paths: str) -> list[str]:
        for path in paths:
            it.hint(path, ScanReason.WRITTEN)
        it.work(time.monotonic() + 10)
        return list(it.take())

    (tmp_path / "a.py").rename(tmp_path / "a.py~")
    (tmp_path / "b.py").write_text("new")
    assert changed(a, b) == []
    (tmp_path / "a.py").write_text("saved")
    assert changed(a) == [b, a]
    assert not it._unsettled.patient_until
    (tmp_path / "b.py").unlink()
    assert changed(b) == []
    assert 0 < it._unsettled.patient_until - time.monotonic() <= PATIENCE
    time.sleep(PATIENCE + 0.001)
    assert changed() == [b]
    assert not it._unsettled.patient_until
    assert count_files(it) == 1


def test_each_that_is_missing_gets_its_time(tmp_path: Path) -> None:
    files(tmp_path, "a.py", "b.py")
    it = tree_of(tmp_path)
    for name in ("a.py", "b.py"):
        (tmp_path / name).unlink()
        it.hint(str(tmp_path / name), ScanReason.WRITTEN)
        it.work(time.monotonic() + 10)
        assert it._unsettled.patient_until > time.monotonic()
        time.sleep(PATIENCE + 0.001)
    it.work(time.monotonic() + 10)
    assert set(it.take()) == {str(tmp_path / "a.py"), str(tmp_path / "b.py")}


def test_a_folder_that_cannot_be_listed_is_said_once(tmp_path: Path) -> None:
    it = tree_of(tmp_path)
    files(tmp_path, "a/x.py")
    it.queue(str(tmp_path / ("n" * 300)))  # longer than a name may be
    it.queue(str(tmp_path))
    assert it.work(time.monotonic() + 10)
    assert list(it.take()) == [str(tmp_path / "a/x.py")]


def test_another_folder_in_its_place_is_another_one_all_the_way_down(tmp_path: Path) -> None:
    files(tmp_path, "pkg/deep/a.py", "other/deep/a.py")
    it = tree_of(tmp_path)
    (tmp_path / "pkg").rename(tmp_path.parent / "out")
    (tmp_path / "other").rename(tmp_path / "pkg")
    it.queue(str(tmp_path / "pkg"))
    it.work(time.monotonic() + 10)
    assert list(it.take()) == [str(tmp_path / "pkg/deep/a.py")]


def test_a_file_that_is_empty_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody tells of closing, a save half done is no change; a file left empty is one."""
    monkeypatch.setattr(unsettled, "UNCLOSED", 60)
    files(tmp_path, "a.py", "b.py")
    it = Tree(ScanOptions(FileFilter.of(config_for(tmp_path)), print), careful=True)
    it.work(time.monotonic() + 10)
    it.take()
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("")
    it.look(str(tmp_path / "a.py"))
    it.visit(str(tmp_path))
    assert not it.take()
    (tmp_path / "a.py").write_text("saved")
    it.work(time.monotonic() + 10)
    assert list(it.take()) == [str(tmp_path / "a.py")]
    monkeypatch.setattr(tree.time, "monotonic", later(61))
    it.visit(str(tmp_path))
    assert list(it.take()) == [str(tmp_path / "b.py")]
    assert not it.wake_at


def later(seconds: float) -> Callable[[], float]:
    """The monotonic clock, and so many seconds more."""
    now = time.monotonic
    return lambda: now() + seconds


def native_tree(root: Path) -> Tree:
    """One that is told when a file is closed."""
    it = Tree(ScanOptions(FileFilter.of(config_for(root)), print), closes=True)
    assert it.work(time.monotonic() + 10)
    it.take()
    return it


@pytest.mark.parametrize("text", ["", "half of it"])
def test_a_new_file_is_still_being_written(tmp_path: Path, text: str) -> None:
    """Until it is closed, whatever leads to a look."""
    it = native_tree(tmp_path)
    new = tmp_path / "new.py"
    new.write_text(text)
    for hint in (ScanReason.CREATED, ScanReason.TOUCHED, ScanReason.LISTED):
        it.look(str(new), hint)
        it.visit(str(tmp_path))
        assert not it.take()
    it.look(str(new), ScanReason.WRITTEN)
    assert it.take()
    assert not it.wake_at


def test_a_new_file_in_place_of_an_old_one_is_still_being_written(tmp_path: Path) -> None:
    """As vim saves: the old one is moved away first."""
    files(tmp_path, "a.py")
    it = native_tree(tmp_path)
    a = tmp_path / "a.py"
    a.rename(tmp_path / "a.py~")
    it.look(str(a), ScanReason.WRITTEN)
    a.write_text("half of it")
    it.look(str(a), ScanReason.CREATED)
    assert not it._unsettled.patient_until
    assert not it.take()
    it.look(str(a), ScanReason.WRITTEN)
    assert it.take()


def test_a_new_file_that_is_never_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told when it has been quiet for a second, or after ten seconds without quiet."""
    it = native_tree(tmp_path)
    quiet, log = tmp_path / "quiet.py", tmp_path / "log.py"
    for path in (quiet, log):
        path.write_text("1")
        it.look(str(path), ScanReason.CREATED)
    begin = time.monotonic()
    assert begin < it.wake_at <= begin + unsettled.UNCLOSED
    seen = []
    for second in range(1, 12):
        with log.open("a") as file:
            file.write("1")
        monkeypatch.setattr(tree.time, "monotonic", lambda now=begin + second: now)
        it.work(begin + second + 60)
        seen += [(second, os.path.basename(path)) for path in it.take()]
    assert seen == [(1, "quiet.py"), (10, "log.py")]
    assert not it.wake_at


def test_a_file_linked_here_is_whole(tmp_path: Path) -> None:
    """An old way to save at once: link(new, name), unlink(new). Nobody tells of a close."""
    it = native_tree(tmp_path)
    one, two, new = (tmp_path / name for name in ("one.py", "two.py", "temporary"))
    new.write_text("whole")
    os.link(new, one)
    it.look(str(one), ScanReason.CREATED)
    assert list(it.take()) == [str(one)]
    one.unlink()
    while snapshot.is_fresh(snapshot.see(str(new)).sign, time.time_ns()):
        time.sleep(0.005)
    os.link(new, two)
    new.unlink()
    it.look(str(two), ScanReason.CREATED)
    assert list(it.take()) == [str(two)]


def test_what_went_before_it_was_whole(tmp_path: Path) -> None:
    it = native_tree(tmp_path)
    new = tmp_path / "new.py"
    new.write_text("half of it")
    it.look(str(new), ScanReason.CREATED)
    new.unlink()
    it.look(str(new), ScanReason.WRITTEN)
    assert not it.take()
    assert not it.wake_at


def test_a_chmod_to_what_it_was(tmp_path: Path) -> None:
    """An entrypoint that says `chown -R` at each start must not start itself for ever."""
    files(tmp_path, "a.py")
    path = str(tmp_path / "a.py")
    it = tree_of(tmp_path)
    (tmp_path / "a.py").chmod(0o644)
    it.look(path, ScanReason.TOUCHED)  # told what it was
    assert not it.take()
    (tmp_path / "a.py").chmod(0o644)
    it.look(path)  # could be an edit that put the mtime back
    assert it.take()
    (tmp_path / "a.py").chmod(0o644)
    it.look(path)  # but twice, and the same bytes
    assert not it.take()


def test_bytes_are_read_without_waiting(tmp_path: Path) -> None:
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    contents = ContentHashes()
    reader = threading.Thread(target=contents.same, args=(fifo,), daemon=True)
    reader.start()
    reader.join(5)
    assert not reader.is_alive()
    assert not contents.knows(fifo)


def test_bytes_go_with_a_signature(tmp_path: Path) -> None:
    """A hash taken after the next edit is not the hash of what was seen."""
    file = tmp_path / "a.py"
    file.write_text("old")
    sign = snapshot.see(str(file)).sign
    assert sign
    file.write_text("new, and longer")
    contents = ContentHashes()
    contents.remember(str(file), sign)
    assert not contents.knows(str(file))
    assert not contents.same(str(file))
    assert contents.same(str(file))


def test_time_is_up_after_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little is done at a time, all is done in the end."""
    monkeypatch.setattr(watcher, "_GATHER", 0)
    monkeypatch.setattr(watcher, "_WORK", 0)
    files(tmp_path, *(f"d{number}/e/f.py" for number in range(20)))
    with Seeing(tmp_path, since_ns=time.time_ns() + 10**9) as it:
        assert (it.started[0].dirs, it.started[0].files) == (41, 20)
        for number in range(20):
            (tmp_path / f"d{number}/e/f.py").write_text("new")
            files(tmp_path, f"d{number}/g/h.py")
        it.wait_to_see(
            *(f"d{number}/{name}" for number in range(20) for name in ("e/f.py", "g/h.py"))
        )


def test_importing_brings_no_package() -> None:
    code = (
        "import sys, reloader.watch; print({'watchfiles', 'hashlib', 'asyncio'} & {*sys.modules})"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"
