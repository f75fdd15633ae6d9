"""Decides on each request: refused, answered here, or sent to the app."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Protocol

from reloader import files
from reloader.proxy import access, html
from reloader.proxy.responses import CSS, HTML, JS, JSON, refusal, response

if TYPE_CHECKING:
    from reloader.proxy.browser import BrowserLink
    from reloader.proxy.exchange import Editor
    from reloader.proxy.hub import Hub
    from reloader.proxy.options import Options
    from reloader.proxy.responses import Failure
    from reloader.proxy.wire import Request, Response

PREFIX = "/__reloader/"  # an app that has this path itself does not get it
MOST_CLIENTS = 1024  # connections at once; a browser has a few dozen
ACTIONS = ("restart", "build", "pause", "resume")
ASSETS = {
    "client.js": JS,
    "dashboard.js": JS,
    "dashboard.css": CSS,
    "page.css": CSS,
}


class Desk(Protocol):
    """All that the pages are made from."""

    def status(self) -> bytes:
        """Returns how things stand, as JSON."""

    def version(self) -> str:
        """Returns the version of the app that answered last."""

    def failure(self, status: int, why: str) -> Failure:
        """Returns why no app answers, with the places that are to be mended."""

    def act(self, action: str) -> None:
        """Asks for one of ACTIONS."""

    def warn(self, text: str) -> None:
        """Tells the user."""


class ProxySite:
    """The site of one app."""

    def __init__(self, options: Options, hub: Hub, desk: Desk) -> None:
        self.requests = 0
        self._options = options
        self._hub = hub
        self._desk = desk
        self._clients: set[BrowserLink] = set()
        self._addresses = html.Addresses()
        self._prefix = PREFIX.encode()
        self._warned = ""
        self._assets = {name: _asset(name) for name in (*ASSETS, "dashboard.html")}

    # --- connections ---

    def opened(self, link: BrowserLink) -> bool:
        self._clients.add(link)
        return len(self._clients) <= MOST_CLIENTS

    def closed(self, link: BrowserLink) -> None:
        self._clients.discard(link)

    def abort_all(self) -> None:
        for link in list(self._clients):
            link.abort()

    # --- requests ---

    def route(self, link: BrowserLink, request: Request) -> Request | None:
        self.requests += 1
        trouble = access.host_trouble(request, link.local_address, self._options.allowed_hosts)
        if trouble:
            link.refuse(request, 403, trouble)
            return None
        if request.target.startswith(self._prefix):
            self._serve(link, request)
            return None
        return html.for_app(request) if html.is_document(request) else request

    def edit(self, request: Request, response: Response) -> Editor | None:
        hindrance = html.hindrance(request, response)
        if hindrance and hindrance != self._warned:
            self._warned = hindrance
            path = request.target.decode("ascii", "replace")
            self._desk.warn(f"{path} can't reload itself: {hindrance}")
        nonce = secrets.token_urlsafe(12).encode()
        return html.editor(request, response, self._addresses, nonce)

    def refusal(self, request: Request | None, status: int, why: str) -> bytes:
        return refusal(request, self._desk.failure(status, why), PREFIX)

    # --- the proxy's own pages ---

    def _serve(self, link: BrowserLink, request: Request) -> None:
        path, _, query = request.target[len(self._prefix) :].decode("latin-1").partition("?")
        if path.startswith("do/"):
            self._do(link, request, path[3:])
            return
        if trouble := access.read_trouble(request):
            link.refuse(request, 403, trouble)
        elif path == "events":
            if not self._hub.join(link, request, is_dashboard=query == "dashboard"):
                link.refuse(request, 400, "this address is for WebSockets")
        elif request.method not in (b"GET", b"HEAD"):
            link.refuse(request, 405, "only GET and HEAD are possible here")
        elif path == "status":
            self._answer(link, request, JSON, self._desk.status())
        elif path == "":
            self._answer(link, request, HTML, self._assets["dashboard.html"])
        elif path in ASSETS:
            self._answer(link, request, ASSETS[path], self._asset(path))
        else:
            link.refuse(request, 404, f"{PREFIX} has no {path}")

    def _do(self, link: BrowserLink, request: Request, action: str) -> None:
        if trouble := access.action_trouble(request):
            link.refuse(request, 403, trouble)
        elif action not in ACTIONS:
            link.refuse(request, 404, f"there is no action {action}")
        else:
            self._desk.act(action)
            self._answer(link, request, JSON, b'{"asked": true}', status=202)

    def _asset(self, name: str) -> bytes:
        """Returns a file; the client's script knows the version of the app that it came with."""
        return self._assets[name].replace(b"%VERSION%", self._desk.version().encode())

    @staticmethod
    def _answer(
        link: BrowserLink, request: Request, kind: str, body: bytes, status: int = 200
    ) -> None:
        closes = not (request.keeps_alive and request.is_11)
        is_head = request.method == b"HEAD"
        link.reply(response(status, kind, body, closes=closes, is_head=is_head), closes=closes)


def _asset(name: str) -> bytes:
    return files.read(os.path.join(os.path.dirname(__file__), "assets", name))
