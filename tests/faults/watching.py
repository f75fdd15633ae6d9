"""W: what the file system, the kernel and the tools do to who watches files.

Where the catalogue speaks of 100,000 files fewer do as well: what is asked is how many restarts,
how many watches, how much CPU, and these don't grow with the number.
"""

# ruff: noqa: N802 -- each is named as the catalogue names it

from __future__ import annotations

import mmap
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING

import pytest

from tests.faults import proc
from tests.faults.catalogue import fault
from tests.faults.tools import PYTHON
from tests.watch import test_changes as saves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.faults.rig import Rig

EVENTS, TIMES = "naive, events", "naive, times"
FLOOD = 17_500  # two events each; the kernel's queue holds 16,384
PAUSE = 0.015  # seconds between two files; after 20 ms of quiet a burst is over
AWAY = 0.4  # seconds in which what must not come would have come

# --- what happens ---------------------------------------------------------------------------------


def begin(rig: Rig, *prefix: str, build: str = "plain") -> None:
    """The app runs, and the tree is watched: what changes before that is W18's."""
    rig.start(*prefix, build=build)
    is_watched(rig)


def is_watched(rig: Rig) -> None:
    rig.told(r"watching [\d,]+ dir")
    rig.settle()


def starts(rig: Rig) -> int:
    return len(rig.lines("START", role="app"))


def again(rig: Rig, act: Callable[[], object], within: float | None = None) -> None:
    """The app is started again for this."""
    before = starts(rig)
    act()
    rig.until(lambda: starts(rig) > before, within, "a restart")


def once(rig: Rig, act: Callable[[], object], most: int = 1) -> None:
    """The app is started again for this, and not oftener."""
    before = starts(rig)
    again(rig, act)
    time.sleep(AWAY)  # what must not come
    assert starts(rig) - before <= most, rig.report()


def never(rig: Rig, act: Callable[[], object]) -> None:
    """The app is not started again for this; what is saved later is seen."""
    before = starts(rig)
    act()
    time.sleep(AWAY)  # what must not come
    assert starts(rig) == before, rig.report()
    rig.converge()


def write(rig: Rig, *names: str) -> None:
    """In place, other text than before; folders are made."""
    for name in names:
        path = rig.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{time.monotonic_ns()}\n")


def shift(rig: Rig, name: str) -> None:
    """A folder beside the project is moved into it."""
    (rig.log.parent / name).rename(rig.folder / name)


def write_at(rig: Rig, name: str, mtime: int) -> None:
    """The same, and this is its time: seconds since 1970."""
    write(rig, name)
    os.utime(rig.folder / name, (mtime, mtime))


def edited_in_place(rig: Rig, path: Path | None = None) -> str:
    """A new version of the app, written into the file there is; its number."""
    rig.version += 1
    (path or rig.folder / "app.py").write_text(rig.script("app", "plain"))
    return str(rig.version)


def many(folder: Path, count: int, *, each: int = 20, name: str = "f{}.py") -> int:
    """So many files, `each` in a folder; how often a busy machine made a pause in that."""
    pauses, last = 0, time.monotonic()
    for number in range(count):
        pauses += time.monotonic() - last > PAUSE
        last = time.monotonic()
        if number % each == 0:
            place = folder / f"d{number // each}"
            place.mkdir(parents=True)
        with open(place / name.format(number), "w") as file:
            file.write("x")
    return pauses


def watches(pid: int) -> int:
    """How many inotify watches it holds for the tree; the config has a descriptor of its own."""
    return max(
        proc.read(pid, f"fdinfo/{number}").count(b"inotify wd:")
        for number in os.listdir(f"/proc/{pid}/fd")
    )


def watched(pid: int) -> set[int]:
    """The inodes that it watches (proc(5), fdinfo)."""
    found: set[int] = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        lines = proc.read(pid, f"fdinfo/{number}")
        found |= {int(inode, 16) for inode in re.findall(rb"inotify wd:\S+ ino:(\S+)", lines)}
    return found


