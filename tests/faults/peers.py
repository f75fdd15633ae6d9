"""The same faults, played to the other reloaders that are on the PATH: who survives what.

    python -m tests.faults.peers [--markdown] [ID …]

A peer is judged by what it does; what it says is not asked for. What only reloader has (rules,
rerun, its own words) is n/a for the others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.faults.catalogue import Fault, all_faults
from tests.faults.rig import Rig
from tests.faults.tools import NAIVE, PEERS, Tool, reloader

YES, NO, SKIPPED = "yes", "**no**", "n/a"
AT_ONCE = 3
TOTAL = "survived"


def survives(tool: Tool, fault: Fault) -> str:
    if fault.missing or not (fault.peers or tool.name == "reloader"):
        return SKIPPED
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        rig = Rig(tool, Path(folder))
        try:
            fault.run(rig)
            rig.judge()
        except pytest.skip.Exception:
            return SKIPPED
        except (AssertionError, OSError, ValueError):
            return NO
        finally:
            rig.close()
    return YES


def works(tool: Tool) -> bool:
    """A peer that does not even reload a plain app here would be judged unfairly."""

    def no_fault(rig: Rig) -> None:
        rig.start()
        rig.converge()
        rig.stop()

    return survives(tool, Fault("none", no_fault, "", True, True, (), "")) == YES


def play(tools: list[Tool], faults: list[Fault]) -> dict[tuple[str, str], str]:
    done: dict[tuple[str, str], str] = {}
    lock = threading.Lock()

    def one(pair: tuple[Tool, Fault]) -> None:
        tool, fault = pair
        result = survives(tool, fault)
        with lock:
            done[tool.name, fault.id] = result
            print(f"{len(done)}: {tool.name} {fault.id} {result}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, [(tool, fault) for fault in faults for tool in tools]))
    return done


def table(tools: list[Tool], faults: list[Fault], done: dict[tuple[str, str], str]) -> str:
    rows = [["test", "what is true", *(tool.name for tool in tools)]]
    rows += [["---"] * len(rows[0])]
    for fault in faults:
        rows.append([fault.id, fault.promise, *(done[tool.name, fault.id] for tool in tools)])
    totals = []
    for tool in tools:
        results = [done[tool.name, fault.id] for fault in faults]
        played = len(results) - results.count(SKIPPED)
        totals.append(f"{results.count(YES)}/{played}")
    rows.append(["", TOTAL, *totals])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", action="store_true", help="the table of docs/reliability.md")
    parser.add_argument("ids", nargs="*", metavar="ID", help="only these faults")
    args = parser.parse_args()
    found = [tool for tool in (*PEERS, NAIVE) if tool.is_here and works(tool)]
    tools = [reloader(), *found]
    for tool in PEERS:
        if tool not in found:
            print(f"left out: {tool.name} is not here, or reloads nothing here", file=sys.stderr)
    # Those of watching have a table of their own, and would take an hour here.
    faults = [f for f in all_faults() if f.id in args.ids or not (args.ids or f.id[0] == "W")]
    done = play(tools, faults)
    if args.markdown:
        print(table(tools, faults, done))
        return 0
    for fault in faults:
        print(fault.id, *(f"{t.name}:{done[t.name, fault.id].strip('*')}" for t in tools), sep="  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
