"""Hands the output of processes on to the streams that people read, and keeps its end.

A thread reads and writes, so that a reader that is slow or gone holds up the process that writes
to it, as it would without a pump, and nobody else. Bytes go through as they came, in their order;
stdout and stderr of a process share one pipe where they lead to the same file.
"""

from __future__ import annotations

import _thread
import errno
import os
import select
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from reloader import threads
from reloader.output.channel import open_like, resize
from reloader.output.lines import Marker, Tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.values import Seconds, Ticket

    Keep = Callable[[bytes], None]  # takes a piece of output

_AT_ONCE = 65_536  # bytes a read: the size of a pipe (pipe(7))
_PATIENCE: Seconds = 0.2  # a line that has not ended by then comes out as it is
# The same where no line of another app can come between: Python's print() writes a line and its
# end one after the other, and reloader's own lines must not stand between them.
_MOMENT: Seconds = 0.02
_STUCK: Seconds = 0.05  # a write that takes longer waits for a reader that does not read


class Ends(NamedTuple):
    """The descriptors that a process gets as 1 and 2; the caller closes them after the spawn."""

    stdout: int
    stderr: int

    def close(self) -> None:
        for fd in {self.stdout, self.stderr}:
            with suppress(OSError):
                os.close(fd)


class _Channel:
    """One pipe: from a process to a stream."""

    def __init__(self, ticket: Ticket, fd: int, stream: int, mark: bytes, keep: Keep) -> None:
        self.ticket = ticket
        self.fd = fd
        self.stream = stream
        self.tail = Tail()
        self.keep = keep
        self.marker = Marker(mark)
        self.patience = _PATIENCE if mark else _MOMENT
        self.held_since: Seconds | None = None
        self.is_open = True

    @property
    def due_at(self) -> Seconds | None:
        """When the line that has not ended comes out as it is; None: none is held back."""
        return None if self.held_since is None else self.held_since + self.patience


