"""The one place that starts threads: that none can be had is an answer, not an error.

A container's limit of processes (`pids.max`) counts threads, too. An app that uses it up must not
end reloader, which is there to replace that app; so who needs a thread tries again.

    if threads.start(self._run, "poll", self._failed) is None:
        self._retry_at = time.monotonic() + threads.RETRY
        self._warn(threads.LACK)
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

LACK = "no thread can be started (a limit of processes?): tried again"
RETRY = 1.0  # seconds until the next try


def start(
    run: Callable[[], object], name: str, failed: Callable[[Exception], object] = lambda _: None
) -> threading.Thread | None:
    """Starts a thread that does not outlive reloader; returns None if none can be had now.

    `failed` is called in the thread with what `run` has raised.
    """

    def body() -> None:
        try:
            run()
        except Exception as error:  # noqa: BLE001 -- a traceback would go to the user's terminal
            failed(error)

    thread = threading.Thread(target=body, name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        return None
    return thread


class Apart:
    """Does what may hang, a look at a mount that answers no more, where nobody waits for it."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None

    def call(self, work: Callable[[], T], within: float) -> T | None:
        """Returns what `work` gives; None if it takes longer, or if the call before still hangs.

        Without a thread it is called in place. What it raises is lost.
        """
        if self._thread and self._thread.is_alive():
            return None
        found: list[T] = []
        self._thread = start(lambda: found.append(work()), "apart")
        if self._thread is None:
            return work()
        self._thread.join(within)
        return found[0] if found else None
