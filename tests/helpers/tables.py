"""The tables of docs/architecture.md, made from the machine itself.

`python -m tests.helpers.tables` writes them into the page; a test compares.
"""

from __future__ import annotations

from pathlib import Path

from reloader.core.life import LIFE
from reloader.core.machine import RULES
from tests.unit.test_machine import WISHED

PAGE = Path(__file__).parents[2] / "docs/architecture.md"
WORDS = {"": "waits", "Stop": "old out, new in", "Spawn": "started", "Paused": "nothing begins"}


def words(name: str) -> str:
    return name.lower().replace("_", " ")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def lives() -> str:
    rows = [
        (words(life.name), words(event.name), words(after.name))
        for (life, event), after in LIFE.items()
    ]
    return table(("life", "what happens", "life after"), rows)


def keys() -> str:
    rows = [(words(life.name), *(WORDS[done] for done in row)) for life, row in WISHED.items()]
    return table(("life of the app", "restart", "build", "pause"), rows)


def rules() -> str:
    rows = [
        (
            words(rule.name),
            rule.fires,
            ", ".join(guard.name for guard in rule.needs) or "-",
            rule.orders or "-",
        )
        for rule in RULES
    ]
    return table(("rule", "fires when", "and only if", "orders"), rows)


TABLES = {"life": lives, "keys": keys, "rules": rules}


def page(text: str) -> str:
    """Returns the page with its tables as they are now."""
    for name, made in TABLES.items():
        before, rest = text.split(f"<!-- {name} -->\n")
        after = rest.split(f"<!-- end of {name} -->")[1]
        text = f"{before}<!-- {name} -->\n{made()}<!-- end of {name} -->{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
