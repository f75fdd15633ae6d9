"""`make dist`: builds everything into `dist/`, and prints what it has made.

    python -m distribution [--into DIRECTORY] [--no-image]

| made | for |
|---|---|
| `reloader_dev-V-py3-none-any.whl`, `reloader_dev-V.tar.gz` | pip, pipx, uv |
| `reloader.pyz` | one file for any Python from 3.10 on, Linux |
| `reloader-V-SYSTEM-MACHINE.tar.gz` | a directory that needs no Python |
| image `reloader:V` | `COPY --from=reloader:V / /`: the same directory; only where Docker is |
| `SHA256SUMS` | |
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from distribution import binary, image, zipapp
from reloader import __version__

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Builds all; returns 0, or 1 if something could not be built."""
    parser = argparse.ArgumentParser(prog="python -m distribution")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", metavar="DIRECTORY")
    parser.add_argument("--no-image", action="store_true", help="leave the image out")
    given = parser.parse_args()
    into: Path = given.into.absolute()
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    try:
        build(into, has_image=not given.no_image)
    except subprocess.CalledProcessError as error:
        print(f"failed: {error.cmd}\n{error.stdout or ''}{error.stderr or ''}", file=sys.stderr)
        return 1
    return 0


def build(into: Path, *, has_image: bool) -> None:
    """Makes every file of a release in `into`. Raises CalledProcessError."""
    print("wheel and sdist …", flush=True)
    line = [sys.executable, "-m", "build", "--outdir", str(into), str(ROOT)]
    subprocess.run(line, check=True, capture_output=True, text=True)
    (wheel,) = into.glob("*.whl")
    print("zipapp …", flush=True)
    zipapp.build(wheel, into / "reloader.pyz")
    print("directory without Python …", flush=True)
    folder = binary.build(wheel, into)
    archive = binary.archive(folder, into / f"reloader-{__version__}-{binary.platform()}")
    made = [*sorted(into.glob("reloader_dev-*")), into / "reloader.pyz", archive]
    if has_image:
        print("image …", flush=True)
    size = image.build(folder, __version__) if has_image else 0
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made]
    (into / "SHA256SUMS").write_text("".join(sums))
    for path in made:
        print(f"{path.stat().st_size / 1e6:6.1f} MB  {path.name}")
    print(f"{binary.size(folder) / 1e6:6.1f} MB  {folder.name}/, unpacked")
    if size:
        print(f"{size / 1e6:6.1f} MB  image reloader:{__version__}")
    elif has_image:
        print("          no image: no Docker engine answers")


if __name__ == "__main__":
    sys.exit(main())
