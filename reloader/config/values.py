"""From a value as it was written to a value of the model, by the kind of its key.

Liberal where the meaning is certain (a text for a list of one, "2s" for 2000), strict where it
is not. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from reloader.config.model import CONDITIONS, Engine, Kind, Millis, Option, Seconds
from reloader.config.wording import quoted, shown
from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST = 24 * 3600  # seconds; a longer wait is a slip of the pen
HIGHEST_PORT = 65535
_NANOS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6}
_NANOS |= {"s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_TRUE = ("true", "1", "yes", "on")
_FALSE = ("false", "0", "no", "off")
_EXACT = ("args_bin", "entrypoint")  # an empty argument is an argument
_IN_NANOS = "build.kill_delay"


@dataclass(frozen=True)
class Misfit:
    """A value that does not fit: expected, found, a hint; `item`: its place in a list, from 0."""

    expected: str
    found: str
    hint: str = ""
    item: int | None = None


class MisfitError(Exception):
    """A value, or items of a list, that can't be read."""

    def __init__(self, *misfits: Misfit) -> None:
        super().__init__(*misfits)
        self.misfits = misfits


def read(key: str, option: Option, value: object) -> Any:
    """The value of `key` as the model holds it, from a value of TOML.

    Raises MisfitError: with all items of a list that can't be used.
    """
    return _READERS[option.kind](key, option, value)


def read_texts(key: str, option: Option, texts: Sequence[str]) -> Any:
    r"""The value of `key` from flags or a variable: one text or, for a list, several.

    A list is split at its commas; `\,` is a comma. A text that is a TOML array is taken as
    such, so that anything can be said: `["a, b", ""]`.

    Raises MisfitError: as `read`.
    """
    if option.kind in (Kind.TEXTS, Kind.ARGV):
        return read(key, option, [item for text in texts for item in _split(text)])
    text = texts[-1]
    if option.kind is Kind.FLAG and (word := text.strip().lower()) in _TRUE + _FALSE:
        return word in _TRUE
    numbers = (Kind.MILLIS, Kind.DURATION, Kind.PORT)
    if option.kind in numbers and re.fullmatch(r"\s*[-+]?[0-9]+\s*", text):
        return read(key, option, int(text))
    return read(key, option, text)


def _split(text: str) -> list[str]:
    if text.startswith("[") and text.endswith("]"):
        from reloader.config.document import parse
        from reloader.errors import ConfigError

        try:
            items = parse(f"items = {text}", "").table["items"]
        except ConfigError:
            items = None  # a pattern like [a-z], not an array
        if items is not None:
            return list(items)
    parts = re.split(r"(?<!\\),", text) if text else []
    return [part.replace("\\,", ",") for part in parts]


def _flag(_key: str, _option: Option, value: object) -> bool:
    if isinstance(value, bool):
        return value
    hint = f"write {value} without the quotes" if value in ("true", "false") else ""
    raise MisfitError(Misfit(Kind.FLAG.value, shown(value), hint))


def _text(_key: str, option: Option, value: object) -> str:
    if isinstance(value, str):
        if "\0" in value:  # no argument, path or command can hold one
            raise MisfitError(Misfit("text", "a NUL character in it"))
        return value
    raise MisfitError(Misfit(option.kind.value, shown(value)))


def _choice(_key: str, option: Option, value: object) -> Any:
    if isinstance(value, bool) and "true" in option.choices:
        value = str(value).lower()
    if value not in option.choices:
        words = ", ".join(f'"{word}"' for word in option.choices if word)
        raise MisfitError(Misfit(f"one of {words}", shown(value)))
    return Engine(value) if value in _ENGINES and option.choices == _ENGINES else value


_ENGINES = tuple(engine.value for engine in Engine)


