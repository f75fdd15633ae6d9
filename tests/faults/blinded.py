"""Reloader with a guarding line of its watching switched off: `blinded.py NAME+… run …`.

The negative control of the faults of watching that no naive reloader fails for the right reason, as
weakened.py is for the others. Some names switch nothing off: "haste" shortens the waits of what
looks now and then, "late" puts one in before the watch, and "deaf" and "closed" break the kernel's
descriptor, as no test can from outside.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reloader.watch.tree import Visit


def since() -> None:
    """What changed before the watch began is not told."""
    from reloader.watch import watcher

    honest = watcher.Watcher.__init__
    watcher.Watcher.__init__ = lambda self, config, rules, _, *reread: honest(
        self, config, rules, 1 << 62, *reread
    )


def new_folders() -> None:
    """Only folders that were there at the start are watched."""
    from reloader.watch.coverage import Coverage

    honest = Coverage._visit
    Coverage._visit = lambda self, visit: self.tree.walked or honest(self, visit)


def made_again() -> None:
    """A folder is watched once; one that is made again in its place is not."""
    from reloader.watch.coverage import Coverage

    honest, visited = Coverage._visit, set()

    def visit(self: Coverage, visit: Visit) -> None:
        if visit.path not in visited:
            visited.add(visit.path)
            honest(self, visit)

    Coverage._visit = visit


def reached() -> None:
    """A link to a folder is followed, wherever it leads."""
    from reloader.watch.symlinks import LinkLoopGuard

    LinkLoopGuard.enter = lambda *_: True


def learning() -> None:
    """With exclude_unchanged a file is compared with what it was at the start, for ever."""
    from reloader.watch import snapshot

    def same(self: snapshot.ContentHashes, path: str) -> bool:
        found = snapshot._digest(path)
        return bool(found and self._hashes.setdefault(path, found[1]) == found[1])

    snapshot.ContentHashes.same = same


def largest() -> None:
    """The bytes of every file are read, however big it is."""
    from reloader.watch import snapshot

    snapshot.LARGEST = 1 << 60


def temporary() -> None:
    """What editors write beside a file counts like any other."""
    from reloader.filter import matchers

    matchers.is_temporary = lambda _: False


def canary() -> None:
    """Nobody asks whether the kernel still tells."""
    from reloader.watch.engine_inotify import InotifyEngine

    InotifyEngine.is_alive = lambda _: True


def late() -> None:
    """The watch begins later than an app that starts quickly: on a slow disk it may."""
    from reloader import watch

    honest = watch.open
    watch.open = lambda *args: (time.sleep(0.15), honest(*args))[1]


def audit() -> None:
    from reloader.watch.audit import Audit

    Audit.sweep = lambda *_: {}


def silent() -> None:
    """No file system is known for telling nothing."""
    from reloader.watch.mounts import Mount

    Mount.is_silent = False


def haste() -> None:
    from reloader.watch import audit, engine_poll

    audit._TRUSTED = audit._UNKNOWN = 0.3, 1
    audit._FIRST, audit._SETTLE = 0.3, 0.1
    engine_poll._HUNG = 0.5


def once_watched(work: object) -> None:
    """Does it to inotify's descriptor as soon as the tree has been scanned."""
    from reloader.watch.engine_inotify import InotifyEngine

    done: list[InotifyEngine] = []

    def start(self: InotifyEngine) -> bool:
        if not done:
            done.append(self)
            work(self.fileno())
        return True

    InotifyEngine.start = start


def deaf(descriptor: int) -> None:
    """Another inotify, that watches nothing, is in its place."""
    from reloader.watch.inotify import Inotify

    os.dup2(Inotify().descriptor, descriptor)


def deadlines() -> None:
    """Time passes only when no source is ready."""
    from reloader.runtime.loop import Inbox

    def get(self: Inbox, until: float | None) -> tuple[object, ...]:
        while not self._letters:
            ready = self._wait(until)
            self._read(ready)
            if not ready and until is not None and self._clock.now() >= until:
                self._letters.append((None, Tick()))
        letters = tuple(self._letters)
        self._letters.clear()
        return letters

    from reloader.core.facts import Tick

    Inbox.get = get


def handover() -> None:
    """An edited config forgets what was seen: all is taken as it is found."""
    from reloader.watch.watcher import Watcher

    honest = Watcher.reconfigure

    def reconfigure(self: Watcher, *args: object) -> None:
        self._end_pollers = self._polled.end
        self._config_since_ns = time.time_ns()
        honest(self, *args)

    Watcher.reconfigure = reconfigure


def restless() -> None:
    """The watcher is ready to be read all the time, as in the first scan of a huge tree."""
    from reloader.watch.watcher import Watcher

    honest = Watcher.read

    def read(self: Watcher) -> list[object]:
        facts = honest(self)
        self._wake.set()
        return facts

    Watcher.read = read


def unhurried() -> None:
    """An edited config is read again after half a second."""
    from reloader.watch import watcher

    watcher._CONFIG_QUIET = 0.5


def config_files() -> None:
    """The config is not among the files that are watched."""
    from reloader import watch

    honest = watch.filter_of
    watch.filter_of = lambda config, _: honest(config)


def ignored_by_git() -> None:
    """Nobody reads an ignore file."""
    from reloader.filter.gitignore import Ignores

    Ignores.why = lambda *_, **__: ""


def stale_lock() -> None:
    """A lock is a lock, however old."""
    from reloader.watch import git

    git.STALE = 1e9


def no_threads() -> None:
    """None can be started: a limit of processes has been reached."""
    import threading

    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    threading._start_new_thread = refuse
    if hasattr(threading, "_start_joinable_thread"):  # since Python 3.13
        threading._start_joinable_thread = refuse


def threads_at_once() -> None:
    """A thread that can't be had is an error, where it is wanted."""
    import threading

    from reloader import threads

    def start(run: object, name: str, failed: object = None) -> threading.Thread:
        thread = threading.Thread(target=run, name=name, daemon=True)
        thread.start()
        return thread

    threads.start = start


GUARDS = {
    "no threads": no_threads,
    "threads later": threads_at_once,
    "deadlines": deadlines,
    "handover": handover,
    "unhurried": unhurried,
    "restless": restless,
    "config files": config_files,
    "ignored by git": ignored_by_git,
    "stale lock": stale_lock,
    "since": since,
    "new folders": new_folders,
    "made again": made_again,
    "reached": reached,
    "learning": learning,
    "largest": largest,
    "temporary": temporary,
    "canary": canary,
    "late": late,
    "audit": audit,
    "silent": silent,
    "haste": haste,
    "deaf": lambda: once_watched(deaf),
    "closed": lambda: once_watched(os.close),
}

if __name__ == "__main__":
    sys.path.pop(0)  # this folder: the project under test must find nothing here
    for guard in sys.argv.pop(1).split("+"):
        GUARDS[guard]()
    from reloader.__main__ import main

    sys.exit(main())
