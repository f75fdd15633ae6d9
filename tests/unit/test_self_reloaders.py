"""Commands that reload their app themselves, and those that only look like it."""

from __future__ import annotations

import json

import pytest

from reloader.config import self_reloaders
from reloader.config.model import Build, Config


def name(line, folder="/nowhere"):
    tool = self_reloaders.find(line, str(folder))
    return tool.name if tool else None


@pytest.mark.parametrize(
    ("line", "tool"),
    [
        ("vite", "Vite"),
        ("npx vite --port 3000", "Vite"),
        ("./node_modules/.bin/vite dev", "Vite"),
        ("node node_modules/vite/bin/vite.js", "Vite"),
        ("next dev -p 3000", "Next.js"),
        ("NODE_ENV=development npx next dev", "Next.js"),
        ("pnpm exec next dev", "Next.js"),
        ("ng serve", "Angular"),
        ("nodemon server.js", "nodemon"),
        ("tsx watch src/index.ts", "tsx watch"),
        ("npx tsx --watch src/index.ts", "tsx watch"),
        ("node --watch server.js", "node --watch"),
        ("node --env-file=.env --watch-path=src server.js", "node --watch"),
        ("bun --hot run server.ts", "bun --watch"),
        ("bun run --watch server.ts", "bun --watch"),
        ("deno run --watch main.ts", "deno --watch"),
        ("fastapi dev main.py", "FastAPI's dev server"),
        ("uv run fastapi dev", "FastAPI's dev server"),
        ("uv run --with uvicorn --extra dev -- uvicorn main:app --reload", "uvicorn --reload"),
        ("python -m uvicorn --reload main:app", "uvicorn --reload"),
        ("python3.12 -X dev -m flask --app app run --debug", "Flask's debug mode"),
        ("flask --debug --app app run", "Flask's debug mode"),
        ("FLASK_DEBUG=1 flask run", "Flask's debug mode"),
        ("python manage.py runserver 0.0.0.0:8000", "Django's runserver"),
        ("./manage.py runserver", "Django's runserver"),
        ("poetry run python src/manage.py runserver_plus", "Django's runserver"),
        ("django-admin runserver", "Django's runserver"),
        ("gunicorn -w 2 --reload app:app", "gunicorn --reload"),
        ("streamlit run app.py", "Streamlit"),
        ("python -m streamlit run app.py", "Streamlit"),
        ("mkdocs serve", "MkDocs"),
        ("hugo server -D", "Hugo"),
        ("bundle exec rails s", "Rails"),
        ("bin/rails server", "Rails"),
        ("mix phx.server", "Phoenix"),
        ("air -c .air.toml", "Air"),
        ("go run github.com/air-verse/air@latest", "Air"),
        ("cargo watch -x run", "cargo watch"),
        ("dotnet watch run", "dotnet watch"),
        ("./mvnw quarkus:dev", "Quarkus"),
        ("sh -c 'cd web && exec npx vite'", "Vite"),
        ("cd web && npx vite", "Vite"),
        ("concurrently 'tsc --watch' 'node server.js'", "a watch mode"),
        ("watchexec -r python app.py", "a watcher"),
    ],
)
def test_a_command_that_reloads_by_itself(line, tool):
    """Whatever runs it: a package runner, an interpreter, a shell, a directory."""
    assert name(line) == tool


@pytest.mark.parametrize(
    "line",
    [
        "",
        "python app.py",
        "go run .",
        "./tmp/air --serve",
        "./vite",
        "go run ./cmd/air",
        "vite build",
        "npx vite preview",
        "next start",
        "next build",
        "node server.js --watch",
        "python app.py --reload",
        "fastapi run",
        "fastapi dev --no-reload",
        "uvicorn main:app",
        "flask run --debug --no-reload",
        "flask --app app run",
        "python manage.py runserver --noreload",
        "python manage.py migrate",
        "gunicorn app:app",
        "vitest run",
        "jest",
        "tsc -p .",
        "echo vite dev",
        "npx tailwindcss -w & python app.py",
        "cat 'open quote",
        "rails console",
        "tsx src/watch.ts",
        "npm run dev",  # there is no package.json
    ],
)
def test_a_command_that_does_not(line):
    """No false alarm."""
    assert name(line) is None


