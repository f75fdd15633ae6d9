"""The text of a new config, and what is usual for each kind of project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.config.toml_writer import toml
from reloader.detect.candidate import Candidate
from reloader.detect.node import EXTENSIONS
from reloader.detect.project import every
from reloader.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reloader.detect.folder import Folder

# Editors complete and check the file with what this names; it lies beside the config, so it needs
# no network and is of the same version.
SCHEMA = ".reload.schema.json"
SCHEMA_LINE = f"#:schema ./{SCHEMA}"
# `--template NAME`: what is written where no file tells more.
USUAL = {
    "go": Candidate("a Go program", "./tmp/main", "", "go build -o ./tmp/main ."),
    "rust": Candidate(
        "a Rust program", "./target/debug/app", "", "cargo build", include_ext=("rs", "toml")
    ),
    "django": Candidate("a Django project", "python manage.py runserver --noreload", ""),
    "fastapi": Candidate("a FastAPI app", "python -m uvicorn main:app", ""),
    "flask": Candidate("a Flask app", "python -m flask --app app run --debug --no-reload", ""),
    "celery": Candidate("a Celery worker", "python -m celery -A tasks worker --pool=solo", ""),
    "streamlit": Candidate("a Streamlit app", "python -m streamlit run app.py", "", include_ext=()),
    "node": Candidate("a Node app", "node server.js", "", include_ext=EXTENSIONS),
    "typescript": Candidate(
        "a TypeScript app",
        "node dist/index.js",
        "",
        "npm run build",
        include_ext=EXTENSIONS,
        exclude_dir=("dist",),
    ),
    "vite": Candidate(
        "a dev server", "npm run dev", "", include_ext=(), include_file=("package.json",)
    ),
    "spring": Candidate(
        "a Spring Boot app", "java -jar target/app.jar", "", "./mvnw -q -DskipTests package"
    ),
    "rails": Candidate("a Rails app", "bin/rails server", "", include_ext=()),
    "php": Candidate("a PHP site", "php -S localhost:8000", "", include_ext=()),
    "dotnet": Candidate("a .NET program", "dotnet run --no-build", "", "dotnet build"),
    "python": Candidate("a Python program", "python main.py", ""),
    "make": Candidate("the app of make run", "make run", "", "make build"),
    "docker": Candidate("what the Dockerfile runs", "./app", ""),
}


def named(folder: Folder, name: str) -> Candidate:
    """Returns the candidate of this kind: made for what is in `folder`, else the usual one.

    Raises ConfigError: there is no such kind.
    """
    if name not in USUAL:
        raise ConfigError(
            Problem(f"expected one of {', '.join(USUAL)}, found {name}", "--template")
        )
    kind = USUAL[name].kind
    return next((it for it in every(folder) if it.kind == kind), USUAL[name])


# --- text ------------------------------------------------------------------------------------


def text(candidates: Sequence[Candidate]) -> str:
    """Returns the config for the one candidate; of several, each as a comment to choose from.

    What is left out is there as a comment, so that nothing has to be looked up.
    """
    if len(candidates) == 1:
        return "\n".join(_one(candidates[0])) + "\n"
    return "\n".join(_choice(candidates)) + "\n"


def _one(candidate: Candidate) -> Iterator[str]:
    found = f" (found in {candidate.where})" if candidate.where else ""
    yield SCHEMA_LINE
    yield f"# How reloader runs {candidate.kind}{found}. All keys: reloader run -h"
    settings = candidate.settings()
    tops = [f"{key} = {toml(settings[key])}" for key in ("root", "env_files") if key in settings]
    yield from ["", *tops] if tops else []
    yield from ("", "[build]")
    yield from [f"# {candidate.remark}"] if candidate.remark else []
    for key, example, comment in _ROWS:
        value = settings.pop(f"build.{key}", None)
        if value is not None and (value or key == "include_ext"):
            yield f"{key} = {toml(value)}  # {comment}"
        elif example:
            yield f"# {key} = {example}  # {comment}"
    if candidate.kind in _SERVERS:
        yield from ("", *_OVERLAP)


def _choice(candidates: Sequence[Candidate]) -> Iterator[str]:
    yield SCHEMA_LINE
    yield "# How reloader runs the app. All keys: reloader run -h"
    yield from ("", "[build]")
    if candidates:
        yield "# Several ways to run this: take the # off one of them."
    else:
        yield "# Say how the app is run: take the # off bin, and write it."
    for it in candidates:
        yield f"# From {it.where}: {it.kind}"
        yield from [f"# cmd = {toml(it.cmd)}"] if it.cmd else []
        yield f"# bin = {toml(it.bin)}"
    done = ("cmd", "bin") if candidates else ()
    for key, example, comment in _ROWS:
        if example and key not in done:
            yield f"# {key} = {example}  # {comment}"


# Kinds that serve requests and do nothing else, as long as nobody adds it: two may run at once.
_SERVERS = frozenset(USUAL[name].kind for name in ("fastapi", "flask", "django"))
_OVERLAP = (
    "[swap]",
    "# Start the new version first; the old one answers until the new one can. Both run a moment:",
    "# not for an app with a scheduler or a lock on a file.",
    '# mode = "overlap"',
)
# Key of [build], what a comment shows where it is not set ("": nothing), what it means.
_ROWS = (
    ("cmd", '"make"', "builds the app"),
    ("bin", '"./app"', "runs the app"),
    ("include_ext", '["*"]', "extensions to watch"),
    ("include_dir", "", "watch only these directories"),
    ("include_file", "", "watch these files regardless of extension"),
    ("exclude_dir", '["data"]', "directories not to watch"),
    ("exclude_regex", "", "files not to watch"),
    ("rerun", "true", "start the app again when it ends by itself"),
    ("stop_timeout", '"5s"', "time the app has to stop"),
)
