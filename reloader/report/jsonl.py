"""News for programs: one JSON object a line; the program's stable interface.

`docs/events.md` is made from the same dataclasses.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from reloader.light import asdict
from reloader.report.writer import Writer

if TYPE_CHECKING:
    from reloader.core.news import News

VERSION = 1  # rises when a field changes its meaning or goes; a new field or event is no change
_KEPT_LINES = 10_000  # while there is no reader; gaps show in `seq`
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def event_name(kind: type) -> str:
    """`BuildFailed` is `build.failed`."""
    return ".".join(_WORD.split(kind.__name__)).lower()


def encode(news: News, seq: int, when: datetime, app: str = "") -> str:
    """Returns one line of ASCII; a byte of a file name that is no text is a lone surrogate.

    `app`: the name of the app, where there are several.
    """
    stamp = when.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    head = {"v": VERSION, "seq": seq, "time": stamp.replace("+00:00", "Z")}
    head |= {"app": app} if app else {}
    body = {key: round(v, 6) if isinstance(v, float) else v for key, v in asdict(news).items()}
    return json.dumps(head | {"event": event_name(type(news))} | body)


class JsonLines:
    """Writes whole lines to a descriptor; raises OSError when the reader is gone."""

    name = "--json"

    def __init__(self, fd: int = 1) -> None:
        self._writer = Writer(fd, _KEPT_LINES)
        self._seq = 0

    def __call__(self, news: News, app: str = "") -> None:
        self._seq += 1
        line = encode(news, self._seq, datetime.now(tz=timezone.utc), app) + "\n"
        self._writer.write(line.encode())
