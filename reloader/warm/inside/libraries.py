"""Imports what the app has imported of libraries, one module after the other."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

QUIET = 0.4  # seconds without an import, after which the app's start is taken to be over
LONGEST = 20.0  # seconds to wait for that
PACE = 0.05  # seconds: the longest rest after an import, so that others have the processor
NEVER = frozenset({"gevent.monkey", "eventlet.patcher", "eventlet.green"})  # replace everything


def wanted(descriptor: int) -> list[tuple[str, str]]:
    """Returns (module, environment) pairs in the order of the app's imports.

    The environment is a `difference`; the list ends where the app has changed how modules are
    imported.
    """
    found: dict[str, str] = {}
    environ = ""
    for kind, text in _lines(descriptor):
        if kind == "b":
            break
        if kind == "e":
            environ = text
        elif kind == "i":
            found.setdefault(text, environ)
    return list(found.items())


def failed(descriptor: int) -> set[str]:
    """Returns the modules that the app has tried to import in vain."""
    return {text for kind, text in _lines(descriptor) if kind == "n"}


def _lines(descriptor: int) -> list[tuple[str, str]]:
    with open(os.dup(descriptor), "rb") as file:
        file.seek(0)
        lines = file.read().decode("utf-8", "surrogateescape").splitlines()
    return [(line[:1], line[2:]) for line in lines]


def wait_until_quiet(descriptor: int) -> None:
    """Waits until the app has not imported anything for a while: then its start is over."""
    size, since, begun = -1, time.monotonic(), time.monotonic()
    while time.monotonic() - since < QUIET and time.monotonic() - begun < LONGEST:
        now = os.fstat(descriptor).st_size
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.05)


class Libraries:
    """Tells which modules are libraries', by where their first package lies."""

    def __init__(self) -> None:
        import site
        import sysconfig

        paths = sysconfig.get_paths()
        places = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
        places += site.getsitepackages()
        if site.ENABLE_USER_SITE:
            places.append(site.getusersitepackages())
        base = getattr(sys, "base_prefix", sys.prefix)
        places.append(os.path.dirname(os.__file__).replace(sys.prefix, base, 1))
        self.places = tuple({os.path.realpath(place) + "/" for place in places})
        self._known: dict[str, bool] = {}
        self._places: dict[str, bool] = {}

    def has(self, name: str) -> bool:
        top = name.partition(".")[0]
        if top not in self._known:
            self._known[top] = self._find(top)
        return self._known[top]

    def holds(self, path: str) -> bool:
        return (os.path.realpath(path) + "/").startswith(self.places)

    def is_place(self, path: str) -> bool:
        """Tells if this entry of `sys.path` holds libraries."""
        if path not in self._places:
            self._places[path] = bool(path) and self.holds(path)
        return self._places[path]

    def _find(self, top: str) -> bool:
        if top in sys.builtin_module_names:
            return True
        from importlib.machinery import FrozenImporter, PathFinder

        spec = PathFinder.find_spec(top) or FrozenImporter.find_spec(top)
        if spec is None:
            return False
        if spec.origin == "frozen":
            return True
        found: list[str | None] = list(spec.submodule_search_locations or []) or [spec.origin]
        return all(place is not None and self.holds(place) for place in found)


def preload(
    notes: int, without: set[str], output: int, seen: Any, load: Callable[[str], Any]
) -> Libraries:
    """Imports those of the modules in the app's notes that are libraries'. Raises Refused.

    `output` is where what is printed meanwhile goes, `seen` the first finder.
    """
    import importlib

    begin, hazards = load("begin"), load("hazards")
    libraries = Libraries()
    names = wanted(notes)
    own = {name for name, _ in names if not libraries.has(name)} - failed(notes)
    start = dict(begin.environ_now())
    watch = hazards.Watch(output, libraries, begin, seen)
    main = sys.modules["__main__"]
    if sys.argv and sys.argv[0] not in ("-m", "-c", ""):
        main.__file__ = os.path.abspath(sys.argv[0])  # without one it looks interactive
    for name, word in names:
        if name in NEVER:
            raise hazards.Refused(f"{name} replaces what other modules rely on")
        if name in sys.modules or name in without or not libraries.has(name):
            continue
        environ = begin.changed(start, word)
        begin.set_environ(environ)
        began = time.monotonic()
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 -- the app's import may well have failed, too
            raise hazards.Refused(f"can't be imported alone: {error!r}", name) from None
        watch.check(name, environ)
        if needed := own.intersection(seen.environs):
            raise hazards.Refused(f"imports {needed.pop()} of the project", name)
        time.sleep(min(time.monotonic() - began, PACE))
    begin.set_environ(start)
    if hasattr(main, "__file__"):
        del main.__file__
    return libraries
