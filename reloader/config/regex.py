"""Go's regular expressions (RE2 syntax), for Python's `re`.

Air's files hold patterns written for Go. What means the same in both is left alone, what is
written differently is translated, and what `re` has no words for is refused by name. What only
Python knows, such as a look-ahead, is let through. Syntax: https://github.com/google/re2/wiki/Syntax

Pure.
"""

from __future__ import annotations

import re

from reloader.config.linear import Matcher, UnsupportedError

_LAST = 0x10FFFF
_POSIX: dict[str, str] = {  # ASCII only, as in Go; pairs of first and last character
    "alnum": "09AZaz",
    "alpha": "AZaz",
    "ascii": "\0\x7f",
    "blank": "\t\t  ",
    "cntrl": "\0\x1f\x7f\x7f",
    "digit": "09",
    "graph": "!~",
    "lower": "az",
    "print": " ~",
    "punct": "!/:@[`{~",
    "space": "\t\r  ",
    "upper": "AZ",
    "word": "09AZ__az",
    "xdigit": "09AFaf",
}
_REFUSED = {
    "p": "Unicode classes (\\p) can't be used; write the characters out: [a-zA-Z]",
    "P": "Unicode classes (\\P) can't be used; write the characters out: [^a-zA-Z]",
    "C": "\\C (one byte) can't be used; write a dot",
}
_RUNAWAY = "so many repeats beside a look-around or a reference may search for ever"
_UNGREEDY = "the flag U (ungreedy) can't be used; write .*? instead of .*"


