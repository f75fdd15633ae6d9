"""From a save to the first new answer of apps in Python: cold, warm, and by their own tools.

    make bench-warm ARGS="--tries 20 --only fastapi"

All ways of an app run side by side, each in its own copy of the project, and are measured in turns.
An answer is new if it carries the value that was saved. "cold start" is the command itself: it is
killed, the file is saved, and it is started again.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE = 20.0  # seconds for an answer
REST = 2.0  # after each try: a server may be made anew, and others have their turn
VENV = Path(__file__).parent.parent / ".venv-bench"
BIN = VENV / "bin"
PACKAGES = [
    *("fastapi", "uvicorn[standard]", "django", "flask", "granian", "gunicorn", "watchfiles"),
    *("pandas", "sqlalchemy", "pydantic-settings", "httpx", "jurigged"),
]

# Larger than all that the app writes as it starts: it must not look like the app's own file.
LEAF = "VALUE = 'v{value:06}'\n" + "# What this is about would stand here.\n" * 500
MODELS = "from pydantic import BaseModel\n" + "".join(
    f"class M{n}(BaseModel):\n    a: int = 0\n    b: str = ''\n    c: list[float] = []\n"
    for n in range(25)
)
ROUTES = (
    "from fastapi import APIRouter\nimport models\nimport leaf\nrouter = APIRouter()\n"
    "@router.get('/')\ndef root(): return leaf.VALUE\n"
    + "".join(
        f"@router.post('/m{n}')\ndef m{n}(m: models.M{n}): return m\n" for n in range(40 // 2)
    )
)
FASTAPI = """from fastapi import FastAPI
import routes
app = FastAPI()
app.include_router(routes.router)
"""
HEAVY = "import pandas, sqlalchemy, sqlalchemy.orm, pydantic_settings, httpx\n" + FASTAPI
OWN = (
    "".join(f"import own.m{n}\n" for n in range(60)) + "import leaf\n"
    "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef root(): return leaf.VALUE\n"
)
OWN_FILES = {
    "own/__init__.py": "",
    **{f"own/m{n}.py": MODELS for n in range(60)},
}
DJANGO = """import os, sys
import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import path
import leaf
if not settings.configured:
    settings.configure(
        DEBUG=True, ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth",
                        "django.contrib.sessions", "django.contrib.messages"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    )
