"""Terminal output as plain text and as coloured runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloader.problems.text import Run, plain, runs

CASES = {
    "colours": ("\x1b[1;31merror\x1b[0m: x", [Run("error", "bold red"), Run(": x")]),
    "256 colours": ("\x1b[38;5;9mred\x1b[39m", [Run("red")]),
    "a title": ("\x1b]0;evil\x07text", [Run("text")]),
    "a link": ("\x1b]8;;http://evil\x1b\\here\x1b]8;;\x1b\\", [Run("here")]),
    "clear the screen": ("\x1b[2J\x1b[Ha", [Run("a")]),
    "progress": ("10 %\r20 %\rdone", [Run("done")]),
    "a line of Windows": ("a\r\nb\r\n", [Run("a\nb\n")]),
    "right to left": ("a\u202eb\u2066c", [Run("abc")]),
    "a colour over lines": (
        "\x1b[32ma\nb\x1b[m",
        [Run("a", "green"), Run("\n"), Run("b", "green")],
    ),
    "markup": ("<script>alert(1)</script>", [Run("<script>alert(1)</script>")]),
}


@pytest.mark.parametrize("name", CASES)
def test_runs(name):
    """Colours become words, controls are gone, and the text is what a terminal would show."""
    text, expected = CASES[name]
    assert list(runs(text)) == expected
    assert plain(text) == "".join(run.text for run in expected)


@given(st.text(st.sampled_from("ab\n\r\b\x1b[]m0;31\x07\x00\u202e\t<"), max_size=60))
def test_nothing_but_text_comes_out(text):
    """No control is left but tabs and line ends, and both ways show the same."""
    shown = plain(text)
    assert all(char in "\n\t" or char.isprintable() for char in shown)
    assert "".join(run.text for run in runs(text)) == shown
