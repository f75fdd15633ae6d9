"""A shell of 1 MB in the process group of an app that has the terminal: it tells of each Ctrl-C.

Its words, each with the ticket of the app: "typed" at once, "later" a moment after, "hangup" when
the terminal is gone, "gone" when it ends with its leash.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reloader.core.values import Ticket

# `read` ends with the pipe, or when the trap has run. 0.3 s: a debugger has shown its prompt by
# then, and a person who waits for the end doesn't notice.
_SCRIPT = """trap '' TERM QUIT TSTP TTIN TTOU USR1 USR2
trap 'hit=1; echo "hangup $0"' HUP
trap 'hit=1; echo "typed $0"; (sleep .3; echo "later $0") &' INT
while hit=; read -r _ || [ $hit ]; do :; done
echo "gone $0"
"""


def post(ticket: Ticket, group: int, mouth: int) -> tuple[int, int]:
    """Starts a sentinel that speaks to `mouth`; returns its pid and its leash.

    It ends when the leash, a descriptor, is closed. Raises OSError: there is no such group any
    more, or no process or descriptor is to be had.
    """
    opened: list[int] = []
    try:
        opened += os.pipe()
        source, leash = opened
        opened.append(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC))
        pid = os.posix_spawn(
            "/bin/sh",
            ("sh", "-c", _SCRIPT, str(ticket)),
            {"RELOADER_SENTINEL": "1", "PATH": os.defpath},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, source, 0),
                (os.POSIX_SPAWN_DUP2, mouth, 1),
                (os.POSIX_SPAWN_DUP2, opened[-1], 2),
            ],
            setpgroup=group,
            setsigmask=(),
        )
        opened.remove(leash)
    finally:
        for descriptor in opened:
            os.close(descriptor)
    return pid, leash
