"""A process that stands still, and forks apps that go on from where it stands."""

from __future__ import annotations

import _socket
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


_MOST = 4096  # bytes of a word before the start


class Stamps:
    """Files and folders as they were when they were read."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._stamps = {path: _stamp(path) for path in paths}

    def differing(self) -> str:
        """Returns one that differs by now; "": none."""
        for path, stamp in self._stamps.items():
            if _stamp(path) != stamp:
                return path
        return ""


def _stamp(path: str) -> tuple[int, ...]:
    try:
        about = os.stat(path)
    except OSError:
        return ()
    return (about.st_mtime_ns, about.st_size, about.st_ino)


class Sleeper:
    """Forks an app at each order; the app's side of it returns from `serve` with the order.

    The app is forked by a process that ends at once, so that the supervisor, which takes in
    orphans, is its parent. It waits until the supervisor has taken it over.
    """

    def __init__(self, sock: _socket.socket, wire: Any, threads: Callable[[], int]) -> None:
        self._sock = sock
        self._wire = wire
        self._threads = threads

    def serve(
        self,
        doubt: Callable[[list[str]], str],
        others: Callable[[list[str], list[int]], tuple[str, ...]],
    ) -> tuple[list[str], list[int]]:
        """Returns in the app alone, with the order's words and descriptors.

        `doubt` returns why an order can't be carried out; `others` answers all other messages.
        """
        while True:
            words, fds = self._wire.receive(self._sock)
            if not words:
                os._exit(0)
            if words[0] != "start":
                self._wire.send(self._sock, others(words, fds))
                _close(fds)
                continue
            if self._threads() > 1:
                self._wire.send(self._sock, ("stale", "a thread has started in the server"))
                _close(fds)
                continue
            inner, outer = os.pipe()
            middle = os.fork()
            if middle == 0:
                app = os.fork()
                if app == 0:
                    os.close(inner)
                    os.close(outer)
                    self._sock.close()
                    return words, fds
                os.setpgid(app, app)
                os.write(outer, b"%d" % app)
                os._exit(0)
            os.close(outer)
            why = doubt(words)  # while the two forks are made
            pid = os.read(inner, 20).decode()
            os.close(inner)
            os.waitpid(middle, 0)
            _close(fds)
            self._wire.send(self._sock, ("stale", why) if why else ("started", pid))


def _close(descriptors: Iterable[int]) -> None:
    for number in descriptors:
        os.close(number)


def become(
    words: list[str],
    fds: list[int],
    title: Title,
    set_environ: Callable[[dict[bytes, bytes]], None],
    enter: Callable[[_socket.socket, bytes], object] | None = None,
) -> list[str]:
    """Makes this process the app that was ordered; returns what is left of the order.

    The words: "start", the mark, the folder, how many names of the environment, then these. The
    descriptors: 0, 1, 2, and one from which a byte comes when the supervisor is ready; to all that
    comes before `enter` answers.
    """
    _, mark, cwd, count, *rest = words
    stdin, stdout, stderr, go = fds
    waits = _socket.socket(fileno=go)
    while (said := waits.recv(_MOST)) != b"g":
        if not said:
            os._exit(0)
        if enter:
            enter(waits, said)
        else:
            waits.send(b"")
    waits.close()
    for number, place in ((stdin, 0), (stdout, 1), (stderr, 2)):
        os.dup2(number, place)
        os.close(number)
    title.restore(mark)
    os.chdir(cwd)
    entries = (os.fsencode(entry).partition(b"=") for entry in rest[: int(count)])
    set_environ({name: value for name, _, value in entries})
    _renew()
    return rest[int(count) :]


def _renew() -> None:
    """Renews state that each process must own, though a library made it at its import."""
    modules = sys.modules
    if (numpy := modules.get("numpy.random")) is not None:
        numpy.seed()
    logging: Any = modules.get("logging")
    if logging is not None:
        now = time.time_ns() if isinstance(logging._startTime, int) else time.time()
        logging._startTime = now
    if (processes := modules.get("multiprocessing.process")) is not None:
        current = processes.current_process()
        current.authkey = os.urandom(32)


class Title:
    """The title of this process in `ps`: reloader's name; in an app, the command again."""

    def __init__(self) -> None:
        with open("/proc/self/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        # proc_pid_stat(5): arg_start is (48), arg_end (49), env_start (50), env_end (51).
        self._at = [int(field) for field in fields[45:49]]
        with open("/proc/self/comm", "rb") as file:
            self._comm = file.read().strip()
        self._args = self._read(*self._at[:2])
        self._environ = self._read(*self._at[2:])

    def show(self) -> None:
        ours = b"reloader: warm " + self._args.replace(b"\0", b" ")
        self._write(self._at[0], ours[: len(self._args) - 1] + b"\0")
        self._comm_is(b"reloader-warm")

    def restore(self, mark: str) -> None:
        """`mark`: the value of RELOADER_RUN, as long as the one this process has begun with."""
        self._write(self._at[0], self._args)
        self._comm_is(self._comm)
        self.marked(mark)

    def marked(self, mark: str) -> None:
        place = self._environ.find(b"RELOADER_RUN=")
        if place >= 0:
            self._write(self._at[2] + place + len(b"RELOADER_RUN="), os.fsencode(mark))

    @staticmethod
    def _read(start: int, end: int) -> bytes:
        with open("/proc/self/mem", "rb", buffering=0) as file:
            file.seek(start)
            return file.read(end - start)

    @staticmethod
    def _write(start: int, data: bytes) -> None:
        with open("/proc/self/mem", "r+b", buffering=0) as file:
            file.seek(start)
            file.write(data)

    @staticmethod
    def _comm_is(name: bytes) -> None:
        with open("/proc/self/comm", "wb", buffering=0) as file:
            file.write(name)
