"""Runs commands cold, watched and warm, in a process of its own, and says what came of each.

    python -m tests.warm.lab JOB.json

A job: {"cwd", "env", "stdin", "cases": [{"argv", "edits": [[path, text], ...]}]}. Each case is run
plainly, then through `Warm` for the first time, then, when its server is ready, warm. If there are
edits they are made before that, and a plain run comes after it. An edit of "SIGNAL" sends a signal
to the server. The answer is a list of {"plain", "watched", "warm", "how", "after", "told"}.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from reloader.core.facts import Noticed, ProcessExited
from reloader.process.bootstrap import block
from reloader.process.children import Children
from reloader.process.mark import new_run
from reloader.process.orphans import become_subreaper
from reloader.process.spec import SpawnSpec
from reloader.warm import client

LONGEST = 60.0  # seconds for one run
AT_ONCE = 6


@dataclass
class Case:
    """One command on its way through its runs."""

    argv: list[str]
    edits: list[list[str]]
    ways: list[str]
    results: dict[str, object] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    warm: client.Warm | None = None
    ticket: int = 0
    streams: list = field(default_factory=list)
    since: float = 0.0


def _files(stdin: str) -> list:
    return [Path(stdin).open("rb"), tempfile.TemporaryFile(), tempfile.TemporaryFile()]


class Lab:
    def __init__(self, job: dict) -> None:
        block()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM, signal.SIGINT])
        client.LATER = 0.05
        self.children = Children(new_run(), adopts=become_subreaper())
        self.env, self.cwd, self.stdin = job["env"], job["cwd"], job["stdin"]
        self.waiting = [
            Case(
                case["argv"],
                case.get("edits", []),
                ["plain", "watched", "warm", *(["after"] if case.get("edits") else [])],
            )
            for case in job["cases"]
        ]
        self.cases = list(self.waiting)
        self.running: list[Case] = []
        self.tickets = 0

    def run(self) -> list[dict]:
        while self.waiting or self.running:
            while self.waiting and len(self.running) < AT_ONCE:
                self.running.append(self.waiting.pop(0))
                self.begin(self.running[-1])
            sources = [case.warm for case in self.running if case.warm]
            select.select(sources, [], [], 0.02)
            for case in list(self.running):
                self.hear(case)
            for fact in self.children.collect():
                if isinstance(fact, ProcessExited):
                    self.ended(fact)
        return [{**case.results, "told": case.told} for case in self.cases]

    def hear(self, case: Case) -> None:
        if case.warm:
            for fact in case.warm.read():
                if isinstance(fact, Noticed):
                    case.told.append(fact.news.text)
        late = time.monotonic() - case.since > LONGEST
        if case.ticket and late:
            self.children.kill(case.ticket)
        elif not case.ticket and (late or self.may_begin(case)):
            self.begin(case)

    def may_begin(self, case: Case) -> bool:
        """The last run begins when the server is ready, or there will be none."""
        kind = case.warm and case.warm._kind
        return not kind or bool(kind.why_cold) or (kind.server is not None and not kind.successor)

    def begin(self, case: Case) -> None:
        way = case.ways[0]
        if way == "watched":
            case.warm = client.Warm(f"reloader-lab-{new_run()}", self.children)
        if way == "warm":
            for path, text in case.edits:
                if path == "SIGNAL":
                    os.kill(case.warm._kind.server.pid, getattr(signal, text))
                else:
                    (Path(self.cwd) / path).parent.mkdir(exist_ok=True)
                    (Path(self.cwd) / path).write_text(text)
        if not case.streams:  # a server is started with those of the first app
            case.streams = _files(self.stdin)
        for stream in case.streams:
            stream.seek(0)
        self.tickets += 1
        case.ticket, case.since = self.tickets, time.monotonic()
        stdio = tuple(stream.fileno() for stream in case.streams)
        spec = SpawnSpec(tuple(case.argv), self.env, self.cwd, stdio)
        if case.warm and way != "after":
            _, case.results["how"] = case.warm.spawn(case.ticket, spec)
        else:
            self.children.spawn(case.ticket, spec)

    def ended(self, fact: ProcessExited) -> None:
        case = next((c for c in self.running if c.ticket == fact.ticket), None)
        if case is None:
            return
        self.children.kill(fact.ticket)
        texts = []
        for file in case.streams[1:]:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
            file.truncate(0)
        status = fact.status.code if not fact.status.signal else -fact.status.signal
        way = case.ways.pop(0)
        case.results[way] = [status, *texts]
        if way == "warm":  # it has written all of its notes, however slow it was
            case.warm._see_to_server()
            self.hear(case)
        case.ticket, case.since = 0, time.monotonic()
        if not case.ways:
            case.warm.close()
            self.running.remove(case)
        elif case.ways[0] in ("watched", "after"):
            self.begin(case)


if __name__ == "__main__":
    lab = Lab(json.loads(Path(sys.argv[1]).read_text()))
    try:
        print(json.dumps(lab.run()))
    finally:
        lab.children.close()
