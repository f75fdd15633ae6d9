"""A small model of Air 1.67.2's config: what a file means to Air, and then what it must mean here.

It is made from Air's documentation and from runs of Air, and shares no code with the loader: the
two are held against each other by tests/unit/test_air_files.py. What differs from Air on purpose is
in `DEVIATIONS`, each with its line of docs/from-air.md.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import tomli

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Values = dict[str, Any]  # by key: "build.cmd"; lists are tuples, times are in the unit of the key

# The kinds of values.
FLAG, TEXT, COLOR_MODE, INT, DURATION, LIST, ARGV = range(7)

# Each key of Air's with its kind and its default.
KEYS: dict[str, tuple[int, Any]] = {
    "root": (TEXT, "."),
    "tmp_dir": (TEXT, "tmp"),
    "testdata_dir": (TEXT, "testdata"),
    "env_files": (LIST, ()),
    "build.pre_cmd": (LIST, ()),
    "build.cmd": (TEXT, "go build -o ./tmp/main ."),
    "build.post_cmd": (LIST, ()),
    "build.bin": (TEXT, "./tmp/main"),
    "build.full_bin": (TEXT, ""),
    "build.entrypoint": (ARGV, ()),
    "build.args_bin": (LIST, ()),
    "build.log": (TEXT, "build-errors.log"),
    "build.include_ext": (LIST, ("go", "tpl", "tmpl", "html")),
    "build.include_dir": (LIST, ()),
    "build.include_file": (LIST, ()),
    "build.exclude_dir": (LIST, ("assets", "tmp", "vendor", "testdata")),
    "build.exclude_file": (LIST, ()),
    "build.exclude_regex": (LIST, ("_test.go",)),
    "build.exclude_unchanged": (FLAG, False),
    "build.follow_symlink": (FLAG, False),
    "build.poll": (FLAG, False),
    "build.poll_interval": (INT, 0),
    "build.delay": (INT, 1000),
    "build.stop_on_error": (FLAG, False),
    "build.send_interrupt": (FLAG, False),
    "build.kill_delay": (DURATION, 0),
    "build.rerun": (FLAG, False),
    "build.rerun_delay": (INT, 500),
    "build.ignore_dangerous_root_dir": (FLAG, False),
    "log.time": (FLAG, False),
    "log.main_only": (FLAG, False),
    "log.silent": (FLAG, False),
    "color.mode": (COLOR_MODE, ""),
    "color.main": (TEXT, "magenta"),
    "color.watcher": (TEXT, "cyan"),
    "color.build": (TEXT, "yellow"),
    "color.runner": (TEXT, "green"),
    "color.app": (TEXT, ""),
    "misc.clean_on_exit": (FLAG, False),
    "misc.startup_banner": (TEXT, None),
    "screen.clear_on_rebuild": (FLAG, False),
    "screen.keep_scroll": (FLAG, True),
    "proxy.enabled": (FLAG, False),
    "proxy.proxy_port": (INT, 0),
    "proxy.app_port": (INT, 0),
    "proxy.app_start_timeout": (INT, 5000),
}
RULE_KEYS = {
    "name": (TEXT, ""),
    "cmd": (TEXT, ""),
    "include_dir": (LIST, ()),
    "include_ext": (LIST, ()),
    "include_file": (LIST, ()),
    "exclude_regex": (LIST, ()),
    "delay": (INT, 1000),
}
SECTIONS = ("build", "log", "color", "misc", "screen", "proxy")
PLATFORMS = ("linux", "darwin", "windows")
# The keys a table of one system may hold: [build.linux].
PLATFORM_KEYS = ("pre_cmd", "cmd", "post_cmd", "bin", "entrypoint", "full_bin", "args_bin")


class RefusedError(Exception):
    """Air would not start with this file."""


class NotStartedError(Exception):
    """Air reads the file, and then ends with 1 for what is in it."""


@dataclass(frozen=True)
class Meaning:
    """A file, read as Air reads it."""

    values: Values  # as Air has them in the end
    written: Values  # as they stand in the file, zeros too; those of the system go first
    rules: tuple[Values, ...]
    unknown: tuple[str, ...]  # keys that Air skips without a word


def parse(content: bytes) -> dict[str, Any]:
    """The table. Comments may hold any bytes, and lines may end in CR."""
    text = content.decode(errors="replace").removeprefix("\ufeff")
    text = re.sub(r"\r\n?", "\n", text)
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        try:
            return tomli.loads(re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", " ", text))
        except tomli.TOMLDecodeError:
            raise RefusedError(str(error)) from None


def meaning(content: bytes, platform: str = "linux") -> Meaning:
    """What Air makes of a file, on `platform`.

    Raises RefusedError: it can't be read. Raises NotStartedError: it can't be used.
    """
    table = parse(content)
    written: Values = {}
    system: Values = {}
    rules: list[Values] = []
    unknown: list[str] = []
    for name, value in _folded(table).items():
        if name in SECTIONS:
            for inner, below in _folded(_table(name, value)).items():
                key = f"{name}.{inner}"
                if key in KEYS:
                    written[key] = _typed(key, KEYS[key][0], below)
                elif key == "build.rules":
                    rules = [_rule(number, rule) for number, rule in enumerate(_tables(below))]
                elif name == "build" and inner in PLATFORMS:
                    found = _platform(_table(key, below), unknown, f"build.{inner}")
                    system = found if inner == platform else system
                else:
                    unknown.append(key)
        elif name in KEYS:
            written[name] = _typed(name, KEYS[name][0], value)
        else:
            unknown.append(name)
    values = {key: default for key, (_, default) in KEYS.items()}
    # A zero in the file is as if it were not there; an empty list is not.
    values |= {k: v for k, v in written.items() if v or v == ()}
    values |= {k: v for k, v in system.items() if v or v == ()}
    if written.get("misc.startup_banner") is not None:
        values["misc.startup_banner"] = written["misc.startup_banner"]
    _move_along(values)
    values["build.kill_delay"] = _kill_delay(values["build.kill_delay"])
    _check_patterns(values["build.exclude_regex"])
    system = {k: v for k, v in system.items() if v or k not in _NAMELESS}
    return Meaning(values, written | system, tuple(rules), tuple(unknown))


def _check_patterns(patterns: tuple[str, ...]) -> None:
    """As Python has them, which is near enough to Go."""
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise NotStartedError(f"{pattern}: {error}") from None


def _folded(table: Mapping[str, Any]) -> Values:
    """Keys as they are usually written; of two spellings the usual one counts."""
    known = {*SECTIONS, *PLATFORMS, "rules", *(name for key in KEYS for name in key.split("."))}
    folded = {k.lower(): value for k, value in table.items() if k.lower() in known}
    as_written = {k: value for k, value in table.items() if k in known or k.lower() not in known}
    return {**folded, **as_written}


def _table(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusedError(f"{name} is not a table")
    return value


def _tables(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise RefusedError("rules are not tables")
    return [_table("rules", item) for item in value]


def _platform(table: dict[str, Any], unknown: list[str], name: str) -> Values:
    found: Values = {}
    for inner, value in table.items():
        if inner in PLATFORM_KEYS:
            key = f"build.{inner}"
            found[key] = _typed(key, KEYS[key][0], value)
        else:
            unknown.append(f"{name}.{inner}")
    return found


def _rule(number: int, table: dict[str, Any]) -> Values:
    rule = {key: default for key, (_, default) in RULE_KEYS.items()}
    for key, value in table.items():
        if key in RULE_KEYS:
            rule[key] = _typed(key, RULE_KEYS[key][0], value)
    rule["name"] = rule["name"] or f"rule-{number}"
    if not rule["cmd"]:
        raise NotStartedError("a rule without cmd")
    if not (rule["include_dir"] or rule["include_ext"] or rule["include_file"]):
        raise NotStartedError("a rule for no files")
    return rule


def _typed(key: str, kind: int, value: Any) -> Any:
    """The value, if it is of a type that Air takes for this key; lists are tuples here."""
    if kind == ARGV and isinstance(value, str):
        value = [value]
    if not _FITS[kind](value):
        raise RefusedError(f"{key}: {value!r} can't be its value")
    return tuple(value) if isinstance(value, list) else value


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6}
_UNITS |= {"s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


def go_duration(text: str) -> int:
    """Nanoseconds of "1m30s", as https://pkg.go.dev/time#ParseDuration has it."""
    if not isinstance(text, str):
        raise RefusedError(f"{text!r} is no time")
    whole = re.fullmatch(r"([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+|0)", text)
    if not whole:
        raise RefusedError(f"{text!r} is no duration")
    parts = re.findall(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)", whole[2])
    nanos = round(sum(float(number) * _UNITS[unit] for number, unit in parts))
    return -nanos if whole[1] == "-" else nanos


