"""One request and its response, between a client and the app."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reloader.proxy.bodies import body_of
from reloader.proxy.links import Link
from reloader.proxy.wire import (
    HEAD_END,
    MOST_HEAD,
    Framing,
    MalformedError,
    parse_response,
    request_bytes,
    response_bytes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.proxy.bodies import Body
    from reloader.proxy.links import AppLink
    from reloader.proxy.wire import Request, Response

MOST_WAITING_BODY = 1 << 20  # bytes of a body that are read while its request waits
MOST_REPLAYS = 5  # times one request is sent again, whatever happens to the app


class Editor(Protocol):
    """Makes the response's bytes for the client, head included, from the data in its body."""

    def feed(self, data: bytes, *, is_last: bool) -> bytes: ...


class App(Protocol):
    """All that an exchange asks of the app's side."""

    def assign(self, exchange: Exchange) -> None:
        """Gives the exchange a connection to the app by `exchange.begin`, now or later."""

    def leave(self, exchange: Exchange) -> None:
        """Forgets an exchange that waits for a connection."""

    def grow(self, exchange: Exchange) -> None:
        """Notes that more of the body of a request that waits has come."""

    def over(self, exchange: Exchange) -> None:
        """Notes that an exchange has ended, well or not."""

    def keep(self, link: AppLink) -> None:
        """Takes a connection to the app that is free for the next exchange."""

    def stale(self, link: AppLink) -> bool:
        """Returns True if the app at the other end has been asked to stop, or has ended."""


class Client(Link):
    """The connection that the request came on, as its exchange sees it."""

    address = b""  # of the client

    def edit(self, request: Request, response: Response) -> Editor | None:
        """Returns what changes this response; None if nothing does."""
        raise NotImplementedError

    def refuse(self, request: Request | None, status: int, why: str) -> None:
        """Answers with an error and ends the connection."""
        raise NotImplementedError

    def finished(self, *, keeps: bool) -> None:
        """Takes the news that the exchange is over; `keeps`: another may follow."""
        raise NotImplementedError

    def open_tunnel(self, to: Callable[[bytes], None]) -> None:
        """Passes all that comes from here on, whatever it is."""
        raise NotImplementedError


