"""Python sources: the objects a module makes, and the name it is imported by.

Pure: text in, facts out. Read with patterns rather than parsed, so that a file with a syntax
error, which is about to be mended, still says what it is.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.detect.folder import Folder

# Names an app's module usually has, the likeliest first.
LIKELY = ("main", "app", "server", "asgi", "wsgi", "api", "run", "bot", "__init__", "__main__")
_NO_APPS = re.compile(r"(?:test_.*|.*_test|conftest|setup|noxfile|fabfile|dodo|conf)\.py")
# Directories that are put on the import path rather than imported.
_IMPORT_ROOTS = frozenset({"src", "lib", "backend", "server", "python", "source", "services"})
_TRIPLE = re.compile(r'("""|\'\'\')(?:.|\n)*?\1')
_IMPORTS = re.compile(r"(?m)^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import|import[ \t]+([\w., \t]+))")
_GUARD = re.compile(r"(?m)^if __name__ == ['\"]__main__['\"]")


class Module(NamedTuple):
    """A Python file: its path, its text without long strings, and the top names it imports."""

    path: str
    source: str
    imports: frozenset[str]

    @property
    def stem(self) -> str:
        return posixpath.basename(self.path)[:-3]

    @property
    def is_run(self) -> bool:
        """True if it has a part for the case that it is run."""
        return bool(_GUARD.search(self.source))


class App(NamedTuple):
    """The place where an app object is made: `name` in `module`; `is_factory`: by calling it."""

    module: Module
    name: str
    is_factory: bool = False


class Factory(NamedTuple):
    """A function that makes an app."""

    module: Module
    name: str
    needs_arguments: bool


def module_at(folder: Folder, path: str) -> Module:
    source = _TRIPLE.sub('""', folder.read(path))
    return Module(path, source, frozenset(_imported(source)))


def _imported(source: str) -> Iterator[str]:
    for single, several in _IMPORTS.findall(source):
        for name in single.split(",") + several.split(","):
            if top := name.split(" as ")[0].strip().partition(".")[0]:
                yield top


def modules(folder: Folder, path: str) -> list[Module]:
    """Returns the modules of one directory that may be an app, the likeliest first."""
    names = [n for n in folder.files(path) if n.endswith(".py") and not _NO_APPS.fullmatch(n)]
    names.sort(key=lambda name: LIKELY.index(s) if (s := name[:-3]) in LIKELY else len(LIKELY))
    return [module_at(folder, posixpath.join(path, name)) for name in names]


# --- what a module makes -------------------------------------------------------------------------


def made(module: Module, package: str, classes: str) -> App | None:
    """Returns the app of one of these classes (`A|B`) that a module makes at its top level."""
    if package.partition(".")[0] not in module.imports:
        return None
    pattern = rf"(?m)^(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:\w+\.)*(?:{classes})\("
    names = re.findall(pattern, module.source)
    if not names:
        return None
    return App(
        module, next((name for name in ("app", "application", "api") if name in names), names[0])
    )


def factory(module: Module, package: str, classes: str) -> Factory | None:
    """Returns the function of a module that makes such an app."""
    if package.partition(".")[0] not in module.imports:
        return None
    for name, head, body in _functions(module.source):
        if re.search(rf"\b(?:{classes})\(", body) and not name.startswith(("test", "_")):
            return Factory(module, name, needs_arguments=not _callable_bare(head))
    return None


def _functions(source: str) -> Iterator[tuple[str, str, str]]:
    """Yields name, head and body of each function at the top level."""
    for found in re.finditer(r"(?m)^def (\w+)\(", source):
        end = re.compile(r"(?m)^[^\s#)\]}]").search(source, found.end())
        text = source[found.end() : end.start() if end else len(source)]
        head, _, body = text.partition(":\n")
        yield found[1], head, body


def _callable_bare(head: str) -> bool:
    """All parameters have defaults, as far as a look tells."""
    inside = re.sub(r"\[[^\]]*\]", "", head.rpartition(")")[0])
    parameters = [text.strip() for text in inside.split(",")]
    return all("=" in text or text.startswith("*") or not text for text in parameters)


def calls(module: Module, name: str) -> str:
    """Returns the variable that holds what calling `name` gave, at the top level; or ""."""
    found = re.search(rf"(?m)^(\w+)[ \t]*(?::[^=\n]+)?=[ \t]*(?:\w+\.)*{name}\(", module.source)
    return found[1] if found else ""


def arguments(module: Module, call: str) -> str | None:
    """Returns the text between the parentheses of a call like `uvicorn.run`; None: no call."""
    found = re.search(rf"\b{call}\(((?:[^()]|\([^()]*\))*)\)", module.source)
    return found[1] if found else None


# --- how it is imported --------------------------------------------------------------------------


def imported_as(folder: Folder, module: Module) -> tuple[str, str]:
    """Returns the directory to put on the import path ("": the root) and the dotted name.

    Packages decide, then the module's own imports, then the habits for names like `src`.
    """
    *parts, _ = module.path.split("/")
    roots = ["/".join(parts[:depth]) for depth in range(len(parts) + 1)]
    package = len(parts)
    while package and folder.is_file(posixpath.join(roots[package], "__init__.py")):
        package -= 1
    known = roots[: package + 1] if package < len(parts) else roots
    if re.search(r"(?m)^[ \t]*from[ \t]+\.", module.source):
        known = [root for root in known if root != roots[-1]] or known
    best = max(
        known, key=lambda root: (_resolved(folder, root, module), _habit(root, known, parts))
    )
    dotted = module.path[len(best) :].strip("/")[:-3].replace("/", ".")
    return best, dotted.removesuffix(".__init__") if dotted != "__init__" else dotted


def _resolved(folder: Folder, root: str, module: Module) -> int:
    """Returns how many of the module's imports are found from this directory."""
    own = module.imports - {module.stem}
    return sum(
        folder.has(posixpath.join(root, name), posixpath.join(root, f"{name}.py")) for name in own
    )


def _habit(root: str, known: list[str], parts: list[str]) -> int:
    """Returns 1 for the directory that is usual where nothing else tells."""
    usual = parts[0] if parts and parts[0] in _IMPORT_ROOTS and parts[0] in known else ""
    if usual not in known:
        usual = known[-1]
    return int(root == usual)
