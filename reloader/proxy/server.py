"""The proxy, as the main thread has it: news in, facts out, and nothing that waits.

It is imported after the first spawn, for asyncio costs 45 ms that the user's app should not wait.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from reloader import threads
from reloader.core.facts import BecameIdle, BecameReady, Noticed, Requested
from reloader.core.news import Warned
from reloader.core.values import Gate, Request, Wish
from reloader.proxy.desk import Desk
from reloader.proxy.gate import Door, Route
from reloader.runtime.wakeup import Wake

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable

    from reloader.core.facts import Fact
    from reloader.core.news import News
    from reloader.core.values import Seconds, Ticket
    from reloader.core.view import Snapshot
    from reloader.proxy.options import Options

_DOORS = {Gate.OPEN: Door.OPEN, Gate.HOLD: Door.CLOSED, Gate.REFUSE: Door.BROKEN}
CLOSE_WITHIN: Seconds = 1.0  # for the thread to end; it is a daemon, and dies with reloader


class Server:
    """A source of the inbox, and a report of the bus. If its thread dies, the app runs on.

    News wait until the main thread has carried out its orders: the proxy's thread does not wake up
    between a save and the spawn that it leads to.
    """

    name = "the proxy"

    def __init__(self, options: Options, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._news: list[tuple[News, str]] = []
        self._wake = Wake()
        self._facts: deque[Fact] = deque()
        self._loop = asyncio.new_event_loop()
        self._told: set[str] = set()
        self._ended = asyncio.Event()
        self._desk = Desk(options, os.urandom(4).hex(), self._tell, self._act)
        self._thread: threading.Thread | None = None
        self._retry_at: Seconds | None = None
        self._begin()

    # --- the main thread ---

    def _begin(self) -> None:
        """Begins; what is posted before there is a thread is done when there is one."""
        self._thread = threads.start(self._run, self.name, self._failed)
        if self._thread:
            self._retry_at = None
            return
        if self._retry_at is None:
            self._tell(Noticed(Warned(f"the proxy waits: {threads.LACK}")))
        self._retry_at = time.monotonic() + threads.RETRY

    def __call__(self, news: News, output: str = "") -> None:
        self._news.append((news, output))

    def route(self, gate: Gate, ticket: Ticket | None, why: str) -> None:
        """Lets requests pass to this generation, or wait, or refuses them and says why."""
        self._post(partial(self._desk.route, Route(_DOORS[gate], ticket, why)))

    def expect(self, ticket: Ticket) -> Iterable[Fact]:
        """Looks for the app that has just been started; the answer is BecameReady."""
        is_there = self._post(partial(self._desk.expect, ticket))
        return () if is_there else (BecameReady(ticket),)

    def drain(self, ticket: Ticket) -> Iterable[Fact]:
        """Waits for the requests that this generation works on; the answer is BecameIdle."""
        idle = BecameIdle(ticket)
        return () if self._post(partial(self._desk.drain, partial(self._tell, idle))) else (idle,)

    def fileno(self) -> int:
        return self._wake.fileno()

    def read(self) -> Iterable[Fact]:
        self._wake.clear()
        if self._retry_at is not None and time.monotonic() >= self._retry_at:
            self._begin()
        if self._news:
            self._post(partial(self._desk.feed, tuple(self._news), self._snapshot()))
            self._news.clear()
        facts = []
        while self._facts:
            facts.append(self._facts.popleft())
        return facts

    def deadline(self) -> Seconds | None:
        """News are passed on before the main thread waits again."""
        return time.monotonic() if self._news else self._retry_at

    def close(self) -> None:
        if self._thread is None:
            self._loop.close()
        elif self._post(self._ended.set):
            self._thread.join(CLOSE_WITHIN)
        self._wake.close()

    def _post(self, work: Callable[[], None]) -> bool:
        """Returns False if the thread is gone."""
        try:
            self._loop.call_soon_threadsafe(work)
        except RuntimeError:
            return False
        return True

    # --- the proxy's thread ---

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._live())
        finally:
            self._loop.close()

    def _failed(self, error: Exception) -> None:
        """Tells of it; whatever it is, the app goes on."""
        self._tell(Noticed(Warned(f"the proxy is off: {error}")))

    async def _live(self) -> None:
        self._loop.set_exception_handler(self._report)
        listening = asyncio.ensure_future(self._desk.listen())
        await self._ended.wait()
        listening.cancel()
        await self._desk.close()

    def _report(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A fault in one connection ends that connection, and is told once."""
        error = context.get("exception")
        text = f"a connection of the proxy failed: {error or context['message']}"
        if text not in self._told:
            self._told.add(text)
            self._tell(Noticed(Warned(text)))

    def _tell(self, fact: Fact) -> None:
        self._facts.append(fact)
        self._wake.set()

    def _act(self, action: str) -> None:
        self._tell(Requested(Request(Wish(action), "browser")))
