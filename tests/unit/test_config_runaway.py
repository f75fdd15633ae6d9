"""Patterns that Python may search for ever with are known by their looks."""

from __future__ import annotations

import pytest

from reloader.config.regex import RegexError, compiled
from reloader.config.runaway import runaway


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a*)*",
        r"(a|a)*$",
        r"(a|aa)+$",
        r"(\w+)*\.go",
        r"((a+)b?)*",
        r"(a?){2,}$",
        r"(?:x+x+)+y",
        r"(\w+\s?)*$",
        r"([a-z]+|[0-9]+)*_",
        r"(?P<n>\d*)*",
        r"x(y(a+)+)*$",
    ],
)
def test_the_dangerous(pattern):
    """Each of these takes hours for some name of forty letters, or might."""
    assert runaway(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        r"_test\.go",
        r"([a-z]+/)*gen",
        r"(\w+\.)+go",
        r"(foo|bar)*x",
        r"(abc)+",
        r"(\w|-)+\.py",
        r"(?i)(ab)+",
        r"^(a|b)*$",
        r"(?P<n>x+)y",
        r"(x{2})+",
        r"[)*+(]+",
        r"\)+",
        r"(\\)+",
        r"(?:[^/]+/)*vendor/",
        r"(^|/)gen(/|$)",
        r"(/[^/]+)*\.pb\.go$",
        r"(.*/)*x",
        r"^(.+/)*node_modules/",
    ],
)
def test_the_harmless(pattern):
    """What people write to leave files out is let through."""
    assert runaway(pattern) is None


def test_what_is_said():
    """The place is that in the pattern as it was written."""
    with pytest.raises(RegexError, match=r"repeat of repeats .* at position 7"):
        compiled(r"\Qa.b\E(a+)+")
