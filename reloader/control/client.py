"""Asks the control sockets of the runs of a directory."""

from __future__ import annotations

import json
import os
import select
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reloader.control import place
from reloader.control import socket as status
from reloader.control.peer import peer_of
from reloader.errors import Problem, ReloaderError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reloader.control.wire import Ask
    from reloader.core.values import Seconds

NONE_HERE = 4  # exit status: no reloader runs here
_CONNECT: Seconds = 2.0  # for a run whose backlog is full
_BEGINNING: Seconds = 5.0  # from the start of a run until its control socket is there
_AGAIN: Seconds = 0.05
_ANSWERS: Seconds = 5.0  # beyond the time that was asked for
_LONGEST = 1 << 24  # bytes of one line of an answer


class NoReloaderError(ReloaderError):
    """No run of the directory answers."""

    status = NONE_HERE  # type: ignore[assignment]


class Run:
    """One connection to a run."""

    def __init__(self, connected: socket.socket, pid: int) -> None:
        self.pid = pid
        self._socket = connected

    def ask(self, ask: Ask) -> Iterator[dict[str, Any]]:
        """Yields the lines of the answer; with `follow` until the run ends.

        Raises ReloaderError if it does not answer in time, or answers something else.
        """
        patience = None if ask.follow else ask.timeout + _ANSWERS
        ends = None if patience is None else time.monotonic() + patience
        with self._socket:
            try:
                self._socket.sendall(ask.line())
                yield from self._lines(ends)
            except TimeoutError:
                raise ReloaderError(Problem(f"the reloader {self.pid} does not answer")) from None
            except (OSError, ValueError) as error:
                text = f"the reloader {self.pid} does not answer as expected: {error}"
                raise ReloaderError(Problem(text)) from None

    def _lines(self, ends: Seconds | None) -> Iterator[dict[str, Any]]:
        data = b""
        while len(data) <= _LONGEST:
            if ends is not None:
                self._socket.settimeout(max(0.001, ends - time.monotonic()))
            more = self._socket.recv(65_536)
            data += more
            *lines, data = data.split(b"\n")
            for line in lines:
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError("no JSON object")  # noqa: TRY004 -- of the text
                yield record
            if not more:
                return
        raise ValueError("a line without an end")

    def close(self) -> None:
        self._socket.close()


def runs(environ: Mapping[str, str], directory: str) -> list[Run]:
    """Returns a connection to each run of a directory. Raises NoReloaderError if there is none.

    A run that has just begun is waited for.
    """
    ends = time.monotonic() + _BEGINNING
    while not (found := list(_connected(environ, directory))):
        is_coming = any(answer.believed for answer in status.ask(directory))
        if not is_coming or time.monotonic() >= ends:
            text = "it has no control socket" if is_coming else f"no reloader runs in {directory}"
            hint = "reloader run starts it" if not is_coming else ""
            raise NoReloaderError(Problem(text, hint=hint))
        select.select([], [], [], _AGAIN)
    return found


def _connected(environ: Mapping[str, str], directory: str) -> Iterator[Run]:
    here, others = place.sockets(environ, directory)
    found = False
    for path in (*here, *others):
        if found and path in others:
            return
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.settimeout(_CONNECT)
        try:
            client.connect(path)
            peer = peer_of(client)
            is_meant = path in here or peer.pid == 1
        except OSError:  # a dead run's
            client.close()
            continue
        if peer.is_believed and is_meant and os.path.dirname(path):
            found = True
            yield Run(client, peer.pid)
        else:
            client.close()


def first(run: Run, ask: Ask) -> dict[str, Any]:
    """Returns the first line of an answer. Raises ReloaderError if there is none, or an error."""
    record: dict[str, Any] | None = None
    with suppress(StopIteration):
        record = next(run.ask(ask))
    if record is None:
        raise ReloaderError(Problem(f"the reloader {run.pid} has ended"))
    return record


def answer(run: Run, ask: Ask) -> dict[str, Any]:
    """Returns the same. Raises ReloaderError also if the answer is an error, in its words."""
    record = first(run, ask)
    if error := record.get("error"):
        raise ReloaderError(Problem(str(error)))
    return record
