"""Names for what a build or an app writes, as the line of the config needs them that leaves it out.

A directory, "site/", where nobody else has files that are watched; else a glob for names that
differ only in numbers, or only before a common end; else the files themselves.

Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

SEVERAL = 2  # files make a directory
SHOWN = 5  # places in a text, at most
_NUMBER = re.compile(r"[0-9a-f]{8,}|\d+")  # a count, a time, a hash
_END = re.compile(r"[._-]\w+\.\w+$")  # "_templ.go", ".pb.go", "_pb2.py"


@dataclass(frozen=True)
class Places:
    """Directories with a slash at their end, globs and files; and how many files that were."""

    paths: tuple[str, ...] = ()
    files: int = 0

    def __bool__(self) -> bool:
        return bool(self.paths)

    def without(self, told: Collection[str]) -> Places:
        """Returns what is new beside these; one file more is not."""
        new = tuple(path for path in self.paths if not path.startswith(tuple(told)))
        kinds = tuple(path for path in new if path.endswith("/") or "*" in path)
        return Places(kinds if told else new, self.files)


def folder(path: str) -> str:
    return path.rpartition("/")[0]


def top(path: str) -> str:
    """Returns the topmost folder; "" for a file that lies in none."""
    return path.partition("/")[0] if "/" in path else ""


def kind_of(path: str) -> tuple[str, str]:
    """Returns the folder and the ending."""
    place, _, name = path.rpartition("/")
    return place, name.rpartition(".")[2]


def places_of(
    paths: Iterable[str], written: Mapping[str, int], others: Collection[str], *, renamed: bool
) -> Places:
    """Returns the places of `paths`; directories have a slash at their end.

    `written`: all that the build has written, and how many watched files lie in the directory of
    each, 0 if unknown; `others`: what people save; `renamed`: the names are new each time.
    """
    names = list(dict.fromkeys(paths))
    theirs = _alone(written, {place for path in others for place in _above(path)})
    found, loose = set(), []
    for path in names:
        place = next((place for place in _above(path) if place in theirs), None)
        found |= {f"{place}/"} if place else set()
        loose += [] if place else [path]
    found |= {like(path) for path in loose} if renamed else _by_end(loose)
    files = {path for path in written if theirs.intersection(_above(path))} | set(names)
    shown = tuple(sorted(found))
    return Places(shown, sum(path.startswith(shown) or path in loose for path in files))


def _alone(written: Mapping[str, int], shared: Collection[str]) -> set[str]:
    """Returns the directories in which, and below which, nobody else has files."""
    direct: dict[str, list[int]] = {}
    below: Counter[str] = Counter()
    for path, beside in written.items():
        direct.setdefault(folder(path), []).append(beside)
        below.update(_above(path))
    mixed = {place for place, beside in direct.items() if len(beside) < max(beside)}
    mixed |= {above for place in mixed for above in _above(place)}
    return {p for p in direct if p and below[p] >= SEVERAL and p not in mixed | set(shared)}


def _above(path: str) -> list[str]:
    """Returns the directories that a path lies in, the topmost first."""
    names = path.split("/")[:-1]
    return ["/".join(names[:depth]) for depth in range(1, len(names) + 1)]


def _by_end(paths: list[str]) -> set[str]:
    """Returns one glob for names that have an end of their own in common; else the paths."""
    ends = {end[0] if (end := _END.search(path)) else "" for path in paths}
    if len(paths) < SEVERAL or len(ends) > 1 or "" in ends:
        return set(paths)
    homes = {folder(path) for path in paths}
    home = homes.pop() if len(homes) == 1 else "**"
    return {f"{home}/*{ends.pop()}" if home else f"*{ends.pop()}"}


def like(path: str) -> str:
    """Returns a glob for the names that a path stands for: "out/run-*.json", "out/*/run.json"."""
    place, slash, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    stem, dot, ending = (stem, dot, ending) if stem else (name, "", "")
    if ending.isdigit():
        ending = "*"
    elif _NUMBER.search(stem):
        stem = _NUMBER.sub("*", stem)
    elif _NUMBER.search(place):
        place = _NUMBER.sub("*", place)
    elif dot:
        stem = "*"
    return f"{place}{slash}{stem}{dot}{ending}"


def exclude(paths: tuple[str, ...]) -> str:
    """Returns the line of the config that leaves the places out."""
    folders = [path[:-1] for path in paths if path.endswith("/")]
    files = [path for path in paths if not path.endswith("/")]
    lines = [("exclude_dir", folders), ("exclude_file", files)]
    quoted = ((key, ", ".join(f'"{name}"' for name in names)) for key, names in lines if names)
    return " and ".join(f"{key} = [{names}]" for key, names in quoted)


def in_words(paths: tuple[str, ...]) -> str:
    """Returns the places in words: "dist/, types/ and 3 more"."""
    more = len(paths) - SHOWN
    shown = ", ".join(paths[:SHOWN])
    return f"{shown} and {more} more" if more > 0 else shown
