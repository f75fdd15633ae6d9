"""`make wait-check`: random saves with random builds, each followed by a wait that is checked.

    python -m tests.waits --count 10000 --runs 4 --seed 7

Several runs of reloader at once, each with a project of its own. Every answer is held against what
runs: the server is asked which version it is. Exit status 0 if none was wrong.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.waits.session import Session, Wrong


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=10_000, help="saves in all")
    parser.add_argument("--runs", type=int, default=4, help="runs of reloader at once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after that time")
    given = parser.parse_args()
    told: Counter[str] = Counter()
    wrong: list[str] = []
    began = time.monotonic()
    ends = began + given.minutes * 60 if given.minutes else float("inf")

    def play(number: int) -> None:
        with tempfile.TemporaryDirectory(prefix="waits-") as folder:
            session = Session(Path(folder), given.seed * 1000 + number)
            try:
                for _ in range(given.count // given.runs):
                    if time.monotonic() > ends:
                        return
                    told.update([session.turn()])
            except Wrong as error:
                wrong.append(f"seed {given.seed}, run {number}: {error}\n{session.report()}")
            finally:
                session.close()

    threads = [threading.Thread(target=play, args=(number,)) for number in range(given.runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - began
    print("\n\n".join(wrong))
    print(f"waits {told.total()}: {len(wrong)} wrong, in {seconds:.0f} s: {dict(told)}")
    return 1 if wrong or not told else 0


if __name__ == "__main__":
    sys.exit(main())
