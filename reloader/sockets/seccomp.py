"""Lets the kernel ask reloader before a process tree binds a socket or listens on one (Linux).

A seccomp filter belongs to a thread and to all that the thread starts. So a thread of its own takes
the filter, starts the process and ends; the tree keeps the filter, and nobody else has it. Each
start has its own descriptor for the questions: it says of which start they are, and hangs up when
the last process of the tree is gone.

Numbers are from Linux's include/uapi (seccomp.h, filter.h, audit.h) and its tables of system calls.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import struct
import threading
from contextlib import suppress
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from reloader import threads
from reloader.sockets import inside

if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable

_GET_NO_NEW_PRIVS = 39  # prctl
_ALLOW, _ASK = 0x7FFF0000, 0x7FC00000  # what a filter answers
_CONTINUE = 1  # in an answer: the system call takes its course
_SETFD = 1  # in ADDFD: at this number of the process's
_NOTICE = struct.Struct("=QIIiIQ6Q")  # struct seccomp_notif
_ANSWER = struct.Struct("=QqiI")  # struct seccomp_notif_resp
_ADDFD_SIZE = 24

SOL_SOCKET, SO_REUSEPORT = 1, 15
IPPROTO_IPV6, IPV6_V6ONLY = 41, 26
_ADDRESS_SIZES = (16, 28)  # bytes of a sockaddr_in, a sockaddr_in6


class Call(Enum):
    """A system call that waits for an answer."""

    BIND = auto()
    LISTEN = auto()
    SETSOCKOPT = auto()


class _Machine(NamedTuple):
    """The numbers of the system calls on one kind of CPU."""

    audit: int
    seccomp: int
    calls: dict[Call, int]


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 317, {Call.BIND: 49, Call.LISTEN: 50, Call.SETSOCKOPT: 54}),
    "aarch64": _Machine(0xC00000B7, 277, {Call.BIND: 200, Call.LISTEN: 201, Call.SETSOCKOPT: 208}),
}


class Question(NamedTuple):
    """A thread of the tree waits in a system call until it is answered."""

    number: int  # names the question in its answer
    thread: int  # its id, as /proc has it
    call: Call
    args: tuple[int, ...]


class RefusedError(Exception):
    """The kernel, or the machine, does not allow a filter here; the text says why.

    `passing`: for want of a thread, of memory or of descriptors, so it may be allowed later.
    """

    def __init__(self, why: str, *, passing: bool = False) -> None:
        super().__init__(why)
        self.passing = passing


def start(run: Callable[[], int], may_lose_rights: Callable[[], bool]) -> tuple[int, int]:
    """Calls `run`, which starts a process, under a filter; returns its result and the descriptor.

    `may_lose_rights` is asked where the kernel wants it: no program in the tree can gain rights
    then (no_new_privs: sudo fails). Raises RefusedError, and has called nothing then; else what
    `run` raises.
    """
    starter = _Starter(_machine(), run, may_lose_rights)
    try:
        starter.start()
    except (RuntimeError, MemoryError):
        raise RefusedError(threads.LACK, passing=True) from None
    starter.join()
    if starter.error is not None:
        raise starter.error
    return starter.result, starter.listener


def ask(call: _socket.socket, may_lose_rights: Callable[[], bool]) -> int:
    """Has the process on the other side take the filter itself; returns the descriptor.

    There `inside.enter` answers. Raises RefusedError.
    """
    machine = _machine()
    code, may = program(machine.audit, machine.calls), may_lose_rights()
    try:
        return _result(inside.ask(call, machine.seccomp, code, may_lose_rights=may))
    except OSError:
        why = "the app's Python has no ctypes, or did not answer"
        raise RefusedError(why, passing=True) from None


def _machine() -> _Machine:
    if machine := _MACHINES.get(os.uname().machine):
        return machine
    raise RefusedError(f"not known how on a CPU of the kind {os.uname().machine}")


class _Starter(threading.Thread):
    """Takes the filter, starts the process and ends: nothing else may run under the filter."""

    def __init__(
        self, machine: _Machine, run: Callable[[], int], may_lose_rights: Callable[[], bool]
    ) -> None:
        super().__init__(daemon=True)
        self._machine = machine
        self._run = run
        self._may_lose_rights = may_lose_rights
        self.result = 0
        self.listener = -1
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            self.listener = self._install()
            self.result = self._run()
        except BaseException as error:  # noqa: BLE001 -- it is raised where it belongs
            self.error = error
            if self.listener >= 0:
                os.close(self.listener)

    def _install(self) -> int:
        machine = self._machine
        code = program(machine.audit, machine.calls)
        found = inside.install(machine.seccomp, code, False)
        if found == -errno.EACCES and self._may_lose_rights():
            found = inside.install(machine.seccomp, code, True)
        return _result(found)


_LIBC = ctypes.CDLL(None, use_errno=True)
_WHY = {
    errno.EBUSY: "",  # a tree is asked for by one only: an outer reloader holds the ports
    errno.ENOSYS: "this kernel has no seccomp",
    errno.EINVAL: "this kernel is too old (Linux 5.9 has what it takes)",
    errno.EACCES: "the app could gain no rights any more, by sudo for example",
    errno.EPERM: "the container's seccomp profile forbids it",
}

_PASSING = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def _result(found: int) -> int:
    """Returns the descriptor. Raises RefusedError for a negative errno."""
    if found < 0:
        why = _WHY.get(-found, os.strerror(-found))
        raise RefusedError(why, passing=-found in _PASSING)
    return found


def has_no_new_privs() -> bool:
    """Returns True if programs that reloader starts can gain no rights in any case."""
    return bool(_LIBC.prctl(_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)


def program(audit: int, calls: dict[Call, int]) -> bytes:
    """Returns the classic BPF program: which system calls wait for an answer.

    bind with the size of an Internet address (netlink and most Unix sockets have another), listen,
    and the two options that the socket in its place must have too.
    """
    load, is_equal, answer = 0x20, 0x15, 0x06
    number, arch, arg1, arg2 = 0, 4, 24, 32  # offsets in struct seccomp_data; low words
    v4, v6 = _ADDRESS_SIZES
    following = ""
    steps: tuple[tuple[str, int, int, str, str], ...] = (  # (label, code, value, then, otherwise)
        ("", load, arch, following, following),
        ("", is_equal, audit, following, "allow"),
        ("", load, number, following, following),
        ("", is_equal, calls[Call.LISTEN], "ask", following),
        ("", is_equal, calls[Call.BIND], following, "option"),
        ("", load, arg2, following, following),
        ("", is_equal, v4, "ask", following),
        ("", is_equal, v6, "ask", "allow"),
        ("option", is_equal, calls[Call.SETSOCKOPT], following, "allow"),
        ("", load, arg1, following, following),
        ("", is_equal, IPPROTO_IPV6, following, "socket"),
        ("", load, arg2, following, following),
        ("", is_equal, IPV6_V6ONLY, "ask", "allow"),
        ("socket", is_equal, SOL_SOCKET, following, "allow"),
        ("", load, arg2, following, following),
        ("", is_equal, SO_REUSEPORT, "ask", "allow"),
        ("ask", answer, _ASK, following, following),
        ("allow", answer, _ALLOW, following, following),
    )
    places = {label: place for place, (label, *_) in enumerate(steps) if label}

    def distance(here: int, label: str) -> int:
        return places[label] - here - 1 if label else 0

    return b"".join(
        struct.pack("=HBBI", code, distance(i, then), distance(i, otherwise), value)
        for i, (_, code, value, then, otherwise) in enumerate(steps)
    )


# --- questions and answers -----------------------------------------------------------------------


def _ioctl(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("!") << 8 | number


_RECV = _ioctl(3, 0, _NOTICE.size)
_SEND = _ioctl(3, 1, _ANSWER.size)
_IS_VALID = _ioctl(1, 2, 8)
_ADDFD = _ioctl(1, 3, _ADDFD_SIZE)


def receive(listener: int) -> Question | None:
    """Returns the next question; None if who asked it is gone. Raises OSError at the end."""
    calls = {n: c for c, n in _MACHINES[os.uname().machine].calls.items()}
    buffer = bytearray(_NOTICE.size)
    try:
        fcntl.ioctl(listener, _RECV, buffer)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EINTR):
            return None
        raise
    number, thread, _, call, _, _, *args = _NOTICE.unpack(buffer)
    return Question(number, thread, calls[call], tuple(args))


def is_valid(listener: int, question: Question) -> bool:
    """Returns True if who asked still waits: what was read of its memory was its own."""
    try:
        fcntl.ioctl(listener, _IS_VALID, struct.pack("=Q", question.number))
    except OSError:
        return False
    return True


def place(
    listener: int, question: Question, descriptor: int, at: int, *, is_inheritable: bool
) -> None:
    """Puts a copy of a descriptor of reloader's in the place of one of the thread's process."""
    flags = 0 if is_inheritable else os.O_CLOEXEC
    order = struct.pack("=QIIII", question.number, _SETFD, descriptor, at, flags)
    fcntl.ioctl(listener, _ADDFD, order)


def answer(listener: int, question: Question, number: int | None) -> None:
    """Lets the thread go on: with this errno (0: done), or None: the call takes its course."""
    flags = _CONTINUE if number is None else 0
    reply = bytearray(_ANSWER.pack(question.number, 0, -(number or 0), flags))
    with suppress(OSError):  # it is gone, or a signal has taken it out of the call
        fcntl.ioctl(listener, _SEND, reply)
