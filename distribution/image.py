"""The image that other images take reloader from: `COPY --from=reloader / /`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

DOCKERFILE = Path(__file__).with_name("Dockerfile")
CLIENT = os.environ.get("RELOADER_TEST_DOCKER", "docker")


def build(folder: Path, version: str) -> int:
    """Makes `reloader:VERSION` and `reloader:latest`; returns the bytes, 0 without an engine.

    Raises CalledProcessError.
    """
    if not _engine_answers():
        return 0
    with tempfile.TemporaryDirectory() as context:
        place = Path(context)
        shutil.copytree(folder, place / "reloader", symlinks=True)
        (place / "bin").mkdir()
        (place / "bin/reloader").symlink_to("/opt/reloader/reloader")
        tags = [word for tag in (version, "latest") for word in ("-t", f"reloader:{tag}")]
        line = [CLIENT, "build", "-q", *tags, "-f", str(DOCKERFILE), context]
        environ = os.environ | {"DOCKER_BUILDKIT": "1"}
        subprocess.run(line, check=True, capture_output=True, text=True, env=environ)
    line = [CLIENT, "image", "inspect", "-f", "{{.Size}}", f"reloader:{version}"]
    return int(subprocess.run(line, check=True, capture_output=True, text=True).stdout)


def _engine_answers() -> bool:
    try:
        subprocess.run([CLIENT, "version"], check=True, capture_output=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
