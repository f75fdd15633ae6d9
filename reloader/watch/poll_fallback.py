"""What is looked at again and again because nobody tells of its changes: where, and why."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from reloader.watch import mounts
from reloader.watch.engine_poll import Poller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.runtime.wakeup import Wake
    from reloader.watch.registrar import Terms
    from reloader.watch.tree import Known

REST = "the rest"  # the label of what could not be watched
_FULL = frozenset({errno.ENOSPC, errno.ENOMEM})


class Polled:
    """The pollers of a run, by label: one for each mount without events, one for the rest."""

    def __init__(self, terms: Terms, wake: Wake, interval: float) -> None:
        self._terms = terms
        self._wake = wake
        self._interval = interval
        self._mounts = mounts.Mounts()
        self._pollers: dict[str, Poller] = {}
        self._tops: dict[str, str] = {}  # folder -> label
        self._started = False
        self.refresh()

    # --- what must be polled ----------------------------------------------------------------------

    def holds(self, path: str) -> bool:
        """The folder is a poller's."""
        return path in self._tops

    def reason(self, path: str) -> str:
        """A label if this folder must be polled: "/src (fuse.sshfs)"; else ""."""
        mount = self._mounts.at.get(path)
        if mount is None and (path in self._terms.rules.roots or self._terms.follow):
            mount = self.mount(path)
        return f"{path} ({mount.fstype})" if mount and mount.is_silent else ""

    def mount(self, path: str) -> mounts.Mount | None:
        """The mount this path leads to."""
        return self._mounts.of(os.path.realpath(path))

    def is_silent(self, path: str) -> bool:
        mount = self.mount(path)
        return mount is not None and mount.is_silent

    def mounted_files(self) -> list[str]:
        """Files that count and are mounts of their own."""
        decide = self._terms.rules.decide
        return [path for path in self._mounts.at if decide(path).needs and os.path.isfile(path)]

    def check_mounted_file(self, path: str) -> None:
        """Such a mount keeps the file it began with, even when a save has replaced it outside."""
        if os.path.isfile(path) and os.stat(path).st_nlink == 0:
            shown = self._terms.rules.shown(path)
            self._terms.warn(
                f"{shown} was replaced outside, but what is mounted stays the old file: "
                "mount its folder instead, or start the container again"
            )

    def refresh(self) -> None:
        """Reads again what is mounted where; below a root that is a link, by its name too."""
        table = mounts.read()
        for root in self._terms.rules.roots:
            real = os.path.realpath(root)
            for mount in list(table.at.values()):
                if real != root and mount.point.startswith(real + "/"):
                    table.at[root + mount.point[len(real) :]] = mount
            mount_of_root = table.of(real)
            if mount_of_root and mount_of_root.source.endswith("//deleted"):
                self._terms.warn(
                    f"{root} was deleted outside, and what is mounted here is the deleted one: "
                    "start the container again"
                )
        self._mounts = table

    # --- who polls it -----------------------------------------------------------------------------

    def take(self, path: str, label: str, known: dict[str, Known] | None = None) -> None:
        """Polls a folder and all below it from now on, beginning with what is known."""
        self._tops[path] = label
        self._poller(label).take(path, known or {})

    def limit(self, error: OSError) -> str:
        """The label for a folder that can't be watched; why, is said."""
        if error.errno in _FULL:
            self._terms.warn(
                "no more inotify watches (sysctl fs.inotify.max_user_watches): polling the rest"
            )
        else:
            self._terms.warn(f"inotify: {error.strerror}: polling {error.filename}")
        return REST

    def pin(self, path: str) -> None:
        """Looks at one file again and again, for the one who watches its folder."""
        self._poller(REST).pin(path)

    def start(self) -> None:
        """From here on folders that come are new, and so is what is in them."""
        if not self._started:
            self._started = True
            for poller in self._pollers.values():
                poller.start()

    def close(self) -> None:
        for poller in self._pollers.values():
            poller.close()

    def _poller(self, label: str) -> Poller:
        if label not in self._pollers:
            terms = replace(self._terms, since_ns=0) if self._started else self._terms
            self._pollers[label] = Poller(terms, self._wake, self._interval)
            if self._started:
                self._pollers[label].start()
        return self._pollers[label]

    # --- what they found --------------------------------------------------------------------------

    def changes(self) -> Iterator[str]:
        for poller in self._pollers.values():
            yield from poller.changes()

    def hints(self) -> Iterator[str]:
        for poller in self._pollers.values():
            yield from poller.hints()

    @property
    def ready(self) -> bool:
        return self._started and all(p.ready or p.hangs for p in self._pollers.values())

    def hanging(self) -> list[str]:
        """The labels of pollers that wait for an answer."""
        return [label for label, poller in list(self._pollers.items()) if poller.hangs]

    def labels(self) -> list[str]:
        """What is polled, in words."""
        rest = list(self._tops.values()).count(REST)
        labels = [label for label in self._pollers if label and label != REST]
        return [*labels, f"{rest} folders"] if rest else labels

    def count(self) -> tuple[int, int]:
        """Folders and files."""
        trees = [poller.tree for poller in self._pollers.values()]
        return sum(len(tree.folders) for tree in trees), sum(tree.files for tree in trees)
