"""`build.log`: failed builds, noted in a file of `tmp_dir`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from reloader.core.news import BuildFailed
from reloader.report.text import duration, one_line

if TYPE_CHECKING:
    from reloader.core.news import News


class BuildLog:
    """Appends one line for each failed build; the file is made with the first of them."""

    name = "build.log"

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, news: News) -> None:
        """Raises OSError where the file can't be written."""
        if not isinstance(news, BuildFailed):
            return
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        line = (
            f"{stamp} {one_line(news.why)} after {duration(news.seconds)}: {one_line(news.command)}"
        )
        # Never through a link: the folder may be one that others can write to.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        fd = os.open(self._path, flags, 0o644)
        try:
            os.write(fd, line.encode(errors="replace") + b"\n")
        finally:
            os.close(fd)
