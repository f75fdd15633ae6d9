"""Finds the ways to run a project by its files: one, several, or none.

Each kind of project is one function from a `Folder` to the candidates it sees there; the first
that sees any decides, so the order is from what states most to what is a guess by names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.detect.candidate import with_environment
from reloader.detect.marks import PYTHON, SUBPROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.detect.candidate import Candidate
    from reloader.detect.folder import Folder

_MOST = 12  # projects of a monorepo that are looked at


def look(folder: Folder) -> list[Candidate]:
    """Returns the ways to run what is in `folder`; several if only a person can choose."""
    return _here(folder) or _below(folder)


def every(folder: Folder) -> Iterator[Candidate]:
    """Yields all that any kind of project sees in `folder`, in their order."""
    for found in _kinds(folder):
        for candidate in found:
            yield with_environment(folder, candidate)


def _here(folder: Folder) -> list[Candidate]:
    found = next(filter(None, _kinds(folder)), [])
    return [with_environment(folder, candidate) for candidate in found]


def _kinds(folder: Folder) -> Iterator[list[Candidate]]:
    """Yields what each kind of project sees; a kind is imported when its files are there."""
    if folder.has("go.mod", "go.work", "Cargo.toml") or folder.matching("*.go"):
        from reloader.detect import compiled

        yield compiled.go(folder)
        yield compiled.rust(folder)
    is_python = _is_python(folder)
    if is_python:
        from reloader.detect import python

        yield python.django(folder)
    if folder.has("Gemfile", "bin/rails", "config.ru") or folder.matching("*.rb"):
        from reloader.detect import others

        yield others.ruby(folder)
    if is_python:
        yield python.web(folder)
        yield python.streamlit(folder)
    if folder.has("package.json", "deno.json", "deno.jsonc", "bun.lock", "bun.lockb"):
        from reloader.detect import node

        yield node.node(folder)
        yield node.deno(folder)
        yield node.bun(folder)
    yield from _built(folder)
    if is_python:
        yield python.workers(folder)
    yield from _stated(folder)
    if is_python:
        yield python.programs(folder)
    from reloader.detect import compiled, others, python

    yield compiled.cmake(folder)
    yield others.sites(folder, python.interpreter(folder))
    yield others.shell(folder)


def _built(folder: Folder) -> Iterator[list[Candidate]]:
    from reloader.detect import compiled, others

    yield compiled.maven(folder)
    yield compiled.gradle(folder)
    yield compiled.dotnet(folder)
    yield others.php(folder)
    yield others.usual(folder)


def _stated(folder: Folder) -> Iterator[list[Candidate]]:
    """Yields what files say that name a command for a tool or a container."""
    from reloader.detect import python, stated

    yield stated.procfile(folder)
    yield stated.tasks(folder)
    yield stated.make(folder)
    interpreter = python.interpreter(folder)
    yield stated.compose(folder, interpreter)
    yield stated.docker(folder, interpreter)


def _is_python(folder: Folder) -> bool:
    """Python's own files are there, or sources: without another language's mark, also deeper."""
    if folder.has("manage.py", *PYTHON) or folder.matching("*.py"):
        return True
    depth = 1 if folder.has(*SUBPROJECTS) else 2
    return any(folder.matching("*.py", path) for path in folder.walk(depth))


def _below(folder: Folder) -> list[Candidate]:
    """Returns the ways to run the projects below a directory that is none itself."""
    tops: list[str] = []
    for path in folder.walk(2):
        is_inside = any(path.startswith(f"{top}/") for top in tops)
        if path and not is_inside and folder.has(*(f"{path}/{mark}" for mark in SUBPROJECTS)):
            tops.append(path)
    found = []
    for top in sorted(tops)[:_MOST]:
        candidates = _here(folder.below(top))
        found += [candidate.inside(top) for candidate in candidates]
    return found
