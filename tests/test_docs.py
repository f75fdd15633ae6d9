"""What the docs say is what the program does."""

from __future__ import annotations

from pathlib import Path

from reloader.config.render import config_table
from reloader.core.life import LIFE
from reloader.report.reference import events_page
from tests.unit.test_machine import WISHED

ROOT = Path(__file__).parent.parent


def test_events_page_is_current():
    """docs/events.md is what the dataclasses give (python -m reloader.report.reference)."""
    assert (ROOT / "docs/events.md").read_text() == events_page()


def test_config_table_is_current():
    """The README's table is what config/model.py gives (python -m reloader.config.render)."""
    readme = (ROOT / "README.md").read_text()
    begin, end = "<!-- config table -->\n", "<!-- end of config table -->"
    assert readme.split(begin)[1].split(end)[0].strip() == config_table().strip()


def test_the_life_table_is_current():
    """docs/architecture.md has each cell of core/life.py, and no other."""
    rows = [
        f"| {life.name.lower()} | {event.name.lower().replace('_', ' ')} | {after.name.lower()} |"
        for (life, event), after in LIFE.items()
    ]
    text = (ROOT / "docs/architecture.md").read_text()
    shown = text.split("<!-- life -->\n")[1].split("<!-- end of life -->")[0]
    assert shown.splitlines()[2:] == rows


def test_the_table_of_keys_is_current():
    """docs/architecture.md says of each key in each life what the machine's tests hold."""
    words = {"": "waits", "Stop": "old out, new in", "Spawn": "started", "Paused": "nothing begins"}
    rows = [
        f"| {life.name.lower()} | {' | '.join(words[done] for done in row)} |"
        for life, row in WISHED.items()
    ]
    text = (ROOT / "docs/architecture.md").read_text()
    shown = text.split("<!-- keys -->\n")[1].split("<!-- end of keys -->")[0]
    assert shown.splitlines()[2:] == rows
