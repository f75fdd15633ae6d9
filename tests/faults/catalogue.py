"""What a fault is, and the list of all."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.rig import Rig

MODULES = (
    "processes",
    "stopping",
    "terminal",
    "builds",
    "output",
    "environment",
    "configs",
    "watching",
)
PID1 = ("unshare", "-Urpf", "--mount-proc", "--kill-child")


@dataclass(frozen=True)
class Fault:
    """`run` provokes it and asserts what must be observed; its docstring is the promise."""

    id: str
    run: Callable[[Rig], None]
    control: str  # what must fail it: "naive", or ours without this guard (weakened.py)
    quick: bool  # is in `make test`
    peers: bool  # asks for nothing that only we have
    needs: tuple[str, ...]  # programs
    broken: str  # why we don't survive it yet; "": we do

    @property
    def promise(self) -> str:
        return " ".join((self.run.__doc__ or "").split())

    @property
    def missing(self) -> str:
        """What it needs and this machine hasn't; "": nothing."""
        if not os.path.exists("/proc/self/stat"):
            return "/proc"
        return next((name for name in self.needs if not is_usable(name)), "")


@cache
def is_usable(program: str) -> bool:
    """Many containers have `unshare` and forbid what it does."""
    if program != "unshare":
        return shutil.which(program) is not None
    try:
        return subprocess.run([*PID1, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


FAULTS: dict[str, Fault] = {}


def fault(
    control: str = "naive",
    *,
    quick: bool = False,
    peers: bool = True,
    needs: tuple[str, ...] = (),
    broken: str = "",
) -> Callable[[Callable[[Rig], None]], Callable[[Rig], None]]:
    """Enters `fault_P04` into the list as P04."""

    def enter(run: Callable[[Rig], None]) -> Callable[[Rig], None]:
        name = run.__name__.removeprefix("fault_")
        FAULTS[name] = Fault(name, run, control, quick, peers, needs, broken)
        return run

    return enter


def all_faults() -> list[Fault]:
    for name in MODULES:
        importlib.import_module(f"tests.faults.{name}")
    return list(FAULTS.values())
