"""What a run imports late is there before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import reloader
from reloader.commands.later import MODULES, Later

PACKAGE = Path(reloader.__file__).parent
# Never reached from a run that has started: other commands, and what runs in the app.
ELSEWHERE = (
    *("__main__.py", "cli.py", "arguments.py", "checks/", "detect/", "warm/inside/", "warm/site/"),
    *(
        f"commands/{name}.py"
        for name in ("check", "explain", "found", "init", "completion", "ask", "mcp")
    ),
    *("config/air.py", "config/convert.py"),
)
# Imported late in a run, and not before, each for the reason that stands beside it.
NOT_EARLY = {
    "reloader.commands.found": "only where no config names the command",
    "reloader.commands.control": "at the start",
    "reloader.commands.later": "at the start",
    "reloader.proxy.editors": "with the proxy",
    "reloader.proxy.options": "with the proxy",
    "reloader.proxy.server": "54 ms and 9 MB; at the start, if the config has a proxy",
    "reloader.process.tree_psutil": "at the first process, where there is no /proc",
    "reloader.report.jsonl": "at the start, with --json",
    "watchfiles._rust_notify": "without it, files are polled, and that is told",
}
# What the first process, the watcher and the first advice bring in.
STARTED = ("reloader.cli", "reloader.commands.run", "reloader.watch", "reloader.commands.advice")


def late_imports() -> set[str]:
    """Every module that is imported in a function that a run can reach."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if path.relative_to(PACKAGE).as_posix().startswith(ELSEWHERE):
            continue
        for function in ast.walk(ast.parse(path.read_text())):
            if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Import):
                    found |= {alias.name for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    found |= {module_of(node.module or "", alias.name) for alias in node.names}
    return found


def module_of(module: str, name: str) -> str:
    """The module that `from module import name` needs: a name may be one itself."""
    path = PACKAGE.parent / module.replace(".", "/") / name
    return f"{module}.{name}" if path.with_suffix(".py").exists() else module


def test_nothing_is_imported_late():
    """An event long after the start finds all it needs, though the package is gone by then."""
    code = f"import importlib, sys; [importlib.import_module(m) for m in {(*STARTED, *MODULES)!r}]"
    done = subprocess.run(
        (sys.executable, "-c", f"{code}; print(*sys.modules)"),
        check=True,
        capture_output=True,
        text=True,
    )
    there = {*done.stdout.split(), *NOT_EARLY}

    missing = late_imports() - there
    assert not missing, "add these to MODULES"


def test_the_exceptions_are_needed():
    """A name stands on the list as long as it is imported late."""
    assert not NOT_EARLY.keys() - late_imports()


def test_it_ends(monkeypatch):
    """One module a read, without a pause; after the last it is silent."""
    names: list[str] = []
    monkeypatch.setattr("reloader.commands.later.import_module", names.append)
    later = Later()
    while later.deadline() is not None:
        assert list(later.read()) == []

    assert tuple(names) == MODULES
    later.close()


def test_without_descriptors_it_tries_again(monkeypatch):
    """What can't be opened now is imported later; nobody is told."""
    answers = iter([OSError(24, "Too many open files"), *[None] * len(MODULES)])

    def load(_: str) -> None:
        if (answer := next(answers)) is not None:
            raise answer

    monkeypatch.setattr("reloader.commands.later.import_module", load)
    later = Later()
    assert list(later.read()) == []
    first = later.deadline()
    while later.deadline() is not None:
        assert list(later.read()) == []

    assert first is not None
    later.close()


def test_a_package_that_is_gone_is_told(monkeypatch):
    """Once, with what to do."""

    def load(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr("reloader.commands.later.import_module", load)
    later = Later()

    (fact,) = later.read()
    assert "start it again" in fact.news.text
    assert later.deadline() is None
    later.close()
