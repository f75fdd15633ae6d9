"""One small app in a container: what engines, mounts and sync tools do to it."""

from __future__ import annotations

import functools
import io
import re
import shutil
import subprocess
import tarfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.containers.conftest import FIGURES
from tests.containers.stack import CLIENT, Log
from tests.helpers.until import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.containers.stack import Docker

IMAGE = "reloader-test-plain"
DOCKERFILE = """
FROM python:3.12-slim
WORKDIR /app
COPY reloader_dev-*.whl /tmp/
RUN pip install --no-cache-dir --disable-pip-version-check /tmp/reloader_dev-*.whl
COPY app.py .
CMD ["reloader", "run", "--build.bin", "python app.py"]
"""
APP = "import signal\nprint('app {}')\nsignal.pause()\n"
CONFIG = '[build]\nbin = "python app.py"\n'


class Container:
    """`docker run` with the source mounted, or copied in."""

    def __init__(
        self, docker: Docker, folder: Path, *args: str, mounted: bool = True, image: str = IMAGE
    ) -> None:
        self.docker, self.folder = docker, folder
        mount = ["-v", f"{folder}:/app"] if mounted else []
        self.id = docker("run", "-d", "--network=none", *mount, *args, image).strip()
        self.log = Log(self.id)
        self.is_there = True

    def ready(self, version: int = 1) -> Container:
        self.wait_for(f"^app {version}$")
        until(lambda: any(line.startswith("watching ") for line in self.log.lines), 20)
        self.log.mark()
        return self

    def wait_for(self, pattern: str, timeout: float = 30) -> str:
        return self.log.wait_for(pattern, timeout)

    def exec(self, *command: str, user: str = "0") -> str:
        return self.docker("exec", "-u", user, self.id, *command)

    def save(self, version: int) -> None:
        beside = self.folder / ".app.py.new"
        beside.write_text(APP.format(version))
        beside.replace(self.folder / "app.py")

    def starts(self) -> int:
        return sum(line.startswith(("run ", "reloaded ")) for line in self.log.lines)

    def remove(self) -> None:
        if self.is_there:
            self.log.close()
            self.docker("rm", "-f", "-v", self.id)
        self.is_there = False


Start = "Callable[..., Container]"


