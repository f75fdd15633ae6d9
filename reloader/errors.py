"""What can go wrong before anything starts, and the exit statuses."""

from __future__ import annotations

from enum import IntEnum

from reloader.light import dataclass


class Exit(IntEnum):
    """Exit statuses; documented in the README."""

    OK = 0
    FAILED = 1
    USAGE = 2
    TAKEN = 3  # another reloader does this already
    FAULT = 70  # a bug of ours (sysexits.h, EX_SOFTWARE)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what was expected and found, what to do."""

    text: str
    where: str = ""  # "FILE:LINE", "--build.delay", "RELOADER_BUILD_DELAY"
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.where}: {self.text}" if self.where else self.text
        return f"{head}\n  hint: {self.hint}" if self.hint else head


class ReloaderError(Exception):
    """Nothing was started: all problems at once, and the exit status that says so."""

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
