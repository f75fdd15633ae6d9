"""An app that notes what comes, byte for byte, and answers by path; some answers are broken."""

from __future__ import annotations

import re
import socket
import threading
from contextlib import suppress

R = b"HTTP/1.1 "
OK = R + b"200 OK\r\n"
ANSWERS = {  # path -> (bytes, the connection ends)
    b"/103": (
        R + b"103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
        0,
    ),
    b"/noup": (OK + b"Content-Length: 4\r\n\r\nnoup", 0),
    b"/101u": (R + b"101 x\r\nUpgrade: evil\r\nConnection: upgrade\r\n\r\nraw", 0),
    b"/close": (OK + b"\r\nuntil close", 1),
    b"/short": (OK + b"Content-Length: 10\r\n\r\nhalf", 1),
    b"/ctrunc": (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 1),
    b"/rclte": (
        OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        0,
    ),
    b"/rdupcl": (OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!", 0),
    b"/trail": (
        OK
        + b"Transfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2;a=b\r\nok\r\n0\r\nX-T: v\r\n\r\n",
        0,
    ),
    b"/chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", 0),
    b"/garbage": (b"lorem ipsum\r\n\r\n", 0),
    b"/304": (R + b"304 N\r\nContent-Length: 50\r\nETag: x\r\n\r\n", 0),
    b"/204": (R + b"204 N\r\n\r\n", 0),
    b"/stale": (OK + b"Content-Length: 2\r\n\r\nok", 1),
    b"/two": (
        OK + b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nx-CaSe: q\r\nContent-Length: 2\r\n\r\nok",
        0,
    ),
    b"/crinj": (OK + b"X: a\rb\r\nContent-Length: 2\r\n\r\nok", 0),
    b"/drop": (b"", 1),
    b"/range": (R + b"206 P\r\nContent-Range: bytes 1-2/4\r\nContent-Length: 2\r\n\r\nbc", 0),
    b"/hop": (OK + b"Connection: X-Secret\r\nX-Secret: s\r\nContent-Length: 2\r\n\r\nok", 0),
}
DEFAULT = (OK + b"Content-Length: 2\r\n\r\nok", 0)


class Backend:
    """Listens on a port; `seen` is all that has come on all connections."""

    def __init__(self, port: int = 0) -> None:
        self.listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.seen = bytearray()
        self.connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # a thread that waits in accept holds the port
        self.listener.close()
        for connection in self.connections:
            connection.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            connection.settimeout(10)
            rest, count = b"", 0
            while True:
                head, rest = self._read_head(connection, rest)
                count += 1
                if not head or (count > 1 and b" /first-only" in head):
                    return
                rest, ends = self._answer(connection, head, rest)
                if ends:
                    return

    def _receive(self, connection: socket.socket) -> bytes:
        data = connection.recv(65536)
        self.seen += data
        return data

    def _read_head(self, connection: socket.socket, data: bytes) -> tuple[bytes, bytes]:
        while b"\r\n\r\n" not in data:
            more = self._receive(connection)
            if not more:
                return b"", b""
            data += more
        head, _, rest = data.partition(b"\r\n\r\n")
        return head, rest

    def _answer(self, connection: socket.socket, head: bytes, rest: bytes) -> tuple[bytes, bool]:
        method, path = head.split(b" ")[:2]
        low = head.lower()
        if path == b"/early":
            connection.sendall(R + b"413 no\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
            return rest, True
        if path == b"/echo" and b"upgrade: " in low:
            connection.sendall(R + b"101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + rest)
            while data := self._receive(connection):
                connection.sendall(data)
            connection.sendall(b"bye")
            return b"", True
        rest, is_whole = self._skip_body(connection, low, rest)
        if not is_whole:
            return b"", True
        if method == b"HEAD":
            connection.sendall(OK + b"Content-Length: 1234\r\n\r\n")
            return rest, False
        answer, ends = ANSWERS.get(path.partition(b"?")[0], DEFAULT)
        if answer:
            connection.sendall(answer)
        return rest, bool(ends)

    def _skip_body(self, connection: socket.socket, low: bytes, rest: bytes) -> tuple[bytes, bool]:
        """(What comes after the body, True if it came to its end)."""
        if b"expect: 100" in low:
            connection.sendall(R + b"100 Continue\r\n\r\n")
        is_chunked = b"transfer-encoding: chunked" in low
        length = re.search(rb"content-length: *(\d+)", low)
        size = int(length[1]) if length else 0

        def is_whole() -> bool:
            if is_chunked:
                return b"\r\n0\r\n" in b"\r\n" + rest and rest.endswith(b"\r\n\r\n")
            return len(rest) >= size

        while not is_whole():
            more = self._receive(connection)
            if not more:
                return b"", False
            rest += more
        return (b"" if is_chunked else rest[size:]), True
