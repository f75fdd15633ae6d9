"""The findings of `check` and `doctor`, and their forms.

Pure.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reloader.errors import Problem


class Level(Enum):
    """The severity of a finding."""

    ERROR = "error"  # it can't be used, or will not work
    WARNING = "warning"  # it works, and is probably not meant, or could be better
    INFO = "info"  # good to know, nothing to do


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `topic`: "mount"; "" for a key of the config."""

    topic: str
    level: Level
    message: str
    why: str = ""  # why it matters
    hint: str = ""  # what to do
    where: str = ""  # "FILE:LINE", "FILE:LINE:COLUMN", a flag or a variable
    excerpt: tuple[str, ...] = ()  # lines of the file, with a mark

    @classmethod
    def of(cls, level: Level, problem: Problem, topic: str = "", why: str = "") -> Finding:
        return cls(
            topic, level, problem.text, why, problem.hint, problem.where, tuple(problem.excerpt)
        )

    @property
    def place(self) -> tuple[str, int]:
        """Returns file and line; "" and 0 for a flag or a variable."""
        found = re.fullmatch(r"(.+?):(\d+)(?::\d+)?", self.where, re.DOTALL)
        return (found[1], int(found[2])) if found else ("", 0)

    def lines(self) -> Iterator[str]:
        """Yields `FILE:LINE: level: message`, which editors know, and what to do about it."""
        where = f"{self.where}: " if self.where else ""
        yield f"{where}{self.level.value}: {self.message}"
        yield from self.excerpt
        yield from (f"  why: {self.why}",) * bool(self.why)
        yield from (f"  hint: {self.hint}",) * bool(self.hint)

    def rows(self) -> Iterator[str]:
        """Yields lines in columns: level, topic, and what there is to say."""
        head = f"{self.where}: {self.message}" if self.where else self.message
        level = "ok" if self.level is Level.INFO else self.level.value
        yield f"{level:<8} {self.topic:<11} {head}"
        for word, text in (("why", self.why), ("hint", self.hint)):
            if text:
                yield f"{'':<8} {'  ' + word:<11} {text}"

    def record(self) -> dict[str, object]:
        """Returns the finding for --json. `line` is null where there is none."""
        file, line = self.place
        return {
            "level": self.level.value,
            "topic": self.topic or None,
            "file": file or None,
            "line": line or None,
            "where": self.where,
            "message": self.message,
            "why": self.why,
            "hint": self.hint,
        }


def summary(findings: Iterable[Finding]) -> str:
    """Returns how many there are of which level: "1 error, 2 warnings"."""
    levels = [finding.level for finding in findings]
    counts = [
        f"{number} {level.value}{'s' * (number > 1)}"
        for level in (Level.ERROR, Level.WARNING)
        if (number := levels.count(level))
    ]
    return ", ".join(counts)
