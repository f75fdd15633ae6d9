"""`reloader mcp`: the run of this directory as four tools for AI agents.

The Model Context Protocol over stdio, by hand: JSON-RPC 2.0, one message a line
(modelcontextprotocol.io, revisions 2024-11-05 to 2025-06-18). Nothing here runs a command.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

from reloader import __version__
from reloader.commands.ask import said
from reloader.control import client
from reloader.control.wire import Ask
from reloader.errors import ReloaderError

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS = ("2025-06-18", "2025-03-26", "2024-11-05")  # newest first
_PARSE, _REQUEST, _METHOD, _PARAMS = -32700, -32600, -32601, -32602  # JSON-RPC 2.0, 5.1
_LONGEST = 1 << 20  # characters of a message
_LINES = 100  # of output, unless more are asked for

_WAITS = (
    "Waits until all that was saved before this call is built, started and can answer;"
    " tells the problems, with file and line, if it is not. Call it after each edit."
)
_APP = {"app": {"type": "string", "description": "one of several apps; leave it out for all"}}
_TIMEOUT = {"timeout": {"type": "number", "description": "seconds to wait (60)"}}
_LOGS = {
    "lines": {"type": "integer", "description": f"the last so many lines ({_LINES})"},
    "seconds": {"type": "number", "description": "only what is not older"},
}


def main(directory: str) -> int:
    """Serves until standard input ends; returns exit status 0."""
    serve(sys.stdin, sys.stdout, directory)
    return 0


def serve(reads: TextIO, writes: TextIO, directory: str) -> None:
    """Answers each message of a stream, in turn."""
    server = Server(directory)
    while line := reads.readline(_LONGEST):
        answer = server.answer(line)
        if answer is not None:
            writes.write(json.dumps(answer) + "\n")
            writes.flush()


class RefusalError(Exception):
    """A request that can't be answered: a code of JSON-RPC, and why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Server:
    """Answers messages for one directory; it holds no state."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._tools: dict[str, tuple[str, dict[str, Any], Callable[..., str]]] = {
            "wait_until_live": (
                _WAITS,
                _APP | _TIMEOUT,
                self._wait,
            ),
            "problems": (
                "Tells what has failed and is not mended: file, line, message, end of the output.",
                _APP,
                self._problems,
            ),
            "logs": ("Shows the last output of the app and its builds.", _APP | _LOGS, self._logs),
            "restart": (
                "Restarts the app without a build, and waits until it can answer.",
                _APP | _TIMEOUT,
                self._restart,
            ),
        }

    def answer(self, line: str) -> dict[str, Any] | None:
        """Returns the answer to a message; None for a notification, or an empty line."""
        if not line.strip():
            return None
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            return _error(None, _PARSE, "expected one JSON object in a line")
        if not isinstance(message, dict) or not isinstance(message.get("method"), str):
            return _error(None, _REQUEST, "expected a request")
        if "id" not in message:
            return None
        number, params = message["id"], message.get("params") or {}
        try:
            result = self._result(message["method"], _object(params, "params"))
        except RefusalError as error:
            return _error(number, error.code, str(error))
        return {"jsonrpc": "2.0", "id": number, "result": result}

    def _result(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        match method:
            case "initialize":
                asked = params.get("protocolVersion")
                return {
                    "protocolVersion": asked if asked in VERSIONS else VERSIONS[0],
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "reloader", "version": __version__},
                    "instructions": "After each edit call wait_until_live and mend what it tells.",
                }
            case "ping":
                return {}
            case "tools/list":
                return {"tools": [self._tool(name) for name in self._tools]}
            case "tools/call":
                return self._call(params)
            case _:
                raise RefusalError(_METHOD, f"no method {method}")

    def _tool(self, name: str) -> dict[str, Any]:
        about, properties, _ = self._tools[name]
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return {"name": name, "description": about, "inputSchema": schema}

    def _call(self, params: dict[str, Any]) -> dict[str, Any]:
        name, given = params.get("name"), params.get("arguments") or {}
        if not isinstance(name, str) or name not in self._tools:
            raise RefusalError(_PARAMS, f"no tool {name}")
        _, properties, run = self._tools[name]
        _check(given, properties)
        try:
            text, failed = run(**given), False
        except ReloaderError as error:
            text, failed = "\n".join(str(problem) for problem in error.problems), True
        return {"content": [{"type": "text", "text": text}], "isError": failed}

    # --- the tools -------------------------------------------------------------------------------

    def _wait(self, app: str = "", timeout: float = 60.0) -> str:
        return self._waited(Ask("wait", app, float(timeout)))

    def _restart(self, app: str = "", timeout: float = 60.0) -> str:
        return self._waited(Ask("restart", app, float(timeout)))

    def _waited(self, ask: Ask) -> str:
        records = [client.answer(run, ask) for run in self._runs()]
        record = min(records, key=lambda one: one.get("live") is True)
        return "\n".join([*said(record), json.dumps(record)])

    def _problems(self, app: str = "") -> str:
        records = [client.answer(run, Ask("problems", app)) for run in self._runs()]
        apps = [one for record in records for one in record["apps"]]
        lines = [line for one in apps for line in said({**one, "live": None, "why": ""})[:-1]]
        return "\n".join([*lines, json.dumps({"apps": apps})]) if lines else "no problems"

    def _logs(self, app: str = "", lines: int = _LINES, seconds: float = 86_400.0) -> str:
        ask = Ask("logs", app, since=time.time() - seconds)
        records = [record for run in self._runs() for record in run.ask(ask)]
        notes = [str(one[key]) for one in records for key in ("error", "note") if key in one]
        text = "".join(str(record.get("text", "")) for record in records)
        return "\n".join([*notes, *text.rstrip("\n").split("\n")[-max(1, lines) :]])

    def _runs(self) -> list[client.Run]:
        return client.runs(os.environ, self._directory)


def _check(given: Any, properties: dict[str, Any]) -> None:
    """Raises RefusalError unless these are arguments of the tool."""
    kinds = {"string": (str,), "number": (int, float), "integer": (int,)}
    for name, value in _object(given, "arguments").items():
        kind = properties.get(name, {}).get("type")
        if kind is None or not isinstance(value, kinds[kind]) or isinstance(value, bool):
            raise RefusalError(_PARAMS, f"expected {name} as {kind or 'no argument of this tool'}")


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusalError(_PARAMS, f"expected {name} as an object")
    return value


def _error(number: Any, code: int, text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": text}}
