"""The mark that every process of this run carries, and so do its descendants.

It tells to which job an orphan belongs when its parents are gone. It is written twice:

- `RELOADER_RUN=<run>:<ticket>` in the environment, behind that of an outer reloader if there is
  one: `outer:3,inner:1`. A process may start others with an environment of their own, without it.
- on Linux as a resource limit, "max file locks" of setrlimit(2). Linux 2.4 was the last to look at
  it, every process inherits it across fork and exec, and only `ulimit -x` changes it. So `env -i`,
  sudo or a title written over the environment don't lose it.

`run` is new for each run of reloader.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reloader.core.values import Ticket

NAME = "RELOADER_RUN"

_LOCKS = 10  # RLIMIT_LOCKS, in every architecture of Linux; Python has no name for it
_TICKETS = 24  # bits of the limit that hold the ticket; those above hold the run, 62 in all
_LINE = b"Max file locks"


def new_run() -> str:
    return os.urandom(8).hex()


WIDTH = 10  # digits of a ticket in `padded`


def padded(value: str, ticket: Ticket) -> str:
    """Returns a mark of the run for this ticket that is as long for each of them.

    `value`: the mark for any ticket. A forked process has it written over the one it inherits.
    """
    return f"{value.rpartition(':')[0]}:{ticket:0{WIDTH}}"


def stamped(environ: Mapping[str, str], run: str, ticket: Ticket) -> dict[str, str]:
    """Returns the environment with the mark.

    It comes last: a program that writes its title over its arguments and on into its environment
    (nginx, setproctitle) gets there last.
    """
    outer = environ.get(NAME, "")
    marked = {name: value for name, value in environ.items() if name != NAME}
    marked[NAME] = f"{outer},{run}:{ticket}" if outer else f"{run}:{ticket}"
    return marked


def ticket_in(environ: bytes, run: str) -> Ticket | None:
    """Returns the ticket that an environment carries, None if it is not of this run.

    `environ`: as in /proc/PID/environ.
    """
    start = f"{run}:".encode()
    for entry in environ.split(b"\0"):
        if entry.startswith(b"RELOADER_RUN="):
            for part in entry[len(NAME) + 1 :].split(b","):
                number = part[len(start) :]
                if part.startswith(start) and number.isdigit():
                    return int(number)
    return None


def is_nested(environ: bytes, run: str) -> bool:
    """Returns True if another reloader, below this run, has started it: that one stops it."""
    start = f"{run}:".encode()
    for entry in environ.split(b"\0"):
        if entry.startswith(b"RELOADER_RUN="):
            return any(p.startswith(start) for p in entry[len(NAME) + 1 :].split(b",")[:-1])
    return False


# --- the limit -----------------------------------------------------------------------------------


@contextmanager
def inherited(run: str, ticket: Ticket) -> Iterator[None]:
    """Lets what is started meanwhile inherit the mark as a limit, where there is such a limit."""
    before = _limit(0, _number(run, ticket))
    try:
        yield
    finally:
        if before is not None:
            _limit(0, before)


def put_on(pid: int, run: str, ticket: Ticket) -> None:
    """Marks a process that runs already."""
    _limit(pid, _number(run, ticket))


def ticket_in_limits(limits: bytes, run: str) -> Ticket | None:
    """Returns the ticket of /proc/PID/limits, None if it is not of this run."""
    for line in limits.splitlines():
        if line.startswith(_LINE):
            soft = line[len(_LINE) :].split()[0]
            number = int(soft) if soft.isdigit() else 0
            found = number >> _TICKETS == _number(run, 0) >> _TICKETS
            return number & ((1 << _TICKETS) - 1) if found else None
    return None


def _number(run: str, ticket: Ticket) -> int:
    bits = int(run, 16) & ((1 << (62 - _TICKETS)) - 1)
    return bits << _TICKETS | ticket & ((1 << _TICKETS) - 1)


def _limit(pid: int, soft: int) -> int | None:
    """Sets the soft limit; returns the one before, None if it can't be set."""
    if sys.platform != "linux" or sys.maxsize < 1 << 62:
        return None
    import resource

    try:
        before, hard = resource.prlimit(pid, _LOCKS)
        resource.prlimit(pid, _LOCKS, (soft, hard))
    except (OSError, ValueError):  # a hard limit is below it; a sandbox knows no such limit
        return None
    return before
