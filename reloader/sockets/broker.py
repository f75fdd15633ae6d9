"""Answers the app when it binds a TCP socket: it gets one that reloader has made, in its place.

One thread for each start of the app, and no other thing: a question that waits is an app that
stands still. In any doubt the system call takes its course, and the app is as without reloader.
"""

from __future__ import annotations

import errno
import os
import select
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.sockets import group, seccomp
from reloader.sockets.address import Address
from reloader.sockets.seccomp import Call

if TYPE_CHECKING:
    from reloader.sockets.ports import Ports, Start
    from reloader.sockets.seccomp import Question

_TCP = frozenset({"TCP", "TCPv6", "MPTCP", "MPTCPv6"})
_MOST_OPTIONS = 1000  # sockets whose options are remembered; who sets more never binds them
_V6ONLY = "ipv6/bindv6only"  # of an IPv6 socket that doesn't say
_FIRST_FREE = "ipv4/ip_unprivileged_port_start"  # the first port that needs no right
_NET_BIND_SERVICE = 10  # bit of the capability for the ports below


class Broker:
    """Serves one start until the last of its processes is gone; owns the descriptor."""

    def __init__(self, listener: int, start: Start, ports: Ports) -> None:
        self._listener = listener
        self._start = start
        self._ports = ports
        self._options: dict[tuple[int, int], int] = {}  # (inode, option): value, before the bind

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        try:
            while poll.poll()[0][1] & select.POLLIN:
                if question := seccomp.receive(self._listener):
                    self._reply(question)
        except OSError:  # the kernel takes questions no more
            pass
        finally:
            os.close(self._listener)
            self._ports.forget(self._start)

    def _reply(self, question: Question) -> None:
        reply = None
        listens = 0  # a socket that will in a moment
        try:
            match question.call:
                case Call.BIND:
                    reply = self._bind(question)
                case Call.LISTEN:
                    listens = _inode(f"/proc/{question.thread}/fd/{question.args[0]}")
                case Call.SETSOCKOPT:
                    self._option(question)
        except Exception:  # noqa: BLE001, S110 -- gone meanwhile; no memory: the call takes its course
            pass
        finally:
            seccomp.answer(self._listener, question, reply)
        with suppress(OSError):
            if (
                listens
                and self._ports.is_own(self._start, listens)
                and group.wait_listening(listens)
            ):
                self._ports.listened(self._start, listens, question.thread)

    # --- the system calls: the errno, or None to let the call take its course --------------------

    def _bind(self, question: Question) -> int | None:
        thread, number = question.thread, question.args[0]
        path = f"/proc/{thread}/fd/{number}"
        inode = _inode(path)
        v6only = bool(self._options.get((inode, seccomp.IPV6_V6ONLY), _sysctl(_V6ONLY, 0)))
        address = Address.of(_memory(thread, question.args[1], question.args[2]), v6only=v6only)
        if address is None or not address.port or not _is_ours(thread, path, address.port):
            return None
        if self._ports.has(self._start, address, inode):
            return 0  # a signal had interrupted the call
        if not seccomp.is_valid(self._listener, question):
            return None
        shares = bool(self._options.get((inode, seccomp.SO_REUSEPORT), 0))
        flags = _flags(thread, number)
        try:
            place = self._ports.bind(self._start, address, shares=shares)
        except OSError as error:
            return error.errno
        if place.copy is None:
            return errno.EADDRINUSE
        place.copy.setblocking(not flags & os.O_NONBLOCK)
        seccomp.place(
            self._listener,
            question,
            place.copy.fileno(),
            number,
            is_inheritable=not flags & os.O_CLOEXEC,
        )
        self._ports.handed_over(self._start, place)
        return 0

    def _option(self, question: Question) -> None:
        _, _, option, value, size, _ = question.args  # each option has but one level in the filter
        if size < 4:
            return
        if len(self._options) >= _MOST_OPTIONS:
            self._options.clear()
        inode = _inode(f"/proc/{question.thread}/fd/{question.args[0]}")
        (number,) = struct.unpack("=i", _memory(question.thread, value, 4))
        self._options[inode, option & 0xFFFFFFFF] = number


def _memory(thread: int, at: int, size: int) -> bytes:
    descriptor = os.open(f"/proc/{thread}/mem", os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.pread(descriptor, size & 0xFFFFFFFF, at)
    finally:
        os.close(descriptor)


def _inode(path: str) -> int:
    """Returns the number of a socket. Raises OSError, ValueError if it is none."""
    return int(os.readlink(path).removeprefix("socket:[").removesuffix("]"))


def _flags(thread: int, number: int) -> int:
    """Returns a descriptor's flags: O_NONBLOCK, and O_CLOEXEC."""
    with open(f"/proc/{thread}/fdinfo/{number}", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("flags:"):
                return int(line.split()[1], 8)
    return 0


def _is_ours(thread: int, path: str, port: int) -> bool:
    """Returns True for a TCP socket that would be the same if reloader made it.

    Before it is bound nothing but this attribute tells TCP from UDP. A socket of another network
    namespace can't be replaced; a port that the app has no right to must stay out of its reach.
    """
    if os.getxattr(path, "system.sockprotoname").rstrip(b"\0").decode() not in _TCP:
        return False
    if os.readlink(f"/proc/{thread}/ns/net") != os.readlink("/proc/self/ns/net"):
        return False
    needs_no_right = port >= _sysctl(_FIRST_FREE, 1024)
    return needs_no_right or bool(_capabilities(thread) >> _NET_BIND_SERVICE & 1)


def _capabilities(thread: int) -> int:
    with open(f"/proc/{thread}/status", encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.startswith("CapEff:"):
                return int(line.split()[1], 16)
    return 0


def _sysctl(name: str, default: int) -> int:
    """Returns one of the kernel's settings; the default where it can't be read."""
    try:
        with open(f"/proc/sys/net/{name}", encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return default
