"""No thread can be started (`pids.max`): all that needs one waits, says so and tries again."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from reloader import threads
from reloader.config.model import Engine
from reloader.core.facts import BecameReady, Noticed
from reloader.core.news import ProxyStarted, Warned
from reloader.core.values import Role, Task
from reloader.output.outlet import LazyPump, Outlet
from reloader.proxy.server import Server
from reloader.ready.lookout import Lookout
from reloader.ready.probe import Ready
from reloader.sockets.ports import Ports
from tests.helpers.until import until
from tests.proxy.rig import options, snapshot
from tests.sockets.rig import Rig, free_port
from tests.watch.seeing import Seeing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SERVE = "import socket; socket.create_server(('127.0.0.1', {})); print('up', flush=True)"


class Lack:
    """The system's answer to every new thread, until it ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = 0
        self.is_over = False
        self._real = threading._start_new_thread
        monkeypatch.setattr(threading, "_start_new_thread", self._start)
        if hasattr(threading, "_start_joinable_thread"):  # since Python 3.13
            self._real = threading._start_joinable_thread
            monkeypatch.setattr(threading, "_start_joinable_thread", self._start)

    def _start(self, *args: object, **named: object) -> object:
        self.asked += 1
        if self.is_over:
            return self._real(*args, **named)
        raise RuntimeError("can't start new thread")


@pytest.fixture
def lack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lack]:
    monkeypatch.setattr(threads, "RETRY", 0.05)
    it = Lack(monkeypatch)
    yield it
    it.is_over = True


def read(source: Lookout | Server, facts: list[object], done: Callable[[], object]) -> None:
    """Reads as the inbox does: when the descriptor is ready, or its deadline has passed."""

    def look() -> object:
        due = source.deadline()
        if due is None or time.monotonic() >= due:
            facts.extend(source.read())
        return done()

    until(look)


def warnings(facts: list[object]) -> list[str]:
    return [
        fact.news.text
        for fact in facts
        if isinstance(fact, Noticed) and isinstance(fact.news, Warned)
    ]


def test_none_to_be_had_is_an_answer(lack: Lack) -> None:
    """An answer, and no exception."""
    assert threads.start(lambda: None, "x") is None
    lack.is_over = True
    assert threads.start(lambda: None, "x")


def test_what_a_thread_raises_is_handed_on(capfd: pytest.CaptureFixture[str]) -> None:
    """No traceback reaches the user's terminal."""
    failed: list[Exception] = []
    thread = threads.start(lambda: {}["x"], "x", failed.append)
    assert thread
    thread.join()

    assert isinstance(failed[0], KeyError)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("engine", [Engine.NATIVE, Engine.POLL, Engine.WATCHFILES], ids=str)
def test_watching(tmp_path: Path, lack: Lack, engine: Engine) -> None:
    """What changes meanwhile is told when there is a thread; inotify needs none for it."""
    file = tmp_path / "a.py"
    file.write_text("1")
    it = Seeing(tmp_path, engine)
    it.wait_for(lambda: it.warnings and lack.asked > 4)
    file.write_text("22")
    if engine is Engine.NATIVE:
        it.wait_for(lambda: "a.py" in it.seen)
    before = len(os.listdir("/proc/self/fd"))
    it.wait_for(lambda asked=lack.asked: lack.asked > asked + 4)
    assert len(os.listdir("/proc/self/fd")) == before  # each try gives back what it took
    lack.is_over = True
    it.wait_for(lambda: it.started)
    it.wait_for(lambda: "a.py" in it.seen)
    assert it.warnings == [threads.LACK]
    it.__exit__()


def test_the_port(lack: Lack) -> None:
    """The app starts without its port held, binds it by itself, and the next one is held again."""
    rig, port = Rig(), free_port()
    said, says = os.pipe()
    assert rig.wait(rig.python(SERVE.format(port), stdout=says)) == 0
    assert os.read(said, 9) == b"up\n"
    assert rig.hold.why_not == threads.LACK

    lack.is_over = True
    assert rig.wait(rig.python(SERVE.format(port), stdout=says)) == 0
    assert rig.hold.why_not in (None, "")
    os.close(said)
    os.close(says)


def test_readiness(lack: Lack) -> None:
    """The look begins later, and is told of once."""
    facts: list[object] = []
    it = Lookout(Ports(lambda _: None, lambda *_: False), Ready(), dict, "/")
    it.started(1, os.getpid())
    read(it, facts, lambda: lack.asked > 3)
    lack.is_over = True
    it.ended(2)
    read(it, facts, lambda: it.deadline() is None)

    assert warnings(facts) == [threads.LACK]
    until(lambda: facts.extend(it.read()) or any(isinstance(f, BecameReady) for f in facts), 30)
    it.close()


def test_the_proxy(lack: Lack) -> None:
    """It opens later."""
    facts: list[object] = []
    it = Server(options(1), snapshot)
    read(it, facts, lambda: lack.asked > 3)
    assert warnings(facts) == [f"the proxy waits: {threads.LACK}"]
    lack.is_over = True
    read(it, facts, lambda: it.deadline() is None)

    until(
        lambda: (
            facts.extend(it.read())
            or any(isinstance(f, Noticed) and isinstance(f.news, ProxyStarted) for f in facts)
        )
    )
    it.close()


def test_a_proxy_that_never_began_is_closed(lack: Lack) -> None:
    """Without a wait for a thread that is not there."""
    before = len(os.listdir("/proc/self/fd"))
    Server(options(1), snapshot).close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_output(lack: Lack) -> None:
    """It goes straight, which is told, and the next process is pumped."""
    pump, (said, says) = LazyPump(), os.pipe()
    outlet = Outlet(pump, is_alone=True, mark=b"")
    task = Task(Role.BUILD)
    before = len(os.listdir("/proc/self/fd"))

    assert outlet.open(1, task, says, says) is None
    assert outlet.why_straight == threads.LACK
    assert outlet.last(Role.BUILD) == ""
    assert len(os.listdir("/proc/self/fd")) == before
    lack.is_over = True
    ends = outlet.open(2, task, says, says)
    assert ends
    assert not outlet.why_straight
    os.write(ends.stdout, b"hello\n")
    ends.close()
    assert outlet.last(Role.BUILD) == "hello\n"
    assert os.read(said, 99) == b"hello\n"
    pump.close()
    os.close(said)
    os.close(says)
