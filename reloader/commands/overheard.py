"""A watcher whose changes are looked at before they count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.facts import FilesChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reloader.core.facts import Fact
    from reloader.core.values import Change
    from reloader.watch.watcher import Watcher


class Overheard:
    """A watcher; what it says of files is looked at by somebody else, before it counts."""

    def __init__(
        self, watcher: Watcher, judge: Callable[[Sequence[Change]], tuple[Change, ...]]
    ) -> None:
        self._watcher = watcher
        self._judge = judge
        self.fileno = watcher.fileno
        self.deadline = watcher.deadline
        self.reconfigure = watcher.reconfigure
        self.tell_behind = watcher.tell_behind
        self.close = watcher.close

    def read(self) -> list[Fact]:
        return [
            FilesChanged(self._judge(fact.changes)) if isinstance(fact, FilesChanged) else fact
            for fact in self._watcher.read()
        ]
