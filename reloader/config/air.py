"""The differences of a config that is Air's own file.

The keys are the same; the defaults, the zeros and a few writings are not. What Air does is
described from its documentation and from runs of 1.67.2. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reloader.config import model, project
from reloader.config.model import Kind
from reloader.config.values import HIGHEST_PORT, LONGEST, nanoseconds
from reloader.errors import Problem
from reloader.light import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.config.document import Document
    from reloader.config.written import Problems, Written

_NAME = re.compile(r"(^|[^0-9A-Za-z])air\.")
INIT_DELAY = 1000  # `air init` writes it into every file: no wish of the user's
# A text or number that Air takes for "not written" and that could mean nothing else. All other
# zeros count: somebody who writes `keep_scroll = false` wants it, though Air ignores it.
_NOTHING = {
    "root": "",
    "tmp_dir": "",
    "testdata_dir": "",
    "build.log": "",
    "build.bin": "",
    "build.kill_delay": 0,  # `air init` writes "0s"; it would be a SIGKILL without a warning
    "proxy.app_start_timeout": 0,
}
_WORDS = frozenset(
    (
        *(name for key, _, _ in model.options() for name in key.split(".")),
        *(key for key, _, _ in model.options(model.Rule)),
        *model.PLATFORMS,
        "rules",
    )
)
OLD = {"watch_dir": "build.include_dir"}  # of Air's first files
_COLORED = ("color.main", "color.watcher", "color.build", "color.runner")
FOLDER_VARIABLE = "air_wd"  # Air's working directory; lower case, as Air reads it
_PATH_KEYS = ("build.include_dir", "build.include_file", "build.exclude_dir")


def is_air(name: str) -> bool:
    """Returns True for the name of an Air file: `.air.toml`, `.air.docker.toml`, `air.conf`."""
    return bool(_NAME.search(name))


def is_other_tool(table: Mapping[str, Any]) -> bool:
    """Returns True for the `air.toml` of another Air, the formatter for R."""
    return "format" in table and "build" not in table


def adapted(settings: Written, document: Document, found: Problems) -> Written:
    """Returns the meaning of an Air file; warnings and infos are added to `found`."""
    found.warnings += _ending_warnings(document)
    kept = {key: it for key, it in settings.items() if not says_nothing(key, it.value)}
    delay = kept.get("build.delay")
    if delay and delay.value == INIT_DELAY:
        del kept["build.delay"]
        text = (
            "build.delay: 1000 is what air init writes; a reload starts"
            " as soon as the files are quiet (any other number counts)"
        )
        found.infos.append(Problem(text, delay.origin.where))
    for key in _PATH_KEYS:
        if key in kept:
            value = (item.replace("\\", "/").strip() for item in kept[key].value)
            kept[key] = replace(kept[key], value=tuple(filter(None, value)))
    if rules := kept.get("build.rules"):
        plain = tuple(
            replace(rule, delay=None) if rule.delay == INIT_DELAY else rule for rule in rules.value
        )
        kept["build.rules"] = replace(rules, value=plain)
    return kept


def says_nothing(key: str, value: Any) -> bool:
    """Air takes it for "not written", and nothing else can be meant."""
    return key in _NOTHING and bool(value == _NOTHING[key])


def possible(key: str, kind: Kind, value: object) -> tuple[object, str]:
    """The nearest value to a number that can't be, and what can; else the value itself.

    Air takes any number: a time below zero is no wait, and a port is only looked at when used.
    """
    nanos = nanoseconds(key, kind, value)
    if nanos is not None and nanos < 0:
        return 0, ""
    if nanos is not None and nanos > LONGEST * 10**9:
        return "24h", "no wait is longer than a day"
    if key in _COLORED and isinstance(value, str) and value not in ("", *model.COLORS):
        return "raw", f"one of {', '.join(model.COLORS)}"
    if kind is Kind.PORT and isinstance(value, int) and not 0 <= value <= HIGHEST_PORT:
        return 0, f"the highest port is {HIGHEST_PORT}"
    return value, ""


def _ending_warnings(document: Document) -> list[Problem]:
    """Endings with a dot never match in Air; here they do, which is news to the owner."""
    build = document.table.get("build")
    endings = build.get("include_ext") if isinstance(build, dict) else None
    if not isinstance(endings, list):
        return []
    return [
        Problem(
            f'build.include_ext: "{ending}" is read as "{ending[1:]}" (Air never matches it)',
            document.where(("build", "include_ext", index)),
        )
        for index, ending in enumerate(endings)
        if isinstance(ending, str) and ending.startswith(".")
    ]


def folded(document: Document, found: Problems) -> Document:
    """The document with our spelling of keys: `[Build]` and `CMD` are `[build]` and `cmd`.

    Air's reader looks for a key in more than one case; here any will do. Of two spellings in one
    table the usual one counts; two spellings of a table are one.
    """
    if not _oddly_spelled(document.table):
        return document
    lines = {tuple(map(word, path)): line for path, line in document.lines.items()}
    lines |= dict(document.lines)
    for path in document.lines:
        if path and word(path[-1]) != path[-1]:
            text = f"{path[-1]} is read as {word(path[-1])}"
            found.warnings.append(Problem(text, document.where(path)))
    return replace(document, table=_folded(document.table), lines=lines)


def word(part: str | int) -> str | int:
    """A key of ours in any case, as we write it; what else there is stays."""
    if isinstance(part, str) and part.lower() in _WORDS:
        return part.lower()
    return part


def _oddly_spelled(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_oddly_spelled, value))
    if not isinstance(value, dict):
        return False
    return any(word(key) != key or _oddly_spelled(below) for key, below in value.items())


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(item) for item in value]
    if not isinstance(value, dict):
        return value
    table: dict[str | int, Any] = {}
    for key, below in sorted(value.items(), key=lambda item: word(item[0]) == item[0]):
        old, new = table.get(word(key)), _folded(below)
        is_one = isinstance(old, dict) and isinstance(new, dict)
        table[word(key)] = old | new if is_one and old else new
    return table


def moved(settings: Written) -> Written:
    """Air moves its default texts, even written ones, along with `tmp_dir`."""
    tmp_dir = settings["tmp_dir"].value
    if tmp_dir == "tmp":
        return settings
    texts = {
        "build.cmd": (project.go_command("tmp"), project.go_command(tmp_dir)),
        "build.bin": (project.go_binary("tmp"), project.go_binary(tmp_dir)),
        "build.exclude_dir": (project.GO_EXCLUDE_DIR, _exclude_dir(tmp_dir)),
    }
    return settings | {
        key: replace(settings[key], value=new)
        for key, (old, new) in texts.items()
        if settings[key].value == old
    }


def _exclude_dir(tmp_dir: str) -> tuple[str, ...]:
    return tuple(tmp_dir if name == "tmp" else name for name in project.GO_EXCLUDE_DIR)
