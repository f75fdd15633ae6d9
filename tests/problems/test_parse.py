"""Real outputs of compilers, and of apps that crashed, and the problems that are found in them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from reloader.problems.parse import MOST_PROBLEMS, problems
from reloader.problems.source import Sources

OUTPUTS = Path(__file__).with_name("outputs")
FOREIGN = ("/usr/", "/rust/", "/rustc/", "example.com")
# Name of the output -> (file below the project, line, column, level, message) of each problem.
EXPECTED = json.loads(Path(__file__).with_name("expected.json").read_text(encoding="utf-8"))


def resolve(path: str) -> str:
    """The project is /project, and all that is not of a tool's own is in it."""
    if path.startswith(FOREIGN):
        return ""
    return path if path.startswith("/") else "/project/" + path.removeprefix("./")


@pytest.mark.parametrize("name", sorted(path.stem for path in OUTPUTS.glob("*.txt")))
def test_real_output(name):
    """Each error is found once, with its place in the project, and nothing else is."""
    found = problems((OUTPUTS / f"{name}.txt").read_text(encoding="utf-8"), resolve)
    assert [
        [one.file.removeprefix("/project/"), one.line, one.column, one.level.value, one.message]
        for one in found
    ] == EXPECTED[name]


def test_a_frame_of_a_package_is_not_the_problem():
    """In a traceback that ends in an installed package the last frame of the project counts."""
    output = (
        "Traceback (most recent call last):\n"
        '  File "/project/app.py", line 3, in <module>\n    lib.go()\n'
        '  File "/usr/lib/python3/lib.py", line 9, in go\n    raise ValueError\nValueError\n'
    )
    assert [(one.file, one.line) for one in problems(output, resolve)] == [("/project/app.py", 3)]
    outside = problems(output.replace("/project/", "/usr/"), resolve)
    assert [(one.file, one.path, one.line) for one in outside] == [
        ("", "/usr/lib/python3/lib.py", 9)
    ]


def test_many_errors_are_cut():
    """More than twenty are not read; errors go before warnings."""
    output = "".join(f"a.c:{n}:1: warning: w\nb.c:{n}:1: error: e\n" for n in range(1, 40))
    found = problems(output, resolve)
    assert len(found) == MOST_PROBLEMS
    assert {one.level.value for one in found} == {"error"}


@pytest.mark.parametrize(
    "text",
    [
        *("a" * 10**6, "a.go" * 250_000, "a.go:" * 200_000, "\x1b[31m" * 200_000, "+-" * 500_000),
        *('  File "' * 150_000, "  at " * 200_000, "(" * 10**6, "a.b.c:1:" * 100_000, "\r" * 10**6),
    ],
    ids=lambda text: repr(text[:8]),
)
def test_hostile_output_takes_no_time(text):
    """A megabyte of anything takes far less than a second."""
    begin = time.process_time()
    problems(text, resolve)
    problems("\n".join(text[n : n + 70] for n in range(0, len(text), 70)), resolve)
    assert time.process_time() - begin < 1


def test_only_files_of_the_project_are_resolved(tmp_path):
    """A file outside, a link to one, an installed package and a folder are not the project's."""
    root = tmp_path / "project"
    for name in ("app.py", "node_modules/x/a.js", "src/main/java/com/example/App.java"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("1\n2\n3\n4\n5\n6\n")
    outside = tmp_path / "secret.py"
    outside.write_text("secret")
    (root / "link.py").symlink_to(outside)
    sources = Sources(str(root))
    own = str(root / "app.py")
    assert sources.resolve("app.py") == sources.resolve("./app.py") == sources.resolve(own) == own
    assert sources.resolve("com/example/App.java").endswith("src/main/java/com/example/App.java")
    for path in ("../secret.py", str(outside), "link.py", "node_modules/x/a.js", "src", "no.py"):
        assert sources.resolve(path) == "", path
    assert [line.number for line in sources.lines(own, 1)] == [1, 2, 3]
    assert [line.text for line in sources.lines(own, 5)] == ["3", "4", "5", "6"]
    assert sources.lines(str(root / "no.py"), 1) == ()
