"""From an Air file to a `.reload.toml` that means the same, with its comments.

Lines are kept as they are where they mean the same in both; what says only the default is left out.
Whatever the result would then mean differently is written out, so the two are the same by
construction. Pure, but for what `reads` looks at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reloader.config import air, model, values
from reloader.config.lines import comment_of, statements
from reloader.config.model import Layer, Origin
from reloader.config.toml_writer import toml, value_of
from reloader.config.wording import shown
from reloader.light import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reloader.config.lines import Path, Statement
    from reloader.config.model import Config

_OPTIONS = {key: (option, default) for key, option, default in model.options()}
_RULE_KEYS = {key: option for key, option, _ in model.options(model.Rule)}
# Their default depends on the project, so what is written is kept even if it is a default today.
_BY_PROJECT = ("cmd", "bin", "include_ext", "exclude_dir", "exclude_regex")
_OF_AIR = re.compile(r"#:schema |# *Config file for \[Air\]")
_UNIT = re.compile(r"#\s*(?:ms|ns|milli-?seconds?|nano-?seconds?)\s*")  # the value has one now
_WHY = {
    "build.delay": "is what air init writes; without it a reload starts when the files are quiet",
    "build.kill_delay": "would be a SIGKILL without a warning; the app has 5 s",
}
_PRE_CMD = "build.pre_cmd: a command of it that fails is a failed build now; Air goes on"
_FOLDER = "cmd, bin and hooks run in root now, not here: write their paths as seen from there"


@dataclass(frozen=True)
class Converted:
    """The new file, and what is not as it was, a line each."""

    text: str
    changes: tuple[str, ...]


@dataclass
class _Entry:
    """Lines that belong together; `path` is empty for comments that belong to nothing."""

    path: Path
    lines: list[str]
    is_header: bool = False


@dataclass
class _Conversion:
    table: Mapping[str, Any]  # what the file says, with our spelling of keys
    was: Config
    entries: list[_Entry] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    defaults: list[str] = field(default_factory=list)  # keys that were left out for saying so


def convert(
    text: str, table: Mapping[str, Any], was: Config, reads: Callable[[str], Config]
) -> Converted:
    """The text of an Air file that means `was`, as ours; `reads` gives what our text means.

    `table` is what the text says, folded to our spelling of keys.
    """
    work = _Conversion(table, was)
    _take_lines(work, text.removeprefix("\ufeff").replace("\r\n", "\n"))
    draft = _joined(work.entries)
    now = reads(draft)
    differing = [key for key in _OPTIONS if value_of(was, key) != value_of(now, key)]
    for key in differing:
        _write(work, key)
    if was.build.pre_cmd and not was.build.stop_on_error:
        work.changes.append(_PRE_CMD)
    if was.workdir:
        work.changes.append(_FOLDER)
    if work.defaults:
        work.changes.append(f"left out, being the default: {', '.join(work.defaults)}")
    return Converted(_joined(work.entries), tuple(work.changes))


def _take_lines(work: _Conversion, text: str) -> None:
    """Every statement with the comment above it, kept, rewritten or left out."""
    lines = text.split("\n")
    at = 0
    paths = [statement.path for statement in statements(text)]
    usual = {_spelled(path) for path in paths if _spelled(path)[-1] == path[-1]}
    for statement in statements(text):
        between = lines[at : statement.first - 1]
        own = len(between)
        while own and between[own - 1].lstrip().startswith("#"):
            own -= 1
        _take_comment(work, between[:own])
        kept = lines[statement.first - 1 : statement.last]
        path = _spelled(statement.path)
        is_odd = path[-1] != statement.path[-1] and not statement.is_header
        is_twin = is_odd and path in usual  # of two spellings the usual one counts
        if result := [] if is_twin else _judged(work, statement, kept):
            above = [line for line in between[own:] if not _OF_AIR.match(line.strip())]
            work.entries.append(_Entry(path, above + result, statement.is_header))
        at = statement.last
    _take_comment(work, lines[at:])


def _take_comment(work: _Conversion, lines: list[str]) -> None:
    kept = [line for line in lines if not _OF_AIR.match(line.strip())]
    if any(lines):
        work.entries.append(_Entry((), kept))
    elif lines:
        work.entries.append(_Entry((), [""]))


def _judged(work: _Conversion, statement: Statement, lines: list[str]) -> list[str]:
    """The lines of a statement in the new file; none: it is left out."""
    path = _spelled(statement.path)
    if statement.is_header:
        known = path[0] in model.SECTIONS
        return [_respelled(lines[0], statement.path, path)] if known else []
    key = ".".join(part for part in path if isinstance(part, str))
    raw = _found(work.table, path)
    where = work.was.origins.get(key, Origin(Layer.DEFAULT))
    plain = [_respelled(lines[0], statement.path, path), *lines[1:]]
    if path[:2] == ("build", "rules"):
        return _of_rule(work, path, raw, plain)
    if len(path) == 3 and path[1] in model.PLATFORMS:
        return _of_platform(work, path, raw, plain)
    if key not in _OPTIONS:
        return _left_out(work, path, "there is no such key")
    if where.layer is Layer.DEFAULT:
        why = _WHY.get(key, "says nothing")
        work.changes.append(f"{key}: {shown(raw)} left out: it {why}")
        return []
    return _setting(work, key, raw, statement, lines)


def _of_rule(work: _Conversion, path: Path, raw: Any, lines: list[str]) -> list[str]:
    name = str(path[-1])
    if name not in _RULE_KEYS:
        return _left_out(work, path, "there is no such key")
    if (name, raw) == ("delay", air.INIT_DELAY):
        return _left_out(work, path, "the command runs when the files are quiet")
    read, _ = air.possible(name, _RULE_KEYS[name].kind, raw)
    if read is raw:
        return lines
    work.changes.append(f"{_dotted(path)}: {toml(raw)} is {toml(read)} now")
    return [f"{lines[0].partition('=')[0]}= {toml(read)}"]


def _of_platform(work: _Conversion, path: Path, raw: Any, lines: list[str]) -> list[str]:
    if path[-1] not in model.PLATFORM_KEYS:
        return _left_out(work, path, "there is no such key")
    if air.says_nothing(f"build.{path[-1]}", raw):
        return _left_out(work, path, "it says nothing")
    return lines


def _left_out(work: _Conversion, path: Path, why: str) -> list[str]:
    work.changes.append(f"{_dotted(path)}: left out: {why}")
    return []


def _setting(
    work: _Conversion, key: str, raw: Any, statement: Statement, lines: list[str]
) -> list[str]:
    """A key of ours: kept as it is if it means the same here, else written anew."""
    path = _spelled(statement.path)
    plain = [_respelled(lines[0], statement.path, path), *lines[1:]]
    where = work.was.origins[key].where
    if len(path) == 2 and where.rpartition(":")[2] != str(statement.first):
        return plain  # a platform's own setting goes before this one
    option, default = _OPTIONS[key]
    meant = value_of(work.was, key) if key != "root" else raw
    if key in ("tmp_dir", "testdata_dir"):
        meant = raw
    by_project = key.removeprefix("build.") in _BY_PROJECT
    if meant == default and not by_project:
        if key == "misc.clean_on_exit" and raw:
            work.changes.append(
                f"{key}: {shown(raw)} left out: it would delete what is not reloader's"
            )
        elif key not in work.defaults:
            work.defaults.append(key)
        return []
    if not _is_odd(key, option.kind, raw) and values.read(key, option, raw) == meant:
        return plain
    indent = re.match(r"\s*", lines[0])
    comment = comment_of(lines[-1])
    comment = "" if _UNIT.fullmatch(comment) else comment
    head = ".".join(map(str, path[len(path) - lines[0].partition("=")[0].count(".") - 1 :]))
    new = f"{indent[0] if indent else ''}{head} = {toml(meant, option.kind)}"
    if toml(raw) != toml(meant, option.kind):
        work.changes.append(f"{key}: {toml(raw)} is {toml(meant, option.kind)} now")
    return [f"{new}  {comment}" if comment else new]


def _is_odd(key: str, kind: model.Kind, raw: Any) -> bool:
    """Written in a way that is read, but should not be read again."""
    if air.possible(key, kind, raw)[0] is not raw:
        return True
    if key == "build.kill_delay":
        return not isinstance(raw, str)
    endings = raw if isinstance(raw, list) else [raw]
    return key == "build.include_ext" and any(str(e).startswith((".", "*.")) for e in endings)


def _spelled(path: Path) -> Path:
    return tuple(map(air.word, path))


def _respelled(line: str, old: Path, new: Path) -> str:
    """The line with the keys in front in our spelling."""
    for before, after in zip(old, new, strict=True):
        if before != after:
            line = re.sub(
                rf"(?<![\w-]){re.escape(str(before))}(?![\w-])", str(after), line, count=1
            )
    return line


def _found(table: Any, path: Path) -> Any:
    for part in path:
        table = table[part]
    return table


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))


# --- writing -------------------------------------------------------------------------------------


def _write(work: _Conversion, key: str) -> None:
    """Adds a setting that the draft lacks, behind the others of its table."""
    section, _, name = key.rpartition(".")
    option, _ = _OPTIONS[key]
    value = toml(value_of(work.was, key), option.kind)
    work.changes.append(f"{key} = {value} written out: it is Air's default")
    path: Path = (section, name) if section else (name,)
    places = [
        index
        for index, entry in enumerate(work.entries)
        if entry.path and entry.path[:-1] == path[:-1] and not entry.is_header
    ]
    headers = [n for n, e in enumerate(work.entries) if e.is_header and e.path == path[:-1]]
    is_dotted = section and not headers
    line = f"{key if is_dotted else name} = {value}"
    if places or headers:
        work.entries.insert(max((*places, *headers)) + 1, _Entry(path, [line]))
    elif not section:
        work.entries.insert(0, _Entry(path, [line]))
    else:
        header = _Entry((section,), ["", f"[{section}]"], is_header=True)
        work.entries += [header, _Entry(path, [f"{name} = {value}"])]


def _joined(entries: Iterable[_Entry]) -> str:
    """The text, without tables that hold nothing and without blank lines in a row."""
    pending: list[str] = []  # a header, and comments, until something follows in its table
    lines: list[str] = []
    for entry in entries:
        if entry.is_header:
            lines += [line for line in pending if line.strip().startswith("#")]
            pending = entry.lines
        elif pending and not entry.path:
            pending = [*pending, *entry.lines]
        else:
            lines += [*pending, *entry.lines]
            pending = []
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"
