"""From a save to the new process, and what waiting for the save costs. `make bench`

All tools run side by side, each in its own copy of a small project, and are measured in turns, so
that whatever else the machine does falls on all of them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import Usage, median, number, p95, table
from benchmarks.stage import Stage, end_tidily, make_app
from benchmarks.tools import FLOOR, TOOLS, Tool

if TYPE_CHECKING:
    from collections.abc import Sequence

REST = 0.15  # after each try, for what a tool does when the app is up already
NO_TOOL = "python -c pass, start to end"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def chosen(names: Sequence[str]) -> list[Tool]:
    """The tools asked for that are here; what is missing is said, with how to get it."""
    wanted = [t for t in TOOLS if not names or t is FLOOR or any(n in t.name for n in names)]
    for tool in wanted:
        if not tool.program:
            say(f"LEFT OUT: {tool.name} is not here. To have it: {tool.install}")
    return [tool for tool in wanted if tool.program]


def measure_saves(stages: list[Stage], tries: int) -> str:
    """Round-robin: one save for each tool, then the next round."""
    times: dict[str, list[float]] = {stage.tool.name: [] for stage in stages}
    starts = dict.fromkeys(times, 0)
    for _ in range(tries):
        for stage in stages:
            name = stage.tool.name
            stage.stamps(within=0)
            saved = stage.save()
            times[name].append((stage.stamp().at - saved) / 1e6)
            time.sleep(REST)
            starts[name] += 1 + len(stage.stamps(within=0))
    floor = median(times[FLOOR.name])
    rows = [
        [
            name,
            number(median(values)),
            number(p95(values)),
            f"{median(values) / floor:.1f} x",
            f"{starts[name] / tries:.2f}",
        ]
        for name, values in sorted(times.items(), key=lambda item: median(item[1]))
    ]
    return table(
        ["save → new process", "median ms", "p95 ms", "to the floor", "starts a save"], rows
    )


def measure_idle(stages: list[Stage], seconds: float) -> str:
    """Nothing changes; what do the tools do? Without the app, which only waits."""
    time.sleep(2)  # what the last save has set off comes to its end
    pids = [stage.pids() for stage in stages]
    before = [Usage.of(them) for them in pids]
    time.sleep(seconds)
    after = [Usage.of(them) for them in pids]
    rows = [
        [
            stage.tool.name,
            f"{(late.switches - early.switches) / seconds:.1f}",
            f"{(late.cpu_ns - early.cpu_ns) / seconds / 1e7:.3f}",
            f"{late.rss_kib / 1024:.1f}",
        ]
        for stage, early, late in zip(stages, before, after, strict=True)
    ]
    return table(["idle", "wake-ups/s", "CPU %", "resident MiB"], rows)


def measure_starts(stages: list[Stage], tries: int) -> str:
    """Round-robin again: from the tool's start to the app's first instruction."""
    times: dict[str, list[float]] = {NO_TOOL: []} | {stage.tool.name: [] for stage in stages}
    for _ in range(tries):
        begun = time.monotonic_ns()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        times[NO_TOOL].append((time.monotonic_ns() - begun) / 1e6)
        for stage in stages:
            times[stage.tool.name].append(stage.start())
            stage.stop()
    rows = [
        [name, number(median(values)), number(p95(values))]
        for name, values in sorted(times.items(), key=lambda item: median(item[1]))
    ]
    return table(["start → app", "median ms", "p95 ms"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    parser.add_argument("tools", nargs="*", help="parts of names; all if none")
    parser.add_argument("-n", "--tries", type=int, default=20)
    parser.add_argument("--idle", type=float, default=10.0, metavar="SECONDS")
    options = parser.parse_args()
    end_tidily()
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        app = make_app(top)
        stages = [Stage(tool, top, app) for tool in chosen(options.tools)]
        for stage in stages:
            stack.callback(stage.close)
        say("starts …")
        starts = measure_starts(stages, options.tries)
        for stage in stages:
            stage.start()
        for stage in stages:
            say(f"{stage.tool.name}: does it watch?")
            stage.wait_until_it_watches()
        say("saves …")
        saves = measure_saves(stages, options.tries)
        say("idle …")
        idle = measure_idle(stages, options.idle)
    print(f"{saves}\n\n{starts}\n\n{idle}")


if __name__ == "__main__":
    main()
