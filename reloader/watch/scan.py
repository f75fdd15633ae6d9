"""One scan of a project, with the filter and the tree that a run uses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reloader.light import dataclass
from reloader.watch.gitfiles import filter_of
from reloader.watch.options import ScanOptions
from reloader.watch.tree import Tree

if TYPE_CHECKING:
    from reloader.config.model import Config
    from reloader.filter.rules import FileFilter


@dataclass(frozen=True)
class ProjectScan:
    """The filter of a config, and by folder the names of the files that count."""

    rules: FileFilter
    folders: dict[str, tuple[str, ...]]

    def below(self, folder: str) -> int:
        """Returns how many files in this folder and below it count."""
        prefix = folder.rstrip("/") + "/"
        places = (p for p in self.folders if p == folder or p.startswith(prefix))
        return sum(len(self.folders[place]) for place in places)

    def paths(self) -> list[str]:
        """Returns every file that counts."""
        return [f"{folder}/{name}" for folder, names in self.folders.items() for name in names]


def scan(config: Config) -> ProjectScan:
    """Looks at all folders that a run would watch."""
    rules = filter_of(config)
    tree = Tree(ScanOptions(rules, lambda _: None, follow=config.build.follow_symlink))
    tree.work(math.inf)
    found = {path: tuple(seen.files) for path, seen in tree.folders.items()}
    return ProjectScan(rules, found)


def count_files(tree: Tree) -> int:
    """Returns how many files count; what the config and the filter are read from does not."""
    total = 0
    for path, seen in list(tree.folders.items()):
        names = tree.rules.unlisted & seen.files.keys()
        place = tree.rules.folder(path) if names else None
        total += len(seen.files) - sum(1 for n in names if place and not place.decide(n).needs)
    return total


def count_beside(tree: Tree, path: str) -> int:
    """Returns how many files lie in the directory of a file, with it; 0 if that is unknown."""
    parent, _, name = path.rpartition("/")
    seen = tree.folders.get(parent or "/")
    return len(seen.files) + (name not in seen.files) if seen else 0