class Pump:
    """Channels for processes; only `open`, `tail`, `flush`, `forget` and `close` are for others.

    They are called by the main thread; the pump's own thread reads and writes.
    """

    def __init__(self) -> None:
        """Raises OSError where no pipe or thread can be had."""
        self._new: deque[_Channel] = deque()
        self._channels: dict[int, _Channel] = {}  # by descriptor; the thread's own
        self._tails: dict[Ticket, list[_Channel]] = {}
        self._writing_since: Seconds | None = None
        self._sweeps: deque[_thread.LockType] = deque()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._closed = False
        self._done = _thread.allocate_lock()
        self._done.acquire()
        if threads.start(self._run, "output") is None:
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise OSError(errno.EAGAIN, threads.LACK)

    # --- for the main thread -------------------------------------------------------------------

    def open(
        self,
        ticket: Ticket,
        stdout: int,
        stderr: int,
        mark: bytes = b"",
        keep: Keep = lambda _: None,
    ) -> Ends:
        """Returns the ends for a process whose output goes to these streams. Raises OSError.

        `keep` is called with each piece of it, in the pump's thread.
        """
        ours, theirs = open_like(stdout)
        channels = [_Channel(ticket, ours, stdout, mark, keep)]
        ends = Ends(theirs, theirs)
        if not _same_file(stdout, stderr):
            try:
                ours, other = open_like(stderr)
            except OSError:
                os.close(channels[0].fd)
                os.close(theirs)
                raise
            channels.append(_Channel(ticket, ours, stderr, mark, keep))
            ends = Ends(theirs, other)
        self._tails[ticket] = channels
        self._new.extend(channels)
        self._wake()
        return ends

    def tail(self, ticket: Ticket) -> str:
        """Returns the end of the output of a process, stderr last; "" if it was not pumped."""
        channels = self._tails.get(ticket, [])
        return "".join(channel.tail.text() for channel in channels)

    def flush(self, ticket: Ticket, within: Seconds = 0.3) -> None:
        """Waits until all is out that was written so far; not for a reader that does not read."""
        if ticket not in self._tails or self._is_stuck():
            return
        swept = _thread.allocate_lock()
        swept.acquire()
        self._sweeps.append(swept)
        self._wake()
        swept.acquire(timeout=within)

    def forget(self, ticket: Ticket) -> None:
        """Drops what was kept of a process."""
        self._tails.pop(ticket, None)

    def resize(self) -> None:
        """Passes the size of the terminal on; called after SIGWINCH."""
        for channel in list(self._channels.values()):
            if os.isatty(channel.stream):
                resize(channel.fd, channel.stream)

    def close(self, within: Seconds = 0.5) -> None:
        """Hands on what is there, and ends the thread."""
        self._closed = True
        self._wake()
        self._done.acquire(timeout=within)

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closed:
                try:
                    self._turn()
                except (OSError, MemoryError):  # nothing is left now; the writers wait meanwhile
                    select.select([], [], [], _STUCK)
            self._sweep()
        finally:
            self._done.release()

    def _turn(self) -> None:
        poll = select.poll()
        poll.register(self._wake_read, select.POLLIN)
        for fd in self._channels:
            poll.register(fd, select.POLLIN)
        ready = poll.poll(self._patience())
        for fd, _ in ready:
            if fd == self._wake_read:
                with suppress(OSError):
                    os.read(self._wake_read, 4096)
            elif fd in self._channels:
                self._read(self._channels[fd])
        while self._new:
            channel = self._new.popleft()
            self._channels[channel.fd] = channel
        self._flush_held()
        while self._sweeps:
            swept = self._sweeps.popleft()
            self._sweep()
            swept.release()

    def _patience(self) -> int | None:
        """Returns how long to wait for more of a line that has not ended, in ms; None: for ever."""
        due = [c.due_at for c in self._channels.values() if c.due_at is not None]
        if not due:
            return None
        return max(0, int((min(due) - time.monotonic()) * 1000) + 1)

    def _sweep(self) -> None:
        """Reads every channel until there is nothing more to read."""
        while self._new:
            channel = self._new.popleft()
            self._channels[channel.fd] = channel
        for channel in list(self._channels.values()):
            while channel.is_open and self._read(channel):
                pass
            self._write(channel.stream, channel.marker.flush())
            channel.held_since = None

    def _read(self, channel: _Channel) -> bool:
        """Hands one piece on; returns False if there was none."""
        try:
            data = os.read(channel.fd, _AT_ONCE)
        except BlockingIOError:
            return False
        except OSError:  # EIO: the last process that had the terminal has closed it
            data = b""
        if not data:
            self._end(channel)
            return False
        channel.tail.add(data)
        channel.keep(data)
        self._write(channel.stream, channel.marker.feed(data))
        if not channel.marker.is_holding:
            channel.held_since = None
        elif channel.held_since is None:
            channel.held_since = time.monotonic()
        return True

    def _flush_held(self) -> None:
        now = time.monotonic()
        for channel in self._channels.values():
            if channel.due_at is not None and now >= channel.due_at:
                self._write(channel.stream, channel.marker.flush())
                channel.held_since = None

    def _end(self, channel: _Channel) -> None:
        self._write(channel.stream, channel.marker.end())
        self._channels.pop(channel.fd, None)
        channel.is_open = False
        channel.held_since = None
        os.close(channel.fd)

    def _write(self, stream: int, data: bytes) -> None:
        """Writes all of it, however long the reader takes; a reader that is gone gets nothing."""
        self._writing_since = time.monotonic()
        while data:
            try:
                data = data[os.write(stream, data) :]
            except BlockingIOError:  # somebody has made the stream non-blocking
                select.select([], [stream], [], 0.1)
            except OSError:
                break
        self._writing_since = None

    def _is_stuck(self) -> bool:
        since = self._writing_since
        return since is not None and time.monotonic() - since > _STUCK

    def _wake(self) -> None:
        with suppress(OSError):
            os.write(self._wake_write, b"\0")


def _same_file(one: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False
