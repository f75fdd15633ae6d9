"""`build.log`: failed builds, noted in a file of `tmp_dir`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from reloader import files
from reloader.core.news import BuildFailed
from reloader.report.text import duration, one_line

if TYPE_CHECKING:
    from reloader.core.news import News


class BuildLog:
    """Appends one line for each failed build; the file is made with the first of them.

    `private`: its directory lies in one that every user may write to; see `files.append`.
    """

    name = "build.log"

    def __init__(self, path: str, *, private: bool = False) -> None:
        self._path = path
        self._private = private

    def __call__(self, news: News) -> None:
        """Raises OSError where the file can't be written."""
        if not isinstance(news, BuildFailed):
            return
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        line = (
            f"{stamp} {one_line(news.why)} after {duration(news.seconds)}: {one_line(news.command)}"
        )
        files.append(self._path, line.encode(errors="replace") + b"\n", private=self._private)
