"""Docker and compose as a test needs them: what has to come is waited for, with a deadline."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.helpers.until import until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

DEADLINE = 60.0
CLIENT = os.environ.get("RELOADER_TEST_DOCKER", "docker")


class Docker:
    """The engine's client."""

    @staticmethod
    def missing() -> str:
        """Why there is no Docker to test with; "" if there is."""
        try:
            run(CLIENT, "version", timeout=10)
        except FileNotFoundError:
            return f"there is no {CLIENT} command"
        except (subprocess.SubprocessError, AssertionError):
            return "no Docker engine answers"
        return "" if compose() else "neither `docker compose` nor docker-compose is there"

    def __call__(self, *args: str, timeout: float = DEADLINE) -> str:
        return run(CLIENT, *args, timeout=timeout)

    def has(self, tag: str) -> bool:
        return bool(self("images", "-q", tag))

    def build_standin(self, dockerfile: Path, tags: list[str]) -> None:
        """A base image from what this machine has; the file says from what."""
        context = dockerfile.parent
        if dockerfile.stem == "golang":
            context = run("go", "env", "GOROOT").strip()
        if dockerfile.stem == "node":
            context = run(
                "node", "-p", "require('path').resolve(process.execPath, '../..')"
            ).strip()
        names = [word for tag in tags for word in ("-t", tag)]
        command = [
            CLIENT,
            "build",
            "-q",
            "--network=host",
            "-f",
            str(dockerfile),
            *names,
            str(context),
        ]
        run(*command, timeout=300, env={"DOCKER_BUILDKIT": "1"})

    def size(self, image: str) -> int:
        return int(self("image", "inspect", "-f", "{{.Size}}", image))


@dataclass
class Log:
    """What a container says, as `docker compose logs -f` would show it, from its first line."""

    container: str
    lines: list[str] = field(default_factory=list)
    cursor: int = 0  # what was waited for is behind it
    _told: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [CLIENT, "logs", "-f", self.container],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            with self._told:
                self.lines.append(line.rstrip("\n"))
                self._told.notify_all()

    def wait_for(self, pattern: str, timeout: float = DEADLINE) -> str:
        """The next line after the last one waited for in which the pattern is found."""
        seen = re.compile(pattern).search

        def found() -> int | None:
            rest = range(self.cursor, len(self.lines))
            return next((i + 1 for i in rest if seen(self.lines[i])), None)

        with self._told:
            assert self._told.wait_for(found, timeout), f"no {pattern!r}\n{self}"
            self.cursor = found()
            return self.lines[self.cursor - 1]

    def mark(self) -> None:
        """What is there already doesn't count."""
        with self._told:
            self.cursor = len(self.lines)

    def since_mark(self, pattern: str) -> list[str]:
        return [line for line in self.lines[self.cursor :] if re.search(pattern, line)]

    def __str__(self) -> str:
        return "\n".join(["--- log", *self.lines[-60:]])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