def cpu_share(rig: Rig, act: Callable[[], object]) -> float:
    """Of one CPU, while this goes on."""
    pid, began = rig.pid, time.monotonic()
    before = proc.cpu(pid)
    act()
    return (proc.cpu(pid) - before) / (time.monotonic() - began)


# --- other machines -------------------------------------------------------------------------------


def apart(script: str) -> tuple[str, ...]:
    """Before a command: runs it as the root of new user and mount namespaces, after this."""
    enter = f'set -e; {script}; cd "$PWD"; exec "$@"'
    return ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", enter, "sh")


def limited(what: str, number: int) -> tuple[str, ...]:
    return apart(f"echo {number} > /proc/sys/user/max_inotify_{what}")


def inside(rig: Rig, *command: str) -> subprocess.CompletedProcess[str]:
    """Runs it where the supervisor is."""
    enter = ("nsenter", "-t", str(rig.pid), "-U", "-m", "--preserve-credentials")
    return subprocess.run((*enter, *command), capture_output=True, text=True, check=False)


def bindfs(under: str, view: str) -> str:
    """A script: what is edited under it shows in the view, and nobody is told."""
    timeouts = ",".join(f"{what}_timeout=0" for what in ("attr", "entry", "negative"))
    options = f"subtype=grpcfuse,nonempty,{timeouts}"
    return f'env -u {proc.COOKIE} bindfs -o {options} "$PWD/{under}" "$PWD/{view}"'


def server_of(rig: Rig) -> int:
    """The process that answers for the mount; it is ended with the rig."""
    folder = str(rig.folder)
    mine = [
        p for p in proc.pids() if "bindfs" in (w := proc.words(p))[:1] and folder in " ".join(w)
    ]
    rig.finally_(lambda: [proc.kill(pid) for pid in mine])
    (pid,) = mine
    return pid


# --- floods and limits ----------------------------------------------------------------------------


@fault(EVENTS)
def fault_W01(rig: Rig) -> None:
    """When the kernel's queue overflows, what changed in the flood is known all the same."""
    begin(rig)
    pid = rig.pid
    rig.send(signal.SIGSTOP)
    try:
        rig.until(lambda: proc.stands(pid))
        for number in range(FLOOD):
            with open(rig.folder / f"{number}.txt", "w") as file:
                file.write("x")
        version = rig.edit()
    finally:
        os.kill(pid, signal.SIGCONT)
    rig.noted("START", version=version, within=5)
    rig.told(r"more changes at once than the kernel remembers")


@fault(EVENTS)
def fault_W02(rig: Rig) -> None:
    """Ten thousand files unpacked at full speed are one change or two; then a save is one."""
    begin(rig)
    before = starts(rig)
    pauses = many(rig.folder / "unpacked", 10_000)
    time.sleep(AWAY)  # what must not come
    assert 1 <= starts(rig) - before <= 2 + pauses, rig.report()
    rig.converge()


@fault(EVENTS, needs=("unshare",), quick=True)
def fault_W03(rig: Rig) -> None:
    """Where no inotify is to be had, files are polled, and that is said."""
    begin(rig, *limited("instances", 0))
    rig.told(r"max_user_instances.*polling")
    rig.converge()


@fault(EVENTS, needs=("unshare",))
def fault_W04(rig: Rig) -> None:
    """Folders for which no watch is left are polled: no save is lost, and that is said once."""
    names = [f"d{number}/x.py" for number in range(6)]
    write(rig, *names)
    begin(rig, *limited("watches", 3))
    rig.told(r"max_user_watches.*polling")
    for name in reversed(names):
        again(rig, lambda n=name: write(rig, n))
    if rig.tool.speaks:
        assert rig.said.count("max_user_watches") == 1, rig.report()


# --- folders that come and go ---------------------------------------------------------------------


@fault(EVENTS, quick=True)
def fault_W06(rig: Rig) -> None:
    """A file in folders that were made the moment before is seen, each time."""
    begin(rig)
    for number in range(5):
        again(rig, lambda n=number: write(rig, f"n{n}/x/y/z/f.py"))


@fault("new folders")
def fault_W07(rig: Rig) -> None:
    """A save in a folder that came after the start is seen."""
    begin(rig)
    again(rig, lambda: write(rig, "n/x/y/z/f.py"))
    for _ in range(2):
        again(rig, lambda: write(rig, "n/x/y/z/f.py"))


