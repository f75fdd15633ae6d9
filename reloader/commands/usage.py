"""`reloader run -h`: the flags in groups, with examples, on one screen."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from reloader.arguments import PROFILE, SHORT
from reloader.config.model import SECTIONS, options

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = (
    ("reloader", "as the project's files, or its config, say"),
    ("reloader app.py --port 8080", "a file, with arguments of its own"),
    ("reloader -e py,html -i '*.log' app.py", "these extensions, not those files"),
    ("reloader -- npm run api", "a command"),
    ("reloader services/api web", "two directories: two apps in one run"),
    ("reloader run api worker", "these apps of [apps.*], and what they depend on"),
    ('reloader --build.cmd "make" --build.bin ./app', "build, then run"),
)
_COLUMN = 34  # where the second column begins


def run_help(usage: str, width: int) -> str:
    """Returns the help of `reloader run`: all flags by name; `reloader help KEY` says more."""
    return "\n".join(_lines(usage, width)) + "\n"


def _lines(usage: str, width: int) -> Iterator[str]:
    yield f"usage: {usage}"
    yield ""
    yield "Builds and runs an app, and restarts it when its files change."
    yield from ("", "examples:")
    yield from (f"  {line:<{_COLUMN + 11}} {what}" for line, what in EXAMPLES)
    yield from ("", "flags:")
    rows = [("-c, --config FILE|DIRECTORY", "another config; several are several apps")]
    rows += [(", ".join(s.names) + f" {s.value}".rstrip(), s.help) for s in SHORT]
    rows.append(("--profile NAME", PROFILE))
    rows.append(("--json", "one JSON object a line on stdout for each event"))
    rows.append(("-h, --help", "this text"))
    yield from (f"  {flag:<{_COLUMN}} {what}" for flag, what in rows)
    yield from ("", "keys of the config, each a flag; 'reloader help KEY' explains one:")
    keys = [key for key, _, _ in options()]
    for section in ("", *SECTIONS):
        flags = [f"--{key}" for key in keys if key.rpartition(".")[0] == section]
        flags += ["--color"] if section == "color" else []
        yield from textwrap.wrap(
            "  ".join(flags), width, initial_indent="  ", subsequent_indent="  "
        )
