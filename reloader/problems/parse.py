"""Finds the problems in the output of a build or an app: a place and a message each. Pure.

A compiler names a place with each error: every one is a problem. A traceback is one problem: its
place is the frame of the project that is nearest to the fault.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from reloader.problems.places import places
from reloader.problems.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from reloader.problems.places import Place

    Resolve = Callable[[str], str]  # a path as it was written -> absolute; "": not of the project

MOST_TEXT = 65536  # characters, the last ones of the output: the error is at its end
MOST_PROBLEMS = 20  # more are never read
_NEAR = 6  # lines between a headline and its place: sass shows the source there

_GROUP = re.compile(r"^\s*(?:[|+]\s?|\+-[+-]*\s?)+")  # the frame that exception groups are drawn in
_FRAME = re.compile(r'^\s+File "[^"]+", line \d+')
_CHAIN = ("The above exception was the direct cause", "During handling of the above exception")
_AT = re.compile(r"^\s+(?:\d+: )?at (?:async )?(?P<java>[\w.$/]+\.[\w$<>]+\(\w+\.(?:java|kt)\b)?")
_GO_FRAME = re.compile(r"^\t\S+\.go:\d+")
_GO_PANIC = re.compile(r"^(?:panic|fatal error): ")
_RUST_PANIC = re.compile(r"^thread '.*?'(?: \(\d+\))? panicked at (?:'(?P<old>.*)', )?")
_HEADLINE = re.compile(
    r"^\s*(?:[✘✗x]\s*)?(?:\[?(?P<level>error|warning|warn)(?:\[\w+\])?\]?:?|(?P<code>[\w-]+):)\s"
    r"(?P<text>.+)",
    re.IGNORECASE,
)
_LEVEL = re.compile(
    r"(?:fatal |internal compiler )?(error|warning|note|info|remark|help)\b"
    r"(?: ?\[?[A-Z]+-?\d+\]?)?\s*[:\]-]?\s*",
    re.IGNORECASE,
)
_SAYS_ERROR = re.compile(r"error|fatal|fail|undefined|uncaught|exception|\*\*\*", re.IGNORECASE)
_BEFORE = re.compile(r"(?:vet|ERROR in|\[ERROR\]|\[error\]|\d+>|file)?:?")
_RUBY = re.compile(r"in [`'].*?': ")
_BLANK_COLUMN = re.compile(r"^\s*\S+ \d+:\d+\s")  # sass: `s.scss 2:10  root stylesheet`
_SOURCE_LINE = re.compile(r"^\s*(?:[|│╷╵]|\d+ *[|│])")
_ARROWS = ("", "-->", "╭─[", "╭▸")
_ASIDES = ("note", "info", "remark", "help")
_SUMS_UP = re.compile(r"^(?:collect2: |make(?:\[\d+\])?: \*\*\* |exit status )")
_SKIPPED = re.compile(
    r"^\s*(?:from |Found \d+ errors? |#\d+ |thrown in |FAILED |Caused by: |\.\.\. \d+ more)"
)


class Level(Enum):
    """The severity of a problem."""

    ERROR = "error"
    WARNING = "warning"


class Problem(NamedTuple):
    """One fault; `file` is absolute, and "" if it is not of the project or there is no place."""

    message: str
    path: str = ""  # as it was written
    file: str = ""
    line: int = 0  # from 1; 0: not known
    column: int = 0  # from 1; 0: not known
    level: Level = Level.ERROR


def problems(output: str, resolve: Resolve) -> tuple[Problem, ...]:
    """Returns the problems in the last 64 KiB of the output, errors first.

    `resolve` gives the absolute path of a file of the project, and "" for all other paths.
    """
    lines = plain(output[-MOST_TEXT:]).split("\n")
    reader = _Reader(lines, resolve)
    reader.read()
    found: dict[tuple[str, int, str], Problem] = {}
    for one in reader.found:
        found.setdefault((one.file or one.path, one.line, one.message), one)
    if not found:  # no place: the last line that says something, of a linker for example
        says = [line for line in lines if _SAYS_ERROR.search(line) and not _SUMS_UP.match(line)]
        return tuple(Problem(line.strip()) for line in says[-1:])
    ordered = sorted(found.values(), key=lambda one: one.level is Level.WARNING)
    return tuple(ordered[:MOST_PROBLEMS])


class _Reader:
    """Goes once through the lines; each block of a traceback is taken as a whole."""

    def __init__(self, lines: Sequence[str], resolve: Resolve) -> None:
        self.found: list[Problem] = []
        self._lines = lines
        self._resolve = resolve

    def read(self) -> None:
        at = 0
        while at < len(self._lines):
            line = self._lines[at]
            if _FRAME.match(_GROUP.sub("  ", line)):
                at = self._python(at)
            elif _GO_PANIC.match(line):
                at = self._go(at)
            elif _AT.match(line):
                at = self._stack(at)
            elif _RUST_PANIC.match(line):
                at = self._rust(at)
            else:
                self._compiler(at)
                at += 1

    # --- tracebacks ---

    def _python(self, at: int) -> int:
        """Frames, the last called last, and the message at the margin."""
        if any(line.startswith(_CHAIN) for line in self._lines[max(0, at - 4) : at]) and self.found:
            self.found.pop()  # what it was caused by
        frames: list[Place] = []
        while at < len(self._lines):
            line = self._lines[at]
            inner = _GROUP.sub("", line) if _GROUP.match(line) else line
            frame = _FRAME.match(inner if inner[:1] == " " else f"  {inner}")
            if frame and inner.lstrip().startswith('File "'):
                frames += list(places(line))[:1]
            elif inner.strip() and not inner.startswith((" ", "Traceback ", "Exception Group")):
                break
            at += 1
        message = _GROUP.sub("", self._lines[at]) if at < len(self._lines) else ""
        self._add(message.strip(), self._own(reversed(frames)) or (frames[-1] if frames else None))
        return at + 1

    def _go(self, at: int) -> int:
        """The message, and frames of which the first was called last."""
        message = self._lines[at]
        frames: list[Place] = []
        end = at + 1
        while end < len(self._lines) and not _GO_PANIC.match(self._lines[end]):
            if self._lines[end].startswith("goroutine ") and frames:
                break
            if _GO_FRAME.match(self._lines[end]):
                frames += list(places(self._lines[end]))[:1]
            end += 1
        self._add(message, self._own(frames) or (frames[0] if frames else None))
        return end

    def _stack(self, at: int) -> int:
        """`at` lines of Node, Java and Rust; the message is above them."""
        frames: list[Place] = []
        end = at
        while end < len(self._lines) and (_AT.match(self._lines[end]) or self._is_between(end)):
            frames += self._java(self._lines[end]) or list(places(self._lines[end]))[:1]
            end += 1
        above = at - 1
        while above > 0 and not self._lines[above].strip():
            above -= 1
        message = self._lines[above].strip() if above >= 0 else ""
        headers = [
            place for line in self._lines[max(0, above - 5) : above] for place in places(line)
        ]
        if own := self._own(frames) or self._own(headers):
            if self.found and self.found[-1].message == message:
                self.found.pop()  # the place above the message, without the stack
            self._add(message, own)
        elif _SAYS_ERROR.search(message):
            self._add(message, None)
        return end

    def _is_between(self, at: int) -> bool:
        """Returns True for the line of a Rust backtrace that names the function."""
        return bool(re.match(r"^\s+\d+: ", self._lines[at]))

    @staticmethod
    def _java(line: str) -> list[Place]:
        """Frames of Java name a class, and of its file only the last part."""
        match = _AT.match(line)
        if not match or not match["java"]:
            return []
        name = match["java"].partition("(")[0].rpartition("/")[2]
        package = name.split(".")[:-2]
        return [place._replace(path="/".join((*package, place.path))) for place in places(line)][:1]

    def _rust(self, at: int) -> int:
        line = self._lines[at]
        match = _RUST_PANIC.match(line)
        old = match["old"] if match else None
        after = self._lines[at + 1].strip() if at + 1 < len(self._lines) else ""
        place = next(places(line), None)
        self._add(
            f"panicked: {old or after}", place if place and self._resolve(place.path) else None
        )
        end = at + (1 if old else 2)
        while end < len(self._lines) and self._lines[end].startswith(
            (" ", "stack backtrace", "note:")
        ):
            end += 1
        return end

    # --- compilers ---

    def _compiler(self, at: int) -> None:
        """A line with a place, and the message behind it, before it, or on a line above."""
        line = self._lines[at]
        place = next(places(line), None)
        if place is None or _SKIPPED.match(line):
            return
        before = line[: place.start].strip()
        rest = line[place.end :].lstrip(' :-")]').strip()
        if before in _ARROWS and (headline := self._headline(at, rest)):
            self._add(headline.message, place, headline.level)
        elif _BEFORE.fullmatch(before):
            self._behind(at, place, rest)
        elif _SAYS_ERROR.search(before):
            text = before.removesuffix(" in").strip(" :[")
            self._add(line if rest else text, place)

    def _behind(self, at: int, place: Place, rest: str) -> None:
        """Takes what stands behind a place; a line of a log, that has a place too, is none."""
        level = _LEVEL.match(rest)
        word = level[1].lower() if level else ""
        is_about_error = place.column or word or _RUBY.match(rest) or _SAYS_ERROR.search(rest)
        if word in _ASIDES or not (rest and (is_about_error or self._in_go_test(at))):
            return
        message = self._expected(at) or _RUBY.sub("", rest[level.end() :] if level else rest)
        bad = Level.WARNING if word == "warning" else Level.ERROR
        self._add(message or rest, place, bad)

    def _headline(self, at: int, rest: str) -> Problem | None:
        """The line above, for those that say what is wrong before they say where."""
        if rest and not _BLANK_COLUMN.match(self._lines[at]):
            return None
        for line in reversed(self._lines[max(0, at - _NEAR) : at]):
            match = _HEADLINE.match(line)
            if match and not next(places(line), None):
                is_warning = (match["level"] or "").lower().startswith("warn")
                return Problem(match["text"], level=Level.WARNING if is_warning else Level.ERROR)
            if line.strip() and not _SOURCE_LINE.match(line):
                return None
        return None

    def _expected(self, at: int) -> str:
        """The first of the lines that pytest marks with E, above the place."""
        found = ""
        for line in reversed(self._lines[max(0, at - 12) : at]):
            if line.startswith("E  "):
                found = line[1:].strip()
            elif found:
                break
        return found

    def _in_go_test(self, at: int) -> bool:
        return any(
            line.lstrip().startswith("--- FAIL") for line in self._lines[max(0, at - 8) : at]
        )

    # --- both ---

    def _own(self, frames: Iterable[Place]) -> Place | None:
        return next((place for place in frames if self._resolve(place.path)), None)

    def _add(self, message: str, place: Place | None, level: Level = Level.ERROR) -> None:
        message = message.strip()
        if place is None:
            self.found.append(Problem(message, level=level))
        else:
            file = self._resolve(place.path)
            self.found.append(Problem(message, place.path, file, place.line, place.column, level))
