"""Imports the modules that a later event needs, in an idle moment.

A start imports only what it needs, so that the user's app comes soon. But an update of reloader
(pip, uv sync, a new layer of an image) replaces its files while it runs, and without descriptors
nothing can be imported: what a save, a failed build or an edited config needs is there before.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING

from reloader import threads
from reloader.core.facts import Noticed
from reloader.core.news import Warned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.core.facts import Fact
    from reloader.core.values import Seconds

_AFTER_START: Seconds = 0.15  # by then the first process has been started
# 40 ms and 2 MB in all, a few milliseconds a module. The proxy is not among them: it would be 54 ms
# and 9 MB, and is imported at the start where the config has it.
MODULES = (
    *("ast", "difflib", "hashlib", "json", "resource", "shlex", "shutil", "tempfile", "tomli"),
    *("traceback", "reloader.command.dotenv", "reloader.command.grammar"),
    *("reloader.config.changes", "reloader.config.commandlines", "reloader.config.document"),
    *("reloader.config.names", "reloader.config.regex", "reloader.config.self_reloaders"),
    *("reloader.config.wording", "reloader.output.pump", "reloader.problems.parse"),
    *("reloader.problems.source", "reloader.process.held", "reloader.process.oom"),
    *("reloader.process.watching", "reloader.ready.accepting", "reloader.ready.lookout"),
    *("reloader.ready.probe", "reloader.sockets.broker", "reloader.sockets.hold"),
    *("reloader.sockets.own_port", "reloader.sockets.ports"),
    *("reloader.warm.client", "reloader.warm.plan"),
    *("reloader.watch.engine_inotify", "reloader.watch.engine_watchfiles"),
)


class Later:
    """A source that is read by deadline alone, one module at a time."""

    def __init__(self) -> None:
        self._left = list(MODULES)
        self._due: Seconds | None = time.monotonic() + _AFTER_START

    def fileno(self) -> int:
        return -1

    def deadline(self) -> Seconds | None:
        return self._due

    def read(self) -> Iterator[Fact]:
        try:
            import_module(self._left[0])
        except ImportError as error:
            self._due = None
            text = f"reloader was replaced while it started: start it again ({error})"
            yield Noticed(Warned(text))
        except (OSError, MemoryError):  # nothing is left to open it with
            self._due = time.monotonic() + threads.RETRY
        else:
            del self._left[0]
            self._due = time.monotonic() if self._left else None

    def close(self) -> None:
        pass
