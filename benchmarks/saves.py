"""Every way to save a file: how many starts, how soon, and whether the last version runs.

`make bench-watch`. For each way the tools are started anew, for a person has one editor; the first
save counts like all others. Pauses are random, so that nothing falls into step with anybody's
clock. The app tells what it has read of main.py (a CRC-32), so that each time is checked what runs
in the end.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figures import conditions, median, number, p95, table
from benchmarks.latency import chosen, say
from benchmarks.stage import Stage, end_tidily, make_app
from benchmarks.styles import STYLES, Project
from benchmarks.tools import FLOOR, RELOADER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.stage import Stamp
    from benchmarks.styles import Style
    from benchmarks.tools import Tool

QUIET = 0.5  # seconds without a start: all that a save can lead to has happened
QUIET_PEERS = 1.3  # Air waits 1 s
LOST = 5.0  # seconds: what runs then will run until the next save


@dataclass
class Result:
    """What came of one way to save."""

    tries: int = 0
    starts: int = 0
    right: int = 0  # how often the last version ran in the end
    times: list[float] = field(default_factory=list)  # ms to its first start

    @property
    def starts_a_save(self) -> str:
        return f"{self.starts / self.tries:.2f}"

    @property
    def typical(self) -> str:
        return number(median(self.times)) if self.times else "-"

    def cells(self) -> tuple[str, ...]:
        slow = number(p95(self.times)) if self.times else "-"
        return self.starts_a_save, self.typical, slow, f"{self.right} of {self.tries}"

    def cell(self) -> str:
        """All in one."""
        lost = self.tries - self.right
        return f"{self.typical} / {self.starts_a_save}" + (f" / {lost} lost" if lost else "")


class Player:
    """A tool at work in a project of its own."""

    def __init__(self, stage: Stage, styles: Sequence[Style]) -> None:
        self.stage = stage
        self.project = Project(stage.folder)
        self.results = {style.name: Result() for style in styles}
        self._saved = 0
        self._blind = False
        self._running = 0  # the version
        self._stamps: list[Stamp] = []

    def begin(self) -> None:
        """To work; the others, on until a save is seen: reloader misses none after its start."""
        self.stage.stop()
        self.stage.start()
        if self.stage.tool is not RELOADER:
            self.stage.wait_until_it_watches()
        self._blind = False
        self._running = self._wanted()

    def begin_again(self) -> None:
        """If it has ended or sees nothing any more. It may save: so before a style is prepared."""
        if self._blind or self.stage.ended:
            self.begin()

    def save(self, style: Style) -> None:
        """Saves, and waits for the first start that has read it all."""
        self.collect()
        self._stamps.clear()
        self._saved = style.save(self.project)
        until = time.monotonic() + LOST
        while style.wanted and self._running != self._wanted() and time.monotonic() < until:
            self.collect(until - time.monotonic())

    def collect(self, within: float = 0) -> bool:
        """Takes the starts there were; whether there were any."""
        new = self.stage.stamps(within)
        if new:
            self._running = new[-1].version
            self._stamps += new
        return bool(new)

    def judge(self, style: Style) -> None:
        """What the last save has led to."""
        result = self.results[style.name]
        result.tries += 1
        result.starts += len(self._stamps)
        wanted = self._wanted()
        good = [s.at for s in self._stamps if s.version == wanted and s.at >= self._saved]
        if self._running != wanted or (style.elsewhere and not good):
            say(f"LOST: {self.stage.tool.name}: {style.name}; it is started again")
            self._blind = True  # perhaps for ever: what it loses later is no fault of that save
            return
        result.right += 1
        if style.wanted and good:  # else what the save has brought back is what still runs
            result.times.append((good[0] - self._saved) / 1e6)

    def _wanted(self) -> int:
        return zlib.crc32(self.project.main.read_bytes())


def settle(players: list[Player], quiet: float) -> None:
    """Until nobody starts anything any more."""
    time.sleep(quiet)
    while sum(player.collect() for player in players):  # not any(): of all of them
        time.sleep(quiet)


def play(style: Style, players: list[Player], quiet: float) -> None:
    """One save by each, in a random order."""
    for player in players:
        player.begin_again()
    if style.prepare:
        for player in players:
            style.prepare(player.project)
        settle(players, quiet)
    for player in random.sample(players, len(players)):
        time.sleep(random.uniform(0, 0.1))
        player.save(style)
    settle(players, quiet)
    for player in players:
        player.judge(style)


def measure(players: list[Player], styles: Sequence[Style], tries: int) -> None:
    quiet = QUIET_PEERS if len(players) > 1 else QUIET
    for style in styles:
        say(f"{style.name} …")
        for player in players:
            player.begin()
        settle(players, quiet)
        for _ in range(tries):
            play(style, players, quiet)


def own_table(player: Player, styles: Sequence[Style]) -> str:
    head = ["the way to save", "wanted", "starts a save", "median ms", "p95 ms", "last one runs"]
    rows = [[s.name, str(s.wanted), *player.results[s.name].cells()] for s in styles]
    return table(head, rows)


def peers_table(players: list[Player], styles: Sequence[Style]) -> str:
    head = ["median ms / starts a save", *(player.stage.tool.name for player in players)]
    rows = [[s.name, *(player.results[s.name].cell() for player in players)] for s in styles]
    return table(head, rows)


def run(tools: Sequence[Tool], styles: Sequence[Style], tries: int) -> list[Player]:
    """All of them side by side."""
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        app = make_app(top)
        players = []
        for tool in tools:
            players.append(Player(Stage(tool, top, app), styles))
            stack.callback(players[-1].stage.close)
        measure(players, styles, tries)
    return players


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.saves", description=__doc__)
    parser.add_argument("styles", nargs="*", help="parts of names; all if none")
    parser.add_argument("-n", "--tries", type=int, default=50)
    parser.add_argument(
        "--peers",
        type=int,
        nargs="?",
        const=10,
        default=0,
        metavar="TRIES",
        help="then all tools side by side",
    )
    parser.add_argument("--markdown", action="store_true", help="with the conditions: for the docs")
    return parser.parse_args()


def main() -> None:
    given = options()
    end_tidily()
    around = conditions() + "\n\n" if given.markdown else ""
    styles = [s for s in STYLES if not given.styles or any(n in s.name for n in given.styles)]
    print(around + own_table(run([RELOADER], styles, given.tries)[0], styles), flush=True)
    if given.peers:
        tools = [tool for tool in chosen([]) if tool is not FLOOR]
        print(f"\n{peers_table(run(tools, styles, given.peers), styles)}")


if __name__ == "__main__":
    main()
