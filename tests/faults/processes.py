"""P: processes that are left behind, can't be started, or crash."""

# ruff: noqa: N802 -- each is named as the catalogue names it

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.faults import proc
from tests.faults.catalogue import PID1, fault
from tests.faults.tools import HERE
from tests.helpers.until import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.faults.rig import Rig

SHEBANG = f"#!{sys.executable} -IS\n"
CGROUPS = Path("/sys/fs/cgroup")


@fault(quick=True, needs=("unshare",))
def fault_P01(rig: Rig) -> None:
    """As a container's first process it leaves no zombie of the orphans that come to it."""
    rig.start(*PID1, mode="orphans")
    rig.until(lambda: len(rig.lines("GONE")) == 20)
    rig.until(lambda: not proc.zombies_below(rig.pid), 2, "no zombies")
    rig.converge()


@fault(quick=True)
def fault_P05(rig: Rig) -> None:
    """A daemon that left session and group is gone before the next version starts, and at exit."""
    rig.start(mode="daemon")
    old = rig.noted("DAEMON")["pid"]
    rig.converge("daemon")
    assert not proc.lives(old)


@fault(quick=True)
def fault_P06(rig: Rig) -> None:
    """What a crashed app leaves in the background is gone before the next version starts."""
    rig.start(mode="bg")
    old = rig.noted("CHILD")["child"]
    rig.converge()
    assert not proc.lives(old)


@fault()
def fault_P07(rig: Rig) -> None:
    """A daemon that holds the port has let go of it: each of five restarts can bind at once."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        rig.env["APP_PORT"] = str(probe.getsockname()[1])
    rig.start(mode="port")
    for _ in range(5):
        rig.until(lambda: rig.lines("BOUND", version=str(rig.version)), what="bound")
        rig.converge("port")
    rig.until(lambda: rig.lines("BOUND", version=str(rig.version)), what="bound")
    assert not rig.lines("TAKEN")


@fault(quick=True)
def fault_P29(rig: Rig) -> None:
    """An app that made itself a daemon ends with the next restart, and with reloader."""
    rig.start(mode="detach")
    old = rig.noted("DAEMON")["pid"]
    rig.converge("detach")
    assert not proc.lives(old)


@fault(quick=True)
def fault_P33(rig: Rig) -> None:
    """A child in a process group of its own ends with the restart, and with reloader."""
    rig.start(mode="group")
    old = rig.noted("CHILD")["child"]
    rig.converge("group")
    assert not proc.lives(old)


@fault(quick=True)
def fault_P30(rig: Rig) -> None:
    """The app's end is noticed at once though a child of it still holds its output."""
    rig.start(mode="held")
    rig.told(r"exit 4")
    rig.converge()


@fault("daemons", peers=False)
def fault_P32(rig: Rig) -> None:
    """The daemon that a good build leaves on purpose (gradle, dmypy) lives on, also after us."""
    rig.want.wants_build()
    rig.start(build="persist")
    daemon = rig.noted("DAEMON", role="build")["pid"]
    rig.finally_(lambda: proc.kill(daemon))
    rig.converge()
    rig.stop()
    assert proc.lives(daemon)


NO_RIGHT_TO_KILL = ("setpriv", "--bounding-set", "-kill", "--inh-caps", "-kill")


def needs_root() -> None:
    if os.getuid():
        pytest.skip("only root can make a process of another user")


def beyond_reach(rig: Rig) -> int:
    """Starts an app that nobody here may signal; its pid."""
    needs_root()
    rig.start(*NO_RIGHT_TO_KILL, mode="turn")
    app = rig.noted("START")["pid"]
    rig.finally_(lambda: proc.kill(app))
    rig.until(lambda: proc.status(app, "Uid") == "12345", what="another user")
    return app


@fault("end of reach", needs=("setpriv",))
def fault_P34(rig: Rig) -> None:
    """A child that became another user, which we may not signal, is told and holds nothing up."""
    needs_root()
    rig.want.grace = 0.3
    rig.start(*NO_RIGHT_TO_KILL, mode="other")
    child = rig.noted("CHILD")["child"]
    rig.finally_(lambda: proc.kill(child))
    rig.converge()
    rig.told(rf"process {child} belongs to another user")
    before = proc.cpu(rig.pid)
    time.sleep(1)  # what is measured
    assert proc.cpu(rig.pid) - before <= 0.03
    assert proc.lives(child)
    assert rig.said.count("another user") <= 1
    proc.kill(child)


