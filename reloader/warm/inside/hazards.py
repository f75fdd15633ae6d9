"""Finds reasons against forking a process, and state that its forks would lack."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from reloader.warm.inside.libraries import Libraries

# Descriptors that a library may leave open: they have no state that a fork would share.
PLAIN = frozenset({"/dev/null", "/dev/urandom", "/dev/random"})


class Refused(Exception):  # noqa: N818 -- it is an answer
    """The reason why this process can't be a server; `culprit`: the module to leave out."""

    def __init__(self, why: str, culprit: str = "") -> None:
        super().__init__(why)
        self.culprit = culprit


class Watch:
    """Looks for what can't be forked, or would be missing: each import is looked at by itself."""

    def __init__(self, output: int, libraries: Libraries, begin: Any, finder: object) -> None:
        self._output = output  # where what is printed meanwhile goes
        self._libraries = libraries
        self._begin = begin
        self._finder = finder  # reloader's own
        self._known = set(sys.modules)
        self._fds = _descriptors()
        self._alarms = self._signals()

    def check(self, name: str, environ: dict[bytes, bytes]) -> None:
        """Raises Refused; `environ`: as it was before."""
        why = self._why(environ)
        if why:
            raise Refused(why, name)

    def _why(self, environ: dict[bytes, bytes]) -> str:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        found = {
            "prints when it is imported": os.fstat(self._output).st_size > 0,
            "starts a thread": threads() > 1,
            "starts a process": bool(children()),
            "changes the environment": self._begin.environ_now() != environ,
            "handles signals": self._signals() != self._alarms,
        }
        return next((why for why, is_so in found.items() if is_so), "") or self._sight()

    def _sight(self) -> str:
        for number, link in _descriptors().items():
            if self._fds.get(number) != link and link not in PLAIN and not _is_read_only(number):
                return f"opens {link.partition(':[')[0]}"
        for name in set(sys.modules) - self._known:
            self._known.add(name)
            module = sys.modules[name]
            file = getattr(module, "__file__", None)
            if module is not sys.modules["__main__"] and file and not self._libraries.holds(file):
                return f"imports {name} of the project"
        meddled: str = self._begin.meddled(self._finder)
        return meddled

    @staticmethod
    def _signals() -> tuple[Any, ...]:
        return (
            *(signal.getsignal(number) for number in (signal.SIGCHLD, signal.SIGTERM)),
            signal.getsignal(signal.SIGINT),
            signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        )


def threads() -> int:
    """Returns how many there are; pools that join at a fork (OpenBLAS's) have joined."""
    if len(os.listdir("/proc/self/task")) > 1:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # 3.12 warns of a fork with threads
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            os.waitpid(pid, 0)
    return len(os.listdir("/proc/self/task"))


def children() -> bytes:
    with open(f"/proc/self/task/{os.getpid()}/children", "rb") as file:
        return file.read().strip()


def _descriptors() -> dict[int, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink("/proc/self/fd/" + name)
        except OSError:
            continue
    return found


def _is_read_only(number: int) -> bool:
    """Tells if it is a regular file that is open for reading, which a fork may share."""
    import fcntl
    import stat

    try:
        is_file = stat.S_ISREG(os.fstat(number).st_mode)
        return is_file and fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    except OSError:  # the look itself had opened it
        return True
