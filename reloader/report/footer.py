"""The last row of a terminal, kept for a line that is replaced while people wait.

The rows above it scroll by themselves (DECSTBM; xterm's ctlseqs, VT100 user guide), so that nobody
else who writes to the terminal is mixed into it, and nobody has to be stopped for it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reloader.report.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable

FEWEST_ROWS = 4  # of a terminal in which one can be spared


class Footer:
    """`draw` writes sequences to the terminal that is descriptor `fd`, and moves no text.

    `is_free()`: no program that may fill the screen has the terminal.
    """

    def __init__(self, draw: Callable[[str], None], fd: int, is_free: Callable[[], bool]) -> None:
        self._draw = draw
        self._is_free = is_free
        self._fd = fd
        self._rows = 0  # of the terminal, while the last one is kept

    @property
    def is_shown(self) -> bool:
        return self._rows > 0

    def show(self, text: str) -> bool:
        """Replaces the text; returns False if no row can be had."""
        if not self._is_free():
            self.hide()
            return False
        try:
            columns, rows = os.get_terminal_size(self._fd)
        except OSError:
            return False
        if rows != self._rows:
            self.hide()
            if rows < FEWEST_ROWS:
                return False
            self._rows = rows
            # A line feed first: the cursor may stand in the row that is taken.
            self._draw(f"\n\x1b7\x1b[1;{rows - 1}r\x1b8\x1b[1A")
        self._draw(f"\x1b7\x1b[{rows};1H\x1b[2K\x1b[2m{one_line(text)[: columns - 1]}\x1b[0m\x1b8")
        return True

    def hide(self) -> None:
        """Gives the row back."""
        if self._rows:
            self._draw(f"\x1b7\x1b[{self._rows};1H\x1b[2K\x1b[r\x1b8")
            self._rows = 0