urlpatterns = [path("", lambda request: HttpResponse(leaf.VALUE))]
if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
"""
FLASK = """from flask import Flask
import leaf
app = Flask(__name__)
@app.get('/')
def root(): return leaf.VALUE
"""


@dataclass(frozen=True)
class App:
    """A project, its command (`{port}`), and what else reloads it."""

    files: dict[str, str]
    command: list[str]
    others: dict[str, list[str]] = field(default_factory=dict)


UVICORN = ["uvicorn", "main:app", "--port", "{port}", "--log-level", "warning"]
ASGI_OTHERS = {
    "uvicorn --reload": [*UVICORN, "--reload"],
    "uvicorn-hmr": ["uvicorn-hmr", "main:app", "--port", "{port}"],
    "jurigged": ["jurigged", "-m", "uvicorn", *UVICORN[1:]],
    "watchfiles": ["watchfiles", " ".join(UVICORN), "."],
    "granian --reload": [
        "granian",
        "--interface",
        "asgi",
        "--port",
        "{port}",
        "--reload",
        "main:app",
    ],
    "gunicorn --reload": [
        *("gunicorn", "-k", "uvicorn.workers.UvicornWorker", "-b", "127.0.0.1:{port}"),
        *("--reload", "main:app"),
    ],
}
APPS = {
    "fastapi": App(
        {"main.py": FASTAPI, "routes.py": ROUTES, "models.py": MODELS}, UVICORN, ASGI_OTHERS
    ),
    "heavy": App(
        {"main.py": HEAVY, "routes.py": ROUTES, "models.py": MODELS}, UVICORN, ASGI_OTHERS
    ),
    "own60": App(
        {"main.py": OWN, **OWN_FILES}, UVICORN, {k: ASGI_OTHERS[k] for k in ("uvicorn-hmr",)}
    ),
    "django": App(
        {"manage.py": DJANGO},
        ["python", "manage.py", "runserver", "--noreload", "{port}"],
        {"manage.py runserver": ["python", "manage.py", "runserver", "{port}"]},
    ),
    "flask": App(
        {"main.py": FLASK},
        ["flask", "--app", "main", "run", "--port", "{port}"],
        {"flask --debug": ["flask", "--app", "main", "run", "--port", "{port}", "--debug"]},
    ),
}
COLD = "cold start"
OURS = {"reloader cold": "false", "reloader warm": "auto"}


class Way:
    """One way to run an app, in a folder and on a port of its own."""

    def __init__(self, name: str, app: App, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.value = 0
        self.times: list[float] = []
        self.lost = 0
        self.port = free_port()
        self.env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [word.replace("{port}", str(self.port)) for word in app.command]
        for path, text in app.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        self.write()
        if name in OURS:
            words = ", ".join(f'"{word}"' for word in [str(BIN / command[0]), *command[1:]])
            config = f"[build]\nentrypoint = [{words}]\n[python]\nwarm = '{OURS[name]}'\n"
            (folder / ".reload.toml").write_text(config)
            command = [sys.executable, "-m", "reloader", "run"]
        elif name != COLD:
            command = [word.replace("{port}", str(self.port)) for word in app.others[name]]
        self.command = command
        self.process: subprocess.Popen[bytes] | None = None

    def write(self) -> None:
        """Saves the leaf as most editors do."""
        fresh = self.folder / ".leaf.tmp"
        fresh.write_text(LEAF.format(value=self.value))
        fresh.rename(self.folder / "leaf.py")

    def start(self) -> None:
        with (self.folder.parent / f"{self.port}.log").open("wb") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def stop(self, number: int = signal.SIGINT) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
            self.process.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def answers(self) -> bool:
        """Whether the answer carries what was saved last, within the patience for it."""
        wanted = f"v{self.value:06}".encode()
        late = time.monotonic() + PATIENCE
        while time.monotonic() < late:
            if wanted in ask(self.port):
                return True
            time.sleep(0.001)
        return False

    def try_once(self) -> None:
        if self.name == COLD:
            self.stop(signal.SIGKILL)
        self.value += 1
        self.write()
        began = time.monotonic()
        if self.name == COLD:
            self.start()
        if self.answers():
            self.times.append(time.monotonic() - began)
        else:
            self.lost += 1


def ask(port: int) -> bytes:
    """The whole answer, b"" if there is none."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as sock:
            sock.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            data = b""
            while more := sock.recv(65536):
                data += more
            return data
    except OSError:
        return b""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def measure(name: str, app: App, tries: int, only: list[str], base: Path) -> None:
    names = [COLD, *OURS, *app.others]
    ways = []
    with ExitStack() as stack:
        for at, way_name in enumerate(n for n in names if not only or n == COLD or n in only):
            folder = base / f"{name}{at}" / "project"
            folder.mkdir(parents=True)
            way = Way(way_name, app, folder)
            way.start()
            stack.callback(way.stop)
            if not way.answers():
                print(f"LEFT OUT: {way_name} never answered: {way.command}", file=sys.stderr)
                continue
            ways.append(way)
        time.sleep(4)  # servers are made
        for way in ways:
            way.try_once()  # the first save is another case: it teaches
            way.times.clear()
        time.sleep(4)
        for _ in range(tries):
            for way in ways:
                way.try_once()
                time.sleep(REST / len(ways))
    cold = statistics.median(ways[0].times)
    print(
        f"\n{name}: save to first new answer, {tries} tries\n\n| way | ms, median | x cold | lost |"
    )
    print("|---|---|---|---|")
    for way in sorted(ways, key=lambda way: statistics.median(way.times or [PATIENCE])):
        middle = statistics.median(way.times) if way.times else PATIENCE
        print(f"| {way.name} | {1000 * middle:.0f} | {middle / cold:.2f} | {way.lost} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--only", default="", help="apps, separated by commas")
    parser.add_argument("--ways", default="", help="ways, separated by commas")
    arguments = parser.parse_args()
    if not (BIN / "uvicorn").exists():
        print("setting up .venv-bench", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        subprocess.run([str(BIN / "pip"), "install", "--quiet", *PACKAGES], check=True)
    only = [word for word in arguments.ways.split(",") if word]
    base = Path(tempfile.mkdtemp(prefix="bench-warm-"))
    try:
        for name in arguments.only.split(",") if arguments.only else APPS:
            measure(name, APPS[name], arguments.tries, only, base)
    finally:
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
