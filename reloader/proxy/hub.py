"""The tabs that listen: each has one WebSocket, and is told each state once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reloader.proxy.websocket import BadFrameError, Reader, handshake, text_frame

if TYPE_CHECKING:
    from reloader.proxy.browser import BrowserLink
    from reloader.proxy.wire import Request

State = dict[str, Any]  # as it goes to the browser, in JSON

MOST_BEHIND = 4 << 20  # bytes a tab may leave unread before it is cut off; it comes back


class Hub:
    """Sends the state to all tabs, and to the dashboards more of it."""

    def __init__(self) -> None:
        self._tabs: dict[BrowserLink, bool] = {}  # True: a dashboard
        self._state = b""
        self._more = b""

    @property
    def tabs(self) -> int:
        return len(self._tabs)

    def show(self, state: State, more: State) -> None:
        """Tells all tabs the state, if it is another one; dashboards also get `more`."""
        frame, frame_more = _framed(state), _framed(state | more)
        for link, is_dashboard in list(self._tabs.items()):
            new, old = (frame_more, self._more) if is_dashboard else (frame, self._state)
            if new != old:
                self._send(link, new)
        self._state, self._more = frame, frame_more

    def join(self, link: BrowserLink, request: Request, *, is_dashboard: bool) -> bool:
        """Makes the connection a tab's; returns False if it is no WebSocket handshake."""
        accept = handshake(request)
        if not accept:
            return False
        reader = Reader()

        def take(data: bytes) -> None:
            try:
                answer, closes = reader.feed(data)
            except BadFrameError:
                link.abort()
                return
            if answer:
                link.write(answer)
            if closes:
                link.close()

        link.on_close = lambda: self._leave(link)
        self._tabs[link] = is_dashboard
        link.write(accept + (self._more if is_dashboard else self._state))
        link.open_tunnel(take)
        return True

    def _leave(self, link: BrowserLink) -> None:
        self._tabs.pop(link, None)

    def _send(self, link: BrowserLink, frame: bytes) -> None:
        if link.transport and link.transport.get_write_buffer_size() > MOST_BEHIND:
            link.abort()
        else:
            link.write(frame)


def _framed(message: State) -> bytes:
    return text_frame(json.dumps(message, separators=(",", ":")).encode())
