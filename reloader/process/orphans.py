"""The duties of an init: orphans come to reloader, and nothing outlives it.

As PID 1 the kernel does both. Elsewhere on Linux reloader asks for the orphans (subreaper), and a
tiny guardian sees to the rest if reloader is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PR_SET_CHILD_SUBREAPER = 36  # prctl(2)

# `read` blocks until reloader tells something or is gone; so a shell of 2 MB waits, and Python,
# which can tell whose a process is, starts only when it is needed. Signals that are meant for
# reloader must not end it.
_WAIT = """trap '' HUP INT QUIT TERM TSTP
modes=-
while read -r word line; do
  case $word in
    bye) exit;;
    jobs) jobs=$line;;
    modes) modes=$line;;
  esac
done
exec "$@" "$modes" "$jobs\""""
# The sources come along as arguments: the package may have been replaced since (pip, uv sync).
_MAIN = """import sys, types
for name in ("reloader", "reloader.process"):
    sys.modules[name] = types.ModuleType(name)
for name, text in eval(sys.argv[1]):
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
module.main(*sys.argv[2:])"""
_SOURCES = (
    "light",
    "core.values",
    "process.mark",
    "process.stop_rule",
    "process.tree",
    "process.guardian",
)
TERMINAL = 3  # the guardian's descriptor of the terminal
_MIN_LIFE = 1.0  # seconds; a guardian that ends sooner is not started again at once


def is_pid1() -> bool:
    """Returns True as a container's init, or another process namespace's."""
    return os.getpid() == 1


def become_subreaper() -> bool:
    """Has orphans below reloader handed to it and not to init; returns True if they are.

    Linux since 3.4. To be called before the first process is started; 3 ms, none as PID 1.
    """
    if is_pid1():
        return True
    if sys.platform != "linux":
        return False
    import ctypes

    return bool(ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)


class Guardian:
    """Ends the processes of a run if reloader is killed and can't do it itself.

    A shell in a session of its own that reads from a pipe. When reloader ends well it says so; when
    the pipe just ends, SIGKILL has met reloader: then every process of the jobs gets SIGTERM, and
    SIGKILL a second later, and the terminal its modes. One that was killed itself is replaced.
    `run`: see `mark`. `register`: is given its pid and what to call when it has ended.
    """

    def __init__(
        self,
        run: str,
        register: Callable[[int, Callable[[], None]], None] = lambda _pid, _ended: None,
    ) -> None:
        self._run = run
        self._register = register
        self._pipe = -1
        self._started_at = 0.0
        self._jobs = self._modes = ""
        self._command: tuple[str, ...] = ()  # read once: the package may be replaced
        self._closed = is_pid1()  # then the kernel kills everything that is left

    def guard(self, jobs: Mapping[int, int]) -> None:
        """Notes the jobs, {ticket: process group}. The first call starts the guardian: 1 ms."""
        self._jobs = " ".join(["jobs", *(f"{ticket}:{group}" for ticket, group in jobs.items())])
        self._say(self._jobs)

    def modes(self, before: int, ours: int, read: int) -> None:
        """Notes the terminal's local modes, `ours` from now on, and its input modes `read`."""
        self._modes = f"modes {before}:{ours}:{read}"
        self._say(self._modes)

    def close(self, *, all_gone: bool = True) -> None:
        """Lets the guardian go; if not all is gone, it ends what is left."""
        if self._pipe >= 0:
            if all_gone:
                _write(self._pipe, "bye")
            os.close(self._pipe)
        self._pipe, self._closed = -1, True

    def _say(self, line: str) -> None:
        """Tells a line to the guardian; a new one is told all."""
        if self._closed:
            return
        if self._pipe >= 0:
            _write(self._pipe, line)
        else:
            self._start()

    def _ended(self) -> None:
        """Starts another guardian, or leaves that to the next `guard` if this one failed early."""
        if self._closed:
            return
        if self._pipe >= 0:
            os.close(self._pipe)
        self._pipe = -1
        if time.monotonic() - self._started_at > _MIN_LIFE:
            self._say(self._jobs)

    def _start(self) -> None:
        """Starts a guardian that knows everything, if one is to be had now."""
        opened: list[int] = []
        try:
            self._command = self._command or _sweep(self._run)
            source, pipe = os.pipe()
            opened += [source, pipe]
            os.set_blocking(pipe, False)
            for line in filter(None, (self._jobs, self._modes)):
                _write(pipe, line)
            null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
            opened.append(null)
            actions = [(os.POSIX_SPAWN_DUP2, *pair) for pair in ((source, 0), (null, 1), (null, 2))]
            if os.isatty(0):  # above those that are made anew in the guardian
                opened.append(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, 10))
                actions.append((os.POSIX_SPAWN_DUP2, opened[-1], TERMINAL))
            pid = os.posix_spawn(
                "/bin/sh",
                ("sh", "-c", _WAIT, "reloader-guardian", *self._command),
                {"RELOADER_GUARDIAN": "1"},
                file_actions=actions,
                setsid=True,
                setsigmask=(),
            )
        except (OSError, NotImplementedError):  # no shell, process or descriptor to be had
            self._pipe = -1
        else:
            opened.remove(pipe)
            self._pipe, self._started_at = pipe, time.monotonic()
            self._register(pid, self._ended)
        finally:
            for descriptor in opened:
                os.close(descriptor)


def _write(pipe: int, line: str) -> None:
    with contextlib.suppress(OSError):  # it is dead, or so stuck that its pipe is full
        os.write(pipe, line.encode() + b"\n")


def _sweep(run: str) -> tuple[str, ...]:
    """Returns the command that ends what is left, without its last arguments."""
    loader: Any = __spec__.loader  # it knows the way into an archive, too
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sources = [
        (f"reloader.{name}", loader.get_data(f"{package}/{name.replace('.', '/')}.py").decode())
        for name in _SOURCES
    ]
    # The interpreter itself, for a virtual environment may be replaced, too.
    python = os.path.realpath(sys.executable)
    return (python, "-I", "-S", "-B", "-c", _MAIN, ascii(sources), run)
