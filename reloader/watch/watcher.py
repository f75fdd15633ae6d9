"""The watcher: one source of facts, whatever engine hears of the changes."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections import deque
from contextlib import suppress
from errno import EMFILE
from typing import TYPE_CHECKING

from reloader import threads
from reloader.config.model import Engine as Choice
from reloader.core.facts import Fact, FilesChanged, GitMoved, Noticed
from reloader.core.news import ChangeIgnored, Warned, WatchStarted
from reloader.core.values import Change
from reloader.paths import is_below
from reloader.runtime.wakeup import Wake
from reloader.watch.audit import Audit
from reloader.watch.barrier import Barrier
from reloader.watch.coverage import Coverage
from reloader.watch.engine import PollEngine
from reloader.watch.evidence import Disks, filled
from reloader.watch.git import STALE, Repository
from reloader.watch.ignored import IgnoredSaves
from reloader.watch.options import ScanOptions
from reloader.watch.poll_fallback import PollFallback
from reloader.watch.scan import count_beside, count_files
from reloader.watch.tree import Tree
from reloader.watch.waiter import listen, waiter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reloader.config.model import Config
    from reloader.core.values import Seconds
    from reloader.filter.rules import FileFilter
    from reloader.watch.engine import Engine
    from reloader.watch.snapshot import Signature

_GATHER = 0.010  # seconds that a read spends on events, and on looks: the loop has other sources
_WORK = 0.020
_FEW = 20  # changed files whose digest costs nothing worth speaking of
_AGE: Seconds = 0.05  # from a change to its fact, at most; a busy machine needs 30 ms
_ROUND: Seconds = 0.08  # between two looks at a polled file, where no interval is set
_CLOCK_NS = 10_000_000  # a file's clock lags up to one tick behind ours; the longest is 10 ms
_CONFIG_QUIET = 0.05  # seconds; an editor may save a config by several writes
_TOGETHER_NS = 2_000_000_000  # files saved so shortly before the config belong to the same change


class Watcher:
    """Tells of every file that counts and has changed since `since_ns` (wall clock).

    `reread` gives the facts that follow when a file that the config comes from has changed; it may
    call `reconfigure`.
    """

    def __init__(
        self,
        config: Config,
        rules: FileFilter,
        since_ns: int,
        reread: Callable[[], Iterable[Fact]] = tuple,
    ) -> None:
        self._reread = reread
        self._warnings: deque[str] = deque()
        self._warned: set[str] = set()
        self._wake = Wake()
        self._waiter = waiter(self._wake.fileno())
        self._config = config
        self._rules = rules
        self._tree = Tree(self._options(since_ns - _CLOCK_NS))
        self._changed: dict[str, Signature | None] = {}  # told by pollers that have ended
        self._git_told = self._git_seen = GitMoved(busy=False)
        self._git_again_at: Seconds | None = None
        self._deaf = False  # the engine is; the audit has noticed
        self._config_due: Seconds | None = None
        self._renews = False  # an ignore file has changed
        self._ignored = IgnoredSaves()
        self._ignored_at: Seconds | None = None
        self._config_since_ns = 0
        self._retry_at: Seconds | None = None
        self._barrier = Barrier()
        self._open(since_ns - _CLOCK_NS)

    def fileno(self) -> int:
        return self._waiter.fileno() if self._waiter else self._wake.fileno()

    def deadline(self) -> Seconds | None:
        """Returns when a missing or unfinished file, or the config, is to be looked at again."""
        times = (
            self._tree.wake_at or None,
            self._config_due,
            self._retry_at,
            self._git_again_at,
            self._ignored_at,
            self._barrier.wake_at,
        )
        return min((at for at in times if at is not None), default=None)

    def read(self) -> list[Fact]:
        """Returns the changes; takes 30 ms at most when there is more to look at than that."""
        now = time.monotonic()
        self._wake.clear()
        if self._deaf:
            self._open_again()
        opens = self._barrier.opens(self._polled)
        gathered = self._coverage.read_events(now + _GATHER)
        done = self._coverage.scan(now + _GATHER + _WORK)
        if self._tree.walked:
            self._begin_threads()
        if not (gathered and done):
            self._wake.set()
        elif self._audit:
            self._look_into(self._audit.doubts())
        if self._ignores and not self._renews and (moved := self._ignores.moved()):
            self._renews = True
            self._note_config(moved)
        facts = list(self._facts())
        if self._config_due is not None and time.monotonic() >= self._config_due:
            facts += self._read_config()
        if opens and gathered and done and self._is_settled():
            facts += self._barrier.take()
        return facts

    def tell_behind(self, *facts: Fact) -> None:
        """Tells these facts when every change that was made before this call has been told."""
        self._barrier.add(facts)
        if self._barrier.begin(self._polled, self._coverage.engine):
            self._tree.look_at_all()
        self._wake.set()

    def _is_settled(self) -> bool:
        """Returns True if nothing that was seen is still to be told, or looked at later."""
        return not (self._tree.wake_at or self._tree.changed or self._config_due is not None)

    def _read_config(self) -> Iterable[Fact]:
        """Acts on a change of the config, or of an ignore file that the filter is made from."""
        self._config_due = None
        if self._renews:
            self._renews = False
            self.reconfigure(self._config, self._rules.renewed())
        return self._reread()

    def reconfigure(self, config: Config, rules: FileFilter) -> None:
        """Watches by another config from here on; nothing that changes meanwhile is missed.

        All is compared with what was seen before. A file that counts only now has changed if it
        was saved together with the config.
        """
        self._end_pollers()
        self._coverage.engine.close()
        self._config = config
        self._rules = rules
        self._open(self._config_since_ns)

    def close(self) -> None:
        if self._audit:
            self._audit.close()
        self._polled.close()
        self._coverage.engine.close()
        if self._waiter:
            self._waiter.close()
        self._wake.close()

    # --- the parts --------------------------------------------------------------------------------

    def _options(self, since_ns: int) -> ScanOptions:
        build = self._config.build
        return ScanOptions(
            self._rules,
            self._warn,
            since_ns=since_ns,
            follow=build.follow_symlink,
            by_content=build.exclude_unchanged,
        )

    def _open(self, since_ns: int) -> None:
        """Puts the parts together; the tree goes on with what it has seen."""
        options, rules = self._options(since_ns), self._rules
        interval = self._config.build.poll_interval / 1000
        self._polled = PollFallback(options, self._wake, interval)
        self._disks = Disks(self._polled.mount)
        self._polled_age = 2 * (interval or _ROUND)
        engine = self._choose(self._config)
        self._tree.configure(options, closes=engine.closes)
        self._git = Repository.of(rules.root)
        beside = frozenset(self._git.folders if self._git else ())
        self._git_away = self._git is not None and any(map(self._polled.is_silent, beside))
        if self._git and self._git_away:
            self._polled.run(self._look_at_git)
        self._ignores = rules.git if rules.folder(rules.root).ignores is not None else None
        ignores = self._ignores.folders if self._ignores else frozenset()
        self._coverage = Coverage(self._tree, engine, self._polled, self._warn, beside | ignores)
        listen(self._waiter, engine.fileno())
        self._audit: Audit | None = None
        self._told = False  # that the watch has started
        self._barrier.begin(self._polled, self._coverage.engine)
        self._wake.set()  # there is a tree to scan

    def _open_again(self) -> None:
        """Begins anew with another engine; the old descriptor may be another file's by now."""
        self._deaf = False
        self._warn("inotify does not answer any more: watching anew, all is looked at again")
        self._end_pollers()
        self._open(0)

    def _end_pollers(self) -> None:
        """Takes back what pollers have seen."""
        if self._audit:
            self._audit.close()
        folders, changed = self._polled.end()
        self._tree.adopt(folders)
        self._changed.update(changed)

    def _begin_threads(self) -> None:
        """Begins what needs a thread; tries again later if none can be had."""
        has_begun = [self._coverage.finish(), self._polled.start()]
        if self._coverage.engine.listens:
            self._audit = self._audit or self._new_audit()
            has_begun.append(self._audit.start())
        if all(has_begun):
            self._retry_at = None
        else:
            self._retry_at = time.monotonic() + threads.RETRY
            self._warn(threads.LACK)

    def _choose(self, config: Config) -> Engine:
        wanted = Choice.POLL if config.build.poll else config.watch.engine
        if wanted is Choice.AUTO:
            wanted = Choice.NATIVE if sys.platform == "linux" else Choice.WATCHFILES
        if wanted is Choice.NATIVE and sys.platform != "linux":
            self._warn("the native engine is Linux's inotify: using watchfiles")
            wanted = Choice.WATCHFILES
        if wanted is Choice.NATIVE:
            return self._inotify()
        if wanted is Choice.WATCHFILES:
            if importlib.util.find_spec("watchfiles"):
                from reloader.watch.engine_watchfiles import WatchfilesEngine

                roots = [root for root in self._rules.roots if self._rules.reaches_below(root)]
                return WatchfilesEngine(roots, self._warn, self._wake)
            self._warn("watchfiles is not installed: polling instead")
        return PollEngine()

    def _inotify(self) -> Engine:
        from reloader.watch.engine_inotify import InotifyEngine

        try:
            return InotifyEngine()
        except OSError as error:
            limit = " (sysctl fs.inotify.max_user_instances)" if error.errno == EMFILE else ""
            self._warn(f"inotify: {error.strerror}{limit}: polling instead")
            return PollEngine()

    # --- facts ------------------------------------------------------------------------------------

    def _facts(self) -> Iterator[Fact]:
        changed = {path: (old, _AGE) for path, old in self._tree.take().items()}
        polled = (*self._changed.items(), *self._polled.changes())
        changed.update((path, (old, self._polled_age)) for path, old in polled)
        self._changed.clear()
        git = self._git_state()
        if git.busy and not self._git_told.busy:  # its changes must not come before this
            self._git_told = GitMoved(busy=True, head=self._git_told.head or git.head)
            yield self._git_told
        if changes := tuple(self._changes(changed)):
            yield FilesChanged(changes)
        if git != self._git_told:
            self._git_told = git
            yield git
        yield from self._ignored_news()
        yield from self._news()  # last: a burst must not settle before its changes are booked

    def _git_state(self) -> GitMoved:
        """Returns what git does; a repository on a mount that may hang is looked at in a thread."""
        if self._git is None:
            return self._git_told
        git = self._git_seen if self._git_away else self._git.state()
        # Of a lock that has become old no event tells.
        self._git_again_at = time.monotonic() + STALE if git.busy else None
        return git

    def _look_at_git(self) -> None:
        """Looks at the repository, in a poller's thread."""
        if self._git and (seen := self._git.state()) != self._git_seen:
            self._git_seen = seen
            self._wake.set()

    def _changes(self, changed: dict[str, tuple[Signature | None, Seconds]]) -> Iterator[Change]:
        few = len(changed) <= _FEW
        for path, (old, age) in changed.items():
            decision = self._rules.decide(path)
            if decision.is_config or decision.is_filter:
                self._renews = self._renews or decision.is_filter
                self._note_config(path)
            if needs := decision.needs:
                beside = count_beside(self._tree, path)
                change = Change(self._rules.shown(path), needs, age=age, beside=beside)
                yield filled(change, path, old, self._disks, reads=few)

    def _note_config(self, path: str) -> None:
        """The config has changed; files that were saved together with it belong to the change."""
        since_ns = time.time_ns()
        with suppress(OSError):
            since_ns = min(since_ns, os.lstat(path).st_ctime_ns)
        self._config_since_ns = since_ns - _TOGETHER_NS
        self._config_due = time.monotonic() + _CONFIG_QUIET

    def _news(self) -> Iterator[Fact]:
        ready = self._coverage.engine.listens and self._polled.ready and self._tree.walked
        if not self._told and ready:
            self._say_what_is_missing()
        while self._warnings:
            text = self._warnings.popleft()
            if text not in self._warned:
                self._warned.add(text)
                yield Noticed(Warned(text))
        if not self._told and ready:
            self._told = True
            dirs, files = self._polled.count()
            yield Noticed(
                WatchStarted(
                    self._how(), dirs + len(self._tree.folders), files + count_files(self._tree)
                )
            )

    def _ignored_news(self) -> Iterator[Fact]:
        """Yields a line for a kind of file that was saved and does not count."""
        now = time.monotonic()
        for path, why in self._coverage.take_ignored():
            self._ignored.saved(self._rules.shown(path), why, now)
        for path, why in self._ignored.due(now):
            yield Noticed(ChangeIgnored(path, why))
        self._ignored_at = self._ignored.wake_at

    def _say_what_is_missing(self) -> None:
        for folder in sorted(self._rules.named):
            if not self._polled.holds(folder) and not os.path.isdir(folder):
                self._warn(f"{folder} is not there: waiting for it")

    def _how(self) -> str:
        """Returns it in words: "inotify", "poll", "inotify, poll: /src (9p), 12 folders"."""
        polled = ", ".join(self._polled.labels())
        if polled and not self._tree.folders:
            return f"poll: {polled}"
        return self._coverage.engine.name + (f", poll: {polled}" if polled else "")

    def _warn(self, text: str) -> None:
        """Warns of something; from any thread."""
        self._warnings.append(text)
        self._wake.set()

    # --- the audit --------------------------------------------------------------------------------

    def _new_audit(self) -> Audit:
        mounts = [self._polled.mount(root) for root in self._rules.roots]
        trusted = all(mount is not None and mount.is_local for mount in mounts)
        return Audit(
            self._tree,
            self._wake,
            trusted=trusted,
            each=self._now_and_then,
            failed=lambda error: self._warn(f"changes without an event are not found: {error!r}"),
        )

    def _now_and_then(self) -> list[str]:
        """Finds, in the audit's thread, pollers that hang, a deaf engine, roots that came back."""
        if not self._coverage.engine.is_alive():
            self._deaf = True
            self._wake.set()
        for label in self._polled.hanging():
            self._warn(f"no answer from {label}: changes there are not seen until it answers")
        self._polled.refresh()
        missing = (root for root in self._rules.roots if root not in self._tree.folders)
        return [root for root in missing if not self._polled.holds(root) and os.path.isdir(root)]

    def _look_into(self, paths: list[str]) -> None:
        """Looks at what the audit has found, and no event had told."""
        if not paths:
            return
        before = self._tree.doubtful()
        for path in paths:
            if path in self._rules.roots or path in self._tree.folders:
                self._tree.queue(path)
            else:
                self._coverage.look_at(path)
        self._coverage.scan(time.monotonic() + _WORK)
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
        self._coverage.poll(top, f"{top} ({mount.fstype})")


def open(  # noqa: A001
    config: Config,
    rules: FileFilter,
    since_ns: int,
    reread: Callable[[], Iterable[Fact]] = tuple,
) -> Watcher:
    """Begins to watch; changes since `since_ns` (wall clock) are told too.

    The tree is scanned bit by bit in `read`; `WatchStarted` comes when that is done.
    """
    return Watcher(config, rules, since_ns, reread)
