"""What size costs: a tree of 200,000 files, an overflowing queue, polling, the filter.

`make bench-watch`. The trees are made in a temporary folder, which takes a minute, and deleted.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
import zlib
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import Usage, conditions, median, number, p95, table
from benchmarks.forest import FILES, Forest, touch
from benchmarks.latency import say
from benchmarks.stage import end_tidily, make_app

SHARE = 0.15  # of the folders: they count
POLLED = 2_000  # folders
TOUCHES = 50_000
AUDIT = 15.0  # seconds after the start: the first audit is over, the next one 45 s away
WORST = 60.0  # seconds: later is lost

Rows = list[tuple[str, str, str]]  # what, goal, found


def typical(values: list[float], unit: str = "ms") -> str:
    return f"{number(median(values))} {unit}, p95 {number(p95(values))}"


def usage(forest: Forest, seconds: float) -> tuple[float, float]:
    """Wake-ups a second and CPU seconds, while so much time goes by."""
    before = Usage.of([forest.pid])
    time.sleep(seconds)
    after = Usage.of([forest.pid])
    return (after.switches - before.switches) / seconds, (after.cpu_ns - before.cpu_ns) / 1e9


def resident(forest: Forest) -> str:
    return f"{Usage.of([forest.pid]).rss_kib / 1024:.1f} MiB"


def starts(forest: Forest, tries: int) -> tuple[list[float], list[float]]:
    """Milliseconds to the app, and until it watches."""
    times = []
    for _ in range(tries):
        times.append(forest.begin())
        forest.end()
    return [app for app, _ in times], [ready for _, ready in times]


def saves(forest: Forest, tries: int) -> list[float]:
    """Milliseconds from a save to the new process."""
    times = []
    for _ in range(tries):
        time.sleep(random.uniform(0.3, 0.6))
        forest.stamps(within=0)
        saved = forest.save()
        times.append((forest.stamp().at - saved) / 1e6)
    return times


def small_tree(forest: Forest, tries: int) -> Rows:
    say("a small tree …")
    app, _ = starts(forest, tries)
    forest.begin()
    times = saves(forest, tries)
    forest.end()
    return [
        ("`reloader run` → app, 100 files", "≤ 60 ms", typical(app)),
        ("save → new process, 100 files", "≤ 5 ms", typical(times)),
    ]


def big_tree(forest: Forest, folders: int, tries: int, seconds: float) -> Rows:
    size = f"{folders * FILES:,} files"
    say(f"{size}: starts …")
    app, ready = starts(forest, tries)
    forest.begin()
    watches, rss = forest.watches(), resident(forest)
    say("its first audit …")
    _, audit = usage(forest, AUDIT)
    say("idle …")
    wakes, idle = usage(forest, seconds)
    say("saves …")
    times = saves(forest, tries)
    say("the queue overflows …")
    seen, late = overflows(forest, tries)
    rss_then = resident(forest)
    forest.end()
    counting = len(forest.sources) // FILES
    return [
        (f"`reloader run` → app, {size}", "≤ 100 ms", typical(app)),
        ("… → all is watched", "≤ 1 s", typical(ready)),
        ("watches", f"{counting:,} folders count, and their parents", f"{watches:,}"),
        ("resident memory; after the overflows", "≤ 60 MiB", f"{rss}; {rss_then}"),
        (f"save → new process, {size}", "≤ 5 ms", typical(times)),
        (f"idle for {seconds:.0f} s: wake-ups/s", "0", f"{wakes:.1f}"),
        ("idle: CPU", "0.0 %", f"{idle / seconds:.1%}"),
        (f"one audit of {len(forest.sources):,} files: CPU", "-", f"{audit * 1000:.0f} ms"),
        (f"{TOUCHES:,} writes, the queue overflows: all seen", "20 of 20", f"{seen} of {tries}"),
        ("… the new process, after the last write", "≤ 1 s", typical(late) if late else "-"),
    ]


def overflows(forest: Forest, tries: int) -> tuple[int, list[float]]:
    """How often every changed file was told, and the app started after all of them; ms to that.

    It is stopped while we write, so that it can't keep up by any luck: the kernel remembers
    16,384 events, and that of the last write is not among them.
    """
    seen, times = 0, []
    for number_of in range(tries):
        forget(forest)
        forest.freeze()
        for index in range(TOUCHES):
            touch(forest.sources[index % len(forest.sources)], b"x = %d\n" % index)
        last = b"overflow = %d\n" % number_of
        touch(str(forest.main), last)
        forest.thaw()
        ended = time.monotonic_ns()
        wanted = min(TOUCHES, len(forest.sources)) + 1
        told = files_told(forest, wanted)
        stamps = forest.stamps(within=0)
        if told >= wanted and stamps and stamps[-1].version == zlib.crc32(last):
            seen += 1
            times.append((stamps[-1].at - ended) / 1e6)
        else:
            say(f"LOST: {told} of {wanted} files were told")
    return seen, times


def forget(forest: Forest) -> None:
    """What was told before is not what comes now."""
    forest.stamps(within=0)
    while forest.news():
        pass


def files_told(forest: Forest, wanted: int) -> int:
    """How many changed files the news tell of, until the app runs with all that is wanted."""
    total, patience = 0, WORST
    while news := forest.news(patience):
        total += sum(piece["count"] for piece in news if piece["event"] == "change.seen")
        if total >= wanted and any(piece["event"] == "app.started" for piece in news):
            patience = 1.0
    return total


def polling(forest: Forest, tries: int, seconds: float) -> Rows:
    size = f"polling {len(forest.sources):,} files"
    say(f"{size} …")
    forest.begin()
    usage(forest, 5)  # each folder has been looked at once
    _, cpu = usage(forest, seconds)
    hot = saves(forest, tries + 1)[1:]  # the first one is cold
    say("cold files …")
    cold = cold_saves(forest, tries)
    forest.end()
    found = f"{len(cold)} of {tries}; {typical(cold)}, last {number(max(cold))}" if cold else "none"
    return [
        (f"{size}: CPU", "≤ 4 %", f"{cpu / seconds:.1%}"),
        ("… a hot file: save → new process", "≤ 100 ms", typical(hot)),
        ("… any other, in place, same size: seen", "always", found),
    ]


def cold_saves(forest: Forest, tries: int) -> list[float]:
    """Milliseconds until a file is seen that was never changed before."""
    times = []
    for file in random.sample(forest.sources, tries):
        time.sleep(random.uniform(0.2, 0.5))
        forest.stamps(within=0)
        touch(file, b"x = 1\n")
        saved = time.monotonic_ns()
        if stamps := forest.stamps(within=WORST):
            times.append((stamps[0].at - saved) / 1e6)
        else:
            say(f"LOST: {file}")
    return times


def filter_cost() -> Rows:
    """Microseconds a path, 20 excluded folders and 5 patterns; each folder seen before."""
    from reloader.config.model import Build, Config
    from reloader.filter.rules import FileFilter

    build = replace(
        Build(),
        include_ext=("py", "html", "jinja", "toml"),
        exclude_dir=(*(f"out{number}" for number in range(15)), *(f"**/gen{n}" for n in range(5))),
        exclude_regex=(r"_test\.py$", r"^docs/", r"\.min\.", r"(^|/)old_", r"snapshot"),
    )
    rules = FileFilter.of(
        Config(root="/p", tmp_dir="/p/tmp", testdata_dir="/p/testdata", build=build)
    )
    paths = [f"/p/app/part{n % 500}/sub/module{n}.py" for n in range(10_000)]
    times = []
    for _ in range(7):
        begun = time.perf_counter()
        for path in paths:
            rules.decide(path)
        times.append((time.perf_counter() - begun) / len(paths) * 1e6)
    what = "the filter, 20 excluded folders, 5 patterns"
    return [(what, "≤ 3 µs a path", f"{statistics.median(times[1:]):.2f} µs")]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("-n", "--tries", type=int, default=20)
    parser.add_argument("--folders", type=int, default=20_000, help="of 10 files each")
    parser.add_argument("--idle", type=float, default=10.0, metavar="SECONDS")
    parser.add_argument("--markdown", action="store_true", help="with the conditions: for the docs")
    return parser.parse_args()


def main() -> None:
    given = options()
    end_tidily()
    around = conditions() + "\n\n" if given.markdown else ""
    rows = filter_cost()
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        app = make_app(top)

        def forest(folders: int, share: float, config: str = "") -> Forest:
            made = Forest(top, app, folders, share, config)
            stack.callback(made.close)
            return made

        rows += small_tree(forest(10, 1), given.tries)
        say("a big tree is made …")
        rows += big_tree(forest(given.folders, SHARE), given.folders, given.tries, given.idle)
        rows += polling(forest(POLLED, 1, "poll = true\n"), given.tries, given.idle)
    print(around + table(["what", "goal", "found"], rows))


if __name__ == "__main__":
    main()
