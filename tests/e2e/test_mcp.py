"""`reloader mcp`: the messages of an agent, by hand, to a real run; and `reloader logs`."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.test_wait import ask, built, server  # noqa: F401 -- a fixture

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.helpers.project import Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peer is known on Linux")


class Agent:
    """A client: calls a method, and gives what came back."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._number = 0

    def send(self, line: str) -> None:
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def raw(self, line: str) -> dict[str, Any]:
        self.send(line)
        return json.loads(self._process.stdout.readline())

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        answer = self.raw(json.dumps(message))
        assert (answer["jsonrpc"], answer["id"]) == ("2.0", self._number)
        return answer

    def use(self, name: str, **given: Any) -> tuple[str, bool]:
        result = self.call("tools/call", name=name, arguments=given)["result"]
        (content,) = result["content"]
        assert content["type"] == "text"
        return content["text"], result["isError"]


@contextmanager
def agent(folder: Path) -> Iterator[Agent]:
    command = [sys.executable, "-m", "reloader", "mcp"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=folder, **pipes) as process:
        try:
            yield Agent(process)
            process.stdin.close()
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_a_session(built: Project) -> None:  # noqa: F811
    """It begins, lists four tools, and each does what it says."""
    with agent(built.folder) as it:
        info = {"name": "test", "version": "1"}
        begun = it.call(
            "initialize", protocolVersion="2025-03-26", capabilities={}, clientInfo=info
        )["result"]
        assert begun["protocolVersion"] == "2025-03-26"
        assert begun["serverInfo"]["name"] == "reloader"
        it.send('{"jsonrpc": "2.0", "method": "notifications/initialized"}')
        assert it.call("ping")["result"] == {}
        tools = it.call("tools/list")["result"]["tools"]
        names = [tool["name"] for tool in tools]
        assert names == ["wait_until_live", "problems", "logs", "restart"]
        assert all(tool["inputSchema"]["type"] == "object" for tool in tools)

        text, failed = it.use("wait_until_live")
        assert text.startswith("live  pid ")
        assert not failed
        assert it.use("problems") == ("no problems", False)
        server(built, "2", "this is no Python")
        text, failed = it.use("wait_until_live", timeout=60)
        assert "not live: the build failed" in text
        assert json.loads(text.splitlines()[-1])["problems"][0]["line"] == 3
        assert "SyntaxError" in it.use("problems")[0]
        assert "SyntaxError" in it.use("logs", lines=50)[0]
        server(built, "3")
        assert it.use("restart")[0].startswith("live  pid ")


def test_what_is_wrong_is_refused(project: Project) -> None:
    """In the codes of JSON-RPC; a run that is not there is an error of the tool."""
    with agent(project.folder) as it:
        newest = it.call("initialize", protocolVersion="1999-01-01")["result"]["protocolVersion"]
        assert newest == "2025-06-18"
        assert it.raw("no json")["error"]["code"] == -32700
        assert it.raw("[1]")["error"]["code"] == -32600
        assert it.call("resources/list")["error"]["code"] == -32601
        assert it.call("tools/call", name="exec")["error"]["code"] == -32602
        for arguments in ({"timeout": "1"}, {"timeout": True}, {"command": "id"}, ["x"]):
            answer = it.call("tools/call", name="wait_until_live", arguments=arguments)
            assert answer["error"]["code"] == -32602
        text, failed = it.use("wait_until_live")
        assert failed
        assert "no reloader runs in" in text


def test_logs(built: Project) -> None:  # noqa: F811
    """The output of the build and the app, with an age; what comes, with -f."""
    assert ask(built, "wait").returncode == 0
    server(built, "2", "print('hello from 2', flush=True)")
    assert ask(built, "wait").returncode == 0
    assert "hello from 2\n" in ask(built, "logs").stdout
    assert ask(built, "logs", "--since", "0s").stdout == ""
    assert ask(built, "logs", "--since", "x").returncode == 2
    command = [sys.executable, "-m", "reloader", "logs", "-f", "--since", "1h"]
    with subprocess.Popen(command, cwd=built.folder, stdout=subprocess.PIPE, text=True) as it:
        try:
            assert it.stdout.readline() == "hello from 2\n"
            server(built, "3", "print('hello from 3', flush=True)")
            assert it.stdout.readline() == "hello from 3\n"
        finally:
            it.kill()
