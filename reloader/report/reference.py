"""`docs/events.md`, made from the news themselves: `python -m reloader.report.reference`."""

from __future__ import annotations

import sys
from typing import get_args

from reloader.core import news
from reloader.light import fields
from reloader.report.jsonl import VERSION, event_name

_TYPES = {
    "Seconds": "number (s)",
    "int": "integer",
    "bool": "true/false",
    "str": "text",
    "tuple[str, ...]": "list of texts",
    "tuple[Found, ...]": "list of problems: message, path, line, column, source",
}


def events_page() -> str:
    """The whole page, in Markdown."""
    parts = [_HEAD.format(version=VERSION)]
    parts += [_entry(kind) for kind in get_args(news.News)]
    return "\n".join(parts)


def _entry(kind: type) -> str:
    doc = (kind.__doc__ or "").strip()
    said = (
        "" if doc.startswith(f"{kind.__name__}(") else "\n".join(x.strip() for x in doc.split("\n"))
    )
    rows = [f"| `{item.name}` | {_type(str(item.type))} |" for item in fields(kind)]
    head = [f"### `{event_name(kind)}`", ""]
    head += [said, ""] if said else []
    return "\n".join([*head, "| field | type |", "|---|---|", *rows, ""])


def _type(annotation: str) -> str:
    name, *rest = annotation.split(" | ")
    return _TYPES[name] + (" or null" if rest else "")


_HEAD = """\
# Events: `reloader run --json`

One JSON object a line on stdout, in ASCII, for each piece of news. Nothing else is written to
stdout: what the build and the app write to *their* stdout goes to stderr in this mode, beside
reloader's own lines. (To have only the app's output there, use `--log.silent`.)

Every object has

| field | type |
|---|---|
| `v` | integer: {version}; it rises when a field changes its meaning or goes |
| `seq` | integer, counts from 1; a gap means that nobody read for a while |
| `time` | text: UTC, RFC 3339, milliseconds |
| `app` | text: whose news it is; only where several apps run (`-c` more than once) |
| `event` | text: one of those below |

New events and new fields may come at any time: ignore what you don't know. Text that comes from
file names is exact; a byte that is no UTF-8 comes as the lone surrogate that Python's
`surrogateescape` gives.

*This page is made from the code: `python -m reloader.report.reference > docs/events.md`.*
"""

if __name__ == "__main__":
    sys.stdout.write(events_page())
