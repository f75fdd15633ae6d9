"""Which files count, and why."""

from __future__ import annotations

import fnmatch
import posixpath
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reloader.config.model import Build, Config, Layer, Origin, Rule
from reloader.core.needs import NOTHING, RELOAD, Needs
from reloader.filter.globs import glob, is_temporary, wraps_a_neighbour
from reloader.filter.rules import FileFilter
from reloader.light import replace

ROOT = "/srv/project"
GO = Build(
    include_ext=("go", "tpl", "tmpl", "html"),
    exclude_dir=("assets", "tmp", "vendor", "testdata"),
    exclude_regex=("_test.go",),
)


def rules(build: Build = GO, **config: object) -> FileFilter:
    return FileFilter.of(
        replace(
            Config(root=ROOT, tmp_dir=f"{ROOT}/tmp", testdata_dir=f"{ROOT}/testdata", build=build),
            **config,
        )
    )


def only(**build: object) -> FileFilter:
    return rules(replace(Build(include_ext=("py",)), **build))


def path(relative: str) -> str:
    return posixpath.normpath(posixpath.join(ROOT, relative))


def counts(it: FileFilter, relative: str) -> bool:
    return it.decide(path(relative)).needs == RELOAD


def enters(it: FileFilter, relative: str) -> bool:
    return it.enters(path(relative))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("main.go", True),
        ("a/b/c/main.go", True),
        ("web/index.html", True),
        ("main.py", False),
        ("go", False),
        (".go", True),
        ("main.go.bak", False),
        ("main_test.go", False),
        ("vendor/a.go", False),
        ("vendor/deep/a.go", False),
        ("web/vendor/a.go", True),  # exact paths below the root
        ("testdata/a.go", False),
        (".git/a.go", False),
        (".hidden/deep/a.go", False),
        ("node_modules/x/a.html", False),
        ("web/node_modules/x/a.html", False),
        ("venv/a.html", False),
        ("../elsewhere/a.go", False),
    ],
)
def test_the_defaults_of_a_go_project(name: str, expected: bool) -> None:
    assert counts(rules(), name) is expected


@pytest.mark.parametrize(
    ("endings", "name", "expected"),
    [
        ("html.tmpl", "a.html.tmpl", True),
        ("html.tmpl", "a.tmpl", False),
        (".py", "a.py", True),
        ("env", ".env", True),
        ("env", ".env.local", False),
        ("PY", "a.py", False),
        ("py", "py", False),
        ("*", "Makefile", True),
        ("*", "a.unheard-of", True),
        ("*", "cache.pyc", False),
        ("*", "app.log", False),
        ("*", "app.log.1", False),
        ("*", "data.sqlite3-wal", False),
        ("*", ".DS_Store", False),
        ("* log", "app.log", True),
    ],
)
def test_endings(endings: str, name: str, expected: bool) -> None:
    assert counts(only(include_ext=tuple(endings.split())), name) is expected


@pytest.mark.parametrize(
    "name",
    [
        "4913",
        "a.py~",
        ".a.py.swp",
        ".a.py.swo",
        ".a.py.swx",
        ".#a.py",
        "#a.py#",
        "a.py___jb_tmp___",
        "a.py___jb_old___",
        ".goutputstream-XK2S51",
        ".a.py.kate-swp",
        "sedAb12Cd",
        ".nfs000000000001",
    ],
)
def test_editors_temporary_files_never_count(name: str) -> None:
    assert not counts(only(include_ext=("*",)), name)
    assert not counts(only(include_ext=("py", "swp", name.rpartition(".")[2])), name)
    assert counts(only(include_ext=("*",), include_file=(name,)), name)


def test_include_dir_inside_leaves_only_those() -> None:
    it = only(include_dir=("src", "./web/app/"))
    assert counts(it, "src/deep/a.py")
    assert counts(it, "web/app/a.py")
    assert not counts(it, "a.py")
    assert not counts(it, "web/a.py")
    assert not counts(it, "lib/a.py")
    assert [enters(it, d) for d in ("", "src", "web", "web/app", "lib", "web/other")] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    assert it.roots == (ROOT,)


def test_include_dir_outside_is_one_more() -> None:
    it = only(include_dir=("../shared", "/elsewhere/lib"))
    assert counts(it, "a.py")
    assert counts(it, "../shared/deep/a.py")
    assert it.decide("/elsewhere/lib/a.py").needs == RELOAD
    assert not it.decide("/elsewhere/a.py").needs
    assert not counts(it, "../shared/node_modules/a.py")
    assert set(it.roots) == {ROOT, "/srv/shared", "/elsewhere/lib"}
    assert it.roots[0] == ROOT
    assert it.shown(path("a/b.py")) == "a/b.py"
    assert it.shown("/elsewhere/lib/a.py") == "/elsewhere/lib/a.py"


