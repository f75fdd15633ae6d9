"""examples/fastapi-postgres: a read-only mount, user 1000, rules for what needed a rebuild."""

from __future__ import annotations

import os
import time
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.containers.stack import answering, free_port, get, uninterrupted
from tests.helpers.until import until

if TYPE_CHECKING:
    from tests.containers.stack import Stack

EXAMPLE = "fastapi-postgres"
MAIN = "backend/app/main.py"


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    (stack.folder / "backend" / ".env").write_text("LOG_LEVEL=info\n")
    port = stack.env["API_PORT"] = free_port()
    begun = stack.up("api")
    answering(f"http://127.0.0.1:{port}/health", "healthy")
    stack.note("up -d -> healthy answer", time.monotonic() - begun)
    stack.note_image("api", "development")
    stack.note_image_without_reloader("api")
    stack.log("api").wait_for("^watching ")
    return f"http://127.0.0.1:{port}"


def test_it_runs_as_asked(stack: Stack, url: str) -> None:
    assert stack.exec("api", "id", "-u").strip() == "1000"
    assert "+clone" in stack.exec("api", "reloader", "--version")
    assert "1 (reloader)" in stack.exec("api", "cat", "/proc/1/stat")
    answer = get(f"{url}/health")
    assert answer.json()["database"] == "postgresql"
    until(lambda: stack.inspect("api", ".State.Health.Status") == "healthy", 30)
    assert (stack.folder / "data" / "postgres").is_dir()
    assert "\x1b" not in "".join(stack.log("api").lines)


def test_a_save_of_a_file_that_is_mounted_read_only(stack: Stack, url: str) -> None:
    saved = stack.edit(MAIN, "Change me and save.", "Changed.")
    uninterrupted(url, "Changed.")
    stack.note("save -> new answer", time.monotonic() - saved)
    stack.log("api").wait_for("^reloaded .*app/main.py")
    assert not list((stack.folder / "backend").rglob("__pycache__")), "written below :ro?"
    assert not (stack.folder / "backend" / "tmp").exists()


def test_the_log_file_is_on_the_host_as_soon_as_it_can_be_written(stack: Stack, url: str) -> None:
    """Whoever cloned need not be user 1000."""
    if os.getuid() != 1000:
        assert any("No log file" in line for line in stack.log("api").lines)
        (stack.folder / "data" / "logs").chmod(0o777)
        stack.edit(MAIN, "Changed.", "Changed again.")
        answering(url, "Changed again.")
        stack.edit(MAIN, "Changed again.", "Changed.")
        answering(url, '"Changed."')
    assert (stack.folder / "data" / "logs" / "app.log").exists()


def test_a_changed_env_file_restarts_the_app_with_it(stack: Stack, url: str) -> None:
    stack.log("api").mark()
    saved = stack.save("backend/.env", "LOG_LEVEL=debug\n")
    answering(url, "DEBUG")
    stack.note(".env saved -> answer with it", time.monotonic() - saved)
    stack.log("api").wait_for(r"^reloaded .*\.env")


def test_a_changed_requirements_file_installs_and_restarts(stack: Stack, url: str) -> None:
    """A package that comes from the mount: the containers here reach no index."""
    name = "greetings-1.0-py3-none-any.whl"
    with zipfile.ZipFile(stack.folder / "backend" / name, "w") as wheel:
        info = "greetings-1.0.dist-info"
        wheel.writestr("greetings.py", "HELLO = 'Hello from a package.'\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: greetings\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    text = (stack.folder / "backend" / "requirements.txt").read_text()
    log = stack.log("api")
    log.mark()
    saved = stack.save("backend/requirements.txt", f"{text}./{name}\n")
    log.wait_for("Successfully installed greetings")
    log.wait_for("^run .*uvicorn")
    stack.edit(
        MAIN,
        "from app.db import engine\n",
        "from app.db import engine\nfrom greetings import HELLO\n",
    )
    stack.edit(MAIN, '"Changed."', "HELLO")
    answering(url, "Hello from a package.")
    stack.note("requirements.txt saved -> new package used", time.monotonic() - saved)


def test_a_package_that_is_not_there_leaves_the_app_alone(stack: Stack, url: str) -> None:
    text = (stack.folder / "backend" / "requirements.txt").read_text()
    log = stack.log("api")
    log.mark()
    stack.save("backend/requirements.txt", f"{text}./no-such-package.whl\n")
    log.wait_for("packages .*failed")
    assert get(f"{url}/health").status == 200
    log.mark()
    stack.save("backend/requirements.txt", text)
    log.wait_for("^run .*uvicorn")
    answering(url, "Hello from a package.")


def test_a_new_migration_is_applied(stack: Stack, url: str) -> None:
    migration = (
        "from alembic import op\n\n"
        "revision, down_revision = '0002', '0001'\n\n"
        "def upgrade():\n    op.execute(\"INSERT INTO emotions (name) VALUES ('joy')\")\n"
    )
    log = stack.log("api")
    log.mark()
    stack.save("backend/alembic/versions/0002_joy.py", migration)
    log.wait_for("^run .*uvicorn")
    assert answering(f"{url}/emotions", "joy").json() == ["joy"]


def test_a_syntax_error_is_shown_and_the_next_save_recovers(stack: Stack, url: str) -> None:
    log = stack.log("api")
    log.mark()
    stack.edit(MAIN, "GREETING = HELLO", "GREETING = = HELLO")
    log.wait_for("SyntaxError")
    stack.edit(MAIN, "GREETING = = HELLO", "GREETING = 'Well again.'")
    answering(url, "Well again.")


def test_stop_is_clean_and_quick_and_the_data_stays(stack: Stack, url: str) -> None:
    begun = time.monotonic()
    stack.compose("stop", "api")
    took = time.monotonic() - begun
    stack.note("compose stop", took)
    assert stack.inspect("api", ".State.ExitCode") == "0"
    assert took < 5
    stack.compose("up", "-d", "--no-build")
    assert answering(f"{url}/emotions", "joy").json() == ["joy"]


def test_the_image_for_production(stack: Stack, url: str) -> None:
    stack.edit("backend/requirements.txt", "./greetings-1.0-py3-none-any.whl\n", "")
    stack.edit(MAIN, "from greetings import HELLO\n", "")
    stack.up("api", target="production")
    answering(f"{url}/health", "healthy")
    stack.note_image("api", "production")
    assert "uvicorn" in stack.exec("api", "cat", "/proc/1/cmdline")
