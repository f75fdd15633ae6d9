"""Problems before anything starts, and the exit statuses."""

from __future__ import annotations

import errno
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

from reloader.light import dataclass


class Exit(IntEnum):
    """Exit statuses; documented in docs/cli.md."""

    OK = 0
    FAILED = 1
    USAGE = 2
    TAKEN = 3  # another reloader does this already
    FAULT = 70  # a bug in reloader (sysexits.h, EX_SOFTWARE)


@dataclass(frozen=True)
class Problem:
    """A problem: its place, the value expected and found, and a way out.

    Its texts may hold anything that stands in a file: escape them before a terminal sees them.
    """

    text: str
    where: str = ""  # "FILE:LINE", "--build.delay", "RELOADER_BUILD_DELAY"
    hint: str = ""
    excerpt: tuple[str, ...] = ()  # lines of the file, with a mark

    def lines(self) -> Iterator[str]:
        """Yields the problem as several lines: the problem, the excerpt, the hint."""
        yield f"{self.where}: {self.text}" if self.where else self.text
        yield from self.excerpt
        yield from (f"  hint: {self.hint}",) * bool(self.hint)

    @property
    def line(self) -> str:
        """Returns the problem as one line, with the hint behind a semicolon."""
        head = f"{self.where}: {self.text}" if self.where else self.text
        return f"{head}; {self.hint}" if self.hint else head

    def __str__(self) -> str:
        return "\n".join(self.lines())


class ReloaderError(Exception):
    """Reports all problems at once, before anything was started, with an exit status."""

    status = Exit.FAILED

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class ConfigError(ReloaderError):
    """A config or a flag that can't be used."""

    status = Exit.USAGE


class TakenError(ReloaderError):
    """Another reloader runs the same app in the same place."""

    status = Exit.TAKEN


_LACKS = {
    errno.EMFILE: "no file descriptor is left for reloader (ulimit -n)",
    errno.ENFILE: "no file descriptor is left on this machine (sysctl fs.file-max)",
    errno.ENOMEM: "no memory is left",
}


def reason(error: Exception) -> str:
    """Returns why reloader can't go on, if that is no bug of its own; "" if it may be one.

    The machine has run out of something, or reloader was replaced on disk (pip, uv sync) before it
    had imported all of itself.
    """
    if isinstance(error, MemoryError):
        return _LACKS[errno.ENOMEM]
    if isinstance(error, OSError):
        return _LACKS.get(error.errno or 0, "")
    if isinstance(error, RuntimeError) and "new thread" in str(error):
        return "no thread can be started (a limit of processes?)"
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] == "reloader":
        return "reloader was replaced or removed while it ran: start it again"
    return ""