@pytest.mark.parametrize(
    ("script", "line", "tool"),
    [
        ("vite", "npm run dev", "Vite"),
        ("next dev", "yarn dev", "Next.js"),
        ("next dev", "pnpm --silent dev", "Next.js"),
        ("nodemon app.js", "bun run dev", "nodemon"),
        ("node --watch app.js", "node --run dev", "node --watch"),
        ("npm run deep", "npm run dev", "tsx watch"),
        ("npm-run-all -p dee*", "npm run dev", "tsx watch"),
        ("concurrently npm:deep 'echo x'", "npm run dev", "tsx watch"),
        ("npm run dev", "npm run dev", None),
        ("node server.js", "npm run dev", None),
        ("vite", "npm run build", None),
        ("vite", "npm run dev -- --port 1", "Vite"),
    ],
)
def test_the_script_of_a_package_json(tmp_path, script, line, tool):
    """Its line is looked at, through scripts that run scripts, but not for ever."""
    table = {"scripts": {"dev": script, "deep": "tsx watch x.ts", "build": "vite build"}}
    (tmp_path / "package.json").write_text(json.dumps(table))
    assert name(line, tmp_path) == tool
    (tmp_path / "web").mkdir()
    (tmp_path / "package.json").rename(tmp_path / "web" / "package.json")
    assert name(f"cd web && {line}", tmp_path) == tool


@pytest.mark.parametrize("text", ["", "[]", "{", '{"scripts": 1}', '{"scripts": {"dev": 1}}', "\0"])
def test_a_package_json_that_is_none(tmp_path, text):
    """It says nothing."""
    (tmp_path / "package.json").write_text(text)
    assert name("npm run dev", tmp_path) is None


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("app.run(\n  host='0.0.0.0',\n  debug=True,\n)", "app.run(debug=True)"),
        ("uvicorn.run('main:app', reload=True)", "uvicorn.run(reload=True)"),
        ("app.run(debug=True, use_reloader=False)", None),
        ("asyncio.run(main(), debug=True)", None),
        ("# app.run(debug=True)", None),
        ("app.run(debug=DEBUG)", None),
        ("def x(:\n  app.run(debug=True)", None),
    ],
)
def test_the_source_that_is_run(tmp_path, source, call):
    """`app.run(debug=True)` in the file itself."""
    (tmp_path / "app.py").write_text(source)
    assert name("uv run python app.py", tmp_path) == call
    assert name("python -m app", tmp_path) == call


def test_the_settings_with_which_both_work(tmp_path):
    """The files that the tool can't reload for: those that are there, as seen from the root."""
    (tmp_path / "web").mkdir()
    for file in ("package.json", "vite.config.mjs"):
        (tmp_path / "web" / file).write_text('{"scripts": {"dev": "vite"}}')
    tool = self_reloaders.find("npm --prefix web run dev", str(tmp_path))

    assert tool.files == ("web/package.json", "web/vite.config.mjs")
    assert tool.advice == (
        'include_ext = [] and include_file = ["web/package.json", "web/vite.config.mjs"] in [build]'
    )
    django = self_reloaders.find("python manage.py runserver", str(tmp_path))
    assert django.advice.startswith("--noreload, or include_ext = []")


def test_a_config_in_which_only_named_files_count():
    """Then nothing is restarted for a save of a source, and there is nothing to say."""
    both = Config(root="/nowhere", build=Build(bin="npx vite", include_ext=("js",)))
    assert self_reloaders.of(both).name == "Vite"
    assert self_reloaders.of(Config(root="/nowhere", build=Build(bin="npx vite"))) is None
    assert self_reloaders.of(Config(build=Build(include_ext=("js",)))) is None
