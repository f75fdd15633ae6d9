"""examples/fastapi-todo: migrations at the start and when they change, metrics, no root."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.containers.stack import answering, free_port, get
from tests.helpers.until import until

if TYPE_CHECKING:
    from tests.containers.stack import Stack

EXAMPLE = "fastapi-todo"
MAIN = "src/main.py"


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    port = stack.env["API_PORT"] = free_port()
    begun = stack.up("backend")
    answering(f"http://127.0.0.1:{port}/health", "healthy")
    stack.note("up -d -> healthy answer", time.monotonic() - begun)
    stack.note_image("backend", "development")
    stack.note_image_without_reloader("backend")
    stack.log("backend").wait_for("^watching ")
    return f"http://127.0.0.1:{port}"


def test_what_it_offers(stack: Stack, url: str) -> None:
    assert stack.exec("backend", "id", "-un").strip() == "appuser"
    assert "+clone" in stack.exec("backend", "reloader", "--version")
    assert get(f"{url}/health").json()["database"] == "postgresql"
    assert get(f"{url}/todos", data={"title": "Write tests"}).status == 201
    assert get(f"{url}/todos").json() == ["Write tests"]
    metrics = get(f"{url}/metrics")
    assert metrics.headers["Content-Type"].startswith("text/plain; version=")
    assert 'todo_requests_total{method="POST",status="201"} 1.0' in metrics.text
    until(lambda: stack.inspect("backend", ".State.Health.Status") == "healthy", 30)


def test_a_save_restarts_the_app_and_migrates_nothing(stack: Stack, url: str) -> None:
    log = stack.log("backend")
    log.mark()
    saved = stack.edit(MAIN, "Change me and save.", "Changed.")
    answering(url, "Changed.")
    stack.note("save -> new answer", time.monotonic() - saved)
    assert log.since_mark("alembic|migrations") == []


def test_a_new_migration_is_applied(stack: Stack, url: str) -> None:
    migration = (
        "from alembic import op\n\n"
        "revision, down_revision = '0002', '0001'\n\n"
        "def upgrade():\n    op.execute(\"INSERT INTO todos (title) VALUES ('Migrate')\")\n"
    )
    log = stack.log("backend")
    log.mark()
    saved = stack.save("alembic/versions/0002_more.py", migration)
    answering(f"{url}/todos", "Migrate")
    log.wait_for("^run .*uvicorn")
    stack.note("migration saved -> applied, app back", time.monotonic() - saved)


def test_a_migration_that_fails_leaves_the_app_alone(stack: Stack, url: str) -> None:
    log = stack.log("backend")
    log.mark()
    stack.save("alembic/versions/0003_bad.py", "revision, down_revision = '0003', '0002'\n\nboom\n")
    log.wait_for("migrations .*failed")
    assert get(f"{url}/health").status == 200
    (stack.folder / "alembic/versions/0003_bad.py").unlink()
    log.wait_for("^run .*uvicorn")
    answering(f"{url}/health", "healthy")


def test_settings(stack: Stack, url: str) -> None:
    stack.save(".env", "ENVIRONMENT=staging\nSERVICE_AUTH_TOKEN=secret\n")
    answering(url, "staging")
    assert get(f"{url}/todos", data={"title": "Break in"}).status == 401


def test_stop_is_clean_and_quick(stack: Stack, url: str) -> None:
    begun = time.monotonic()
    stack.compose("stop", "backend")
    stack.note("compose stop", time.monotonic() - begun)
    assert stack.inspect("backend", ".State.ExitCode") == "0"


def test_without_compose_it_is_sqlite(stack: Stack, url: str) -> None:
    """The image alone, on a read-only file system: only /data and /tmp can be written."""
    image = stack.inspect("backend", ".Image")
    name = stack.docker(
        "run", "-d", "--network=none", "--read-only", "--tmpfs", "/tmp", "-v", "/data", image
    ).strip()
    ask = "from urllib.request import *; print(urlopen('http://localhost:8000/health').read())"
    try:
        until(lambda: "sqlite" in attempt(stack, name, ask), 60)
    finally:
        stack.docker("rm", "-f", "-v", name)


def test_the_image_for_production(stack: Stack, url: str) -> None:
    stack.up("backend", target="production")
    answering(f"{url}/health", "healthy")
    stack.note_image("backend", "production")
    assert "uvicorn" in stack.exec("backend", "cat", "/proc/1/cmdline")


def attempt(stack: Stack, name: str, script: str) -> str:
    try:
        return stack.docker("exec", name, "python", "-c", script)
    except AssertionError:
        return ""
