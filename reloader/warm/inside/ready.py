"""Modules that are imported and out of sight, until the app imports them."""

from __future__ import annotations

import contextlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType
    from typing import Any

    from reloader.warm.inside.libraries import Libraries


class Ready:
    """Imported modules, out of sight until the app imports them."""

    def __init__(self, environs: dict[str, str], libraries: Libraries) -> None:
        self._environs = environs  # by module: the `difference` it has seen
        self._libraries = libraries
        self._modules: dict[str, ModuleType] = {}
        self._order: dict[str, int] = {}  # by module: when its import was over
        self._needs: dict[str, tuple[str, ...]] = {}
        self._checked: tuple[str, ...] = ()
        self.refuse: Callable[[str], None] = lambda _why: None

    def take(self, known: set[str], imported: set[str]) -> None:
        """Takes all modules out of `sys.modules` that were not there before.

        `imported`: those that the app has imported; others, the server's own, are forgotten.
        """
        fresh = [name for name in sys.modules if name not in known]
        names = [name for name in fresh if name in imported]
        self._modules = {name: sys.modules[name] for name in names}
        self._order = {name: at for at, name in enumerate(names)}
        self._needs = {name: tuple(self._find_needs(name)) for name in names}
        self._add_inner(names)
        for name in fresh:
            del sys.modules[name]

    def _add_inner(self, names: list[str]) -> None:
        """Adds to each module those whose import began and ended during its own.

        `environs` is in the order in which imports began, `names` in that in which they ended.
        """
        begun = {name: at for at, name in enumerate(self._environs)}
        for name in names:
            inner = set()
            for other in reversed(names[: self._order[name]]):
                if begun.get(other, -1) < begun.get(name, 0):
                    break
                inner.add(other)
            self._needs[name] = tuple(inner.union(self._needs[name]))

    def __len__(self) -> int:
        return len(self._modules)

    @property
    def tops(self) -> set[str]:
        return {name.partition(".")[0] for name in self._modules}

    def files(self) -> set[str]:
        """The files that the modules come from, libraries of C included."""
        found = (getattr(module, "__file__", None) for module in self._modules.values())
        return {file for file in found if file}

    def has(self, name: str) -> bool:
        """Tells if a module is ready, and the app has not got it yet."""
        return name in self._modules and name not in sys.modules

    def find(self, name: str, environ: str) -> tuple[Any, list[str]]:
        """Returns a spec by which importlib gets a module that is ready, and what comes with it."""
        module = self._modules[name]
        expected = self._environs.get(name)
        if expected is not None and expected != environ:
            self.refuse(f"{name} would see another environment")
        if why := self.shadowed():
            self.refuse(why)
        return self._served(name, module)

    def shadowed(self) -> str:
        """Returns a file of the project that bears a library's name and comes first; "": none."""
        before = tuple(path for path in sys.path if not self._libraries.is_place(path))
        if before == self._checked:
            return ""
        self._checked = before
        tops = self.tops
        for folder in before:
            try:
                entries = os.listdir(folder or ".")
            except OSError:
                continue
            for entry in entries:
                stem, _, ending = entry.partition(".")
                if stem not in tops:
                    continue
                path = os.path.join(folder, entry)
                if ending.endswith(("py", "so", "pyc")) or (not ending and _is_package(path)):
                    return f"{path} stands before the library of that name"
        return ""

    def _served(self, name: str, module: ModuleType) -> tuple[Any, list[str]]:
        own = getattr(module, "__spec__", None)
        needed = [it for it in self._with(name) if it not in sys.modules]
        needed.sort(key=self._order.__getitem__)
        for it in needed:
            sys.modules[it] = self._modules[it]
        spec = type(sys.__spec__)(name, _Given(module, own))  # type: ignore[arg-type]
        if own is not None:
            spec.submodule_search_locations = own.submodule_search_locations
        sys.modules.pop(name, None)
        return spec, needed

    def _with(self, name: str) -> set[str]:
        """The module and everything that it needs."""
        found: set[str] = set()
        queue = [name]
        while queue:
            it = queue.pop()
            if it not in found:
                found.add(it)
                queue += self._needs[it]
        return found

    def _find_needs(self, name: str) -> Iterable[str]:
        """The modules that this one's names come from, its parents, and what it is made of."""
        found = {name.rpartition(".")[0]}
        for value in tuple(getattr(self._modules[name], "__dict__", {}).values()):
            kind = type(value)
            if kind is type(sys):
                home = value.__name__
                if home.startswith(name + "."):  # bound by whoever has imported it
                    continue
            elif issubclass(kind, type) or kind in (type(_is_package), type(len)):
                home = value.__module__
            else:  # never ask the value: it may be a proxy that comes to life
                home = kind.__module__
            if type(home) is str:
                found.add(home)
        return found.intersection(self._modules) - {name}


class _Given:
    """A loader whose module has been loaded."""

    def __init__(self, module: ModuleType, spec: Any) -> None:
        self._module = module
        self._spec = spec

    def create_module(self, _spec: Any) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        with contextlib.suppress(AttributeError):
            module.__spec__ = self._spec


def _is_package(path: str) -> bool:
    try:
        return any(entry.startswith("__init__.") for entry in os.listdir(path))
    except OSError:
        return False
