"""examples/go-blue-green: two slots behind nginx; the traffic moves without a failed request."""

from __future__ import annotations

import collections
import shlex
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.containers.stack import answering, compose, free_port, get, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.containers.stack import Stack

EXAMPLE = "go-blue-green"
SLOTS = ("togather-blue", "togather-green")


class Load(threading.Thread):
    """Asks all the time; what came back, by slot and version, and what went wrong."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.seen, self.failed = url, collections.Counter(), []
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.005):  # the two cores have more to do
            it = get(f"{self.url}/version")
            if it and it.status == 200:
                self.seen[it.headers["X-Togather-Slot"], it.json()["version"]] += 1
            else:
                self.failed.append(it)

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.fixture(scope="module")
def url(stack: Stack) -> str:
    names = ("HTTP_PORT", "BLUE_PORT", "GREEN_PORT")
    stack.env.update({name: free_port() for name in names}, VERSION="1")
    begun = stack.up(*SLOTS)
    url = f"http://127.0.0.1:{stack.env['HTTP_PORT']}"
    answering(f"{url}/health", "healthy")
    stack.note("up -d -> healthy answer", time.monotonic() - begun)
    stack.note_image("togather-blue", "production")
    return url


@pytest.fixture
def load(url: str) -> Iterator[Load]:
    it = Load(url)
    it.start()
    yield it
    it.stop()


def deploy(stack: Stack, *args: str, **env: str) -> str:
    """The example's script, with the compose that there is."""
    words = [*compose(), "-p", stack.project, *stack.with_files()]
    env = stack.env | {"COMPOSE": shlex.join(words)} | env
    return run("./deploy", *args, cwd=stack.folder, env=env, timeout=200)


def test_both_slots_run_and_know_how_they_are(stack: Stack, url: str) -> None:
    assert get(url).headers["X-Togather-Slot"] == "blue"
    assert deploy(stack, "status") == "blue\n"
    for slot in SLOTS:
        stack.exec(slot, "server", "healthcheck")
        assert stack.exec(slot, "server", "version").startswith("togather 1 (")
        assert stack.inspect(slot, ".Config.User") == "1000:1000"


def test_no_request_fails_while_the_traffic_moves(stack: Stack, url: str, load: Load) -> None:
    begun = time.monotonic()
    deploy(stack, VERSION="2")
    stack.note("deploy: build, check, switch", time.monotonic() - begun)
    answering(f"{url}/version", '"2"')
    deploy(stack, "rollback")
    answering(f"{url}/version", '"1"')
    deploy(stack, "rollback")
    answering(f"{url}/version", '"2"')
    load.stop()
    stack.note("requests during 3 switches, failed ones", f"{sum(load.seen.values())}, 0")
    assert load.failed == []
    assert set(load.seen) == {("blue", "1"), ("green", "2")}
    assert deploy(stack, "status") == "green\n"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('message = "', 'message = = "', "the build failed"),
        (
            "defer pool.Close()\n",
            'defer pool.Close()\n\tpanic("no")\n',
            "not healthy after 3 tries",
        ),
    ],
    ids=["does-not-build", "does-not-live"],
)
def test_a_bad_version_gets_no_traffic(
    stack: Stack, url: str, load: Load, old: str, new: str, why: str
) -> None:
    stack.edit("main.go", old, new)
    with pytest.raises(AssertionError, match=why):
        deploy(stack, VERSION="3", RETRIES="3")
    stack.edit("main.go", new, old)
    load.stop()
    assert load.failed == []
    assert set(load.seen) == {("green", "2")}


def test_in_development_both_slots_reload(stack: Stack, url: str) -> None:
    stack.files = ("compose.yaml", "compose.dev.yaml")
    stack.up(*SLOTS)
    stack.note_image("togather-blue", "development")
    stack.note_image_without_reloader("togather-blue")
    slots = [f"http://127.0.0.1:{stack.env[name]}" for name in ("BLUE_PORT", "GREEN_PORT")]
    for service, slot in zip(SLOTS, slots, strict=True):
        stack.log(service).wait_for("^watching ")
        assert "+clone" in stack.exec(service, "reloader", "--version")
        answering(slot, "Change me and save.")
    saved = stack.edit("main.go", "Change me and save.", "Changed.")
    for slot in slots:
        answering(slot, "Changed.")
    stack.note("save -> new answer of both slots", time.monotonic() - saved)
    answering(url, "Changed.")
    for slot in SLOTS:
        stack.exec(slot, "server", "healthcheck")


def test_in_development_the_traffic_moves_too(stack: Stack, url: str, load: Load) -> None:
    deploy(stack)
    deploy(stack, "rollback")
    load.stop()
    assert load.failed == []
    assert {slot for slot, _ in load.seen} >= {"green"}


def test_stop_is_clean_and_quick(stack: Stack, url: str) -> None:
    begun = time.monotonic()
    stack.compose("stop", *SLOTS)
    stack.note("compose stop, both slots", time.monotonic() - begun)
    assert [stack.inspect(slot, ".State.ExitCode") for slot in SLOTS] == ["0", "0"]
