"""A real watcher on real files, in a real selector."""

from __future__ import annotations

import os
import selectors
import time
from typing import TYPE_CHECKING

from reloader import watch
from reloader.config.model import Build, Config, Engine, Watch
from reloader.core.facts import FilesChanged, Noticed
from reloader.core.news import Warned, WatchStarted
from reloader.light import replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reloader.core.needs import Needs

DEADLINE = 10.0


def config_for(root: Path | str, engine: Engine = Engine.AUTO, **build: object) -> Config:
    """A project of Python files."""
    return Config(
        root=str(root),
        tmp_dir=os.path.join(root, "tmp"),
        testdata_dir=os.path.join(root, "testdata"),
        build=replace(Build(include_ext=("py",)), **build),
        watch=Watch(engine),
    )


class Seeing:
    """What a watcher tells, as it comes; `seen` holds the paths since the last `forget`."""

    def __init__(
        self,
        root: Path | str,
        engine: Engine = Engine.AUTO,
        *,
        since_ns: int | None = None,
        **build: object,
    ) -> None:
        self.root = str(root)
        config = config_for(root, engine, **build)
        since = time.time_ns() if since_ns is None else since_ns
        self.watcher = watch.open(config, watch.filter_of(config), since)
        self.seen: list[str] = []
        self.needs: dict[str, Needs] = {}
        self.batches: list[tuple[str, ...]] = []
        self.warnings: list[str] = []
        self.started: list[WatchStarted] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.watcher.fileno(), selectors.EVENT_READ)
        self._marks = 0

    def __enter__(self) -> "Seeing":  # noqa: PYI034, UP037
        self.wait_for(lambda: self.started)
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        self.watcher.close()

    def turn(self, timeout: float) -> bool:
        """One turn of the main loop; False: nothing came."""
        due = self.watcher.deadline()
        wait = timeout if due is None else max(0.0, min(timeout, due - time.monotonic()))
        if not self._selector.select(wait) and (due is None or time.monotonic() < due):
            return False
        for fact in self.watcher.read():
            if isinstance(fact, FilesChanged):
                self.batches.append(tuple(change.path for change in fact.changes))
                self.seen += self.batches[-1]
                self.needs.update((change.path, change.needs) for change in fact.changes)
            elif isinstance(fact, Noticed):
                if isinstance(fact.news, Warned):
                    self.warnings.append(fact.news.text)
                elif isinstance(fact.news, WatchStarted):
                    self.started.append(fact.news)
        return True

    def wait_for(self, condition: Callable[[], object], timeout: float = DEADLINE) -> float:
        """Turns until the condition holds; the seconds it took."""
        began = time.monotonic()
        while not condition():
            left = began + timeout - time.monotonic()
            assert left > 0, f"seen: {self.seen[-20:]}, warnings: {self.warnings}"
            self.turn(min(left, 0.1))  # the condition may be about a thread
        return time.monotonic() - began

    def wait_to_see(self, *paths: str) -> None:
        self.wait_for(lambda: set(paths) <= set(self.seen))

    def settle(self) -> None:
        """Everything done up to now has been told: what is done after it, is."""
        self._marks += 1
        mark = f"mark{self._marks}.py"
        with open(os.path.join(self.root, mark), "w") as file:
            file.write(mark)
        self.wait_for(lambda: mark in self.seen and not self.is_patient())
        while self.turn(0):
            pass
        self.seen = [path for path in self.seen if not path.startswith("mark")]

    def is_patient(self) -> bool:
        """Something is missing that may come back."""
        trees = [poller.tree for poller in self.watcher._polled._pollers.values()]
        return any(tree._unsettled.patient_until for tree in (self.watcher._tree, *trees))

    def forget(self) -> None:
        self.settle()
        self.seen.clear()
        self.batches.clear()
