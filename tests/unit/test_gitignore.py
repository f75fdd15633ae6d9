"""Git's own `check-ignore` decides what the patterns mean."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reloader.filter.gitignore import Ignores
from reloader.filter.globs import glob

NAMES = ("a", "b", "ab", "a.py", "b.py", "x[1].py", "!c", "#d", "e ", "f\\g", "build", "-")
PARTS = st.sampled_from(
    (
        *("a", "b", "ab", "build", "*", "**", "?", "*.py", "a*", "*b", "a?", "[ab]", "[!a]*"),
        *("[^b]", "[a-c]", "[]a]", "[[:alpha:]]", "[[:digit:]-]", "\\*", "\\!c", "\\#d", "e\\ "),
        *("[", "a[", "[a", "x\\[1\\].py", "a**b", "**a", "*.*", "b.p[xy]", "[z-a]", "\\", "[\\]]"),
        *("-", "[a-]", "[--a]", "f\\\\g"),
    )
)
PATTERNS = st.builds(
    lambda negated, top, parts, end: negated + top + "/".join(parts) + end,
    st.sampled_from(["", "", "", "!"]),
    st.sampled_from(["", "", "/"]),
    st.lists(PARTS, min_size=1, max_size=3),
    st.sampled_from(["", "", "/", " ", "  ", "/**", "\r"]),
)
FILES = st.lists(st.one_of(PATTERNS, st.sampled_from(["", "# x", "!", "/", " "])), max_size=6)
PATHS = st.lists(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join), min_size=1, max_size=30
)


def excluded(ignores: dict[str, str], path: str) -> bool:
    """The same as the filter does: a folder that is ignored ends the matter."""
    known, at = Ignores(), "/p"
    names = path.split("/")
    for depth, name in enumerate(names):
        known = known.below(at, ignores.get(at[3:], ""), ".gitignore")
        at = f"{at}/{name}"
        if known.why(at, is_folder=depth < len(names) - 1):
            return True
    return False


@pytest.mark.skipif(not shutil.which("git"), reason="SKIPPED: no git here")
@settings(max_examples=150)
@given(top=FILES, sub=FILES, paths=PATHS)
def test_as_git_does(top: list[str], sub: list[str], paths: list[str]) -> None:
    """For the rules of two folders, any path is ignored exactly when git ignores it."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        subprocess.run(["git", "init", "-q", name], check=True)
        (root / "a").mkdir()
        texts = {"": "\n".join(top), "a": "\n".join(sub)}
        for folder, text in texts.items():
            (root / folder / ".gitignore").write_bytes(text.encode())
        wanted = [path for path in dict.fromkeys(paths) if path != "a"]
        for path in wanted:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
        wanted = [path for path in wanted if not (root / path).is_dir()]
        out = subprocess.run(
            ["git", "-C", name, "check-ignore", "--no-index", "-z", "--stdin"],
            input="".join(f"{path}\0" for path in wanted).encode(),
            capture_output=True,
            check=False,
        )
        ignored = set(out.stdout.decode().split("\0")) - {""}
        assert {path for path in wanted if excluded(texts, path)} == ignored


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("*a" * 30 + "b", "a" * 60),
        ("**/" * 30 + "b", "a/" * 60),
        ("**/*a" * 15 + "/b", "aaa/" * 40),
        ("*" * 40 + "b", "a" * 200),
        ("?*" * 30 + "b", "a" * 200),
        ("[a-z]*" * 20 + "9", "a" * 200),
    ],
)
def test_no_pattern_takes_long(pattern: str, name: str) -> None:
    """A name that almost matches is judged as quickly as any."""
    began = time.perf_counter()
    assert not glob(pattern).fullmatch(name)
    assert not Ignores().below("/p", pattern, "x").why(f"/p/{name}", is_folder=False)
    assert time.perf_counter() - began < 0.5
