"""Connections of the proxy, and the two that are joined: one slows the other down."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

READ_SIZE = 256 << 10  # bytes a read; asyncio's own default
WRITE_HIGH = 1 << 20  # bytes that wait to be written: then the other side is not read


class Link(asyncio.Protocol):
    """A connection, and the partner that is not read while this one can't be written."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.partner: Link | None = None
        self.tunnel: Callable[[bytes], None] | None = None  # gets what comes after an upgrade
        self.is_full = False  # more than WRITE_HIGH waits to be written
        self.at_eof = False  # the other end sends no more

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if hasattr(transport, "max_size"):
            transport.max_size = READ_SIZE
        self.transport.set_write_buffer_limits(WRITE_HIGH, WRITE_HIGH // 4)

    @property
    def is_up(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()

    def write(self, data: bytes) -> None:
        if self.transport and not self.transport.is_closing():
            self.transport.write(data)

    def write_eof(self) -> None:
        if self.transport and self.is_up and self.transport.can_write_eof():
            self.transport.write_eof()

    def pause(self) -> None:
        if self.transport and self.is_up:
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.transport and self.is_up:
            self.transport.resume_reading()

    def close(self) -> None:
        if self.transport:
            self.transport.close()

    def abort(self) -> None:
        if self.transport:
            self.transport.abort()

    def join(self, partner: Link) -> None:
        """Makes the two slow each other down from here on."""
        self.partner, partner.partner = partner, self
        if partner.is_full:
            self.pause()

    def part(self) -> None:
        """Undoes `join`; the partner reads again."""
        if self.partner:
            self.partner.partner = None
            self.partner.resume()
            self.partner = None

    def pause_writing(self) -> None:
        self.is_full = True
        if self.partner:
            self.partner.pause()

    def resume_writing(self) -> None:
        self.is_full = False
        if self.partner:
            self.partner.resume()

    def end_tunnel(self) -> bool:
        """Passes on that the other end sends no more; returns True if this end may still write."""
        self.at_eof = True
        if self.partner is None or self.partner.at_eof:
            if self.partner:
                self.partner.close()
            return False
        self.partner.write_eof()
        return True


class Taker(Protocol):
    """An exchange, as the connection to the app sees it."""

    def take_response(self, data: bytes) -> None: ...

    def app_lost(self, *, is_clean: bool) -> None:
        """The connection has ended; `is_clean`: not by a reset."""


class AppLink(Link):
    """A connection to the app. Without an exchange it is free, and `lost` is told of its end."""

    def __init__(self, ticket: int | None, lost: Callable[[AppLink], None]) -> None:
        super().__init__()
        self.ticket = ticket  # of the generation of the app at the other end
        self.exchange: Taker | None = None
        self.is_used = False  # it has carried an exchange: the app may close it at any time
        self._lost = lost

    def data_received(self, data: bytes) -> None:
        if self.tunnel:
            self.tunnel(data)
        elif self.exchange:
            self.exchange.take_response(data)
        else:
            self.abort()  # nothing was asked

    def eof_received(self) -> bool:
        return self.tunnel is not None and self.end_tunnel()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self.exchange:
            self.exchange.app_lost(is_clean=exc is None)
        else:
            self._lost(self)