class RegexError(ValueError):
    """A pattern that can't be used: why, and where in it (from 0)."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} at position {position}")
        self.reason = reason
        self.position = position


def compiled(text: str) -> Matcher:
    """Returns the pattern, ready to search with; no search takes long.

    Raises RegexError: with the position in `text`, whatever became of it in the translation.
    """
    translator = _Translator(text)
    translated = translator.run()
    try:
        return Matcher(translated)
    except re.error as error:
        raise RegexError(error.msg, translator.source_of(error.pos or 0)) from None
    except (OverflowError, RecursionError):
        raise RegexError("too large", 0) from None
    except UnsupportedError as error:
        raise RegexError(_RUNAWAY, translator.source_of(error.args[0])) from None


def translate(text: str) -> str:
    """The pattern in Python's syntax, with Go's meaning.

    Raises RegexError: it uses something that `re` can't do.
    """
    return _Translator(text).run()


class _Translator:
    """One pass over the pattern; each method takes one construct and writes it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.out: list[tuple[int, str]] = []  # where in the text a piece comes from, the piece
        self.open: list[int] = []  # where the groups that are open begin
        self.flags: list[list[str]] = [[]]  # the `(?i)` in force: outside, and in each open group
        # In multi-line mode `$` means the same in both; else Python's also matches before "\n".
        self.dollar = "$" if re.search(r"\(\?[a-z]*m", text) else r"\Z"

    def run(self) -> str:
        while self.at < len(self.text):
            self._next()
        if self.open:
            raise RegexError("missing ), unterminated group", self.open[-1])
        self._write(")" * len(self.flags[0]))
        return "".join(piece for _, piece in self.out)

    def source_of(self, position: int) -> int:
        """Returns the place in the text of the character at `position` of the translation."""
        source = 0
        for source, piece in self.out:
            position -= len(piece)
            if position < 0:
                return source
        return source

    def _next(self) -> None:
        char = self.text[self.at]
        if char == "\\":
            self._escape()
        elif char == "[":
            self._bracket()
        elif char == "(":
            self._open()
        elif char == ")":
            self._close()
        elif char == "|":
            flags = self.flags[-1]
            self._write(")" * len(flags) + "|" + "".join(flags), take=1)
        elif char == "$":
            self._write(self.dollar, take=1)
        elif self.text.startswith("{,", self.at):  # for Python a repetition, for Go just text
            self._write(r"\{", take=1)
        else:
            self._write(char, take=1)

    def _write(self, piece: str, take: int = 0) -> None:
        self.out.append((self.at, piece))
        self.at += take

    def _refuse(self, reason: str) -> RegexError:
        return RegexError(reason, self.at)

    def _open(self) -> None:
        """A group of any kind, or flags from here to the end of the group."""
        found = re.compile(r"\(\?([a-zA-Z]*(?:-[a-zA-Z]+)?)([:)])").match(self.text, self.at)
        if found and "U" in found[1]:
            raise self._refuse(_UNGREEDY)
        if found and found[2] == ")":
            # Python wants such flags at the very start, or on a group of their own.
            group = f"(?{found[1]}:"
            self.flags[-1].append(group)
            self._write(group, take=len(found[0]))
            return
        self.open.append(self.at)
        self.flags.append([])
        if found:
            self._write(found[0], take=len(found[0]))
        elif re.compile(r"\(\?<[^=!]").match(self.text, self.at):
            self._write("(?P<", take=3)
        else:
            self._write("(", take=1)

    def _close(self) -> None:
        if not self.open:
            raise self._refuse("no group is open")
        self.open.pop()
        self._write(")" * (len(self.flags.pop()) + 1), take=1)

    def _escape(self) -> None:
        code = self.text[self.at + 1 : self.at + 2]
        if code in _REFUSED:
            raise self._refuse(_REFUSED[code])
        if code == "Q":
            end = self.text.find(r"\E", self.at)
            literal = self.text[self.at + 2 : end if end >= 0 else None]
            self._write(re.escape(literal), take=len(literal) + (4 if end >= 0 else 2))
        elif code == "z":
            self._write(r"\Z", take=2)
        elif code and code in "dDwWsSbB":
            self._write(_ascii("\\" + code), take=2)
        elif found := re.compile(r"\\x\{([0-9A-Fa-f]+)\}").match(self.text, self.at):
            self._write(re.escape(self._character(found[1])), take=len(found[0]))
        else:
            self._write("\\" + code, take=2)

    def _character(self, hexadecimal: str) -> str:
        number = int(hexadecimal, 16)
        if number > _LAST:
            raise self._refuse(f"no character has the number {hexadecimal}")
        return chr(number)

    def _bracket(self) -> None:
        """A class like `[^a-z[:digit:]]`; its end is found here, for nothing else may end it."""
        start = self.at
        self.at += 2 if self.text.startswith("[^", start) else 1
        items: list[str] = []
        while not items or not self.text.startswith("]", self.at):
            if self.at >= len(self.text):
                self.at = start
                raise self._refuse("missing ], unterminated class")
            items.append(self._class_item())
        self.at += 1
        head = "[^" if self.text.startswith("[^", start) else "["
        piece = head + "".join(items) + "]"
        self.out.append((start, _ascii(piece) if re.search(r"\\[dDwWsS]", piece) else piece))

    def _class_item(self) -> str:
        """One character, one range or one named class, as Python writes it."""
        if found := re.compile(r"\[:(\^?)(\w+):\]").match(self.text, self.at):
            if found[2] not in _POSIX:
                raise self._refuse(f"no class has the name [:{found[2]}:]")
            self.at += len(found[0])
            return _ranges(_POSIX[found[2]], negated=bool(found[1]))
        low = self._class_character()
        if self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2] not in (
            "]",
            "",
        ):
            self.at += 1
            return f"{low}-{self._class_character()}"
        return low

    def _class_character(self) -> str:
        char = self.text[self.at]
        if char != "\\":
            self.at += 1
            # `re` warns of `[[` and `--`, which it may one day read as set operations.
            return "\\" + char if char in "[]-&|~^" else char
        code = self.text[self.at + 1 : self.at + 2]
        if code in _REFUSED:
            raise self._refuse(_REFUSED[code])
        found = re.compile(r"\\x\{([0-9A-Fa-f]+)\}").match(self.text, self.at)
        if found:
            char = re.escape(self._character(found[1]))
            self.at += len(found[0])
            return char
        found = re.compile(r"\\(?:x..|[0-7]{1,3}|.)", re.DOTALL).match(self.text, self.at)
        if not found:
            raise self._refuse("missing character after \\")
        self.at += len(found[0])
        return found[0]


def _ascii(piece: str) -> str:
    r"""Go's `\w`, `\d`, `\s` and `\b` know ASCII only."""
    return f"(?a:{piece})"


def _ranges(pairs: str, *, negated: bool) -> str:
    """The inside of a class that holds these ranges, or all characters but these."""
    ends = [(ord(pairs[i]), ord(pairs[i + 1])) for i in range(0, len(pairs), 2)]
    if negated:
        starts = [0, *(high + 1 for _, high in ends)]
        stops = [*(low - 1 for low, _ in ends), _LAST]
        ends = [(low, high) for low, high in zip(starts, stops, strict=True) if low <= high]
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ends)
