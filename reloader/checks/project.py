"""Checks of a project: its mounts, and folders that cost more than they should."""

from __future__ import annotations

import os
from collections import Counter
from typing import TYPE_CHECKING

from reloader.checks.finding import Finding, Grade
from reloader.watch import mounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.config.model import Config
    from reloader.watch.rules import Rules

_HUGE = 1000  # folders below one folder of the root: worth a look
_SHARE = 0.5  # of them without a single file that counts: worth an exclude_dir


def checks(config: Config, rules: Rules) -> Iterator[Finding]:
    table = mounts.read()
    yield from _mounts(rules, table)
    yield from _walk(rules)
    if config.build.poll:
        why = "polling sees a change later than events do and costs CPU"
        yield Finding("poll", Grade.NOTE, "build.poll is on", why, "leave it out: reloader knows")


def _mounts(rules: Rules, table: mounts.Mounts) -> Iterator[Finding]:
    for root in rules.roots:
        mount = table.of(root)
        if mount is None:
            yield Finding("mount", Grade.NOTE, f"{root}: nothing is known of its file system")
        elif mount.source.endswith("//deleted"):
            why = "the folder on the host was deleted and made again; this is the old one"
            yield Finding("mount", Grade.BAD, f"{root} is stale", why, "restart the container")
        elif mount.is_silent:
            why = f"{mount.fstype} raises no event for what others write"
            yield Finding("mount", Grade.NOTE, f"{root}: {mount.fstype}, polled", why)
        else:
            yield Finding("mount", Grade.OK, f"{root}: {mount.fstype}, watched by events")


def _walk(rules: Rules) -> Iterator[Finding]:
    """Counts folders and files that count, by the first folder below the root."""
    folders: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for root in rules.roots:
        stack = [(root, root)]
        while stack:
            path, top = stack.pop()
            folders[top] += 1
            try:
                entries = list(os.scandir(path))
            except OSError:
                continue
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if rules.enters(entry.path):
                        stack.append((entry.path, entry.path if path == root else top))
                elif rules.decide(entry.path).needs:
                    files[top] += 1
    total, counted = sum(folders.values()), sum(files.values())
    yield Finding("tree", Grade.OK, f"folders to watch: {total:,}; files that count: {counted:,}")
    for top, number in folders.most_common(5):
        if number >= _HUGE and files[top] < number * (1 - _SHARE):
            shown = rules.shown(top)
            why = "each takes a watch and a look at the start"
            what = f"{shown}: {number:,} folders, {files[top]:,} files that count"
            yield Finding("huge", Grade.NOTE, what, why, f'exclude_dir = ["{shown}"]')
