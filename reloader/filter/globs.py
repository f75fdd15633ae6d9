"""Names that never count, and Go's file patterns.

Pure.
"""

from __future__ import annotations

import re

# Folders that hold no sources of the project. Hidden ones (.git, .venv, the tools' caches) need no
# list: no hidden folder is watched unless it is named.
NEVER = frozenset({"node_modules", "venv", "__pycache__", "__pypackages__", "CVS"})

# What editors put beside a file while they save it, or while it is open.
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
)
_TEMPORARY_STARTS = frozenset(".#4s")

# With include_ext = ["*"] these don't count either: what runs or builds write, nobody edits.
_MADE = re.compile(
    r".*\.(?:py[cod]|o|obj|a|lib|so|dylib|dll|exe|class|beam)"
    r"|.*\.(?:log|pid|sock|tmp|temp|part|bak|orig|rej)"
    r"|.*\.log\.\d+"
    r"|.*\.(?:db|sqlite3?)(?:-(?:journal|wal|shm))?"
    r"|\.DS_Store|Thumbs\.db|desktop\.ini|\.coverage(?:\..*)?|nohup\.out|core\.\d+"
)


def is_temporary(name: str) -> bool:
    """It is an editor's own file, gone in a moment."""
    return name.endswith(_TEMPORARY_ENDS) or (
        name[:1] in _TEMPORARY_STARTS and _TEMPORARY.fullmatch(name) is not None
    )


def is_made(name: str) -> bool:
    """It is a log, a database, an object file …: written by programs only."""
    return _MADE.fullmatch(name) is not None


def is_glob(text: str) -> bool:
    return any(char in text for char in "*?[")


def glob(pattern: str) -> re.Pattern[str]:
    r"""A pattern for whole paths, with "/" between the names.

    As Go's filepath.Match: `*` and `?` stay within one name, `[^a-z]` negates, `\` quotes. More:
    `**` is any number of folders. A `[` that nothing closes is just that character.
    """
    out: list[str] = []
    at = 0
    while at < len(pattern):
        if found := re.compile(r"(?<![^/])\*\*(/|$)").match(pattern, at):
            out.append("(?:[^/]+/)*" if found[1] else ".*")
        elif found := re.compile(r"\*+").match(pattern, at):
            out.append("[^/]*")
        elif found := re.compile(r"\?").match(pattern, at):
            out.append("[^/]")
        elif found := re.compile(r"\[(\^?)((?:\\.|[^\]\\])+)\]", re.DOTALL).match(pattern, at):
            out.append(f"(?!/)[{found[1]}{_class(found[2])}]")
        else:
            found = re.compile(r"\\?(.)|\\", re.DOTALL).match(pattern, at)
            assert found is not None  # noqa: S101 -- one of the two always matches
            out.append(re.escape(found[1] or "\\"))
        at = found.end()
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error:  # a range like z-a: for Go a pattern that matches nothing
        return re.compile(re.escape(pattern))


def _class(inside: str) -> str:
    """The inside of a class, with what only Python finds special quoted."""
    return re.sub(r"\\.|[\[&|~^]", lambda m: m[0] if m[0][0] == "\\" else "\\" + m[0], inside)
