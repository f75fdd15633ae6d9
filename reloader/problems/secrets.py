"""Hides secret values in text that is shown.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LEAST_SECRET = 6  # characters; shorter values would mask half the text
MASK = "•••"


def hidden(secrets: Iterable[str]) -> list[str]:
    """Returns the values that are to be hidden, longest first."""
    return sorted({s for s in secrets if len(s) >= LEAST_SECRET}, key=len, reverse=True)


def masked(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
