"""Old code never runs after a save, however soon two saves follow each other."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import COOKIE, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.project import Project, Run

APP = """import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
import lib
import note
while True:
    signal.pause()
"""
NOTE = """import json, lib
with open({log!r}, "a") as log:
    log.write(json.dumps(dict(what="START", role="app", version=lib.VALUE)) + "\\n")
"""
PYTHON = sys.executable
SAVES = 4
# Each way to start the app; {python} is the interpreter.
WAYS = {
    "plain": 'entrypoint = ["{python}", "app.py"]',
    "module": 'entrypoint = ["{python}", "-m", "app"]',
    "optimised": 'entrypoint = ["{python}", "-OO", "app.py"]',
    "shell": 'full_bin = "true && {python} app.py || exit 3"',
    "prefix": 'entrypoint = ["{python}", "-X", "pycache_prefix=compiled", "app.py"]',
    "prefix in the shell": 'full_bin = "PYTHONPYCACHEPREFIX=compiled && export '
    'PYTHONPYCACHEPREFIX && {python} app.py"',
    "uv": 'entrypoint = ["uv", "run", "--no-project", "--python", "{python}", "app.py"]',
}


def save_lib(project: Project, value: int, second: int) -> None:
    """Of one size and in one second, whatever the machine has to do besides."""
    temporary = project.folder / ".lib.tmp"
    temporary.write_text(f'VALUE = "value {value}"\n')
    at = second * 10**9 + value * 10**6
    os.utime(temporary, ns=(at, at))
    temporary.rename(project.folder / "lib.py")


def values(project: Project) -> list[str]:
    return project.versions()


def write_app(project: Project) -> None:
    project.write("note.py", NOTE.format(log=str(project.log)))
    project.write("app.py", APP)


def saved_again_and_again(project: Project, run: Run) -> None:
    """Four saves, each of which has to be what the next start imports."""
    second = int(time.time()) - 5
    for value in range(1, SAVES):
        before = len(values(project))
        save_lib(project, value, second)
        until(lambda n=before: len(values(project)) > n, why=run.report)
    assert values(project)[-1] == f"value {SAVES - 1}"
    assert set(values(project)) == {f"value {n}" for n in range(SAVES)}, values(project)


def begin(project: Project, config: str, **options: object) -> Run:
    project.config(f"[build]\n{config}\n")
    save_lib(project, 0, int(time.time()) - 5)
    write_app(project)
    run = project.run(**options)  # type: ignore[arg-type]
    run.wait_for("watch.started")
    until(lambda: values(project), why=run.report)
    return run


@pytest.mark.parametrize("way", WAYS)
def test_two_saves_within_a_second_run_the_second(project: Project, way: str) -> None:
    """Saves of one size in one second: each start imports what was saved last."""
    if way == "uv" and not shutil.which("uv"):
        pytest.skip("there is no uv")
    run = begin(project, WAYS[way].format(python=PYTHON))

    saved_again_and_again(project, run)


def test_also_where_byte_code_is_kept_elsewhere(project: Project, tmp_path: Path) -> None:
    """With PYTHONPYCACHEPREFIX, in the environment, the same; nothing is written beside sources."""
    prefix = tmp_path / "compiled"
    config = f"entrypoint = {json.dumps([PYTHON, 'app.py'])}"
    run = begin(project, config, env={"PYTHONPYCACHEPREFIX": str(prefix)})

    saved_again_and_again(project, run)

    assert list(prefix.rglob("lib.*.pyc"))
    assert not (project.folder / "__pycache__").exists()


def test_also_when_a_build_runs_python(project: Project) -> None:
    """A build is no app, and imports what was saved last as well."""
    run = begin(project, f'cmd = "{PYTHON} note.py"')

    saved_again_and_again(project, run)


READ_ONLY = """mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77
shift; exec "$@" """


def may_mount() -> bool:
    if not shutil.which("unshare"):
        return False
    asked = ["unshare", "-Urm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="no mount of its own may be made here")
def test_also_where_it_cannot_be_removed(project: Project) -> None:
    """Byte code of an older save on a read-only mount is passed by, and that is told once."""
    cache = project.folder / "__pycache__"
    second = int(time.time()) - 5
    save_lib(project, 9, second)
    subprocess.run([PYTHON, "-c", "import lib"], cwd=project.folder, check=True, env={})
    assert list(cache.glob("lib.*.pyc"))  # of `value 9`, and it will look like each save's
    project.config(f"[build]\nentrypoint = {json.dumps([PYTHON, 'app.py'])}\n")
    write_app(project)
    start = [PYTHON, "-m", "reloader", "run", "--json"]
    out = (project.folder.parent / "out").open("wb")
    temporary = project.folder.parent / "temporary"
    temporary.mkdir()
    process = subprocess.Popen(
        ["unshare", "-Urm", "sh", "-c", READ_ONLY, "sh", str(cache), *start],
        cwd=project.folder,
        env={**os.environ, COOKIE: project.cookie, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=out,
    )
    told = (project.folder.parent / "out").read_text
    try:
        until(lambda: "watch.started" in told() and values(project), why=told)
        for value in (1, 2):
            before = len(values(project))
            save_lib(project, value, second)
            until(lambda n=before: len(values(project)) > n, why=told)
            assert values(project)[-1] == f"value {value}", told()
    finally:
        process.terminate()
        assert process.wait(20) == 0
        out.close()
    assert told().count("byte code goes to PYTHONPYCACHEPREFIX") == 1
    assert not list(temporary.iterdir())
