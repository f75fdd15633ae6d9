"""Checks of a project: its mounts, and folders that cost more than they should."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from reloader.checks.finding import Finding, Grade
from reloader.watch import mounts
from reloader.watch.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reloader.config.model import Config
    from reloader.watch.rules import Rules
    from reloader.watch.survey import Survey

_HUGE = 1000  # folders below one folder of the root: worth a look
_SHARE = 0.5  # of them without a single file that counts: worth an exclude_dir


def checks(config: Config) -> Iterator[Finding]:
    found = survey(config)
    yield from _mounts(found.rules, mounts.read())
    yield from _tree(found.rules, found)
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


def _tree(rules: Rules, found: Survey) -> Iterator[Finding]:
    """Counts folders and files that count, by the first folder below the root."""
    folders: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path, names in found.folders.items():
        top = _top(path, rules.roots)
        folders[top] += 1
        files[top] += len(names)
    total, counted = sum(folders.values()), sum(files.values())
    yield Finding("tree", Grade.OK, f"folders to watch: {total:,}; files that count: {counted:,}")
    for top, number in folders.most_common(5):
        if number >= _HUGE and files[top] < number * (1 - _SHARE):
            shown = rules.shown(top)
            why = "each takes a watch and a look at the start"
            what = f"{shown}: {number:,} folders, {files[top]:,} files that count"
            yield Finding("huge", Grade.NOTE, what, why, f'exclude_dir = ["{shown}"]')


def _top(path: str, roots: Iterable[str]) -> str:
    """The folder of a root that the path is in or below; the root itself for the root."""
    for root in roots:
        prefix = root.rstrip("/") + "/"
        if path.startswith(prefix):
            return prefix + path[len(prefix) :].split("/", 1)[0]
    return path
