"""P: signals, and how reloader comes to its end."""

# ruff: noqa: N802 -- each is named as the catalogue names it

from __future__ import annotations

import contextlib
import os
import random
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.faults import proc
from tests.faults.catalogue import PID1, fault
from tests.faults.processes import beyond_reach, cgroup, enter
from tests.faults.screen import CTRL_C, Screen
from tests.faults.tools import HERE

if TYPE_CHECKING:
    from tests.faults.rig import Rig


@fault(needs=("unshare",), quick=True)
def fault_P02(rig: Rig) -> None:
    """As PID 1 a SIGTERM that comes while it is still being imported is not lost."""
    rig.edit()
    for _ in range(4):
        rig.launch(*PID1)
        rig.until(lambda: is_importing(rig.pid), what="imports")
        rig.send(signal.SIGTERM)
        rig.ended()


def is_importing(pid: int) -> bool:
    """The interpreter has started, and the program is loading what it needs."""
    maps = proc.read(pid, "maps")
    return b"/select." in maps or b"/_socket." in maps or proc.takes(pid, signal.SIGTERM)


@fault("grace", quick=True)
def fault_P03(rig: Rig) -> None:
    """Asked to end, it lets the app finish its work of a second first."""
    rig.start(mode="slow")
    rig.stop(signal.SIGTERM)
    assert rig.lines("END")


@fault(quick=True)
def fault_P04(rig: Rig) -> None:
    """An app that ignores every signal is killed when its time is over; the new version runs."""
    rig.want.grace = 0.3
    rig.start(mode="ignore")
    old = rig.lines("START")[0]["pid"]
    rig.converge("ignore", within=max(5, rig.tool.patience / 4))
    assert not proc.lives(old)


@fault(quick=True)
def fault_P09(rig: Rig) -> None:
    """Killed by SIGKILL, it takes the whole tree of the app with it."""
    rig.start(mode="daemon")
    rig.noted("DAEMON")
    rig.send(signal.SIGKILL)
    rig.until(lambda: not rig.cookie.alive(), 4, "nothing left alive")


@fault("wait")
def fault_P20(rig: Rig) -> None:
    """A SIGTERM at any moment of a restart leaves nothing behind."""
    for number in range(6):
        rig.start(mode="daemon")
        rig.edit("daemon")
        rig.until(lambda: rig.lines("SIGTERM"), what="restart has begun")
        time.sleep(number * 0.004)  # the moment is the fault
        rig.stop(signal.SIGTERM)
        rig.log.unlink()


@fault(quick=True)
def fault_P21(rig: Rig) -> None:
    """A SIGTERM during a build ends the build with all that it has started."""
    rig.want.wants_build()
    rig.edit(build="hang")
    rig.launch()
    rig.noted("DAEMON")
    rig.stop(signal.SIGTERM, within=5)


@fault(quick=True)
def fault_P22(rig: Rig) -> None:
    """Two hundred random signals that ask for nothing change nothing; then one end, in order."""
    chance = random.Random(22)
    rig.start(mode="slow")
    for _ in range(200):
        rig.send(chance.choice((signal.SIGUSR1, signal.SIGWINCH, signal.SIGCHLD, signal.SIGCONT)))
    rig.noted("SIGUSR1")
    rig.stop()
    assert len(rig.lines("START")) == 1
    assert len(rig.lines("END")) == 1


@fault(quick=True)
def fault_P22b(rig: Rig) -> None:
    """Any storm of signals with requests to end in it ends in bounded time, with nothing left."""
    chance = random.Random(22)
    asks = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD)
    rig.start(mode="daemon")
    rig.noted("DAEMON")
    pid = rig.pid
    for _ in range(200):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, chance.choice(asks))
    rig.ended(within=5)


@fault(quick=True)
def fault_P23(rig: Rig) -> None:
    """The second Ctrl-C kills an app that hangs, at once."""
    rig.want.grace = 60
    rig.start(mode="ignore")
    rig.send(signal.SIGINT)
    rig.until(lambda: len(rig.lines()) > 1, what="the app is asked")
    time.sleep(0.05)  # no person is quicker; two within 5 ms are one Ctrl-C that came twice
    rig.send(signal.SIGINT)
    rig.ended(within=3)


