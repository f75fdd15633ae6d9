"""A directory with reloader that needs no Python: an interpreter, compiled packages and all.

For Linux it wants a C library not older than that of the machine that built it; there is none for
musl (Alpine) unless it is built there.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform as machine
import subprocess
import sys
import tarfile
import tempfile
import venv
from pathlib import Path

START = Path(__file__).with_name("binary_main.py")
# What nothing of reloader imports, and what it weighs: ssl 5 MB, for hashlib has its own code.
WITHOUT = ("ssl", "_ssl", "_hashlib", "readline", "tkinter", "unittest", "pydoc", "sqlite3")


def platform() -> str:
    """Returns the system and machine, as in "linux-x86_64"."""
    return f"{machine.system().lower()}-{machine.machine()}"


def build(wheel: Path, into: Path) -> Path:
    """Makes `into/reloader/` from a wheel; returns that directory. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        # Apart from the checkout: an editable install has other paths than the wheel.
        venv.create(place / "venv", with_pip=True)
        python = str(place / "venv/bin/python")
        tools = f"pyinstaller=={importlib.metadata.version('pyinstaller')}"
        _run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", str(wheel), tools)
        (site,) = (place / "venv/lib").glob("python3*/site-packages")
        line = [
            *(python, "-m", "PyInstaller", "--noconfirm", "--onedir", "--strip"),
            *("--name", "reloader", "--log-level", "WARN"),
            *("--distpath", str(into), "--workpath", str(place / "work"), "--specpath", made),
            *("--collect-submodules", "reloader"),
            # The guardian, and apps that start warm, are given reloader's sources.
            *("--add-data", f"{site / 'reloader'}{os.pathsep}reloader"),
            *(word for name in _compiled_parts(site) for word in ("--hidden-import", name)),
            *(word for name in WITHOUT for word in ("--exclude-module", name)),
            str(START),
        ]
        _run(*line)
    folder = into / "reloader"
    for cache in folder.rglob("__pycache__"):
        _run("rm", "-r", str(cache))
    return folder


def _compiled_parts(site: Path) -> list[str]:
    """Returns the modules that mypyc puts beside a package, under a name that nobody imports."""
    return sorted({path.name.partition(".")[0] for path in site.glob("*__mypyc*.so")})


def archive(folder: Path, stem: Path) -> Path:
    """Packs the directory; returns the archive."""
    path = stem.with_name(stem.name + ".tar.gz")
    with tarfile.open(path, "w:gz") as it:
        it.add(folder, folder.name)
    return path


def size(folder: Path) -> int:
    """Returns the bytes of all files below."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _run(*line: str) -> None:
    subprocess.run(line, check=True, capture_output=True, text=True, env=_environ())


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


if __name__ == "__main__":
    sys.exit("this is a part of: python -m distribution")
