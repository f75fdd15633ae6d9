"""Python projects: web frameworks, workers, scripts and packages."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, NamedTuple

from reloader.detect.candidate import Candidate, beside, quoted
from reloader.detect.dev_servers import reloads
from reloader.detect.marks import PYTHON
from reloader.detect.sources import (
    LIKELY,
    App,
    arguments,
    calls,
    factory,
    imported_as,
    made,
    module_at,
    modules,
)
from reloader.light import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.detect.folder import Folder
    from reloader.detect.sources import Factory, Module

_RUNNERS = {
    "uv.lock": "uv run",
    "poetry.lock": "poetry run",
    "Pipfile.lock": "pipenv run",
    "pdm.lock": "pdm run",
}
_DEPTH = 2  # directories below the root in which an app is looked for
# Modules that tools run, or that the program imports.
_NO_PROGRAMS = frozenset(
    """__init__ build tasks deploy release manage settings config models views urls utils helpers
    version constants""".split()  # noqa: SIM905
)
_RELOADING = re.compile(r"\bnicegui\b|\b(?:debug|\w*reload\w*)\s*=\s*True")
_DEPENDENCIES = ("requirements.txt", "pyproject.toml", "uv.lock")


def interpreter(folder: Folder) -> str:
    """Returns the command of the Python that has the project's packages."""
    for lock, runner in _RUNNERS.items():
        if folder.has(lock):
            return f"{runner} python"
    for venv in (".venv", "venv", "env"):
        if folder.has(f"{venv}/bin/python"):
            return f"{venv}/bin/python"
    above = folder.below("..")
    if above.has(".venv/bin/python"):
        return "../.venv/bin/python"
    return "python" if _is_on_path("python") or not _is_on_path("python3") else "python3"


def _is_on_path(name: str) -> bool:
    import os

    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return any(os.access(posixpath.join(folder, name), os.X_OK) for folder in folders)


# --- Django --------------------------------------------------------------------------------------


def django(folder: Folder) -> list[Candidate]:
    """Returns `manage.py runserver` for the root, else for each directory below."""
    places = ["manage.py"] if folder.is_file("manage.py") else []
    places = places or [f"{name}/manage.py" for name in folder.folders()]
    return [_django(folder, path) for path in places if "django" in folder.read(path).lower()]


def _django(folder: Folder, path: str) -> Candidate:
    command = f"{interpreter(folder)} {quoted(path)} runserver --noreload"
    return Candidate("a Django project", command, path)


# --- web frameworks ------------------------------------------------------------------------------


class Framework(NamedTuple):
    """A package, the classes of its apps, and how an app is served."""

    package: str
    classes: str
    kind: str
    serve: Callable[[Folder, App], Candidate]


def web(folder: Folder) -> list[Candidate]:
    """Returns the apps of web frameworks, of the nearest directories that have any.

    An app that a module makes goes before a factory; of several in one directory the one in the
    likeliest module counts, as the others are its parts.
    """
    for depth in range(_DEPTH + 1):
        found = [_app_in(folder, modules(folder, path)) for path in _folders(folder, depth)]
        if level := [candidate for candidate in found if candidate]:
            return level
    return []


def _folders(folder: Folder, depth: int) -> list[str]:
    """Returns the directories this far down that are no projects of their own."""
    paths = [""]
    for _ in range(depth):
        below = [posixpath.join(p, n) for p in paths for n in folder.folders(p)]
        paths = [p for p in below if not folder.has(*(posixpath.join(p, m) for m in PYTHON))]
    return paths


def _app_in(folder: Folder, found: list[Module]) -> Candidate | None:
    """Returns what serves the app that one of these modules makes."""
    for framework in FRAMEWORKS:
        for module in found:
            if app := made(module, framework.package, framework.classes):
                return framework.serve(folder, app)
    for framework in FRAMEWORKS:
        for module in found:
            if found_one := factory(module, framework.package, framework.classes):
                app = _called(folder, found_one)
                return framework.serve(folder, app) if app else None
    return None


def _called(folder: Folder, made_by: Factory) -> App | None:
    """Returns what holds the result of a factory, else the factory if it needs no argument."""
    for path in dict.fromkeys(("", posixpath.dirname(made_by.module.path))):
        for module in modules(folder, path):
            if name := calls(module, made_by.name):
                return App(module, name)
    if made_by.needs_arguments:
        return None
    return App(made_by.module, made_by.name, is_factory=True)


