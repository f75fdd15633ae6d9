"""P: signals, and how reloader comes to its end."""

# ruff: noqa: N802 -- each is named as the catalogue names it

from __future__ import annotations

import contextlib
import os
import random
import shlex
import signal
import sys
import time
from typing import TYPE_CHECKING

from tests.faults import proc
from tests.faults.catalogue import PID1, fault
from tests.faults.screen import CTRL_C, Screen

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
    rig.stop(within=9.5)


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