@fault("leader beyond reach", needs=("setpriv",))
def fault_P34b(rig: Rig) -> None:
    """An app that became another user, which we may not signal, is told and waited for."""
    rig.want.grace = 0.3
    app = beyond_reach(rig)
    version = rig.edit()
    rig.told(rf"process {app} belongs to another user.*waited for")
    assert len(rig.lines("START")) == 1
    proc.kill(app)
    rig.noted("START", version=version)
    assert rig.said.count("another user") == 1


NO_PROC = 'mount -t tmpfs none /proc && exec "$@"'


@fault("groups", needs=("unshare",), quick=True)
def fault_P35(rig: Rig) -> None:
    """Without /proc that is said, and what stays in the app's process group is still found."""
    rig.start("unshare", "-Urm", "sh", "-c", NO_PROC, "sh", mode="bg")
    old = rig.noted("CHILD")["child"]
    rig.converge()
    assert not proc.lives(old)
    rig.told(r"/proc can't be read")


# --- statuses ------------------------------------------------------------------------------------

# dash ignores `trap '' CHLD` for what it starts.
DEAF_TO_CHILDREN = """import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])"""


@fault(quick=True)
def fault_P11(rig: Rig) -> None:
    """An inherited SIGCHLD=SIG_IGN makes no failed build a success: the app is not replaced."""
    rig.want.wants_build()
    rig.start(sys.executable, "-IS", "-c", DEAF_TO_CHILDREN)
    version = rig.edit(build="exit7")
    rig.noted("START", role="build", version=version)
    rig.told(r"exit 7")
    assert len(rig.lines("START", role="app")) == 1
    rig.converge()


@fault(peers=False)
def fault_P12(rig: Rig) -> None:
    """Each way in which a build can fail is named with its exact code or signal."""
    rig.want.wants_build()
    rig.start()
    for code in (1, 2, 7, 77, 126, 127, 128, 129, 130, 143, 255):
        rig.edit(build=f"exit{code}")
        rig.told(rf"failed: exit {code}\b")
    for number, name in {1: "HUP", 2: "INT", 6: "ABRT", 9: "KILL", 11: "SEGV", 15: "TERM"}.items():
        rig.edit(build=f"kill{number}")
        rig.told(rf"failed: killed by SIG{name}\b")
    assert len(rig.lines("START", role="app")) == 1
    rig.converge()


# --- what can't be started -----------------------------------------------------------------------


@fault(quick=True)
def fault_P14(rig: Rig) -> None:
    """A program that is missing, not executable or no program is named; once it is one, it runs."""
    rig.want.app = ["./server.py"]
    rig.save("app.py", "")
    rig.launch()
    rig.told(r"server\.py.*(no such|not found|not there|missing|does not exist|doesn't exist)")
    rig.settle()
    script = rig.script("app", "plain")
    rig.save("server.py", SHEBANG + script, 0o644)
    rig.told(r"server\.py.*(not executable|permission|may not be|chmod)")
    rig.save("server.py", "#!/nowhere/python\n" + script, 0o755)
    rig.told(r"/nowhere/python")
    rig.save("server.py", "\x7fELF nonsense", 0o755)
    rig.told(r"server\.py.*(another kind of machine|[Ee]xec format)")
    rig.save("server.py", SHEBANG + script, 0o755)
    rig.noted("START")


@fault(needs=("sh",))
def fault_P15(rig: Rig) -> None:
    """When no process can be made that is said, and tried again until there is room."""
    rig.want.grace = 0.5
    group = cgroup(rig, "pids", "pids.max")
    rig.start(*enter(group))
    (group / "pids.max").write_text(str(int((group / "pids.current").read_text()) - 1))
    version = rig.edit()
    rig.noted("SIGTERM")
    rig.told(r"too many processes")
    (group / "pids.max").write_text("max")
    rig.noted("START", version=version)


@fault("close")
def fault_P16(rig: Rig) -> None:
    """With 32 descriptors it restarts as often as one likes: none stays open."""
    rig.want.wants_build()
    rig.start("sh", "-c", 'ulimit -n 32; exec "$@"', "sh")
    rig.converge()
    before = proc.descriptors(rig.pid)
    for _ in range(40):
        rig.converge()
    assert proc.descriptors(rig.pid) == before
    assert "oo many open files" not in rig.said, rig.report()


