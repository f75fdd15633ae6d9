"""The port is held for every kind of program, and all of them are seen to wait for connections."""

from __future__ import annotations

import os
import threading
import urllib.request
from typing import TYPE_CHECKING

import pytest

from reloader.process.tree import ProcView
from reloader.ready import accepting, idle
from tests.helpers.until import until
from tests.sockets.kinds import KINDS
from tests.sockets.rig import free_port

if TYPE_CHECKING:
    from tests.sockets.kinds import Kind
    from tests.sockets.rig import Rig

SWAPS = 4


def get(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        return answer.read().decode()


def waits(rig: Rig, start: int) -> bool:
    """True if it waits for connections where it listens."""
    pid = rig.pids[start]
    inodes = frozenset(place.inode for place in rig.ports.served(start))
    pids = [pid, *(below.pid for below in ProcView().below(pid))]
    return bool(inodes) and accepting.waited_on(pids, inodes) == inodes


def idles(rig: Rig, start: int) -> bool:
    pid = rig.pids[start]
    pids = [pid, *(below.pid for below in ProcView().below(pid))]
    listening = {place.inode: place.address.port for place in rig.ports.served(start)}
    return idle.work(pids, listening).is_idle


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def argv(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    kind: Kind = request.param
    folder = tmp_path_factory.mktemp("kind")
    if (argv := kind.argv(folder)) is None:
        pytest.skip(f"no {kind.needs} here")
    here = os.getcwd()
    os.chdir(folder)
    yield argv
    os.chdir(here)


def test_no_request_is_lost_in_swaps(rig: Rig, argv: tuple[str, ...]) -> None:
    """Clients that open a connection for each request, through swaps of an app that just dies."""
    port = free_port()
    over = threading.Event()
    answers: list[str] = []
    lost: list[OSError] = []

    def client() -> None:
        while not over.is_set():
            try:
                answers.append(get(port))
            except OSError as error:  # and URLError, which is one
                lost.append(error)

    now = rig.start(*argv, "0", str(port))
    until(lambda: waits(rig, now), 60)
    clients = [threading.Thread(target=client) for _ in range(3)]
    for it in clients:
        it.start()
    try:
        for number in range(1, SWAPS + 1):
            until(lambda number=number: answers[-1:] == [str(number - 1)], 60)
            rig.ports.park()
            until(lambda now=now: idles(rig, now), 60)
            rig.stop(now)
            now = rig.start(*argv, str(number), str(port))
            until(lambda now=now: waits(rig, now), 60)
            rig.ports.steer(now)
        until(lambda: answers[-1:] == [str(SWAPS)], 60)
    finally:
        over.set()
        for it in clients:
            it.join(30)
    assert not lost
