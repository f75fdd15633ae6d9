"""O: what the app writes and what reloader says, into pipes, terminals and nothing at all."""

# ruff: noqa: N802 -- each is named as the catalogue names it

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import stat
import threading
import time
from typing import TYPE_CHECKING

from tests.faults import proc
from tests.faults.catalogue import fault
from tests.faults.screen import Screen

if TYPE_CHECKING:
    from tests.faults.rig import Rig


class Reader:
    """Reads a pipe in pieces: how much, and a digest of what is framed by <<< and >>>."""

    def __init__(self, rig: Rig) -> None:
        self.descriptor, self.writer = os.pipe()
        self.digest = hashlib.sha256()
        self.size = 0
        self.framed = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        rig.finally_(self.close)

    def go(self) -> None:
        os.close(self.writer)
        self.writer = -1
        self._thread.start()

    def _read(self) -> None:
        inside, tail = False, b""
        while data := os.read(self.descriptor, 1 << 20):
            self.size += len(data)
            data = tail + data
            if not inside and b"<<<" in data:
                inside, data = True, data.partition(b"<<<")[2]
            if inside and b">>>" in data:
                self.digest.update(data.partition(b">>>")[0])
                self.framed.set()
                inside, data = False, b""
            tail = data[-2:]
            if inside:
                self.digest.update(data[: len(data) - len(tail)])

    def close(self) -> None:
        if self.writer >= 0:
            os.close(self.writer)
        if self._thread.ident:
            self._thread.join(5)
        os.close(self.descriptor)


def framed(rig: Rig, mode: str, expected: bytes) -> None:
    """The app's frame comes through as it was written."""
    reader = Reader(rig)
    rig.edit(mode)
    rig.launch(stdout=reader.writer)
    reader.go()
    assert reader.framed.wait(rig.tool.patience + 5), rig.report()
    assert reader.digest.digest() == hashlib.sha256(expected).digest()


@fault(quick=True)
def fault_O01(rig: Rig) -> None:
    """A flood of output is handed on, and a save in it is a restart as ever."""
    reader = Reader(rig)
    rig.edit("flood")
    rig.launch(stdout=reader.writer)
    reader.go()
    rig.noted("START")
    rig.until(lambda: reader.size > 100_000_000, rig.tool.patience + 5, "100 MB")
    rig.settle()
    before, size = proc.cpu(rig.pid), reader.size
    rig.until(lambda: reader.size - size > 100_000_000, rig.tool.patience + 5, "100 MB more")
    # 0.07 s here; a loop over lines takes 0.7. Processor time, for a share depends on the others.
    assert proc.cpu(rig.pid) - before < 0.3 * (reader.size - size) / 100_000_000
    assert proc.kilobytes(rig.pid, "VmHWM") < 60_000 or not rig.tool.speaks
    rig.converge()


@fault(quick=True)
def fault_O02(rig: Rig) -> None:
    """A prompt without a newline is seen at once."""
    rig.start(mode="prompt")
    rig.until(lambda: "prompt> " in rig.said, 2, "the prompt")


@fault()
def fault_O03(rig: Rig) -> None:
    """A line of 64 MB comes through whole, without our memory growing by it."""
    framed(rig, "long", b"y" * (64 << 20))
    assert proc.kilobytes(rig.pid, "VmHWM") < 60_000


@fault(quick=True)
def fault_O04(rig: Rig) -> None:
    """Whatever bytes the app writes come through exactly."""
    framed(rig, "bytes", random.Random(4).randbytes(1 << 16).replace(b">>>", b"..."))


@fault(quick=True)
def fault_O05(rig: Rig) -> None:
    """At a terminal the app has a terminal."""
    screen = Screen(rig)
    screen.start("kinds")
    assert rig.noted("KINDS")["terminals"] == [True, True, True]


