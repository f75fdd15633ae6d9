"""How a project is run, as its files say: one way, several, or none.

Each kind of project is one function from a `Folder` to the candidates it sees there; the first
that sees any decides, so the order is from what states most to what is a guess by names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.detect import compiled, node, others, python, stated
from reloader.detect.candidate import with_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reloader.detect.candidate import Candidate
    from reloader.detect.folder import Folder

    Kind = Callable[[Folder], list[Candidate]]

# What `init --template` knows, in the order in which they are asked.
KINDS: dict[str, tuple[Kind, ...]] = {
    "go": (compiled.go,),
    "rust": (compiled.rust,),
    "django": (python.django,),
    "rails": (others.ruby,),
    "python-web": (python.web, python.streamlit),
    "node": (node.node, node.deno, node.bun),
    "java": (compiled.maven, compiled.gradle),
    "dotnet": (compiled.dotnet,),
    "php": (others.php,),
    "worker": (python.workers,),
    "other": (others.usual,),
    "procfile": (stated.procfile,),
    "tasks": (stated.tasks, stated.make),
    "compose": (lambda f: stated.compose(f, python.interpreter(f)),),
    "docker": (lambda f: stated.docker(f, python.interpreter(f)),),
    "python": (python.programs,),
    "cmake": (compiled.cmake,),
    "site": (lambda f: others.sites(f, python.interpreter(f)),),
    "shell": (others.shell,),
}
_MARKS = (
    *("go.mod", "Cargo.toml", "package.json", "deno.json", "manage.py", "pom.xml", "build.gradle"),
    *("build.gradle.kts", "Gemfile", "composer.json", "mix.exs", "Procfile", "CMakeLists.txt"),
    *(".reload.toml", ".air.toml", *python.MARKS),
)
_MOST = 12  # projects of a monorepo that are looked at


def look(folder: Folder) -> list[Candidate]:
    """Returns the ways to run what is in `folder`; several if only a person can choose."""
    return _here(folder) or _below(folder)


def _here(folder: Folder) -> list[Candidate]:
    for kind in (kind for kinds in KINDS.values() for kind in kinds):
        if found := kind(folder):
            return [with_environment(folder, candidate) for candidate in found]
    return []


def every(folder: Folder) -> Iterator[Candidate]:
    """Yields all that any kind of project sees in `folder`, in their order."""
    for kind in (kind for kinds in KINDS.values() for kind in kinds):
        for candidate in kind(folder):
            yield with_environment(folder, candidate)


def _below(folder: Folder) -> list[Candidate]:
    """Returns the ways to run the projects below a directory that is none itself."""
    tops: list[str] = []
    for path in folder.walk(2):
        is_inside = any(path.startswith(f"{top}/") for top in tops)
        if path and not is_inside and folder.has(*(f"{path}/{mark}" for mark in _MARKS)):
            tops.append(path)
    found = []
    for top in sorted(tops)[:_MOST]:
        candidates = _here(folder.below(top))
        found += [candidate.inside(top) for candidate in candidates]
    return found
