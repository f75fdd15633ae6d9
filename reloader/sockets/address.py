"""Addresses that TCP servers listen on, and how the kernel writes them.

Pure: values only.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple


class Address(NamedTuple):
    """One address of a TCP socket, as it is bound."""

    family: int  # AF_INET or AF_INET6
    raw: bytes  # the host, 4 or 16 bytes
    port: int
    scope: int = 0  # number of the interface of a link-local address
    v6only: bool = False  # an IPv6 wildcard without this takes IPv4 too

    @classmethod
    def of(cls, sockaddr: bytes, *, v6only: bool = False) -> Address | None:
        """Reads a sockaddr_in or a sockaddr_in6; returns None for any other."""
        family = int.from_bytes(sockaddr[:2], "little")  # both CPUs that are known are
        if family == socket.AF_INET and len(sockaddr) >= 8:
            (port,) = struct.unpack_from("!H", sockaddr, 2)
            return cls(family, sockaddr[4:8], port)
        if family == socket.AF_INET6 and len(sockaddr) >= 28:
            (port,) = struct.unpack_from("!H", sockaddr, 2)
            (scope,) = struct.unpack_from("=I", sockaddr, 24)
            return cls(family, sockaddr[8:24], port, scope, v6only)
        return None

    @property
    def host(self) -> str:
        return socket.inet_ntop(self.family, self.raw)

    @property
    def name(self) -> tuple[str, int] | tuple[str, int, int, int]:
        """The form that `socket.bind` takes."""
        if self.family == socket.AF_INET:
            return (self.host, self.port)
        return (self.host, self.port, 0, self.scope)

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.family == socket.AF_INET6 else self.host
        return f"{host}:{self.port}"
