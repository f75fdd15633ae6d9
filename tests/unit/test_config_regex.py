"""Go's patterns mean in Python what they mean in Go, or are refused by name."""

from __future__ import annotations

import re
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloader.config.regex import RegexError, compiled, translate

MATCHES = [  # pattern, what it finds in Go, what it doesn't
    (r"_test.go", ["a_test.go", "x_testygo/b"], ["atest.go"]),
    (r"a\z", ["ba"], ["ab", "a\n"]),
    (r"a$", ["ba"], ["ab", "a\n"]),
    (r"(?m)a$", ["a\nb"], ["ab"]),
    (r"^a", ["ab"], ["ba"]),
    (r"x(?i)y", ["xy", "xY"], ["XY"]),
    (r"x(?i)y|z", ["xY", "Z"], ["X"]),
    (r"(a(?i)b)c", ["aBc"], ["aBC"]),
    (r"(?i)readme", ["README.md"], ["read"]),
    (r"(?i:a)b", ["Ab"], ["aB"]),
    (r"(?i)a(?-i)b", ["Ab"], ["aB"]),
    (r"(?s)a.b", ["a\nb"], ["ab"]),
    (r"^[[:alpha:]]+$", ["abc"], ["a1", "é"]),
    (r"^[^[:alpha:]]+$", ["12"], ["a"]),
    (r"^[[:^digit:]x]$", ["a", "x", "é"], ["1"]),
    (r"^[[:word:]-]+$", ["a-b_1"], ["a.b"]),
    (r"\Qa.b(\E+", ["a.b((("], ["axb("]),
    (r"\Qa.b", ["a.b"], ["axb"]),
    (r"(?<n>x)", ["x"], ["y"]),
    (r"(?P<n>x)", ["x"], ["y"]),
    (r"\x{2603}", ["☃"], ["x"]),
    (r"^[\x{2603}-\x{2604}]$", ["☃", "☄"], ["★"]),
    (r"^\w$", ["a", "_"], ["é"]),
    (r"^[\w.]$", ["a", "."], ["é"]),
    (r"^\d$", ["1"], ["٣"]),
    (r"\bé", ["aé"], ["é"]),  # for Go an é is no letter, so a word ends before it
    (r"^[]a]$", ["]", "a"], ["b"]),
    (r"^[^]a]$", ["b"], ["]", "a"]),
    (r"^[[a]$", ["[", "a"], ["b"]),
    (r"^[a&&b]$", ["&"], ["c"]),
    (r"^[--/]$", [".", "-"], ["0"]),
    (r"^[a-]$", ["-"], ["b"]),
    (r"^[+\-.]$", ["-"], [","]),
    (r"^[\n\x41]$", ["\n", "A"], ["n"]),
    (r"^a{,2}$", ["a{,2}"], ["aa", ""]),
    (r"^a{1,2}$", ["aa"], ["aaa"]),
    (r"node_modules/|\.git", ["web/node_modules/x", "a.git"], ["xgit"]),
    (r"^(?:a|b)*?c", ["abc"], ["ad"]),
    (r"a(?=b)", ["ab"], ["ac"]),  # Python's own; in Go an error, so nobody is misled
]


@pytest.mark.parametrize(("pattern", "found", "not_found"), MATCHES)
def test_a_pattern_finds_what_it_finds_in_go(pattern, found, not_found):
    """The translation has the meaning that Go gives the pattern, without a warning from `re`."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search = re.compile(translate(pattern)).search

    assert [text for text in found if not search(text)] == []
    assert [text for text in not_found if search(text)] == []


REFUSED = [  # pattern, a word of the reason, where
    (r"(?U)a+", "ungreedy", 0),
    (r"ab(?iU:a)", "ungreedy", 2),
    (r"x\pL", r"\p", 1),
    (r"\P{Greek}", r"\P", 0),
    (r"[a\pN]", r"\p", 2),
    (r"a\C", "byte", 1),
    (r"[[:letter:]]", "[:letter:]", 1),
    (r"\x{110000}", "110000", 0),
    ("(", "missing )", 0),
    ("a(b(c)", "missing )", 1),
    ("a)", "no group", 1),
    ("x(?i)y(", "missing )", 6),
    ("a[b", "missing ]", 1),
    ("[a\\", "missing", 2),
    ("*_templ.go", "nothing to repeat", 0),
    (r"\Qab\E**", "multiple repeat", 7),
    ("a\\", "escape", 1),
    ("a{3,2}", "min repeat", 2),
    ("(?i", "missing )", 0),
    ("(" * 5000 + ")" * 5000, "too large", 0),
]


@pytest.mark.parametrize(("pattern", "reason", "position"), REFUSED)
def test_what_cannot_be_used_is_refused_by_name_and_place(pattern, reason, position):
    """The error says why, and where in the pattern as it was written."""
    with pytest.raises(RegexError) as caught:
        compiled(pattern)

    assert reason in caught.value.reason
    assert caught.value.position == position


@given(st.text(alphabet=r"ab[]()\-^$.|?*+{},:<>iUmszQEpdwx019 ", max_size=12))
def test_any_text_is_a_pattern_or_is_refused(text):
    """Nothing but RegexError comes out, and the place is inside the text."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        try:
            compiled(text)
        except RegexError as error:
            assert 0 <= error.position <= len(text)


@given(st.text(max_size=20))
def test_a_quoted_text_finds_itself(text):
    r"""`\Q…\E` is the text itself, whatever it holds."""
    if r"\E" not in text:
        assert compiled(rf"^\Q{text}\E$").search(text)
