"""Connections of clients: requests that come at once are answered in their order.

Carries HTTP/1.x between browser and app: asyncio protocols around `wire` and `bodies`. Bytes of
bodies pass as they come; when one side does not read, the other is not read either.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from reloader.proxy.exchange import Client, Exchange
from reloader.proxy.wire import HEAD_END, MOST_HEAD, MalformedError, parse_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.values import Seconds
    from reloader.proxy.exchange import App, Editor
    from reloader.proxy.wire import Request, Response

HEAD_TIME: Seconds = 10.0  # a client has this long to send a head
LINGER: Seconds = 2.0  # after the answer, what a client still sends is thrown away


class Site(Protocol):
    """Decides what becomes of each request."""

    def opened(self, link: BrowserLink) -> bool:
        """Notes a new client; returns False if there are too many."""

    def closed(self, link: BrowserLink) -> None:
        """Notes the end of a client's connection."""

    def route(self, link: BrowserLink, request: Request) -> Request | None:
        """Returns the request as the app is to get it; None if it has been answered."""

    def edit(self, request: Request, response: Response) -> Editor | None:
        """Returns what changes this response; None: nothing does."""

    def refusal(self, request: Request | None, status: int, why: str) -> bytes:
        """Returns a whole response that ends the connection."""


class BrowserLink(Client):
    """A connection of a client, which has one exchange at a time."""

    def __init__(self, site: Site, side: App) -> None:
        super().__init__()
        self.local_address = ""  # that the client has connected to
        self.on_close: Callable[[], None] | None = None  # of what has taken it over
        self._site = site
        self._side = side
        self._exchange: Exchange | None = None
        self._early = b""  # came before it can be used
        self._lingers = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]).encode() if peer else b"unknown"
        own = transport.get_extra_info("sockname")
        self.local_address = str(own[0]) if own else ""
        if not self._site.opened(self):
            self.abort()

    def _no_head(self) -> None:
        self._timer = None
        if self._early and self._exchange is None:
            self.refuse(None, 408, "the head of the request took too long")

    def data_received(self, data: bytes) -> None:
        if self.tunnel:
            self.tunnel(data)
        elif not self._lingers:
            self._take(self._early + data if self._early else data)

    def _take(self, data: bytes) -> None:
        """Uses as much of the data as can be used now, and keeps the rest."""
        self._early = b""
        try:
            while data and not self._lingers:
                if self.tunnel:
                    self.tunnel(data)
                    return
                if self._exchange is None:
                    rest = self._begin(data)
                elif self._exchange.is_requested:
                    rest = None
                else:
                    rest = self._exchange.take_body(data)
                    if rest is None:
                        return
                if rest is None:
                    self._early = data
                    break
                data = rest
        except MalformedError as error:
            if self._exchange:
                self._exchange.fail(error.status, error.why)
            else:
                self.refuse(None, error.status, error.why)
            return
        if self._exchange and len(self._early) > MOST_HEAD:
            self.pause()

    def _begin(self, data: bytes) -> bytes | None:
        """Begins the exchange of the next request; returns the rest, None if its head is cut."""
        while data.startswith(b"\r\n"):  # RFC 9112 section 2.2: older clients end a body with it
            data = data[2:]
        end = data.find(HEAD_END)
        if end < 0 or end > MOST_HEAD:
            if len(data) > MOST_HEAD:
                raise MalformedError(431, "the head is too large")
            if data and self._timer is None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(HEAD_TIME, self._no_head)
            return None if data else b""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        request = parse_request(data[:end])
        rest = data[end + 4 :]
        routed = self._site.route(self, request)
        if routed is None:  # answered
            if request.has_body and self.tunnel is None:
                self._end()
            return rest
        exchange = self._exchange = Exchange(self._side, self, routed)
        if rest and not exchange.is_requested:
            after = exchange.take_body(rest)
            rest = b"" if after is None else after
        self._side.assign(exchange)
        return rest

    def reply(self, response: bytes, *, closes: bool) -> None:
        """Answers without the app."""
        self.write(response)
        if closes:
            self._end()

    def edit(self, request: Request, response: Response) -> Editor | None:
        return self._site.edit(request, response)

    def refuse(self, request: Request | None, status: int, why: str) -> None:
        """Answers with an error and ends the connection."""
        self.reply(self._site.refusal(request, status, why), closes=True)

    def open_tunnel(self, to: Callable[[bytes], None]) -> None:
        """Passes all that comes from here on, whatever it is."""
        self.tunnel = to
        early, self._early = self._early, b""
        if early:
            to(early)
        if self.at_eof and self.partner:
            self.partner.write_eof()

    def finished(self, *, keeps: bool) -> None:
        """The exchange is over; `keeps`: the next request may come on this connection."""
        self._exchange = None
        if not keeps:
            self._end()
        elif self.at_eof and not self._early:
            self.close()
        else:
            early, self._early = self._early, b""
            self.resume()
            if early:
                self._take(early)

    def _end(self) -> None:
        """Ends the connection so that what was written arrives.

        To close at once would send a reset if the client is still sending, and the client would
        lose the answer.
        """
        self._exchange = None
        self._early = b""
        if self.at_eof or self._lingers:
            self.close()
            return
        self._lingers = True
        self.write_eof()
        self.resume()
        self._timer = asyncio.get_running_loop().call_later(LINGER, self.close)

    def eof_received(self) -> bool:
        self.at_eof = True
        if self.tunnel:
            return self.end_tunnel()
        return self._exchange is not None and self._exchange.client_is_done()

    def connection_lost(self, _: Exception | None) -> None:
        self.transport = None
        if self._timer:
            self._timer.cancel()
        if self._exchange:
            self._exchange.client_lost()
        if self.on_close:
            self.on_close()
        self._site.closed(self)
