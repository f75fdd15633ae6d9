"""What an init owes its children: orphans come to us, and nothing outlives us.

As PID 1 the kernel does both. Elsewhere on Linux we ask for the orphans (subreaper), and a tiny
guardian sees to the rest if we are killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)

# `read` blocks until we tell something or are gone; so a shell of 2 MB waits, and Python, which
# can tell whose a process is, starts only when it is needed. Signals that are meant for us must
# not end it.
_WAIT = """trap '' HUP INT QUIT TERM TSTP
modes=-
while read -r word line; do
  case $word in
    bye) exit;;
    groups) groups=$line;;
    modes) modes=$line;;
  esac
done
exec "$@" "$modes" $groups"""
_SWEEP = """import sys
sys.path.insert(0, sys.argv[1])
from reloader.process import guardian
guardian.restore(sys.argv[3])
guardian.sweep(sys.argv[2], [int(group) for group in sys.argv[4:]])
guardian.restore(sys.argv[3])"""  # what has just ended may have set ours again
TERMINAL = 3  # the guardian's descriptor of our terminal


def is_pid1() -> bool:
    """Whether we are a container's init, or another process namespace's."""
    return os.getpid() == 1


def become_subreaper() -> bool:
    """Have orphans below us handed to us and not to init; whether they are.

    Linux since 3.4. To be called before the first process is started; 3 ms, none as PID 1.
    """
    if is_pid1():
        return True
    if sys.platform != "linux":
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


class Guardian:
    """Ends what we started if we are killed and can't do it ourselves.

    A shell in a session of its own that reads from a pipe. When we end well we say so; when the
    pipe just ends, SIGKILL has met us: then every process of this run gets SIGTERM, and SIGKILL a
    second later, and the terminal its modes. `run`: see `mark`.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._pipe = -1
        self._closed = is_pid1()  # then the kernel kills everything that is left

    def guard(self, groups: tuple[int, ...]) -> None:
        """These process groups are ours now. The first call starts the guardian: 1 ms."""
        if self._closed:
            return
        if self._pipe < 0:
            self._start()
        self._say(" ".join(map(str, ("groups", *groups))))

    def modes(self, before: int, ours: int, read: int) -> None:
        """The terminal's local modes are `ours` now, with `read` as input modes; see `restore`."""
        if not self._closed and self._pipe < 0:
            self._start()
        self._say(f"modes {before}:{ours}:{read}")

    def close(self) -> None:
        """All is well: the guardian goes."""
        if self._pipe >= 0:
            self._say("bye")
            os.close(self._pipe)
        self._pipe, self._closed = -1, True

    def _start(self) -> None:
        source, self._pipe = os.pipe()
        os.set_blocking(self._pipe, False)
        # Above those that are made anew in the guardian.
        terminal = fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 10) if os.isatty(0) else -1
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        sweep = (sys.executable, "-I", "-S", "-B", "-c", _SWEEP, package, self._run)
        null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.posix_spawn(
                "/bin/sh",
                ("sh", "-c", _WAIT, "reloader-guardian", *sweep),
                {"RELOADER_GUARDIAN": "1"},  # not empty: it must not look like an app's orphan
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, source, 0),
                    (os.POSIX_SPAWN_DUP2, null, 1),
                    (os.POSIX_SPAWN_DUP2, null, 2),
                    *([(os.POSIX_SPAWN_DUP2, terminal, TERMINAL)] if terminal >= 0 else []),
                ],
                setsid=True,
                setsigmask=(),
            )
        except (OSError, NotImplementedError):  # no shell, no process to be had: we do without
            os.close(self._pipe)
            self._pipe, self._closed = -1, True
        finally:
            os.close(source)
            os.close(null)
            if terminal >= 0:
                os.close(terminal)

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # it is dead, or so stuck that its pipe is full
            os.write(self._pipe, line.encode() + b"\n")