class Exchange:
    """One request and its response."""

    def __init__(self, side: App, client: Client, request: Request) -> None:
        self.request = request
        self.response: Response | None = None  # the final one, once its head has come
        self.app: AppLink | None = None
        self.is_held = False  # the gate is closed: set by the site
        self._side = side
        self._client = client
        self._sending: Body | None = body_of(request) if request.has_body else None
        self._unsent = b""  # of the body, while there is no connection to the app
        self._receiving: Body | None = None
        self._editor: Editor | None = None
        self._head = b""  # of the response, while it is cut
        self._replays = 0
        self._closes = False  # the client's connection ends with the response

    @property
    def is_requested(self) -> bool:
        """True if the whole request has come from the client."""
        return self._sending is None

    @property
    def waiting_bytes(self) -> int:
        return len(self._unsent)

    # --- from the client ---

    def take_body(self, data: bytes) -> bytes | None:
        """Takes the request's body; returns what comes after it, None while it goes on."""
        if self._sending is None:
            return data
        part, rest = self._sending.feed(data)
        if self._sending.is_over:
            self._sending = None
        if self.app:
            self.app.write(part)
        else:
            self._unsent += part
            if len(self._unsent) > MOST_WAITING_BODY:
                self._client.pause()
            if self.is_held:
                self._side.grow(self)
        return rest

    def client_is_done(self) -> bool:
        """The client sends no more; returns True if it may still read."""
        return not self.is_held and self.is_requested

    def client_lost(self) -> None:
        self._side.leave(self)
        app, self.app = self.app, None
        if app and app.tunnel:
            app.exchange = None
            app.close()
        elif app:
            self._drop(app)
        self._side.over(self)

    @staticmethod
    def _drop(app: AppLink) -> None:
        app.exchange = None
        app.part()
        app.abort()

    # --- to and from the app ---

    def begin(self, app: AppLink) -> None:
        """Sends the request, or as much of it as has come, to the app."""
        self.is_held = False
        self.app = app
        app.exchange = self
        self._client.resume()
        app.join(self._client)
        app.write(request_bytes(self.request, self._client.address, b"http") + self._unsent)
        self._unsent = b""

    def take_response(self, data: bytes) -> None:
        try:
            self._take_response(data)
        except MalformedError as error:
            self.fail(502, f"the app's answer is no HTTP/1.1: {error.why}")

    def _take_response(self, data: bytes) -> None:
        head = b""
        if self._receiving is None:
            begun = self._begin_response(data)
            if begun is None:
                return
            head, data = begun
        body = self._receiving
        if body is None:
            return
        part, rest = (b"", data) if body.is_over else body.feed(data)
        if self._editor:
            out = self._editor.feed(part, is_last=rest is not None)
        else:
            out = head + part if head else part
        if out:
            self._client.write(out)
        if rest is not None:
            self._finish(is_exact=not rest)

    def _begin_response(self, data: bytes) -> tuple[bytes, bytes] | None:
        """Returns the head for the client and what comes after it; None if it is still cut."""
        request = self.request
        while True:
            head, found, rest = (self._head + data).partition(HEAD_END)
            self._head = b""
            if not found or len(head) > MOST_HEAD:
                if len(head) > MOST_HEAD:
                    raise MalformedError(502, "its head is too large")
                self._head = head
                return None
            response = parse_response(head, request.method)
            data = rest
            if response.status == 101:
                self._switch(response, data)
                return None
            if response.status >= 200:
                break
            if request.is_11:
                self._client.write(response_bytes(response))
        self.response = response
        self._editor = self._client.edit(request, response)
        self._receiving = body_of(response, unframed=self._editor is not None)
        delimited = response.framing is Framing.CLOSE and self._editor is None
        self._closes = delimited or not (request.keeps_alive and request.is_11)
        if self._editor:
            return b"", data
        return response_bytes(response, closes=self._closes), data

    def _switch(self, response: Response, data: bytes) -> None:
        """Both ends speak another protocol from here on; their bytes pass as they are."""
        app, client = self.app, self._client
        if not self.request.upgrade or app is None:
            raise MalformedError(502, "it changes the protocol unasked")
        self.response = response
        app.tunnel = client.write
        client.write(response_bytes(response) + data)
        self._side.over(self)
        client.open_tunnel(app.write)

    def _finish(self, *, is_exact: bool) -> None:
        """The response is whole; `is_exact`: nothing came after it."""
        app, response = self.app, self.response
        is_early = self._sending is not None  # answered before the request was whole
        if app and response:
            app.exchange = None
            app.part()
            app.resume()
            app.is_used = True
            if response.keeps_alive and is_exact and not is_early and app.is_up:
                self._side.keep(app)
            elif is_early:
                app.abort()
            else:
                app.close()
        self.app = None
        self._side.over(self)
        self._client.finished(keeps=not (self._closes or is_early))

    def app_lost(self, *, is_clean: bool) -> None:
        """The connection to the app has ended before the response was whole."""
        app, self.app = self.app, None
        client = self._client
        if app:
            app.exchange = None
            if app.tunnel is None:
                app.part()
        if app and app.tunnel:
            client.close()
        elif self._receiving and self.response and self.response.framing is Framing.CLOSE:
            if is_clean:
                if self._editor:
                    client.write(self._editor.feed(b"", is_last=True))
                self._finish(is_exact=True)
            else:
                client.abort()
        elif self.response or self._head:
            self.fail(502, "the app broke off its answer")
        elif app and self._may_replay(app):
            self._side.assign(self)
        else:
            self.fail(502, "the app closed the connection without an answer")

    def _may_replay(self, app: AppLink) -> bool:
        """Once on a fresh connection; more often if the app had every reason to close it."""
        had_reason = app.is_used or self._side.stale(app)
        self._replays += 1
        return self.request.is_replayable and self._replays <= (MOST_REPLAYS if had_reason else 1)

    def fail(self, status: int, why: str) -> None:
        """Answers with an error; a client that has got a part is cut off, so that it knows."""
        self._side.leave(self)
        app, self.app = self.app, None
        if app:
            self._drop(app)
        self._side.over(self)
        if self.response:
            self._client.abort()
        else:
            self._client.refuse(self.request, status, why)
