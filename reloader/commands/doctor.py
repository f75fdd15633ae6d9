"""`reloader doctor`: the state of this machine and project, why it matters, what to do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reloader.checks import machine, project, python, watches
from reloader.checks.finding import Finding, Level, summary
from reloader.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.config.model import Config
    from reloader.errors import ReloaderError


def doctor(config: Config | None, error: ReloaderError | None = None) -> Iterator[Finding]:
    """Yields all findings, as they come.

    Without a usable config (`error` says why) they are those of the machine.
    """
    yield from machine.checks(config.root if config else os.getcwd())
    held = watches.read()
    yield from watches.findings(held)
    if config:
        source = config.file or "no file: flags, environment, defaults"
        yield Finding("config", Level.INFO, source)
        yield from project.checks(config, held)
        yield from python.checks(config, os.environ)
    for problem in error.problems if error else ():
        yield Finding.of(Level.ERROR, problem, "config", "nothing can be run")


def conclusion(findings: list[Finding]) -> str:
    """Returns the last line."""
    return summary(findings) or "no problems found"


def status(findings: list[Finding]) -> Exit:
    """Returns 1 if something will not work, else 0."""
    return Exit.FAILED if any(f.level is Level.ERROR for f in findings) else Exit.OK
