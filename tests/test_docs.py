"""What the docs say is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

from distribution import man
from reloader.config.render import config_table
from reloader.report.reference import events_page
from tests.faults.catalogue import all_faults
from tests.faults.promises import table
from tests.helpers import tables

ROOT = Path(__file__).parent.parent


def test_events_page_is_current():
    """docs/events.md is what the dataclasses give (python -m reloader.report.reference)."""
    assert (ROOT / "docs/events.md").read_text() == events_page()


def test_the_man_page_is_current():
    """It is what the command line's tables give (python -m distribution.man)."""
    assert man.PAGE.read_text() == man.page()


def test_config_table_is_current():
    """The README's table is what config/model.py gives (python -m reloader.config.render)."""
    readme = (ROOT / "README.md").read_text()
    begin, end = "<!-- config table -->\n", "<!-- end of config table -->"
    assert readme.split(begin)[1].split(end)[0].strip() == config_table().strip()


def test_the_tables_of_the_machine_are_current():
    """docs/architecture.md has its lives, rules and keys (python -m tests.helpers.tables)."""
    text = (ROOT / "docs/architecture.md").read_text()
    assert tables.page(text) == text


def test_the_table_of_faults_is_current():
    """docs/reliability.md promises what each fault's docstring says, no more and no less."""
    text = (ROOT / "docs/reliability.md").read_text()
    rows = text.split("| test | what is true |")[1].split("<!-- end of table -->")[0].splitlines()
    shown = [row.split(" | ")[:2] for row in rows[2:-1]]
    faults = [fault for fault in all_faults() if not fault.id.startswith("W")]
    assert shown == [[f"| {fault.id}", fault.promise] for fault in faults]
    line = re.search(
        r"^faults (\d+)/(\d+) survived · skipped (\d+) .* (\d+)/(\d+) bite$", text, re.MULTILINE
    )
    assert line
    survived, played, skipped, bit, controls = map(int, line.groups())
    assert played + skipped == len(all_faults())
    assert survived == played == bit == controls


def test_what_is_promised_in_short_has_its_tests():
    """Each number that the short list names is a fault, and each fault is named there."""
    text = (ROOT / "docs/reliability.md").read_text()
    short = text.split("## In short\n")[1].split("\n## ")[0]
    ids = [fault.id for fault in all_faults() if not fault.id.startswith("W")]
    named = set(re.findall(r"\b[A-Z]\d\d[a-z]?\b", short))
    assert named <= set(ids)
    for first, last in re.findall(r"\b([A-Z]\d\d)\s+to\s+([A-Z]\d\d)\b", short):
        named |= {name for name in ids if first <= name <= last}
    assert named == set(ids)


def test_the_promises_of_watching_are_current():
    """docs/reliability.md has the docstrings of tests/faults/watching.py, and their controls."""
    text = (ROOT / "docs/reliability.md").read_text()
    begin = "<!-- python -m tests.faults.promises W -->\n"
    assert text.split(begin)[1].split("\n<!-- end of promises -->")[0] == table("W")
