"""Puts the thread that calls it under a filter; by itself, so that other processes can load it.

An app that is started warm is forked by a process of its own interpreter, so it takes the filter
itself and hands the descriptor for the questions over. Standard library only, Python 3.8 or newer.
"""

from __future__ import annotations

import _socket
import ctypes
import errno
import os
import struct

_SET_NO_NEW_PRIVS = 38  # prctl
_SET_MODE_FILTER = 1  # seccomp
_SPEC_ALLOW, _NEW_LISTENER, _WAIT_KILLABLE = 1 << 2, 1 << 3, 1 << 5  # its flags
_ORDER = struct.Struct("=I?")  # number of the system call, may rights be lost; the program follows
_RESULT = struct.Struct("=i")
_LIBC = ctypes.CDLL(None, use_errno=True)
_MOST = 4096


def install(number: int, program: bytes, may_lose_rights: bool) -> int:
    """Returns the descriptor on which the kernel asks, or a negative errno.

    `number`: of the system call `seccomp`. EACCES: the kernel wants that no program in the tree can
    gain rights (no_new_privs), and that may not be.
    """
    flags = _SPEC_ALLOW | _NEW_LISTENER | _WAIT_KILLABLE
    result = _filter(number, program, flags)
    if result == -errno.EINVAL:  # before Linux 5.19
        flags &= ~_WAIT_KILLABLE
        result = _filter(number, program, flags)
    if result == -errno.EACCES and may_lose_rights:  # neither no_new_privs nor CAP_SYS_ADMIN
        _LIBC.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        result = _filter(number, program, flags)
    return result


def _filter(number: int, program: bytes, flags: int) -> int:
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    result: int = _LIBC.syscall(number, _SET_MODE_FILTER, flags, head)
    return result if result >= 0 else -ctypes.get_errno()


# --- between reloader and a process that takes the filter itself ----------------------------------


def enter(call: _socket.socket, order: bytes) -> None:
    """Does as `ask` has asked from the other side. Raises OSError if that has ended."""
    number, may_lose_rights = _ORDER.unpack_from(order)
    found = install(number, order[_ORDER.size :], may_lose_rights)
    rights = [struct.pack("=i", found)] if found >= 0 else []
    asides = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed) for packed in rights]
    call.sendmsg([_RESULT.pack(min(found, 0))], asides, _socket.MSG_NOSIGNAL)
    if found >= 0:
        os.close(found)


def ask(call: _socket.socket, number: int, program: bytes, *, may_lose_rights: bool) -> int:
    """Returns what `install` has on the other side. Raises OSError if there is no answer."""
    call.send(_ORDER.pack(number, may_lose_rights) + program, _socket.MSG_NOSIGNAL)
    data, asides, _, _ = call.recvmsg(_MOST, _socket.CMSG_SPACE(4), _socket.MSG_CMSG_CLOEXEC)
    if len(data) < _RESULT.size:
        raise ConnectionError
    for _, _, packed in asides:
        return int(struct.unpack_from("=i", packed)[0])
    return int(_RESULT.unpack(data)[0])
