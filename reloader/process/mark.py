"""The mark that every process of ours carries in its environment, and so do its descendants.

RELOADER_RUN=<run>:<ticket>, behind that of an outer reloader if there is one: `outer:3,inner:1`.
It tells whose an orphan is when its parents are gone. `run` is new for each run of reloader.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reloader.core.values import Ticket

NAME = "RELOADER_RUN"


def new_run() -> str:
    return os.urandom(8).hex()


WIDTH = 10  # digits of a ticket in `padded`


def padded(value: str, ticket: Ticket) -> str:
    """Returns a mark of the run for this ticket that is as long for each of them.

    `value`: the mark for any ticket. A forked process has it written over the one it inherits.
    """
    return f"{value.rpartition(':')[0]}:{ticket:0{WIDTH}}"


def stamped(environ: Mapping[str, str], run: str, ticket: Ticket) -> dict[str, str]:
    """The environment with our mark.

    It comes last: a program that writes its title over its arguments and on into its environment
    (nginx, setproctitle) gets there last.
    """
    outer = environ.get(NAME, "")
    marked = {name: value for name, value in environ.items() if name != NAME}
    marked[NAME] = f"{outer},{run}:{ticket}" if outer else f"{run}:{ticket}"
    return marked


def ticket_in(environ: bytes, run: str) -> Ticket | None:
    """The ticket that a process of this run carries, None if it is not of this run.

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
    """Whether another reloader, below this run, has started it: that one asks it to stop."""
    start = f"{run}:".encode()
    for entry in environ.split(b"\0"):
        if entry.startswith(b"RELOADER_RUN="):
            return any(p.startswith(start) for p in entry[len(NAME) + 1 :].split(b",")[:-1])
    return False


def is_effaced(environ: bytes) -> bool:
    """Whether there is nothing left that could have been a mark."""
    return b"=" not in environ
