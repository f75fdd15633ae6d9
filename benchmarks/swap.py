"""Reloads under load: requests lost, the longest wait, and the time to the first new answer.

python -m benchmarks.swap [NAME…] [-n RELOADS]    a NAME is part of an app's or a tool's name
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from benchmarks.swap_apps import APPS, SWAPPERS
from benchmarks.tools import PATH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.swap_apps import App, Swapper

NEW, KEPT, STREAMS = 8, 8, 4  # clients: a connection for each request; keep-alive; open streams
THINK = 0.005  # seconds between two requests of a client
UP, LATE = 60.0, 20.0  # seconds: for the first answer; for a reload, before it counts as never
ASK = b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: %s\r\n\r\n"
ROW = "{:20}  {:9}  {:>7}  {:>9}  {:>9}  {:>10}  {:>10}  {:>9}"


@dataclass
class Seen:
    """What the clients have met."""

    answers: int = 0
    lost: int = 0  # of clients that open a connection for each request
    lost_kept: int = 0  # of keep-alive clients, though they tried a new connection
    closed: int = 0  # idle keep-alive connections that were closed, and opened again
    waits: list[float] = field(default_factory=list)  # seconds of each answered request
    first: dict[str, float] = field(default_factory=dict)  # when each version answered first


class Load:
    """The clients."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen = Seen()
        self.over = False

    async def get(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bool):
        writer.write(ASK % (b"/", b"keep-alive" if kept else b"close"))
        await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        version = (await reader.readexactly(length)).decode()
        self.seen.answers += 1
        self.seen.first.setdefault(version, time.monotonic())

    async def fresh(self) -> None:
        while not self.over:
            since = time.monotonic()
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                with contextlib.closing(writer):
                    await self.get(reader, writer, kept=False)
                self.seen.waits.append(time.monotonic() - since)
            except (OSError, EOFError, asyncio.IncompleteReadError):
                self.seen.lost += 1
            await asyncio.sleep(THINK)

    async def kept(self) -> None:
        connection = None
        while not self.over:
            used = connection is not None
            try:
                connection = connection or await asyncio.open_connection("127.0.0.1", self.port)
                await self.get(*connection, kept=True)
            except (OSError, EOFError, asyncio.IncompleteReadError):
                if connection:
                    connection[1].close()
                connection = None
                self.seen.closed += used
                self.seen.lost_kept += not used
                if used:
                    continue  # at once, as browsers and libraries do
            await asyncio.sleep(THINK)
        if connection:
            connection[1].close()

    async def stream(self) -> None:
        while not self.over:
            with contextlib.suppress(OSError, EOFError, asyncio.IncompleteReadError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                with contextlib.closing(writer):
                    writer.write(ASK % (b"/events", b"close"))
                    while not self.over and await reader.read(4096):
                        pass
            await asyncio.sleep(THINK)


async def reloads(app: App, folder: Path, port: int, count: int) -> tuple[Seen, list[float]]:
    """The load and `count` saves, each when the one before has answered."""
    load = Load(port)
    await answered(load, "0", UP)
    load.seen = Seen()
    clients = [load.fresh() for _ in range(NEW)] + [load.kept() for _ in range(KEPT)]
    clients += [load.stream() for _ in range(STREAMS)]
    tasks = [asyncio.create_task(client) for client in clients]
    await asyncio.sleep(1)
    times = []
    for version in range(1, count + 1):
        since = time.monotonic()
        app.save(folder, version)
        await answers(load, version, since + LATE)
        times.append(load.seen.first.get(str(version), float("inf")) - since)
        # Longer than the time of a file may be told in; and not as regular as an app that writes
        # its own sources at each start, which reloader takes for a loop.
        await asyncio.sleep(8 if version % 6 == 0 else 1.2)
    load.over = True
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return load.seen, times


async def answers(load: Load, version: int, ends: float) -> None:
    """Until a client has met that version; gives up at the end."""
    for _ in range(int(LATE / 0.002)):
        if str(version) in load.seen.first or time.monotonic() > ends:
            return
        await asyncio.sleep(0.002)


async def answered(load: Load, version: str, within: float) -> None:
    ends = time.monotonic() + within
    while version not in load.seen.first:
        if time.monotonic() > ends:
            raise TimeoutError("it never answered")
        with contextlib.suppress(OSError, EOFError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", load.port)
            with contextlib.closing(writer):
                await load.get(reader, writer, kept=False)
        await asyncio.sleep(0.02)


def measure(swapper: Swapper, app: App, count: int) -> str:
    """One row of the table."""
    with tempfile.TemporaryDirectory(prefix="swap-") as name:
        folder = Path(name)
        port = free_port()
        for file, text in app.files:
            (folder / file).write_text(text)
        if app.name == "Express" and (modules := os.environ.get("NODE_MODULES")):
            (folder / "node_modules").symlink_to(modules)
        app.save(folder, 0)
        configure(swapper, app, folder, port)
        env = {**os.environ, "PATH": PATH, "PORT": str(port), **dict(swapper.env)}
        tool = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {swapper.line(app, port)}"],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            seen, times = asyncio.run(reloads(app, folder, port, count))
        except TimeoutError as never:
            return f"{swapper.name:20}  {app.name:9}  {never}"
        finally:
            tool.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                tool.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(tool.pid, signal.SIGKILL)
            tool.wait()
    done = [seconds for seconds in times if seconds < LATE]
    never = f" ({len(times) - len(done)} never)" if len(done) < len(times) else ""
    return (
        ROW.format(
            swapper.name,
            app.name,
            seen.lost,
            seen.lost_kept,
            seen.closed,
            f"{max(seen.waits, default=0):.2f} s",
            f"{median(done):.2f} s" if done else "-",
            f"{max(done):.2f} s" if done else "-",
        )
        + never
    )


def configure(swapper: Swapper, app: App, folder: Path, port: int) -> None:
    run = app.run.replace("PORT", str(port))
    build = f'cmd = "{app.build}"\n' if app.build else ""
    words = ", ".join(f'"{word}"' for word in run.split())
    if swapper.needs == "reloader":
        text = f'[build]\n{build}entrypoint = [{words}]\ninclude_ext = ["py", "js", "go"]\n'
        (folder / ".reload.toml").write_text(text)
    if swapper.air:
        build = build or 'cmd = "true"\n'
        text = f'[build]\n{build}entrypoint = [{words}]\ninclude_ext = ["py", "js", "go"]\n'
        (folder / ".air.toml").write_text(f'{text}exclude_dir = ["tmp", "node_modules"]\n')


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("-n", type=int, default=20, help="reloads for each (20)")
    chosen = parser.parse_args(arguments)

    def is_meant(name: str, others: Sequence[str]) -> bool:
        words = [w.lower() for w in chosen.names if any(w.lower() in o.lower() for o in others)]
        return not words or any(word in name.lower() for word in words)

    print(ROW.format("tool", "app", "lost", "lost kept", "closed", "wait", "save→new", "longest"))
    for app in APPS:
        for swapper in SWAPPERS:
            if app.name not in swapper.apps or not is_meant(app.name, [a.name for a in APPS]):
                continue
            if not is_meant(swapper.name, [s.name for s in SWAPPERS]):
                continue
            missing = app.missing(PATH) or (
                "" if shutil.which(swapper.needs, path=PATH) else swapper.needs
            )
            if missing:
                print(f"{swapper.name:20}  {app.name:9}  no {missing} here", flush=True)
                continue
            print(measure(swapper, app, chosen.n), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
