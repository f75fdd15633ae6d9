"""The output of the apps of a run, told to those who ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reloader.problems.secrets import masked
from reloader.problems.text import plain
from reloader.runtime.wakeup import Wake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reloader.commands.app import Live
    from reloader.control.server import Caller
    from reloader.control.wire import Ask
    from reloader.core.facts import Fact
    from reloader.core.values import Seconds
    from reloader.output.ring import Piece

STRAIGHT = "the app has the terminal for itself, so its output is not kept; that of builds is"


class _Follower(NamedTuple):
    caller: Caller
    apps: Sequence[Live]
    told: dict[int, int]  # the last piece of each app, by seat


class Logs:
    """A `Source` that wakes the main loop when there is output for those who follow."""

    def __init__(self, flush: Callable[[], None]) -> None:
        self._flush = flush
        self._wake = Wake()
        self._followers: list[_Follower] = []

    def tell(self, apps: Sequence[Live], ask: Ask, caller: Caller) -> None:
        """Tells what is kept; with `follow` also what comes."""
        told = {}
        for app in apps:
            if app.output.has_terminal:
                caller.say({"app": app.name, "note": STRAIGHT})
            told[app.seat] = last = app.output.ring.last
            pieces = app.output.ring.pieces(since=ask.since)
            _say(caller, app, [piece for piece in pieces if piece.number <= last])
        if not ask.follow:
            caller.end()
            return
        self._followers.append(_Follower(caller, apps, told))
        for app in apps:
            app.output.ring.told = self._wake.set
        self._wake.set()

    def fileno(self) -> int:
        return self._wake.fileno()

    def deadline(self) -> Seconds | None:
        return None

    def read(self) -> Iterable[Fact]:
        self._wake.clear()
        self._followers = [one for one in self._followers if not one.caller.is_gone]
        for caller, apps, told in self._followers:
            for app in apps:
                pieces = app.output.ring.pieces(after=told[app.seat])
                told[app.seat] = max((p.number for p in pieces), default=told[app.seat])
                _say(caller, app, pieces)
        self._flush()
        return ()

    def close(self) -> None:
        self._wake.close()


def _say(caller: Caller, app: Live, pieces: Sequence[Piece]) -> None:
    secrets = app.secrets() if pieces else []
    for piece in pieces:
        text = masked(plain(piece.data.decode(errors="replace")), secrets)
        record: dict[str, Any] = {"at": round(piece.at, 3), "app": app.name, "of": piece.of}
        caller.say({**record, "text": text})
