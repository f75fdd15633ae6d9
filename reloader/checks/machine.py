"""Checks of the machine: watches, limits, clock, PID 1, versions. Reads /proc; changes nothing."""

from __future__ import annotations

import os
import platform
import resource
import select
import tempfile
import time
from contextlib import suppress
from importlib import metadata
from typing import TYPE_CHECKING

from reloader import __version__, files
from reloader.checks.finding import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_FEW_FILES = 256  # descriptors; an app with some connections needs more
_PACKAGES = ("watchfiles", "psutil", "tomli")
_SHELLS = frozenset({"sh", "ash", "bash", "dash", "zsh", "busybox"})
_SAVES = 4  # quick ones, to see whether their times differ
_PAUSE = 0.012  # seconds between them: longer than the tick of any kernel
_SKEW = 1.0  # seconds that a file's time may be from ours


def checks(root: str) -> Iterator[Finding]:
    yield _versions()
    yield pid1(_words_of_pid1(), contained=_is_contained())
    yield descriptors(*resource.getrlimit(resource.RLIMIT_NOFILE))
    yield from _file_times(root)


def _versions() -> Finding:
    text = f"reloader {__version__}, Python {platform.python_version()}, {platform.system()}"
    packages = []
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            packages.append(f"{name} {metadata.version(name)}")
    return Finding("versions", Level.INFO, f"{text} {platform.release()}; {', '.join(packages)}")


# --- PID 1 ----------------------------------------------------------------------------------------


def pid1(words: Sequence[str], *, contained: bool) -> Finding:
    """Returns the consequences for signals and orphans of this command as the first process."""
    names = [os.path.basename(word) for word in words[:3]]
    name = names[0].lstrip("-") if names else "unknown"
    where = "in a container" if contained else "not in a container"
    if "reloader" in names:
        why = "it passes signals on, reaps orphans, and ends within 8 s of SIGTERM"
        return Finding("pid 1", Level.INFO, "reloader", why)
    if name in _SHELLS:
        why = (
            "a shell passes no signal on: if it has started reloader, `docker stop` kills both"
            " after 10 s, and the app can't finish its work"
        )
        fix = 'CMD ["reloader", "run"]; in a script: exec reloader run'
        return Finding("pid 1", Level.WARNING, f"{name}, {where}", why, fix)
    return Finding("pid 1", Level.INFO, f"{name}, {where}")


def _words_of_pid1() -> list[str]:
    for path in ("/proc/1/cmdline", "/proc/1/comm"):
        if text := _read(path).strip("\0\n"):
            return text.split("\0")
    return []


def _is_contained() -> bool:
    return os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv")


# --- limits ---------------------------------------------------------------------------------------


def descriptors(soft: int, hard: int) -> Finding:
    """RLIMIT_NOFILE."""
    if soft == resource.RLIM_INFINITY or soft >= _FEW_FILES:
        number = "no limit" if soft == resource.RLIM_INFINITY else f"up to {soft:,}"
        return Finding("open files", Level.INFO, number)
    why = "the app inherits that, and one with some connections needs more"
    enough = max(_FEW_FILES, 1024)
    if hard == resource.RLIM_INFINITY or hard >= enough:
        fix = f"ulimit -n {enough}"
    else:
        fix = f"raise the hard limit, too ({hard}): docker run --ulimit nofile={enough}"
    return Finding("open files", Level.WARNING, f"up to {soft:,} only", why, fix)


# --- times ----------------------------------------------------------------------------------------


def _file_times(root: str) -> Iterator[Finding]:
    """Saves a file some times; it has no name (O_TMPFILE), so no reloader at work sees it."""
    stamps = []
    try:
        with tempfile.TemporaryFile(dir=root) as file:
            for number in range(_SAVES):
                if number:
                    select.select((), (), (), _PAUSE)
                os.write(file.fileno(), b"x")
                stamps.append(os.fstat(file.fileno()).st_mtime_ns)
            now = time.time_ns()
    except OSError as error:
        why = "reloader writes nothing there; a build that does would fail"
        yield Finding("root", Level.INFO, f"{root} can't be written: {error.strerror}", why)
        return
    yield from times(stamps, now)


def times(stamps: Collection[int], now_ns: int) -> Iterator[Finding]:
    """Yields findings from the times of quick saves; the last was at `now_ns`, by this clock."""
    if len(set(stamps)) == _SAVES:
        yield Finding("file times", Level.INFO, "fine enough to tell two quick saves apart")
    else:
        why = "where files are polled, two saves of the same size within that time look like one"
        yield Finding("file times", Level.WARNING, "too coarse to tell two quick saves apart", why)
    ahead = (max(stamps) - now_ns) / 1e9
    if abs(ahead) <= _SKEW:
        yield Finding("clock", Level.INFO, "agrees with the file system's")
    else:
        side = "ahead of" if ahead > 0 else "behind"
        what = f"files are {abs(ahead):,.1f} s {side} this machine's clock"
        why = "reloader does not mind; make and other tools that compare times do"
        yield Finding(
            "clock", Level.WARNING, what, why, "set the clock of the machine that has them"
        )


def _read(path: str) -> str:
    try:
        return files.read(path).decode(errors="replace")
    except OSError:
        return ""
