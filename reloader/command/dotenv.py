r"""The language of env files: godotenv's lines, as Air reads them, with compose's interpolation.

Pure.

- `NAME=value` or `NAME: value`, one a line; `export ` may stand before; `#` begins a comment at the
  start of a line or after a blank. Names: letters, digits, `_` and `.`.
- A line with a bare `NAME` takes the value from the environment outside, as in compose and in
  `docker --env-file`; if there is none, the name is left out.
- Unquoted values end with the line, without the blanks around them. Single quotes keep everything
  as it is. In double quotes `\n` and `\r` are line ends and any other `\x` is x. Both may span
  lines.
- `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}`, `${NAME+other}`,
  `${NAME:?message}` and `${NAME?message}` are replaced, except in single quotes; a default may hold
  more of them; with the colon an empty value counts as unset. `\$` is a dollar sign. The value set
  outside comes first, as it does for the app, then what stands before in the file.
  Unlike godotenv: lower-case names count too, `$5` stays (a password, not a name), and `a="1"b` is
  an error.
- Of a name that comes twice, the last value counts.
- A line that can't be read costs that line: it is reported and the rest of the file is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Fault:
    """A line that can't be read; `text` never holds a value, which may be a secret."""

    line: int
    text: str


@dataclass(frozen=True)
class Parsed:
    """Names and values in the order of the file, and the lines that were left out."""

    pairs: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()


class _FaultError(Exception):
    """Raised with the text of a Fault."""


_SKIP = re.compile(r"(?:[ \t\v\f\r\n]|#[^\n]*)*")  # between two statements
_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z0-9_.]+)[ \t]*[=:][ \t\v\f\r]*")
_BARE = re.compile(r"(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_.]*[ \t\v\f\r]*(?=\n|\Z|(?<=[ \t])#)")
_SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_AFTER_QUOTE = re.compile(r"[ \t\v\f\r]*(?:#[^\n]*)?(?:\n|\Z)")
_COMMENT = re.compile(r"(?<=[ \t\v\f])#")
_BEGIN = r"\$(?:(\{)([A-Za-z_][A-Za-z0-9_]*)|([A-Za-z_][A-Za-z0-9_]*))"
_IN_DOUBLE = re.compile(r"\\(.)|" + _BEGIN + r"|(\})", re.DOTALL)
_IN_PLAIN = re.compile(r"\\(\$)|" + _BEGIN + r"|(\})")
_OPERATOR = re.compile(r"\}|:?[-+?]")
_ESCAPES = {"n": "\n", "r": "\r"}
_DEEPEST = 20  # levels of `${A:-${B:-…}}`; nobody writes more than three


def parse(text: str, outer: Mapping[str, str], before: Mapping[str, str] | None = None) -> Parsed:
    """Returns what a file says.

    References find what is set `outer`, then what stands before in this file, then what stood
    `before` in other files.
    """
    known: dict[str, str] = {**(before or {})}
    pairs, faults = [], []
    for line, name, value, language in _statements(text.replace("\r\n", "\n")):
        if not name:
            faults.append(Fault(line, value))
            continue
        try:
            known[name] = _Expansion(value, language, outer, known).run() if language else value
        except _FaultError as error:
            faults.append(Fault(line, f"{name} is left out: {error}"))
        else:
            pairs.append((name, known[name]))
    return Parsed(tuple(pairs), tuple(faults))


def _statements(text: str) -> Iterator[tuple[int, str, str, re.Pattern[str] | None]]:
    """Yields line, name, raw value, and the pattern of what has a meaning in the value.

    The name is "" for a line that can't be read; then the value tells why.
    """
    at, line, counted = _skip(text, 0), 1, 0
    while at < len(text):
        line, counted = line + text.count("\n", counted, at), at
        name = _NAME.match(text, at)
        if bare := None if name else _BARE.match(text, at):
            at = _skip(text, bare.end())
            continue
        try:
            if not name:
                raise _FaultError("expected NAME=value")  # noqa: TRY301 -- one way out for all
            value, language, end = _value(text, name.end())
            if "\0" in value:
                raise _FaultError("holds a NUL byte")  # noqa: TRY301
            yield line, name[1], value, language
        except _FaultError as error:
            yield line, "", str(error), None
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
        at = _skip(text, end)


def _value(text: str, at: int) -> tuple[str, re.Pattern[str] | None, int]:
    """Returns the raw value, the pattern of what has a meaning in it, and where it ends."""
    for mark, quoted, language in (("'", _SINGLE, None), ('"', _DOUBLE, _IN_DOUBLE)):
        if not text.startswith(mark, at):
            continue
        if not (value := quoted.match(text, at)):
            raise _FaultError("the quote has no end")
        if not (rest := _AFTER_QUOTE.match(text, value.end())):
            raise _FaultError("expected nothing more after the closing quote")
        return value[1], language, rest.end()
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    comment = _COMMENT.search(text, at, end)
    return text[at : comment.start() if comment else end].strip(" \t\v\f\r"), _IN_PLAIN, end


def _skip(text: str, at: int) -> int:
    match = _SKIP.match(text, at)
    return match.end() if match else at


class _Expansion:
    """One pass over a value; replaces references and escapes."""

    def __init__(
        self,
        text: str,
        language: re.Pattern[str],
        outer: Mapping[str, str],
        known: Mapping[str, str],
    ) -> None:
        self._text = text
        self._language = language
        self._outer = outer
        self._known = known
        self._at = 0

    def run(self) -> str:
        return self._until_brace(0)

    def _until_brace(self, depth: int) -> str:
        """Returns the expanded text up to the `}` that closes this level, or to the end at level 0.

        Raises _FaultError if that brace is missing.
        """
        if depth > _DEEPEST:
            raise _FaultError("${…} is nested too deep")
        pieces = []
        while found := self._language.search(self._text, self._at):
            pieces.append(self._text[self._at : found.start()])
            self._at = found.end()
            if found[5] and depth:
                return "".join(pieces)
            pieces.append(found[5] or self._replaced(found, depth))
        if depth:
            raise _FaultError("a ${ has no closing }")
        pieces.append(self._text[self._at :])
        return "".join(pieces)

    def _replaced(self, found: re.Match[str], depth: int) -> str:
        if found[1]:
            return _ESCAPES.get(found[1], found[1])
        name = found[3] or found[4]
        value = self._outer.get(name, self._known.get(name))
        if not found[2]:
            return value or ""
        operator = _OPERATOR.match(self._text, self._at)
        if not operator:
            kinds = ":- - :+ + :? ?"
            raise _FaultError(f"expected }} or one of {kinds} after ${{{name}")
        self._at = operator.end()
        if operator[0] == "}":
            return value or ""
        word = self._until_brace(depth + 1)
        message = self._text[operator.end() : self._at - 1]  # as written: no value is told
        is_set = bool(value) if operator[0].startswith(":") else value is not None
        if operator[0].endswith("-"):
            return (value or "") if is_set else word
        if operator[0].endswith("+"):
            return word if is_set else ""
        if not is_set:
            raise _FaultError(f"{name} is not set" + (f": {message}" if message else ""))
        return value or ""
