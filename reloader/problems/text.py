"""Turns terminal output into text: colours kept apart, controls taken out. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

# Sequences of terminals, and characters that change how others are shown. "\r" and "\b" come later.
_SEQUENCE = re.compile(
    r"\x1b\[(?P<sgr>[0-9;:]*)m"
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # OSC and other strings
    r"|\x1b[ -/]*[0-~]?"
    r"|[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


class Run(NamedTuple):
    """A piece of text in one style: words like "red" and "bold", in order; "" is plain."""

    text: str
    style: str = ""


def plain(text: str) -> str:
    """Returns the text as it is read: no colours, no controls, overwritten lines as they ended."""
    if "\x1b" in text or not text.isprintable():
        text = _SEQUENCE.sub("", text)
    return "\n".join(map(_overwritten, text.split("\n"))) if "\r" in text or "\b" in text else text


def runs(text: str) -> tuple[Run, ...]:
    """Returns the same text with its colours."""
    made: list[Run] = []
    style: frozenset[str] = frozenset()
    for line in text.split("\n"):
        at = 0
        pieces: list[Run] = []
        for match in _SEQUENCE.finditer(line):
            pieces.append(Run(line[at : match.start()], _named(style)))
            at = match.end()
            if match["sgr"] is not None:
                style = _after(style, match["sgr"])
        pieces.append(Run(line[at:], _named(style)))
        whole = "".join(piece.text for piece in pieces)
        if "\r" in whole.rstrip("\r") or "\b" in whole:
            pieces = [Run(_overwritten(whole))]
        made += pieces
        made.append(Run("\n"))
    return _joined(made[:-1])


def _overwritten(line: str) -> str:
    """Returns what a progress line shows at its end: of `10 %`, return, `20 %` only the second."""
    shown: list[str] = []
    at = 0
    for char in line.rstrip("\r"):
        if char == "\r":
            at = 0
        elif char == "\b":
            at = max(0, at - 1)
        else:
            shown[at : at + 1] = [char]
            at += 1
    return "".join(shown)


def _joined(pieces: list[Run]) -> tuple[Run, ...]:
    joined: list[Run] = []
    for piece in pieces:
        text = piece.text.rstrip("\r")
        if not text:
            continue
        if joined and joined[-1].style == piece.style:
            joined[-1] = Run(joined[-1].text + text, piece.style)
        else:
            joined.append(Run(text, piece.style))
    return tuple(joined)


def _named(style: frozenset[str]) -> str:
    return " ".join(sorted(style))


def _after(style: frozenset[str], codes: str) -> frozenset[str]:
    """The style after these codes; of 256 colours and of RGB nothing is shown."""
    if ":" in codes:
        return style
    numbers = [int(code[:4] or 0) for code in codes.split(";")]
    while numbers:
        code = numbers.pop(0)
        if code in (38, 48):
            del numbers[: {5: 2, 2: 4}.get(numbers[0] if numbers else 0, 1)]
        elif code == 0:
            style = frozenset()
        elif code in (1, 2, 3, 4):
            style |= {("bold", "dim", "italic", "underline")[code - 1]}
        elif code == 22:
            style -= {"bold", "dim"}
        elif code in (23, 24):
            style -= {"italic" if code == 23 else "underline"}
        elif 30 <= code <= 37 or 90 <= code <= 97:
            style = style.difference(_COLOURS) | {_COLOURS[code % 10]}
        elif code == 39:
            style = style.difference(_COLOURS)
    return style
