"""Content security policies: the script lives, and nothing else becomes allowed."""

from __future__ import annotations

import pytest

from reloader.proxy.csp import is_sandbox, loosen

JS, WS = b"http://h/__reloader/client.js", b"ws://h/__reloader/events"
CASES = {
    b"default-src 'self'": None,
    b"script-src *; connect-src 'self'": None,
    b"img-src 'none'": None,
    b"require-trusted-types-for 'script'; style-src 'none'": None,
    b"default-src 'none'": b"default-src 'none'; script-src JS; connect-src WS",
    b"script-src 'none'": b"script-src JS",
    b"script-src 'sha256-x'; connect-src https://api.test": (
        b"script-src 'sha256-x' JS; connect-src https://api.test WS"
    ),
    b"script-src 'self'; script-src-elem 'none'": b"script-src 'self'; script-src-elem JS",
    b"script-src 'unsafe-inline'": b"script-src 'unsafe-inline' JS",
    b"script-src 'nonce-a' 'strict-dynamic'": b"script-src 'nonce-a' 'strict-dynamic' 'nonce-N'",
    b"DEFAULT-SRC 'None', default-src 'self'": (
        b"default-src 'None'; script-src JS; connect-src WS, default-src 'self'"
    ),
}


@pytest.mark.parametrize("policy", CASES)
def test_the_smallest_change(policy):
    """A policy that lets the script live is not touched; another gets exact addresses only."""
    loosened = loosen(policy, JS, WS, b"N")
    expected = CASES[policy] or policy
    assert loosened.policy == expected.replace(b"JS", JS).replace(b"WS", WS)
    assert loosened.needs_nonce is (b"strict-dynamic" in policy)


def test_a_nonce_never_switches_inline_scripts_off():
    """Beside 'unsafe-inline' a nonce would forbid the page's own scripts, so there is none."""
    assert b"nonce" not in loosen(b"script-src 'unsafe-inline'", JS, WS, b"N").policy


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (b"sandbox", True),
        (b"sandbox allow-scripts", True),
        (b"default-src 'self', sandbox", True),
        (b"sandbox allow-scripts allow-same-origin", False),
        (b"default-src 'self'", False),
    ],
)
def test_sandbox(policy, expected):
    """A sandbox without scripts of its own origin can't be helped, and is known."""
    assert is_sandbox(policy) is expected
