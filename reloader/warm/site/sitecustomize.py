"""Runs in the app's interpreter when that starts, before anything of the app.

reloader puts this directory in front of PYTHONPATH, so `site` imports this file as its
`sitecustomize`. Everything that shows this is taken back first; then the module of the project's
own name is imported, if there is one, and the interpreter goes on to the app as ever. In a server
`begin` returns only in processes that it has forked, each of which goes on from here to be an app:
so arguments, `__main__`, tracebacks and exit statuses are the interpreter's own.

Standard library only; CPython 3.8 or newer.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HERE = os.path.dirname(__file__)
_INSIDE = os.path.join(os.path.dirname(_HERE), "inside")
_LOADER: Any = type(__spec__.loader)  # SourceFileLoader, without an import


_loaded: dict[str, Any] = {}


def _load(name: str) -> Any:
    """Returns a module of reloader that `sys.modules` doesn't know."""
    if name in _loaded:
        return _loaded[name]
    loader = _LOADER("reloader.warm." + name, os.path.join(_INSIDE, name + ".py"))
    module = _loaded[name] = type(sys)("reloader.warm." + name)
    module.__file__ = loader.path
    module.__loader__ = loader
    exec(loader.get_code(loader.name), module.__dict__)  # noqa: S102 -- it is reloader's own
    return module


def _vanish() -> None:
    """Puts PYTHONPATH, `sys.path` and the modules back to what they are without reloader."""
    first, _, rest = os.environ.get("PYTHONPATH", "").partition(os.pathsep)
    if first == _HERE and rest:
        os.environ["PYTHONPATH"] = rest
    elif first == _HERE:
        del os.environ["PYTHONPATH"]
    if _HERE in sys.path:
        sys.path.remove(_HERE)
    sys.path_importer_cache.pop(_HERE, None)
    del sys.modules["sitecustomize"]


def _run() -> None:
    how = os.environ.pop("RELOADER_WARM", "")
    _vanish()
    known = set(sys.modules)
    try:
        if how:
            _load("begin").begin(how, known, _load)
    except Exception:  # noqa: BLE001 -- the app starts, whatever happens here
        if how.startswith("serve"):  # but never a second one
            os._exit(1)
    for name in set(sys.modules) - known:
        del sys.modules[name]


_run()
__import__("sitecustomize")  # the one that would have been found; `site` knows if there is none
