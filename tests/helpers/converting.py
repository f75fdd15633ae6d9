"""`reloader init --from`, as the command line does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.commands import init

if TYPE_CHECKING:
    from collections.abc import Mapping


def convert(cwd: str, source: str, environ: Mapping[str, str], *, force: bool) -> str:
    """Writes the config; returns what is said."""
    planned = init.convert(cwd, source, environ)
    init.write(cwd, planned.text, force=force)
    return planned.said
