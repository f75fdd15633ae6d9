"""examples/go-timescale: Go with a database; the seed's .air.toml, taken as it was."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.containers.stack import answering, free_port, get, uninterrupted
from tests.helpers.until import until

if TYPE_CHECKING:
    from tests.containers.stack import Stack

EXAMPLE = "go-timescale"
MAIN = "backend/main.go"


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    port = stack.env["PORT"] = free_port()
    begun = stack.up("backend")
    answering(f"http://127.0.0.1:{port}/health", "connected")
    stack.note("up -d -> healthy answer", time.monotonic() - begun)
    stack.note_image("backend", "development")
    stack.note_image_without_reloader("backend")
    stack.log("backend").wait_for("watching ")
    return f"http://127.0.0.1:{port}"


def test_health_reports_the_database(stack: Stack, url: str) -> None:
    assert [get(f"{url}/{path}").status for path in ("healthz", "readyz", "health")] == [200] * 3
    stack.compose("stop", "timescaledb")
    until(lambda: get(f"{url}/health").json()["database"] == "unreachable", 20)
    assert get(f"{url}/healthz").status == 200
    assert get(f"{url}/readyz").status == 503
    stack.compose("start", "timescaledb")
    answering(f"{url}/health", "connected")


def test_save_to_new_version(stack: Stack, url: str) -> None:
    took = []
    for old, new in (("Change me and save.", "Two."), ("Two.", "Three."), ("Three.", "Four.")):
        saved = stack.edit(MAIN, f'"{old}"', f'"{new}"')
        uninterrupted(url, new)
        took.append(time.monotonic() - saved)
    stack.note("save -> new answer", sorted(took)[1])
    assert min(took) < 5


def test_a_syntax_error_is_shown_and_the_fix_recovers(stack: Stack, url: str) -> None:
    log = stack.log("backend")
    log.mark()
    stack.edit(MAIN, '"Four."', '"Four.')
    log.wait_for(r"main.go:\d+:\d+: .*(string|newline)")
    log.wait_for("build .*failed")
    until(lambda: get(url) is None)  # stop_on_error
    stack.edit(MAIN, '"Four.', '"Five."')
    answering(url, "Five.")


def test_reloader_tells_the_engine_how_the_build_is(stack: Stack, url: str) -> None:
    assert stack.exec("backend", "reloader", "healthcheck").startswith("ok")
    assert "+clone" in stack.exec("backend", "reloader", "--version")


def test_stop_is_clean_and_quick(stack: Stack, url: str) -> None:
    begun = time.monotonic()
    stack.compose("stop", "backend")
    took = time.monotonic() - begun
    stack.note("compose stop", took)
    assert stack.inspect("backend", ".State.ExitCode") == "0"
    assert took < 5
    assert stack.log("backend").since_mark("panic|killed") == []


def test_the_image_for_production_is_small_and_runs(stack: Stack, url: str) -> None:
    stack.up("backend", target="production")
    answering(f"{url}/health", '"version":"0.1.0"')
    assert stack.note_image("backend", "production") < 50e6
