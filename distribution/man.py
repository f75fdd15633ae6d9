"""The man page, made from the command line's own tables.

`python -m distribution.man` writes it into the package; a test compares. The wheel installs it as
share/man/man1/reloader.1.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from reloader.arguments import PROFILE, SHORT
from reloader.commands import table
from reloader.commands.usage import EXAMPLES
from reloader.config.model import Rule, options
from reloader.config.render import default_text
from reloader.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = Path(__file__).parents[1] / "reloader/share/man/man1/reloader.1"
STATUSES = {
    Exit.OK: "ended by Ctrl-C, SIGTERM, SIGHUP or SIGQUIT; of a command: all is well",
    Exit.FAILED: "something else went wrong; of a command: what it looked for is not well",
    Exit.USAGE: "a config or a flag that can't be used",
    Exit.TAKEN: "the same app is run by another reloader here already",
    Exit.FAULT: "a bug of reloader; the traceback is in a file that it names",
}
FILES = {
    ".reload.toml": "the config; reloader init writes one",
    "pyproject.toml": "its table [tool.reloader] is a config, too",
    ".air.toml, .config/air.toml": "Air's config is read as it is",
    "tmp/build-errors.log": "what failed builds said",
}
VARIABLES = {
    "RELOADER_CONFIG": "the config file, if -c names none",
    "RELOADER_SECTION_KEY": "every key of the config, as RELOADER_BUILD_CMD",
    "NO_COLOR": "no colours, if it is set to anything",
    "RELOADER_RUN": "is set for every process that reloader starts: marks what belongs to a run",
    "PYTHONUNBUFFERED": "is set to 1 for every process, unless it is set already",
}


def page() -> str:
    """Returns the page in man(7) macros."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield ".TH RELOADER 1"
    yield from (".SH NAME", r"reloader \- build, run and reload an app when its files change")
    yield ".SH SYNOPSIS"
    yield _bold("reloader") + r" [run] [\fIFLAGS\fR] [\fIFILE\fR | \fIDIRECTORY\fR |"
    yield r"\fICOMMAND\fR ...] [\-\- \fIARGS\fR ...]"
    for entry in table.entries():
        if entry.name != "run":
            yield from (".br", f"{_bold('reloader ' + entry.name)} {_plain(entry.usage)}")
    yield ".SH DESCRIPTION"
    yield "Watches a project, runs its build, and starts the app again when files have changed. A"
    yield "failed build leaves the running app alone; there are never two builds or two apps at"
    yield "once, and nothing is left running at the end. Without a config the project's files say"
    yield "how it is run; a file, a directory or a command says it, too."
    yield ".SH COMMANDS"
    for group in table.GROUPS:
        yield f".SS {_plain(group.title[:1].upper() + group.title[1:])}"
        yield from _terms((it.name, f"{it.help}. {it.more}".strip()) for it in group.entries)
    yield ".SH FLAGS"
    rows = [("-c, --config FILE|DIRECTORY", "another config; several are several apps")]
    rows += [(", ".join(it.names) + f" {it.value}".rstrip(), it.help) for it in SHORT]
    rows.append(("--profile NAME", PROFILE))
    rows.append(("--json", "one JSON object a line on stdout for each event"))
    rows.append(("-h, --help", "help; 'reloader help KEY' explains a key"))
    yield from _terms(rows)
    yield ".SH KEYS OF THE CONFIG"
    yield r"Each is a flag, as in \-\-build.cmd make, and an environment variable."
    yield from _terms(_keys())
    yield ".SH EXIT STATUS"
    yield from _terms((str(int(status)), words) for status, words in STATUSES.items())
    yield ".SH FILES"
    yield from _terms(FILES.items())
    yield ".SH ENVIRONMENT"
    yield from _terms(VARIABLES.items())
    yield ".SH EXAMPLES"
    yield from _terms(EXAMPLES)


def _keys() -> Iterator[tuple[str, str]]:
    for key, option, default in options():
        yield key, f"{option.help} Default: {default_text(option, default)}."
    for key, option, default in options(Rule, "build.rules[]."):
        yield key, f"{option.help} Default: {default_text(option, default)}."


def _terms(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, words in rows:
        yield from (".TP", _bold(term), _plain(words))


def _bold(text: str) -> str:
    return rf"\fB{_plain(text)}\fR"


def _plain(text: str) -> str:
    """Returns a text that roff shows as it is."""
    text = re.sub(r"`([^`]*)`", r"\1", text).replace("\\", r"\e").replace("-", r"\-")
    text = text.replace("…", "...").replace("·", ";")
    return rf"\&{text}" if text.startswith((".", "'")) else text


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