_FITS: dict[int, Callable[[Any], bool]] = {
    FLAG: lambda value: isinstance(value, bool),
    TEXT: lambda value: isinstance(value, str),
    COLOR_MODE: lambda value: value in ("", "auto", "always", "never"),
    INT: _is_int,
    DURATION: lambda value: _is_int(value) or go_duration(value) is not None,
    LIST: _is_texts,
    ARGV: _is_texts,
}


def _kill_delay(written: int | str) -> float:
    """Seconds. What would be less than a millisecond is taken for milliseconds."""
    nanos = go_duration(written) if isinstance(written, str) else written
    return nanos / 1000 if nanos < 10**6 else nanos // 10**6 / 1000


def _move_along(values: Values) -> None:
    """Another tmp_dir takes the default texts along, also where they are written out."""
    folder = values["tmp_dir"]
    if folder == "tmp":
        return
    made = os.path.normpath(os.path.join(folder, "main"))
    made = re.sub("^//", "/", made) if folder.startswith("/") else f"./{made}"
    moved = {
        "build.cmd": ("go build -o ./tmp/main .", f"go build -o {made} ."),
        "build.bin": ("./tmp/main", made),
        "build.exclude_dir": (
            ("assets", "tmp", "vendor", "testdata"),
            ("assets", folder, "vendor", "testdata"),
        ),
    }
    for key, (old, new) in moved.items():
        if values[key] == old:
            values[key] = new


