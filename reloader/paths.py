"""Path helpers without I/O.

Pure.
"""

from __future__ import annotations


def is_below(path: str, folder: str) -> bool:
    """Or the folder itself; both absolute and normal."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
