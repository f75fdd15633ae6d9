"""Kinds of projects, told from their files, and what each needs in a config."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from os.path import exists, isfile, join
from typing import TYPE_CHECKING

from reloader.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Editors complete and check the file with what this names; it lies beside the config, so it needs
# no network and is of the same version.
SCHEMA = ".reload.schema.json"
SCHEMA_LINE = f"#:schema ./{SCHEMA}"
_LARGEST = 200_000  # characters of a source that are looked at
# Where an app usually is; other names come after these.
_LIKELY = ("main", "app", "server", "wsgi", "asgi", "api", "run", "__init__", "__main__")
_RUNNERS = {"uv.lock": "uv run", "poetry.lock": "poetry run", "Pipfile.lock": "pipenv run"}
_NODE_RUNNERS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
}
_NODE_EXT = ("js", "mjs", "cjs", "ts", "mts", "jsx", "tsx", "json")


@dataclass(frozen=True)
class Template:
    """What a kind of project needs in `[build]`; empty: nothing is written for it."""

    project: str  # "a FastAPI app"
    bin: str = ""
    cmd: str = ""
    include_ext: tuple[str, ...] = ()
    exclude_dir: tuple[str, ...] = ()
    remark: str = ""

    def text(self) -> str:
        """The file; what is left out is there as a comment, so that nothing has to be looked up."""
        lines = [SCHEMA_LINE, f"# How reloader runs {self.project}. All keys: reloader run -h"]
        lines += ["", "[build]"]
        lines += [f"# {self.remark}"] if self.remark else []
        rows = (
            ("cmd", self.cmd and _quoted(self.cmd), '"make"', "builds the app"),
            ("bin", self.bin and _quoted(self.bin), '"./app"', "runs the app"),
            ("include_ext", _listed(self.include_ext), '["*"]', "endings of files that count"),
            ("exclude_dir", _listed(self.exclude_dir), '["data"]', "folders that don't count"),
            ("rerun", "", "true", "start the app again when it ends by itself"),
            ("stop_timeout", "", '"5s"', "time the app has to stop"),
        )
        for key, value, example, comment in rows:
            setting = f"{key} = {value}" if value else f"# {key} = {example}"
            lines.append(f"{setting}  # {comment}")
        return "\n".join(lines) + "\n"


def detect(cwd: str) -> Template:
    """The template for the project in `cwd`; the first kind that fits."""
    for kind in KINDS.values():
        if template := kind.find(cwd):
            return template
    return Template("the app", remark="Say how the app is run: take the # off bin, and write it.")


def named(cwd: str, name: str) -> Template:
    """The template of this kind: made for what is in `cwd`, else a usual one.

    Raises ConfigError: there is no such kind.
    """
    if name not in KINDS:
        raise ConfigError(
            Problem(f"expected one of {', '.join(KINDS)}, found {name}", "--template")
        )
    return KINDS[name].find(cwd) or KINDS[name].usual


@dataclass(frozen=True)
class Kind:
    """How a kind of project is found, and what is usual where nothing is there yet."""

    find: Callable[[str], Template | None]
    usual: Template


# --- one function a kind -------------------------------------------------------------------------


def _go(cwd: str) -> Template | None:
    if not isfile(join(cwd, "go.mod")):
        return None
    mains = list(_go_mains(cwd)) or ["."]
    remark = f"Other programs here: {', '.join(mains[1:])}" if mains[1:] else ""
    command = f"go build -o ./tmp/main {mains[0]}"
    return Template("a Go program", "./tmp/main", command, remark=remark)


def _go_mains(cwd: str) -> Iterator[str]:
    """The folders that hold a main package: the root, or below `cmd/`."""
    for folder in (".", *(f"./cmd/{name}" for name in _names(join(cwd, "cmd")))):
        sources = (name for name in _names(join(cwd, folder)) if name.endswith(".go"))
        if any(re.search(r"(?m)^package main\b", _read(cwd, folder, name)) for name in sources):
            yield folder


def _rust(cwd: str) -> Template | None:
    if not isfile(join(cwd, "Cargo.toml")):
        return None
    found = re.search(r'(?ms)^\[package\].*?^name\s*=\s*"([\w-]+)"', _read(cwd, "Cargo.toml"))
    ext, target = ("rs", "toml"), ("target",)
    if not found:
        return Template("a Rust workspace", "cargo run", "", ext, target)
    app = f"./target/debug/{found[1]}"
    return Template("a Rust program", app, "cargo build", ext, target)


def _django(cwd: str) -> Template | None:
    if "django" not in _read(cwd, "manage.py").lower():
        return None
    # Django's own reloader would be a second one.
    return Template("a Django project", f"{_python(cwd)} manage.py runserver --noreload")


def _fastapi(cwd: str) -> Template | None:
    app = _python_app(cwd, "FastAPI")
    if not app:
        return None
    factory = " --factory" if app.endswith("()") else ""
    command = f"{_python(cwd)} -m uvicorn {app.removesuffix('()')}{factory} --port 8000"
    return Template("a FastAPI app", command)


def _flask(cwd: str) -> Template | None:
    app = _python_app(cwd, "Flask")
    if not app:
        return None
    module = app.partition(":")[0] if app.endswith((":app", "()")) else app
    return Template("a Flask app", f"{_python(cwd)} -m flask --app {module} run --port 5000")


def _node(cwd: str) -> Template | None:
    try:
        scripts = json.loads(_read(cwd, "package.json") or "{}").get("scripts") or {}
        script = next((name for name in ("start", "serve", "dev") if scripts.get(name)), "")
    except (ValueError, AttributeError):
        return None
    if not script:
        return None
    runner = next((tool for lock, tool in _NODE_RUNNERS.items() if exists(join(cwd, lock))), "npm")
    return Template(
        "a Node app", f"{runner} run {script}", "", _NODE_EXT, ("dist", "build", "coverage")
    )


def _script(cwd: str) -> Template | None:
    """A script with a main part, or a package that can be run."""
    others = ("setup.py", "conftest.py")
    scripts = [name for name in _by_likelihood(_names(cwd)) if name.endswith(".py")]
    scripts = [name for name in scripts if name not in others and isfile(join(cwd, name))]
    likely = [name for name in scripts if "__main__" in _read(cwd, name)]
    likely += [name for name in scripts if name[:-3] in _LIKELY] or scripts[:1]
    packages = [name for name in _names(cwd) if isfile(join(cwd, name, "__main__.py"))]
    if not likely and not packages:
        return None
    app = likely[0] if likely else f"-m {packages[0]}"
    return Template("a Python program", f"{_python(cwd)} {app}")


def _make(cwd: str) -> Template | None:
    text = _read(cwd, "Makefile")
    run = re.search(r"(?m)^run\s*:(?!=).*\n((?:\t.*\n?)*)", text)
    if not run or "reloader" in run[0]:  # it would start us again
        return None
    has_build = re.search(r"(?m)^build\s*:(?!=)", text)
    return Template("the app of make run", "make run", "make build" if has_build else "")


def _docker(cwd: str) -> Template | None:
    """What the Dockerfile runs, where nothing else tells: its last CMD behind its ENTRYPOINT."""
    words: list[str] = []
    for name in ("ENTRYPOINT", "CMD"):
        lines = re.findall(rf"(?m)^{name}[ \t]+(.+?)[ \t]*$", _read(cwd, "Dockerfile"))
        try:
            exact = json.loads(lines[-1]) if lines else []
        except ValueError:
            exact = [lines[-1]]  # a line for a shell
        words += exact if isinstance(exact, list) else []
    line = " ".join(w if re.fullmatch(r"\S+", w) or len(words) == 1 else f"'{w}'" for w in words)
    if not line or "reloader" in line:
        return None
    return Template("what the Dockerfile runs", line)


KINDS = {
    "go": Kind(_go, Template("a Go program", "./tmp/main", "go build -o ./tmp/main .")),
    "rust": Kind(_rust, Template("a Rust workspace", "cargo run", "", ("rs", "toml"), ("target",))),
    "django": Kind(_django, Template("a Django project", "python manage.py runserver --noreload")),
    "fastapi": Kind(_fastapi, Template("a FastAPI app", "python -m uvicorn main:app --port 8000")),
    "flask": Kind(_flask, Template("a Flask app", "python -m flask --app app run --port 5000")),
    "node": Kind(
        _node,
        Template("a Node app", "npm run start", "", _NODE_EXT, ("dist", "build", "coverage")),
    ),
    "python": Kind(_script, Template("a Python program", "python main.py")),
    "make": Kind(_make, Template("the app of make run", "make run", "make build")),
    "docker": Kind(_docker, Template("what the Dockerfile runs", "./app")),
}

# --- looking -------------------------------------------------------------------------------------


def _python_app(cwd: str, framework: str) -> str:
    """Where an app of this class is made: `main:app`, or `main:create_app()` by a function."""
    made = re.compile(rf"(?m)^(\w+)\s*(?::[^=\n]+)?=\s*(?:\w+\.)?{framework}\(")
    factory = re.compile(rf"(?m)^def (\w+)\([^\n]*\n(?:[ \t]+.*\n|\n)*?.*\b{framework}\(")
    for pattern, end in ((made, ""), (factory, "()")):
        for module, source in _modules(cwd):
            if f"import {framework}" in source and (found := pattern.search(source)):
                return f"{module}:{found[1]}{end}"
    return ""


def _modules(cwd: str) -> Iterator[tuple[str, str]]:
    """Name and source of each module in the root and in the packages one below."""
    folders = [".", *(name for name in _names(cwd) if not name.startswith((".", "test")))]
    for folder in folders:
        for name in _by_likelihood(_names(join(cwd, folder))):
            if name.endswith(".py") and not name.startswith("test"):
                parts = [part for part in (folder, name[:-3]) if part not in (".", "__init__")]
                yield ".".join(parts), _read(cwd, folder, name)


def _by_likelihood(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: _LIKELY.index(s) if (s := name[:-3]) in _LIKELY else 99)


def _python(cwd: str) -> str:
    """The interpreter that has the project's packages."""
    for lock, runner in _RUNNERS.items():
        if exists(join(cwd, lock)):
            return f"{runner} python"
    for venv in (".venv", "venv"):
        if exists(join(cwd, venv, "bin", "python")):
            return f"{venv}/bin/python"
    from shutil import which

    return "python" if which("python") else "python3"


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _read(*parts: str) -> str:
    """The beginning of a text file; "" if it can't be read."""
    path = join(*parts)
    if not isfile(path):
        return ""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(_LARGEST)
    except OSError:
        return ""


# --- writing -------------------------------------------------------------------------------------


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _listed(items: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_quoted, items))}]" if items else ""