@pytest.fixture(scope="module")
def image(docker: Docker, wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    context = tmp_path_factory.mktemp("plain")
    (context / "Dockerfile").write_text(DOCKERFILE)
    (context / "app.py").write_text(APP.format(1))
    shutil.copy(wheel, context)
    docker("build", "-q", "--network=host", "-t", IMAGE, str(context), timeout=200)
    return IMAGE


@pytest.fixture
def start(image: str, docker: Docker, tmp_path: Path) -> Iterator[Start]:
    made: list[Container] = []

    def run(*args: str, **options: Any) -> Container:
        folder = options.pop("folder", tmp_path / "app")
        folder.mkdir(exist_ok=True)
        if not (folder / "app.py").exists():
            (folder / "app.py").write_text(APP.format(1))
        made.append(Container(docker, folder, *args, **options))
        return made[-1]

    yield run
    for container in made:
        container.remove()


# --- what every container is ---


def test_logs_come_line_by_line_without_escape_codes(start: Start) -> None:
    """`print` without a flush: PYTHONUNBUFFERED is set for the app."""
    it = start().ready()
    it.save(2)
    it.wait_for("^app 2$")
    assert "\x1b" not in "".join(it.log.lines)


def test_stop(start: Start, docker: Docker) -> None:
    it = start().ready()
    begun = time.monotonic()
    docker("stop", it.id)
    assert time.monotonic() - begun < 5
    assert docker("inspect", "-f", "{{.State.ExitCode}}", it.id).strip() == "0"


def test_anybody_on_a_read_only_root_with_little_memory(start: Start, tmp_path: Path) -> None:
    """A user without a line in passwd; nothing at all can be written."""
    tight = ("--read-only", "--user", "4321:4321", "--memory=64m", "--pids-limit=32")
    it = start(*tight, "--cap-drop=ALL", "--security-opt=no-new-privileges").ready()
    it.save(2)
    it.wait_for("^app 2$")
    assert sorted(path.name for path in (tmp_path / "app").iterdir()) == ["app.py"]


def test_children_that_reloader_never_started_are_reaped(start: Start) -> None:
    it = start().ready()
    for _ in range(5):
        it.exec("sh", "-c", "(sleep 0.05) & exit 0")

    def zombies() -> str:
        script = "grep -l '^State:.Z' /proc/[0-9]*/status || true"
        return it.exec("sh", "-c", script)

    until(lambda: not zombies(), 10)


# --- reloader healthcheck ---


def test_healthcheck_by_anybody_in_no_time(start: Start) -> None:
    it = start("--read-only").ready()
    for user in ("0", "1000", "65534"):
        assert it.exec("reloader", "healthcheck", user=user).startswith("ok: pid ")
    timed = (
        "import subprocess, time; took = []\n"
        "for _ in range(15):\n"
        " begun = time.monotonic(); subprocess.run(['reloader', 'healthcheck'], check=True)\n"
        " took.append(time.monotonic() - begun)\n"
        "print('took', min(took))"
    )
    took = float(it.exec("python", "-c", timed, user="1000").split()[-1])
    FIGURES.append(("plain", "reloader healthcheck, best of 15", f"{took * 1000:.0f} ms"))
    assert took < 0.1, took


def test_healthcheck_tells_a_failed_build_from_an_app_that_is_down(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / ".reload.toml").write_text(
        f'{CONFIG}cmd = "python -c \'import ast; ast.parse(open(\\"app.py\\").read())\'"\n'
    )
    it = start("--entrypoint", "reloader").ready()
    health = functools.partial(subprocess.run, capture_output=True, text=True)
    (it.folder / "app.py").write_text("no python\n")
    it.wait_for("build .*failed")
    ask = [CLIENT, "exec", it.id, "reloader", "healthcheck"]
    bad = health(ask)
    assert bad.returncode == 1
    assert "build" in bad.stdout + bad.stderr
    assert health([*ask, "--app-only"]).returncode == 0
    it.save(2)
    it.wait_for("^app 2$")
    assert health(ask).returncode == 0


# --- the port is held, with the engine's own seccomp profile and no right added ---

SERVER = """
import http.server
print("app {}")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8000), Handler).serve_forever()
"""
CROWD = """
import sys, urllib.request
lost, seen = [], []
while sys.argv[1] not in seen:
    try:
        seen.append(urllib.request.urlopen("http://127.0.0.1:8000", timeout=20).read().decode())
    except OSError as error:
        lost.append(repr(error))
print(len(seen), "answers, lost", lost)
"""


@pytest.mark.parametrize("user", ["0", "1000"])
def test_nobody_is_refused_at_a_reload(start: Start, tmp_path: Path, user: str) -> None:
    """From the cold start to the last warm one, for an app that dies at SIGTERM."""
    (tmp_path / "app").mkdir()
    app = tmp_path / "app" / "app.py"
    app.write_text(SERVER.format(1, 1))
    it = start("--user", user)
    it.wait_for("^ready .*8000")
    until(lambda: any(line.startswith("watching ") for line in it.log.lines), 20)
    with ThreadPoolExecutor() as pool:
        answers = pool.submit(it.exec, "python", "-c", CROWD, "5", user=user)
        for version in range(2, 6):
            it.log.mark()
            app.write_text(SERVER.format(version, version))
            it.wait_for(f"^app {version}$")
            it.wait_for("^reloaded ")
            time.sleep(1.5)  # the next start is warm, if it may be
        assert answers.result(60).strip().endswith("lost []")
    assert any("(warm)" in line for line in it.log.lines), it.log


# --- mounts ---


def test_a_mount_without_events_needs_no_setting(start: Start, tmp_path: Path) -> None:
    """bindfs shows `under` at `view`: an edit of `under` raises no event, as on macOS and WSL."""
    under, view = tmp_path / "under", tmp_path / "view"
    under.mkdir()
    view.mkdir()
    (under / "app.py").write_text(APP.format(1))
    now = "subtype=grpcfuse,attr_timeout=0,entry_timeout=0,negative_timeout=0"
    try:
        subprocess.run(["bindfs", "-o", now, under, view], check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no bindfs")
    it = start(folder=view)
    try:
        it.ready()
        assert re.search(r"poll|look", "\n".join(it.log.lines)), it.log
        for version in (2, 3):
            (under / "app.py").write_text(APP.format(version))
            it.wait_for(f"^app {version}$")
    finally:
        it.remove()
        subprocess.run(["umount", view], check=True)


def test_a_mount_of_one_file(start: Start, tmp_path: Path) -> None:
    """Written in place it is seen; replaced, the container keeps the old one, whoever watches."""
    file = tmp_path / "one.py"
    file.write_text(APP.format(1))
    it = start("-v", f"{file}:/app/app.py", mounted=False).ready()
    file.write_text(APP.format(2))
    it.wait_for("^app 2$")


def test_the_folder_is_removed_and_made_anew(start: Start, docker: Docker, tmp_path: Path) -> None:
    """The container keeps the removed one: reloader lives and says so; a restart helps."""
    it = start().ready()
    (it.folder / "app.py").unlink()
    it.folder.rmdir()
    it.folder.mkdir()
    it.save(2)
    it.wait_for("^note .* start the container again")
    docker("restart", it.id)
    it.log.close()
    it.log = Log(it.id)
    it.wait_for("^app 2$")


# --- what sync tools do to files in the container: each is one restart ---


def copied_by_docker(it: Container) -> None:
    it.save(2)
    it.docker("cp", str(it.folder / "app.py"), f"{it.id}:/app/app.py")


def extracted_from_tar(it: Container) -> None:
    """Tilt and Skaffold: `tar xf -` in the container. A file is made anew, with an old mtime."""
    archive, text = io.BytesIO(), APP.format(2).encode()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        info = tarfile.TarInfo("app.py")
        info.size, info.mtime = len(text), time.time() - 60
        tar.addfile(info, io.BytesIO(text))
    extract = [CLIENT, "exec", "-i", it.id, "tar", "-xf", "-", "-C", "/app", "--overwrite"]
    subprocess.run(extract, input=archive.getvalue(), check=True)


def renamed_into_place(it: Container) -> None:
    """develop.watch and mutagen: written beside it, then renamed."""
    text = APP.format(2)
    write = "import os, sys; open('/app/.sync-1', 'w').write(sys.argv[1]); "
    it.exec("python", "-c", write + "os.replace('/app/.sync-1', '/app/app.py')", text)


def removed_and_written(it: Container) -> None:
    write = "import os, sys; os.unlink('/app/app.py'); open('/app/app.py', 'w').write(sys.argv[1])"
    it.exec("python", "-c", write, APP.format(2))


@pytest.mark.parametrize(
    "sync", [copied_by_docker, extracted_from_tar, renamed_into_place, removed_and_written]
)
def test_synced_files_are_seen_once(start: Start, sync: Callable[[Container], None]) -> None:
    it = start(mounted=False).ready()
    sync(it)
    it.wait_for("^app 2$")
    it.exec("sh", "-c", "echo 'print(3)' > /app/marker.py")  # what comes later has come by now
    it.wait_for("^app 2$")
    assert it.starts() == 3, it.log


# --- what may happen to a container ---


def test_paused_while_files_change(start: Start, docker: Docker) -> None:
    it = start().ready()
    docker("pause", it.id)
    it.save(2)
    docker("unpause", it.id)
    it.wait_for("^app 2$")


def test_a_full_disk(start: Start) -> None:
    """Where tmp_dir and the build log would go, and the app's /tmp, nothing fits any more."""
    it = start("--read-only", "--tmpfs", "/app/tmp:size=16k", "--tmpfs", "/tmp:size=16k").ready()
    it.exec("sh", "-c", "dd if=/dev/zero of=/tmp/full; dd if=/dev/zero of=/app/tmp/full; true")
    it.save(2)
    it.wait_for("^app 2$")


def test_the_app_is_killed_for_its_memory_and_reloader_lives(start: Start) -> None:
    it = start("--memory=64m", "--memory-swap=64m").ready()
    (it.folder / "app.py").write_text("b = bytearray(200 << 20)\n")
    it.wait_for("SIGKILL")
    it.save(2)
    it.wait_for("^app 2$")


CLOCK = """
FROM {image}
RUN apt-get update && apt-get install -y --no-install-recommends libfaketime \\
    && ln -s /usr/lib/*/faketime/libfaketime.so.1 /faketime.so
ENV LD_PRELOAD=/faketime.so FAKETIME_TIMESTAMP_FILE=/app/clock FAKETIME_NO_CACHE=1 \\
    FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1
"""


def test_clock_jumps(start: Start, docker: Docker, image: str, tmp_path: Path) -> None:
    """The wall clock goes an hour ahead, then two back: saves are seen, and it stops in time."""
    context = tmp_path / "clock"
    context.mkdir()
    (context / "Dockerfile").write_text(CLOCK.format(image=image))
    docker("build", "-q", "--network=host", "-t", f"{IMAGE}-clock", str(context), timeout=200)
    (tmp_path / "app").mkdir()
    clock = tmp_path / "app/clock"
    clock.write_text("+0")
    it = start(image=f"{IMAGE}-clock").ready()
    hour = it.exec("date", "+%H")
    for version, jump in ((2, "+1h"), (3, "-1h")):
        clock.write_text(jump)
        assert it.exec("date", "+%H") != hour
        begun = time.monotonic()
        it.save(version)
        it.wait_for(f"^app {version}$")
        assert time.monotonic() - begun < 5
    begun = time.monotonic()
    docker("stop", it.id)
    assert time.monotonic() - begun < 5