@fault(quick=True)
def fault_O07(rig: Rig) -> None:
    """Standard output and standard error, at one terminal, keep the order they were written in."""
    screen = Screen(rig)
    screen.start("alternate")
    app = rig.noted("READY")["pid"]
    os.kill(rig.pid, signal.SIGSTOP)  # who copies the lines gets to do it later
    os.kill(app, signal.SIGUSR1)
    rig.noted("WRITTEN")
    os.kill(rig.pid, signal.SIGCONT)
    screen.sees(b"e99")
    lines = [x for x in screen.seen.split() if x[:1] in b"oe" and x[1:].isdigit()]
    assert lines == [b"%c%d" % (kind, n) for n in range(100) for kind in b"oe"]


@fault(quick=True)
def fault_O08(rig: Rig) -> None:
    """Started with closed descriptors it works, and the app gets three open ones."""
    rig.start("sh", "-c", 'exec "$@" >&- 2>&-', "sh", mode="kinds")
    kinds = rig.noted("KINDS")["kinds"]
    assert kinds == [stat.S_IFCHR] * 3, kinds
    rig.converge()


@fault(quick=True)
def fault_O09(rig: Rig) -> None:
    """A full disk behind its output is no trouble."""
    with open("/dev/full", "wb", buffering=0) as full:
        rig.start(stdout=full, stderr=full)
        rig.converge()


@fault(quick=True)
def fault_O10(rig: Rig) -> None:
    """When its reader goes away, saves still restart the app, and nothing is orphaned."""
    reader, writer = os.pipe()
    rig.start(mode="flood", stdout=writer, stderr=writer)
    os.close(writer)
    os.close(reader)
    rig.converge()


@fault(quick=True)
def fault_O11(rig: Rig) -> None:
    """While its reader doesn't read, saves still restart the app."""
    reader, writer = os.pipe()
    rig.finally_(lambda: os.close(reader))
    rig.start(mode="flood", stdout=writer, stderr=writer)
    os.close(writer)
    for _ in range(2):
        rig.converge("flood")


@fault("terminal", quick=True, peers=False)
def fault_O20(rig: Rig) -> None:
    """clear_on_rebuild writes no escape sequence where there is no terminal."""
    rig.want.toml = "[screen]\nclear_on_rebuild = true\n"
    rig.start()
    rig.converge()
    rig.told("run ")
    assert "\x1b" not in rig.said


@fault(quick=True)
def fault_O22(rig: Rig) -> None:
    """In an ASCII locale a file name of any bytes is told, escaped, and breaks nothing."""
    rig.env |= {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}
    rig.env |= {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    rig.start()
    odd = os.fsencode(rig.folder) + b"/n\xc3\xa9\xff\x1b[31m.py"
    with open(odd, "wb"):
        pass
    rig.told(r"(change|reloaded) +n")
    rig.converge()
    assert "\x1b[31m.py" not in rig.said


# Window titles, the clipboard, a link; a C1 control; text turned around; a line of its own.
EVIL = (
    "\x1b]0;pwn\x07",
    "\x1b]52;c;cHdu\x07",
    "\x1b]8;;x",
    "\x9b31m",
    "\u202e",
    "\n[ok] fake",
    "\r",
)


@fault("escapes", quick=True)
def fault_X22(rig: Rig) -> None:
    """No name of a file can command a terminal, turn a line around or make one of its own."""
    rig.start()
    for number, part in enumerate(EVIL):
        rig.save(f"x{number}{part}.py", "")
        rig.told(rf"(change|reloaded) +x{number}")
    rig.converge()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", rig.said), rig.report()
    assert "\n[ok]" not in rig.said


@fault(quick=True)
def fault_O23(rig: Rig) -> None:
    """An end of its standard input is no wish to quit, and costs no CPU."""
    rig.start()

    def is_idle() -> bool:
        before = proc.cpu(rig.pid)
        time.sleep(1)  # what is measured
        return proc.cpu(rig.pid) - before <= 0.03

    rig.until(is_idle, what="idle, once what later events need has been imported")
    rig.converge()
