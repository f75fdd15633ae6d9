"""The proxy's own thread: joins the gate, the connections, the tabs and what they are shown."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from reloader import threads
from reloader.core.facts import BecameReady, Noticed
from reloader.core.news import (
    AppExited,
    AppNotReady,
    ChangeSeen,
    ProxyStarted,
    RuleSucceeded,
    Warned,
)
from reloader.proxy import ports, shown
from reloader.proxy.board import Board
from reloader.proxy.browser import BrowserLink
from reloader.proxy.gate import Door, Route
from reloader.proxy.hub import Hub
from reloader.proxy.responses import Failure
from reloader.proxy.site import ProxySite
from reloader.proxy.upstream import Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reloader.core.facts import Fact
    from reloader.core.news import News
    from reloader.core.values import Seconds, Ticket
    from reloader.core.view import Snapshot
    from reloader.proxy.options import Options

BACKLOG = 1024  # connections that wait to be accepted: what a browser and a load test open at once
_CLOSING_TURNS = 5  # of the loop: to accept, to abort, to tell the other side, and one to spare
RETRY_PORT: Seconds = 1.0  # a port that is taken is tried again
STYLES = (".css", ".scss", ".sass", ".less", ".styl", ".pcss")
_LOCAL = ("127.0.0.1", "::1", "0.0.0.0", "::")  # noqa: S104 -- localhost reaches all of them


class Desk:
    """Everything here runs on the loop of the proxy's thread."""

    def __init__(
        self, options: Options, run: str, tell: Callable[[Fact], None], act: Callable[[str], None]
    ) -> None:
        self._options = options
        self._run = run  # tells this run's versions of the app from another run's
        self._tell = tell
        self._act = act
        self._board = Board()
        self._snapshot: Snapshot | None = None
        self._answered = f"{run}-0"  # of the app that answered last: a page of another one is old
        self._styles = 0  # rises when stylesheets have changed and nothing else
        self._refreshes = 0  # rises when something else has changed that needs no new app
        self._only_styles = False  # the change that a refreshing rule is about
        self._hub = Hub()
        self._shown: shown.Shown = ()
        self._upstream = Upstream(
            *(options.app_port, options.patience, options.no_hold),
            *(self._gate_moved, self._became_ready),
        )
        self._site = ProxySite(options, self._hub, self)
        self._server: asyncio.Server | None = None

    # --- the port ---

    async def listen(self) -> None:
        """Opens the port; one that is taken is told once, and tried until it is free."""
        loop = asyncio.get_running_loop()
        options = self._options
        is_told = False
        while self._server is None:
            try:
                self._server = await loop.create_server(
                    self._link, options.host, options.port, backlog=BACKLOG
                )
            except (OSError, RuntimeError) as error:  # a name is looked up in a thread
                if not is_told:
                    lack = isinstance(error, RuntimeError)
                    why = threads.LACK if lack else f"{error} ({ports.owner(options.port)})"
                    text = (
                        f"the proxy can't listen on {options.host}:{options.port}: "
                        f"{why}; tried again each second"
                    )
                    self._tell(Noticed(Warned(text)))
                    is_told = True
                await asyncio.sleep(RETRY_PORT)
        port = self._server.sockets[0].getsockname()[1]
        name = "localhost" if options.host in _LOCAL else options.host
        self._tell(Noticed(ProxyStarted(f"http://{name}:{port}", options.app_port)))

    def _link(self) -> BrowserLink:
        return BrowserLink(self._site, self._upstream)

    async def close(self) -> None:
        """Ends all connections; those that are just being made, too."""
        if self._server:
            loop = asyncio.get_running_loop()
            for listener in self._server.sockets:
                loop.remove_reader(listener)
            # asyncio loses the socket of a connection that it has accepted but not yet given a
            # transport when the server closes: two turns later each has one.
            for _ in range(2):
                await asyncio.sleep(0)
            self._server.close()
        for _ in range(_CLOSING_TURNS):
            self._site.abort_all()
            self._upstream.abort_all()
            await asyncio.sleep(0)

    # --- from the main thread ---

    def feed(self, heard: Sequence[tuple[News, str]], snapshot: Snapshot) -> None:
        """Takes news, each with the output that belongs to it, and how things stand after it."""
        self._snapshot = snapshot
        options = self._options
        for news, output in heard:
            self._board = self._board.after(news, time.time(), output)
            if isinstance(news, AppNotReady) and self._upstream.gate.door is Door.CLOSED:
                why = f"the app does not answer on port {self._options.app_port}"
                self._upstream.set(Route(Door.BROKEN, None, f"{why} after {news.seconds:.3g} s"))
            elif isinstance(news, AppExited):
                self._upstream.expect(None)
            elif isinstance(news, ChangeSeen) and news.rule in options.refreshing:
                self._only_styles = news.count == 1 and news.path.endswith(STYLES)
            elif isinstance(news, RuleSucceeded) and news.rule in options.refreshing:
                self._refresh()
        self._show()

    def _refresh(self) -> None:
        """Swaps the stylesheets if one of them has changed, and loads the pages again otherwise."""
        if self._only_styles:
            self._styles += 1
        else:
            self._refreshes += 1

    def route(self, route: Route) -> None:
        self._upstream.set(route)

    def expect(self, ticket: Ticket) -> None:
        self._upstream.expect(ticket)

    def drain(self, drained: Callable[[], None]) -> None:
        self._upstream.drain(drained)

    # --- of the app ---

    def _became_ready(self, ticket: Ticket, address: str) -> None:
        self._tell(BecameReady(ticket, address))

    def _gate_moved(self) -> None:
        gate = self._upstream.gate
        if gate.door is Door.OPEN:
            self._answered = f"{self._run}-{gate.ticket}"
        self._show()

    # --- to the browser ---

    def _show(self) -> None:
        """Tells the tabs how things stand."""
        gate, options, snapshot = self._upstream.gate, self._options, self._snapshot
        if gate.door is Door.OPEN and snapshot and snapshot.failure is None:
            self._board = self._board.mended()
        if self._board.troubles != tuple(one.trouble for one in self._shown):
            self._shown = shown.prepare(self._board.troubles, options)
        state = {
            "type": "state",
            "version": self.version(),
            "styles": self._styles,
            "door": gate.door.value,
            "why": gate.why,
            "overlay": options.overlay,
            "troubles": [one.message for one in self._shown],
        }
        self._hub.show(state, shown.dashboard(self._board, snapshot))

    # --- for the site ---

    def version(self) -> str:
        return f"{self._answered}.{self._refreshes}"

    def act(self, action: str) -> None:
        self._act(action)

    def warn(self, text: str) -> None:
        self._tell(Noticed(Warned(text)))

    def failure(self, status: int, why: str) -> Failure:
        places = tuple(place for one in self._shown for place in one.places)
        return Failure(status, why, self.version(), places)

    def status(self) -> bytes:
        gate = self._upstream.gate
        told = {
            "ready": gate.door is Door.OPEN,
            "door": gate.door.value,
            "why": gate.why,
            "held": self._upstream.held,
            "tabs": self._hub.tabs,
            "requests": self._site.requests,
            "troubles": [one.message for one in self._shown],
            **(self._snapshot.as_json() if self._snapshot else {}),
        }
        return json.dumps(told).encode()
