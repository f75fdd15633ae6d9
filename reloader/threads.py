"""The one place that starts threads: that none can be had is an answer, not an error.

A container's limit of processes (`pids.max`) counts threads, too. An app that uses it up must not
end reloader, which is there to replace that app; so who needs a thread tries again.

    if threads.start(self._run, "poll", self._failed) is None:
        self._retry_at = time.monotonic() + threads.RETRY
        self._warn(threads.LACK)
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

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
