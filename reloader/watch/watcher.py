"""Puts the parts together: one source of facts, whatever watches."""

from __future__ import annotations

import importlib.util
import os
import select
import sys
import time
from collections import deque
from errno import EMFILE
from typing import TYPE_CHECKING, Protocol

from reloader.config.model import Engine
from reloader.core.facts import Fact, FilesChanged, GitMoved, Noticed
from reloader.core.news import Warned, WatchStarted
from reloader.core.values import Change
from reloader.paths import is_below
from reloader.runtime.wakeup import Wake
from reloader.watch.audit import Audit
from reloader.watch.engine_watchfiles import Foreign
from reloader.watch.git import Repository
from reloader.watch.poll_fallback import Polled
from reloader.watch.registrar import Guard, Terms, Unguarded
from reloader.watch.snapshot import Hint, contents_of
from reloader.watch.tree import Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.config.model import Config
    from reloader.core.values import Seconds
    from reloader.filter.rules import Rules

_GATHER = 0.010  # seconds a read spends on events, and on looks: the main loop has other things
_WORK = 0.020  # to do
_FEW = 20  # changed files whose digest costs nothing worth speaking of
_CLOCK_NS = 10_000_000  # a file's clock lags up to one tick behind ours; the longest is 10 ms


class Backend(Guard, Protocol):
    """An engine: keeps a tree and knows when to look where."""

    name: str
    tree: Tree

    @property
    def ready(self) -> bool: ...
    def fileno(self) -> int: ...
    def walked(self) -> None: ...
    def hears(self) -> bool: ...
    def renew(self) -> None: ...
    def gather(self, until: float) -> bool: ...
    def hand_over(self, path: str, why: str) -> None: ...
    def attend(self, folder: str) -> None: ...
    def close(self) -> None: ...


class Unwatched(Unguarded):
    """The engine that is told nothing: pollers do it all."""

    name = "poll"
    ready = True

    def __init__(self, terms: Terms, polled: Polled) -> None:
        self.tree = Tree(terms, self)
        self.tree.walked = True
        for root in terms.rules.roots:
            polled.take(root, "")

    def fileno(self) -> int:
        return -1

    def walked(self) -> None:
        pass

    def hears(self) -> bool:
        return True

    def renew(self) -> None:
        pass

    def gather(self, until: float) -> bool:  # noqa: ARG002
        return True

    def hand_over(self, path: str, why: str) -> None:
        pass

    def attend(self, folder: str) -> None:
        pass

    def close(self) -> None:
        pass


