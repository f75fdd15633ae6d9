"""What of a project counts, found with what the run itself uses to find it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reloader.filter.rules import Rules
from reloader.watch.registrar import Terms, Unguarded
from reloader.watch.tree import Tree

if TYPE_CHECKING:
    from reloader.config.model import Config


@dataclass(frozen=True)
class Survey:
    """The rules of a config, and what they find: by folder the names of the files that count."""

    rules: Rules
    folders: dict[str, tuple[str, ...]]

    def below(self, folder: str) -> int:
        """How many files in this folder and below it count."""
        prefix = folder.rstrip("/") + "/"
        places = (p for p in self.folders if p == folder or p.startswith(prefix))
        return sum(len(self.folders[place]) for place in places)

    def paths(self) -> list[str]:
        """Every file that counts."""
        return [f"{folder}/{name}" for folder, names in self.folders.items() for name in names]


def survey(config: Config) -> Survey:
    """Looks at all folders that a run would watch."""
    rules = Rules.of(config)
    terms = Terms(rules, lambda _: None, follow=config.build.follow_symlink)
    tree = Tree(terms, Unguarded())
    for root in rules.roots:
        tree.queue(root)
    tree.work(math.inf)
    return Survey(rules, {path: tuple(known.files) for path, known in tree.folders.items()})
