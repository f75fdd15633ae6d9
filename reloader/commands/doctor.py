"""`reloader doctor`: what is so, why it matters, what to do."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from reloader.checks import machine, project, watches
from reloader.checks.finding import Finding, Grade
from reloader.errors import Exit
from reloader.light import asdict
from reloader.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.config.model import Config
    from reloader.errors import ReloaderError


def doctor(config: Config | None, error: ReloaderError | None = None) -> Iterator[Finding]:
    """All findings, as they come; without a usable config (`error` says why) the machine's."""
    yield from machine.checks(config.root if config else os.getcwd())
    held = watches.read()
    yield from watches.findings(held)
    if config:
        yield Finding("config", Grade.OK, config.file or "no file: flags, environment, defaults")
        yield from project.checks(config, held)
    for problem in error.problems if error else ():
        what = f"{problem.where}: {problem.text}" if problem.where else problem.text
        fix = problem.hint or "reloader check says more"
        yield Finding("config", Grade.BAD, what, "nothing can be run", fix)


def line(finding: Finding, *, as_json: bool = False) -> str:
    """Lines for people, or one JSON object."""
    if as_json:
        return json.dumps(asdict(finding) | {"grade": finding.grade.value}) + "\n"
    texts = ((finding.topic, finding.what), ("  why", finding.why), ("  fix", finding.fix))
    grades = (finding.grade.value, "", "")
    return "".join(
        f"{grade:<5} {word:<11} {one_line(text)}\n"
        for grade, (word, text) in zip(grades, texts, strict=True)
        if text
    )


def summary(findings: list[Finding]) -> str:
    """How many of which grade, for people."""
    count = [finding.grade for finding in findings].count
    bad, notes = count(Grade.BAD), count(Grade.NOTE)
    if not (bad or notes):
        return "all is well\n"
    parts = [f"{bad} bad: will not work"] * bool(bad)
    parts += [f"{notes} to note: works, and could be better"] * bool(notes)
    return "; ".join(parts) + "\n"


def status(findings: list[Finding]) -> Exit:
    """1 if something will not work."""
    return Exit.FAILED if any(f.grade is Grade.BAD for f in findings) else Exit.OK
