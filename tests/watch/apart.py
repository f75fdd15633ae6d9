"""Scenes that need a namespace of their own: limits and mounts, without touching the machine's.

`play(name, folder)` runs one of the functions below as the root of new user and mount namespaces.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest

from reloader.config.model import Engine
from reloader.watch import audit, engine_poll
from tests.watch.seeing import Seeing

_UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]


@cache
def _possible() -> bool:
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run([*_UNSHARE, "true"], capture_output=True, check=False).returncode
    )


def play(name: str, folder: Path) -> None:
    if not _possible():
        pytest.skip("SKIPPED: no user namespaces here")
    done = subprocess.run(
        [*_UNSHARE, sys.executable, "-m", "tests.watch.apart", name, str(folder)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stdout + done.stderr


def limit(what: str, number: int) -> None:
    Path(f"/proc/sys/user/max_inotify_{what}").write_text(str(number))


def mount(*args: object) -> None:
    subprocess.run(["mount", *map(str, args)], check=True)


def files(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def see(root: Path, **build: object) -> Seeing:
    return Seeing(root, Engine.NATIVE, since_ns=time.time_ns() + 10**9, **build)


# --- scenes ---------------------------------------------------------------------------------------


def too_few_watches(folder: Path) -> None:
    files(folder, *(f"d{number}/sub/x.py" for number in range(6)))
    limit("watches", 3)
    with see(folder) as it:
        assert it.started[0].engine == "inotify, poll: 6 folders"
        assert it.started[0].files == 6
        assert len(it.warnings) == 1
        assert "fs.inotify.max_user_watches" in it.warnings[0]
        for number in range(6):
            (folder / f"d{number}/sub/x.py").write_text("new")
            it.wait_to_see(f"d{number}/sub/x.py")
        (folder / "d5/new/deep").mkdir(parents=True)
        (folder / "d5/new/deep/y.py").write_text("1")
        it.wait_to_see("d5/new/deep/y.py")
        assert len(it.warnings) == 1


def too_few_watches_later(folder: Path) -> None:
    files(folder, "a/x.py", "../old/y.py")
    limit("watches", 2)
    with see(folder) as it:
        assert not it.warnings
        (folder / "b/c").mkdir(parents=True)
        (folder / "b/c/z.py").write_text("1")
        it.wait_to_see("b/c/z.py")
        (folder.parent / "old").rename(folder / "moved")
        it.wait_to_see("moved/y.py")
        it.wait_for(lambda: it.warnings)
        (folder / "b/c/z.py").write_text("22")
        it.seen.clear()
        it.wait_to_see("b/c/z.py")
        (folder / "a/x.py").write_text("22")
        it.wait_to_see("a/x.py")


def no_instance(folder: Path) -> None:
    files(folder, "x.py")
    limit("instances", 0)
    with see(folder) as it:
        assert it.started[0].engine == "poll"
        assert "fs.inotify.max_user_instances" in it.warnings[0]
        (folder / "x.py").write_text("new")
        it.wait_to_see("x.py")


def overlay(folder: Path) -> None:
    """The lower layer is edited: no event, ever."""
    audit._UNKNOWN, audit._SETTLE = (0.2, 1), 0.1
    files(folder, "lower/x.py", "lower/y.py", "upper/.keep", "work/.keep", "root/.keep")
    options = ",".join(f"{name}dir={folder / name}" for name in ("lower", "upper", "work"))
    mount("-t", "overlay", "overlay", "-o", options, folder / "root")
    with see(folder / "root") as it:
        assert it.started[0].engine == "inotify"
        (folder / "lower/x.py").write_text("edited below")
        it.wait_to_see("x.py")
        expected = f"x.py changed without an event (overlay): polling {folder}/root from now on"
        assert it.warnings == [expected]
        it.wait_for(lambda: it.watcher._polled.count() == (1, 2))
        it.seen.clear()
        (folder / "lower/y.py").write_text("edited below")
        assert it.wait_for(lambda: "y.py" in it.seen) < 1
        (folder / "root/x.py").write_text("and above")
        it.wait_to_see("x.py")


def mounted_file(folder: Path) -> None:
    files(folder, "outside/conf", "root/app.conf", "root/x.py")
    mount("--bind", folder / "outside/conf", folder / "root/app.conf")
    with see(folder / "root", include_file=("app.conf",)) as it:
        (folder / "outside/conf").write_text("edited outside")
        it.wait_to_see("app.conf")
        it.forget()
        files(folder, "outside/new")
        (folder / "outside/new").replace(folder / "outside/conf")
        it.wait_for(lambda: it.warnings)
        assert it.warnings[0].startswith("app.conf was replaced outside")


def mounted_and_unmounted(folder: Path) -> None:
    files(folder, "root/sub/below.py")
    mount("-t", "tmpfs", "tmpfs", folder / "root/sub")
    files(folder, "root/sub/above.py")
    with see(folder / "root") as it:
        subprocess.run(["umount", folder / "root/sub"], check=True)
        it.wait_to_see("sub/above.py", "sub/below.py")
        it.forget()
        (folder / "root/sub/below.py").write_text("new")
        it.wait_to_see("sub/below.py")


def mounted_over(folder: Path) -> None:
    """No event tells of a mount that comes, or of a bind mount that goes."""
    audit._FIRST = 600
    files(folder, "other/new.py", "root/sub/below.py")
    with see(folder / "root") as it:
        for name in ("new.py", "newer.py"):
            it.forget()
            mount("--bind", folder / "other", folder / "root/sub")
            it.wait_to_see(f"sub/{name}")
            it.forget()
            subprocess.run(["umount", folder / "root/sub"], check=True)
            it.wait_to_see("sub/below.py")
            files(folder, "other/newer.py")


def mount_of_a_deleted_root(folder: Path) -> None:
    """What a container sees when the host deletes the folder and makes it again."""
    audit._FIRST = 600  # events alone must do
    for number, name in enumerate(("x.py", "src/x.py")):
        host, root = folder / f"host{number}", folder / f"root{number}"
        files(host, name)
        root.mkdir()
        mount("--bind", host, root)
        with see(root) as it:
            shutil.rmtree(host)
            files(host, name)
            it.wait_to_see(name)
            it.wait_for(lambda it=it: it.warnings)
            assert "was deleted outside" in it.warnings[0]


def mount_of_a_root_deleted_slowly(folder: Path) -> None:
    """The folder itself goes a while after what was in it: somebody looks once more."""
    audit._FIRST = 600
    files(folder, "host/x.py", "root/.keep")
    mount("--bind", folder / "host", folder / "root")
    with see(folder / "root") as it:
        (folder / "host/x.py").unlink()
        it.turn(1)
        (folder / "host").rmdir()
        it.wait_for(lambda: it.warnings)
        assert "was deleted outside" in it.warnings[0]
    files(folder, "host/x.py", "root2/.keep")
    mount("--bind", folder / "host", folder / "root2")
    with see(folder / "root2") as it:
        (folder / "host/x.py").unlink()
        it.wait_to_see("x.py")  # emptied, and there: nothing to say, and nothing to come back for
        while it.turn(0.2):
            pass
        assert not it.warnings
        assert not it.watcher._tree.wake_at


def silent_mount(folder: Path) -> None:
    """A FUSE file system shows what is edited below it without a word, and may stop answering."""
    engine_poll._HUNG, audit._TRUSTED = 0.3, (0.1, 1)
    files(folder, "under/a.py", "under/sub/b.py", "root/c.py", "root/mnt/.keep")
    view = folder / "root/mnt"
    timeouts = ",".join(f"{what}_timeout=0" for what in ("attr", "entry", "negative"))
    options = f"subtype=grpcfuse,nonempty,{timeouts}"
    with subprocess.Popen(["bindfs", "-f", "-o", options, folder / "under", view]) as server:
        try:
            with see_mounted(folder / "root", view / "a.py") as it:
                assert it.started[0].engine == f"inotify, poll: {view} (fuse.grpcfuse)"
                for name in ("a.py", "sub/b.py"):
                    (folder / "under" / name).write_text("edited below")
                    it.wait_to_see(f"mnt/{name}")
                server.send_signal(signal.SIGSTOP)
                it.wait_for(lambda: it.warnings)
                assert it.warnings[0].startswith(f"no answer from {view} (fuse.grpcfuse)")
                (folder / "root/c.py").write_text("new")
                it.wait_to_see("c.py")
                server.send_signal(signal.SIGCONT)
                it.forget()
                (folder / "under/a.py").write_text("edited again")
                it.wait_to_see("mnt/a.py")
        finally:
            server.send_signal(signal.SIGCONT)
            subprocess.run(["umount", "-l", view], check=True)


def see_mounted(root: Path, file: Path) -> Seeing:
    until = time.monotonic() + 5
    while not file.exists():
        assert time.monotonic() < until
        time.sleep(0.01)
    return see(root)


if __name__ == "__main__":
    globals()[sys.argv[1]](Path(sys.argv[2]))
