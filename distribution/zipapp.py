"""`reloader.pyz`: reloader and its packages in one file, for any Python from 3.10 on.

It holds what is pure Python. Compiled packages can't be imported from an archive, and would bind it
to one system; Linux needs none: psutil and watchfiles stand in there for what the kernel tells.
Elsewhere the file takes them from the Python that runs it, and says so if they are missing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipapp
import zipfile
from email.parser import HeaderParser
from pathlib import Path

COMPILED = ("psutil", "watchfiles")
OLDEST = "3.10"
# Python 2 and 3.0 must be able to read the first lines.
MAIN = """\
import sys

if sys.version_info < (3, 10):
    sys.exit("reloader needs Python 3.10 or newer; this is %d.%d" % sys.version_info[:2])
if sys.platform != "linux":
    from importlib.util import find_spec

    missing = [name for name in COMPILED if find_spec(name) is None]
    if missing:
        sys.exit(
            "reloader.pyz has no compiled packages, and needs " + " and ".join(missing)
            + " here: " + sys.executable + " -m pip install " + " ".join(missing)
        )
from reloader.__main__ import main

sys.exit(main())
""".replace("COMPILED", repr(COMPILED))


def build(wheel: Path, target: Path) -> None:
    """Makes the file from a wheel of reloader and what that requires. Raises CalledProcessError."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        line = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--target", made, "--no-compile", "--only-binary=:all:", "--no-deps"),
            *("--platform", "any", "--implementation", "py", "--python-version", OLDEST),
            *(str(wheel), *pure(wheel)),
        ]
        subprocess.run(line, check=True, capture_output=True, text=True)
        found = [path.name for path in folder.rglob("*") if path.suffix in {".so", ".pyd"}]
        if found:
            raise ValueError(f"compiled: {found}")
        for extra in ("bin", "share"):
            _remove(folder / extra)
        (folder / "__main__.py").write_text(MAIN)
        zipapp.create_archive(folder, target, "/usr/bin/env python3", compressed=True)
    target.chmod(0o755)


def pure(wheel: Path) -> list[str]:
    """Returns the requirements of a wheel, and theirs, that exist without compiled code."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        headers = HeaderParser().parsestr(archive.read(name).decode())
    wanted = [w for w in headers.get_all("Requires-Dist", []) if "extra ==" not in w]
    wanted = [w for w in wanted if not w.startswith(COMPILED)]
    line = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--dry-run", "--ignore-installed", "--only-binary=:all:", "--report", "-"),
        *("--target", "x", "--platform", "any", "--implementation", "py"),
        *("--python-version", OLDEST, *wanted),
    ]
    import json

    report = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    return [
        f"{it['metadata']['name']}=={it['metadata']['version']}"
        for it in json.loads(report)["install"]
    ]


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
