"""The folders that are polled because no event tells of their changes: where, and why."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from reloader.light import replace
from reloader.watch import mounts
from reloader.watch.engine_poll import Poller
from reloader.watch.scan import count_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reloader.runtime.wakeup import Wake
    from reloader.watch.options import ScanOptions
    from reloader.watch.snapshot import Signature
    from reloader.watch.tree import FolderSnapshot

REST = "the rest"  # the label of what could not be watched
ERRANDS = "the repository"
_FULL = frozenset({errno.ENOSPC, errno.ENOMEM})


class PollFallback:
    """The pollers of a run, by label: one for each mount without events, one for the rest."""

    def __init__(self, options: ScanOptions, wake: Wake, interval: float) -> None:
        self._options = options
        self._wake = wake
        self._interval = interval
        self._mounts = mounts.Mounts()
        self._pollers: dict[str, Poller] = {}
        self._tops: dict[str, str] = {}  # folder -> label
        self._started = False
        self._look = 0
        self.refresh()

    # --- which folders ----------------------------------------------------------------------

    def holds(self, path: str) -> bool:
        """Returns True if the folder is polled."""
        return path in self._tops

    def reason(self, path: str) -> str:
        """Returns a label if this folder must be polled: "/src (fuse.sshfs)"; else ""."""
        mount = self._mounts.at.get(path)
        rules = self._options.rules
        if mount is None and (rules.is_named(path) or self._options.follow):
            mount = self.mount(path)
        return f"{path} ({mount.fstype})" if mount and mount.is_silent else ""

    def mount(self, path: str) -> mounts.Mount | None:
        """Returns the mount that this path leads to; None if nothing is known."""
        return self._mounts.of(os.path.realpath(path))

    def is_silent(self, path: str) -> bool:
        mount = self.mount(path)
        return mount is not None and mount.is_silent

    def mounted_files(self) -> list[str]:
        """Returns the files that count and are mounts of their own."""
        decide = self._options.rules.decide
        return [
            path for path in self._mounts.at if decide(path).is_watched and os.path.isfile(path)
        ]

    def check_mounted_file(self, path: str) -> None:
        """Warns if a mounted file was replaced outside: the mount keeps the old file for ever."""
        if os.path.isfile(path) and os.stat(path).st_nlink == 0:
            shown = self._options.rules.shown(path)
            self._options.warn(
                f"{shown} was replaced outside, but what is mounted stays the old file: "
                "mount its folder instead, or start the container again"
            )

    def refresh(self) -> None:
        """Reads the mounts again; those below a root that is a link, by its name too."""
        table = mounts.read()
        for root in self._options.rules.roots:
            real = os.path.realpath(root)
            for mount in list(table.at.values()):
                if real != root and mount.point.startswith(real + "/"):
                    table.at[root + mount.point[len(real) :]] = mount
            mount_of_root = table.of(real)
            if mount_of_root and mount_of_root.source.endswith("//deleted"):
                self._options.warn(
                    f"{root} was deleted outside, and what is mounted here is the deleted one: "
                    "start the container again"
                )
        self._mounts = table

    # --- the pollers -----------------------------------------------------------------------------

    def take(self, path: str, label: str, seen: dict[str, FolderSnapshot] | None = None) -> None:
        """Polls a folder and all below it from now on, from the snapshot on."""
        self._tops[path] = label
        self._poller(label).take(path, seen or {})

    def limit(self, error: OSError) -> str:
        """Returns the label for a folder that can't be watched, and warns of the reason."""
        if error.errno == errno.ENOTSUP:
            pass  # the engine does not do that: no fault of anybody's
        elif error.errno in _FULL:
            self._options.warn(
                "no more inotify watches (sysctl fs.inotify.max_user_watches): polling the rest"
            )
        else:
            self._options.warn(f"inotify: {error.strerror}: polling {error.filename}")
        return REST

    def pin(self, path: str) -> None:
        """Polls one file of the main tree, for which no event may come."""
        self._poller(REST).pin(path)

    def run(self, errand: Callable[[], None]) -> None:
        """Runs something again and again that may hang, in a thread of its own."""
        self._poller(ERRANDS).errands.append(errand)

    def start(self) -> bool:
        """Begins to poll; folders that come from here on are new, and so are the files in them.

        Returns False if a thread is missing that can't be had now.
        """
        has_begun = [poller.start() for poller in self._pollers.values()]
        self._started = self._started or all(has_begun)
        return all(has_begun)

    def look_again(self) -> int:
        """Has all pollers look at everything once more, now; returns the number of that look."""
        self._look += 1
        for poller in self._pollers.values():
            poller.look_again(self._look)
        return self._look

    def has_looked(self, look: int) -> bool:
        """Returns True if that look is over, and all that it has found can be read."""
        return all(p.looked >= look for label, p in self._pollers.items() if label != ERRANDS)

    def end(self) -> tuple[dict[str, FolderSnapshot], dict[str, Signature | None]]:
        """Ends all pollers; returns what they have seen, and the changes nobody has taken yet.

        A poller that hangs is left alone, and what it knew is not known any more.
        """
        folders: dict[str, FolderSnapshot] = {}
        changed: dict[str, Signature | None] = {}
        for poller in self._pollers.values():
            if poller.end():
                folders.update(poller.tree.folders)
                changed.update(poller.changes())
                changed.update(poller.tree.changed)
        return folders, changed

    def close(self) -> None:
        for poller in self._pollers.values():
            poller.close()

    def _poller(self, label: str) -> Poller:
        if label not in self._pollers:
            options = replace(self._options, since_ns=0) if self._started else self._options
            self._pollers[label] = Poller(options, self._wake, self._interval)
            self._pollers[label].look_again(self._look)
        return self._pollers[label]

    # --- their findings --------------------------------------------------------------------------

    def changes(self) -> Iterator[tuple[str, Signature | None]]:
        for poller in self._pollers.values():
            yield from poller.changes()

    def hints(self) -> Iterator[str]:
        for poller in self._pollers.values():
            yield from poller.hints()

    @property
    def ready(self) -> bool:
        return self._started and all(p.ready or p.hangs for p in self._pollers.values())

    def hanging(self) -> list[str]:
        """Returns the labels of pollers whose look does not come back."""
        return [label for label, poller in list(self._pollers.items()) if poller.hangs]

    def labels(self) -> list[str]:
        """Returns the polled places, in words."""
        rest = list(self._tops.values()).count(REST)
        labels = [label for label in self._pollers if label and label not in (REST, ERRANDS)]
        return [*labels, f"{rest} folders"] if rest else labels

    def count(self) -> tuple[int, int]:
        """Returns how many folders and files are polled."""
        trees = [poller.tree for poller in self._pollers.values()]
        return sum(len(tree.folders) for tree in trees), sum(map(count_files, trees))