@fault("third", needs=("setpriv",), peers=False)
def fault_P23b(rig: Rig) -> None:
    """The third Ctrl-C ends reloader at once, whatever can't be killed; that is named."""
    rig.want.grace = 60
    app = beyond_reach(rig)
    process = rig.process
    assert process
    for said in ("quit", "belongs to another user"):
        rig.send(signal.SIGINT)
        rig.told(said)
        time.sleep(0.05)  # no person is quicker
    rig.send(signal.SIGINT)
    rig.until(lambda: process.poll() is not None, 1, "its end")
    rig.told(rf"still alive after SIGKILL: {app}")
    proc.kill(app)


@fault(quick=True)
def fault_P24(rig: Rig) -> None:
    """When its terminal is closed, everything is gone in time, though the app ignores that."""
    rig.want.grace = 0.5
    screen = Screen(rig)
    screen.start("ignore")
    screen.close()
    rig.ended(within=5)


@fault(needs=("unshare",), quick=True)
def fault_P25(rig: Rig) -> None:
    """A container's STOPSIGNAL may be SIGQUIT or SIGINT: the app finishes its work."""
    for number in (signal.SIGQUIT, signal.SIGINT):
        rig.start(*PID1, mode="slow")
        rig.stop(number)
        assert rig.lines("END", version=str(rig.version))


@fault("exit within", needs=("unshare",))
def fault_P26(rig: Rig) -> None:
    """As PID 1 it ends within ten seconds, whatever the app's grace: docker need not kill it."""
    rig.want.grace = 30
    rig.start(*PID1, mode="ignore")
    rig.told(r"8 s to stop, not 30")
    rig.stop(within=9.5)


BUG = """from reloader.core import changes
def record_changes(*_):
    raise RuntimeError("a bug")
changes.record_changes = record_changes
"""


@fault("last kill", quick=True, peers=False)
def fault_P43(rig: Rig) -> None:
    """A bug of ours is a sentence and status 70; app and terminal are cleaned up after."""
    tools = rig.folder.parent / "tools"
    tools.mkdir()
    (tools / "sitecustomize.py").write_text(BUG)
    rig.env |= {"PYTHONPATH": str(tools), "TMPDIR": str(tools)}
    screen = Screen(rig)
    screen.start("raw")
    rig.noted("RAW")
    rig.edit()
    rig.ended(statuses=(70,))
    assert screen.is_as_before
    (log,) = tools.glob("reloader-*.log")
    rig.told(rf"please report it with {log}")
    assert "a bug" in log.read_text()


def send_all(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


@fault("skipped time")
def fault_P40(rig: Rig) -> None:
    """A pause of everything takes no time away from the app, and a save in it is not lost."""
    rig.want.grace = 1.5
    rig.start(mode="patient")
    rig.edit("patient")
    rig.noted("SIGTERM")
    family = proc.line_of_descent(rig.pid)  # as `docker pause` does it: all of them
    rig.finally_(lambda: send_all(family, signal.SIGCONT))
    send_all(family, signal.SIGSTOP)
    time.sleep(3)  # twice the app's time
    version = rig.edit()
    send_all(family, signal.SIGCONT)
    rig.noted("START", version=version)
    assert rig.lines("END", version="1"), rig.report()


@fault("grace")
def fault_P39(rig: Rig) -> None:
    """With a tenth of a processor it still converges, and lets the app finish its work."""
    group = cgroup(rig, "cpu", "cpu.cfs_quota_us")
    (group / "cpu.cfs_quota_us").write_text("10000")
    rig.edit("slow")
    rig.launch(*enter(group))
    rig.noted("START", within=30)
    rig.converge("slow", within=30)
    assert rig.lines("END", version="1")


@fault("monotonic clock", needs=("cc",), peers=False)
def fault_P28(rig: Rig) -> None:
    """Jumps of the clock on the wall, by an hour, change no time that is waited."""
    library, shift = rig.folder.parent / "wall_clock.so", rig.folder.parent / "shift"
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-O1", "-o", library, HERE / "wall_clock.c"], check=True
    )

    def jump(seconds: int) -> None:
        with open(shift, "r+b") as file:
            file.write(seconds.to_bytes(8, sys.byteorder, signed=True))

    shift.write_bytes(bytes(8))
    rig.env |= {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(shift)}
    rig.want.toml = "delay = 300\n"
    rig.start(mode="slow")
    version = rig.edit("slow")
    rig.noted("SIGTERM", version="1")
    jump(3600)  # the app is at work on its end
    rig.noted("START", version=version)
    assert rig.lines("END", version="1")
    version = rig.edit()
    time.sleep(0.1)  # the save is seen, and not yet acted on
    jump(-3600)
    rig.noted("START", version=version, within=5)


