"""Checks of the machine: watches, limits, clock, PID 1, versions. Reads /proc; changes nothing."""

from __future__ import annotations

import os
import platform
import resource
import select
import tempfile
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader import __version__
from reloader.checks.finding import Finding, Grade

if TYPE_CHECKING:
    from collections.abc import Iterator

_SYSCTL = "/proc/sys/fs/inotify/"
_TIGHT = 0.5  # of the watches in use: time to tell
_FEW_FILES = 256  # descriptors; an app with some connections needs more


def checks(root: str) -> Iterator[Finding]:
    yield _versions()
    yield _pid1()
    yield from _watches()
    yield _descriptors()
    yield from _clock(root)


def _versions() -> Finding:
    text = f"reloader {__version__}, Python {platform.python_version()}, {platform.system()}"
    return Finding("versions", Grade.OK, f"{text} {platform.release()}")


def _pid1() -> Finding:
    if os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv"):
        name = _read("/proc/1/comm").strip() or "?"
        return Finding(
            "pid 1",
            Grade.OK,
            f"in a container; PID 1 is {name}",
            "as PID 1 reloader reaps, forwards signals and ends within 8 s of SIGTERM",
        )
    return Finding("pid 1", Grade.OK, "not in a container; orphans are adopted as a subreaper")


def _watches() -> Iterator[Finding]:
    limit, instances = _number("max_user_watches"), _number("max_user_instances")
    if limit is None or instances is None:
        yield Finding("watches", Grade.NOTE, "no inotify here: files are polled or watchfiles used")
        return
    holders = watch_holders()
    used = sum(count for count, _ in holders.values())
    most = sorted(holders.items(), key=lambda item: -item[1][0])[:3]
    who = ", ".join(f"{name} {count:,}" for name, (count, _) in most if count)
    tight = used > limit * _TIGHT
    yield Finding(
        "watches",
        Grade.NOTE if tight else Grade.OK,
        f"{used:,} of {limit:,} in use" + (f" ({who})" if who else ""),
        "what no watch is left for is polled, which costs CPU and time" if tight else "",
        f"sysctl fs.inotify.max_user_watches={limit * 4}" if tight else "",
    )
    open_ones = sum(number for _, number in holders.values())
    if open_ones > instances * _TIGHT:
        fix = f"sysctl fs.inotify.max_user_instances={instances * 4}"
        why = "without an instance everything is polled"
        yield Finding("instances", Grade.NOTE, f"{open_ones} of {instances} in use", why, fix)


def watch_holders() -> dict[str, tuple[int, int]]:
    """By process ("name (pid)"): its inotify watches and instances, as far as we may see."""
    held: dict[str, tuple[int, int]] = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        watches: Counter[str] = Counter()
        instances = 0
        with suppress(OSError):
            for number in os.listdir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    if os.readlink(f"/proc/{pid}/fd/{number}") == "anon_inode:inotify":
                        instances += 1
                        info = _read(f"/proc/{pid}/fdinfo/{number}")
                        watches[number] = info.count("inotify wd:")
        if instances:
            name = _read(f"/proc/{pid}/comm").strip() or "?"
            held[f"{name} ({pid})"] = (sum(watches.values()), instances)
    return held


def _descriptors() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < _FEW_FILES:
        why = "the app inherits it, and an app with some connections needs more"
        return Finding("descriptors", Grade.NOTE, f"limit {soft}", why, f"ulimit -n {hard}")
    return Finding("descriptors", Grade.OK, f"limit {soft:,}")


def _clock(root: str) -> Iterator[Finding]:
    """Whether two quick saves have different times, and whether the file system's clock is ours."""
    try:
        # It has no name (O_TMPFILE), so a reloader at work does not see it.
        with tempfile.TemporaryFile(dir=root) as file:
            stamps = set()
            for number in range(4):
                os.write(file.fileno(), b"x")
                stamps.add(os.fstat(file.fileno()).st_mtime_ns)
                if number < 3:
                    select.select((), (), (), 0.012)
            ahead = (max(stamps) - time.time_ns()) / 1e9
    except OSError as error:
        why = "nothing of reloader's own needs to be written there"
        yield Finding("root", Grade.OK, f"{root} can't be written: {error.strerror}", why)
        return
    coarse = len(stamps) < 4
    yield Finding(
        "file times",
        Grade.NOTE if coarse else Grade.OK,
        "coarse" if coarse else "finer than 12 ms",
        "a second save at once, of the same size, may look like none where polled"
        if coarse
        else "",
    )
    if abs(ahead) > 1:
        why = "make and other tools that compare times will be confused; reloader is not"
        yield Finding("clock", Grade.NOTE, f"files are {ahead:+.1f} s from our clock", why)


def _number(name: str) -> int | None:
    text = _read(_SYSCTL + name).strip()
    return int(text) if text.isdigit() else None


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
