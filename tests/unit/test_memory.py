"""The failures that a run remembers, for those who ask."""

from __future__ import annotations

from reloader.control.memory import KEPT_NEWS, Chronicle, Memory
from reloader.core.news import (
    AppExited,
    AppStarted,
    BuildFailed,
    BuildSucceeded,
    ProblemsFound,
    RuleFailed,
    RuleSucceeded,
    Warned,
)
from reloader.core.values import Found

FAILED = BuildFailed("make", "exit 1", 0.5, 0)
FOUND = Found("undefined: x", "a.go", 3)


def names(memory: Memory, *, build: bool = True) -> list[str]:
    return [trouble.of for trouble in memory.troubles(build=build)]


def test_a_failed_build_is_remembered_beside_an_older_version_that_starts():
    """With its output and its problems; a build that succeeds mends it."""
    memory = Memory()
    memory.output = "a.go:3: undefined: x"
    for news in (FAILED, ProblemsFound("build", (FOUND,)), AppStarted("./app", 7)):
        memory(news)
    (trouble,) = memory.troubles(build=True)
    assert (trouble.output, trouble.problems) == ("a.go:3: undefined: x", (FOUND,))
    assert names(memory, build=False) == []
    memory(BuildSucceeded("make", 0.5))
    assert names(memory) == []


def test_an_app_and_a_rule():
    """Each is mended by its own success."""
    memory = Memory()
    memory(AppExited(7, ok=False, why="exit 1", seconds=1.0, restart_in=None))
    memory(RuleFailed("css", "npm run css", "exit 2", 0.1))
    assert names(memory) == ["app", "css"]
    memory(AppStarted("./app", 8))
    memory(RuleSucceeded("css", "npm run css", 0.1))
    assert names(memory) == []


def test_a_file_that_python_can_not_compile_is_a_problem():
    memory = Memory()
    memory(BuildFailed("syntax", "app.py, line 3: invalid syntax", 0.0, 7))
    assert memory.troubles(build=True)[0].problems == (Found("invalid syntax", "app.py", 3),)


def test_the_last_news_are_kept():
    """With the numbers of all."""
    chronicle = Chronicle()
    for number in range(KEPT_NEWS + 5):
        chronicle(Warned(str(number)))
    assert [told.seq for told in chronicle.since(0)] == list(range(6, KEPT_NEWS + 6))
    assert [told.news.text for told in chronicle.since(KEPT_NEWS + 4)] == [str(KEPT_NEWS + 4)]
