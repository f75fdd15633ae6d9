"""The first five minutes of a newcomer, in each shape of project whose tools are here.

A fresh directory, bare `reloader`, the first answer, one save, a broken save, its fix:

    make first-minutes            # all shapes
    make first-minutes ARGS=go    # those with `go` in the name

Prints one row a shape: the command that was found, the words a person typed, and the seconds from
the start, from the save and from the fix to the answer of the new version. `broken` says whether
the old version still answered after the broken save. Packages of Python and Node are installed
once, below the cache directory.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "reloader-first-minutes"
DEADLINE = 180.0  # seconds for one answer: a first build may compile a standard library
LOOK = 0.02  # seconds between two looks
SETTLE = 1.5  # seconds after a broken save before the app is asked: it may be on its way out
PIP = ("flask", "fastapi", "uvicorn", "django")
NPM = ("typescript", "@types/node", "express")


class Shape(NamedTuple):
    """Files with `@V` for the version and `@P` for the port; `source` is what is saved."""

    name: str
    needs: tuple[str, ...]  # programs; "pip" and "npm" stand for what is installed once
    source: str
    files: dict[str, str]
    broken: str = "(((\n"
    port: int = 0  # of a server whose port is no part of its sources; 0: any free one


PY_SERVER = (
    "from http.server import BaseHTTPRequestHandler, HTTPServer\n\n\n"
    "class Handler(BaseHTTPRequestHandler):\n"
    "    def do_GET(self):\n"
    "        self.send_response(200)\n        self.end_headers()\n"
    "        self.wfile.write(b'@V')\n\n    def log_message(self, *_): ...\n\n\n"
    "if __name__ == '__main__':\n    HTTPServer(('127.0.0.1', @P), Handler).serve_forever()\n"
)
GO = (
    'package main\n\nimport (\n\t"fmt"\n\t"net/http"\n)\n\nfunc main() {\n'
    '\thttp.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "@V") })\n'
    '\thttp.ListenAndServe("127.0.0.1:@P", nil)\n}\n'
)
RUST = (
    "use std::io::{Read, Write};\n\nfn main() {\n"
    '    let on = std::net::TcpListener::bind("127.0.0.1:@P").unwrap();\n'
    "    for stream in on.incoming() {\n        let mut it = stream.unwrap();\n"
    "        let _ = it.read(&mut [0; 1024]);\n"
    '        let _ = it.write_all(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n@V");\n'
    "    }\n}\n"
)
C = (
    "#include <arpa/inet.h>\n#include <unistd.h>\n\nint main(void) {\n"
    "  int one = 1, on = socket(AF_INET, SOCK_STREAM, 0);\n  char sink[1024];\n"
    "  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(@P)};\n"
    "  setsockopt(on, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);\n"
    "  bind(on, (struct sockaddr *)&at, sizeof at);\n  listen(on, 8);\n  for (;;) {\n"
    "    int it = accept(on, 0, 0);\n    if (read(it, sink, sizeof sink)) {}\n"
    '    if (write(it, "HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n@V", 40)) {}\n'
    "    close(it);\n  }\n}\n"
)
NODE = "require('http').createServer((_, to) => to.end('@V')).listen(@P, '127.0.0.1')\n"
TYPESCRIPT = (
    "import { createServer } from 'http'\n\nconst version: string = '@V'\n"
    "createServer((_, to) => { to.end(version) }).listen(@P, '127.0.0.1')\n"
)
MANAGE = (
    "import os\nimport sys\n\nfrom django.core.management import execute_from_command_line\n\n"
    "os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_.settings')\n"
    "execute_from_command_line(sys.argv)\n"
)
URLS = (
    "from django.http import HttpResponse\nfrom django.urls import path\n\n"
    "urlpatterns = [path('', lambda request: HttpResponse('@V'))]\n"
)
FASTAPI = (
    "from fastapi import FastAPI\nfrom fastapi.responses import PlainTextResponse\n\n"
    "app = FastAPI()\n\n\n@app.get('/', response_class=PlainTextResponse)\ndef root():\n"
    "    return '@V'\n\n\nif __name__ == '__main__':\n    import uvicorn\n\n"
    "    uvicorn.run('app.main:app', port=@P, reload=True)\n"
)
FLASK = (
    "from flask import Flask\n\napp = Flask(__name__)\n\n\n@app.get('/')\ndef root():\n"
    "    return '@V'\n\n\nif __name__ == '__main__':\n    app.run(debug=True, port=@P)\n"
)
SHELL = (
    "#!/bin/sh\nmkdir -p tmp/www && echo '@V' > tmp/www/index.html\n"
    "exec python3 -m http.server @P -b 127.0.0.1 -d tmp/www\n"
)

SHAPES = (
    Shape("python script", ("python3",), "app.py", {"app.py": PY_SERVER}),
    Shape(
        "python, src layout",
        ("python3",),
        "src/shop/__main__.py",
        {
            "src/shop/__main__.py": PY_SERVER,
            "src/shop/__init__.py": "",
            "pyproject.toml": '[project]\nname = "shop"\n'
            '[project.scripts]\nshop = "shop.cli:main"\n',
            "src/shop/cli.py": "def main():\n    from shop import __main__\n",
        },
    ),
    Shape(
        "fastapi",
        ("pip",),
        "app/main.py",
        {"app/main.py": FASTAPI, "app/__init__.py": "", "requirements.txt": "fastapi\nuvicorn\n"},
    ),
    Shape("flask", ("pip",), "app.py", {"app.py": FLASK, "requirements.txt": "flask\n"}),
    Shape(
        "django",
        ("pip",),
        "site_/urls.py",
        {
            "manage.py": MANAGE,
            "site_/__init__.py": "",
            "site_/settings.py": "SECRET_KEY = 'x'\nDEBUG = True\nROOT_URLCONF = 'site_.urls'\n",
            "site_/urls.py": URLS,
        },
        port=8000,
    ),
    Shape(
        "node, npm start",
        ("node", "npm"),
        "server.js",
        {"server.js": NODE, "package.json": '{"scripts": {"start": "node server.js"}}'},
    ),
    Shape(
        "node, nodemon",
        ("node", "npm"),
        "src/app.js",
        {"src/app.js": NODE, "package.json": '{"scripts": {"dev": "nodemon src/app.js"}}'},
    ),
    Shape(
        "typescript",
        ("node", "npm", "packages of npm"),
        "src/server.ts",
        {
            "src/server.ts": TYPESCRIPT,
            "package.json": '{"scripts": {"build": "tsc", "start": "node dist/server.js"}}',
            "tsconfig.json": '{"compilerOptions": {"outDir": "dist", "rootDir": "src", "module":'
            ' "commonjs", "target": "es2022", "esModuleInterop": true, "noEmitOnError": true,'
            ' "types": ["node"]}}',
        },
    ),
    Shape(
        "go", ("go",), "main.go", {"main.go": GO, "go.mod": "module example.com/shop\n\ngo 1.21\n"}
    ),
    Shape(
        "go, cmd/server",
        ("go",),
        "cmd/server/main.go",
        {"cmd/server/main.go": GO, "go.mod": "module example.com/shop\n\ngo 1.21\n"},
    ),
    Shape(
        "rust",
        ("cargo",),
        "src/main.rs",
        {
            "src/main.rs": RUST,
            "Cargo.toml": '[package]\nname = "shop"\nversion = "0.1.0"\nedition = "2021"\n',
        },
    ),
    Shape(
        "c, make",
        ("make", "cc"),
        "main.c",
        {
            "main.c": C,
            "Makefile": "app: main.c\n\tcc -o app main.c\nbuild: app\nrun: app\n\t./app\n",
        },
    ),
    Shape(
        "c, cmake",
        ("cmake", "make", "cc"),
        "main.c",
        {
            "main.c": C,
            "CMakeLists.txt": "cmake_minimum_required(VERSION 3.10)\nproject(shop C)\n"
            "add_executable(shop main.c)\n",
        },
    ),
    Shape("shell", ("sh", "python3"), "run.sh", {"run.sh": SHELL}, broken="if\n"),
    Shape(
        "php",
        ("php",),
        "index.php",
        {"index.php": "<?php echo '@V';\n"},
        broken="<?php (((\n",
        port=8000,
    ),
    Shape(
        "ruby",
        ("ruby",),
        "app.rb",
        {
            "app.rb": "require 'socket'\non = TCPServer.new('127.0.0.1', @P)\nloop do\n"
            "  it = on.accept\n  it.gets\n"
            '  it.write "HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\n@V"\n  it.close\nend\n'
        },
    ),
)


class Row(NamedTuple):
    name: str
    found: str
    times: tuple[str, ...]


def main() -> int:
    """Plays each shape and prints the table; 1 if an answer did not come."""
    wanted = [shape for shape in SHAPES if all(word in shape.name for word in sys.argv[1:])]
    rows, is_well = [], True
    for shape in wanted:
        if missing := _missing(shape):
            print(f"{shape.name}: no {missing} here, left out", file=sys.stderr)
            continue
        print(f"{shape.name} …", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="first-minutes-") as folder:
            try:
                rows.append(_play(shape, Path(folder)))
            except LateError as error:
                rows.append(Row(shape.name, str(error), ("-",) * 4))
                is_well = False
    heads = ("shape", "typed", "what reloader found", "start", "save", "broken", "fix")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join((row.name, "reloader", row.found, *row.times)) + " |")
    print(f"\nwords typed: {len(rows)} in {len(rows)} shapes; seconds from save to answer")
    return 0 if is_well else 1


class LateError(Exception):
    """An answer that did not come."""


def _missing(shape: Shape) -> str:
    for need in shape.needs:
        if need == "pip" and not python_packages():
            return "packages of pip"
        if need == "packages of npm" and not node_packages():
            return need
        if need not in ("pip", "packages of npm") and shutil.which(need) is None:
            return need
    return "free port" if shape.port and not _is_free(shape.port) else ""


def python_packages() -> bool:
    venv = CACHE / "venv"
    if not (venv / "ready").exists():
        shutil.rmtree(venv, ignore_errors=True)
        made = [sys.executable, "-m", "venv", str(venv)]
        pip = [str(venv / "bin/python"), "-m", "pip", "install", "-q", *PIP]
        if any(subprocess.run(line, check=False).returncode for line in (made, pip)):
            return False
        (venv / "ready").touch()
    return True


def node_packages() -> bool:
    place = CACHE / "node"
    if not (place / "ready").exists():
        place.mkdir(parents=True, exist_ok=True)
        line = ["npm", "install", "--silent", "--no-audit", "--no-fund", *NPM]
        if subprocess.run(line, cwd=place, check=False).returncode:
            return False
        (place / "ready").touch()
    return True


def _is_free(port: int) -> bool:
    with socket.socket() as it:
        return it.connect_ex(("127.0.0.1", port)) != 0


def _play(shape: Shape, folder: Path) -> Row:
    port = shape.port or _free_port()
    for name, text in shape.files.items():
        _save(folder / name, _filled(text, "v1", port))
    if "pip" in shape.needs:
        (folder / ".venv").symlink_to(CACHE / "venv")
    if "packages of npm" in shape.needs:
        (folder / "node_modules").symlink_to(CACHE / "node" / "node_modules")
    log = folder.parent / f"{folder.name}.log"
    reloader = Path(sys.executable).with_name("reloader")
    # What this machine's user has set for Python is no newcomer's: without byte code, say, nobody
    # can tell which files an app imports.
    environ = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "RELOADER_"))}
    with log.open("wb") as out:
        run = subprocess.Popen(
            [str(reloader)],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        times = _times(shape, folder, port, log)
    finally:
        run.send_signal(signal.SIGINT)
        run.wait()
    said = log.read_text(errors="replace")
    log.unlink()
    found = said.partition("no config: ")[2].partition(";")[0].partition(", found in")[0]
    return Row(shape.name, f"`{found}`", times)


def _times(shape: Shape, folder: Path, port: int, log: Path) -> tuple[str, ...]:
    source, text = folder / shape.source, shape.files[shape.source]
    start = _until(port, "v1", log)
    _watching(log)
    _save(source, _filled(text, "v2", port))
    save = _until(port, "v2", log)
    _save(source, shape.broken)
    time.sleep(SETTLE)
    broken = "old answers" if _answer(port) == "v2" else "down" if _is_free(port) else "error page"
    _save(source, _filled(text, "v3", port))
    return f"{start:.1f}", f"{save:.1f}", broken, f"{_until(port, 'v3', log):.1f}"


def _filled(text: str, version: str, port: int) -> str:
    return text.replace("@V", version).replace("@P", str(port))


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new~")
    fresh.write_text(text)
    fresh.replace(path)


def _until(port: int, version: str, log: Path) -> float:
    """Returns the seconds until the app answers with this version."""
    since = time.monotonic()
    while _answer(port) != version:
        if time.monotonic() > since + DEADLINE:
            tail = log.read_text(errors="replace")[-1000:]
            print(tail, file=sys.stderr)
            raise LateError(f"no {version} in {DEADLINE:.0f} s")
        time.sleep(LOOK)
    return time.monotonic() - since


def _watching(log: Path) -> None:
    """Waits until no change is missed any more."""
    since = time.monotonic()
    while "watching" not in log.read_text(errors="replace"):
        if time.monotonic() > since + DEADLINE:
            raise LateError("nothing is watched")
        time.sleep(LOOK)


def _answer(port: int) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as reply:
            return reply.read().decode().strip()
    except (OSError, ValueError):
        return ""


def _free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
