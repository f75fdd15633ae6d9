"""`make chaos`: random sessions until the time is over.

    python -m tests.chaos [--minutes M] [--seed N] [--once] [--poll] [--apps N] [--weakened]

Sessions take turns: inotify and polling, one app and three. A seed that fails prints the command
that repeats it, and leaves its trace, its log and the output. With `--weakened` the reloader is one
that loses each fifth batch of changes (`forgetful.py`): it must be found out.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.session import Session, Violation

FORGETFUL = Path(__file__).with_name("forgetful.py")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # cleans up
    options = _options()
    command = [sys.executable, "-m", "reloader"]
    if options.weakened:
        command = [sys.executable, str(FORGETFUL)]
    until, seed, failed = time.monotonic() + 60 * options.minutes, options.seed, []
    sessions = saves = checks = 0
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    while True:
        turn = seed % 4
        polls = options.poll if options.once else turn in {1, 3}
        apps = options.apps if options.once else 3 if turn in {2, 3} else 1
        place = folder / str(seed)
        place.mkdir()
        session = Session(seed, place, command, polls=polls, apps=apps)
        if options.weakened:
            session.patience = 10.0
        try:
            session.run()
        except Violation as violation:
            failed.append(seed)
            (place / "trace").write_text("\n".join([*session.trace, str(violation), ""]))
            again = f"python -m tests.chaos --once --seed {seed} --apps {apps}"
            print(f"seed {seed}: {violation}\n  {place}\n  {again}{' --poll' * polls}", flush=True)
        sessions, saves, checks = sessions + 1, saves + session.saves, checks + session.checks
        if options.once or time.monotonic() >= until or (failed and options.weakened):
            break
        seed += 1
    print(f"{sessions} sessions, {saves} saves, {checks} checks, {len(failed)} violations")
    return int(bool(failed) != bool(options.weakened))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--poll", action="store_true")
    parser.add_argument("--apps", type=int, default=1)
    parser.add_argument("--weakened", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
