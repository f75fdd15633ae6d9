"""Search with a regular expression in time that grows with text and pattern alone.

`re` tries one way after the other, and for a pattern like `(a+)+` or `.*a.*a.*a` there may be more
ways than anybody can wait for; Go, for which Air's patterns are written, follows all at once.
`Linear` does that, too (Thompson's construction, run as Pike has it). It takes some 0.1 ms for a
path, so `Matcher` only uses it where `re` might take long.

Pure.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

_TOKEN = re.compile(
    r"(?P<open>\((?!\?!)(?:\?(?:P<\w+>|[a-z-]*:))?)(?!\?)"
    r"|(?P<flags>\(\?[a-z]+\))"
    r"|(?P<close>\))|(?P<or>\|)"
    r"|(?P<place>\\[AZbB]|\^|\$)"
    r"|(?P<atom>\(\?!/\)\[\^?\]?(?:\\.|[^\]\\])*\]"  # a class without the slash, of a glob
    r"|\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[^0-9])"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]|[^()|*+?\\])",
    re.DOTALL,
)
_REPEAT = re.compile(r"([*+?]|\{(\d*)(,?)(\d*)\})[?]?")
_LARGEST = 20_000  # steps of a program: `(a{100}){100}` has 10,000
_SHORT = 256  # characters: with two repeats `re` takes 0.1 s for such a text at worst
_ANY = 1 << 30  # characters; no text is longer


class UnsupportedError(ValueError):
    """The pattern has something that can't be searched for in this way; its args say where."""


class _Step(NamedTuple):
    """One step of a program; exactly one field but `jumps` is set."""

    atom: str = ""  # takes one character that this pattern matches
    place: str = ""  # takes none, where this pattern matches
    jumps: tuple[int, ...] = ()  # goes on at each of these, relative to itself


_Program = list[_Step]


class Matcher:
    """A compiled pattern whose searches take no longer than a tenth of a second."""

    def __init__(self, pattern: str) -> None:
        """Raises UnsupportedError if `re` may take long and there is no other way to search."""
        self._regex = re.compile(pattern)
        repeats = _repeats(pattern)
        self._longest = {0: _ANY, 1: _ANY, 2: _SHORT}.get(repeats, -1)
        self._linear = Linear(pattern) if repeats > 1 and _can_be_linear(pattern, repeats) else None

    def search(self, text: str) -> bool:
        """Returns True if the pattern matches anywhere in the text."""
        if self._linear and len(text) > self._longest:
            return self._linear.search(text)
        return self._regex.search(text) is not None


def _can_be_linear(pattern: str, repeats: int) -> bool:
    """False for two repeats beside a look-around: that takes seconds at worst.

    Raises UnsupportedError if there are more repeats.
    """
    try:
        Linear(pattern)
    except UnsupportedError:
        if repeats > 2:
            raise
        return False
    return True


def _repeats(pattern: str) -> int:
    """Returns how many repeats may multiply: those of one alternative; 3 for a repeated group."""
    plain = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)
    plain = re.sub(r"\(\?(?:P<\w+>|[a-z-]*[:)]|<?[=!])|\{\d+\}", "(", plain)
    if re.search(r"\)(?:[*+]|\{\d*,)", plain):
        return 3
    counts, depth = [0], 0
    for char in plain:
        depth += (char == "(") - (char == ")")
        if char == "|" and depth <= 0:
            counts.append(0)
        counts[-1] += char in "*+?{"
    return max(counts)


class Linear:
    """A pattern in Python's syntax, without look-around and references."""

    def __init__(self, pattern: str) -> None:
        """Raises UnsupportedError with the position of what it can't do."""
        self.pattern = pattern
        self._at = 0
        self._program = self._alternatives("")
        if self._at < len(pattern):
            raise UnsupportedError(self._at)

    def search(self, text: str) -> bool:
        """Returns True if the pattern matches anywhere in the text."""
        return self._run(text, anywhere=True)

    def fullmatch(self, text: str) -> bool:
        """Returns True if the pattern matches the whole text."""
        return self._run(text, anywhere=False)

    def _run(self, text: str, *, anywhere: bool) -> bool:
        program, end = self._program, len(self._program)
        waiting: set[int] = {0}
        for at in range(len(text) + 1):
            here = self._reachable(waiting | {0} if anywhere else waiting, text, at)
            if end in here and (anywhere or at == len(text)):
                return True
            if at == len(text) or not (here or anywhere):
                return False
            char = text[at]
            waiting = {
                step + 1
                for step in here
                if step < end and program[step].atom and _takes(program[step].atom, char)
            }
        return False

    def _reachable(self, starts: set[int], text: str, at: int) -> set[int]:
        """Returns the steps that can be got to without taking a character."""
        program, seen, stack = self._program, set(), list(starts)
        while stack:
            number = stack.pop()
            if number in seen:
                continue
            seen.add(number)
            if number == len(program):
                continue
            step = program[number]
            if step.place and _compiled(step.place).match(text, at):
                stack.append(number + 1)
            stack += [number + jump for jump in step.jumps]
        return seen

    # --- compiling -----------------------------------------------------------------------------

    def _alternatives(self, flags: str) -> _Program:
        branches = [self._sequence(flags)]
        while self.pattern.startswith("|", self._at):
            self._at += 1
            branches.append(self._sequence(flags))
        program = branches.pop()
        for branch in reversed(branches):
            fork = _Step(jumps=(1, len(branch) + 2))
            program = [fork, *branch, _Step(jumps=(len(program) + 1,)), *program]
        return program

    def _sequence(self, flags: str) -> _Program:
        program: _Program = []
        while self._at < len(self.pattern) and self.pattern[self._at] not in "|)":
            start = self._at
            token = _TOKEN.match(self.pattern, start)
            if not token:
                raise UnsupportedError(start)
            self._at = token.end()
            if token["flags"]:
                flags += token["flags"][2:-1]
                continue
            part = self._part(token, flags)
            if repeat := _REPEAT.match(self.pattern, self._at):
                self._at = repeat.end()
                part = _repeated(part, repeat)
            program += part
            if len(program) > _LARGEST:
                raise UnsupportedError(start)
        return program

    def _part(self, token: re.Match[str], flags: str) -> _Program:
        prefix = f"(?{flags})" if flags else ""
        if token["atom"]:
            return [_Step(atom=prefix + token["atom"])]
        if token["place"]:
            return [_Step(place=prefix + token["place"])]
        added = token["open"][2:-1] if token["open"].endswith(":") else ""
        if "-" in added:
            raise UnsupportedError(token.start())
        inner = self._alternatives(flags + added)
        self._at += 1  # the closing bracket
        return inner


def _repeated(part: _Program, repeat: re.Match[str]) -> _Program:
    low, high = {"*": (0, -1), "+": (1, -1), "?": (0, 1)}.get(repeat[1], (0, 0))
    if repeat[1][0] == "{":
        low = int(repeat[2] or 0)
        high = (int(repeat[4]) if repeat[4] else -1) if repeat[3] else low
    if (max(low, high) + 1) * len(part) > _LARGEST:
        raise UnsupportedError(repeat.start())
    size = len(part)
    program = part * low
    if high < 0:
        return [*program, _Step(jumps=(1, size + 2)), *part, _Step(jumps=(-size - 1,))]
    optional: _Program = []
    for _ in range(high - low):
        optional = [_Step(jumps=(1, size + len(optional) + 1)), *part, *optional]
    return program + optional


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


@cache
def _takes(atom: str, char: str) -> bool:
    return _compiled(atom).fullmatch(char) is not None
