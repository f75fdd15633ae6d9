"""Writes the answers of commands to standard output."""

from __future__ import annotations

import sys

from reloader.errors import Exit
from reloader.report.text import say


class OutputError(Exception):
    """Standard output can't be written: a full disk, an I/O error."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.reason = (error.strerror or str(error)).lower()


def write(*lines: str) -> int:
    """Writes lines; returns exit status 0. Raises BrokenPipeError, or OutputError."""
    try:
        say(lines, sys.stdout)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(error) from None
    return Exit.OK


def write_text(text: str) -> int:
    """Writes lines that are one text."""
    return write(*text.rstrip("\n").split("\n"))