# Empty, these say nothing: a folder, a file and a program have a name, and some time is needed.
_NAMELESS = (
    "root",
    "tmp_dir",
    "testdata_dir",
    "build.log",
    "build.bin",
    "build.kill_delay",
    "proxy.app_start_timeout",
)

# --- what is different here, on purpose ----------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a file lies: what its paths are relative to."""

    folder: str
    home: str = "/nowhere"

    def path(self, text: str) -> str:
        text = self.home + text[1:] if text.startswith("~/") else text
        return os.path.normpath(os.path.join(self.folder, text))


def here(air: Meaning, place: Place) -> Values:
    """What each key must come to in our Config: Air's values, and then the deviations."""
    values = dict(air.values)
    for _, deviate in DEVIATIONS:
        deviate(values, air, place)
    return values


def _nothing_more(values: Values, air: Meaning, place: Place) -> None:
    """It is done in reading already."""


def _zeros(values: Values, air: Meaning, place: Place) -> None:
    """They count; but for names and times of nothing, which can only mean the default."""
    for key, value in air.written.items():
        if not value and key not in _NAMELESS:
            values[key] = value


def _negative(values: Values, air: Meaning, place: Place) -> None:
    for key, (kind, _) in KEYS.items():
        if kind in (INT, DURATION):
            values[key] = max(0, values[key])


def _too_large(values: Values, air: Meaning, place: Place) -> None:
    for key in ("build.delay", "build.rerun_delay", "build.poll_interval"):
        values[key] = min(values[key], DAY * 1000)
    values["proxy.app_start_timeout"] = min(values["proxy.app_start_timeout"], DAY * 1000)
    values["build.kill_delay"] = min(values["build.kill_delay"], DAY)
    for key in ("proxy.proxy_port", "proxy.app_port"):
        values[key] = values[key] if values[key] < 2**16 else 0


DAY = 24 * 3600


def _delay(values: Values, air: Meaning, place: Place) -> None:
    if values["build.delay"] == 1000:
        values["build.delay"] = None


def _kill_delay_here(values: Values, air: Meaning, place: Place) -> None:
    """None is our default; a time with its unit is what it says, also below a millisecond."""
    written = air.written.get("build.kill_delay", 0)
    nanos = go_duration(written) if isinstance(written, str) else written
    if isinstance(written, str) or nanos >= 10**6:
        values["build.kill_delay"] = min(max(nanos, 0) / 10**9, DAY)
    values["build.kill_delay"] = values["build.kill_delay"] or None


def _one_app(values: Values, air: Meaning, place: Place) -> None:
    """Air keeps its default `bin` beside another app; here only what is written is there."""
    if not air.written.get("build.bin") and (
        values["build.full_bin"] or any(values["build.entrypoint"])
    ):
        values["build.bin"] = ""


def _endings(values: Values, air: Meaning, place: Place) -> None:
    parts = [part.strip() for item in values["build.include_ext"] for part in item.split(",")]
    endings = [part.lstrip("*.") or ("*" if "*" in part else "") for part in parts]
    values["build.include_ext"] = tuple(filter(None, endings))


def _nothing_in_lists(values: Values, air: Meaning, place: Place) -> None:
    """An item without a letter says nothing, but for an argument."""
    for key, (kind, _) in KEYS.items():
        if kind == LIST and key != "build.args_bin":
            values[key] = tuple(filter(None, values[key]))
    if values["build.entrypoint"] == ("",):
        values["build.entrypoint"] = ()


def _slashes(values: Values, air: Meaning, place: Place) -> None:
    for key in ("build.include_dir", "build.include_file", "build.exclude_dir"):
        values[key] = tuple(item.replace("\\", "/").strip() for item in values[key])


def _places(values: Values, air: Meaning, place: Place) -> None:
    """The same folders, written from the top."""
    values["root"] = os.path.realpath(place.path(values["root"]))
    inner = Place(values["root"], place.home)
    for key in ("tmp_dir", "testdata_dir"):
        values[key] = inner.path(values[key])


