"""What every engine sees, on real files."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from reloader.config.model import Engine, Rule
from reloader.core.needs import RELOAD
from reloader.watch import engine_poll, unsettled
from reloader.watch.engine_inotify import InotifyEngine
from tests.watch.seeing import Seeing

if TYPE_CHECKING:
    from pathlib import Path

ENGINES = [Engine.NATIVE, Engine.POLL, Engine.WATCHFILES]
LONG_AGO, FAR_AHEAD = 0, 4_070_908_800  # 1970 and 2099


@pytest.fixture(params=ENGINES, ids=lambda engine: engine.value)
def engine(request: pytest.FixtureRequest) -> Engine:
    return request.param


@pytest.fixture(autouse=True)
def _quicker_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What polling sees is asked here, not when."""
    monkeypatch.setattr(engine_poll, "_PAUSE", 0.01)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with something in it, a while old."""
    folder = tmp_path / "project"
    for name in ("a.py", "b.py", "pkg/c.py", "pkg/deep/d.py", "notes.txt", "node_modules/x/e.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def see(root: Path, engine: Engine, **build: object) -> Seeing:
    return Seeing(root, engine, since_ns=time.time_ns() + 10**9, **build)


def test_what_is_saved_is_seen(root: Path, engine: Engine) -> None:
    with see(root, engine) as it:
        assert not it.seen
        (root / "a.py").write_text("1")
        it.wait_to_see("a.py")
        (root / "pkg/deep/d.py").write_text("1")
        it.wait_to_see("pkg/deep/d.py")
        assert set(it.needs.values()) == {RELOAD}
        assert it.started[0].files == 4
        assert it.started[0].dirs == 3
        assert not it.warnings


def test_what_does_not_count_is_not_seen(
    root: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)  # a socket's path must be short
    with see(root, engine) as it:
        (root / "notes.txt").write_text("1")
        (root / "node_modules/x/e.py").write_text("1")
        (root / "empty").mkdir()
        (root / ".a.py.swp").write_text("1")
        os.mkfifo(root / "fifo.py")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.py")
            it.settle()
        assert not it.seen


def test_new_folders_written_into_at_once(root: Path, engine: Engine) -> None:
    expected = []
    with see(root, engine) as it:
        for number in range(20):
            (root / f"n{number}/a/b/c").mkdir(parents=True)
            (root / f"n{number}/a/b/c/f.py").write_text("1")
            expected.append(f"n{number}/a/b/c/f.py")
            it.turn(0)
        it.wait_to_see(*expected)
        it.forget()
        for path in expected:
            (root / path).write_text("22")
        it.wait_to_see(*expected)


def test_a_folder_moved_in(root: Path, engine: Engine, tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    (prepared / "sub").mkdir(parents=True)
    for name in ("x.py", "sub/y.py", "sub/z.txt"):
        (prepared / name).write_text("old")
    with see(root, engine) as it:
        prepared.rename(root / "moved")
        it.wait_to_see("moved/x.py", "moved/sub/y.py")
        it.forget()
        (root / "moved/sub/y.py").write_text("new")
        it.wait_to_see("moved/sub/y.py")
        assert set(it.seen) == {"moved/sub/y.py"}


def test_a_folder_renamed_inside(root: Path, engine: Engine) -> None:
    with see(root, engine) as it:
        (root / "pkg").rename(root / "lib")
        it.wait_to_see("pkg/c.py", "pkg/deep/d.py", "lib/c.py", "lib/deep/d.py")
        it.forget()
        (root / "lib/deep/d.py").write_text("new")
        it.wait_to_see("lib/deep/d.py")
        it.settle()
        assert set(it.seen) == {"lib/deep/d.py"}


def test_two_folders_change_places(root: Path, engine: Engine) -> None:
    shutil.copytree(root / "pkg", root / "lib")
    (root / "lib/deep/d.py").write_text("lib's")
    with see(root, engine) as it:
        (root / "pkg").rename(root / "third")
        (root / "lib").rename(root / "pkg")
        (root / "third").rename(root / "lib")
        it.wait_to_see("pkg/deep/d.py", "lib/deep/d.py")
        it.forget()
        (root / "lib/deep/d.py").write_text("new")
        it.wait_to_see("lib/deep/d.py")
        (root / "pkg/deep/d.py").write_text("new")
        it.wait_to_see("pkg/deep/d.py")
        it.settle()
        assert set(it.seen) == {"lib/deep/d.py", "pkg/deep/d.py"}


def test_a_folder_moved_out(root: Path, engine: Engine, tmp_path: Path) -> None:
    with see(root, engine) as it:
        (root / "pkg").rename(tmp_path / "outside")
        it.wait_to_see("pkg/c.py", "pkg/deep/d.py")
        it.forget()
        (tmp_path / "outside/c.py").write_text("new")
        (tmp_path / "outside/deep/new.py").write_text("new")
        it.settle()
        assert not it.seen


def test_a_folder_deleted_and_made_again(root: Path, engine: Engine) -> None:
    with see(root, engine) as it:
        shutil.rmtree(root / "pkg")
        it.wait_to_see("pkg/c.py", "pkg/deep/d.py")
        it.forget()
        (root / "pkg/deep").mkdir(parents=True)
        (root / "pkg/deep/d.py").write_text("1")
        it.wait_to_see("pkg/deep/d.py")
        shutil.rmtree(root / "pkg")
        (root / "pkg/deep").mkdir(parents=True)  # this time nobody looks in between
        it.forget()
        (root / "pkg/deep/d.py").write_text("2")
        it.wait_to_see("pkg/deep/d.py")


def test_another_folder_in_its_place(root: Path, engine: Engine, tmp_path: Path) -> None:
    with see(root, engine) as it:
        (root / "pkg").rename(tmp_path / "outside")
        shutil.copytree(tmp_path / "outside", root / "pkg")  # and nobody looked in between
        it.wait_to_see("pkg/c.py", "pkg/deep/d.py")
        it.forget()
        (tmp_path / "outside/deep/d.py").write_text("not ours")
        it.settle()
        assert not it.seen
        (root / "pkg/deep/d.py").write_text("ours")
        it.wait_to_see("pkg/deep/d.py")


def test_the_root_moved_away_and_made_again(root: Path, tmp_path: Path, engine: Engine) -> None:
    if engine is Engine.WATCHFILES:
        pytest.skip("SKIPPED: found again by the audit only, after 30 s")
    with see(root, engine) as it:
        root.rename(tmp_path / "elsewhere")
        it.wait_to_see("a.py", "pkg/deep/d.py")
        root.mkdir()
        it.forget()
        (root / "a.py").write_text("new")
        it.wait_to_see("a.py")
        shutil.rmtree(root)
        shutil.copytree(tmp_path / "elsewhere", root)
        it.wait_to_see("pkg/deep/d.py")
        it.forget()
        (root / "pkg/deep/d.py").write_text("new")
        it.wait_to_see("pkg/deep/d.py")


def vim(file: Path) -> None:
    (file.parent / "4913").write_text("")
    (file.parent / "4913").unlink()
    backup = file.with_name(file.name + "~")
    file.rename(backup)
    file.write_text("vim")
    file.chmod(0o644)
    backup.unlink()


def atomic(file: Path) -> None:
    temporary = file.with_name(file.name + ".tmp.1234")
    temporary.write_text("atomic")
    temporary.replace(file)


def emacs(file: Path) -> None:
    lock = file.with_name(".#" + file.name)
    lock.symlink_to("me@here.123:456")
    file.rename(file.with_name(file.name + "~"))
    file.write_text("emacs")
    lock.unlink()


def jetbrains(file: Path) -> None:
    new, old = (file.with_name(file.name + f"___jb_{kind}___") for kind in ("tmp", "old"))
    new.write_text("jetbrains")
    file.rename(old)
    new.rename(file)
    old.unlink()


def gedit(file: Path) -> None:
    temporary = file.with_name(".goutputstream-XK2S51")
    temporary.write_text("gedit")
    temporary.replace(file)


def sed(file: Path) -> None:
    subprocess.run(["sed", "-i", "s/^/x/", str(file)], check=True)


def in_place(file: Path) -> None:
    file.write_text("in place")


def mapped(file: Path) -> None:
    import mmap

    with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as memory:
        memory[0:1] = b"M"


@pytest.mark.parametrize(
    "save", [vim, atomic, emacs, jetbrains, gedit, sed, in_place, mapped], ids=lambda f: f.__name__
)
def test_however_editors_save(root: Path, engine: Engine, save) -> None:
    if engine is Engine.WATCHFILES and save is mapped:
        pytest.skip("SKIPPED: watchfiles tells nothing; the audit sees it")
    with see(root, engine, include_ext=("*",)) as it:
        save(root / "a.py")
        it.wait_to_see("a.py")
        it.settle()
        assert set(it.seen) <= {"a.py", "a.py.tmp.1234"}  # the latter may be any file


@pytest.mark.parametrize("name", ["a.py", "new.py"])
def test_a_slow_writer(
    root: Path, engine: Engine, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told once, when it is whole; where nobody tells of closing, each part, but not nothing."""
    monkeypatch.setattr(unsettled, "UNCLOSED", 60)
    with see(root, engine) as it:
        with open(root / name, "w") as file:  # empty from here on
            it.settle()
            assert engine is Engine.NATIVE or name == "new.py" or name not in it.seen
            for part in ("one\n", "two\n"):
                print(part, file=file, flush=True)
                it.settle()
            if engine is Engine.NATIVE:
                assert name not in it.seen
            it.forget()
            print("three", file=file)
        it.wait_to_see(name)
        it.settle()
        if engine is Engine.NATIVE:
            assert it.seen == [name]


