"""Every fault of the catalogue, and its negative control: see catalogue.py and docs/reliability.md.

`make faults` runs all; `make test` a quick part, without the controls: those wait in vain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.catalogue import Fault, all_faults
from tests.faults.rig import Rig
from tests.faults.tools import control, reloader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.tools import Tool

ALL = all_faults()


def play(fault: Fault, tool: Tool, folder: Path) -> None:
    """The fault, what must be observed, and what must hold after every fault."""
    if fault.missing:
        pytest.skip(f"no {fault.missing} here")
    rig = Rig(tool, folder)
    try:
        fault.run(rig)
        rig.judge()
    finally:
        rig.close()


def survivor(fault: Fault) -> object:
    marks = [pytest.mark.quick] if fault.quick and not fault.broken else []
    if fault.broken:
        marks.append(pytest.mark.xfail(reason=fault.broken, strict=True))
    return pytest.param(fault, id=fault.id, marks=marks)


@pytest.mark.faults
@pytest.mark.parametrize("fault", [survivor(f) for f in ALL])
def test_survives(fault: Fault, tmp_path: Path) -> None:
    """What the fault's docstring promises is true of reloader."""
    play(fault, reloader(), tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("fault", [pytest.param(f, id=f.id) for f in ALL if not f.broken])
def test_control_bites(fault: Fault, tmp_path: Path) -> None:
    """A naive reloader, or ours with the guarding line switched off, does not survive it."""
    with pytest.raises((AssertionError, OSError)):
        play(fault, control(fault.control), tmp_path)


def no_fault(rig: Rig) -> None:
    rig.want.wants_build()
    rig.start()
    for _ in range(2):
        rig.converge()


NO_FAULT = Fault("none", no_fault, "", True, True, (), "")


@pytest.mark.faults
@pytest.mark.quick
@pytest.mark.parametrize("name", ["naive", "naive, events", "naive, times"])
def test_the_naive_one_works(name: str, tmp_path: Path) -> None:
    """Without a fault the naive one passes: so a fault is what it fails by."""
    play(NO_FAULT, control(name), tmp_path)


@pytest.mark.faults
@pytest.mark.parametrize("name", sorted({f.control for f in ALL} - {"naive"}))
def test_the_weakened_one_works(name: str, tmp_path: Path) -> None:
    """So does ours without a guard: it fails a fault for want of that guard, and starts at all."""
    play(NO_FAULT, control(name), tmp_path)
