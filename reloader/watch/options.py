"""The options that all trees of a run share.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.filter.rules import FileFilter


@dataclass(frozen=True)
class ScanOptions:
    """The filter, and how a tree compares.

    Until a tree's first scan is done, a file that was never seen before has changed if its ctime
    is not before `since_ns` (wall clock); after it, always. `follow`: links to directories are
    followed. `by_content`: only other bytes are a change. `warn` may be called from any thread.
    """

    rules: FileFilter
    warn: Callable[[str], None]
    since_ns: int = 0
    follow: bool = False
    by_content: bool = False
