"""Text that came from outside, made safe for one line of a terminal or a log.

Commands print through `say` alone, and reports through `one_line`.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable

# Control characters, lone surrogates (bytes that are no UTF-8), and what turns a line around:
# shown as escapes, never executed by a terminal.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def one_line(text: str) -> str:
    """The text with every unsafe character as an escape like those of Python's strings."""
    return _UNSAFE.sub(lambda match: _escape(match.group()), text)


def say(lines: Iterable[str], stream: TextIO | None) -> None:
    """Writes lines; whatever stands in them, each stays one line and commands no terminal.

    `stream` is None if it was closed when reloader started; then nothing is written.
    Raises OSError if it can't be written, BrokenPipeError if its reader has gone.
    """
    if stream is None:
        return
    encoding = stream.encoding or "utf-8"
    text = "".join(f"{one_line(line)}\n" for line in lines)
    try:
        stream.write(text.encode(encoding, "replace").decode(encoding))
        stream.flush()
    except OSError:
        _drop(stream)
        raise


def _drop(stream: TextIO) -> None:
    """Sends what is left in a stream nowhere; else the interpreter tries it once more at exit."""
    null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(null, stream.fileno())
    os.close(null)


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # surrogateescape: a byte of a name that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def duration(seconds: float) -> str:
    """Returns the time in the unit that reads best: 0.82s, 14.1s, 3m 5s, 2h 7m."""
    if seconds < 10:
        return f"{seconds:.2f}s"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest}s"
    return f"{minutes // 60}h {minutes % 60}m"
