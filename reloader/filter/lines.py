"""The lines of the config that the filter quotes, and the paths in them.

Pure.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from reloader.config.model import Layer, Origin

if TYPE_CHECKING:
    from reloader.config.model import Config


class ConfigLines:
    """The root that paths in a config begin at, and where each key was written."""

    def __init__(self, config: Config) -> None:
        self.root = posixpath.normpath(config.root)
        self._config = config

    def absolute(self, path: str) -> str:
        """Returns the absolute path of one that is written in the config."""
        return posixpath.normpath(posixpath.join(self.root, path))

    def relative(self, folder: str) -> str:
        """Returns the prefix of names in this folder, seen from the root: "", "a/b/", "../x/"."""
        below = posixpath.relpath(folder, self.root)
        return "" if below == "." else below + "/"

    def origin(self, key: str) -> Origin:
        """Returns where `build.KEY` was set."""
        return self._config.origins.get(f"build.{key}", Origin(Layer.DEFAULT))

    def because(self, key: str, value: str) -> str:
        """Returns the line for `build.KEY`: its value, and where it was written."""
        return f'build.{key} "{value}" ({self.origin(key).where})'

    def of_rule(self, number: int, key: str) -> str:
        """Returns where the key of one of [[build.rules]] was written."""
        origins = self._config.rule_origins
        own = origins[number] if number < len(origins) else {}
        return (own.get(key) or self.origin("rules")).where
