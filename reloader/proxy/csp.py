"""The smallest change to a Content-Security-Policy that lets the client's script live. Pure.

Exact addresses are added, so that nothing else of the page becomes allowed and what breaks the
project's own policy still shows. A nonce is used only beside 'strict-dynamic', where addresses do
not count; elsewhere it would switch 'unsafe-inline' off.
"""

from __future__ import annotations

from typing import NamedTuple

Words = list[bytes]


class Loosened(NamedTuple):
    """The new policy; `needs_nonce`: the script tag must carry it."""

    policy: bytes
    needs_nonce: bool


def loosen(policy: bytes, script: bytes, events: bytes, nonce: bytes) -> Loosened:
    """Returns the policies of one header field with `script` and `events` (addresses) allowed."""
    policies = []
    needs_nonce = False
    for one in policy.split(b","):
        directives = _directives(one)
        needs_nonce |= _allow_script(directives, script, nonce)
        _allow_connection(directives, events)
        changed = directives != _directives(one)
        text = b"; ".join(b" ".join((name, *words)) for name, words in directives.items())
        policies.append(text if changed else one)
    return Loosened(b",".join(policies), needs_nonce)


def is_sandbox(policy: bytes) -> bool:
    """Returns True if no script of the page's own origin can run under it."""
    needed = {b"allow-scripts", b"allow-same-origin"}
    boxes = [_directives(one).get(b"sandbox") for one in policy.split(b",")]
    return any(box is not None and not needed <= {w.lower() for w in box} for box in boxes)


def _directives(policy: bytes) -> dict[bytes, Words]:
    """The first of each name counts, as in browsers."""
    found: dict[bytes, Words] = {}
    for part in policy.split(b";"):
        if words := part.split():
            found.setdefault(words[0].lower(), words[1:])
    return found


def _allow_script(directives: dict[bytes, Words], script: bytes, nonce: bytes) -> bool:
    """Returns True if the tag needs the nonce."""
    names = (b"script-src-elem", b"script-src", b"default-src")
    name = next((name for name in names if name in directives), None)
    if name is None:
        return False
    words = directives[name]
    is_strict = b"'strict-dynamic'" in words
    if not is_strict and _has_self(words):
        return False
    added = b"'nonce-" + nonce + b"'" if is_strict else script
    to = b"script-src" if name == b"default-src" else name
    directives[to] = [*_without_none(words), added]
    return is_strict


def _allow_connection(directives: dict[bytes, Words], events: bytes) -> None:
    name = next((name for name in (b"connect-src", b"default-src") if name in directives), None)
    if name and not _has_self(directives[name]):
        directives[b"connect-src"] = [*_without_none(directives[name]), events]


def _has_self(words: Words) -> bool:
    return b"'self'" in words or b"*" in words


def _without_none(words: Words) -> Words:
    return [word for word in words if word.lower() != b"'none'"]