class Watcher:
    """Tells of every file that counts and has changed since `since_ns`."""

    def __init__(self, config: Config, rules: Rules, since_ns: int) -> None:
        self._rules = rules
        self._warnings: deque[str] = deque()
        self._warned: set[str] = set()
        self._wake = Wake()
        terms = Terms(
            rules,
            self._warn,
            since_ns=since_ns - _CLOCK_NS,
            follow=config.build.follow_symlink,
            whole=config.build.exclude_unchanged,
        )
        self._polled = Polled(terms, self._wake, config.build.poll_interval / 1000)
        self._engine = self._choose(config, terms)
        self._tree = self._engine.tree
        self._git = Repository.of(rules.root)
        self._git_told = GitMoved(busy=False)
        if self._git:
            self._engine.attend(self._git.folder)
        self._waiter = _waiter(self._wake.fileno(), self._engine.fileno())
        self._audit: Audit | None = None
        self._deaf = False  # the engine is; the audit has noticed
        self._told = False  # that we watch
        self._wake.set()  # there is a tree to walk

    def fileno(self) -> int:
        return self._waiter.fileno() if self._waiter else self._wake.fileno()

    def deadline(self) -> Seconds | None:
        """Returns when a file that is missing or being written is to be looked at again."""
        return self._tree.wake_at or None

    def read(self) -> list[Fact]:
        """What has changed; takes 30 ms at most when there is more to look at than that."""
        now = time.monotonic()
        self._wake.clear()
        if self._deaf:
            self._hear_again()
        gathered = self._engine.gather(now + _GATHER)
        for path in self._polled.hints():
            self._tree.hint(path, Hint.WRITTEN)
        done = self._tree.work(now + _GATHER + _WORK)
        if self._tree.walked:
            self._engine.walked()
            self._polled.start()
        if not (gathered and done):
            self._wake.set()
        elif self._audit:
            for path in self._audit.doubts():
                self._look_into(path)
        return list(self._facts())

    def _hear_again(self) -> None:
        self._deaf = False
        self._warn("inotify does not answer any more: watching anew, all is looked at again")
        try:
            self._engine.renew()
        except OSError as error:
            self._warn(f"inotify: {error.strerror}: changes are seen by the audit only")
        else:
            _listen(self._waiter, self._engine.fileno())

    def close(self) -> None:
        if self._audit:
            self._audit.close()
        self._polled.close()
        self._engine.close()
        if self._waiter:
            self._waiter.close()
        self._wake.close()

    def _facts(self) -> Iterator[Fact]:
        changed = dict.fromkeys((*self._tree.take(), *self._polled.changes()))
        git = self._git.state() if self._git else self._git_told
        if git.busy and not self._git_told.busy:  # its changes must not come before this
            self._git_told = GitMoved(busy=True, head=self._git_told.head or git.head)
            yield self._git_told
        few = len(changed) <= _FEW
        changes = tuple(
            Change(self._rules.shown(path), needs, *(contents_of(path) if few else ()))
            for path in changed
            if (needs := self._rules.decide(path).needs)
        )
        if changes:
            yield FilesChanged(changes)
        if git != self._git_told:
            self._git_told = git
            yield git
        yield from self._news()  # last: a burst must not settle before its changes are booked

    def _news(self) -> Iterator[Fact]:
        while self._warnings:
            text = self._warnings.popleft()
            if text not in self._warned:
                self._warned.add(text)
                yield Noticed(Warned(text))
        if self._audit is None and self._engine.ready:
            self._audit = self._begin_audit()
        if not self._told and self._engine.ready and self._polled.ready:
            self._told = True
            self._say_what_is_not_there()
            dirs, files = self._polled.count()
            yield Noticed(
                WatchStarted(self._how(), dirs + len(self._tree.folders), files + self._tree.files)
            )

    def _say_what_is_not_there(self) -> None:
        for folder in sorted(self._rules.named):
            if not self._polled.holds(folder) and not os.path.isdir(folder):
                self._warn(f"{folder} is not there: waiting for it")

    def _how(self) -> str:
        """In words: "inotify", "poll", "inotify, poll: /src (fuse.grpcfuse), 12 folders"."""
        polled = ", ".join(self._polled.labels())
        if polled and not self._tree.folders:
            return f"poll: {polled}"
        return self._engine.name + (f", poll: {polled}" if polled else "")

    def _warn(self, text: str) -> None:
        """From any thread."""
        self._warnings.append(text)
        self._wake.set()

    # --- the audit --------------------------------------------------------------------------------

    def _begin_audit(self) -> Audit:
        mounts = [self._polled.mount(root) for root in self._rules.roots]
        trusted = all(mount is not None and mount.is_local for mount in mounts)
        return Audit(self._tree, self._wake, trusted=trusted, each=self._now_and_then)

    def _now_and_then(self) -> list[str]:
        """In the audit's thread: says who hangs, or is deaf; roots that came back untold."""
        if not self._engine.hears():
            self._deaf = True
            self._wake.set()
        for label in self._polled.hanging():
            self._warn(f"no answer from {label}: changes there are not seen until it answers")
        self._polled.refresh()
        missing = (root for root in self._rules.roots if root not in self._tree.folders)
        return [root for root in missing if not self._polled.holds(root) and os.path.isdir(root)]

    def _look_into(self, path: str) -> None:
        """What the audit found, and nobody had told."""
        before = self._tree.doubtful()
        if path in self._rules.roots or path in self._tree.folders:
            self._tree.visit(path)
        elif self._engine.arm(path.rpartition("/")[0] or "/"):  # perhaps it is another folder now
            self._tree.look(path)
        if silent := self._tree.doubtful() - before:
            self._distrust(min(silent))

    def _distrust(self, path: str) -> None:
        mount = self._polled.mount(path)
        name = self._rules.shown(path)
        if mount is None or mount.is_local:
            self._warn(f"{name} changed without an event (through a hard link from elsewhere?)")
            return
        top = next(root for root in self._rules.roots if is_below(path, root))
        if is_below(mount.point, top):
            top = mount.point
        self._warn(f"{name} changed without an event ({mount.fstype}): polling {top} from now on")
        self._engine.hand_over(top, f"{top} ({mount.fstype})")

    # --- engines ----------------------------------------------------------------------------------

    def _choose(self, config: Config, terms: Terms) -> Backend:
        wanted = Engine.POLL if config.build.poll else config.watch.engine
        if wanted is Engine.AUTO:
            wanted = Engine.NATIVE if sys.platform == "linux" else Engine.WATCHFILES
        if wanted is Engine.NATIVE and sys.platform != "linux":
            self._warn("the native engine is Linux's inotify: using watchfiles")
            wanted = Engine.WATCHFILES
        if wanted is Engine.NATIVE:
            return self._native(terms)
        if wanted is Engine.WATCHFILES:
            if importlib.util.find_spec("watchfiles"):
                return Foreign(terms, self._polled, self._wake)
            self._warn("watchfiles is not installed: polling instead")
        return Unwatched(terms, self._polled)

    def _native(self, terms: Terms) -> Backend:
        from reloader.watch.engine_inotify import Native

        try:
            return Native(terms, self._polled)
        except OSError as error:
            limit = " (sysctl fs.inotify.max_user_instances)" if error.errno == EMFILE else ""
            self._warn(f"inotify: {error.strerror}{limit}: polling instead")
            return Unwatched(terms, self._polled)


def open(config: Config, rules: Rules, since_ns: int) -> Watcher:  # noqa: A001
    """Begins to watch; what has changed since `since_ns` (wall clock) is told too.

    The tree is walked bit by bit in `read`; `WatchStarted` comes when that is done.
    """
    return Watcher(config, rules, since_ns)


def _waiter(wake: int, engine: int) -> select.epoll | None:
    """One descriptor for two."""
    if engine < 0:
        return None
    waiter = select.epoll()
    _listen(waiter, wake)
    _listen(waiter, engine)
    return waiter


def _listen(waiter: select.epoll | None, descriptor: int) -> None:
    if waiter:
        waiter.register(descriptor, select.EPOLLIN)
