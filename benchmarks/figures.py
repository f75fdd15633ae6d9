"""Figures and how they are printed."""

from __future__ import annotations

import math
import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def number(value: float) -> str:
    """Three digits that count."""
    if value >= 100 or value == 0:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown: the first column is text, the others are figures."""
    lines = [list(head), *map(list, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def row(cells: Sequence[str]) -> str:
        figures = (c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))
        return " | ".join([cells[0].ljust(widths[0]), *figures])

    return "\n".join(f"| {row(cells)} |" for cells in (lines[0], rule, *lines[1:]))


def conditions() -> str:
    """Where and when figures were taken, in one line; call it before they are."""
    machine = f"{platform.system()} {platform.release()}, {os.cpu_count()} CPUs"
    load = f"load {os.getloadavg()[0]:.1f} before"
    day = time.strftime("%Y-%m-%d")
    return f"*{machine}, Python {platform.python_version()}, {day}, {load}.*"


@dataclass(frozen=True)
class Usage:
    """What some processes have used so far."""

    switches: int = 0  # how often they were taken off a CPU: each wake-up ends with one
    cpu_ns: int = 0
    rss_kib: int = 0

    @classmethod
    def of(cls, pids: Iterable[int]) -> Usage:
        switches = cpu = rss = 0
        for pid in pids:
            try:
                for task in Path(f"/proc/{pid}/task").iterdir():
                    status = _fields(task / "status")
                    switches += int(status["voluntary_ctxt_switches"])
                    switches += int(status["nonvoluntary_ctxt_switches"])
                    cpu += int((task / "schedstat").read_text().split()[0])
                rss += int(_fields(Path(f"/proc/{pid}/status"))["VmRSS"].split()[0])
            except (OSError, KeyError):
                continue  # it ended while we looked
        return cls(switches, cpu, rss)


def _fields(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)
