"""One descriptor for all that a watcher waits for."""

from __future__ import annotations

import select
from contextlib import suppress


def waiter(wake: int) -> select.epoll | None:
    """Returns one descriptor for the wakeup and the engine; None if there is no epoll."""
    if not hasattr(select, "epoll"):
        return None
    found = select.epoll()
    listen(found, wake)
    return found


def listen(waiter: select.epoll | None, descriptor: int) -> None:
    if waiter and descriptor >= 0:
        with suppress(FileExistsError):  # the same number again, for another engine
            waiter.register(descriptor, select.EPOLLIN)
