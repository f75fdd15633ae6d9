"""Names outside the tree whose change matters to a file or a folder in it.

A link that counts may lead anywhere; a root may be missing, or lie behind a link. Whoever watches
the folders that hold these names, and asks `waiting_for` whom a change concerns, misses neither.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import NamedTuple

from reloader.watch.symlinks import steps_to


class Way(NamedTuple):
    """The folders in which a name is waited for since now, and those in which none is any more."""

    came: tuple[str, ...]
    left: tuple[str, ...]


class Lookouts:
    """For each file or folder the names on the way to it, and who waits for each of them."""

    def __init__(self) -> None:
        self._steps: dict[str, tuple[str, ...]] = {}
        self._waiting: dict[str, set[str]] = {}  # name -> those that it leads to
        self._folders: Counter[str] = Counter()  # folder -> names that are waited for in it

    def follow(self, target: str, *, is_file: bool) -> Way:
        """Finds the way to a target anew.

        The file at the end of the way is one of the names; a folder at its end is not, if it is
        there: it is watched by itself.
        """
        steps = steps_to(target)
        if not is_file and os.path.isdir(steps[-1]):
            steps = steps[:-1]
        before = self._steps.get(target, ())
        self._steps[target] = steps
        left = [self._leave(target, step) for step in before if step not in steps]
        came = [step for step in steps if step not in before]
        for step in came:
            self._waiting.setdefault(step, set()).add(target)
            self._folders[os.path.dirname(step)] += 1
        return Way(
            tuple(os.path.dirname(step) for step in came),
            tuple(folder for folder in left if not self._folders[folder]),
        )

    def waiting_for(self, path: str) -> tuple[str, ...]:
        """Returns the files and folders that a change of this name may concern."""
        return tuple(self._waiting.get(path, ()))

    def all(self) -> tuple[str, ...]:
        """Returns every file and folder for which something is waited for."""
        return tuple(self._steps)

    def _leave(self, target: str, step: str) -> str:
        folder = os.path.dirname(step)
        self._folders[folder] -= 1
        self._waiting[step].discard(target)
        if not self._waiting[step]:
            del self._waiting[step]
        return folder
