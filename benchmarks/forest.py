"""Big trees, and a reloader at work in one, whose news are read."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.stage import Stage
from benchmarks.tools import RELOADER

FILES = 10  # in each folder
PATIENCE = 60.0  # seconds for a piece of news


class Forest(Stage):
    """A project of 100 packages; `sources` are its files that count, but for main.py.

    `share` of the folders are below a package's src, the others below its own node_modules, as in
    a workspace of npm or pnpm.
    """

    def __init__(
        self, top: Path, app: list[str], folders: int, share: float, config: str = ""
    ) -> None:
        self.sources: list[str] = []
        self._folders = folders
        self._share = share
        self._pipe = -1
        self._text = b""  # of its news, unread
        name, text = RELOADER.file
        command = (*RELOADER.command, "--json")
        super().__init__(replace(RELOADER, command=command, file=(name, text + config)), top, app)

    def _fill(self) -> None:
        self.main.write_text("edit = 0\n")
        for number in range(self._folders):
            package = f"packages/package{number % 100:02}"
            counts = number < self._share * self._folders
            part = f"src/part{number}" if counts else f"node_modules/dependency{number}"
            folder = self.folder / package / part
            folder.mkdir(parents=True)
            files = [f"{folder}/module{index}.py" for index in range(FILES)]
            for file in files:
                touch(file, b"x = 0\n")
            if counts:
                self.sources += files

    # --- its news ---

    def begin(self) -> tuple[float, float]:
        """Milliseconds from the start to the app, and to "from here on no change is missed"."""
        begun = time.monotonic_ns()
        self._pipe, writer = os.pipe()
        app = self.start(stdout=writer)
        os.close(writer)
        self.await_news("watch.started")
        return app, (time.monotonic_ns() - begun) / 1e6

    def end(self) -> None:
        self.stop()
        os.close(self._pipe)
        self._text = b""

    def await_news(self, event: str) -> None:
        """Until there is such a piece of news."""
        while news := self.news(within=PATIENCE):
            if any(piece["event"] == event for piece in news):
                return
        raise RuntimeError(f"no {event} within {PATIENCE} s")

    def news(self, within: float = 0) -> list[dict[str, Any]]:
        """What there is by now; if nothing, the first within so many seconds."""
        if not select.select([self._pipe], [], [], within)[0]:
            return []
        *lines, self._text = (self._text + os.read(self._pipe, 1 << 16)).split(b"\n")
        return [json.loads(line) for line in lines]

    # --- what it uses ---

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def watches(self) -> int:
        count = 0
        for info in Path(f"/proc/{self.pid}/fdinfo").iterdir():
            with suppress(FileNotFoundError):  # it was open for a moment
                count += info.read_text().count("inotify wd")
        return count

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


def touch(path: str, data: bytes) -> None:
    """Writes a file in place, at full speed."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(descriptor, data)
    os.close(descriptor)
