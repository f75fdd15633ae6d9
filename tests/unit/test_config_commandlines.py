"""What is doubtful in command lines, and above all what is not."""

from __future__ import annotations

import pytest

from reloader.config.commandlines import warnings
from reloader.config.model import Build, Config


def found(platform="linux", **build):
    build = Build(include_ext=("*",), **build)
    return [(d.key, d.index, d.text) for d in warnings(Config(build=build), platform)]


@pytest.mark.parametrize(
    "line",
    [
        "killall myapp || true",
        "pkill -f tmp/main",
        "kill $(lsof -t -i:8080)",
        "kill -9 `cat x.pid`; true",
        "lsof -ti:8080 | xargs -r kill",
        "fuser -k 8080/tcp",
        "taskkill /F /IM main.exe",
    ],
)
def test_killing_by_name_or_port(line):
    """It may hit the app that goes on running."""
    assert any("ends what runs" in text for _, _, text in found(pre_cmd=("true", line)))
    assert found(pre_cmd=("true", line))[0][:2] == ("pre_cmd", 1)


@pytest.mark.parametrize(
    "line",
    [
        "bun run dev",
        "npm start",
        "yarn watch",
        "cd web && pnpm run dev",
        "NODE_ENV=dev npx tailwindcss -i a.css -o b.css --watch",
        "templ generate --watch",
        "docker compose up",
        "vite",
        "air",
        "python3 -m http.server",
    ],
)
def test_what_never_ends_is_not_for_a_pre_cmd(line):
    """The build waits for it."""
    ((key, index, text),) = found(pre_cmd=(line,))
    assert (key, index) == ("pre_cmd", 0)
    assert text.endswith("goes on for ever, and is waited for")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "go build -o ./tmp/main .",
        "npm run build",
        "npm run dev:build",
        "npm run dev &",
        "docker compose up -d db",
        "docker-compose up --wait",
        "npx tailwindcss -i a.css -o b.css --minify",
        "templ generate && go build -o ./tmp/main.exe .",
        "vite build",
        "go run ./cmd/killall-test",
        "rm -f tmp/skill",
        "make watch-deps",
        "grep -r 'a\\.b' .",
        'bash -lc "go build ./..."',
        "go build -ldflags \"-X main.at=$(date +%s)\" -o 'my app' .",
    ],
)
def test_no_false_alarm_about_builds(line):
    """Words that only look like it."""
    assert found(cmd=line, pre_cmd=(line,), bin="./tmp/main serve") == []


@pytest.mark.parametrize(
    "app",
    [
        {"bin": "uvicorn main:app --reload"},
        {"full_bin": "python manage.py runserver"},
        {"entrypoint": ("nodemon", "app.js")},
        {"bin": "flask run --debug"},
        {"bin": "node --watch app.js"},
    ],
)
def test_an_app_that_reloads_itself(app):
    """Two reloaders restart twice."""
    ((key, _, text),) = found(**app)
    assert key in app
    assert "reloads by itself" in text


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("tmp\\main.exe .env.dev", "has \\ between"),
        (".\\tmp\\main.exe", "has \\ between"),
        ('cmd /c "set X=1 && .\\tmp\\main.exe"', "`cmd /c` is a command of Windows"),
        ("start spire http:serve", "`start` is a command of Windows"),
        ("run.bat", "`run.bat` is a command of Windows"),
        ("go run -o x.exe cmd\\server\\main.go", "`cmd\\server\\main.go` has \\ between"),
        ("go build -o .\\tmp\\main.exe .", "`.\\tmp\\main.exe` has \\ between"),
    ],
)
def test_commands_of_windows(app, said):
    """Elsewhere they can't run; on Windows they can."""
    ((key, _, text),) = found(full_bin=app)
    assert key == "full_bin"
    assert said in text
    assert found("win32", full_bin=app) == []


@pytest.mark.parametrize(
    "app",
    [
        "./tmp/main.exe",
        "tmp/main.exe serve",
        "dlv exec --headless ./tmp/main --",
        "APP_ENV=dev GOGC=100 ./tmp/main",
        "/tmp/sdl serve 2>&1 | tee /tmp/x.log",
        "python manage.py runserver --noreload",
        "uvicorn main:app",
        "node app.js",
        "./my\\ app",
        "./app --match 'web\\gen' --name a\\ b",
        "sed s/web\\nx/y/ x | app",
    ],
)
def test_no_false_alarm_about_apps(app):
    """An .exe that the build makes runs where it was made for."""
    assert found(full_bin=app) == []
