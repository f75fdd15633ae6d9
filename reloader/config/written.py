"""Values as somebody wrote them, each with its origin, and the problems found on the way. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reloader.errors import Problem
from reloader.light import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.config.model import Origin
    from reloader.config.values import MisfitError


@dataclass(frozen=True)
class Setting:
    """A value and its origin."""

    value: Any
    origin: Origin
    parts: tuple[Mapping[str, Origin], ...] = ()  # of tables: of each table, by key


Written = dict[str, Setting]  # by key: "build.cmd"


@dataclass
class Problems:
    """The errors, warnings and infos that were found while a config was read."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    infos: list[Problem] = field(default_factory=list)

    def misfits(self, where: str, name: str, error: MisfitError) -> None:
        """Adds the errors of a value that came from a flag or a variable."""
        for misfit in error.misfits:
            item = "" if misfit.item is None else f"item {misfit.item + 1}: "
            text = f"{name}{item}expected {misfit.expected}, found {misfit.found}"
            self.errors.append(Problem(text, where, misfit.hint))
