"""Names that never count, and Go's file patterns.

Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reloader.filter.wildcards import Glob, go_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

# Folders that hold no sources of the project. Hidden ones (.git, .venv, the tools' caches) need no
# list: no hidden folder is watched unless it is named.
NEVER = frozenset(
    {"node_modules", "venv", "__pycache__", "__pypackages__", "CVS"}
    | {"site-packages", "dist-packages"}  # of a virtual environment whose folder is the project
)

# Files that editors and tools put beside a file while they save, check or copy it.
_TEMPORARY_ENDS = (
    "~",  # emacs, vim, kate, joe …: backup
    ".swp",  # vim, nano
    ".swx",
    "___jb_tmp___",  # JetBrains
    "___jb_old___",
    "___jb_bak___",
    ".kate-swp",
    ".vsctmp",
    ".crswap",  # a browser's editor
    ".rsync-partial",
    ".!sync",  # Resilio
)
_TEMPORARY = re.compile(
    r"4913"  # vim: can I write here?
    r"|\.#.*|#.*#"  # emacs: lock, auto-save
    r"|\..*\.sw[a-p]"  # vim: the second swap file and on
    r"|\.goutputstream-.*"  # gedit, GLib
    r"|sed\w{6}"  # sed -i
    r"|\.subl\w+\.tmp"  # Sublime
    r"|\.~lock\..*#"  # LibreOffice
    r"|\.nfs[0-9a-f]{8,}|\.fuse_hidden.*"  # deleted, but still open
    r"|\._.*"  # AppleDouble: macOS on a file system of another kind
    r"|flycheck_.+"  # Emacs: the copy that is checked; and Flymake's, below
    r"|\.syncthing\..*|~syncthing~.*"
    r"|\.mutagen-.*|\.unison\..*|\.dropbox.*"
    r"|\.[^.].*\.\w+\.(?=\w*[A-Z0-9])\w{6}"  # rsync: .app.py.Ab3dE6
    r"|\..+\.~[0-9a-f]+"  # Nextcloud, ownCloud
    r"|\.~.+|~\$.+|~.+\.tmp"  # Dropbox, Office
)
_TEMPORARY_STARTS = frozenset(".#4s~f")
_WRAPPING_STARTS = frozenset(".~#")
_FLYMAKE = re.compile(r".+_flymake(?:\.\w+)?")

# With include_ext = ["*"] these don't count either: what runs or builds write, nobody edits.
_MADE = re.compile(
    r".*\.(?:py[cod]|o|obj|a|lib|so|dylib|dll|exe|class|beam)"
    r"|.*\.(?:log|pid|sock|tmp|temp|part|bak|orig|rej)"
    r"|.*\.log\.\d+"
    r"|.*\.(?:db|sqlite3?)(?:-(?:journal|wal|shm))?"
    r"|\.DS_Store|Thumbs\.db|desktop\.ini|\.coverage(?:\..*)?|nohup\.out|core\.\d+"
)


def is_temporary(name: str) -> bool:
    """Returns True for an editor's or a tool's own file, which is gone in a moment."""
    if name.endswith(_TEMPORARY_ENDS) or (
        name[:1] in _TEMPORARY_STARTS and _TEMPORARY.fullmatch(name) is not None
    ):
        return True
    return "_flymake" in name and _FLYMAKE.fullmatch(name) is not None


def wraps_a_neighbour(name: str, neighbours: Iterable[str]) -> bool:
    """Returns True for a hidden name around the name of a file beside it: ".app.py.k3Zq".

    Tools that are not known by name write such files, and take them away. A neighbour counts if it
    is no hidden file itself and has an extension: ".env.local" beside ".env" is a file like others.
    """
    if name[:1] not in _WRAPPING_STARTS:
        return False
    return any(
        other in name and "." in other[1:] and other[0] not in _WRAPPING_STARTS
        for other in neighbours
        if other != name
    )


def is_made(name: str) -> bool:
    """Returns True for a log, a database, an object file …: only programs write these."""
    return _MADE.fullmatch(name) is not None


def is_glob(text: str) -> bool:
    return any(char in text for char in "*?[")


def glob(pattern: str) -> Glob:
    """Returns a pattern for whole paths, as Go's filepath.Match has them, and `**`."""
    return go_pattern(pattern)
