"""From a file to a table whose keys know their lines.

The only place that reads a config file and knows tomli.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from reloader import files
from reloader.config.lines import Path, locate, loosened
from reloader.errors import ConfigError, Problem
from reloader.light import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGEST = 1_000_000  # bytes; the largest of 145 real files has 2,435
_WIDEST = 100  # characters of a line that an error repeats


@dataclass(frozen=True)
class Document:
    """A config file that was read: what it says, and in which line."""

    name: str  # as the user knows it
    table: Mapping[str, Any]
    lines: Mapping[Path, int] = field(default_factory=dict)
    prefix: Path = ()  # of every key: ("tool", "reloader") in a pyproject.toml
    path: str = ""  # where it lies, absolute

    def where(self, path: Path) -> str:
        """`FILE:LINE` of a key; of the table around it if it has no line of its own."""
        full = (*self.prefix, *path)
        while full and full not in self.lines:
            full = full[:-1]
        return f"{self.name}:{self.lines.get(full, 1)}"

    def below(self, *keys: str) -> Document | None:
        """The document whose keys are those of the table at `keys`; None: there is no such key.

        Raises ConfigError: what is there is not a table.
        """
        table: Any = self.table
        for depth, key in enumerate(keys, 1):
            if key not in table:
                return None
            table = table[key]
            if not isinstance(table, dict):
                name = ".".join(keys[:depth])
                raise ConfigError(
                    Problem(f"expected a table [{name}]", where=self.where(keys[:depth]))
                )
        return replace(self, table=table, prefix=(*self.prefix, *keys))


def parse(text: str, name: str, path: str = "") -> Document:
    """The document that `text` is; `name` is for messages, `path` is where it lies.

    Raises ConfigError: not TOML; says line, column and what tomli expected.
    """
    import tomli

    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    try:
        return Document(name, tomli.loads(text), locate(text), path=path)
    except tomli.TOMLDecodeError as error:
        raise ConfigError(_syntax_problem(str(error), text, name)) from None
    except RecursionError:
        raise ConfigError(Problem("nested too deep to be a config", where=name)) from None
    except ValueError as error:  # a number of thousands of digits
        raise ConfigError(Problem(f"a value can't be read: {error}", where=name)) from None


def _syntax_problem(message: str, text: str, name: str) -> Problem:
    """The problem with its line and a caret. tomli says the place in words: 2.0 has no fields."""
    what, _, place = message.rpartition(" (at ")
    lines = text.split("\n")
    if found := re.match(r"line (\d+), column (\d+)\)", place):
        line, column = int(found[1]), int(found[2])
    else:  # "end of document"
        line = max((n for n, content in enumerate(lines, 1) if content.strip()), default=1)
        column = len(lines[line - 1]) + 1
    start = max(0, column - _WIDEST)
    content = lines[line - 1][start : start + _WIDEST]
    content = "".join(char if char.isprintable() else " " for char in content)  # one column each
    gutter = f"  {line} | "
    caret = " " * (len(gutter) - 2) + "| " + " " * (column - 1 - start) + "^"
    sentence, hint = _in_our_words(what, lines[line - 1])
    place = f"{name}:{line}:{column}"
    return Problem(sentence, place, hint, (gutter + content, caret))


_HINTS = {
    "Invalid value": "texts stand in quotes; true, false and numbers don't",
    "Unclosed array": "a comma goes between two items, and ] behind the last",
    "Unescaped '\\' in a string": "write \\\\, or put the text in single quotes",
    "Expected newline or end of document after a statement": "each key has a line of its own",
}


def _in_our_words(what: str, line: str) -> tuple[str, str]:
    """Returns tomli's message as a sentence of reloader's, and a hint."""
    if found := re.match(r"Cannot declare \((.+?),?\) twice", what):
        table = f"[{found[1].replace(', ', '.')}]".replace("'", "")
        return f"expected each table once, found {table} again", "put its keys in one place"
    if what == "Cannot overwrite a value":
        key = line.partition("=")[0].strip()
        return f"expected each key once, found {key} again", "keep one of the two"
    return what[:1].lower() + what[1:], _HINTS.get(what, "")


def read(path: str, name: str, *, loose: bool = False) -> str:
    """The text of the config file at `path`; `name` is for messages.

    `loose`: as Air's reader has it, comments may hold any bytes and lines may end in CR.

    Raises ConfigError: not there, not a regular file, not readable, larger than `LARGEST`, not
    UTF-8 text. Never blocks: a FIFO without a writer is refused like any special file.
    """
    try:
        content = files.read(path, LARGEST)
    except files.SpecialFileError as error:
        text = f"expected a config file, found {error.kind}"
        if error.kind == "a link":  # followed, so it leads to itself
            text = "the config file can't be read: too many levels of symbolic links"
        problem = Problem(text, name)
    except files.TooLargeError:
        problem = Problem(f"expected a config file, found more than {LARGEST:,} bytes", name)
    except OSError as error:
        problem = _unreadable(path, name, error)
    else:
        return _decoded(content, name, loose=loose)
    raise ConfigError(problem)


def _decoded(content: bytes, name: str, *, loose: bool) -> str:
    if loose and "\ufffd" not in (text := loosened(content.decode(errors="replace"))):
        content = text.encode()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{content[error.start]:02x}"
        raise ConfigError(
            Problem(
                f"expected UTF-8, found {found}",
                where=f"{name}:{line}",
                hint="save the file as UTF-8",
            )
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError(Problem("expected text, found a NUL character", where=f"{name}:{line}"))
    return text


def _unreadable(path: str, name: str, error: OSError) -> Problem:
    if os.path.islink(path) and isinstance(error, FileNotFoundError):
        return Problem(
            f"expected a config file, found a link to {os.readlink(path)}, which is not there",
            where=name,
        )
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return Problem(
            "no such config file",
            where=name,
            hint="reloader init writes a .reload.toml",
        )
    if "\0" in path:
        return Problem("no file can have this name", where=name)
    reason = (error.strerror or str(error)).lower()
    return Problem(f"the config file can't be read: {reason}", where=name)
