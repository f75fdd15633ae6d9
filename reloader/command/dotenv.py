r"""The language of env files, as godotenv (and so Air) reads it. Pure.

- `NAME=value` or `NAME: value`, one a line; `export ` may stand before; `#` begins a comment where
  a line begins or after a blank. Names: letters, digits, `_` and `.`.
- Unquoted values end with the line, without the blanks around them. Single quotes keep everything
  as it is. In double quotes `\n` and `\r` are line ends and any other `\x` is x. Both may span
  lines.
- `$NAME` and `${NAME}` are replaced, but in single quotes; `\$` is a dollar sign. What is set
  outside comes first, as it does for the app, then what stands before in the file. Unlike
  godotenv: small letters count too, `$5` stays (it's a password, not a name), and `a="1"b` is an
  error.
- A name that comes twice: the last one counts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class EnvFileError(Exception):
    """A line that can't be read; never tells what stands in it, which may be a secret."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.line = line
        self.text = text


_SKIP = re.compile(r"(?:[ \t\v\f\r\n]|#[^\n]*)*")  # between two statements
_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z0-9_.]+)[ \t]*[=:][ \t\v\f\r]*")
_SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_AFTER_QUOTE = re.compile(r"[ \t\v\f\r]*(?:#[^\n]*)?(?:\n|\Z)")
_COMMENT = re.compile(r"(?<=[ \t\v\f])#")
_REFERENCE = r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))"
_IN_DOUBLE = re.compile(r"\\(.)|" + _REFERENCE, re.DOTALL)
_IN_PLAIN = re.compile(r"\\(\$)|" + _REFERENCE)
_ESCAPES = {"n": "\n", "r": "\r"}


def parse(
    text: str, outer: Mapping[str, str], before: Mapping[str, str] | None = None
) -> list[tuple[str, str]]:
    """The names and values in the order they stand.

    References find what is set `outer`, then what stands before in this file, then what stood
    `before` in others. Raises EnvFileError with the number of the first line that can't be read.
    """
    found: dict[str, str] = dict(before or {})

    def replace(match: re.Match[str]) -> str:
        if match[1]:
            return _ESCAPES.get(match[1], match[1])
        name = match[2] or match[3]
        return outer.get(name, found.get(name, ""))

    pairs = []
    for name, value, language in _statements(text.replace("\r\n", "\n")):
        found[name] = language.sub(replace, value) if language else value
        pairs.append((name, found[name]))
    return pairs


def _statements(text: str) -> Iterator[tuple[str, str, re.Pattern[str] | None]]:
    """Name, raw value, and what has a meaning in it."""
    at = _skip(text, 0)
    while at < len(text):
        begin = at
        name = _NAME.match(text, at)
        if not name:
            raise EnvFileError(_line(text, begin), "expected NAME=value")
        value, language, at = _value(text, name.end())
        if "\0" in value:
            raise EnvFileError(_line(text, begin), "holds a NUL byte")
        yield name[1], value, language
        at = _skip(text, at)


def _value(text: str, at: int) -> tuple[str, re.Pattern[str] | None, int]:
    """Raw value, what has a meaning in it, and where it ends."""
    for mark, quoted, language in (("'", _SINGLE, None), ('"', _DOUBLE, _IN_DOUBLE)):
        if not text.startswith(mark, at):
            continue
        if not (value := quoted.match(text, at)):
            raise EnvFileError(_line(text, at), "the quote has no end")
        if not (rest := _AFTER_QUOTE.match(text, value.end())):
            where = _line(text, value.end())
            raise EnvFileError(where, "expected nothing more after the closing quote")
        return value[1], language, rest.end()
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    comment = _COMMENT.search(text, at, end)
    return text[at : comment.start() if comment else end].strip(" \t\v\f\r"), _IN_PLAIN, end


def _skip(text: str, at: int) -> int:
    match = _SKIP.match(text, at)
    return match.end() if match else at


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
