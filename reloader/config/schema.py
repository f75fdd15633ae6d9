"""The JSON schema of a config file, for editors that complete and check TOML.

`schema.json` beside this file is what it gives (python -m reloader.config.schema); a test compares.
Pure.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reloader.config import model
from reloader.config.model import CONDITIONS, App, Kind, Rule, options
from reloader.config.render import default_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.config.model import Option

FILE = "schema.json"
_TEXT = {"type": "string"}
_TEXTS = {"type": "array", "items": _TEXT}
_TIME = {"type": "string", "pattern": r"^([0-9.]+(ns|us|µs|ms|s|m|h))+$|^0$"}
_NUMBER = {"type": "integer", "minimum": 0}
_FORMS: dict[Kind, dict[str, Any]] = {
    Kind.FLAG: {"type": "boolean"},
    Kind.TEXT: _TEXT,
    Kind.MILLIS: {"anyOf": [_NUMBER, _TIME]},
    Kind.PORT: {"type": "integer", "minimum": 0, "maximum": 65535},
    Kind.DURATION: {"anyOf": [_TIME, _NUMBER]},
    Kind.TEXTS: {"anyOf": [_TEXTS, _TEXT]},
    Kind.ARGV: {"anyOf": [_TEXTS, _TEXT]},
    Kind.SIGNAL: {"type": ["string", "integer"]},
    Kind.READY: {"type": "string"},
    Kind.NEEDS: {
        "anyOf": [
            *(_TEXTS, _TEXT),
            {"type": "object", "additionalProperties": {"enum": list(CONDITIONS)}},
        ]
    },
}


def schema() -> dict[str, Any]:
    """Returns the JSON schema of a `.reload.toml`."""
    rows = {key: _row(option, default) for key, option, default in options()}
    tables = {section: _table(rows, f"{section}.") for section in model.SECTIONS}
    build = tables["build"]["properties"]
    rule = {key: _row(option, default) for key, option, default in options(Rule)}
    needed = [
        _any_of("cmd", "then", "signal"),
        _any_of("include_dir", "include_ext", "include_file"),
    ]
    build["rules"] = {
        "type": "array",
        "description": "Files that run a command of their own.",
        "items": _closed(rule) | {"allOf": needed},
    }
    for platform in model.PLATFORMS:
        build[platform] = _closed({name: build[name] for name in model.PLATFORM_KEYS})
    shared = {key: row for key, row in rows.items() if "." not in key} | tables
    shared["env"] = {
        "type": "object",
        "description": "Variables for the app, its build and its hooks; they go before all others.",
        "additionalProperties": {"type": ["string", "integer"]},
    }
    app = {key: _row(option, default) for key, option, default in options(App)}
    apps = {
        "type": "object",
        "description": "Apps of their own; the tables above are what they share.",
        "additionalProperties": _closed(
            app | {name: {"$ref": f"#/properties/{name}"} for name in shared}
        ),
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "reloader",
        **_closed(shared | {"apps": apps}),
    }


def text() -> str:
    """The schema as it is shipped."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def _table(rows: dict[str, Any], prefix: str) -> dict[str, Any]:
    inside: Iterable[str] = (key for key in rows if key.startswith(prefix))
    return _closed({key.removeprefix(prefix): rows[key] for key in inside})


def _any_of(*keys: str) -> dict[str, Any]:
    return {"anyOf": [{"required": [key]} for key in keys]}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _row(option: Option, default: object) -> dict[str, Any]:
    words = f"{option.help} Default: {default_text(option, default)}"
    words_or_flag = [*option.choices, *((True, False) if "true" in option.choices else ())]
    form = {"enum": words_or_flag} if option.choices else _FORMS[option.kind]
    return {"description": words, **form}


if __name__ == "__main__":
    import sys

    sys.stdout.write(text())
