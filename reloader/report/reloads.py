"""One line a reload: the lines of a reload wait until it has come to its end, well or not.

A reload that goes well is one line with the time from the save on. If it fails, or takes long, the
lines that have waited come first, so that people see how far it has come. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.news import (
    AppExited,
    AppReady,
    AppStarted,
    AppStopped,
    BuildCancelled,
    BuildFailed,
    BuildStarted,
    BuildSucceeded,
    ChangeSeen,
    QuitStarted,
)
from reloader.light import dataclass, replace
from reloader.report.lines import Line, Part, line_of
from reloader.report.text import duration

if TYPE_CHECKING:
    from reloader.core.news import News
    from reloader.core.values import Seconds

LONG: Seconds = 2.0  # a reload, or a build, that takes longer is told of before its end
SOON: Seconds = 0.3  # the same on a terminal, in a line that is replaced


@dataclass(frozen=True)
class Work:
    """A build that runs, or an app that starts: "build" or "start", its command, its begin.

    `how`: how the app was started, "warm" or "".
    """

    verb: str
    command: str
    since: Seconds
    how: str = ""


@dataclass(frozen=True)
class Reloads:
    """The lines of the reload under way, and what is known of those before it.

    `tells_ready`: the next generation will be seen to be ready, as one before it was.
    `work`: what people wait for now; `told`: they have been told that it takes long.
    """

    held: tuple[Line, ...] = ()
    held_at: Seconds = 0.0  # when the last of them came
    tells_ready: bool = False
    work: Work | None = None
    told: bool = False
    lasted: Seconds | None = None  # of the last build that succeeded
    is_ending: bool = False

    def after(  # noqa: C901, PLR0911 -- one for each news
        self, news: News, now: Seconds
    ) -> tuple[Reloads, tuple[Line, ...]]:
        """Returns what is known after this news, and the lines for people."""
        line = line_of(news)
        if self.is_ending:
            return self, _some(line)
        match news:
            case ChangeSeen(rule=""):
                return _hold(self, line, now), ()
            case BuildStarted(command):
                return replace(self, work=Work("build", command, now), told=False), ()
            case BuildSucceeded() | BuildCancelled() | AppStopped(killed=False):
                return _step(self, news, line, now)
            case AppStarted() if self.held and self.tells_ready:
                work = Work("start", news.command, now, news.how)
                return replace(_hold(self, line, now), work=work, told=False), ()
            case AppStarted() if self.held:
                return _over(self, _reloaded(news, news.how))
            case AppReady(address="") if not self.held:
                return self, ()  # it has lived for a while: nobody waits for that
            case AppReady():
                known = replace(self, tells_ready=True)
                return _over(known, _reloaded(news, self.work.how if self.work else "") or line)
            case BuildFailed() | AppStarted() | AppExited() | QuitStarted():
                known = replace(self, is_ending=isinstance(news, QuitStarted))
                return _over(known, *self.held, line)
            case _ if line and line.bad:
                return replace(self, held=()), (*self.held, line)
            case _:
                return self, _some(line)

    def due(self, soon: Seconds) -> Seconds | None:
        """Returns when people are to be told that they wait; None: they don't, or have been told.

        `soon`: how long work needs no word, SOON or LONG. An old version that is slow to stop is no
        work; the lines so far come out for it.
        """
        if self.work is not None:
            return None if self.told else self.work.since + soon
        return self.held_at + LONG if self.held else None

    def waiting(self, now: Seconds) -> Line | None:
        """Returns the line for the work under way: how long it has taken so far; None: none is."""
        if self.work is None:
            return None
        verb, command, since = self.work.verb, self.work.command, self.work.since
        text = f"{command}  {duration(now - since) if now - since < 1 else f'{int(now - since)}s'}"
        if verb == "build" and self.lasted is not None:
            text += f", last time {duration(self.lasted)}"
        return Line(Part.BUILD if verb == "build" else Part.RUNNER, verb, text, dim=True)

    def overdue(self, now: Seconds) -> tuple[Reloads, tuple[Line, ...]]:
        """Returns the lines that have waited, and the one for the work that takes long."""
        return replace(self, held=(), told=True), _some(*self.held, self.waiting(now))


def _some(*lines: Line | None) -> tuple[Line, ...]:
    return tuple(line for line in lines if line)


def _hold(reloads: Reloads, line: Line | None, now: Seconds) -> Reloads:
    return replace(reloads, held=(*reloads.held, *_some(line)), held_at=now)


def _over(reloads: Reloads, *lines: Line | None) -> tuple[Reloads, tuple[Line, ...]]:
    """The reload has come to its end; these lines tell of it."""
    return replace(reloads, held=(), work=None), _some(*lines)


def _step(
    reloads: Reloads, news: News, line: Line | None, now: Seconds
) -> tuple[Reloads, tuple[Line, ...]]:
    """A part of a reload is done, well: its line waits if others do.

    Without a save behind it, a build is told, and the stop before a start is not.
    """
    lasted = news.seconds if isinstance(news, BuildSucceeded) else reloads.lasted
    done = replace(reloads, work=None, lasted=lasted)
    if reloads.held:
        return _hold(done, line, now), ()
    return done, () if isinstance(news, AppStopped) else _some(line)


def _reloaded(news: AppStarted | AppReady, how: str) -> Line | None:
    """Returns the one line of a reload; None for a start that no save has caused."""
    if not news.path:
        return None
    more = f" (+{news.count - 1:,})" if news.count > 1 else ""
    at = news.address if isinstance(news, AppReady) else f"pid {news.pid}"
    text = f"{news.path}{more}  {duration(news.seconds)}{how and f' ({how})'}  {at}".rstrip()
    return Line(Part.RUNNER, "reloaded", text)
