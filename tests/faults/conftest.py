"""`make test` plays the quick faults, `make faults` (`-m faults`) all; one line says the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "faults: one of the catalogue of faults")
    config.addinivalue_line("markers", "quick: a fault that `make test` plays, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "faults" in config.option.markexpr or config.option.keyword:
        return
    late = [i for i in items if i.path.is_relative_to(HERE) and not i.get_closest_marker("quick")]
    items[:] = [item for item in items if item not in late]
    config.hook.pytest_deselected(items=late)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """`faults N/N survived · skipped S (why) · negative controls N/N bite`."""

    def ended(test: str, *outcomes: str) -> list[pytest.TestReport]:
        reports = [r for o in outcomes for r in terminalreporter.stats.get(o, [])]
        return [r for r in reports if f"::{test}[" in r.nodeid]

    counts = []
    for test, word in (("test_survives", "survived"), ("test_control_bites", "bite")):
        good = len(ended(test, "passed"))
        counts.append((good, good + len(ended(test, "failed", "error", "xfailed")), word))
    (good, played, _), (bite, controls, _) = counts
    if not played:
        return
    skipped = ended("test_survives", "skipped")
    why = "; ".join(sorted(f"{name_of(r)}: {reason_of(r)}" for r in skipped))
    broken = ", ".join(sorted(map(name_of, ended("test_survives", "failed", "xfailed"))))
    line = f"faults {good}/{played} survived" + (f" (not {broken})" if broken else "")
    line += f" · skipped {len(skipped)}" + (f" ({why})" if why else "")
    line += f" · negative controls {bite}/{controls} bite"
    terminalreporter.write_line(line, green=good == played, red=good != played, bold=True)


def name_of(report: pytest.TestReport) -> str:
    return report.nodeid.partition("[")[2].rstrip("]")


def reason_of(report: pytest.TestReport) -> str:
    return (
        report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
    )