@fault("made again")
def fault_W08(rig: Rig) -> None:
    """A folder that is deleted and made again is watched again, however quickly that went."""
    write(rig, "pkg/deep/x.py")
    begin(rig)
    for _ in range(3):
        again(rig, lambda: (shutil.rmtree(rig.folder / "pkg"), write(rig, "pkg/deep/x.py")))
        again(rig, lambda: write(rig, "pkg/deep/x.py"))


@fault(EVENTS, quick=True)
def fault_W09(rig: Rig) -> None:
    """The root is renamed away and made again: what is saved in the new one is seen."""
    write(rig, "pkg/x.py")
    begin(rig)
    away = rig.folder.with_name("away")
    rig.folder.rename(away)
    shutil.copytree(away, rig.folder)
    rig.converge()
    again(rig, lambda: write(rig, "pkg/x.py"))


@fault(EVENTS, needs=("unshare", "nsenter"))
def fault_W10(rig: Rig) -> None:
    """A mount in the tree that ends and comes back: what lies there then is seen each time."""
    other = rig.log.parent / "other"
    other.mkdir()
    (other / "x.py").write_text("mounted")
    write(rig, "sub/x.py")
    begin(rig, *apart(f'mount --bind "{other}" "$PWD/sub"'))
    again(rig, lambda: (other / "x.py").write_text("mounted 2"))
    again(rig, lambda: inside(rig, "umount", str(rig.folder / "sub")))
    again(rig, lambda: write(rig, "sub/x.py"))
    again(rig, lambda: inside(rig, "mount", "--bind", str(other), str(rig.folder / "sub")))
    again(rig, lambda: (other / "x.py").write_text("mounted 3"))


@fault(EVENTS)
def fault_W11(rig: Rig) -> None:
    """A folder that is moved in with all that is in it is seen, and watched from then on."""
    ready = rig.log.parent / "ready"
    (ready / "sub").mkdir(parents=True)
    (ready / "sub/x.py").write_text("x")
    begin(rig)
    again(rig, lambda: ready.rename(rig.folder / "moved"))
    again(rig, lambda: write(rig, "moved/sub/x.py"))


@fault(EVENTS)
def fault_W12(rig: Rig) -> None:
    """A folder that was moved out is not watched; one moved within is, under its new name."""
    write(rig, "out/sub/x.py", "old/sub/x.py")
    begin(rig)
    outside = rig.log.parent / "outside"
    again(rig, lambda: (rig.folder / "out").rename(outside))
    never(rig, lambda: (outside / "sub/x.py").write_text("not ours"))
    again(rig, lambda: (rig.folder / "old").rename(rig.folder / "new"))
    never(rig, lambda: None)
    again(rig, lambda: write(rig, "new/sub/x.py"))
    rig.told(r"(change|reloaded) +new/sub/x\.py")


# --- saves ----------------------------------------------------------------------------------------

SAVES = (
    saves.vim,
    saves.emacs,
    saves.jetbrains,
    saves.gedit,
    saves.sed,
    saves.atomic,
    saves.in_place,
)
BESIDE = (
    ".app.py.swp",
    "app.py~",
    "4913",
    ".#app.py",
    "#app.py#",
    "app.py___jb_tmp___",
    "sedAbC12x",
)


@fault("temporary")
def fault_W14(rig: Rig) -> None:
    """However an editor saves, it is one change; what it writes beside the file is none."""
    rig.want.toml = 'include_ext = ["*"]'
    write(rig, "pkg/x.py")
    begin(rig)
    for save in SAVES:
        once(rig, lambda s=save: s(rig.folder / "pkg/x.py"))
    never(rig, lambda: write(rig, *BESIDE))


GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "gc.auto=0")


def git(rig: Rig, *words: str) -> None:
    subprocess.run((*GIT, *words), cwd=rig.folder, check=True, capture_output=True)


