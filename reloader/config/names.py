"""Names the apps of one run after their config files.

Pure.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_USUAL = frozenset({"air", "reload", "reloader", "toml", "conf", "template", "pyproject", "config"})


def names(files: Sequence[str], apps: Sequence[str] = ()) -> tuple[str, ...]:
    """A short, distinct name for each: `.air.worker.toml` is "worker", `api/.air.toml` is "api".

    Of a file's `[apps.NAME]` it is that name (`apps` has one for each file, "" for a file that is
    one app). Where the file's name says nothing, the folder's does; where that is the same, a
    number.
    """
    apps = apps or ("",) * len(files)
    own = [app or _own(file) for file, app in zip(files, apps, strict=True)]
    found = []
    for file, name in zip(files, own, strict=True):
        folder = _folder(file)
        is_alone = name and own.count(name) == 1
        found.append(name if is_alone else "/".join(filter(None, (folder, name))) or "app")
    return tuple(_distinct(found))


def _own(file: str) -> str:
    parts = posixpath.basename(file).split(".")
    return "-".join(part for part in parts if part and part.lower() not in _USUAL)


def _folder(file: str) -> str:
    folder = posixpath.dirname(posixpath.normpath(file))
    name = posixpath.basename(folder)
    if name == ".config":
        name = posixpath.basename(posixpath.dirname(folder))
    return "" if name in ("", ".", "..") else name


def _distinct(found: list[str]) -> list[str]:
    result: list[str] = []
    for name in found:
        candidate, number = name, 2
        while candidate in result:
            candidate, number = f"{name}-{number}", number + 1
        result.append(candidate)
    return result
