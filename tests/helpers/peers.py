"""The README's table of peers: figures that docs/watching.md and docs/reliability.md have measured.

`python -m tests.helpers.peers` writes it into the README; a test compares.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
BEGIN, END = "<!-- peers -->\n", "<!-- end of peers -->"
TOOLS = {  # column of the README: the columns of watching.md and of reliability.md
    "reloader": ("reloader", "reloader"),
    "nodemon": ("nodemon", "nodemon"),
    "Air": ("Air", "Air"),
    "watchexec": ("watchexec", "watchexec"),
    "watchfiles": ("watchfiles", "watchfiles"),
    "watchmedo": ("watchmedo auto-restart", "watchmedo"),
    "entr": ("entr", "entr"),
}
SAVES = {
    "save → new process": ("in place", 0),
    "starts for one `git checkout`, 500 files": ("`git checkout`, 500 files", 1),
    "starts for one file written slowly": ("slow writer, a new file", 1),
}


def rows_of(text: str, head: str) -> list[dict[str, str]]:
    """The rows of the Markdown table whose head begins so, by column."""
    lines = text[text.index(head) :].split("\n\n", maxsplit=1)[0].splitlines()
    cells = [[cell.strip() for cell in line.strip("| \n").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[2:] if len(row) == len(cells[0])]


def table() -> str:
    saves = rows_of((ROOT / "docs/watching.md").read_text(), "| median ms / starts a save")
    faults = rows_of((ROOT / "docs/reliability.md").read_text(), "| test | what is true | reloader")
    lines = ["| | " + " | ".join(TOOLS) + " |", "|---" * (len(TOOLS) + 1) + "|"]
    for title, (way, part) in SAVES.items():
        (row,) = (row for row in saves if next(iter(row.values())) == way)
        cells = [cell(row[column].split(" / "), part) for column, _ in TOOLS.values()]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    asked = [row for row in faults if row["Air"] != "n/a"]
    counts = [sum(row[column] == "yes" for row in asked) for _, column in TOOLS.values()]
    title = f"survives, of {len(asked)} faults"
    lines.append(f"| {title} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(lines) + "\n"


def cell(parts: list[str], part: int) -> str:
    if part == 0:
        return f"{parts[0]} ms"
    lost = f", {parts[2]} of 10" if len(parts) > 2 else ""
    return f"{float(parts[1]):g}{lost}"


def page(text: str) -> str:
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    README.write_text(page(README.read_text()))
