"""The words of the control socket: one JSON object a line, each way.

Pure: bytes and values.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

from reloader.light import asdict, dataclass, fields

LONGEST_ASK = 65_536  # bytes; a longer line is no request


class Do(Enum):
    """The things that can be asked for."""

    STATUS = "status"
    WAIT = "wait"
    RESTART = "restart"
    BUILD = "build"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    LOGS = "logs"
    EVENTS = "events"
    PROBLEMS = "problems"
    METRICS = "metrics"


@dataclass(frozen=True)
class Ask:
    """A request. `app`: the name of one of several; "" for all of the run."""

    do: str
    app: str = ""
    timeout: float = 60.0  # seconds, for an answer that has to be waited for
    since: float = 0.0  # events after this number, output after this time (seconds since 1970)
    generation: int = 0  # output of this generation of the app and of later ones; 0: of all
    follow: bool = False  # go on with what comes

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def read_ask(line: bytes) -> Ask:
    """Returns the request in a line. Raises ValueError for anything else, in words."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("expected one JSON object in a line") from None
    if not isinstance(given, dict):
        raise ValueError("expected one JSON object in a line")  # noqa: TRY004 -- of the text
    defaults = Ask("")
    values = {item.name: given[item.name] for item in fields(defaults) if item.name in given}
    for name, value in values.items():
        kind = type(getattr(defaults, name))
        if kind is float and type(value) is int:
            values[name] = float(value)
        elif type(value) is not kind:
            raise ValueError(f"expected {name} as {kind.__name__}, found {type(value).__name__}")
    ask = Ask(**{"do": "", **values})
    if ask.do not in {do.value for do in Do}:
        raise ValueError(f"expected one of {', '.join(do.value for do in Do)}")
    if not 0 <= ask.timeout <= 86_400 or not ask.since == ask.since:
        raise ValueError("expected timeout in seconds, up to a day")
    return ask


def line_of(record: dict[str, Any]) -> bytes:
    """Returns an answer as a line of ASCII."""
    return json.dumps(record).encode() + b"\n"