def _asgi(kind: str) -> Callable[[Folder, App], Candidate]:
    def serve(folder: Folder, app: App) -> Candidate:
        top, dotted = imported_as(folder, app.module)
        words = [f"{interpreter(folder)} -m uvicorn {dotted}:{app.name}"]
        words += ["--factory"] * app.is_factory + [f"--app-dir {quoted(top)}"] * bool(top)
        given = arguments(app.module, "uvicorn.run")
        if given is not None and not _is_literal(given, "port") and "reload" not in given:
            return script(folder, app.module, kind)
        words += _address(given or "")
        return Candidate(kind, " ".join(words), app.module.path)

    return serve


def _is_literal(given: str, name: str) -> bool:
    return not re.search(rf"\b{name}\s*=\s*(?!\d+\s*(?:,|$))", given.strip())


def _address(given: str) -> list[str]:
    """Returns the flags for the host and the port that a call like `app.run(…)` names."""
    host = re.search(r"\bhost\s*=\s*['\"]([\w.:-]+)['\"]", given)
    port = re.search(r"\bport\s*=\s*(\d+)", given)
    return [f"--{name} {it[1]}" for name, it in (("host", host), ("port", port)) if it]


def _flask(folder: Folder, app: App) -> Candidate:
    if re.search(r"\bSocketIO\(", app.module.source) and app.module.is_run:
        return script(folder, app.module, "a Flask-SocketIO app")
    settings = folder.read(".flaskenv") + folder.read(".env")
    command = f"{_with_path(folder, app)}{interpreter(folder)} -m flask"
    if not re.search(r"(?m)^\s*(?:export\s+)?FLASK_APP=", settings):
        command += f" --app {_flask_name(folder, app)}"
    given = arguments(app.module, rf"{app.name}\.run") or ""
    command += " ".join([" run --debug --no-reload", *_address(given)])
    remark = "Flask reloads templates by itself, so they need no restart."
    return Candidate(
        "a Flask app", command, app.module.path, include_ext=("py", "toml"), remark=remark
    )


def _flask_name(folder: Folder, app: App) -> str:
    """Returns `module`, `module:name` or `'module:name()'`; Flask finds the usual names itself."""
    _, dotted = imported_as(folder, app.module)
    if app.name in ("app", "application", "create_app", "make_app"):
        return dotted
    return quoted(f"{dotted}:{app.name}()") if app.is_factory else f"{dotted}:{app.name}"


def _quart(folder: Folder, app: App) -> Candidate:
    _, dotted = imported_as(folder, app.module)
    name = f"{dotted}:{app.name}" + "()" * app.is_factory
    given = arguments(app.module, rf"{app.name}\.run") or ""
    words = [f"{_with_path(folder, app)}{interpreter(folder)} -m quart --app {quoted(name)} run"]
    command = " ".join([*words, *_address(given)])
    return Candidate("a Quart app", command, app.module.path)


def _sanic(folder: Folder, app: App) -> Candidate:
    _, dotted = imported_as(folder, app.module)
    command = f"{_with_path(folder, app)}{interpreter(folder)} -m sanic {dotted}:{app.name}"
    command += " --factory" * app.is_factory + " --single-process"
    return Candidate("a Sanic app", command, app.module.path)


def _dash(folder: Folder, app: App) -> Candidate:
    given = arguments(app.module, rf"{app.name}\.run(?:_server)?") or ""
    if re.search(r"\bdebug\s*=\s*True", given):
        command = f"{interpreter(folder)} {quoted(app.module.path)}"
        files = tuple(name for name in _DEPENDENCIES if folder.is_file(name))
        return beside("a Dash app", command, app.module.path, files)
    return script(folder, app.module, "a Dash app")


def _with_path(folder: Folder, app: App) -> str:
    """Returns the assignment that makes the module's directory importable, or ""."""
    top, _ = imported_as(folder, app.module)
    return f"PYTHONPATH={quoted(top)} " if top else ""