def _spared(values: Values, air: Meaning, place: Place) -> None:
    """What must not be deleted; the fixtures and real files leave no sources in a tmp_dir."""
    root, target = values["root"], os.path.realpath(values["tmp_dir"])
    shared = target in ("/", "/tmp", "/var/tmp", place.home)
    if shared or f"{root}/".startswith(target.rstrip("/") + "/"):
        values["misc.clean_on_exit"] = False


# The line of docs/from-air.md that tells of it, and what it does.
Deviation = tuple[str, "Callable[[Values, Meaning, Place], None]"]
DEVIATIONS: tuple[Deviation, ...] = (
    ("a key in another case (`CMD`, `[Build]`)", _nothing_more),  # in `_folded`
    ("a CRLF in a text of several lines", _nothing_more),  # in `parse`
    ("a zero or `false` in the file", _zeros),
    ("a number below zero", _negative),
    ("a time over a day, a port over 65535", _too_large),
    ("`build.delay`", _delay),
    ("`build.kill_delay`", _kill_delay_here),
    ("an empty item in a list", _nothing_in_lists),
    ("`build.bin`", _one_app),
    ("`build.include_ext`", _endings),
    ("`\\` in paths of folders and files", _slashes),
    ("`root`", _places),
    ("`misc.clean_on_exit`", _spared),
)


def refused_here(air: Meaning, values: Values) -> str:
    """Why we refuse what Air takes; "" if we must not."""
    if "format" in air.unknown and not any(key.startswith("build.") for key in air.written):
        return "R formatter"
    if values["build.entrypoint"][:1] == ("",):
        return "entrypoint"
    return ""


# --- which files count ---------------------------------------------------------------------------

# Folders that count nowhere, whatever the file says (docs/from-air.md, `build.exclude_dir`).
_NEVER = ("node_modules", "venv", "__pycache__")


def counts(values: Values, path: str) -> bool:
    """Whether a save of the file at `path`, seen from the root, makes Air build; as it does here.

    For files that are no editor's and that nothing writes but people.
    """
    if any(re.search(pattern, path) for pattern in values["build.exclude_regex"]):
        return False
    if any(fnmatchcase(path, p) and "/" not in path for p in values["build.exclude_file"]):
        return False
    if path in [item.removeprefix("./") for item in values["build.include_file"]]:
        return True
    folder, _, name = path.rpartition("/")
    above = [*[str(p) for p in PurePosixPath(folder).parents][::-1], folder]
    if any(_is_out(values, each) for each in above if each not in ("", ".")):
        return False
    inside = [os.path.normpath(d) for d in values["build.include_dir"]]
    inside = [d for d in inside if not d.startswith(("..", "/"))]
    if inside and not any(f"{folder}/".startswith(f"{d}/") for d in inside):
        return False
    _, dot, _ = name.rpartition(".")
    endings = values["build.include_ext"]
    return bool(dot) and any(name.endswith("." + ending) or ending == "*" for ending in endings)


def _is_out(values: Values, folder: str) -> bool:
    """The folder itself is left out."""
    excluded = [os.path.normpath(item) for item in values["build.exclude_dir"]]
    own = [os.path.relpath(values[key], values["root"]) for key in ("tmp_dir", "testdata_dir")]
    name = folder.rpartition("/")[2]
    return folder in (*excluded, *own) or name.startswith(".") or name in _NEVER


def samples(values: Values) -> list[str]:
    """Paths worth asking about: some of every project, and what the lists name."""
    endings = [e for e in values["build.include_ext"] if e != "*"]
    names = ["main.go", "main_test.go", "x.unknown", "README.md", "page.html.tmpl", "Makefile"]
    names += [f"file.{ending}" for ending in endings]
    folders = ["", "cmd/api/", "internal/", "web/", "deep/er/still/", ".git/", "web/node_modules/"]
    for key in ("build.include_dir", "build.exclude_dir"):
        for item in values[key]:
            if "*" not in item and not item.startswith(("/", "..")):
                folders += [f"{os.path.normpath(item)}/", f"other/{os.path.normpath(item)}/"]
    files = [os.path.normpath(f) for f in values["build.include_file"] if "*" not in f]
    files += [f for f in values["build.exclude_file"] if "*" not in f]
    paths = [folder + name for folder in folders for name in names] + files
    return list(dict.fromkeys(paths))


def rule_here(rule: Mapping[str, Any]) -> Values:
    """What a rule must come to in our Config; its delay is read as build.delay is."""
    delay = None if rule["delay"] == 1000 else max(0, rule["delay"])
    return {**rule, "delay": delay}
