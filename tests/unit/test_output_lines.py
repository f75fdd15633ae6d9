"""The output of a process on its way out, as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloader.output.lines import KEPT, LONG, Marker, Tail


@given(st.lists(st.binary(max_size=40)))
def test_without_a_mark_nothing_changes(pieces):
    """Bytes come out as they went in."""
    marker = Marker(b"")
    assert b"".join(map(marker.feed, pieces)) + marker.end() == b"".join(pieces)


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b"d\ne"]), max_size=12))
def test_each_line_has_its_mark(pieces):
    """However the text is cut into pieces, every line has the mark once, and none is lost."""
    marker, whole = Marker(b"api | "), b"".join(pieces)
    out = b"".join(map(marker.feed, pieces)) + marker.end()
    lines = whole.removesuffix(b"\n").split(b"\n") if whole else []
    assert out == b"".join(b"api | " + line + b"\n" for line in lines)


def test_a_line_that_does_not_end():
    """It comes out when it is flushed; the rest of it has no second mark."""
    marker = Marker(b"api | ")
    assert marker.feed(b"one\nname? ") == b"api | one\n"
    assert marker.is_holding
    assert marker.flush() == b"api | name? "
    assert marker.feed(b"Ada\ntwo\n") == b"Ada\napi | two\n"
    assert marker.end() == b""


def test_a_line_and_its_end_come_out_together():
    """As print() writes them; a long line without an end is not held back."""
    marker = Marker(b"")
    assert marker.feed(b"one\ntwo") == b"one\n"
    assert marker.feed(b"\n") == b"two\n"
    assert marker.feed(b"x" * LONG) == b""
    assert marker.feed(b"y") == b"x" * LONG + b"y"


@pytest.mark.parametrize("size", [10, KEPT, 5 * KEPT])
def test_a_tail_keeps_the_end(size):
    """No more than the last part is kept, and its end is the end of the output."""
    tail, data = Tail(), bytes(97 + i % 26 for i in range(size))
    for at in range(0, size, 7):
        tail.add(data[at : at + 7])
    assert tail.text() == data[-KEPT:].decode()
