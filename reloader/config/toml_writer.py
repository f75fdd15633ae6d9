"""Values and whole configs as TOML.

Pure.
"""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Any

from reloader.config import model
from reloader.config.model import Kind, Layer, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.config.model import Config, Option

_COMMENT_COLUMN = 40


def toml(value: object, kind: Kind | None = None) -> str:
    """A value of the model as TOML writes it; a time with its unit."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        return str(value).lower()
    if kind is Kind.DURATION and isinstance(value, int | float):
        return f'"{value:g}s"' if value >= 1 else f'"{value * 1000:g}ms"'
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if kind is Kind.NEEDS and isinstance(value, tuple):
        return f"{{{', '.join(f' {name} = {toml(at)}' for name, at in value)} }}" if value else "[]"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(toml, value))}]"
    return str(value)


def effective(config: Config) -> Iterator[str]:
    """Yields the lines of the whole config of a run, with each value's origin as a comment.

    What the project or reloader decides at run time has no value and is a comment itself.
    """
    yield from _rows(config, "", config)
    if config.name:
        for key, option, _ in model.options(model.App):
            origin = config.origins.get(f"app.{key}", Origin(Layer.DEFAULT))
            yield _row(key, option, getattr(config.app, key), origin)
    for section in model.SECTIONS:
        yield from ("", f"[{section}]", *_rows(config, f"{section}.", getattr(config, section)))
        if section == "build":
            yield from _rules(config)
    if config.env:
        yield from ("", "[env]")
        for name, value in config.env.items():
            where = config.origins[f"env.{name}"].where
            yield f"{toml_key(name)} = {toml(value)}".ljust(_COMMENT_COLUMN) + f"  # {where}"


def toml_key(name: str) -> str:
    """Returns a key as TOML writes it: bare where it can be."""
    is_bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if is_bare else toml(name)


def value_of(config: Config, key: str) -> Any:
    """The value of "build.cmd"; of "env.NAME", too."""
    section, _, name = key.partition(".")
    value: Any = getattr(config, section)
    if section == "env" and name:
        return config.env[name]
    return getattr(value, name) if name else value


def _rows(config: Config, prefix: str, table: object) -> Iterator[str]:
    for key, option, _ in model.options():
        section, _, name = key.rpartition(".")
        if section == prefix.rstrip("."):
            origin = config.origins.get(key, Origin(Layer.DEFAULT))
            yield _row(name, option, getattr(table, name), origin)


def decided_later(option: Option, value: object, origin: Origin) -> bool:
    """The value stands for something that is decided at run time: `option.default` says what."""
    return value is None or (value == "" and origin.layer is Layer.DEFAULT and option.default != "")


def _row(name: str, option: Option, value: object, origin: Origin) -> str:
    row = f"{name} = {toml(value, option.kind)}"
    if decided_later(option, value, origin):
        row = f"# {name}: {option.default}"
    return row.ljust(_COMMENT_COLUMN) + f"  # {origin.where}"


def _rules(config: Config) -> Iterator[str]:
    where = config.origins.get("build.rules", Origin(Layer.DEFAULT)).where
    for rule in config.build.rules:
        yield ""
        yield "[[build.rules]]".ljust(_COMMENT_COLUMN) + f"  # {where}"
        for name, option, default in model.options(model.Rule):
            value = getattr(rule, name)
            if value != default:
                yield f"{name} = {toml(value, option.kind)}"
