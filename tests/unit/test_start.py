"""The way to the user's app: what is not needed for it is not imported before it."""

from __future__ import annotations

import subprocess
import sys

# By what they cost: 10 to 45 ms each, or a whole engine.
LATER = {
    *("asyncio", "watchfiles", "psutil", "anyio", "subprocess", "multiprocessing", "logging"),
    *(
        "dataclasses",
        "inspect",
        "json",
        "hashlib",
        "difflib",
        "tempfile",
        "shutil",
        "pathlib",
        "importlib.metadata",
    ),
    *("reloader.watch.watcher", "reloader.watch.engine_inotify", "reloader.commands.check"),
}


def test_a_start_imports_little():
    """Neither the command line nor what spawns the app brings in any of these."""
    code = "import reloader.cli, reloader.commands.run, sys; print(*sys.modules)"
    done = subprocess.run(
        (sys.executable, "-S", "-I", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"),
        check=True,
        capture_output=True,
        text=True,
    )
    assert set(done.stdout.split()) & LATER == set()
