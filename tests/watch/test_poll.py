"""Looking again and again: how soon, how much, and what if a look does not come back."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from reloader.config.model import Engine
from reloader.watch import audit, engine_poll, mounts, snapshot, tree
from tests.watch.apart import files
from tests.watch.seeing import Seeing

if TYPE_CHECKING:
    import os
    from pathlib import Path

    import pytest


def see(root: Path, **build: object) -> Seeing:
    return Seeing(root, Engine.POLL, since_ns=time.time_ns() + 10**9, **build)


def test_how_soon_and_how_much(tmp_path: Path) -> None:
    """2,000 files: what is edited again is seen at once, what was never touched soon.

    The figures are measured in benchmarks/; here only what is wrong by far is caught.
    """
    files(tmp_path, *(f"d{number % 100}/f{number}.py" for number in range(2_000)))
    with see(tmp_path) as it:
        thread = it.watcher._polled._pollers[""]._thread
        began, used = time.monotonic(), cpu(thread)
        it.turn(1)
        assert (cpu(thread) - used) / (time.monotonic() - began) < 0.2
        for number in (0, 1_000, 1_999):
            file = tmp_path / f"d{number % 100}/f{number}.py"
            with file.open("r+") as opened:  # in place: the folder's mtime does not tell
                opened.write("F")
            it.wait_for(lambda f=f"d{number % 100}/f{number}.py": f in it.seen, timeout=5)
        took = []
        for text in ("1", "2", "3", "4", "5"):
            it.seen.clear()
            (tmp_path / "d0/f0.py").write_text(text)
            took.append(it.wait_for(lambda: "d0/f0.py" in it.seen))
        assert sorted(took)[2] < 0.5


def cpu(thread: threading.Thread) -> float:
    """Seconds this thread has run."""
    with open(f"/proc/self/task/{thread.native_id}/schedstat") as file:
        return int(file.read().split()[0]) / 1e9


def test_a_big_folder_does_not_cost_more(tmp_path: Path) -> None:
    files(tmp_path, *(f"f{number}.py" for number in range(6_000)))
    with see(tmp_path) as it:
        thread = it.watcher._polled._pollers[""]._thread
        began, used = time.monotonic(), cpu(thread)
        it.turn(1.2)
        assert (cpu(thread) - used) / (time.monotonic() - began) < 0.2


def test_an_interval_means_everything_that_often(tmp_path: Path) -> None:
    files(tmp_path, *(f"d{number % 10}/f{number}.py" for number in range(1_000)))
    with see(tmp_path, poll=True, poll_interval=50) as it:
        for number in range(0, 1_000, 199):
            with (tmp_path / f"d{number % 10}/f{number}.py").open("r+") as opened:
                opened.write("F")
            took = it.wait_for(lambda f=f"d{number % 10}/f{number}.py": f in it.seen)
            assert took < 0.5


def test_a_clock_of_whole_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems know no more: two edits of one size within a second look the same."""
    exact = snapshot.signature

    def coarse(status: os.stat_result) -> snapshot.Signature:
        mtime, size, inode, ctime, owner = exact(status)
        return mtime // 10**9 * 10**9, size, inode, ctime // 10**9 * 10**9, owner

    monkeypatch.setattr(snapshot, "signature", coarse)
    for engine in (Engine.POLL, Engine.NATIVE):
        root = tmp_path / engine.value
        files(root, "a.py", "b.py")
        while time.time() % 1 > 0.2:
            time.sleep(0.01)
        with Seeing(root, engine, since_ns=time.time_ns() + 10**10) as it:
            for text in ("AAAA", "BBBB", "AAAA"):
                it.forget()
                (root / "a.py").write_text(text)
                it.wait_to_see("a.py")
            it.forget()
            it.settle()
            assert not it.seen


def test_a_look_that_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server of a mount is gone: that mount is blind, and says so; nothing else is."""
    table = f"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:9 / {tmp_path}/mnt rw - nfs4 x rw\n"
    monkeypatch.setattr(mounts, "read", lambda: mounts.parse(table))
    monkeypatch.setattr(engine_poll, "_HUNG", 0.1)
    monkeypatch.setattr(audit, "_TRUSTED", (0.05, 1))
    back = threading.Event()
    listing = tree.listing

    def hanging(path: str, *args: object, **named: object) -> snapshot.Listing:
        if path.endswith("/mnt"):
            back.wait()
        return listing(path, *args, **named)

    monkeypatch.setattr(tree, "listing", hanging)
    files(tmp_path, "a.py", "mnt/b.py")
    it = Seeing(tmp_path, Engine.NATIVE, since_ns=time.time_ns() + 10**9)
    try:
        it.wait_for(lambda: it.watcher._tree.walked)
        (tmp_path / "a.py").write_text("new")
        it.wait_to_see("a.py")
        it.wait_for(lambda: it.warnings)
        label = f"{tmp_path}/mnt (nfs4)"
        assert it.warnings[0].startswith(f"no answer from {label}")
        assert it.started[0].engine == f"inotify, poll: {label}"
        back.set()
        it.wait_for(lambda: it.watcher._polled.count() == (1, 1))
        (tmp_path / "mnt/b.py").write_text("new")
        it.wait_to_see("mnt/b.py")
    finally:
        back.set()
        it.__exit__()
