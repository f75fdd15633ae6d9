"""`reloader run -c a.toml -c b.toml`: several apps in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.config.names import names
from reloader.errors import Problem, ReloaderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reloader.config.model import Config


def run_many(configs: Sequence[Config], *, json: bool) -> int:  # noqa: ARG001 -- not there yet
    """Until a signal ends them all; gives the exit status."""
    what = " and ".join(names([config.file for config in configs]))
    hint = "one reloader run -c FILE for each"
    raise ReloaderError(Problem(f"several apps in one run are not there yet: {what}", "-c", hint))
