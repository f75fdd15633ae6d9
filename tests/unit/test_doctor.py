"""What doctor makes of what it finds: what is wrong is told with why, and what to do."""

from __future__ import annotations

import os
import resource
from typing import TYPE_CHECKING

import pytest

from reloader.checks import machine, project, watches
from reloader.checks.finding import Finding, Level
from reloader.checks.watches import Holder, Limit, Watches
from reloader.commands import doctor
from reloader.config.model import Build
from reloader.errors import Exit, Problem
from reloader.filter.rules import FileFilter
from reloader.light import fields, replace
from reloader.watch import mounts
from reloader.watch.inotify import CREATE, Inotify
from tests.watch.seeing import config_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNLIMITED = resource.RLIM_INFINITY


def is_told(finding: Finding, *words: str) -> bool:
    """It is more than a remark: it says why, and what to do, with these words in it."""
    text = f"{finding.message} {finding.why} {finding.hint}"
    told = finding.level is not Level.INFO and bool(finding.why and finding.hint)
    return told and all(word in text for word in words)


# --- the machine ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("/usr/bin/python3", "/usr/local/bin/reloader", "run"),
        ("python", "-m", "reloader", "run"),
        ("/sbin/docker-init", "--", "reloader"),
        ("/sbin/init",),
        (),
    ],
)
def test_a_pid_1_that_is_fine(words: tuple[str, ...]) -> None:
    """Reloader itself, an init; one that can't be known is not complained of."""
    assert machine.pid1(words, contained=True).level is Level.INFO


@pytest.mark.parametrize("words", [("/bin/sh", "-c", "reloader run; true"), ("-bash",), ("ash",)])
def test_a_shell_as_pid_1(words: tuple[str, ...]) -> None:
    """It passes no signal on, so an app in a container is killed in its work."""
    assert is_told(machine.pid1(words, contained=True), "docker stop", "exec reloader run")


def test_few_open_files() -> None:
    """What can be raised here is; what can't, outside."""
    assert is_told(machine.descriptors(100, UNLIMITED), "100", "ulimit -n 1024")
    assert is_told(machine.descriptors(100, 4096), "ulimit -n 1024")
    assert is_told(machine.descriptors(100, 100), "docker run --ulimit nofile=1024")
    for limits in ((1024, 4096), (UNLIMITED, UNLIMITED)):
        assert machine.descriptors(*limits).level is Level.INFO


def test_the_times_of_files() -> None:
    """Coarse ones, and a clock that is not ours."""
    fine = [1_000_000_000, 1_012_000_000, 1_024_000_000, 1_036_000_000]
    assert {f.level for f in machine.times(fine, 1_036_500_000)} == {Level.INFO}
    coarse, _ = machine.times([10**9] * 4, 10**9)
    assert coarse.level is Level.WARNING
    assert "too coarse" in coarse.message
    for now, words in ((5_036_000_000, "4.0 s behind"), (-963_999_999, "2.0 s ahead of")):
        _, clock = machine.times(fine, now)
        assert is_told(clock, words)


def test_a_root_that_cannot_be_written(tmp_path: Path) -> None:
    """It is no trouble of ours; nothing else is said about times then."""
    topics = [f.topic for f in machine.checks(str(tmp_path / "not there"))]
    assert topics[-1] == "root"
    assert "clock" not in topics


# --- watches --------------------------------------------------------------------------------------


def found(used: int = 10, limit: int = 1000, instances: int = 3, refusal: str = "") -> Watches:
    holders = (Holder("code", 7, used - 1, 1), Holder("app", 8, 1, instances - 1))
    return Watches(
        Limit("fs.inotify.max_user_watches", limit, used),
        Limit("fs.inotify.max_user_instances", 128, instances),
        holders,
        refusal,
    )


def test_watches_in_use() -> None:
    """How many, of how many, and who has them; more than half is worth a word."""
    (few,) = watches.findings(found())
    assert (few.level, few.message) == (
        Level.INFO,
        "10 of 1,000 in use: code (pid 7) 9, app (pid 8) 1",
    )
    (many,) = watches.findings(found(used=501))
    assert is_told(many, "code (pid 7) 500", "sysctl -w fs.inotify.max_user_watches=4000")
    _, instances = watches.findings(found(instances=65))
    assert is_told(instances, "65 of 128", "app (pid 8) 64", "max_user_instances=512")


