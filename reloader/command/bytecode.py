"""Python's byte code of files that were saved lately: removed before anything is started.

CPython takes a .pyc for its source's if both agree on the source's size and on its time of change
in whole seconds. So of two saves of one size within one second the second would run the first
one's code, at every start from then on.
"""

from __future__ import annotations

import contextlib
import os
import re
from functools import partial
from typing import TYPE_CHECKING

from reloader import files, threads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_PATIENCE = 0.5  # seconds for the removal, which takes less than one millisecond
_COMPILED_BY = 2.0  # seconds: whoever has read a file has written its byte code by then
PREFIX = "PYTHONPYCACHEPREFIX"
# A command line may set it too: `python -X pycache_prefix=DIR`, `sh -c 'PYTHONPYCACHEPREFIX=DIR'`.
_IN_COMMAND = re.compile(rf"(?:{PREFIX}|pycache_prefix)=([^\s\0'\"]+)")


class Bytecode:
    """Files that were saved, until no byte code of what they were can be left."""

    def __init__(self) -> None:
        self._saved: set[str] = set()  # since the last start of an app
        self._earlier: set[str] = set()  # before it: an app that still ended then may write late
        self._apart = threads.Apart()
        self._elsewhere = ""  # where byte code goes if that beside the sources can't be removed

    def saved(self, paths: Iterable[str]) -> None:
        """Notes files that were changed; `paths`: absolute."""
        self._saved.update(path for path in paths if path.endswith(".py"))

    def forget(self) -> None:
        """An app starts: what was saved before the last one has been cleared for good."""
        self._earlier, self._saved = self._saved, set()

    def clear(self, environ: Mapping[str, str], argv: Sequence[str], cwd: str) -> str:
        """Removes what was compiled from the files, wherever a process like this looks for it.

        Returns a sentence if that could not be done, "" otherwise; see `environ` for that case.
        """
        places = [self._elsewhere, environ.get(PREFIX, ""), *_IN_COMMAND.findall("\0".join(argv))]
        places = [os.path.join(cwd, place) for place in places if place]
        saved = self._saved | self._earlier
        if not saved:
            return ""
        clear = partial(_clear, saved, places, cwd, environ)
        stuck = self._apart.call(clear, _PATIENCE)
        if stuck is None:
            stuck = "byte code beside a file that was saved"  # on a mount that answers no more
        if not stuck or self._elsewhere:
            return ""
        return self._go_elsewhere(stuck)

    def environ(self) -> dict[str, str]:
        """Returns what to set for all that is started, if byte code is kept elsewhere."""
        return {PREFIX: self._elsewhere} if self._elsewhere else {}

    def close(self) -> None:
        """Removes the byte code that was kept elsewhere."""
        if self._elsewhere:
            import shutil

            shutil.rmtree(self._elsewhere, ignore_errors=True)

    def _go_elsewhere(self, stuck: str) -> str:
        import tempfile

        try:
            self._elsewhere = tempfile.mkdtemp(prefix="reloader-bytecode-")
        except OSError as error:
            return f"{stuck} is of an older save and can't be removed: {error.strerror}"
        return f"{stuck} is of an older save and can't be removed: byte code goes to {PREFIX}"


def _clear(
    paths: Iterable[str], places: Sequence[str], cwd: str, environ: Mapping[str, str]
) -> str:
    """Removes the byte code of these files; returns the path of what stays and is trusted."""
    spellings = _spellings(environ, cwd)
    stuck = ""
    for folder, stems in _by_folder(paths).items():
        caches = [f"{folder}/__pycache__"]
        for place in places:
            caches += (place + name for name in _named(folder, spellings))
        for cache in caches:
            stuck = _remove(cache, stems, folder) or stuck
    return stuck


def _by_folder(paths: Iterable[str]) -> dict[str, set[str]]:
    folders: dict[str, set[str]] = {}
    for path in paths:
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, set()).add(name[: -len(".py")])
    return folders


def _remove(cache: str, stems: set[str], folder: str) -> str:
    """Removes the byte code of these modules; returns the path of what stays and is trusted."""
    stuck = ""
    with contextlib.suppress(OSError):  # there is no such cache
        for name in os.listdir(cache):
            stem = _stem(name)
            if stem not in stems:
                continue
            path = f"{cache}/{name}"
            try:
                os.unlink(path)
            except FileNotFoundError:
                continue
            except OSError:
                stuck = path if _is_trusted(path, f"{folder}/{stem}.py") else stuck
    return stuck


def _stem(name: str) -> str:
    """Returns the module of "views.cpython-312.opt-1.pyc", or of one that a test runner made."""
    if not name.endswith(".pyc"):
        return ""
    return re.split(r"\.(?:cpython|pypy|graalpy)", name, maxsplit=1)[0]


def _is_trusted(pyc: str, source: str) -> bool:
    """Tells if CPython takes the one for the other's, and it may be of an older save (PEP 552)."""
    try:
        head = files.head(pyc, 16)
        made, about = os.stat(pyc), os.stat(source)
    except OSError:
        return False
    if made.st_ctime > about.st_ctime + _COMPILED_BY:
        return False
    flags, time, size = (int.from_bytes(head[at : at + 4], "little") for at in (4, 8, 12))
    if flags:
        return flags == 1  # holds a digest of the source, and nobody looks at that
    return (time, size) == (int(about.st_mtime) & 0xFFFFFFFF, about.st_size & 0xFFFFFFFF)


def _spellings(environ: Mapping[str, str], cwd: str) -> dict[str, str]:
    """Folders that a search path may name through a link, by what they are in truth."""
    named = [cwd, environ.get("PWD", ""), *environ.get("PYTHONPATH", "").split(os.pathsep)]
    paths = [os.path.join(cwd, name) for name in named if name]
    return {path: os.path.realpath(path) for path in paths}


def _named(folder: str, spellings: Mapping[str, str]) -> Iterator[str]:
    """The folder, and its names through links: below a prefix, byte code lies by name."""
    yield folder
    for path, real in spellings.items():
        if path != real and (folder == real or folder.startswith(real + "/")):
            yield path + folder[len(real) :]
