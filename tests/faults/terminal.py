"""O: the terminal that the app, reloader and a shell share."""

# ruff: noqa: N802 -- each is named as the catalogue names it

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.faults import proc
from tests.faults.catalogue import fault
from tests.faults.screen import CTRL_Z, Screen

if TYPE_CHECKING:
    from tests.faults.rig import Rig


@fault("suspend", quick=True, peers=False)
def fault_O15(rig: Rig) -> None:
    """Ctrl-Z stops both, fg and bg bring both back; in the background a save restarts the app."""
    screen = Screen(rig)
    screen.start_in_shell("plain")
    for back in ("fg", "bg"):
        both = (rig.pid, rig.lines("START")[-1]["pid"])
        screen.type(CTRL_Z)
        rig.until(lambda both=both: all(map(proc.stands, both)), what="both stand")
        assert screen.is_as_before
        screen.tell_shell(back)
        rig.until(lambda both=both: not any(map(proc.stands, both)), what=f"{back}: both go on")
        rig.converge()
    assert not proc.stands(rig.pid)
    assert screen.is_as_before


@fault("guardian's modes", quick=True, peers=False)
def fault_O16b(rig: Rig) -> None:
    """Killed by SIGKILL while it reads keys, it leaves the terminal as it was."""
    screen = Screen(rig)
    screen.start("plain")
    rig.until(lambda: not screen.is_as_before, what="keys are read")
    rig.send(signal.SIGKILL)
    rig.until(lambda: screen.is_as_before, 4, "the modes as they were")
    rig.until(lambda: not rig.cookie.alive(), 4, "nothing left alive")


@fault("forward", quick=True, peers=False)
def fault_O17(rig: Rig) -> None:
    """A new size of the window reaches an app that reads, and one that doesn't."""
    for number, mode in enumerate(("size", "size-read")):
        screen = Screen(rig)
        screen.start(mode)
        if mode == "size-read":
            rig.until(lambda screen=screen: screen.foreground != rig.pid, what="the app has it")
        screen.resize(40, 100 + number)
        rig.noted("SIZE", size=[100 + number, 40])
        rig.stop()


@fault("flush", quick=True, peers=False)
def fault_O19(rig: Rig) -> None:
    """What is typed while the app restarts is for the new one; no shell ever executes it."""
    screen = Screen(rig)
    screen.start_in_shell("slow-stdin")
    screen.sees(b"name? ")
    rig.until(lambda: screen.foreground != rig.pid, what="the app has it")
    version = rig.edit("slow-stdin")
    rig.noted("SIGTERM")
    screen.type(b"rq\n")  # it is still working
    assert rig.noted("READ")["line"] == "rq"
    assert rig.noted("READ")["version"] == version
    screen.type(b"rm -rf x\n")
    rig.until(lambda: screen.waiting == 9, what="the line waits for somebody to read it")
    rig.stop()
    assert screen.shell_found() == 0


@fault("start line", quick=True, peers=False)
def fault_O21(rig: Rig) -> None:
    """A line of ours begins at the left, though the app left the cursor in the middle of one."""
    screen = Screen(rig)
    screen.start("dots")
    rig.noted("DOTS")
    screen.sees(b"watching")
    rig.converge("dots")
    screen.sees(b"reloaded")
    lines = screen.seen.replace(b"\n\r", b"\n").replace(b"\r\n", b"\n").split(b"\n")
    assert b"..." in lines
    assert [x for x in lines if x.startswith(b"...") and x != b"..."] == []
