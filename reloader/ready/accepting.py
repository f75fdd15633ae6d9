"""Finds out whether a program waits for connections, without its help (Linux).

A server that is ready waits: its listening socket is in a set of epoll, or one of its threads is
blocked in accept, poll or select with it. A server that still imports or migrates is elsewhere.
Reads /proc only; layouts: proc_pid_fdinfo(5), proc_pid_syscall(5).
"""

from __future__ import annotations

import os
import re
import struct
from typing import TYPE_CHECKING, NamedTuple

from reloader.sockets import diag

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class _Calls(NamedTuple):
    """Numbers of the system calls that wait."""

    accept: frozenset[int]  # accept, accept4
    poll: frozenset[int]  # poll, ppoll
    select: frozenset[int]  # select, pselect6


_CALLS = {
    "x86_64": _Calls(frozenset({43, 288}), frozenset({7, 271}), frozenset({23, 270})),
    "aarch64": _Calls(frozenset({202, 242}), frozenset({73}), frozenset({72})),
}.get(os.uname().machine, _Calls(frozenset(), frozenset(), frozenset()))
_MOST_POLLED = 4096  # descriptors of one call that are looked at
_WATCHED = re.compile(rb"\bino:([0-9a-f]+)")  # in the fdinfo of an epoll descriptor


def listening(pids: Iterable[int]) -> dict[int, int]:
    """Returns the listening TCP sockets that these processes have: inode to port."""
    own = {inode for pid in pids for inode in _sockets(_descriptors(pid)).values()}
    if not own:
        return {}
    return {found.inode: found.port for found in diag.listening() if found.inode in own}


def waited_on(pids: Iterable[int], inodes: frozenset[int]) -> frozenset[int]:
    """Returns those of these listening sockets on which one of the processes waits."""
    found: set[int] = set()
    for pid in pids:
        if inodes <= found:
            break
        descriptors = _descriptors(pid)
        for number, link in descriptors.items():
            if link == "anon_inode:[eventpoll]":
                found |= _in_epoll(pid, number) & inodes
        own = {n: inode for n, inode in _sockets(descriptors).items() if inode in inodes}
        if own and not inodes <= found:
            found |= {own[number] for number in _blocked_with(pid, frozenset(own))}
    return frozenset(found)


def has_socket(pids: Iterable[int], inode: int) -> bool:
    """Returns True if one of the processes has a descriptor of this socket."""
    return any(inode in _sockets(_descriptors(pid)).values() for pid in pids)


def sockets(pids: Iterable[int]) -> frozenset[int]:
    """Returns all sockets of these processes, by inode."""
    return frozenset(i for pid in pids for i in _sockets(_descriptors(pid)).values())


def lives(pid: int) -> bool:
    """Returns True until the process has ended, collected or not."""
    return _read(f"/proc/{pid}/stat").rpartition(b") ")[2][:1] not in {b"Z", b"X", b""}


def is_at_work(pids: Iterable[int]) -> bool:
    """Returns True if one of the processes computes or reads a disk at this moment."""
    stats = (_read(f"/proc/{pid}/stat").rpartition(b") ")[2] for pid in pids)
    return any(stat[:1] in {b"R", b"D"} for stat in stats)


def _descriptors(pid: int) -> dict[int, str]:
    """Returns what each descriptor of a process is; nothing of one that is gone."""
    found = {}
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return {}
    for name in names:
        try:
            found[int(name)] = os.readlink(f"/proc/{pid}/fd/{name}")
        except OSError:  # closed meanwhile
            continue
    return found


def _sockets(descriptors: dict[int, str]) -> dict[int, int]:
    return {
        number: int(link[len("socket:[") : -1])
        for number, link in descriptors.items()
        if link.startswith("socket:[")
    }


def _in_epoll(pid: int, number: int) -> set[int]:
    text = _read(f"/proc/{pid}/fdinfo/{number}")
    return {int(inode, 16) for inode in _WATCHED.findall(text)}


def _blocked_with(pid: int, own: frozenset[int]) -> Iterator[int]:
    """Yields those of these descriptors with which a thread is blocked in a system call."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return
    for thread in threads:
        words = _read(f"/proc/{pid}/task/{thread}/syscall").split()
        if len(words) < 7 or not words[0].isdigit():  # it runs
            continue
        call, args = int(words[0]), [int(word, 16) for word in words[1:7]]
        if call in _CALLS.accept:
            yield from own & {args[0] & 0xFFFFFFFF}
        elif call in _CALLS.poll:
            size = 8 * min(args[1], _MOST_POLLED)  # struct pollfd
            polled = _memory(pid, args[0], size)
            yield from own & {n for n, _, _ in struct.iter_unpack("=ihh", polled)}
        elif call in _CALLS.select and args[1]:
            size = (min(args[0], _MOST_POLLED) + 7) // 8
            bits = int.from_bytes(_memory(pid, args[1], size), "little")
            yield from (number for number in own if bits >> number & 1)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _memory(pid: int, at: int, size: int) -> bytes:
    try:
        descriptor = os.open(f"/proc/{pid}/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        data = os.pread(descriptor, size, at)
    except OSError:
        return b""
    else:
        return data[: len(data) // 8 * 8] if size % 8 == 0 else data
    finally:
        os.close(descriptor)