def committed(rig: Rig, branch: str = "") -> str:
    """A commit with a new version of the app, on a new branch if one is named; its number."""
    if not (rig.folder / ".git").exists():
        git(rig, "init", "-q", "-b", branch)
    elif branch:
        git(rig, "checkout", "-q", "-b", branch)
    version = rig.edit()
    git(rig, "add", "--all", "--", ":!.reload.toml")
    git(rig, "commit", "-q", "-m", version)
    return version


@fault(EVENTS, needs=("git",))
def fault_W15(rig: Rig) -> None:
    """A checkout that changes two thousand files is one change, at most two; the branch runs."""
    branches = {}
    for branch in ("one", "two"):
        shutil.rmtree(rig.folder / "src", ignore_errors=True)
        many(rig.folder / "src", 2_000, name=f"{branch}{{}}.py")
        branches[branch] = committed(rig, branch)
    rig.launch()
    rig.noted("START", version=branches["two"])
    is_watched(rig)
    for _ in range(2):
        for branch, version in branches.items():
            once(rig, lambda b=branch: git(rig, "checkout", "-q", b), most=2)
            assert rig.lines("START")[-1]["version"] == version, rig.report()


@fault(EVENTS, needs=("git",))
def fault_W16(rig: Rig) -> None:
    """A rebase of twenty commits is one change: none of its steps is run. So is a stash."""
    committed(rig, "main")
    for number in range(20):
        last = committed(rig, "" if number else "work")
    git(rig, "checkout", "-q", "main")
    write(rig, "other.py")
    git(rig, "add", "other.py")
    git(rig, "commit", "-q", "-m", "other")
    git(rig, "checkout", "-q", "work")
    rig.launch()
    rig.noted("START", version=last)
    is_watched(rig)
    once(rig, lambda: git(rig, "rebase", "-q", "-x", "sleep 0.05", "main"))
    assert {line["version"] for line in rig.lines("START")} == {last}, rig.report()
    rig.converge()
    once(rig, lambda: git(rig, "stash"))
    assert rig.lines("START")[-1]["version"] == last
    once(rig, lambda: git(rig, "stash", "pop"))
    assert rig.lines("START")[-1]["version"] == str(rig.version)


@fault()
def fault_W17(rig: Rig) -> None:
    """A save during a build is one more build: the last version runs."""
    rig.want.wants_build()
    begin(rig, build="slow")
    version = rig.edit(build="slow")
    rig.noted("START", role="build", version=version)
    rig.converge()


@fault("since")
def fault_W18(rig: Rig) -> None:
    """A save in the first moments after the start is not lost, whatever is ready by then."""
    rig.want.tuning = ("late",)
    for delay in (None, 0.0, 0.05, 0.1, 0.15, None, 0.2, 0.3):  # None: when the app has begun
        version = rig.edit()
        rig.launch()
        if delay is None:
            rig.noted("START", version=version)
        else:
            time.sleep(delay)  # the moment is the fault
        rig.converge()
        rig.stop()


@fault("learning", peers=False)
def fault_W19(rig: Rig) -> None:
    """With exclude_unchanged, a file that goes back to what it was has changed, too."""
    rig.want.toml = "exclude_unchanged = true"
    write(rig, "a.py", "b.py")
    begin(rig)
    rig.converge()
    before = (rig.folder / "b.py").read_text()
    again(rig, lambda: write(rig, "a.py", "b.py"))
    again(rig, lambda: (rig.folder / "b.py").write_text(before))


# --- signatures and names -------------------------------------------------------------------------


@fault(peers=False)
def fault_W21(rig: Rig) -> None:
    """Polled, too, an edit of the same size that puts the mtime back is seen."""
    rig.want.toml = "poll = true"
    begin(rig)
    file = rig.folder / "app.py"
    for _ in range(3):
        before = file.stat()
        version = edited_in_place(rig)
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert file.stat().st_size == before.st_size
        rig.noted("START", version=version)


