"""The names in the line of the config that ends a loop; values."""

from __future__ import annotations

import pytest

from reloader.core.places import Places, exclude, in_words, like, places_of

UNKNOWN = 0  # how many files lie beside


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ({"a.js": 1}, "a.js"),
        ({"dist/a.js": 1}, "dist/a.js"),
        ({"site/0.html": 1, "site/1.html": 2}, "site/"),
        ({"dist/a.js": 1, "dist/b/c.js": 1}, "dist/"),
        ({"dist/x/a.js": 2, "dist/x/b.js": 2}, "dist/x/"),
        ({"dist/a.js": UNKNOWN, "dist/b.js": UNKNOWN}, "dist/"),
        ({"dist/a.js": 2, "dist/b.js": 2, "types/a.d.ts": 2, "types/b.d.ts": 2}, "dist/ types/"),
        # Sources lie there as well: the directory must not be left out.
        ({"src/gen.go": 2, "src/a.go": 3}, "src/a.go src/gen.go"),
        ({"src/a.pb.go": 3, "src/b.pb.go": 3}, "src/*.pb.go"),
        ({"views/a_templ.go": 4, "admin/b_templ.go": 2}, "**/*_templ.go"),
        ({"src/gen/a.go": 2, "src/gen/b.go": 2, "src/x.go": 7}, "src/gen/ src/x.go"),
        ({"out/a/x.js": 1, "out/b/y.js": 1}, "out/a/x.js out/b/y.js"),
    ],
)
def test_a_directory_is_named_where_nobody_else_has_files(
    written: dict[str, int], found: str
) -> None:
    assert places_of(written, written, (), renamed=False).paths == tuple(found.split())


@pytest.mark.parametrize("saved", ["site/other.html", "site/css/main.css"])
def test_a_directory_in_which_people_save_is_not_named(saved: str) -> None:
    written = {"site/0.html": 2, "site/1.html": 2}
    assert places_of(["site/0.html"], written, [saved], renamed=False).paths == ("site/0.html",)


def test_files_that_the_build_writes_are_counted_with_those_that_are_known() -> None:
    """However few of them are known by now."""
    written = {f"site/{n}.html": n for n in range(5)}
    assert places_of(["site/0.html"], written, (), renamed=False) == Places(("site/",), 5)


@pytest.mark.parametrize(
    ("path", "glob"),
    [
        ("run-1712345.json", "run-*.json"),
        ("out/app.3fa9c21b.js", "out/app.*.js"),
        ("out/7/report.json", "out/*/report.json"),
        ("out/abc.json", "out/*.json"),
        ("core.4242", "core.*"),
        ("out/.lock", "out/.lock"),
    ],
)
def test_names_that_are_new_each_time_are_a_glob(path: str, glob: str) -> None:
    assert like(path) == glob


def test_a_place_is_told_once() -> None:
    """One more file is not told by itself; one more directory is."""
    now = Places(("dist/", "gen.go"), 4)
    assert now.without(()) == now
    assert now.without(("dist/",)) == Places((), 4)
    assert now.without(("version.py",)) == Places(("dist/",), 4)


def test_the_line_that_ends_it() -> None:
    assert exclude(("dist/", "types/")) == 'exclude_dir = ["dist", "types"]'
    assert exclude(("a.py", "out/*.json")) == 'exclude_file = ["a.py", "out/*.json"]'
    assert exclude(("a.py", "out/")) == 'exclude_dir = ["out"] and exclude_file = ["a.py"]'


def test_many_places_are_named_by_the_first() -> None:
    assert in_words(tuple("abcdefg")) == "a, b, c, d, e and 2 more"
