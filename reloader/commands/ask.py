"""`reloader wait`, `status`, `restart` and the like: they ask the run of the working directory.

Exit status: 0 it is so, or done; 1 it is not; 3 not known in time; 4 no reloader runs here.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from reloader.arguments import PLAIN, Formatter, Parser
from reloader.commands import table
from reloader.control import client
from reloader.control.wire import Ask
from reloader.errors import Problem, ReloaderError
from reloader.report.text import say
from reloader.stdout import write, write_text

if TYPE_CHECKING:
    from argparse import Namespace

    from reloader.control.client import Run

OK, FAILED, TIMEOUT, NONE_HERE = 0, 1, 3, client.NONE_HERE
_SHOWN_LINES = 20  # of the output of a failure, where no place in it is known
_WAITING = ("wait", "restart", "build")


def main(name: str, arguments: list[str], directory: str) -> int:
    """Runs one of these commands; returns its exit status. Raises ReloaderError."""
    parser = _parser(name)
    given = parser.parse_args(arguments)
    if given.help:
        return write_text(parser.format_help())
    runs = _runs(directory, given.app)
    if name in _WAITING:
        return _wait(runs, Ask(name, given.app, given.timeout), as_json=given.json)
    if name == "status":
        return _status(runs, given)
    if name == "events":
        return _events(runs, given)
    if name == "logs":
        return _logs(runs, given)
    return _order(runs, Ask(name, given.app))


def _parser(name: str) -> Parser:
    entry = table.entry(name)
    parser = Parser(
        prog=f"reloader {name}",
        usage=f"reloader {name} {entry.usage}",
        description=f"{entry.help[:1].upper()}{entry.help[1:]}.",
        epilog=entry.more,
        formatter_class=Formatter,
        **PLAIN,
    )
    add = parser.add_argument
    add("app", nargs="?", default="", metavar="NAME", help="of one app, where several run")
    add("-h", "--help", action="store_true", help="this text")
    if name in _WAITING:
        text = "seconds to wait (default: 60)"
        add("--timeout", type=_seconds, default=60.0, metavar="S", help=text)
    if name in (*_WAITING, "status"):
        add("--json", action="store_true", help="one JSON object")
    if name == "events":
        add("--since", type=int, default=0, metavar="N", help="only those after this number")
    if name == "logs":
        text = "only what is not older: 30s, 5m, 1h"
        add("--since", type=_age, default=86_400.0, metavar="AGE", help=text)
    if name in ("events", "logs"):
        add("-f", "--follow", action="store_true", help="go on with what comes")
    return parser


def _seconds(text: str) -> float:
    value = float(text.removesuffix("s"))
    if not 0 <= value <= 86_400:
        raise ValueError(text)
    return value


def _age(text: str) -> float:
    units = {"s": 1, "m": 60, "h": 3600}
    return float(text[:-1]) * units[text[-1]] if text[-1:] in units else float(text)


def _runs(directory: str, app: str) -> list[Run]:
    """Returns the runs of the directory; of several runs, those that have the app."""
    runs = client.runs(os.environ, directory)
    if not app or len(runs) == 1:
        return runs
    raise ReloaderError(
        Problem(f"{len(runs)} runs are here", hint="ask in the directory of one of them")
    )


# --- wait ----------------------------------------------------------------------------------------


def _wait(runs: list[Run], ask: Ask, *, as_json: bool) -> int:
    records = [client.answer(run, ask) for run in runs]
    record = min(records, key=lambda one: one.get("live") is True)
    if as_json:
        write(json.dumps(record))
    else:
        write(*said(record))
    return status_of(record)


def status_of(record: dict[str, Any]) -> int:
    """Returns the exit status for an answer."""
    if record.get("live") is True:
        return OK
    return TIMEOUT if record.get("outcome") == "timeout" else FAILED


def said(record: dict[str, Any]) -> list[str]:
    """Returns an answer in lines: the problems first, at the end what it comes to."""
    lines = [_place(problem) for problem in record.get("problems", ())]
    if not lines:
        for failure in record.get("failures", ()):
            lines += str(failure.get("output", "")).strip("\n").split("\n")[-_SHOWN_LINES:]
    app = record.get("app") or {}
    name = f"{record['name']}: " if record.get("name") else ""
    if record.get("live") is True:
        parts = [f"pid {app['pid']}" if app else "", str(app.get("address", "")), record["why"]]
        text = f"{name}live  {'  '.join(filter(None, parts))}  {record['seconds']:.3g}s"
    else:
        goes_on = f"; pid {app['pid']} goes on" if app else ""
        text = f"{name}not live: {record.get('why', '')}{goes_on}"
    return [*filter(None, lines), text]


def _place(problem: dict[str, Any]) -> str:
    parts = [problem.get("path"), problem.get("line"), problem.get("column")]
    place = ":".join(str(part) for part in parts if part)
    return f"{place}: {problem.get('message')}" if place else str(problem.get("message"))


# --- orders, status, events ----------------------------------------------------------------------


def _order(runs: list[Run], ask: Ask) -> int:
    outcome = ""
    for run in runs:
        lines = run.ask(ask)
        record = next(lines, {})
        if error := record.get("error"):
            raise ReloaderError(Problem(str(error)))
        outcome = str(record.get("outcome", "the run has ended"))
        if ask.do == "stop" and not ask.app:
            for _ in lines:  # until the run has ended
                pass
            outcome = f"stopped: pid {run.pid}"
    return write(outcome)


def _status(runs: list[Run], given: Namespace) -> int:
    records = [client.answer(run, Ask("status", given.app)) for run in runs]
    apps = [{**app, "run": record["pid"]} for record in records for app in record["apps"]]
    if given.json:
        write(json.dumps({"apps": apps}))
    else:
        write(*(line for app in apps for line in _about(app)))
    is_well = all(app["app"] or app["completed"] or not app["has_app"] for app in apps)
    return OK if is_well else FAILED


def _about(app: dict[str, Any]) -> list[str]:
    name = app["name"] or app["root"]
    running = app["app"]
    up = "completed" if app["completed"] else app["down"]
    if running:
        up = f"pid {running['pid']}  generation {running['number']}  up {running['up']:.0f}s"
    lines = [f"{name}  {app['condition']}  {up}".rstrip()]
    if running and running["address"]:
        lines.append(f"  {running['address']}")
    if app["failure"]:
        lines.append(f"  {app['failure']['role']} failed: {app['failure']['why']}")
    lines += [f"  {job['role']} for {job['up']:.1f}s: {job['command']}" for job in app["jobs"]]
    lines += [f"  config: {app['rejected']}"] * bool(app["rejected"])
    lines += [f"  {app['blocked']}"] * bool(app["blocked"] and app["condition"] != "failed")
    return lines


def _events(runs: list[Run], given: Namespace) -> int:
    for run in runs:
        ask = Ask("events", given.app, since=float(given.since), follow=given.follow)
        for record in run.ask(ask):
            if error := record.get("error"):
                raise ReloaderError(Problem(str(error)))
            write(json.dumps(record))
    return OK


def _logs(runs: list[Run], given: Namespace) -> int:
    for run in runs:
        ask = Ask("logs", given.app, since=time.time() - given.since, follow=given.follow)
        line = ""
        for record in run.ask(ask):
            if error := record.get("error"):
                raise ReloaderError(Problem(str(error)))
            if note := record.get("note"):
                say([f"reloader: {note}"], sys.stderr)
            *lines, line = f"{line}{record.get('text', '')}".split("\n")
            write(*lines)
        if line:
            write(line)
    return OK
