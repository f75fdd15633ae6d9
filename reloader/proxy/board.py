"""The troubles and the last reloads of a run, which pages show beside its snapshot. Pure."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from reloader.core.news import (
    AppDropped,
    AppExited,
    AppNotReady,
    AppReady,
    BuildFailed,
    BuildSucceeded,
    ChangeSeen,
    ConfigChanged,
    ConfigRejected,
    RuleFailed,
    StartFailed,
)
from reloader.light import dataclass, replace

if TYPE_CHECKING:
    from reloader.core.news import News
    from reloader.core.values import Seconds

KEPT_RELOADS = 20  # as many as a small chart shows


class Kind(Enum):
    """The part of the run that is broken."""

    BUILD = "build"
    APP = "app"
    CONFIG = "config"


@dataclass(frozen=True)
class Trouble:
    """Something that is broken until it is mended; `output` is what the process wrote last."""

    kind: Kind
    title: str
    output: str = ""


@dataclass(frozen=True)
class Reload:
    """One way from a save to the app's answer, or to its failure."""

    cause: str  # the path that changed first, or what else led to it
    more: int  # how many other paths changed with it
    at: Seconds  # wall clock, at its end
    seconds: Seconds
    build_seconds: Seconds  # of those
    why: str = ""  # it failed; "": it did not


@dataclass(frozen=True)
class Board:
    """The troubles that are on show, and the last reloads, the oldest first."""

    trouble: Trouble | None = None
    config_trouble: Trouble | None = None
    reloads: tuple[Reload, ...] = ()
    cause: str = ""  # of the reload that is under way
    more: int = 0
    build_seconds: Seconds = 0.0

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        return tuple(one for one in (self.config_trouble, self.trouble) if one)

    def after(self, news: News, at: Seconds, output: str = "") -> Board:
        """Returns the board once this has happened, at this time of the wall clock."""
        match news:
            case ChangeSeen(path, count, "", git):
                return replace(self, cause=git or path, more=count - 1, build_seconds=0.0)
            case BuildSucceeded(_, seconds):
                return replace(self, build_seconds=seconds)
            case AppReady():
                return self._done(news, at)
            case ConfigRejected(text):
                title = "the edited config can't be used, the last good one holds"
                return replace(self, config_trouble=Trouble(Kind.CONFIG, title, text))
            case ConfigChanged():
                return replace(self, config_trouble=None)
            case _:
                return self._failed(news, at, output)

    def mended(self) -> Board:
        """Returns the board once nothing has failed and the app answers."""
        return replace(self, trouble=None) if self.trouble else self

    def _done(self, news: AppReady, at: Seconds) -> Board:
        cause = self.cause or news.path or ("start again" if self.reloads else "first start")
        one = Reload(cause, self.more, at, news.seconds, self.build_seconds)
        return self._with(one)

    def _failed(self, news: News, at: Seconds, output: str) -> Board:
        failure = _failure(news)
        if failure is None:
            return self
        kind, title, seconds = failure
        building = seconds if kind is Kind.BUILD else self.build_seconds
        one = Reload(self.cause or "start", self.more, at, seconds, building, title)
        return replace(self._with(one), trouble=Trouble(kind, title, output))

    def _with(self, one: Reload) -> Board:
        reloads = (*self.reloads, one)[-KEPT_RELOADS:]
        return replace(self, reloads=reloads, cause="", more=0, build_seconds=0.0)


def _failure(news: News) -> tuple[Kind, str, Seconds] | None:
    """Returns the part that failed, how, and after how long; None if the news is not of that."""
    match news:
        case BuildFailed(_, why, seconds, _):
            failure = Kind.BUILD, f"build failed: {why}", seconds
        case RuleFailed(rule, _, why, seconds):
            failure = Kind.BUILD, f"{rule} failed: {why}", seconds
        case AppExited(_, False, why, seconds, _):
            failure = Kind.APP, f"the app ended: {why}", seconds
        case AppDropped(_, _, why, seconds, _):
            failure = Kind.APP, f"the new version was dropped: {why}", seconds
        case AppNotReady(_, _, seconds):
            failure = Kind.APP, f"the app does not answer after {seconds:.3g} s", seconds
        case StartFailed(what, command, why, _):
            kind = Kind.APP if what == "app" else Kind.BUILD
            failure = kind, f"{what} could not be started: {command}: {why}", 0.0
        case _:
            return None
    return failure