@pytest.mark.parametrize(
    "named", [".github", "node_modules/mine", "venv", "tmp", "testdata", ".a/.b", "vendor"]
)
def test_what_is_named_is_watched(named: str) -> None:
    it = rules(replace(GO, include_dir=("src", named)))
    assert counts(it, f"{named}/a.go")
    assert counts(it, f"{named}/deep/a.go")
    assert not counts(it, f"{named}/node_modules/a.go")
    assert enters(it, posixpath.dirname(named))
    assert not counts(it, posixpath.join(posixpath.dirname(named), "a.go"))


def test_an_exclude_dir_of_the_user_wins_over_a_name() -> None:
    build = Build(include_ext=("py",), include_dir=("a", "b/c"), exclude_dir=("a", "b"))
    it = rules(build, origins={"build.exclude_dir": Origin(Layer.FILE, ".reload.toml:7")})
    assert not counts(it, "a/x.py")
    assert counts(it, "b/c/x.py")
    assert it.decide(path("a/x.py")).because == 'build.exclude_dir "a" (.reload.toml:7)'


def test_include_file_works_anywhere() -> None:
    files = (".env", "./conf/.private/a.yaml", "vendor/v.txt", "node_modules/p/x.js", "../o/z.txt")
    it = rules(replace(GO, include_file=files))
    for file in files:
        assert counts(it, file)
    assert all(enters(it, d) for d in ("conf/.private", "vendor", "node_modules/p", "../o"))
    assert not enters(it, "conf/.private/other")
    assert not enters(it, "node_modules/q")
    assert not counts(it, "vendor/a.go")
    assert not counts(it, "conf/.private/a.go")
    assert not counts(it, "../o/a.go")


def test_include_file_does_not_win_over_patterns_for_files() -> None:
    it = only(include_file=("a.txt", "b.txt"), exclude_regex=("^a",), exclude_file=("b.*",))
    assert not counts(it, "a.txt")
    assert not counts(it, "b.txt")


@pytest.mark.parametrize(
    ("excluded", "out", "inside"),
    [
        ("a/b/", "a/b", "b"),
        ("./a", "a/x", "b/a"),
        ("**/gen", "x/y/gen/z", "general"),
        ("**/gen", "gen", "x/gens"),
        ("web/*", "web/x", "web"),
        ("[ab]?", "a1/x", "c1"),
    ],
)
def test_exclude_dir(excluded: str, out: str, inside: str) -> None:
    it = only(exclude_dir=(excluded,))
    assert not counts(it, f"{out}/x.py")
    assert not enters(it, out)
    assert counts(it, f"{inside}/x.py")


@pytest.mark.parametrize(
    ("excluded", "out", "inside"),
    [
        ("a.py", "a.py", "x/a.py"),
        ("*.py", "a.py", "x/a.py"),
        ("**/*_gen.py", "x/y/a_gen.py", "x/gen.py"),
        ("**/*_gen.py", "a_gen.py", "a_gen.pyx.py"),
        ("x/**", "x/y/z.py", "y/x/z.py"),
        ("[id].py", "[id].py", "x/[id].py"),
        ("[^a].py", "b.py", "a.py"),
        ("a[", "a[", "a.py"),
    ],
)
def test_exclude_file(excluded: str, out: str, inside: str) -> None:
    it = only(exclude_file=(excluded,))
    assert not counts(it, out)
    assert counts(it, inside)


def test_exclude_regex_is_searched_below_the_root() -> None:
    """In a project under /tmp, Air's `exclude_regex = ["tmp"]` disables everything."""
    it = only(exclude_regex=("work", "^gen/", "_pb2\\.py$"))
    assert counts(it, "a.py")
    assert not counts(it, "homework/a.py")
    assert not counts(it, "gen/a.py")
    assert counts(it, "regen/a.py")
    assert not counts(it, "x/y_pb2.py")


