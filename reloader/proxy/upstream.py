"""The app, as the proxy reaches it: the gate, its connections, and the requests that wait."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.proxy.gate import Door, Hall, Route, may_wait
from reloader.proxy.links import AppLink

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from reloader.core.values import Seconds, Ticket
    from reloader.proxy.exchange import Exchange

PROBE_EVERY: Seconds = 0.005  # between two tries to reach an app that starts; one costs 0.1 ms
PROBE_SLOWLY: Seconds = 0.1  # the same, once the app is late
RELEASED_AT_ONCE = 64  # requests that waited; more at once would fill the app's backlog
RELEASE_EVERY: Seconds = 0.002  # between two such groups
MOST_FREE = 64  # connections to the app that are kept
HOSTS = ("127.0.0.1", "::1")  # where an app on this machine listens


class Upstream:
    """Gives each exchange a connection to the generation of the app that the gate leads to."""

    def __init__(
        self,
        port: int,
        patience: Seconds,
        no_hold: Sequence[str],
        moved: Callable[[], None],
        ready: Callable[[Ticket, str], None],
    ) -> None:
        self.gate = Route()
        self._port = port
        self._patience = patience
        self._no_hold = no_hold
        self._moved = moved  # called after each change of the gate
        self._ready = ready  # told of a generation that takes connections, and its address
        self._host = HOSTS[0]
        self._free: list[AppLink] = []
        self._hall: Hall[Exchange] = Hall()
        self._active: set[Exchange] = set()  # those that the app works on, or is to
        self._tasks: set[asyncio.Task[None]] = set()
        self._expected: Ticket | None = None
        self._drained: Callable[[], None] | None = None

    @property
    def held(self) -> int:
        return len(self._hall)

    # --- the gate ---

    def set(self, gate: Route) -> None:
        """Opens the gate to a generation, or closes it: then the connections to the app end."""
        if gate == self.gate:
            return
        self.gate = gate
        for link in [link for link in self._free if self.stale(link)]:
            link.abort()
        self._free = [link for link in self._free if not self.stale(link)]
        if gate.door is Door.OPEN:
            self._run(self._release())
        elif gate.door is Door.BROKEN:
            for exchange in self._hall.take(len(self._hall)):
                exchange.fail(503, gate.why)
        self._moved()

    def drain(self, drained: Callable[[], None]) -> None:
        """Calls `drained` once what the app has begun is done; the gate leads elsewhere by now."""
        self._drained = drained
        self._look_drained()

    def _look_drained(self) -> None:
        if self._drained and not any(_is_waited_for(exchange) for exchange in self._active):
            drained, self._drained = self._drained, None
            drained()

    def expect(self, ticket: Ticket | None) -> None:
        """Tells when this generation, which has just been started, takes connections."""
        self._expected = ticket
        if ticket is not None:
            self._run(self._probe(ticket))

    async def _probe(self, ticket: Ticket) -> None:
        """Tries to connect until it works.

        A probe sends nothing and ends at once: an app that serves one connection at a time would
        wait on it for ever.
        """
        loop = asyncio.get_running_loop()
        slow = loop.time() + self._patience
        while self._expected == ticket:
            if await self._connects():
                if self._expected == ticket:
                    self._expected = None
                    at = f"[{self._host}]" if ":" in self._host else self._host
                    self._ready(ticket, f"{at}:{self._port}")
                return
            await asyncio.sleep(PROBE_EVERY if loop.time() < slow else PROBE_SLOWLY)

    async def _connects(self) -> bool:
        """Returns True if the app can be reached; notes the address that it has."""
        for host in HOSTS:
            with suppress(OSError):
                transport, _ = await asyncio.get_running_loop().create_connection(
                    asyncio.Protocol, host, self._port
                )
                transport.abort()
                self._host = host
                return True
        return False

    def abort_all(self) -> None:
        self._expected = None
        for task in self._tasks:
            task.cancel()
        for link in self._free:
            link.abort()

    # --- exchanges ---

    def assign(self, exchange: Exchange) -> None:
        self._active.add(exchange)
        if self.gate.door is not Door.OPEN:
            self._hold(exchange)
            return
        while self._free and exchange.request.is_replayable:
            link = self._free.pop()
            if link.is_up:
                exchange.begin(link)
                return
        self._run(self._dial(exchange))

    def _hold(self, exchange: Exchange) -> None:
        self._active.discard(exchange)
        if self.gate.door is Door.BROKEN or not may_wait(exchange.request, self._no_hold):
            exchange.fail(503, self.gate.why)
            return
        exchange.is_held = True
        self.grow(exchange)

    def grow(self, exchange: Exchange) -> None:
        for oldest in self._hall.add(exchange, exchange.waiting_bytes):
            oldest.fail(503, f"too many requests wait: {self.gate.why}")

    def leave(self, exchange: Exchange) -> None:
        self._hall.leave(exchange)

    def over(self, exchange: Exchange) -> None:
        self._active.discard(exchange)
        self._look_drained()

    async def _release(self) -> None:
        while self.gate.door is Door.OPEN and len(self._hall):
            for exchange in self._hall.take(RELEASED_AT_ONCE):
                exchange.is_held = False
                self.assign(exchange)
            await asyncio.sleep(RELEASE_EVERY)

    async def _dial(self, exchange: Exchange) -> None:
        """Connects to the app; refused, it has just ended or is about to listen: again soon."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._patience
        while exchange in self._active:
            if self.gate.door is not Door.OPEN:
                self._hold(exchange)
                return
            ticket = self.gate.ticket
            try:
                _, link = await loop.create_connection(
                    lambda at=ticket: AppLink(at, self._lost),  # type: ignore[misc]
                    self._host,
                    self._port,
                )
            except OSError as error:
                if loop.time() >= end:
                    exchange.fail(502, f"the app can't be reached: {_reason(error)}")
                    return
                await asyncio.sleep(PROBE_EVERY)
                continue
            if exchange not in self._active:
                link.abort()
            elif self.stale(link):
                link.abort()
                continue
            else:
                exchange.begin(link)
            return

    # --- free connections ---

    def stale(self, link: AppLink) -> bool:
        return self.gate.ticket is None or link.ticket != self.gate.ticket

    def keep(self, link: AppLink) -> None:
        if self.stale(link) or len(self._free) >= MOST_FREE:
            link.close()
        else:
            self._free.append(link)

    def _lost(self, link: AppLink) -> None:
        if link in self._free:
            self._free.remove(link)

    def _run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_waited_for(exchange: Exchange) -> bool:
    """Returns True if the app is given time to end this before it is asked to stop.

    A request that can be sent again goes to the next version; an event stream never ends.
    """
    response = exchange.response
    if response is None:
        return not exchange.request.is_replayable
    return not response.values.get(b"content-type", b"").startswith(b"text/event-stream")


def _reason(error: OSError) -> str:
    """In words: "connection refused"; asyncio's own text repeats the address."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, socket.gaierror) or not error.strerror:
        return str(error)
    return error.strerror.lower()
