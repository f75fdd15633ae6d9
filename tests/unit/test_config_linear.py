"""Patterns are searched in time that grows with the text, and mean what they mean to `re`."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloader.config.linear import Linear, UnsupportedError
from reloader.config.regex import RegexError, compiled

ATOMS = (
    "a",
    "b",
    "[ab]",
    "[^a]",
    ".",
    "(?:ab|b)",
    "(a|b|)",
    r"\w",
    "(?i:A)",
    "/",
    "(?:a*b)",
    r"\.",
)
PLACES = ("^", "$", r"\b", r"\A", r"\Z")
REPEATS = ("", "", "*", "+", "?", "{2}", "{1,2}", "{0,3}", "*?", "{2,}", "{,2}")
PARTS = st.one_of(
    st.sampled_from(PLACES),
    st.builds(str.__add__, st.sampled_from(ATOMS), st.sampled_from(REPEATS)),
)
BRANCHES = st.lists(PARTS, min_size=1, max_size=4).map("".join)
PATTERNS = st.lists(BRANCHES, min_size=1, max_size=2).map("|".join)


@given(PATTERNS, st.text("abcA/. ", max_size=8))
def test_it_means_what_it_means_to_re(pattern: str, text: str) -> None:
    """Anywhere and as a whole."""
    regex, linear = re.compile(pattern), Linear(pattern)
    assert linear.search(text) == bool(regex.search(text))
    assert linear.fullmatch(text) == bool(regex.fullmatch(text))


SLOW = (
    r"(a+)+$",
    r"(a*)*b",
    r"(a|aa)+$",
    r"(\w+\s?)*$b",
    r"(?P<n>\d*a*)*b",
    r"x|(a?){2,}b",
    ".*a" * 25 + "b$",
    "^" + "a?" * 30 + "a" * 30 + "b",
    "^" + "[a-z]*" * 12 + "1",
    "^(a|a|aa)*b",
    "(?i)" + ".*A" * 9 + "[[:digit:]]{2}",
    ".*a.*b",
)


@pytest.mark.parametrize("pattern", SLOW)
@pytest.mark.parametrize("text", ["a" * 60, "a" * 4000, "a/" * 2000], ids=["60", "4000", "deep"])
def test_no_search_takes_long(pattern: str, text: str) -> None:
    """With `re` most of these take hours; the names are as long as a path may be."""
    begun = time.process_time()
    compiled(pattern).search(text)
    assert time.process_time() - begun < 5


def test_what_can_not_be_searched_is_refused_by_name() -> None:
    """A look-around or a reference beside many repeats; with few of them it is let through."""
    with pytest.raises(RegexError, match=r"may search for ever at position \d+"):
        compiled(r"(?=x)(a+)+(b+)+c")
    with pytest.raises(RegexError, match="may search for ever"):
        compiled(r"(a+)+\1")
    assert compiled(r"(?!.*_gen)\.go").search("a.go")


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "(a{1000}){1000}", "(?-i:a)", "(?<=a)b"])
def test_the_limits(pattern: str) -> None:
    """What the construction does not know is an error with its place."""
    with pytest.raises(UnsupportedError):
        Linear(pattern)