def test_rules_come_first_and_the_first_wins() -> None:
    it = rules(
        replace(
            GO,
            rules=(
                Rule(name="proto", include_ext=("proto",), exclude_regex=("^old/",)),
                Rule(name="vendored", include_dir=("vendor", ".ci"), include_ext=("go", "html")),
                Rule(name="all web", include_dir=("web",)),
                Rule(name="deps", include_file=("go.sum", "vendor/modules.txt")),
                Rule(name="late", include_ext=("proto", "go")),
            ),
        )
    )

    def rule(relative: str) -> str:
        needs = it.decide(path(relative)).needs
        assert needs in (NOTHING, RELOAD) or needs == Needs(rules=needs.rules)
        return "".join(needs.rules)

    assert rule("a/b.proto") == "proto"
    assert rule("old/b.proto") == "late"
    assert rule("vendor/x/a.go") == "vendored"
    assert rule(".ci/a.go") == "vendored"
    assert rule("web/anything") == "all web"
    assert rule("web/.#anything") == ""
    assert rule("go.sum") == "deps"
    assert rule("vendor/modules.txt") == "deps"
    assert rule("main.go") == "late"
    assert counts(it, "index.html")
    assert enters(it, "vendor/x")
    assert enters(it, ".ci")
    assert not enters(it, ".ci/node_modules")
    assert not enters(it, "assets")


def test_a_rule_reaches_where_include_dir_does_not() -> None:
    it = only(include_dir=("src",), rules=(Rule(name="proto", include_ext=("proto",)),))
    assert it.decide(path("api/a.proto")).needs.rules == {"proto"}
    assert not counts(it, "api/a.py")
    assert enters(it, "api")


def test_what_the_build_makes_never_counts() -> None:
    every = {"include_ext": ("*",), "cmd": "make"}
    assert not counts(only(**every, bin="FOO=1 ./app --flag"), "app")
    assert not counts(only(**every, entrypoint=("bin/app",)), "bin/app")
    assert counts(only(**every, entrypoint=("./app.sh",)), "app.sh")
    assert counts(only(**every, bin="python app.py"), "app.py")
    assert counts(only(include_ext=("*",), bin="./app"), "app")  # nothing builds it
    named = rules(Build(include_ext=("*",), include_dir=("tmp",)))
    assert not counts(named, "tmp/build-errors.log")


def test_every_decision_says_why() -> None:
    it = rules(
        replace(
            GO, include_dir=("src", "web"), include_file=("x",), exclude_file=("src/*_gen.go",)
        ),
        origins={"build.include_ext": Origin(Layer.FILE, ".reload.toml:4")},
    )
    because = {
        "src/a.go": 'build.include_ext "go" (.reload.toml:4)',
        "src/a.py": 'build.include_ext "go tpl tmpl html" (.reload.toml:4)',
        "a.go": 'not in build.include_dir "src web" (default)',
        "x": 'build.include_file "x" (default)',
        "src/a_test.go": 'build.exclude_regex "_test.go" (default)',
        "src/a_gen.go": 'build.exclude_file "src/*_gen.go" (default)',
        "src/.a/a.go": 'hidden folders like ".a" are never watched',
        "src/node_modules/a.go": 'folders called "node_modules" are never watched',
        "../a.go": "outside the root",
        "src/.#a.go": "a temporary file of an editor or a tool",
    }
    for relative, why in because.items():
        assert it.decide(path(relative)).because == why


def test_a_hidden_root_and_the_root_of_all() -> None:
    hidden = FileFilter.of(Config(root="/home/.proj", build=Build(include_ext=("py",))))
    assert hidden.decide("/home/.proj/a/b.py").needs
    top = FileFilter.of(Config(root="/", tmp_dir="/tmp", build=Build(include_ext=("py",))))
    assert top.decide("/a.py").needs
    assert top.decide("/srv/a.py").needs
    assert top.shown("/srv/a.py") == "srv/a.py"


def test_names_that_are_no_text() -> None:
    name = b"b\xff.py".decode("utf-8", "surrogateescape")
    assert counts(only(exclude_regex=("x",)), name)
    assert counts(only(), "new\nline\x1b.py")


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("*", "a/b", False),
        ("a?c", "a/c", False),
        ("a[/]c", "a/c", False),
        (r"\*", "*", True),
        (r"\*", "a", False),
        ("**", "a/b/c", True),
        ("a/**/b", "a/b", True),
        ("a/**/b", "a/x/y/b", True),
        ("a/**/b", "a/xb", False),
        ("a**", "abc", True),
        ("a**", "a/b", False),
        ("[a-c]", "b", True),
        ("[a-c]", "-", False),
        ("[z-a]", "z", False),
        ("[!a]", "b", False),  # Go negates with ^ only
        ("[[]", "[", True),
        ("a\\", "a\\", True),
        ("x&&y", "x&&y", True),
    ],
)
def test_glob(pattern: str, name: str, expected: bool) -> None:
    assert bool(glob(pattern).fullmatch(name)) is expected


