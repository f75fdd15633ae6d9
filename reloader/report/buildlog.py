"""`build.log`: failed builds and their problems, noted in a file of `tmp_dir`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reloader import files
from reloader.core.news import BuildFailed, ProblemsFound
from reloader.report.text import duration, one_line

if TYPE_CHECKING:
    from reloader.core.news import News


class BuildLog:
    """Appends a line for each failed build, and one for each problem that its output names.

    The file is made with the first of them.

    `private`: its directory lies in one that every user may write to; see `files.append`.
    """

    name = "build.log"

    def __init__(self, path: str, *, private: bool = False) -> None:
        self._path = path
        self._private = private

    def __call__(self, news: News) -> None:
        """Raises OSError where the file can't be written."""
        match news:
            case BuildFailed(command, why, seconds):
                stamp = time.strftime("%Y-%m-%d %H:%M:%S")
                self._add(f"{stamp} {one_line(why)} after {duration(seconds)}: {one_line(command)}")
            case ProblemsFound("build", problems):
                for found in problems:
                    place = ":".join(str(part) for part in (found.path, found.line) if part)
                    self._add(f"  {one_line(place)} {one_line(found.message)}")

    def _add(self, line: str) -> None:
        files.append(self._path, line.encode(errors="replace") + b"\n", private=self._private)