FRAMEWORKS = (
    Framework("fastapi", "FastAPI", "a FastAPI app", _asgi("a FastAPI app")),
    Framework("litestar", "Litestar", "a Litestar app", _asgi("a Litestar app")),
    Framework("quart", "Quart", "a Quart app", _quart),
    Framework("dash", "Dash", "a Dash app", _dash),
    Framework("flask", "Flask|APIFlask|OpenAPI", "a Flask app", _flask),
    Framework("apiflask", "APIFlask", "a Flask app", _flask),
    Framework("sanic", "Sanic", "a Sanic app", _sanic),
    Framework("starlette", "Starlette", "a Starlette app", _asgi("a Starlette app")),
    Framework("blacksheep", "Application", "a BlackSheep app", _asgi("a BlackSheep app")),
    Framework("falcon.asgi", "falcon.asgi.App|asgi.App", "a Falcon app", _asgi("a Falcon app")),
)


# --- programs with a runner of their own ---------------------------------------------------------


def streamlit(folder: Folder) -> list[Candidate]:
    """Returns `streamlit run` for the page that begins; it reruns by itself at each save."""
    for path in _folders(folder, 0) + _folders(folder, 1):
        if posixpath.basename(path) == "pages":
            continue
        found = [m for m in modules(folder, path) if "streamlit" in m.imports]
        named = [
            m for m in found if m.stem in ("streamlit_app", "Home", "home", "dashboard", *LIKELY)
        ]
        files = (*_DEPENDENCIES, ".streamlit/config.toml", ".streamlit/secrets.toml")
        present = tuple(name for name in files if folder.is_file(name))
        if apps := found if len(found) == 1 else named or found:
            command = f"{interpreter(folder)} -m streamlit run"
            return [
                beside("a Streamlit app", f"{command} {quoted(m.path)}", m.path, present)
                for m in (apps[:1] if named else apps)
            ]
    return []


def workers(folder: Folder) -> list[Candidate]:
    """Returns the Celery or dramatiq worker of the project."""
    for depth in range(_DEPTH + 1):
        for path in _folders(folder, depth):
            for module in modules(folder, path):
                if app := made(module, "celery", "Celery"):
                    return [_celery(folder, app)]
                if "dramatiq" in module.imports and re.search(
                    r"@(?:dramatiq\.)?actor\b", module.source
                ):
                    top, dotted = imported_as(folder, module)
                    line = f"{interpreter(folder)} -m dramatiq {dotted}"
                    line += f" --path {quoted(top)}" if top else ""
                    return [Candidate("a dramatiq worker", line, module.path)]
    return []


def _celery(folder: Folder, app: App) -> Candidate:
    top, dotted = imported_as(folder, app.module)
    name = (
        dotted.removesuffix(".celery") if app.name in ("app", "celery") else f"{dotted}:{app.name}"
    )
    command = f"{interpreter(folder)} -m celery -A {name} worker --loglevel=info --pool=solo"
    command = (f"PYTHONPATH={quoted(top)} " if top else "") + command
    remark = "The solo pool restarts within a second; leave it out for tasks side by side."
    return Candidate("a Celery worker", command, app.module.path, remark=remark)


# --- scripts and packages ------------------------------------------------------------------------


def script(folder: Folder, module: Module, kind: str = "a Python program") -> Candidate:
    """Returns what runs a file: by its path, or `-m` where it is part of a package.

    One that turns reloading on itself (`app.run(debug=True)`) is left to do so.
    """
    python = interpreter(folder)
    if _RELOADING.search(module.source):
        line = f"{python} {quoted(module.path)}"
        if reloads(line, folder.top):
            files = tuple(name for name in _DEPENDENCIES if folder.is_file(name))
            return beside(kind, line, module.path, files)
    if "/" not in module.path:
        return Candidate(kind, f"{python} {quoted(module.path)}", module.path)
    top, dotted = imported_as(folder, module)
    line = f"{python} -m {dotted.removesuffix('.__main__')}"
    line = f"PYTHONPATH={quoted(top)} {line}" if top else line
    if "." not in dotted and not dotted.endswith("__main__"):
        line = f"{python} {quoted(module.path)}"
    return Candidate(kind, line, module.path)


def programs(folder: Folder) -> list[Candidate]:
    """Returns the commands of `[project.scripts]`, packages that can be run, and scripts."""
    return (
        _entry_points(folder)
        or _scripts(folder, "")
        or _packages(folder)
        or _scripts(folder, "src")
        or _scripts(folder, "app")
    )


