"""Checks of a project: its mounts, its watches, and folders that cost more than they should."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

from reloader.checks import watches
from reloader.checks.finding import Finding, Level
from reloader.filter.rules import FileFilter
from reloader.paths import is_below
from reloader.watch import mounts
from reloader.watch.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reloader.config.model import Config

_HUGE = 1000  # folders below one folder: worth a look
_SHARE = 0.5  # of them without a single file that counts: worth an exclude_dir


def checks(config: Config, held: watches.Watches | None) -> Iterator[Finding]:
    """The mounts first: to look at all files may take long on one of them, or for ever."""
    rules = FileFilter.of(config)
    table = mounts.read()
    events = not config.build.poll and (held is None or not held.refusal)
    yield from of_mounts(rules, table, events=events)
    yield of_swap(config)
    if config.build.poll:
        why = "polling sees a save later than events do, and costs CPU"
        fix = "leave it out: where no events come, reloader polls without being told to"
        yield Finding("poll", Level.WARNING, "build.poll is on: all files are polled", why, fix)
    found = scan(config).folders
    yield from of_tree(rules, found, config.build.exclude_dir)
    if events:
        silent = [path for path in found if is_silent(table, path)]
        yield from watches.budget(held, len(found) - len(silent))


def of_swap(config: Config) -> Finding:
    """Returns what becomes of clients during a reload."""
    if sys.platform != "linux":
        return Finding("swap", Level.INFO, "clients are refused during a reload", "Linux only")
    from reloader.sockets.hold import outlook

    is_held, why = outlook(config.swap.hold, os.environ.get("PATH", ""))
    text = "clients wait" if is_held else "clients are refused"
    level = Level.WARNING if not is_held and config.swap.hold == "on" else Level.INFO
    return Finding("swap", level, f"{text} during a reload", why)


# --- mounts ---------------------------------------------------------------------------------------


def of_mounts(rules: FileFilter, table: mounts.Mounts, *, events: bool) -> Iterator[Finding]:
    """Yields for each root and each mount below it how it is watched.

    `events`: they are to be had, and wanted.
    """
    for root in rules.roots:
        mount = table.of(os.path.realpath(root))
        if mount is None:
            yield Finding("mount", Level.WARNING, f"{root}: nothing is known of its file system")
        else:
            yield _of_mount(root, mount, events=events)
    for point, mount in sorted(table.at.items()):
        if point in rules.roots or not any(is_below(point, root) for root in rules.roots):
            continue
        if os.path.isfile(point) and rules.decide(point).needs:
            yield _of_file(rules.shown(point))
        elif os.path.isdir(point) and rules.enters(point):
            yield _of_mount(point, mount, events=events)


def _of_mount(path: str, mount: mounts.Mount, *, events: bool) -> Finding:
    if mount.source.endswith("//deleted"):
        why = "the folder outside was deleted and made again, and this is the deleted one"
        return Finding("mount", Level.ERROR, f"{path} is stale", why, "start the container again")
    if mount.is_silent:
        why = "no event comes here for what is written on the other side, so a save is seen later"
        fix = "none needed; quicker: sources on a disk of this machine (WSL: below /home, not /mnt)"
        return Finding("mount", Level.WARNING, f"{path}: {mount.fstype}, polled", why, fix)
    if not events:
        return Finding("mount", Level.INFO, f"{path}: {mount.fstype}, polled like all")
    if mount.is_local:
        return Finding("mount", Level.INFO, f"{path}: {mount.fstype}, watched by events")
    what = f"{path}: {mount.fstype}, watched by events, and looked through every 30 s"
    why = "what is written from outside may raise no event; if so it is noticed, and polled then"
    return Finding("mount", Level.INFO, what, why)


def _of_file(name: str) -> Finding:
    why = "most editors replace a file, and what is mounted stays the old one"
    fix = "mount the folder that it is in"
    return Finding("mount", Level.WARNING, f"{name} is mounted as a single file", why, fix)


def is_silent(table: mounts.Mounts, path: str) -> bool:
    mount = table.of(path)
    return mount is not None and mount.is_silent


# --- folders --------------------------------------------------------------------------------------


def of_tree(
    rules: FileFilter, found: Mapping[str, tuple[str, ...]], excluded: tuple[str, ...]
) -> Iterator[Finding]:
    """`found`: by folder the names of the files that count."""
    counted = sum(map(len, found.values()))
    what = f"{len(found):,} folders to watch, with {counted:,} files that count"
    if counted:
        yield Finding("tree", Level.INFO, what)
    else:
        why = "no save would do anything"
        fix = "build.include_ext says which do; reloader explain PATH says why one doesn't"
        yield Finding("tree", Level.WARNING, what, why, fix)
    huge = list(_huge(rules.roots, found))
    shown = [rules.shown(path) for path, _, _ in huge]
    for name, (_, folders, files) in zip(shown, huge, strict=True):
        what = f"{name}: {folders:,} folders, with {files:,} files that count"
        why = "each folder takes a watch, and a look at the start"
        fix = f"if none should: exclude_dir = {json.dumps([*excluded, *shown])} in [build]"
        yield Finding("huge", Level.WARNING, what, why, fix)


def _huge(
    roots: Iterable[str], found: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, int, int]]:
    """The topmost folders that have many below them and few files: folder, folders, files."""
    folders: Counter[str] = Counter()
    files: Counter[str] = Counter()
    tops = frozenset(roots)
    for path, names in found.items():
        above = path
        while above not in tops and above != "/":
            folders[above] += 1
            files[above] += len(names)
            above = above.rpartition("/")[0] or "/"
    told: set[str] = set()
    for path in sorted(folders, key=lambda path: path.count("/")):
        if any(is_below(path, other) for other in told):
            continue
        if folders[path] >= _HUGE and files[path] < folders[path] * (1 - _SHARE):
            told.add(path)
            yield path, folders[path], files[path]
