"""The proxy's own responses. Pure.

All of them are for this origin alone, and no cache keeps them.
"""

from __future__ import annotations

import html
import json
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from reloader.proxy.html import is_document

if TYPE_CHECKING:
    from reloader.proxy.wire import Request

JS = "text/javascript; charset=utf-8"
CSS = "text/css; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
SVG = "image/svg+xml"

_OURS = (
    "Cache-Control: no-store\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Referrer-Policy: no-referrer\r\n"
)
# Its own script, style and channel, and nothing else; no page may frame it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{script}<link rel="stylesheet" href="{prefix}page.css">
</head>
<body><main><h1>{title}</h1><p>{why}</p><p class="aside">{aside}</p></main></body>
</html>
"""


def response(  # noqa: PLR0913 -- the parts of a response
    status: int,
    kind: str,
    body: bytes,
    *,
    closes: bool = False,
    fields: str = "",
    is_head: bool = False,
) -> bytes:
    """Returns a whole response; `fields` are more header lines, each with its line end."""
    if kind == HTML:
        fields += f"Content-Security-Policy: {_POLICY}\r\n"
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {len(body)}\r\n{_OURS}{fields}"
        + ("Connection: close\r\n" if closes else "")
        + "\r\n"
    )
    return head.encode() + (b"" if is_head else body)


class Failure(NamedTuple):
    """The reason why a request does not reach the app; `version`: of the app that answered last."""

    status: int
    why: str
    version: str = ""
    places: tuple[str, ...] = ()  # of the problems that keep the app from running


def refusal(request: Request | None, failure: Failure, prefix: str) -> bytes:
    """Returns the answer to such a request; it ends the connection.

    A page that there is no app for comes back by itself once a newer version answers.
    """
    status, why = failure.status, failure.why
    later = "Retry-After: 1\r\n" if status == 503 else ""
    is_head = request is not None and request.method == b"HEAD"
    if request is None or not is_document(request):
        told = {"error": why, "status": status, "places": failure.places}
        body = json.dumps(told).encode()
        return response(status, JSON, body, closes=True, fields=later, is_head=is_head)
    script = aside = ""
    title = HTTPStatus(status).phrase
    if status in (502, 503):
        waits = html.escape(failure.version, quote=True)
        script = f'<script src="{prefix}client.js" data-waits="{waits}"></script>\n'
        title, aside = "No app answers", "This page comes back by itself with the app."
    page = _PAGE.format(
        title=title, script=script, prefix=prefix, why=html.escape(why), aside=aside
    )
    return response(status, HTML, page.encode(), closes=True, fields=later, is_head=is_head)
