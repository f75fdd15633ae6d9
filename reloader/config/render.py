"""The table of options for readers: Markdown for docs/config.md.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reloader.config.model import App, Option, Rule, options
from reloader.config.toml_writer import toml

if TYPE_CHECKING:
    from collections.abc import Iterator


def config_table() -> str:
    """Every key with default and meaning, as a Markdown table; a star: Air doesn't have it."""
    rows = ["| key | default | meaning |", "|---|---|---|"]
    rows += [_row(*entry) for entry in _entries()]
    return "\n".join(rows) + "\n"


def default_text(option: Option, default: object) -> str:
    """The default in words if it depends on the project, else as TOML writes it."""
    return option.default or f"`{toml(default)}`"


def _entries() -> Iterator[tuple[str, Option, Any]]:
    """The rules come after `[build]`, which they belong to."""
    in_build = False
    for key, option, default in options():
        if in_build and not key.startswith("build."):
            yield from options(Rule, "build.rules[].")
        in_build = key.startswith("build.")
        yield key, option, default
    yield from options(App, "apps.NAME.")


def _row(key: str, option: Option, default: object) -> str:
    mark = r" \*" if option.here_only else ""
    cells = (f"`{key}`{mark}", default_text(option, default), option.help)
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


if __name__ == "__main__":  # for docs/config.md, which a test compares with this
    import sys

    sys.stdout.write(config_table())
