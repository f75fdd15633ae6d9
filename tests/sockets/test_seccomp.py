"""The filter, and everywhere that it can't be had."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from reloader.sockets import hold, seccomp
from reloader.sockets.hold import Hold
from reloader.sockets.ports import Ports
from tests.process.lab import run_program
from tests.sockets.rig import PYTHON, Rig, free_port, refused

# Root without CAP_SYS_ADMIN, as in a container: the kernel wants no_new_privs of it, as of a user.
NO_RIGHTS = ("setpriv", "--bounding-set=-sys_admin")
SETUP = "from tests.sockets.rig import *; import threading"


def field(name: str) -> str:
    text = Path("/proc/thread-self/status").read_text()
    return text.split(f"{name}:")[1].split()[0]


def test_only_the_app_is_under_the_filter(rig: Rig) -> None:
    """reloader itself, its threads and its other processes stay as they were."""
    code = "print(open('/proc/self/status').read().split('Seccomp:')[1].split()[0], flush=True)"
    said, says = os.pipe()
    before = field("Seccomp"), field("NoNewPrivs"), threading.active_count()
    assert rig.wait(rig.python(code, stdout=says)) == 0
    assert os.read(said, 9) == b"2\n"
    assert (field("Seccomp"), field("NoNewPrivs")) == before[:2]


def test_root_loses_nothing(rig: Rig) -> None:
    """With CAP_SYS_ADMIN the kernel wants no sacrifice: set-uid programs work in the tree."""
    if os.geteuid():
        pytest.skip("needs root")
    code = (
        "raise SystemExit(int(open('/proc/self/status').read().split('NoNewPrivs:')[1].split()[0]))"
    )
    assert rig.wait(rig.python(code)) == int(field("NoNewPrivs"))


def test_a_spawn_that_fails_is_told_and_leaves_nothing(rig: Rig) -> None:
    before = os.listdir("/proc/self/fd")
    with pytest.raises(FileNotFoundError):
        rig.start("/no/such/program")
    assert len(os.listdir("/proc/self/fd")) <= len(before)


@pytest.mark.parametrize("prefix", [(), NO_RIGHTS])
def test_a_reloader_in_an_app_of_a_reloader(prefix: tuple[str, ...]) -> None:
    """A tree has one listener only: the inner one says nothing and works as without it."""
    if prefix and os.geteuid():
        pytest.skip("needs root")
    lines = run_program(
        f"""
        {SETUP}
        inner = "import sys; sys.path[:0] = {sys.path!r}; " + '''
        from tests.sockets.rig import *
        rig, port = Rig(), free_port()
        print("inner", rig.wait(rig.python("import socket; socket.create_server(('127.0.0.1', %d))" % port)), repr(rig.hold.why_not))
        '''.replace("        ", "")
        rig = Rig()
        sys.stdout.flush()
        print("outer", rig.wait(rig.start(sys.executable, "-c", inner, stdout=1)), repr(rig.hold.why_not))
        """,
        *prefix,
    )
    assert lines == ["inner 0 ''", "outer 0 None"]


def test_where_the_container_forbids_it() -> None:
    """An outer filter answers EPERM to seccomp: the app starts as without it, and it is known why."""
    lines = run_program(
        f"""
        {SETUP}
        import ctypes, struct
        from reloader.sockets import seccomp
        number = seccomp._MACHINES[os.uname().machine].seccomp
        steps = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (6, 0, 0, 0x50001), (6, 0, 0, 0x7FFF0000)]
        code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *s) for s in steps))
        head = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(38, 1, 0, 0, 0)
        assert libc.syscall(number, 1, 0, head) == 0
        rig = Rig()
        port = free_port()
        code = "import socket; s = socket.create_server(('127.0.0.1', %d))" % port
        print(rig.wait(rig.python(code)), rig.hold.why_not, rig.told)
        """
    )
    assert lines == ["0 the container's seccomp profile forbids it []"]


def test_a_user_who_would_lose_rights_is_asked_first() -> None:
    """Without root, without the flag and without leave: as without it, and it is known why."""
    if os.geteuid():
        pytest.skip("needs root")
    lines = run_program(
        f"""
        {SETUP}
        for may in (False, True):
            rig = Rig()
            rig.hold = Hold(rig.ports, lambda: may)
            code = "import os, socket; s = socket.socket(); was = os.fstat(s.fileno()).st_ino; s.bind(('127.0.0.1', %d)); raise SystemExit(was != os.fstat(s.fileno()).st_ino)" % free_port()
            print(rig.wait(rig.python(code)), rig.hold.why_not)
        """,
        *NO_RIGHTS,
    )
    assert lines == [
        "0 the app could gain no rights any more, by sudo for example",
        "1 None",
    ]


def test_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seccomp.os, "uname", lambda: SimpleNamespace(machine="riscv64"))
    it = Hold(Ports(lambda _: None, lambda *_: False), lambda: True)
    assert it.start(1, lambda: 42) == 42
    assert it.why_not == "not known how on a CPU of the kind riscv64"


def test_the_app_of_a_reloader_that_is_gone(tmp_path) -> None:
    """It is ended by the guardian; should it bind before, it is told an error and does not hang."""
    lines = run_program(
        f"""
        {SETUP}
        port = free_port()
        code = '''
        import socket, sys
        sys.stdin.read()
        try: socket.create_server(("127.0.0.1", %d))
        except OSError as e: print(e.errno)
        '''.replace("        ", "") % port
        read, write = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(write)
            os.dup2(read, 0)
            rig = Rig()
            rig.start(*PYTHON, "-c", code, stdout=1)
            os._exit(0)
        os.waitpid(pid, 0)
        os.close(read)
        os.close(write)
        """
    )
    assert lines == ["38"]


def test_who_gives_rights(tmp_path: Path) -> None:
    """A set-uid program of root's counts, the same file without the bit does not."""
    if os.geteuid():
        pytest.skip("needs root")
    sudo = tmp_path / "sudo"
    sudo.touch(0o755)
    assert hold.rights_giver(f"/nowhere::{tmp_path}") is None
    sudo.chmod(0o4755)
    assert hold.rights_giver(f"/nowhere::{tmp_path}") == str(sudo)


def test_the_port_of_a_start_that_never_listens_is_free(rig: Rig) -> None:
    """What is bound and not listened on belongs to the app alone; it ends with it."""
    port = free_port()
    start = rig.python(f"import socket; socket.socket().bind(('127.0.0.1', {port}))")
    assert rig.wait(start) == 0
    assert refused(port)
    assert PYTHON