@fault(TIMES, peers=False)
def fault_W22(rig: Rig) -> None:
    """Polled, too, mtimes that mean nothing hide no edit and make no loop."""
    rig.want.toml = "poll = true"
    rig.edit()
    write(rig, "a.py", "b.py")
    for mtime in (4_070_908_800, 0):  # 2099, 1970
        for name in ("a.py", "b.py"):
            write_at(rig, name, mtime)
        os.utime(rig.folder / "app.py", (mtime, mtime))
        rig.launch()
        rig.noted("START", version=str(rig.version))
        is_watched(rig)
        for _ in range(2):
            once(rig, partial(write_at, rig, "a.py", mtime))
        rig.converge()
        rig.stop()


@fault(EVENTS)
def fault_W23(rig: Rig) -> None:
    """Other rights and another name are no change."""
    begin(rig)
    file = rig.folder / "app.py"
    never(rig, lambda: (file.chmod(0o755), os.link(file, rig.log.parent / "name")))


@fault(EVENTS, quick=True)
def fault_W24(rig: Rig) -> None:
    """A file name that is no UTF-8 is a name like others, and shown escaped."""
    begin(rig)
    odd = os.fsdecode(b"b\xff.py")
    again(rig, lambda: write(rig, odd))
    rig.told(r"(change|reloaded) +b\\xff\.py")
    rig.converge()


@fault(TIMES)
def fault_W25(rig: Rig) -> None:
    """Names with newlines or escapes, and names and paths beyond any limit, break nothing."""
    rig.finally_(lambda: shutil.rmtree(rig.folder / ("d" * 250)))
    with deep_folder(rig.folder, 16) as deep:
        for name in ("f" * 252 + ".py", "x.py"):
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=deep))
    begin(rig)
    for name in ("new\nline.py", "esc\x1b[31m.py", "x" * 252 + ".py"):
        again(rig, lambda n=name: write(rig, n))
    rig.converge()
    if rig.tool.speaks:
        assert "\x1b" not in rig.said, rig.report()
        assert "\nline.py" not in rig.said, rig.report()


