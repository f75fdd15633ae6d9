"""A real Chromium, driven over its debugging socket: standard library only."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

from tests.helpers.until import until

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--mute-audio"),
    *("--remote-debugging-port=0", "--window-size=1200,800", "--hide-scrollbars"),
)
DEADLINE = 20.0


def program() -> str:
    """Where it is; "" if there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), "")


class Socket:
    """A WebSocket client, as far as the debugging protocol needs one."""

    def __init__(self, url: str) -> None:
        host, _, path = url.removeprefix("ws://").partition("/")
        name, _, port = host.partition(":")
        self._it = socket.create_connection((name, int(port)), timeout=DEADLINE)
        key = base64.b64encode(os.urandom(16)).decode()
        self._it.sendall(
            f"GET /{path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        self._data = b""
        while b"\r\n\r\n" not in self._data:
            self._data += self._it.recv(65536)
        self._data = self._data.partition(b"\r\n\r\n")[2]

    def send(self, text: str) -> None:
        data = text.encode()
        size = len(data)
        length = bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        if size > 65535:
            length = b"\xff" + size.to_bytes(8, "big")
        self._it.sendall(b"\x81" + length + bytes(4) + data)  # a mask of zeros

    def receive(self) -> str:
        whole = b""
        while True:
            head = self._take(2)
            size = head[1] & 127
            if size > 125:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            whole += self._take(size)
            if head[0] & 0x80:
                return whole.decode()

    def _take(self, count: int) -> bytes:
        while len(self._data) < count:
            more = self._it.recv(1 << 20)
            if not more:
                raise ConnectionError("the browser has gone")
            self._data += more
        taken, self._data = self._data[:count], self._data[count:]
        return taken

    def close(self) -> None:
        self._it.close()


class Chromium:
    """One browser with an empty profile."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="chromium-")
        flags = [*FLAGS, f"--user-data-dir={self.folder}"]
        if os.getuid() == 0:
            flags.append("--no-sandbox")
        self.process = subprocess.Popen(
            [program(), *flags, "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        file = Path(self.folder) / "DevToolsActivePort"
        until(lambda: file.exists() and len(file.read_text().split()) == 2, 60)
        port = file.read_text().split()[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/version", timeout=20) as said:
            self._socket = Socket(json.load(said)["webSocketDebuggerUrl"])
        self._count = 0

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """Sends a command and waits for its result; events are passed over."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        while True:
            said = json.loads(self._socket.receive())
            if said.get("id") == self._count:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                return said["result"]

    def page(self, url: str = "about:blank") -> Page:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        page.call("Page.enable")
        if url != "about:blank":
            page.go(url)
        return page

    def close(self) -> None:
        try:
            self.call("Browser.close")
        except (OSError, RuntimeError):
            self.process.kill()
        self.process.wait(20)
        self._socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    """One tab."""

    def __init__(self, browser: Chromium, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def go(self, url: str) -> None:
        said = self.call("Page.navigate", url=url)
        assert "errorText" not in said, said
        self.wait("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for. None while the page changes."""
        try:
            said = self.call(
                "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
            )
        except RuntimeError:
            return None
        if "exceptionDetails" in said:
            return None
        return said["result"].get("value")

    def wait(self, script: str, timeout: float = DEADLINE) -> Any:
        return until(lambda: self.run(script), timeout)

    def type(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def key(self, name: str) -> None:
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name)

    def show(self) -> None:
        self.call("Page.bringToFront")

    def screenshot(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def dark(self, *, on: bool) -> None:
        value = "dark" if on else "light"
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": value}],
        )

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)