def test_a_writer_that_never_closes(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for in vain: the timer brings us back."""
    monkeypatch.setattr(unsettled, "UNCLOSED", 0.1)
    with see(root, Engine.NATIVE) as it, open(root / "new.py", "w") as file:
        print("all there is", file=file, flush=True)
        assert it.wait_for(lambda: "new.py" in it.seen) >= 0.09


def test_what_is_due_first_brings_us_back_first(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unsettled, "UNCLOSED", 60)
    with see(root, Engine.NATIVE) as it, open(root / "new.py", "w"):
        it.settle()
        (root / "b.py").unlink()
        it.wait_to_see("b.py")


def test_a_save_in_two_steps_is_one_change(root: Path) -> None:
    """vim moves the old file away; while it is gone nobody should start anything."""
    with see(root, Engine.NATIVE, exclude_unchanged=True) as it:
        it.settle()
        for text, expected in (("vim", ["a.py"]), ("vim", [])):
            (root / "a.py").rename(root / "a.py~")
            it.turn(1)
            (root / "a.py").write_text(text)
            it.settle()
            assert it.seen == expected
            it.forget()
        (root / "b.py").rename(root / "renamed.py")
        it.wait_to_see("b.py")
        it.wait_to_see("renamed.py")
        assert set(it.seen) == {"b.py", "renamed.py"}


def test_deleted_and_renamed_files(root: Path, engine: Engine) -> None:
    with see(root, engine) as it:
        (root / "a.py").unlink()
        it.wait_to_see("a.py")
        it.forget()
        (root / "pkg/c.py").rename(root / "pkg/new.py")
        it.wait_to_see("pkg/c.py", "pkg/new.py")
        os.link(root / "b.py", root / "linked.py")
        it.wait_to_see("linked.py")


def test_chmod_is_no_change(root: Path, engine: Engine) -> None:
    with see(root, engine) as it:
        (root / "a.py").chmod(0o755)
        os.link(root / "b.py", root / "other-name")
        it.settle()
        assert not it.seen


@pytest.mark.parametrize("unchanged", [False, True], ids=["default", "exclude_unchanged"])
def test_a_touch_asks_for_a_start(root: Path, engine: Engine, *, unchanged: bool) -> None:
    """A new mtime is a save, by touch or by utimes alone, unless only bytes count."""
    with see(root, engine, exclude_unchanged=unchanged) as it:
        it.settle()  # the bytes are known by now
        subprocess.run(["touch", str(root / "a.py")], check=True)
        os.utime(root / "b.py")
        if unchanged:
            it.settle()
            assert not it.seen
        else:
            it.wait_to_see("a.py", "b.py")


def test_an_edit_that_keeps_size_and_mtime(root: Path, engine: Engine) -> None:
    with see(root, engine) as it:
        before = (root / "a.py").stat()
        (root / "a.py").write_text("AAAA")
        os.utime(root / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert (root / "a.py").stat().st_size == before.st_size
        it.wait_to_see("a.py")


@pytest.mark.parametrize("mtime", [LONG_AGO, FAR_AHEAD])
def test_mtimes_that_mean_nothing(root: Path, engine: Engine, mtime: int) -> None:
    for file in root.rglob("*.py"):
        os.utime(file, (mtime, mtime))
    with see(root, engine) as it:
        for text in ("1", "2", "3"):
            it.forget()
            (root / "a.py").write_text(text)
            os.utime(root / "a.py", (mtime, mtime))
            it.wait_to_see("a.py")
        it.forget()
        it.settle()
        assert not it.seen


def test_an_older_file_put_in_its_place(root: Path, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text("a.py")
    os.utime(tmp_path / "old.py", (1, 1))
    with see(root, engine) as it:
        (tmp_path / "old.py").replace(root / "a.py")
        it.wait_to_see("a.py")


def test_names_that_are_no_text(root: Path, engine: Engine) -> None:
    odd = os.fsencode(root) + b"/b\xff.py"
    with see(root, engine) as it:
        with open(odd, "wb") as file:
            file.write(b"1")
        it.wait_to_see(os.fsdecode(b"b\xff.py"))
        for name in ("new\nline.py", "esc\x1b[31m.py", "x" * 252 + ".py"):
            (root / name).write_text("1")
            it.wait_to_see(name)
        os.mkdir(os.fsencode(root) + b"/d\xfe")
        (root / os.fsdecode(b"d\xfe/x.py")).write_text("1")
        it.wait_to_see(os.fsdecode(b"d\xfe/x.py"))
        it.forget()
        (root / "a.py").write_text("1")
        it.wait_to_see("a.py")


def test_links_to_folders_are_not_followed_unless_asked(
    root: Path, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/o.py").write_text("1")
    (root / "link").symlink_to(tmp_path / "outside")
    with see(root, engine) as it:
        (tmp_path / "outside/o.py").write_text("22")
        it.settle()
        assert not it.seen
    with see(root, engine, follow_symlink=True) as it:
        (tmp_path / "outside/o.py").write_text("333")
        it.wait_to_see("link/o.py")


def test_loops_of_links_end(root: Path, engine: Engine) -> None:
    (root / "self").symlink_to("self")
    (root / "up").symlink_to("..")
    (root / "pkg/round").symlink_to(root)
    (root / "dangling.py").symlink_to("nowhere")
    for number in range(1, 41):
        (root / f"l{number}").symlink_to(f"l{number - 1}" if number > 1 else "pkg")
    with see(root, engine, follow_symlink=True) as it:
        assert it.started[0].dirs < 12
        (root / "pkg/c.py").write_text("new")
        it.wait_for(lambda: any(path.endswith("c.py") for path in it.seen))
        (root / "nowhere").write_text("1")
        if engine is not Engine.WATCHFILES:
            it.wait_to_see("dangling.py")


def test_a_link_to_a_file_is_that_file(root: Path, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/real.conf").write_text("1")
    (tmp_path / "hop.conf").symlink_to(tmp_path / "elsewhere/real.conf")
    (root / "settings.py").symlink_to(tmp_path / "hop.conf")
    with see(root, engine) as it:
        (tmp_path / "elsewhere/real.conf").write_text("22")
        it.wait_to_see("settings.py")
        it.forget()
        atomic(tmp_path / "elsewhere/real.conf")
        it.wait_to_see("settings.py")
        it.forget()
        (tmp_path / "other.conf").write_text("4444")
        (tmp_path / "hop.conf").unlink()
        (tmp_path / "hop.conf").symlink_to(tmp_path / "other.conf")
        it.wait_to_see("settings.py")
        it.forget()
        (tmp_path / "other.conf").write_text("55555")
        it.wait_to_see("settings.py")


def test_a_mounted_config_map_is_swapped(root: Path, engine: Engine) -> None:
    """Kubernetes: x.py -> ..data/x.py, ..data -> ..2026_1; an update is a rename of ..data."""
    swap_data(root, 1)
    for name in ("x.py", "y.py"):
        (root / name).symlink_to(f"..data/{name}")
    with see(root, engine) as it:
        for number in (2, 3, 4):
            swap_data(root, number)
            it.wait_to_see("x.py", "y.py")
            it.forget()
            (root / f"..2026_{number - 1}/x.py").write_text("the old one")
            it.settle()
            assert not it.seen
            (root / f"..2026_{number}/x.py").write_text("the new one")
            it.wait_to_see("x.py")
            assert set(it.seen) == {"x.py"}
            it.forget()
        shutil.rmtree(root / "..2026_3")
        it.settle()
        assert not it.seen
        if isinstance(it.watcher._coverage.engine, InotifyEngine):
            assert (
                len(it.watcher._coverage._lookouts._waiting) == 5
            )  # ..data, both links, both files


def swap_data(root: Path, number: int) -> None:
    """As a kubelet does, but for the removal of the old folder, which would tell too."""
    for name in ("x.py", "y.py"):
        path = root / f"..2026_{number}" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{name} {number}")
    (root / "..data_tmp").symlink_to(f"..2026_{number}")
    (root / "..data_tmp").replace(root / "..data")


def test_other_trees_of_their_own(root: Path, engine: Engine) -> None:
    """A worktree, a virtualenv or a cache is not the project; a submodule is."""
    for name, mark, text in (
        ("worktree", ".git", f"gitdir: {root}/.git/worktrees/x\n"),
        ("submodule", ".git", "gitdir: ../.git/modules/submodule\n"),
        ("linked", ".git", "gitdir: ../.git/worktrees/x/modules/linked\n"),
        ("env311", "pyvenv.cfg", "home = /usr"),
        ("target", "CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55"),
    ):
        (root / name).mkdir()
        (root / name / mark).write_text(text)
        (root / name / "x.py").write_text("1")
    (root / "conda/conda-meta").mkdir(parents=True)
    (root / "conda/x.py").write_text("1")
    with see(root, engine) as it:
        (root / "made/lib").mkdir(parents=True)
        (root / "made/pyvenv.cfg").write_text("home = /usr")
        it.settle()
        for name in ("worktree", "env311", "target", "made/lib", "conda", "submodule", "linked"):
            (root / name / "x.py").write_text("22")
        it.wait_to_see("submodule/x.py", "linked/x.py")
        it.settle()
        assert set(it.seen) == {"submodule/x.py", "linked/x.py"}


def test_named_folders_are_watched_whatever_they_are(root: Path, engine: Engine) -> None:
    (root / "env311/lib").mkdir(parents=True)
    (root / "env311/pyvenv.cfg").write_text("home = /usr")
    (root / ".conf").mkdir()
    with see(root, engine, include_dir=("env311",), include_file=(".conf/x", "a.py")) as it:
        (root / "b.py").write_text("new")
        (root / ".conf/y.py").write_text("new")
        (root / "env311/lib/x.py").write_text("1")
        (root / ".conf/x").write_text("1")
        (root / "a.py").write_text("new")
        it.wait_to_see("env311/lib/x.py", ".conf/x", "a.py")
        assert set(it.seen) == {"env311/lib/x.py", ".conf/x", "a.py"}


def test_trees_outside_the_root(root: Path, engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    rule = Rule(name="proto", include_dir=("../api",), include_ext=("proto",))
    with see(root, engine, include_dir=("../shared",), rules=(rule,)) as it:
        (tmp_path / "shared/s.py").write_text("1")
        it.wait_to_see(str(tmp_path / "shared/s.py"))
        if engine is not Engine.WATCHFILES:  # the folder is not there yet
            (tmp_path / "api").mkdir()
            (tmp_path / "api/x.proto").write_text("1")
            it.wait_to_see(str(tmp_path / "api/x.proto"))
            assert it.needs[str(tmp_path / "api/x.proto")].rules == {"proto"}


# --- exclude_unchanged ----------------------------------------------------------------------------


def test_a_save_that_changes_nothing(root: Path, engine: Engine) -> None:
    with see(root, engine, exclude_unchanged=True) as it:
        it.settle()  # the bytes are known by now
        (root / "a.py").write_text("a.py")
        atomic_same(root / "b.py")
        os.utime(root / "pkg/c.py", (1, 1))
        it.settle()
        assert not it.seen


def atomic_same(file: Path) -> None:
    temporary = file.with_name("temporary")
    temporary.write_bytes(file.read_bytes())
    temporary.replace(file)


def test_edits_and_reverts_are_changes(root: Path, engine: Engine) -> None:
    """Air forgets the second file of a burst: reverting it does nothing there."""
    with see(root, engine, exclude_unchanged=True) as it:
        it.settle()
        for text in ("AAAA", "a.py", "BBBB", "AAAA", "a.py"):
            (root / "a.py").write_text(text)
            (root / "b.py").write_text(text)
            it.wait_to_see("a.py", "b.py")
            it.forget()
            (root / "a.py").write_text(text)
            it.settle()
            assert not it.seen
        (root / "b.py").unlink()
        it.wait_to_see("b.py")
        it.forget()
        (root / "b.py").write_text("a.py")
        it.wait_to_see("b.py")


def test_big_and_odd_files_are_not_read(root: Path, engine: Engine) -> None:
    with (root / "big.py").open("wb") as file:
        file.truncate(5 << 30)
    os.mkfifo(root / "fifo.py")
    with see(root, engine, exclude_unchanged=True) as it:
        it.settle()
        with (root / "big.py").open("r+b") as file:
            file.write(b"x")
        it.wait_to_see("big.py")
        assert it.wait_for(lambda: True) < 1


# --- the start ------------------------------------------------------------------------------------


def test_what_changed_after_the_app_was_spawned(root: Path, engine: Engine) -> None:
    for file in root.rglob("*.py"):
        os.utime(file, (1, 1))
    clock_has_moved(root / "pkg/deep/d.py")
    since = time.time_ns()
    (root / "pkg/c.py").write_text("new")
    with Seeing(root, engine, since_ns=since) as it:
        it.wait_to_see("pkg/c.py")
        assert set(it.seen) == {"pkg/c.py"}


def clock_has_moved(file: Path) -> None:
    """The files' clock is past all that was written by now, by more than a watcher allows for."""
    while time.time_ns() - file.stat().st_ctime_ns < 50_000_000:
        time.sleep(0.005)
