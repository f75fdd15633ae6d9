"""`reloader doctor`: the state of this machine and project, why it matters, what to do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reloader.checks import machine, project, python, watches
from reloader.checks.finding import Finding, Level, summary
from reloader.errors import Exit
from reloader.light import replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reloader.config.model import Config
    from reloader.errors import Problem


def doctor(configs: Sequence[Config], problems: Sequence[Problem] = ()) -> Iterator[Finding]:
    """Yields all findings, as they come.

    `configs`: that of the run, or one for each of its apps; without a usable one (`problems` says
    why) the findings are those of the machine.
    """
    yield from machine.checks(configs[0].root if configs else os.getcwd())
    held = watches.read()
    yield from watches.findings(held)
    if configs:
        source = configs[0].file or "no file: flags, environment, defaults"
        yield Finding("config", Level.INFO, source)
    for config in configs:
        for finding in (*project.checks(config, held), *python.checks(config, os.environ)):
            name = f"{config.name}: " if config.name else ""
            yield replace(finding, message=f"{name}{finding.message}")
    for problem in problems:
        yield Finding.of(Level.ERROR, problem, "config", "nothing can be run")


def conclusion(findings: list[Finding]) -> str:
    """Returns the last line."""
    return summary(findings) or "no problems found"


def status(findings: list[Finding]) -> Exit:
    """Returns 1 if something will not work, else 0."""
    return Exit.FAILED if any(f.level is Level.ERROR for f in findings) else Exit.OK