@fault(needs=("tini",), quick=True)
def fault_P37(rig: Rig) -> None:
    """Under an init that signals the whole group, the app is asked to end once."""
    rig.start("tini", "-g", "-s", "--", mode="slow")
    assert rig.process
    supervisor = rig.pid
    os.kill(supervisor, signal.SIGSTOP)
    rig.until(lambda: proc.stands(supervisor), what="it stands")
    os.kill(rig.process.pid, signal.SIGTERM)
    rig.until(lambda: proc.pends(supervisor, signal.SIGTERM), what="tini has passed it on")
    time.sleep(0.2)  # an app that got it as well notes that now
    os.kill(supervisor, signal.SIGCONT)
    rig.ended(statuses=(0, 143))
    assert len(rig.lines("SIGTERM")) == 1
    assert rig.lines("END")


@fault("grace", peers=False)
def fault_P37b(rig: Rig) -> None:
    """Nested in itself, the app is asked to end once, and finishes its work."""
    line = shlex.join(rig.want.app)
    rig.want.toml = 'stop_signal = "SIGINT"\n'  # two SIGTERM at once would look like one
    inner = ["--build.stop_signal", "SIGTERM", "--build.full_bin", line]
    rig.want.app = [sys.executable, "-m", "reloader", "run", *inner]
    rig.start(mode="slow")
    rig.stop()
    assert [x["what"] for x in rig.lines()] == ["START", "SIGTERM", "END"]


@fault(quick=True)
def fault_O12(rig: Rig) -> None:
    """Ctrl-C at a terminal reaches the app once, and it finishes its work."""
    screen = Screen(rig)
    screen.start("slow")
    screen.type(CTRL_C)
    rig.ended()
    asked = [x["what"] for x in rig.lines() if x["what"].startswith("SIG")]
    assert len(asked) == 1, asked
    assert rig.lines("END")


@fault(quick=True)
def fault_O13(rig: Rig) -> None:
    """An app may read what is typed."""
    screen = Screen(rig)
    screen.start("stdin")
    screen.sees(b"name? ")
    screen.type(b"Ada\n")
    assert rig.noted("READ")["line"] == "Ada"


@fault()
def fault_O14(rig: Rig) -> None:
    """breakpoint() works, and Ctrl-C in the debugger stays there."""
    screen = Screen(rig)
    screen.start("pdb")
    screen.sees(b"(Pdb)")
    screen.type(b"p word\n")
    screen.sees(b"'sesame'")
    screen.type(CTRL_C)
    screen.sees(b"--KeyboardInterrupt--")
    time.sleep(0.5)  # a person reads that before they type on
    screen.type(b"c\n")
    rig.noted("RESUMED")
    rig.converge()


@fault(quick=True)
def fault_O16(rig: Rig) -> None:
    """A program in raw mode that a restart kills leaves the terminal as it was."""
    rig.want.grace = 0.3
    screen = Screen(rig)
    screen.start("raw")
    rig.noted("RAW")
    rig.converge()
    rig.until(lambda: screen.is_as_before, what="sane modes")
    rig.stop()
    assert screen.is_as_before
