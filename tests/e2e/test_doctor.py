"""`reloader doctor` as a user runs it, where something is wrong that it must see."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from reloader.watch import mounts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.project import Project

APART = ("unshare", "--user", "--map-root-user", "--mount")
DOCTOR = (sys.executable, "-m", "reloader", "doctor")
TIMEOUTS = "attr_timeout=0,entry_timeout=0,negative_timeout=0"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with 40 folders."""
    root = tmp_path / "project"
    for number in range(39):
        (root / f"d{number}").mkdir(parents=True)
    (root / "app.py").write_text("1")
    (root / ".reload.toml").write_text("[build]\nentrypoint = ['python', 'app.py']\n")
    return root


def ask(folder: Path, *prefix: str, arguments: tuple[str, ...] = ()) -> tuple[str, int]:
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("RELOADER_", "air_wd"))}
    done = subprocess.run(
        (*prefix, *DOCTOR, *arguments),
        cwd=folder, env=clean, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.stdout, done.returncode


def records(folder: Path, *prefix: str) -> dict[str, list[dict[str, Any]]]:
    """What --json says, by topic."""
    text, _ = ask(folder, *prefix, arguments=("--json",))
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for line in text.splitlines():
        record = json.loads(line)
        by_topic.setdefault(record["topic"], []).append(record)
    return by_topic


@cache
def may_be_apart() -> bool:
    if not shutil.which("unshare"):
        return False
    return subprocess.run((*APART, "true"), capture_output=True, check=False).returncode == 0


def apart(before: str, after: str = "") -> tuple[str, ...]:
    """Runs doctor as the root of new user and mount namespaces, between these two."""
    if not may_be_apart():
        pytest.skip("SKIPPED: no user namespaces here")
    return (*APART, "sh", "-c", f'set -e; {before}; cd "$PWD"; "$@"; {after}', "sh")


def test_a_healthy_project(folder: Path) -> None:
    """A line for each thing that was looked at, and nothing to be afraid of."""
    text, status = ask(folder)
    assert status == 0
    for topic in ("versions", "pid 1", "open files", "clock", "watches", "config", "mount", "tree"):
        assert topic in text
    assert "40 folders to watch, with 1 files that count" in text
    assert "\nerror " not in text


def test_who_holds_watches(project: Project) -> None:
    """A run that is at work is named with its process."""
    for number in range(299):
        (project.folder / f"d{number}").mkdir()
    project.app()
    project.config("[build]\nentrypoint = ['python3', '-IS', 'app.py']\n")
    run = project.start()
    (watches,) = records(project.folder)["watches"]
    named = f"(pid {run.process.pid}) 30" in watches["message"]  # and one for the config
    assert named or watches["message"].count("(pid ") == 3  # those who hold most


def test_too_few_watches(folder: Path) -> None:
    """A user namespace has limits of its own; what is polled then, and what to do, is said."""
    limited = apart("echo 20 > /proc/sys/user/max_inotify_watches")
    _, short = records(folder, *limited)["watches"]
    assert short["level"] == "warning"
    assert short["message"] == "40 folders to watch, and 20 watches left"
    assert "polled" in short["why"]
    assert "sysctl -w user.max_inotify_watches=524288" in short["hint"]


def test_no_inotify(folder: Path) -> None:
    """Not one instance is left: then no mount is said to be watched by events."""
    found = records(folder, *apart("echo 0 > /proc/sys/user/max_inotify_instances"))
    (none,) = found["watches"]
    assert none["message"] == "no inotify to be had: Too many open files"
    assert "user.max_inotify_instances=" in none["hint"]
    assert found["mount"][0]["message"].endswith("polled like all")


def test_a_folder_that_costs_and_gives_nothing(folder: Path) -> None:
    """The line to add is a line that works."""
    for number in range(1000):
        (folder / f"src/data/{number}").mkdir(parents=True)
    (huge,) = records(folder)["huge"]
    assert huge["message"].startswith("src: 1,002 folders, with 0 files")
    line = huge["hint"].partition(": ")[2].removesuffix(" in [build]")
    with (folder / ".reload.toml").open("a") as config:
        config.write(line + "\n")
    found = records(folder)
    assert "huge" not in found
    assert found["tree"][0]["message"] == "40 folders to watch, with 1 files that count"


def test_a_mount_without_events(folder: Path) -> None:
    """As Docker Desktop has them."""
    if not shutil.which("bindfs"):
        pytest.skip("SKIPPED: no bindfs here")
    mount = f'bindfs -o subtype=grpcfuse,nonempty,{TIMEOUTS} "$PWD/d1" "$PWD/d1"'
    below = records(folder, *apart(mount, 'umount "$PWD/d1"'))["mount"][1]
    assert below["message"] == f"{folder}/d1: fuse.grpcfuse, polled"
    assert below["level"] == "warning"
    assert below["why"]
    assert below["hint"]


def test_an_overlay(folder: Path, tmp_path: Path) -> None:
    """It is watched by events, and not trusted altogether."""
    for name in ("upper", "work"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir=$PWD,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    (mount,) = records(folder, *apart(f'mount -t overlay overlay -o "{layers}" "$PWD"'))["mount"]
    assert "overlay, watched by events, and looked through" in mount["message"]


def test_a_shell_as_pid_1(folder: Path) -> None:
    """Whoever starts reloader in a container by a shell is told before the first `docker stop`."""
    if not may_be_apart():
        pytest.skip("SKIPPED: no user namespaces here")
    first = ("unshare", "-Urpf", "--mount-proc", "sh", "-c", '"$@"; true', "sh")
    (pid1,) = records(folder, *first)["pid 1"]
    assert pid1["level"] == "warning"
    assert "exec reloader run" in pid1["hint"]


def test_few_open_files(folder: Path) -> None:
    """Where the limit can't be raised from inside, it is said how from outside."""
    (limit,) = records(folder, "sh", "-c", 'ulimit -n 100; exec "$@"', "sh")["open files"]
    assert limit["message"] == "up to 100 only"
    assert "--ulimit nofile=" in limit["hint"]


def test_a_broken_config(folder: Path) -> None:
    """Status 1, the place, and what is probably meant."""
    (folder / ".reload.toml").write_text("[build]\nbni = 'x'\n")
    text, status = ask(folder)
    assert status == 1
    assert "error    config      .reload.toml:2: build.bni: unknown key\n" in text
    assert text.splitlines()[-1].startswith("1 error")


def test_names_cannot_write_to_the_terminal(folder: Path) -> None:
    """A folder may be called anything."""
    for number in range(1000):
        (folder / f"a\x1b[31m\nb/{number}").mkdir(parents=True)
    text, _ = ask(folder)
    assert "a\\x1b[31m\\x0ab: 1,001 folders" in text
    assert "\x1b" not in text


def test_what_is_mounted_here_is_told(folder: Path) -> None:
    """By the type that the kernel gives it."""
    mount = mounts.read().of(os.path.realpath(folder))
    assert mount
    assert f": {mount.fstype}, " in records(folder)["mount"][0]["message"]


def test_libraries_without_byte_code(tmp_path: Path) -> None:
    """Where Python may not keep what it compiles, and nobody has, that is told with what to do."""
    libraries = tmp_path / "venv/lib/python3.11/site-packages"
    python = tmp_path / "venv/bin/python"
    (libraries / "lib").mkdir(parents=True)
    (libraries / "lib/__init__.py").write_text("")
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    root = tmp_path / "project"
    root.mkdir()
    (root / ".reload.toml").write_text(f"[build]\nentrypoint = ['{python}', 'app.py']\n")
    forbids = ("env", "PYTHONDONTWRITEBYTECODE=1")

    (told,) = records(root, *forbids)["python"]
    assert told["message"].startswith(str(libraries))
    assert "compileall" in told["hint"]
    assert "python" not in records(root, "env", "-u", "PYTHONDONTWRITEBYTECODE")
    (libraries / "lib/__pycache__").mkdir()
    (libraries / "lib/__pycache__/__init__.cpython-311.pyc").write_bytes(b"")
    assert "python" not in records(root, *forbids)
