"""The text of one process on its way out: kept for later, and marked with the app's name.

Pure: bytes in, bytes out.
"""

from __future__ import annotations

LONG = 4096  # bytes of a line that is not held back, where no mark must go before it
KEPT = 65_536  # bytes of the end of the output: errors are at its end


class Tail:
    """The last bytes that a process has written."""

    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > 2 * KEPT:
            del self._data[:-KEPT]

    def text(self) -> str:
        return bytes(self._data[-KEPT:]).decode(errors="replace")


class Marker:
    """Puts a name before each line, and holds back a line until it is whole.

    A line that does not end (a prompt, a progress bar) comes out when `flush` is called.
    """

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        self._held = b""
        self._inside = False  # the mark of the current line is out already

    @property
    def is_holding(self) -> bool:
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """Returns all whole lines, each with its mark."""
        whole, newline, rest = (self._held + data).rpartition(b"\n")
        if not self._mark and len(rest) > LONG:
            self._held = b""
            return whole + newline + rest
        self._held = rest
        if not self._mark:
            return whole + newline
        if not newline:
            return b""
        lines = whole.split(b"\n")
        first = lines[0] if self._inside else self._mark + lines[0]
        self._inside = False
        return b"\n".join([first, *(self._mark + line for line in lines[1:])]) + b"\n"

    def flush(self) -> bytes:
        """Returns the line that has not ended."""
        if not self._held:
            return b""
        data = self._held if self._inside else self._mark + self._held
        self._held, self._inside = b"", True
        return data

    def end(self) -> bytes:
        """Returns what is left when the process has ended: its last line ends, too."""
        data = self.flush()
        ended, self._inside = self._inside and bool(self._mark), False
        return data + b"\n" if ended else data
