"""`reloader doctor`: what is so, why it matters, what to do."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from typing import TYPE_CHECKING

from reloader.checks import machine, project
from reloader.checks.finding import Finding, Grade
from reloader.errors import Exit

if TYPE_CHECKING:
    from reloader.config.model import Config
    from reloader.errors import ReloaderError

_MARKS = {Grade.OK: "ok", Grade.NOTE: "--", Grade.BAD: "!!"}


def doctor(config: Config | None, error: ReloaderError | None = None) -> list[Finding]:
    """All findings; without a usable config (`error` says why) those of the machine."""
    findings = list(machine.checks(config.root if config else os.getcwd()))
    if config:
        findings += project.checks(config)
    for problem in error.problems if error else ():
        what = f"{problem.where}: {problem.text}" if problem.where else problem.text
        findings.append(Finding("config", Grade.BAD, what, fix=problem.hint))
    return findings


def render(findings: list[Finding], *, as_json: bool = False) -> str:
    """Lines for people, or one JSON object a line."""
    if as_json:
        return "".join(json.dumps(asdict(f) | {"grade": f.grade.value}) + "\n" for f in findings)
    lines = []
    for finding in findings:
        lines.append(f"{_MARKS[finding.grade]} {finding.topic:<12} {finding.what}")
        lines += [f"   {'':<12} {text}" for text in (finding.why, finding.fix) if text]
    return "\n".join(lines) + "\n"


def status(findings: list[Finding]) -> Exit:
    """1 if something will not work."""
    return Exit.FAILED if any(f.grade is Grade.BAD for f in findings) else Exit.OK