def _port(_key: str, _option: Option, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST_PORT:
        return value
    raise MisfitError(Misfit(Kind.PORT.value, shown(value)))


def _millis(key: str, option: Option, value: object) -> Millis:
    nanos = nanoseconds(key, option.kind, value)
    if nanos is None:
        raise MisfitError(Misfit(Kind.MILLIS.value, shown(value)))
    millis = max(nanos // 10**6, 1 if nanos > 0 else nanos)
    if 0 <= millis <= LONGEST * 1000:
        return Millis(millis)
    raise MisfitError(Misfit(f"0 to {LONGEST * 1000} ms (a day)", shown(value)))


def _duration(key: str, option: Option, value: object) -> Seconds:
    nanos = nanoseconds(key, option.kind, value)
    if nanos is None:
        unit = isinstance(value, str) and value.strip().isdigit()
        hint = f'say the unit: "{value}ms" or "{value}s"' if unit else ""
        raise MisfitError(Misfit(Kind.DURATION.value, shown(value), hint))
    if 0 <= nanos <= LONGEST * 10**9:
        return Seconds(nanos / 10**9)
    raise MisfitError(Misfit("a time from 0 to 24h", shown(value)))


def nanoseconds(key: str, kind: Kind, value: object) -> int | None:
    """A time as it was written; None: it is none. A number is in ms.

    A number for `kill_delay` that is 1,000,000 or more is in ns: Air gives the key to Go as a
    number of ns, and reads one that would be below a millisecond as ms.
    """
    if kind not in (Kind.MILLIS, Kind.DURATION) or isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if key == _IN_NANOS and value >= 10**6 else value * 10**6
    return duration(value) if isinstance(value, str) else None


def duration(text: str) -> int | None:
    """A Go duration ("1m30s", "1.5s", "0") in nanoseconds; None: it is none.

    Syntax: https://pkg.go.dev/time#ParseDuration
    """
    rest = text.replace(" ", "")
    if rest == "0":
        return 0
    sign = -1 if rest.startswith("-") else 1
    rest = rest[1:] if rest.startswith(("-", "+")) else rest
    if not rest:
        return None
    total = 0.0
    part = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)")
    while rest:
        found = part.match(rest)
        if not found:
            return None
        total += float(found[1]) * _NANOS[found[2]]
        rest = rest[found.end() :]
    return sign * round(min(total, 1e18))


def _signal(_key: str, _option: Option, value: object) -> str:
    """`SIGTERM`, from "SIGTERM", "term" or 15."""
    from signal import Signals

    if value == "":
        return ""
    try:
        if isinstance(value, str):
            name = value.upper()
            return Signals["SIG" + name.removeprefix("SIG")].name
        if isinstance(value, int) and not isinstance(value, bool):
            return Signals(value).name
    except (KeyError, ValueError):
        pass
    raise MisfitError(Misfit(Kind.SIGNAL.value, shown(value)))


def _texts(key: str, option: Option, value: object) -> tuple[str, ...]:
    name = key.rpartition(".")[2]
    items = [value] * bool(value) if isinstance(value, str) else value
    if not isinstance(items, list):
        raise MisfitError(Misfit(option.kind.value, shown(value)))
    if name == "args_bin" and isinstance(value, str) and " " in value:
        hint = 'each argument is an item: ["--port", "8000"]'
        raise MisfitError(Misfit(option.kind.value, shown(value), hint))
    misfits = []
    for index, item in enumerate(items):
        if not isinstance(item, str) or "\0" in item:
            misfits.append(Misfit("text", shown(item), item=index))
        elif name == "exclude_regex" and (misfit := _regex_misfit(item, index)):
            misfits.append(misfit)
    if misfits:
        raise MisfitError(*misfits)
    if name == "include_ext":
        items = [_ending(part) for item in items for part in item.split(",")]
    return tuple(items) if name in _EXACT else tuple(item for item in items if item)


def _regex_misfit(text: str, index: int) -> Misfit | None:
    from reloader.config.regex import RegexError, compiled

    try:
        compiled(text)
    except RegexError as error:
        hint = "exclude_file takes globs; in a pattern * repeats what is before it"
        is_glob = text.startswith("*") or "**" in text
        found = f"{quoted(text)}: {error}"
        return Misfit("a regular expression", found, hint if is_glob else "", index)
    return None


def _ending(text: str) -> str:
    """`go`, also from ".go" and "*.go"; `*`, also from "*.*"."""
    text = text.strip()
    return text.lstrip("*.") or ("*" if "*" in text else "")


def _ready(key: str, option: Option, value: object) -> str:
    text = _text(key, option, value)
    if text in {"", "notify"} or text.startswith("/") or text.removeprefix("exec:").strip() != text:
        return text
    raise MisfitError(Misfit(option.kind.value, shown(value)))


def _needs(_key: str, option: Option, value: object) -> tuple[tuple[str, str], ...]:
    """Returns the apps that are depended on, each with its condition; "" if none was written."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        if misfits := [
            Misfit("the name of an app", shown(item), item=index)
            for index, item in enumerate(value)
            if not isinstance(item, str)
        ]:
            raise MisfitError(*misfits)
        return tuple((name, "") for name in dict.fromkeys(value))
    if not isinstance(value, dict):
        raise MisfitError(Misfit(option.kind.value, shown(value)))
    words = ", ".join(f'"{word}"' for word in CONDITIONS)
    if misfits := [
        Misfit(f"one of {words} for {name}", shown(condition))
        for name, condition in value.items()
        if condition not in CONDITIONS
    ]:
        raise MisfitError(*misfits)
    return tuple(value.items())


def variable(name: str, value: object) -> str:
    """Returns the value of a variable in `[env]` as text.

    Raises MisfitError: no environment can hold the name or the value.
    """
    if not name or "=" in name or "\0" in name:
        raise MisfitError(Misfit("the name of a variable", quoted(name)))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and "\0" not in value:
        return value
    hint = "write it in quotes" if isinstance(value, (bool, float)) else ""
    raise MisfitError(Misfit("text or a whole number", shown(value), hint))


_READERS: dict[Kind, Callable[[str, Option, object], Any]] = {
    Kind.FLAG: _flag,
    Kind.TEXT: _text,
    Kind.MILLIS: _millis,
    Kind.PORT: _port,
    Kind.DURATION: _duration,
    Kind.TEXTS: _texts,
    Kind.ARGV: _texts,
    Kind.SIGNAL: _signal,
    Kind.CHOICE: _choice,
    Kind.READY: _ready,
    Kind.NEEDS: _needs,
}
