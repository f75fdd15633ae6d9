"""A program waits for connections, or it does not: told from /proc alone."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from reloader.ready import accepting, idle
from tests.helpers.until import until

WAYS = {
    "accept": "s.accept()",
    "poll": "p = select.poll(); p.register(s); p.poll()",
    "select": "select.select([s], [], [])",
    "epoll": "e = select.epoll(); e.register(s); signal.pause()",
    "in a thread": "threading.Thread(target=s.accept, daemon=True).start(); signal.pause()",
    "in a child": "os.fork() or s.accept(); signal.pause()",
}
BUSY = {
    "still importing": "signal.pause()",
    "polls another": "p = select.poll(); p.register(other); p.poll()",
    "selects another": "select.select([other], [], [])",
    "epoll of another": "e = select.epoll(); e.register(other); signal.pause()",
}
CODE = """
import os, select, signal, socket, sys, threading
other = socket.create_server(("127.0.0.1", 0))
s = socket.create_server(("127.0.0.1", 0))
print(os.fstat(s.fileno()).st_ino, s.getsockname()[1], flush=True)
"""


@pytest.fixture
def run():
    """Starts the server with this last line; gives its pids, the inode and the port."""
    made: list[subprocess.Popen[str]] = []

    def start(last: str) -> tuple[int, int, int]:
        it = subprocess.Popen(
            [sys.executable, "-IS", "-c", CODE + last],
            stdout=subprocess.PIPE,
            text=True,
            process_group=0 if sys.version_info >= (3, 11) else None,
        )
        made.append(it)
        inode, port = map(int, it.stdout.readline().split())
        return it.pid, inode, port

    yield start
    for it in made:
        for pid in tree(it.pid):
            os.kill(pid, 9)
        it.wait()
        it.stdout.close()


def tree(pid: int) -> list[int]:
    from reloader.process.tree import ProcView

    return [pid, *(below.pid for below in ProcView().below(pid))]


@pytest.mark.parametrize("last", WAYS.values(), ids=WAYS)
def test_it_waits(run, last: str) -> None:
    pid, inode, port = run(last)
    want = frozenset({inode})
    until(lambda: accepting.waited_on(tree(pid), want) == want)
    assert accepting.listening(tree(pid))[inode] == port


@pytest.mark.parametrize("last", BUSY.values(), ids=BUSY)
def test_it_does_not_wait(run, last: str) -> None:
    """The process is asleep, as one that waits is, and it has listened: it is not ready."""
    pid, inode, _ = run(last)
    until(lambda: " S " in Path(f"/proc/{pid}/stat").read_text())
    assert accepting.waited_on(tree(pid), frozenset({inode})) == frozenset()


def test_what_is_gone_waits_for_nothing() -> None:
    assert accepting.waited_on([2**22 + 1], frozenset({1})) == frozenset()
    assert accepting.listening([2**22 + 1]) == {}


def test_work_of_a_server() -> None:
    """One that nobody has accepted waits, a request under way is busy, an answered one quiet."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        inode = os.fstat(server.fileno()).st_ino

        def work() -> idle.Work:
            return idle.work([os.getpid()], {inode: port})

        assert work() == idle.Work(0, 0, 0)
        with socket.create_connection(("127.0.0.1", port)) as client:
            until(lambda: work() == idle.Work(1, 0, 0))
            accepted, _ = server.accept()
            with accepted:
                client.sendall(b"GET")
                until(lambda: work() == idle.Work(0, 1, 0))
                accepted.recv(99)
                assert work() == idle.Work(0, 1, 0)
                assert not work().is_idle
                select.select([], [], [], 0.02)  # ages are told in ms: a later answer is seen so
                accepted.sendall(b"200")
                client.recv(99)
                until(lambda: work() == idle.Work(0, 0, 1))
                assert work().is_idle
