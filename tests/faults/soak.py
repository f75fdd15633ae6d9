"""`make soak`: a thousand restarts and a storm of signals; what may grow in a long day must not.

    python -m tests.faults.soak [--restarts N] [--signals N]

Descriptors, threads and zombies stay flat, memory drifts by less than 5 MB. One line for each run.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.faults import proc
from tests.faults.rig import Rig
from tests.faults.tools import reloader

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_DRIFT = 5_000  # kB
HARMLESS = (signal.SIGWINCH, signal.SIGCHLD, signal.SIGCONT)


@dataclass(frozen=True)
class Sample:
    descriptors: int
    threads: int
    zombies: int
    kilobytes: int

    @classmethod
    def of(cls, pid: int) -> Sample:
        zombies = len(proc.zombies_below(pid))
        return cls(proc.descriptors(pid), proc.threads(pid), zombies, proc.kilobytes(pid))


def restarts(rig: Rig, number: int) -> None:
    """Each with a daemon to be found and ended, every tenth with a crash in between."""
    for turn in range(number):
        if turn % 10 == 9:
            rig.converge("crash")
        if turn % 5 == 4:
            time.sleep(0.8)  # whoever saves in one rhythm with the starts is taken for the app
        rig.converge("daemon")
        rig.log.unlink()


def signals(rig: Rig, number: int) -> None:
    """Random signals at random moments of restarts, none of which asks for the end."""
    chance = random.Random(number)
    for turn in range(number):
        if turn % 20 == 0:
            version = rig.edit()
        rig.send(chance.choice(HARMLESS))
        time.sleep(chance.random() * 0.005)  # the moment is the storm
        if turn % 20 == 19:
            rig.noted("START", version=version)


def soak(name: str, work: Callable[[Rig, int], None], number: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        rig = Rig(reloader(), Path(folder))
        try:
            rig.start()
            work(rig, 40)  # what is loaded and cached once
            before = quiet(rig)
            since = time.monotonic()
            work(rig, number)
            after, seconds = quiet(rig), time.monotonic() - since
            rig.judge()
        finally:
            rig.close()
    drift = after.kilobytes - before.kilobytes
    flat = (before.descriptors, before.threads, 0) == (
        after.descriptors,
        after.threads,
        after.zombies,
    )
    good = flat and drift < MOST_DRIFT
    print(
        f"soak {'ok' if good else 'FAILED'}: {number:,} {name} in {seconds:.0f} s · "
        f"descriptors {before.descriptors} → {after.descriptors} · "
        f"threads {before.threads} → {after.threads} · zombies {after.zombies} · "
        f"memory {before.kilobytes / 1000:.1f} → {after.kilobytes / 1000:.1f} MB",
        flush=True,
    )
    return good


def quiet(rig: Rig) -> Sample:
    """When the last restart is over, and nothing is under way."""
    rig.converge()
    rig.until(lambda: not proc.zombies_below(rig.pid), what="no zombies")
    return Sample.of(rig.pid)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--restarts", type=int, default=1000)
    parser.add_argument("--signals", type=int, default=5000)
    args = parser.parse_args()
    runs = [
        soak("restarts", restarts, args.restarts),
        soak("random signals", signals, args.signals),
    ]
    return 0 if all(runs) else 1


if __name__ == "__main__":
    sys.exit(main())