@dataclass
class Stack:
    """An example's folder with its compose file, unchanged.

    Beside it a second file says how things are built here: on the host's network.
    """

    docker: Docker
    folder: Path
    figures: list[tuple[str, str, str]]
    env: dict[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ("compose.yaml",)
    logs: dict[str, Log] = field(default_factory=dict)

    @property
    def project(self) -> str:
        return f"test-{self.folder.name}"

    def with_files(self) -> list[str]:
        return [word for file in (*self.files, "here.json") for word in ("-f", file)]

    def compose(self, *args: str, timeout: float = DEADLINE) -> str:
        command = [*compose(), "-p", self.project, *self.with_files(), *args]
        return run(*command, cwd=self.folder, env=self.env, timeout=timeout)

    def up(self, *built: str, target: str | None = None) -> float:
        """Builds these services, and starts all. When `up` began: the build is not measured."""
        build = {"network": "host"} | ({"target": target} if target else {})
        here = {"services": {service: {"build": build} for service in built}}
        (self.folder / "here.json").write_text(json.dumps(here))
        self.compose("build", *built, timeout=400)
        begun = time.monotonic()
        self.compose("up", "-d", "--no-build", timeout=120)
        return begun

    def down(self) -> None:
        for log in self.logs.values():
            log.close()
        self.compose("down", "-v", "-t", "5", timeout=60)
        # What containers of other users have left in the folder is theirs: the folder goes as root.
        shutil.rmtree(self.folder, ignore_errors=True)

    def container(self, service: str) -> str:
        return self.compose("ps", "-a", "-q", service).strip()

    def log(self, service: str) -> Log:
        container = self.container(service)
        old = self.logs.get(service)
        if old and old.container != container:
            old.close()
        if not old or old.container != container:
            self.logs[service] = Log(container)
        return self.logs[service]

    def inspect(self, service: str, what: str) -> str:
        return self.docker("inspect", "-f", "{{" + what + "}}", self.container(service)).strip()

    def note_image(self, service: str, stage: str) -> int:
        size = self.docker.size(self.inspect(service, ".Image"))
        self.note(f"image for {stage}", f"{size / 1e6:.0f} MB")
        return size

    def note_image_without_reloader(self, service: str) -> None:
        """The same, built without the one line that brings reloader."""
        (dockerfile,) = self.folder.rglob("Dockerfile")
        text = dockerfile.read_text()
        without = text.replace("FROM reloader AS", "FROM base AS")
        without = without.replace("COPY --from=reloader /opt/reloader /usr/local\n", "")
        assert without != text
        other = dockerfile.with_name("Dockerfile.without")
        other.write_text(without)
        build = {"dockerfile": str(other.relative_to(self.folder.parents[1])), "network": "host"}
        image = f"{self.project}-without"
        here = {"services": {service: {"image": image, "build": build}}}
        (self.folder / "without.json").write_text(json.dumps(here))
        self.compose("-f", "without.json", "build", service, timeout=400)
        self.note("the same without reloader", f"{self.docker.size(image) / 1e6:.0f} MB")

    def exec(self, service: str, *command: str, user: str = "", timeout: float = DEADLINE) -> str:
        as_user = ["-u", user] if user else []
        return self.docker("exec", *as_user, self.container(service), *command, timeout=timeout)

    def note(self, measured: str, value: float | str) -> None:
        text = value if isinstance(value, str) else f"{value:.2f} s"
        self.figures.append((self.folder.name, measured, text))

    # --- files ---

    def save(self, name: str, text: str) -> float:
        """Atomically, as editors do. When it was done."""
        path = self.folder / name
        beside = path.with_name(f".{path.name}.new")
        beside.write_text(text)
        beside.replace(path)
        return time.monotonic()

    def edit(self, name: str, old: str, new: str) -> float:
        text = (self.folder / name).read_text()
        assert old in text, f"{old!r} is not in {name}"
        return self.save(name, text.replace(old, new))


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: Mapping[str, str]

    def json(self) -> Any:
        return json.loads(self.text)


def get(url: str, timeout: float = 5.0, data: Any = None) -> Answer | None:
    """None while nobody answers."""
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as it:
            return Answer(it.status, it.read().decode(), it.headers)
    except urllib.error.HTTPError as it:
        with it:
            return Answer(it.code, it.read().decode(), it.headers)
    except (OSError, http.client.HTTPException):
        return None


def answering(url: str, word: str, timeout: float = DEADLINE) -> Answer:
    """The first answer that has this word in it."""

    def probe() -> Answer | None:
        it = get(url)
        return it if it and it.status == 200 and word in it.text else None

    return until(probe, timeout)


def uninterrupted(url: str, word: str, timeout: float = DEADLINE) -> Answer:
    """The first answer that has this word in it; each request before has an answer, too."""

    def probe() -> Answer | None:
        it = get(url, timeout)
        assert it, "refused, or cut"
        return it if word in it.text else None

    return until(probe, timeout)


def free_port() -> str:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return str(it.getsockname()[1])


def compose() -> list[str]:
    """Of the two composes the newer one that is there."""
    try:
        run(CLIENT, "compose", "version", timeout=10)
    except (OSError, AssertionError):
        return ["docker-compose"] if shutil.which("docker-compose") else []
    return [CLIENT, "compose"]


def run(
    *command: str, timeout: float = DEADLINE, env: Mapping[str, str] | None = None, **popen: Any
) -> str:
    """Its stdout; a failure shows both outputs."""
    it = subprocess.run(
        command, check=False, capture_output=True, text=True, errors="replace", timeout=timeout,
        env=os.environ | (env or {}), **popen,
    )  # fmt: skip
    assert it.returncode == 0, f"{' '.join(command)}: {it.returncode}\n{it.stdout}\n{it.stderr}"
    return it.stdout
