"""`make prove`: every sequence of events within a budget, for each kind of config.

Prints states, transitions and depth; exits with 1, and a script, if anything is found.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed

from tests.prove.explore import Report, explore
from tests.prove.kinds import KINDS, Kind

INVARIANTS = (
    "never two apps, two builds, two candidates, two that serve",
    "Quit once, and only when nothing that was not killed is alive",
    "nothing is pending, wanted or seen for ever while nothing is on show",
    "an app of the last version that was built well runs, or people were told why not",
    "clients go to the one that serves, and wait only while something comes",
    "nothing begins without what it depends on, and nothing ends before what depends on it",
    "no deadline passes without an effect",
    "one that serves is not stopped before the next can answer, if they may overlap",
    "once reloader ends, nothing counts but signals and the end of processes",
)


def one(kind: Kind) -> tuple[Kind, Report]:
    return kind, explore(kind.settings, kind.budget)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="kinds of config; all without")
    parser.add_argument("--jobs", type=int, default=2, help="searches at once")
    options = parser.parse_args()
    kinds = [kind for kind in KINDS if not options.names or kind.name in options.names]
    print("invariants:", *INVARIANTS, sep="\n  ")
    print(f"{'config':16} {'states':>10} {'transitions':>12} {'depth':>6} {'seconds':>8}")
    bad = 0
    with ProcessPoolExecutor(options.jobs) as pool:
        for done in as_completed([pool.submit(one, kind) for kind in kinds]):
            kind, report = done.result()
            end = "closed" if report.closed else report.violation or "NOT CLOSED"
            bad += not report.closed
            print(
                f"{kind.name:16} {report.states:10,} {report.transitions:12,} {report.depth:6} "
                f"{report.seconds:8.1f}  {end}",
                flush=True,
            )
            if report.script:
                print(report.script, flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
