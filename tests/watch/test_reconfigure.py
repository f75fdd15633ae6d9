"""An edited config: one watcher goes on under other options, and no change falls in between."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from reloader import watch
from reloader.config.model import Engine
from reloader.filter.rules import FileFilter
from tests.watch.apart import files
from tests.watch.seeing import Seeing, config_for

if TYPE_CHECKING:
    from pathlib import Path

ENGINES = (Engine.NATIVE, Engine.WATCHFILES, Engine.POLL)
CONFIG = ".reload.toml"


class Editable(Seeing):
    """A watcher whose config file, when it is edited, stands for these options."""

    def __init__(self, root: Path, engine: Engine, **build: object) -> None:
        self.folder = root
        self.next: tuple[Engine, dict[str, object]] = (engine, build)
        self.read = 0
        real = watch.open

        def opened(config: object, _: FileFilter, since_ns: int) -> watch.Watcher:
            rules = FileFilter.of(config, [str(root / CONFIG)])
            return real(config, rules, since_ns, self.reread)

        watch.open = opened
        try:
            super().__init__(root, engine, since_ns=time.time_ns() + 10**9, **build)
        finally:
            watch.open = real

    def reread(self) -> tuple[()]:
        engine, build = self.next
        config = config_for(self.folder, engine, **build)
        rules = FileFilter.of(config, [str(self.folder / CONFIG)])
        self.watcher.reconfigure(config, rules)
        self.read += 1
        return ()

    def edit(self, engine: Engine, **build: object) -> None:
        """Saves the config."""
        self.next = engine, build
        (self.folder / "new").write_text(f"{engine} {build} {self.read}")
        (self.folder / "new").replace(self.folder / CONFIG)


def aged(root: Path, *names: str) -> None:
    """Files that were there long before."""
    files(root, *names)
    for name in names:
        os.utime(root / name, (1, 1))


@pytest.mark.parametrize("after", ENGINES)
@pytest.mark.parametrize("before", ENGINES)
def test_a_save_beside_an_edited_config(tmp_path: Path, before: Engine, after: Engine) -> None:
    """It is seen once and whole: before the edit, after it, and while the engines change."""
    aged(tmp_path, "a.py", "sub/b.py", "sub/deep/c.py", "gone.py", CONFIG)
    with Editable(tmp_path, before, poll_interval=100) as it:
        (tmp_path / "sub/b.py").write_text("just before the edit")
        (tmp_path / "gone.py").unlink()
        it.edit(after, exclude_regex=("zzz",), poll_interval=50)
        (tmp_path / "sub/deep/c.py").write_text("just after the edit")
        it.wait_for(lambda: it.read)
        (tmp_path / "a.py").write_text("just after it was read")
        it.wait_to_see("a.py", "sub/b.py", "sub/deep/c.py", "gone.py")
        it.wait_for(lambda: len(it.started) == 2)
        it.settle()
        assert sorted(set(it.seen)) == ["a.py", "gone.py", "sub/b.py", "sub/deep/c.py"]
        it.forget()
        for path in ("a.py", "sub/b.py", "sub/deep/c.py"):
            (tmp_path / path).write_text("later")
            it.wait_to_see(path)
        (tmp_path / "sub/new").mkdir()
        (tmp_path / "sub/new/d.py").write_text("1")
        it.wait_to_see("sub/new/d.py")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_that_counts_only_now(tmp_path: Path, engine: Engine) -> None:
    """It is a change if it was saved together with the config, else it is only watched."""
    aged(tmp_path, "a.py", "old.css", "new.css", "unread/x.py", CONFIG)
    now = time.time_ns()
    with Editable(tmp_path, engine, poll_interval=50, exclude_dir=("unread",)) as it:
        (tmp_path / "new.css").write_text("saved")
        old = (tmp_path / "old.css").stat().st_ctime_ns
        assert old < now
        while time.time_ns() < old + 2_200_000_000:  # longer ago than what was saved together
            it.turn(0.1)
        (tmp_path / "new.css").write_text("saved with it")
        it.edit(engine, include_ext=("py", "css"), poll_interval=50)
        it.wait_to_see("new.css")
        it.settle()
        assert set(it.seen) == {"new.css"}
        it.forget()
        for path in ("old.css", "unread/x.py", "a.py"):
            (tmp_path / path).write_text("later")
            it.wait_to_see(path)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_file_that_counts_no_longer(tmp_path: Path, engine: Engine) -> None:
    """Neither that nor its next change is a change."""
    aged(tmp_path, "a.py", "b.py", "sub/c.py", CONFIG)
    with Editable(tmp_path, engine, poll_interval=50) as it:
        it.edit(engine, exclude_file=("b.py",), exclude_dir=("sub",), poll_interval=50)
        it.wait_for(lambda: len(it.started) == 2)
        (tmp_path / "b.py").write_text("nothing")
        (tmp_path / "sub/c.py").write_text("nothing")
        it.settle()
        assert it.seen == []


@pytest.mark.parametrize("engine", [Engine.NATIVE, Engine.POLL])
def test_a_config_somewhere_else(tmp_path: Path, engine: Engine) -> None:
    """Behind a link, in a folder that is made anew, and beside files that do not count."""
    aged(tmp_path, "root/a.py", "etc/real.toml", "etc/beside.py")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/c.toml").symlink_to("../etc/real.toml")
    config = config_for(tmp_path / "root", engine, poll_interval=50)
    read: list[int] = []
    rules = FileFilter.of(config, [str(tmp_path / "conf/c.toml")])
    real = watch.open
    watch.open = lambda config, _, since: real(config, rules, since, lambda: read.append(1) or ())
    try:
        late = time.time_ns() + 10**9
        it = Seeing(tmp_path / "root", engine, since_ns=late, poll_interval=50)
    finally:
        watch.open = real
    with it:
        (tmp_path / "etc/real.toml").write_text("edited where it is")
        it.wait_for(lambda: len(read) == 1)
        (tmp_path / "etc/next.toml").write_text("and swapped")
        (tmp_path / "conf/new").symlink_to("../etc/next.toml")
        (tmp_path / "conf/new").replace(tmp_path / "conf/c.toml")
        it.wait_for(lambda: len(read) == 2)
        (tmp_path / "conf").rename(tmp_path / "conf.old")
        it.wait_for(lambda: len(read) == 3)
        files(tmp_path, "conf/c.toml")
        it.wait_for(lambda: len(read) == 4)
        (tmp_path / "etc/beside.py").write_text("nothing")
        (tmp_path / "root/a.py").write_text("1")
        it.wait_to_see("a.py")
        it.settle()
        assert it.seen == ["a.py"]
        assert not it.warnings


def test_an_include_dir_that_is_a_link(tmp_path: Path) -> None:
    """What it leads to is watched, and what it is made to lead to later."""
    aged(tmp_path, "root/a.py", "one/b.py", "two/b.py", "root/other/c.py")
    (tmp_path / "root/lib").symlink_to("../one")
    (tmp_path / "root/not_named").symlink_to("../two")
    with Seeing(tmp_path / "root", Engine.NATIVE, include_dir=("lib", "other", ".")) as it:
        (tmp_path / "one/b.py").write_text("1")
        it.wait_to_see("lib/b.py")
        it.forget()
        (tmp_path / "root/new").symlink_to("../two")
        (tmp_path / "root/new").replace(tmp_path / "root/lib")
        it.wait_to_see("lib/b.py")
        it.forget()
        (tmp_path / "two/b.py").write_text("2")
        it.wait_to_see("lib/b.py")
        it.forget()
        (tmp_path / "one/b.py").write_text("3")
        (tmp_path / "root/other/c.py").write_text("3")
        it.wait_to_see("other/c.py")
        assert set(it.seen) == {"other/c.py"}
