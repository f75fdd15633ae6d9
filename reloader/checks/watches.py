"""Looks at inotify: its limits, who holds watches, and how many are left.

Reads /proc; changes nothing. What is read is a value, and what it means is pure.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader import files
from reloader.checks.finding import Finding, Level
from reloader.light import dataclass
from reloader.watch.inotify import Inotify

if TYPE_CHECKING:
    from collections.abc import Iterator

# The machine's limits for one user, and those of a user namespace (man 7 inotify, namespaces): the
# smaller one holds.
_MACHINE = "/proc/sys/fs/inotify/max_user_"
_NAMESPACE = "/proc/sys/user/max_inotify_"
_TIGHT = 0.5  # of a limit in use: time to tell
_LEAST = 524_288  # watches; what is recommended where there are too few, 1 kB each while in use
_FEW_INSTANCES = 64
_MOST_NAMED = 3
_FDINFO = 1 << 26  # bytes: 60 a watch, for a million of them


@dataclass(frozen=True)
class Limit:
    """A limit of the kernel, its sysctl, and how much of it is used."""

    sysctl: str
    number: int
    used: int

    @property
    def is_tight(self) -> bool:
        return self.used > self.number * _TIGHT

    def raised(self, needed: int = 0) -> str:
        """Returns the command that raises the limit."""
        number = max(self.number * 4, needed * 2)
        return f"as root, on the host: sysctl -w {self.sysctl}={number}"


@dataclass(frozen=True)
class Holder:
    """A process and its watches and instances, as far as we may see."""

    name: str
    pid: int
    watches: int
    instances: int


@dataclass(frozen=True)
class Watches:
    """`refusal`: why no inotify is to be had now; "": one is."""

    watches: Limit
    instances: Limit
    holders: tuple[Holder, ...] = ()
    refusal: str = ""

    @property
    def left(self) -> int:
        return max(0, self.watches.number - self.watches.used)


def read() -> Watches | None:
    """As it is now, for this user; None where there is no inotify (another system than Linux)."""
    watches, instances = _limit("watches"), _limit("instances")
    if watches is None or instances is None:
        return None
    holders = tuple(_holders())
    return Watches(
        Limit(*watches, sum(holder.watches for holder in holders)),
        Limit(*instances, sum(holder.instances for holder in holders)),
        holders,
        _refusal(),
    )


def findings(found: Watches | None) -> Iterator[Finding]:
    """Yields the findings about the limits."""
    if found is None:
        yield Finding("watches", Level.WARNING, "no inotify here: watchfiles is used, or polling")
        return
    if found.refusal:
        why = "all files are polled, which costs CPU and sees a save later"
        is_full = found.instances.used >= found.instances.number or not found.instances.number
        fix = (
            found.instances.raised(_FEW_INSTANCES) if is_full else "allow inotify_init1 (seccomp?)"
        )
        yield Finding("watches", Level.WARNING, f"no inotify to be had: {found.refusal}", why, fix)
        return
    yield _told("watches", found.watches, found.holders, "what no watch is left for is polled")
    if found.instances.is_tight:
        why = "who gets no instance polls everything"
        yield _told("instances", found.instances, found.holders, why)


def budget(found: Watches | None, needed: int) -> Iterator[Finding]:
    """Yields a finding if the watches that are left are not enough for so many directories."""
    if found is None or found.refusal or needed <= found.left:
        return
    what = f"{needed:,} folders to watch, and {found.left:,} watches left"
    why = "the rest is polled, which costs CPU and sees a save later"
    fix = f"leave folders out (exclude_dir), or {found.watches.raised(max(needed, _LEAST // 2))}"
    yield Finding("watches", Level.WARNING, what, why, fix)


def _told(topic: str, limit: Limit, holders: tuple[Holder, ...], why: str) -> Finding:
    most = sorted(holders, key=lambda holder: -getattr(holder, topic))[:_MOST_NAMED]
    named = ((holder, getattr(holder, topic)) for holder in most)
    who = ", ".join(f"{holder.name} (pid {holder.pid}) {n:,}" for holder, n in named if n)
    what = f"{limit.used:,} of {limit.number:,} in use" + (f": {who}" if who else "")
    if not limit.is_tight:
        return Finding(topic, Level.INFO, what)
    return Finding(topic, Level.WARNING, what, why, limit.raised())


def _limit(what: str) -> tuple[str, int] | None:
    """The sysctl that holds, and its value."""
    machine = _number(_MACHINE + what)
    if machine is None:
        return None
    namespace = _number(_NAMESPACE + what)
    if namespace is not None and namespace < machine:
        return f"user.max_inotify_{what}", namespace
    return f"fs.inotify.max_user_{what}", machine


def _number(path: str) -> int | None:
    with suppress(OSError, ValueError):
        return int(files.read(path))
    return None


def _holders() -> Iterator[Holder]:
    """The processes of our user that hold any: limits are counted by user."""
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        with suppress(OSError):  # it is gone, or not ours to look at
            if os.stat(f"/proc/{pid}").st_uid == os.geteuid() and (it := _holder(pid)).instances:
                yield it


def _holder(pid: int) -> Holder:
    watches = instances = 0
    for number in os.listdir(f"/proc/{pid}/fd"):
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{number}") == "anon_inode:inotify":
                instances += 1
                info = files.head(f"/proc/{pid}/fdinfo/{number}", _FDINFO)
                watches += info.count(b"inotify wd:")
    name = files.read(f"/proc/{pid}/comm").decode(errors="replace").strip()
    return Holder(name, pid, watches, instances)


def _refusal() -> str:
    try:
        Inotify().close()
    except OSError as error:
        return error.strerror or str(error)
    return ""
