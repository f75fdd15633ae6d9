"""What keys ask for, with virtual time."""

from __future__ import annotations

import pytest

from reloader.core.facts import Noticed, Requested, SignalReceived
from reloader.core.news import KeysOffered
from reloader.core.values import Request, Wish
from reloader.terminal.keys import Keys

RESTART, BUILD, PAUSE, QUIT = (
    *(Requested(Request(wish)) for wish in (Wish.RESTART, Wish.BUILD, Wish.TOGGLE_PAUSE)),
    SignalReceived(15),
)


def typed(*keys: tuple[float, bytes]) -> list:
    """All that these keys, typed at these times, ask for."""
    it = Keys()
    return [fact for now, data in keys for fact in it.typed(data, now)]


@pytest.mark.parametrize(
    ("key", "fact"), [(b"r", RESTART), (b"b", BUILD), (b"p", PAUSE), (b"q", QUIT), (b"\n", RESTART)]
)
def test_a_key(key, fact):
    """Each means one thing."""
    assert typed((0, key)) == [fact]


def test_help():
    """A few short lines, of nothing but text."""
    facts = typed((0, b"h"))
    assert 2 < len(facts) < 7
    assert all(isinstance(fact, Noticed) for fact in facts)
    lines = [fact.news for fact in facts]
    assert all(isinstance(line, KeysOffered) and len(line.text) < 72 for line in lines)


@pytest.mark.parametrize(
    "keys",
    [
        [(0, b"rs\n")],
        [(0, b"r"), (0.4, b"s"), (0.9, b"\n")],
        [(0, b"r"), (1, b"\n")],
    ],
    ids=["pasted", "typed", "r and Enter"],
)
def test_the_enter_of_rs_is_no_second_restart(keys):
    """The r was one; whatever follows on its line is none."""
    assert typed(*keys) == [RESTART]


def test_an_enter_long_after_is_one_of_its_own():
    """So is one after another Enter."""
    assert typed((0, b"r"), (5, b"\n"), (5.1, b"\n")) == [RESTART] * 3
    assert typed((0, b"rs\n"), (1, b"rs\n"), (1.5, b"\n")) == [RESTART] * 3


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"R",
        b"\x04",
        b"\x00",
        b"\xc3\xa9",
        b"\x1b",
        b"\x1b[A",
        b"\x1bOq",
        b"\x1bq",
        b"\x1b[1;5q",
    ],
)
def test_other_keys_ask_for_nothing(data):
    """Letters, control characters, arrows, the keypad, Alt with a letter of ours."""
    assert typed((0, data)) == []


def test_what_is_pasted_asks_for_nothing():
    """Nobody types a paragraph at once."""
    assert typed((0, b"quite a bad paragraph\n")) == []