@contextmanager
def deep_folder(top: Path, levels: int) -> Iterator[int]:
    """Folders with names of 250 characters below each other; a descriptor of the last."""
    here = os.open(top, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    try:
        yield here
    finally:
        os.close(here)


# --- links and rights -----------------------------------------------------------------------------


@fault("reached", peers=False)
def fault_W26(rig: Rig) -> None:
    """Links that lead round in circles, or nowhere, end; each folder is watched once."""
    rig.want.toml = "follow_symlink = true"
    write(rig, "pkg/x.py")
    for name, target in (("self", "self"), ("up", ".."), ("pkg/round", ".."), ("no.py", "nowhere")):
        (rig.folder / name).symlink_to(target)
    for number in range(1, 41):
        (rig.folder / f"l{number}").symlink_to(f"l{number - 1}" if number > 1 else "pkg")
    begin(rig)
    again(rig, lambda: write(rig, "pkg/x.py"))
    rig.told(r"watching \d dirs")
    assert watches(rig.pid) < 12
    rig.converge()


@fault(EVENTS, peers=False)
def fault_W28(rig: Rig) -> None:
    """A link that is made to lead elsewhere: what it leads to now is watched, the old no more."""
    rig.want.toml = "follow_symlink = true"
    one, two = (rig.log.parent / name for name in ("one", "two"))
    for place in (one, two):
        place.mkdir()
        (place / "x.py").write_text(place.name)
    (rig.folder / "link").symlink_to(one)
    begin(rig)
    again(rig, lambda: (one / "x.py").write_text("new"))
    (rig.folder / "next").symlink_to(two)
    again(rig, lambda: (rig.folder / "next").replace(rig.folder / "link"))
    again(rig, lambda: (two / "x.py").write_text("new"))
    never(rig, lambda: (one / "x.py").write_text("not ours any more"))


@fault("audit", peers=False)
def fault_W29(rig: Rig) -> None:
    """An edit through another name of the file, outside the tree, is found by the audit."""
    rig.want.tuning = ("haste",)
    begin(rig)
    other = rig.log.parent / "other-name"
    os.link(rig.folder / "app.py", other)
    rig.noted("START", version=edited_in_place(rig, other))
    rig.told(r"app\.py changed without an event")


@fault(EVENTS)
def fault_W30(rig: Rig) -> None:
    """An edit through memory that is mapped is seen when the file is closed."""
    write(rig, "x.py")
    begin(rig)

    def mapped() -> None:
        with (rig.folder / "x.py").open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            memory[0:1] = b"#"

    again(rig, mapped)


@fault(EVENTS, needs=("unshare",), quick=True)
def fault_W31(rig: Rig) -> None:
    """A folder that may not be read is said once; when it may be, it is watched."""
    write(rig, "closed/x.py")
    closed = rig.folder / "closed"
    closed.chmod(0)
    rig.finally_(lambda: closed.chmod(0o755))
    begin(rig, "unshare", "--user", "--map-user=12345")
    rig.told(r"can't read closed: Permission denied")
    again(rig, lambda: closed.chmod(0o755))
    again(rig, lambda: write(rig, "closed/x.py"))
    if rig.tool.speaks:
        assert rig.said.count("can't read") == 1, rig.report()


# --- other file systems ---------------------------------------------------------------------------


@fault("audit", peers=False, needs=("unshare",))
def fault_W32(rig: Rig) -> None:
    """An overlay whose lower layer is edited from outside is noticed, and polled from then on."""
    rig.want.tuning = ("haste",)
    upper, work = (rig.log.parent / name for name in ("upper", "work"))
    for place in (upper, work):
        place.mkdir()
    layers = f"lowerdir=$PWD,upperdir={upper},workdir={work}"
    begin(rig, *apart(f'mount -t overlay overlay -o "{layers}" "$PWD"'))
    rig.noted("START", version=edited_in_place(rig))
    rig.told(r"app\.py changed without an event \(overlay\): polling")
    rig.noted("START", version=edited_in_place(rig))


@fault("silent", needs=("unshare", "bindfs"), quick=True)
def fault_W33(rig: Rig) -> None:
    """A file system of a kind that raises no events is polled from the start, and that is said."""
    begin(rig, *apart(bindfs("", "")))
    server_of(rig)
    rig.told(r"watching .*poll: .*\(fuse\.grpcfuse\)")
    rig.converge(within=5)  # earlier than any audit
    rig.converge(within=5)


@cache
def folds() -> str:
    """A script that makes the folder one without upper and lower case; "": not here."""
    script = 'mount -t tmpfs -o casefold tmpfs "$PWD/sub"; chattr +F "$PWD/sub"'
    trial = script.replace('"$PWD/sub"', "/mnt")
    done = subprocess.run((*apart(trial), "true"), capture_output=True, check=False)
    return "" if done.returncode else script


@fault(TIMES, needs=("unshare", "chattr"))
def fault_W34(rig: Rig) -> None:
    """Where case does not count, a rename that changes only that is one change, rightly named."""
    if not folds():
        pytest.skip("no file system without case here (tmpfs with casefold, CONFIG_UNICODE)")
    write(rig, "sub/.keep")
    begin(rig, *apart(folds()))
    inner = f"/proc/{rig.pid}/root{rig.folder}/sub"
    again(rig, lambda: open(f"{inner}/name.py", "w").close())
    once(rig, lambda: os.rename(f"{inner}/name.py", f"{inner}/Name.py"))
    rig.told(r"(change|reloaded) +sub/Name\.py")


# --- size and cost --------------------------------------------------------------------------------


@fault("largest", peers=False)
def fault_W36(rig: Rig) -> None:
    """With exclude_unchanged a file of 5 GB is not read: saves are seen as soon as ever."""
    rig.want.toml = "exclude_unchanged = true"
    with (rig.folder / "big.py").open("wb") as big:
        big.truncate(5 << 30)
    begin(rig)
    rig.converge(within=2)
    with (rig.folder / "big.py").open("r+b") as big:
        again(rig, lambda: (big.write(b"x"), big.close()), within=2)
    rig.converge(within=2)


NOISE = """import os, sys, time
for number in range(3000):
    for place in ("node_modules/x", ".venv/lib", ".git/objects/ab"):
        if number % 3 == 0:
            with open(f"{place}/{number}.py", "w") as file: file.write("x")
    time.sleep(0.001)
"""


@fault(EVENTS)
def fault_W37(rig: Rig) -> None:
    """A thousand new files a second in node_modules, .venv and .git cost nothing."""
    for place in ("node_modules/x", ".venv/lib", ".git/objects/ab", ".git/refs"):
        (rig.folder / place).mkdir(parents=True)
    (rig.folder / ".git/HEAD").write_text("ref: refs/heads/main\n")
    begin(rig)
    rig.converge()
    noise = (*PYTHON, "-c", NOISE)
    share = []
    never(
        rig,
        lambda: share.append(
            cpu_share(rig, lambda: subprocess.run(noise, cwd=rig.folder, check=True))
        ),
    )
    assert share[0] < 0.05, share


@fault(EVENTS)
def fault_W39(rig: Rig) -> None:
    """A build that writes sources into the tree is at most one more build, not an endless loop."""
    rig.want.wants_build()
    begin(rig, build="generate")
    for _ in range(2):
        version = rig.edit(build="generate")
        rig.noted("START", role="app", version=version)
    time.sleep(1)  # what must not come
    assert len(rig.lines("START", role="build", version=version)) <= 2, rig.report()
    rig.converge()


@fault(EVENTS)
def fault_W40(rig: Rig) -> None:
    """Of 5,000 folders only those that can matter are watched, within two seconds, in 60 MB."""
    many(rig.folder / "node_modules", 16_000, each=4)
    many(rig.folder / "src", 4_000, each=4)
    rig.edit()
    began = time.monotonic()
    rig.launch()
    rig.noted("START")
    rig.told(r"watching [\d,]+ dirs")
    assert time.monotonic() - began < 2
    rig.settle()
    again(rig, lambda: write(rig, "src/d999/f3999.py"))
    assert watches(rig.pid) <= 1_010
    assert proc.kilobytes(rig.pid) < 60_000


@fault(TIMES, quick=True)
def fault_W41(rig: Rig) -> None:
    """A deleted file and a deleted package are changes."""
    write(rig, "a.py", "pkg/deep/b.py")
    begin(rig)
    again(rig, (rig.folder / "a.py").unlink)
    again(rig, lambda: shutil.rmtree(rig.folder / "pkg"))
    rig.converge()


# --- what does not answer -------------------------------------------------------------------------


@fault(TIMES, needs=("unshare", "nsenter", "bindfs"))
def fault_W42(rig: Rig) -> None:
    """A mount that answers no more holds nothing up: other saves are seen, and it is named."""
    rig.want.tuning = ("haste",)
    (rig.folder / "mnt").mkdir()
    (rig.log.parent / "under").mkdir()
    (rig.log.parent / "under/x.py").write_text("x")
    begin(rig, *apart(bindfs("../under", "mnt")))
    server = server_of(rig)
    again(rig, lambda: (rig.log.parent / "under/x.py").write_text("new"))
    os.kill(server, signal.SIGSTOP)
    try:
        rig.told(r"no answer from .*/mnt \(fuse\.grpcfuse\)")
        for _ in range(3):
            rig.converge()
        if rig.tool.speaks:
            there = ("env", "-C", str(rig.folder))  # it answers for its own directory alone
            health = inside(rig, *there, sys.executable, "-m", "reloader", "healthcheck")
            assert health.stdout.startswith("ok"), health
    finally:
        os.kill(server, signal.SIGCONT)
    again(rig, lambda: (rig.log.parent / "under/x.py").write_text("newer"))


@fault("canary", quick=True, peers=False)
def fault_W43(rig: Rig) -> None:
    """An inotify that tells nothing any more is noticed and made anew."""
    rig.want.tuning = ("haste", "deaf")
    dead_inotify(rig)


@fault("canary", peers=False)
def fault_W43b(rig: Rig) -> None:
    """An inotify whose descriptor somebody has closed is noticed and made anew."""
    rig.want.tuning = ("haste", "closed")
    dead_inotify(rig)


def dead_inotify(rig: Rig) -> None:
    write(rig, "pkg/x.py")
    begin(rig)
    rig.converge()
    rig.told(r"inotify does not answer any more: watching anew")
    both = {(rig.folder / name).stat().st_ino for name in (".", "pkg")}
    rig.until(lambda: both <= watched(rig.pid), what="both folders are watched")
    again(rig, lambda: write(rig, "pkg/x.py"))
    rig.converge()


@fault(TIMES, peers=False)
def fault_W44(rig: Rig) -> None:
    """To poll twenty thousand files costs at most 4 % of one CPU."""
    rig.want.toml = "poll = true"
    many(rig.folder / "src", 20_000)
    begin(rig)
    rig.told(r"watching .*poll")
    time.sleep(1)  # the start is over
    assert cpu_share(rig, lambda: time.sleep(3)) <= 0.04  # what is measured
    rig.converge()


# --- what is decided by other files ---------------------------------------------------------------


@fault("deadlines", peers=False, quick=True)
def fault_W45(rig: Rig) -> None:
    """While the watcher always has more to look at, a save and SIGTERM still act at once."""
    rig.want.tuning = ("restless",)
    rig.want.grace = 0.3
    rig.start(mode="ignore")  # only a deadline ends it
    is_watched(rig)
    for _ in range(2):
        rig.converge("ignore")
    rig.stop()


@fault("handover", peers=False)
def fault_W46(rig: Rig) -> None:
    """A save beside an edited config is not lost, though everything is polled and watched anew."""
    rig.want.tuning = ("unhurried",)
    rig.want.toml = "poll = true\npoll_interval = 700"
    begin(rig)
    config = rig.folder / ".reload.toml"
    for number in range(3):
        text = config.read_text()
        config.write_text(f'{text.partition("exclude_regex")[0]}exclude_regex = ["none{number}"]\n')
        time.sleep(0.7)  # by now the edit has been seen; it is taken up within half a second
        version = rig.edit()
        rig.noted("START", version=version, role="app")
        rig.until(lambda n=number: rig.said.count("config   changed") == n + 1, what="taken up")
    rig.converge()


@fault("config files", peers=False, quick=True)
def fault_W47(rig: Rig) -> None:
    """An edited config is taken up where it is a link, and where what it leads to is edited."""
    rig.edit()
    real = rig.log.parent / "real.toml"
    rig.launch()
    rig.noted("START")
    is_watched(rig)
    config = rig.folder / ".reload.toml"
    text = config.read_text()
    real.write_text(text + "delay = 3\n")
    (rig.folder / "new").symlink_to(real)
    (rig.folder / "new").replace(config)
    rig.told(r"config   changed: build\.delay")
    real.write_text(text + "rerun_delay = 700\n")
    rig.told(r"config   changed: .*build\.rerun_delay")
    rig.converge()


@fault("ignored by git", needs=("git",), peers=False, quick=True)
def fault_W48(rig: Rig) -> None:
    """A file that git ignores is no reason to restart, where no list of extensions says so."""
    rig.want.toml = ""
    git(rig, "init", "-q")
    write(rig, "site/made.py", "requirements.txt")
    (rig.folder / ".gitignore").write_text("site/\n*.made.py\n")
    begin(rig)
    never(rig, lambda: write(rig, "site/made.py", "x.made.py"))


@fault("stale lock", needs=("git",), peers=False)
def fault_W49(rig: Rig) -> None:
    """A lock that a killed git has left costs a save nothing, and is not taken for git at work."""
    git(rig, "init", "-q")
    lock = rig.folder / ".git/index.lock"
    lock.touch()
    begin(rig)
    rig.converge()  # the first save of a kind listens for a formatter
    time.sleep(3)  # until the lock is old
    for _ in range(3):
        began = time.monotonic()
        rig.converge()
        assert time.monotonic() - began < 0.9, rig.report()
    assert "git:" not in rig.said.splitlines()[-4:]


@fault("temporary", peers=False, quick=True)
def fault_W50(rig: Rig) -> None:
    """The files that checkers and copying tools write beside a source are no reason to restart."""
    write(rig, "pkg/x.py")
    begin(rig)

    def tools() -> None:
        for name in ("flycheck_x.py", "x_flymake.py", "._x.py", ".syncthing.x.py"):
            path = rig.folder / "pkg" / name
            path.write_text("1")
            time.sleep(0.05)  # a checker reads it
            path.unlink()

    never(rig, tools)
