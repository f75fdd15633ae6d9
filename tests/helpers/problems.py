"""Warnings and infos of a config, as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.errors import Problem


def lines(problems: Iterable[Problem]) -> tuple[str, ...]:
    return tuple(problem.line for problem in problems)
