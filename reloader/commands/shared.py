"""The values that the apps of a run are made from, and the parts that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reloader.config.load import Reading
    from reloader.config.model import Config
    from reloader.control.memory import Chronicle
    from reloader.core.facts import Fact
    from reloader.output.outlet import LazyPump
    from reloader.process.children import Children
    from reloader.process.launcher import Streams
    from reloader.report.jsonl import JsonLines
    from reloader.report.writer import Writer
    from reloader.runtime.loop import Inbox, Seat
    from reloader.terminal.foreground import Foreground


class Project(NamedTuple):
    """The app that one `-c` names, or one of the `[apps.*]` in its file."""

    config: Config
    read: Callable[[], Reading]  # the config again
    files: Sequence[str]  # those that it may come from
    name: str = ""  # that its lines carry; "" when there is only one
    # Another app of the same file; raises ConfigError.
    sibling: Callable[[str], Project] | None = None


class Crew(Protocol):
    """The apps of a run."""

    def complete(self, project: Project, names: Sequence[str], shared: Shared) -> Iterable[Fact]:
        """Starts those of these apps of the project's file that do not run yet."""

    def left(self, seat: Seat) -> None:
        """Takes note that an app has ended, and the others go on."""


@dataclass(frozen=True)
class Shared:
    """The parts that all apps of a run share."""

    environ: Mapping[str, str]
    started_in: str  # reloader itself moves to the folder of each command that it starts
    inbox: Inbox
    children: Children
    foreground: Foreground
    streams: Streams
    console: Writer
    json: JsonLines | None
    label_width: int  # of the longest name
    pump: LazyPump
    crew: Crew
    rejected: dict[Seat | str, str]  # why an app's config can't be used, while it can't
    chronicle: Chronicle
    draw: Callable[[str], None] | None  # on the terminal of reloader's lines, if it can be
