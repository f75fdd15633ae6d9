"""What the docs say is what the program does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from distribution import man
from reloader.arguments import divide, read
from reloader.cli import _CHECK, _DOCTOR, _EXPLAIN, _RUN, COMMANDS
from reloader.commands import table as commands
from reloader.config.render import config_table
from reloader.errors import ConfigError
from reloader.report.reference import events_page
from tests.docs.pages import blocks
from tests.faults.catalogue import all_faults
from tests.faults.promises import table
from tests.helpers import peers, tables

ROOT = Path(__file__).parent.parent


PAGES = sorted(
    {
        path
        for place in (ROOT / "docs", ROOT / "examples", ROOT / "benchmarks")
        for path in (*place.rglob("*.md"), *ROOT.glob("*.md"))
    }
)
# A home, a checkout or a temporary directory of one machine; /tmp/main and the like are examples.
MACHINE = re.compile(r"/(root|home/(?!me/)\w+|work|Users/\w+|tmp/(pytest|tmp)\w*|private)/")
INDEX = re.compile(r"\b(pypi|pythonhosted|npmjs|crates|golang|maven|test\.pypi)\.(org|com|io)\b")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_is_for_every_machine(page):
    """No block and no sentence names a path of one machine, or the host of a package index."""
    text = page.read_text()
    assert not (found := MACHINE.search(text)), found
    assert not (found := INDEX.search(text)), found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_of_a_page_exists(page):
    """Every command of reloader in a block has flags that there are; goals of make, too."""
    goals = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for block in blocks(page.read_text()):
        if block.title or block.language not in ("", "sh", "console"):
            continue
        for line in block.body.splitlines():
            if not line.removeprefix("$ ").startswith(("reloader ", "make ")):
                continue
            words = shlex.split(line.removeprefix("$ ").replace("…", ""), comments=True)
            if words[0] == "make" and len(words) > 1 and "=" not in words[1]:
                assert words[1] in goals, line
            if words[0] == "reloader" and not {"|", "[run]"} & set(line.split()):
                check_flags(words[1:], line)


def check_flags(words, line):
    if words[:1] and words[0] in COMMANDS and words[0] not in ("run", "check", "explain", "doctor"):
        return  # they have a parser of their own; the pages are played
    name = words.pop(0) if words[:1] and words[0] in COMMANDS else "run"
    grammar = {"check": _CHECK, "explain": _EXPLAIN, "doctor": _DOCTOR}.get(name, _RUN)
    ours, _, _ = divide(words) if grammar is _RUN else (words, [], [])
    if not {"-h", "--help", "--version"} & set(ours):
        try:
            read(grammar, ours)
        except ConfigError as error:
            raise AssertionError(f"{line}: {error}") from None


def test_events_page_is_current():
    """docs/events.md is what the dataclasses give (python -m reloader.report.reference)."""
    assert (ROOT / "docs/events.md").read_text() == events_page()


def test_the_table_of_peers_is_current():
    """The README's figures are those of the pages that measured (python -m tests.helpers.peers)."""
    text = peers.README.read_text()
    assert peers.page(text) == text


def test_the_man_page_is_current():
    """It is what the command line's tables give (python -m distribution.man)."""
    assert man.PAGE.read_text() == man.page()


def test_the_page_of_commands_is_current():
    """docs/commands.md is what the table gives (python -m reloader.commands.table)."""
    assert (ROOT / "docs/commands.md").read_text() == commands.page()


def test_each_command_is_in_the_table():
    """What can be typed and what is told are the same."""
    assert set(COMMANDS) == set(commands.helps())


def test_config_table_is_current():
    """docs/config.md has what config/model.py gives (python -m reloader.config.render)."""
    text = (ROOT / "docs/config.md").read_text()
    begin, end = "<!-- config table -->\n", "<!-- end of config table -->"
    assert text.split(begin)[1].split(end)[0].strip() == config_table().strip()


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
