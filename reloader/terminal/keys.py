"""Turns keys into requests, while reloader has the terminal.

Pure: bytes and the time in, facts out.
"""

from __future__ import annotations

import re
import signal
from typing import TYPE_CHECKING

from reloader.core.facts import Noticed, Requested, SignalReceived
from reloader.core.news import KeysOffered
from reloader.core.values import Request, Wish

if TYPE_CHECKING:
    from reloader.core.facts import Fact
    from reloader.core.values import Seconds

OFFER = "r restart · b rebuild · p pause · q quit · h help"
_HELP = (
    "r, Enter or rs: restart the app, without a build",
    "b: build though nothing has changed, then restart",
    "p: pause, changes wait; p again: go on, with one build for all of them",
    "q: quit; so does Ctrl-C, and a second one kills at once",
    "Shortcuts are disabled while the app reads from the terminal.",
)
_WISHES = {"r": Wish.RESTART, "b": Wish.BUILD, "p": Wish.TOGGLE_PAUSE}
_ENTER = "\n"  # ICRNL (termios(3)) makes it of the key's carriage return
# Arrows, function keys, Alt with a key (ECMA-48, 5.4; xterm's ctlseqs): an Alt-q is no q.
_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|O.|.)?", re.DOTALL)
_TYPED_AT_ONCE = 16  # nobody types more between two looks: it is pasted, and meant for others
_SAME_LINE: Seconds = 2.0  # within it, Enter ends what was typed before and asks for nothing


class Keys:
    """From what is typed to facts.

    Enter alone is a restart. The Enter of `rs` and Enter, as nodemon has it, or of `r` and Enter,
    is not: the `r` was one already.
    """

    def __init__(self) -> None:
        self._last = float("-inf")  # when a key other than Enter was pressed

    def typed(self, data: bytes, now: Seconds) -> list[Fact]:
        """Returns the requests of these keys; unknown keys are ignored."""
        if len(data) > _TYPED_AT_ONCE:
            return []
        facts: list[Fact] = []
        for key in _SEQUENCE.sub("", data.decode("latin-1")):
            facts += self._asked(key, now)
        return facts

    def _asked(self, key: str, now: Seconds) -> list[Fact]:
        if key == _ENTER:
            alone = now - self._last > _SAME_LINE
            self._last = float("-inf")
            return [Requested(Request(Wish.RESTART))] if alone else []
        self._last = now
        if wish := _WISHES.get(key):
            return [Requested(Request(wish))]
        if key == "q":
            return [SignalReceived(int(signal.SIGTERM))]
        if key == "h":
            return [Noticed(KeysOffered(line)) for line in _HELP]
        return []
