"""What a check found.

Pure.
"""

from __future__ import annotations

from enum import Enum

from reloader.light import dataclass


class Grade(Enum):
    """How a finding is to be taken."""

    OK = "ok"
    NOTE = "note"  # works, and could be better
    BAD = "bad"  # something will not work


@dataclass(frozen=True)
class Finding:
    """`what` is so; `why` it matters; `fix`: what to do."""

    topic: str
    grade: Grade
    what: str
    why: str = ""
    fix: str = ""
