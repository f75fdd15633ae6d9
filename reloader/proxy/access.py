"""Decides who may use the proxy and its own pages. Pure.

Any web page that is open in a browser can send requests to a port of this machine. It can't set
`Host`, `Origin` and `Sec-Fetch-Site`, which tell it from the project's own pages.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reloader.proxy.wire import Request


def host_name(field: bytes) -> str:
    """Returns the name in a Host field: lower case, no port, no brackets, no dot at the end."""
    text = field.decode("latin-1").strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].rstrip(".")


def host_trouble(request: Request, local_address: str, allowed: Sequence[str]) -> str:
    """Returns why this Host is refused, "" if it is not.

    `local_address` is where the connection arrived, so an address of ours counts only there.
    Otherwise a foreign name that resolves to this machine (DNS rebinding) would open the app to
    the site that has it.
    """
    field = request.values.get(b"host")
    if field is None:  # HTTP/1.0, which no browser speaks
        return ""
    name = host_name(field)
    if name == "localhost" or name.endswith(".localhost"):
        return ""
    if any(name == one or (one[:1] == "." and name.endswith(one)) for one in allowed):
        return ""
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return f'host {name!r} is not allowed: add it to proxy.allowed_hosts = ["{name}"]'
    if not address.is_unspecified and (address.is_loopback or str(address) == local_address):
        return ""
    return f"the address {name} is not one that the proxy listens on"


def is_own_origin(request: Request) -> bool:
    """Returns True if a page of this very host and port has sent it; "null" is nobody's."""
    origin = request.values.get(b"origin", b"")
    return origin.partition(b"://")[2] == request.values.get(b"host") and bool(origin)


def read_trouble(request: Request) -> str:
    """Returns why the proxy's own pages are not given, "" if they are."""
    site = request.values.get(b"sec-fetch-site")
    if site not in (None, b"same-origin", b"none"):
        return "pages of another site may not read this"
    if b"origin" in request.values and not is_own_origin(request):
        return "pages of another origin may not read this"
    return ""


def action_trouble(request: Request) -> str:
    """Returns why nothing is done for this request, "" if it may be.

    The field X-Reloader forces a browser to ask first whether another site may send it, which is
    never answered.
    """
    if request.method != b"POST":
        return "an action needs POST"
    if trouble := read_trouble(request):
        return trouble
    if not is_own_origin(request) or request.values.get(b"x-reloader") != b"1":
        return "an action needs the page's own Origin and the field X-Reloader: 1"
    return ""