@pytest.mark.parametrize(
    "name",
    [
        *(
            "flycheck_app.py",
            "app_flymake.py",
            "._app.py",
            ".app.py.Ab3dE6",
            ".syncthing.app.py.tmp",
        ),
        *("~syncthing~app.py.tmp", ".mutagen-temporary-1.py", ".~app.py", "~$app.py", ".#app.py"),
        *(".app.py.~1a2b", ".unison.app.py.1.unison.tmp", "app.py~"),
    ],
)
def test_temporary_files_of_editors_and_tools(name: str) -> None:
    """They come and go beside a source, and are none, whatever is watched."""
    assert is_temporary(name)


@pytest.mark.parametrize(
    "name",
    [
        *("flycheck.py", "app.py", "_app.py", "test_app.py", ".eslintrc.js", ".env.local.sample"),
        *(
            ".prettierrc.json",
            "fly.py",
            "flymake.py",
            ".env",
            "sed.py",
            "some.config.js",
            "~app.py",
        ),
    ],
)
def test_files_that_only_look_like_those(name: str) -> None:
    """Names that people give to sources."""
    assert not is_temporary(name)


def test_a_hidden_name_around_a_neighbour() -> None:
    """A tool that nobody here knows wraps the name of the file that it copies."""
    beside = {"app.py", ".env", "Makefile"}
    for name in (".app.py.k3", "~app.py", ".sync.app.py", "#app.py.1"):
        assert wraps_a_neighbour(name, beside), name
    for name in ("test_app.py", ".env.local", "app.pyi", ".Makefile.x", ".other.py", "app.py"):
        assert not wraps_a_neighbour(name, {*beside, name}), name


# --- against a naive twin -------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", ".h", "node_modules", "gen", "tmp", "ab"])
DIRS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FILES = st.builds(
    lambda folders, name: "/".join([*folders, name]),
    st.lists(NAMES, max_size=4),
    st.sampled_from(["a.py", "b.py", "b.txt", ".env", "gen.py", "a.py~", "py"]),
)
BUILDS = st.builds(
    Build,
    include_ext=st.sampled_from([("py",), ("py", "env"), ("*",)]),
    include_dir=st.lists(DIRS, max_size=2).map(tuple),
    include_file=st.lists(FILES, max_size=2).map(tuple),
    exclude_dir=st.lists(st.one_of(DIRS, st.sampled_from(["**/gen", "a/*"])), max_size=3).map(
        tuple
    ),
    exclude_file=st.lists(st.sampled_from(["b.py", "*.txt", "a/b.py", "gen.py"]), max_size=2).map(
        tuple
    ),
    exclude_regex=st.lists(st.sampled_from(["^a/b", "gen", r"\.txt$"]), max_size=2).map(tuple),
)


def naive(build: Build, relative: str) -> bool:
    """What the keys mean, word by word, without any haste."""
    folder, name = posixpath.split(relative)
    if any(re.search(pattern, relative) for pattern in build.exclude_regex):
        return False
    for pattern in build.exclude_file:
        if relative.count("/") == pattern.count("/") and fnmatch.fnmatchcase(relative, pattern):
            return False
    if relative in build.include_file:
        return True
    endings = "*" in build.include_ext or any(name.endswith("." + e) for e in build.include_ext)
    return endings and not name.endswith("~") and naively_watched(build, folder)


def naively_watched(build: Build, folder: str) -> bool:
    bases = build.include_dir or ("",)
    inside = [b for b in bases if not b or folder == b or folder.startswith(b + "/")]
    if not inside:
        return False
    base = max(inside, key=len)
    names = folder.split("/") if folder else []
    for depth in range(len(base.split("/")) if base else 0, len(names)):
        here = "/".join(names[: depth + 1])
        if names[depth] == "node_modules" or names[depth].startswith(".") or here == "tmp":
            return False
        if here in build.exclude_dir or ("**/gen" in build.exclude_dir and names[depth] == "gen"):
            return False
        if "a/*" in build.exclude_dir and depth == 1 and names[0] == "a":
            return False
    return True


@settings(max_examples=400)
@given(BUILDS, st.lists(FILES, min_size=1, max_size=20))
def test_rules_mean_what_their_twin_means(build: Build, files: list[str]) -> None:
    it = rules(build)
    for file in files:
        assert counts(it, file) is naive(build, file), file


@settings(max_examples=200)
@given(BUILDS, st.lists(FILES, min_size=1, max_size=20))
def test_what_counts_is_reached_by_the_walk(build: Build, files: list[str]) -> None:
    it = rules(build)
    for file in (*files, *build.include_file):
        folder = posixpath.dirname(file)
        while counts(it, file) and folder:
            assert enters(it, folder), (file, folder)
            folder = posixpath.dirname(folder)