def test_no_inotify() -> None:
    """Because there are too many, because it is forbidden, or because this is another system."""
    (full,) = watches.findings(found(instances=128, refusal="Too many open files"))
    assert is_told(full, "Too many open files", "polled", "max_user_instances=512")
    (forbidden,) = watches.findings(found(refusal="Function not implemented"))
    assert is_told(forbidden, "Function not implemented", "seccomp")
    (other,) = watches.findings(None)
    assert other.level is Level.WARNING


def test_the_watch_budget() -> None:
    """More folders than watches are left: the number that would do is in the line."""
    assert not list(watches.budget(found(used=10, limit=100), 90))
    (short,) = watches.budget(found(used=10, limit=100), 600_000)
    assert is_told(short, "600,000 folders", "90 watches left", "exclude_dir", "=1200000")
    for unknown in (None, found(refusal="Too many open files")):
        assert not list(watches.budget(unknown, 10**9))


def test_the_smaller_limit_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user namespace has limits of its own."""
    numbers = {watches._MACHINE: 8192, watches._NAMESPACE: 100}
    monkeypatch.setattr(watches, "_number", lambda path: numbers[path.removesuffix("watches")])
    assert watches._limit("watches") == ("user.max_inotify_watches", 100)
    numbers[watches._NAMESPACE] = 10**6
    assert watches._limit("watches") == ("fs.inotify.max_user_watches", 8192)


def test_who_holds_watches(tmp_path: Path) -> None:
    """We do."""
    mine = Inotify()
    try:
        before = watches.read()
        mine.add(str(tmp_path), CREATE)
        after = watches.read()
    finally:
        mine.close()
    assert before
    assert after
    of = [next(h.watches for h in w.holders if h.pid == os.getpid()) for w in (before, after)]
    assert of[1] == of[0] + 1


# --- the project ----------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("mnt", "node_modules/x"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "conf.py").write_text("1")
    return tmp_path


def on(
    root: Path, *lines: tuple[str, str], source: str = "/", events: bool = True
) -> Iterator[Finding]:
    """What is said of these mounts: places below the root, and types."""
    text = "".join(
        f"{n} 0 8:1 {source} {root / place if place else root} rw - {fstype} x rw\n"
        for n, (place, fstype) in enumerate(lines)
    )
    return project.of_mounts(FileFilter.of(config_for(root)), mounts.parse(text), events=events)


@pytest.mark.parametrize(
    ("fstype", "words"),
    [("ext4", "ext4, watched by events"), ("overlay", "and looked through every 30 s")],
)
def test_mounts_that_are_fine(root: Path, fstype: str, words: str) -> None:
    """Those whose events come, and those whose events mostly do."""
    (finding,) = on(root, ("", fstype))
    assert finding.level is Level.INFO
    assert finding.message.endswith(words)


def test_where_there_are_no_events(root: Path) -> None:
    """Nobody is told that there are."""
    (finding,) = on(root, ("", "ext4"), events=False)
    assert finding.message.endswith("polled like all")


def test_mounts_that_are_polled(root: Path) -> None:
    """The root, or what is mounted below it and can matter."""
    (top,) = on(root, ("", "fuse.grpcfuse"))
    assert is_told(top, "fuse.grpcfuse, polled", "/home")
    _, below = on(root, ("", "ext4"), ("mnt", "nfs4"), ("node_modules/x", "9p"))
    assert is_told(below, f"{root}/mnt: nfs4, polled")


def test_a_mount_that_is_stale(root: Path) -> None:
    """No save will ever be seen: that is bad."""
    (stale,) = on(root, ("", "ext4"), source="/gone//deleted")
    assert stale.level is Level.ERROR
    assert is_told(stale, "start the container again")


def test_a_file_that_is_mounted(root: Path) -> None:
    """Editors replace it; the mount does not follow."""
    _, file = on(root, ("", "ext4"), ("conf.py", "ext4"))
    assert is_told(file, "conf.py is mounted as a single file", "mount the folder")


def test_nothing_is_known_of_mounts(root: Path) -> None:
    """As on another system."""
    (unknown,) = on(root)
    assert unknown.level is Level.WARNING


def of_tree(folders: dict[str, int], *excluded: str) -> list[Finding]:
    """For so many files that count in each folder."""
    counted = {path: ("x.py",) * number for path, number in folders.items()}
    return list(project.of_tree(FileFilter.of(config_for("/p")), counted, excluded))


def test_huge_folders() -> None:
    """The topmost ones without files that count; the line to add names all, and what was there."""
    data = {f"/p/src/data/{n}": 0 for n in range(1200)}
    sources = {f"/p/src/pkg/{n}": 1 for n in range(2000)}
    few = {f"/p/docs/{n}": 0 for n in range(900)}
    logs = {f"/p/logs/{n}/x": 0 for n in range(1000)}
    tree, *huge = of_tree({"/p": 1, **data, **sources, **few, **logs}, "vendor")
    assert (tree.level, tree.message) == (
        Level.INFO,
        "5,101 folders to watch, with 2,001 files that count",
    )
    assert sorted(finding.message.partition(":")[0] for finding in huge) == ["logs", "src/data"]
    assert all(is_told(finding, 'exclude_dir = ["vendor", ', '"src/data"') for finding in huge)


def test_a_project_without_sources() -> None:
    """No save would do anything: said before one wonders."""
    (tree,) = of_tree({"/p": 0})
    assert is_told(tree, "no save", "include_ext", "explain")


def test_poll_that_nobody_needs(root: Path) -> None:
    """And no word about watches then, for none are asked for."""
    config = config_for(root)
    config = replace(config, build=replace(config.build, poll=True))
    told = list(project.checks(config, found(used=10, limit=10)))
    assert any(is_told(finding, "build.poll", "leave it out") for finding in told)
    assert "watches" not in {finding.topic for finding in told}
    told = list(project.checks(config_for(root), found(used=10, limit=10)))
    assert "watches" in {finding.topic for finding in told}


# --- what is shown --------------------------------------------------------------------------------

BAD = Finding("mount", Level.ERROR, "it is", "because\x1b[31m", "do this")
NOTE = Finding("poll", Level.WARNING, "it is")
OK = Finding("tree", Level.INFO, "it is")


def test_rows() -> None:
    """The message, why it matters and what to do, below each other."""
    assert list(BAD.rows()) == [
        "error    mount       it is",
        "           why       because\x1b[31m",
        "           hint      do this",
    ]
    assert list(OK.rows()) == ["ok       tree        it is"]
    assert NOTE.record() == {
        "level": "warning", "topic": "poll", "file": None, "line": None, "where": "",
        "message": "it is", "why": "", "hint": "",
    }  # fmt: skip


def test_the_sum_and_the_status() -> None:
    """1 only for what will not work."""
    assert (doctor.conclusion([OK]), doctor.status([OK])) == ("no problems found", Exit.OK)
    assert doctor.conclusion([OK, NOTE, NOTE]) == "2 warnings"
    assert doctor.status([OK, NOTE]) is Exit.OK
    assert doctor.conclusion([BAD, NOTE]) == "1 error, 1 warning"
    assert doctor.status([BAD, NOTE]) is Exit.FAILED


def test_without_a_usable_config() -> None:
    """What is wrong with it, and the machine all the same."""
    wrong = Problem("unknown key", ".reload.toml:2", "did you mean build.bin?")
    told = list(doctor.doctor([], [wrong]))
    assert told[-1].where == ".reload.toml:2"
    assert is_told(told[-1], "unknown key", "did you mean")
    assert "watches" in {finding.topic for finding in told}
    assert doctor.status(told) is Exit.FAILED


def test_the_names_of_settings_are_real() -> None:
    """Fixes that name a key of the config name one that there is."""
    assert {"exclude_dir", "include_ext", "poll"} <= {field.name for field in fields(Build)}