def _packages(folder: Folder) -> list[Candidate]:
    """Returns the packages with a `__main__.py`, in the root or in `src`."""
    places = [f"{top}{name}" for top in ("", "src/") for name in folder.folders(top.rstrip("/"))]
    mains = [f"{place}/__main__.py" for place in places if folder.is_file(f"{place}/__main__.py")]
    return [script(folder, module_at(folder, path)) for path in mains]


def _entry_points(folder: Folder) -> list[Candidate]:
    """Returns what the commands that the project installs run, from its sources."""
    table = folder.table("pyproject.toml") if "scripts" in folder.read("pyproject.toml") else {}
    project = table.get("project") or (table.get("tool") or {}).get("poetry") or {}
    scripts = project.get("scripts") if isinstance(project, dict) else None
    if not isinstance(scripts, dict):
        return []
    found = {
        name: candidate
        for name, target in scripts.items()
        if isinstance(target, str) and (candidate := _entry_point(folder, name, target))
    }
    if main := found.get(str(project.get("name", ""))):
        return [main]
    return list(found.values())


def _entry_point(folder: Folder, name: str, target: str) -> Candidate | None:
    dotted, _, function = target.partition(":")
    path = dotted.replace(".", "/")
    places = [f"{top}{path}{end}" for top in ("", "src/") for end in (".py", "/__init__.py")]
    source = folder.first(*places)
    if not source or not re.fullmatch(r"[\w.]+", function):
        return None
    package = source.removesuffix("__init__.py").rpartition("/")[0]
    main = folder.first(f"{package}/__main__.py") or (
        source if module_at(folder, source).is_run else ""
    )
    where = "pyproject.toml"
    if main:
        return replace(script(folder, module_at(folder, main)), where=where)
    if folder.has("uv.lock", "poetry.lock", "pdm.lock"):
        runner = interpreter(folder).removesuffix(" python")
        return Candidate("a Python program", f"{runner} {name}", where)
    assignment = "PYTHONPATH=src " if source.startswith("src/") else ""
    code = f"from {dotted} import {function.partition('.')[0]}; {function}()"
    line = f"{assignment}{interpreter(folder)} -c {quoted(code)}"
    return Candidate("a Python program", line, where)


def _scripts(folder: Folder, path: str) -> list[Candidate]:
    """Returns the script in a directory that is the program, or all that may be.

    Below the root only one that says that it is run counts.
    """
    found = [m for m in modules(folder, path) if m.stem not in _NO_PROGRAMS]
    found = [module for module in found if module.is_run or not path]
    found = [module for module in found if "pytest" not in module.imports]
    run = [module for module in found if module.is_run]
    likely = [module for module in found if module.stem in LIKELY]
    both = [module for module in run if module in likely]
    # Without a part for being run, a likely name alone may be a module of a library.
    chosen = both or (run if len(run) == 1 else ([] if run else likely)) or run
    if not chosen and len(found) == 1 and not _is_library(folder):
        chosen = found
    if len(chosen) > 1:  # the one that imports the others
        names = {module.stem for module in chosen}
        tops = [m for m in chosen if m.imports & (names - {m.stem})]
        imported = frozenset().union(*(m.imports for m in chosen))
        alone = [m for m in tops if m.stem not in imported]
        chosen = alone if len(alone) == 1 else chosen
    return [script(folder, module) for module in chosen]


def _is_library(folder: Folder) -> bool:
    return folder.has("setup.py") or bool(
        re.search(r"(?m)^\[project\]", folder.read("pyproject.toml"))
    )


def run_file(folder: Folder, module: Module, *, is_plain: bool) -> Candidate:
    """Returns how a file is run that was named: its app by a server, else the file itself."""
    if module.stem == "manage" and not is_plain and "django" in module.source.lower():
        return _django(folder, module.path)
    candidate = None if is_plain else _app_in(folder, [module])
    if candidate is None and "streamlit" in module.imports and not is_plain:
        command = f"{interpreter(folder)} -m streamlit run {quoted(module.path)}"
        candidate = beside("a Streamlit app", command, module.path)
    if candidate:
        return candidate
    command = f"{interpreter(folder)} {quoted(module.path)}"
    return Candidate("a Python program", command, module.path)
