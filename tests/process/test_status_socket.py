"""The status socket: who is answered, who is believed, and that nobody can hold a run up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from reloader.commands.healthcheck import healthcheck
from reloader.control import socket as control
from reloader.control.status import Status, typed
from reloader.errors import ConfigError, ReloaderError, TakenError
from reloader.light import asdict, replace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="abstract sockets are Linux's")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user is played by root")
STRANGER = 65534  # nobody


@pytest.fixture
def status(tmp_path: Path) -> Status:
    return Status(os.getpid(), str(tmp_path), has_app=True, app_pid=4711)


def name_of(status: Status, key: str = "key") -> str:
    root = control._hash(status.root)
    return f"{control._prefix()}{root}.{root}/{control._hash(key)}"


def taken(status: Status, key: str = "key") -> control.StatusSocket:
    return control.StatusSocket(status.root, status.root, key)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[object]:
    """Runs a script as another process, which has bound `sys.argv[1]`, and maybe another user."""
    children = []

    def start(name: str, then: str, user: int | None = None) -> subprocess.Popen[str]:
        code = (
            "import os, socket, sys, time\n"
            "s = socket.socket(socket.AF_UNIX)\n"
            "s.bind('\\0' + sys.argv[1]); s.listen(1); print('bound', flush=True)\n"
        ) + textwrap.dedent(then)
        uid = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        child = subprocess.Popen(
            ["/usr/bin/env", "python3", "-c", code, name], stdout=subprocess.PIPE, text=True, **uid
        )
        children.append(child)
        assert child.stdout
        assert child.stdout.readline() == "bound\n"
        return child

    yield start
    for child in children:
        with child:  # closes its pipe, and waits
            child.kill()


@contextmanager
def served(status: Status, started_in: str = "") -> Iterator[tuple[int, str]]:
    """A run in another process, which answers for ever: its pid and its warning."""
    code = (
        "import json, select, sys\n"
        "from reloader.control.socket import StatusSocket\n"
        "from reloader.control.status import Status\n"
        "status = Status(**json.loads(sys.argv[1]))\n"
        "s = StatusSocket(sys.argv[2] or status.root, status.root, 'key')\n"
        "s.status = lambda: status\n"
        "print(s.warning or 'ready', flush=True)\n"
        "while True: select.select([s], [], []); s.read()\n"
    )
    command = [sys.executable, "-c", code, json.dumps(asdict(status)), started_in]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        try:
            yield child.pid, child.stdout.readline()
        finally:
            child.kill()


@pytest.fixture
def run(status: Status) -> Iterator[int]:
    with served(status) as (pid, said):
        assert said == "ready\n"
        yield pid


@pytest.mark.usefixtures("run")
def test_a_run_answers_for_its_directory(status: Status, tmp_path: Path) -> None:
    """In it and below it; above it, beside it and elsewhere it does not."""
    (tmp_path / "api").mkdir()
    assert healthcheck(str(tmp_path), app_only=False) == "ok: pid 4711\n"
    assert healthcheck(str(tmp_path / "api"), app_only=False) == "ok: pid 4711\n"
    for elsewhere in (tmp_path.parent, "/", tmp_path.parent / "beside"):
        with pytest.raises(ReloaderError, match="no reloader runs in"):
            healthcheck(str(elsewhere), app_only=False)


def test_a_run_answers_where_it_was_started(status: Status, tmp_path: Path) -> None:
    """`reloader run -c api`: the health is asked in the directory above."""
    with served(replace(status, root=str(tmp_path / "api")), str(tmp_path)):
        assert healthcheck(str(tmp_path), app_only=False) == "ok: pid 4711\n"


def test_a_run_that_hangs_is_not_healthy(run: int, tmp_path: Path) -> None:
    """It is named, within a second or two."""
    os.kill(run, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(ReloaderError, match=f"pid {run} does not answer"):
        healthcheck(str(tmp_path), app_only=False)
    assert time.monotonic() - begun < 5


def test_the_lock(run: int, status: Status) -> None:
    """The same app of the same user is refused; in one process it is a mistake of the config."""
    with pytest.raises(TakenError, match=str(run)):
        taken(status)
    one = taken(status, "another key")
    with pytest.raises(ConfigError, match="the same one twice"):
        taken(status, "another key")
    one.close()


@needs_root
@pytest.mark.parametrize(
    "then",
    [
        "while True:\n c, _ = s.accept()\n try: c.sendall(b'%s')\n except OSError: pass",
        "while True:\n c, _ = s.accept(); c.close()",
        "kept = []\nwhile True: kept.append(s.accept())",
        "c = s.accept()\nwhile True:\n try: c[0].send(b'x')\n except OSError: c = s.accept()",
        "time.sleep(1000)",
    ],
    ids=["forged", "closed", "silent", "dripping", "deaf"],
)
def test_a_stranger_is_not_believed(other, status: Status, tmp_path: Path, then: str) -> None:
    """Neither that all is well nor that it is not, and he holds nobody up."""
    name, well = name_of(status), json.dumps(asdict(status))
    other(name, then.replace("%s", well), STRANGER)
    begun = time.monotonic()
    with pytest.raises(ReloaderError, match=r"user 65534|does not answer"):
        healthcheck(str(tmp_path), app_only=False)
    with served(status) as (_, said):  # finds its name taken, and takes another
        assert "holds the name" in said
        assert healthcheck(str(tmp_path), app_only=False) == "ok: pid 4711\n"
        with pytest.raises(TakenError):
            taken(status)
    assert time.monotonic() - begun < 15


@needs_root
@pytest.mark.usefixtures("run")
def test_a_stranger_is_told_nothing(status: Status) -> None:
    """Whoever asks is looked at; root and the user's own are answered."""
    code = (
        "import socket, sys; c = socket.socket(socket.AF_UNIX); c.connect('\\0' + sys.argv[1]);"
        "print(len(c.recv(65536)))"
    )

    def received(user: int) -> int:
        command = ["/usr/bin/env", "python3", "-c", code, name_of(status)]
        return int(subprocess.check_output(command, user=user, group=user, extra_groups=[]))

    assert received(STRANGER) == 0
    assert received(0) > 0


@pytest.mark.parametrize(
    "change",
    [
        {"app_pid": {"a": 1}},
        {"root": 123},
        {"has_app": 1},
        {"pid": True},
        {"why_down": None},
        {"why_down": "x" * 5000},
    ],
)
def test_an_answer_has_the_types_of_a_status(status: Status, change: dict[str, object]) -> None:
    """Anything else is no answer; unknown fields are left out."""
    good = asdict(status)
    assert typed(json.dumps({**good, "new": 1}).encode()) == status
    assert typed(json.dumps({**good, **change}).encode()) is None
    for text in (b"", b"[]", b"1", b"\xff", b"[" * 100_000, json.dumps(good).encode()[:-9]):
        assert typed(text) is None
