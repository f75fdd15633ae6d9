"""The things that a run remembers for those who ask later: failures of an app, and news."""

from __future__ import annotations

import re
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from reloader.core.news import (
    AppDropped,
    AppExited,
    AppStarted,
    BuildFailed,
    BuildSucceeded,
    ProblemsFound,
    RuleFailed,
    RuleSucceeded,
    StartFailed,
)
from reloader.core.values import Found

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.news import News
    from reloader.core.values import Seconds

KEPT_NEWS = 1000
_BUILD, _APP = "build", "app"
# Of a file that Python can't compile, as the machine tells it: "app.py, line 3: invalid syntax".
_SYNTAX = re.compile(r"(?P<path>.*), line (?P<line>\d+): (?P<message>.*)", re.DOTALL)


class Trouble(NamedTuple):
    """A failure. `of`: "build", "app", or the name of a rule; `output`: its end, "" if unknown."""

    of: str
    command: str
    why: str
    output: str = ""
    problems: tuple[Found, ...] = ()


class Memory:
    """A report: the failures of one app that are not mended yet."""

    name = "the memory of failures"

    def __init__(self) -> None:
        self.output = ""  # behind the next news, if it is of a failure
        self._troubles: dict[str, Trouble] = {}

    def __call__(self, news: News) -> None:
        output, self.output = self.output, ""
        match news:
            case BuildFailed(command, why):
                self._troubles[_BUILD] = Trouble(_BUILD, command, why, output, _syntax(why))
            case RuleFailed(rule, command, why):
                self._troubles[rule] = Trouble(rule, command, why, output)
            case AppExited(ok=False, why=why) | AppDropped(why=why):
                self._troubles[_APP] = Trouble(_APP, "", why, output)
            case StartFailed("app", command, why):
                self._troubles[_APP] = Trouble(_APP, command, why, output)
            case ProblemsFound(of, problems) if of in self._troubles:
                self._troubles[of] = self._troubles[of]._replace(problems=problems)
            case BuildSucceeded():
                self._troubles.pop(_BUILD, None)
            case RuleSucceeded(rule):
                self._troubles.pop(rule, None)
            case AppStarted():
                self._troubles.pop(_APP, None)

    def troubles(self, *, build: bool) -> list[Trouble]:
        """Returns the failures, oldest first; `build`: the last build has failed.

        News can't tell: an older version may start after that, and a file that can't be compiled
        is mended without a build.
        """
        return [t for t in self._troubles.values() if build or t.of != _BUILD]


def _syntax(why: str) -> tuple[Found, ...]:
    found = _SYNTAX.fullmatch(why)
    return (Found(found["message"], found["path"], int(found["line"])),) if found else ()


class Told(NamedTuple):
    """News, with the number that it has in `--json`, when it was told, and of which app."""

    seq: int
    at: Seconds  # since 1970
    app: str
    news: News


class Chronicle:
    """The last news of a run, for all of its apps."""

    def __init__(self) -> None:
        self._told: deque[Told] = deque(maxlen=KEPT_NEWS)
        self._seq = 0
        self.followers: list[Callable[[Told], None]] = []

    def __call__(self, news: News, app: str = "") -> None:
        self._seq += 1
        told = Told(self._seq, time.time(), app, news)
        self._told.append(told)
        for follower in list(self.followers):
            follower(told)

    def since(self, seq: float) -> list[Told]:
        """Returns the news after this number, as far as they are kept."""
        return [told for told in self._told if told.seq > seq]