@fault("threads later", quick=True, peers=False)
def fault_P44(rig: Rig) -> None:
    """Where no thread can be started, saves and builds go on, and what is missing is told."""
    rig.want.tuning = ("no threads",)
    rig.want.wants_build()
    rig.start()
    rig.told(r"no thread can be started", r"output comes without names")
    rig.edit(build="exit1")
    rig.told(r"build +failed")
    rig.converge()


@fault(quick=True)
def fault_P38(rig: Rig) -> None:
    """A program that is still being written (ETXTBSY) is said to be, and run when it is ready."""
    rig.want.app = ["./server.py"]
    rig.save("server.py", SHEBANG + rig.script("app", "plain"), 0o755)
    with (rig.folder / "server.py").open("ab"):
        rig.launch()
        rig.told(r"still being written")
    rig.noted("START")


@fault(peers=False)
def fault_P42(rig: Rig) -> None:
    """Thirty starts that fail leave no descriptor open and no zombie."""
    rig.want.app = ["./server.py"]
    rig.save("app.py", "")
    rig.launch()
    rig.settle()
    for number in range(30):
        rig.save("app.py", f"# {number}")
        rig.until(lambda n=number: rig.said.count("waiting for file changes") > n, what="told")
        if number == 2:
            before = proc.descriptors(rig.pid)
    assert proc.descriptors(rig.pid) == before
    assert "oo many open files" not in rig.said, rig.report()


@fault("no fork", peers=False)
def fault_P41(rig: Rig) -> None:
    """With 200 MB in use and 64 GB of address space a start costs no more: nothing is copied."""
    rig.start(sys.executable, str(HERE / "heavy.py"))
    assert rig.process
    pid = rig.process.pid
    assert proc.kilobytes(pid) > 200_000
    rig.converge()
    before = proc.cpu_exactly(pid)
    for _ in range(20):
        rig.converge()
    assert (proc.cpu_exactly(pid) - before) / 20 < 0.006


# --- crashes -------------------------------------------------------------------------------------


@fault("no rerun", quick=True)
def fault_P18(rig: Rig) -> None:
    """An app that crashes is told, not run again before a save; the wait costs no CPU."""
    rig.start(mode="crash")
    rig.told(r"exit 3")
    time.sleep(0.5)  # the start is over
    before = proc.cpu(rig.pid)
    time.sleep(1)  # what is measured
    assert proc.cpu(rig.pid) - before <= 0.03
    assert len(rig.lines("START")) == 1
    rig.converge()


@fault(peers=False)
def fault_P19(rig: Rig) -> None:
    """With rerun, a crash loop slows down: 1, 2, 4 … 30 s; a save starts at once and resets it."""
    rig.want.rerun = True
    rig.start(mode="crash")
    rig.told(r"restarting in 1s", r"restarting in 2s", r"restarting in 4s")
    assert len(rig.lines("START")) <= 4
    said = len(rig.said)
    rig.converge("crash", within=3)
    rig.until(lambda: "restarting in 0s" in rig.said[said:], what="reset")


@fault()
def fault_P27(rig: Rig) -> None:
    """An app out of memory is said to be that; reloader lives, and the next save works."""
    group = cgroup(rig, "memory", "memory.oom_control")
    (group / "memory.limit_in_bytes").write_text("100M")
    rig.start(*enter(group), mode="oom")
    rig.told(r"(?i)out of memory|oom")
    rig.converge()


def cgroup(rig: Rig, controller: str, file: str) -> Path:
    """A fresh group with this controller (cgroup v1, or v2 where it is delegated)."""
    for top in (CGROUPS / controller, CGROUPS):
        group = top / f"faults-{rig.cookie.value[:8]}"
        try:
            group.mkdir()
        except OSError:
            continue
        rig.finally_(lambda it=group: until(lambda: remove(it)))
        if (group / file).exists():
            return group
    pytest.skip(f"no writable cgroup with {controller} here")


def remove(group: Path) -> bool:
    try:
        group.rmdir()
    except OSError:
        return False
    return True


def enter(group: Path) -> Iterator[str]:
    yield from ("sh", "-c", 'echo $$ > "$0"/cgroup.procs; exec "$@"', str(group))
