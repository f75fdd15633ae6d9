"""Whose words come out where, and that the app's own are never touched."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import ENTRYPOINT, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.project import Project, Run

PLAIN = f"[build]\n{ENTRYPOINT}"
ESCAPE = "\x1b["


def start_plain(
    project: Project, *args: str, env: dict[str, str] | None = None, **popen: int
) -> Run:
    """Without `--json`."""
    project.app("1")
    run = project.run(*args, json_=False, env=env, **popen)
    project.wait_noted("START", role="app")
    return run


def test_output_goes_through_untouched(project: Project) -> None:
    """10 MB of any bytes arrive on stdout as they were written, with nothing of ours between."""
    project.config(PLAIN)
    project.write(
        "app.py",
        "import random, sys, time\n"
        "sys.stdout.buffer.write(random.Random(7).randbytes(10_000_000))\n"
        "sys.stdout.flush()\n"
        "print('all written', file=sys.stderr, flush=True)\n"
        "time.sleep(1000)\n",
    )
    run = project.run(json_=False)
    until(lambda: "all written" in run.stderr, why=run.report)
    assert run.stop() == 0

    wanted = random.Random(7).randbytes(10_000_000)
    assert hashlib.sha256(run.stdout).hexdigest() == hashlib.sha256(wanted).hexdigest()


def test_a_partial_line_is_seen_at_once(project: Project) -> None:
    """A prompt without a newline is not held back."""
    project.config(PLAIN)
    project.write("app.py", "import time\nprint('name? ', end='', flush=True)\ntime.sleep(1000)\n")
    run = project.run(json_=False)

    until(lambda: run.stdout == b"name? ", why=run.report)


def test_our_own_lines(project: Project) -> None:
    """On stderr, in plain text: what runs, one line a reload, how it ended."""
    project.config(PLAIN)
    run = start_plain(project)
    until(lambda: "watching" in run.stderr, why=run.report)
    project.app("2")
    project.wait_noted("START", version="2")
    assert run.stop() == 0

    verbs = [line.split()[0] for line in run.stderr.splitlines()]
    assert [v for v in verbs if v != "watching"] == [
        "reloader",
        "run",
        "reloaded",
        "quit",
        "stop",
        "bye",
    ]
    assert run.stdout == b"app 1 says hello\napp 2 says hello\n"
    assert ESCAPE not in run.stderr


def test_json_has_stdout_to_itself(project: Project) -> None:
    """With `--json` stdout is the stream and nothing else; the app's output goes to stderr."""
    project.config(PLAIN)
    project.app("1")
    run = project.start()
    until(lambda: "app 1 says hello" in run.stderr, why=run.report)
    assert run.stop() == 0

    assert run.not_json == []
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    assert all(e["v"] == 1 and stamp.fullmatch(e["time"]) and e["event"] for e in run.stream)
    assert [e["seq"] for e in run.stream] == list(range(1, len(run.stream) + 1))
    assert run.stream[-1]["event"] == "quit.finished"


def test_json_reader_that_goes_away(project: Project) -> None:
    """A reader of the stream that ends takes nothing with it: saves go on to reload."""
    project.config(PLAIN)
    read, write = os.pipe()
    project.app("1")
    run = project.run("--json", json_=False, stdout=write)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        assert json.loads(stream.readline())["event"] == "greeted"
        project.wait_noted("START")

    project.app("2")
    project.wait_noted("START", version="2")
    project.app("3")
    project.wait_noted("START", version="3")
    assert run.stop() == 0


# --- colours and terminals -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "env", "colored"),
    [
        ((), {}, False),  # stderr is a file
        (("--color", "always"), {}, True),
        (("--color", "always"), {"NO_COLOR": "1"}, True),  # asked for here and now
        (("--color.mode=always",), {}, True),
        ((), {"RELOADER_COLOR_MODE": "always"}, True),
        (("--color", "never"), {"RELOADER_COLOR_MODE": "always"}, False),
    ],
)
def test_color(
    project: Project, args: tuple[str, ...], env: dict[str, str], *, colored: bool
) -> None:
    """Colours as asked for; by default none where there is no terminal."""
    project.config(PLAIN)
    run = start_plain(project, *args, env=env)
    assert run.stop() == 0

    assert (ESCAPE in run.stderr) is colored


class Terminal:
    """A pseudo-terminal and what it shows."""

    def __init__(self) -> None:
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self._bytes = b""

    @property
    def text(self) -> str:
        try:
            while data := os.read(self.master, 65536):
                self._bytes += data
        except OSError:  # nothing there now, or closed
            pass
        return self._bytes.decode(errors="replace")

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    it = Terminal()
    yield it
    it.close()


def start_on(terminal: Terminal, project: Project, *args: str, **env: str) -> Run:
    project.write(
        "app.py",
        "import os, time\n"
        "print(f'terminals: {os.isatty(1)} {os.isatty(2)}', flush=True)\n"
        "time.sleep(1000)\n",
    )
    run = project.run(
        *args,
        json_=False,
        env={"TERM": "xterm-256color"} | env,
        stdout=terminal.slave,
        stderr=terminal.slave,
    )
    until(lambda: "terminals: " in terminal.text, why=lambda: terminal.text)
    return run


def test_a_terminal_stays_one(project: Project, terminal: Terminal) -> None:
    """The app's output is the terminal itself, so its own colours stay; ours are there too."""
    project.config(PLAIN)
    run = start_on(terminal, project)
    assert run.stop() == 0

    assert "terminals: True True" in terminal.text
    assert ESCAPE in terminal.text


@pytest.mark.parametrize(
    ("args", "env"),
    [((), {"NO_COLOR": "1"}), (("--color", "never"), {}), ((), {"TERM": "dumb"})],
)
def test_a_terminal_without_colors(
    project: Project, terminal: Terminal, args: tuple[str, ...], env: dict[str, str]
) -> None:
    """NO_COLOR, `--color never` and a dumb terminal: no escapes of ours."""
    project.config(PLAIN)
    run = start_on(terminal, project, *args, **env)
    assert run.stop() == 0

    assert ESCAPE not in terminal.text
    assert "terminals: True True" in terminal.text


@pytest.mark.parametrize(("keep", "escape"), [("true", "\x1b[2J"), ("false", "\x1bc")])
def test_clear_on_rebuild(project: Project, terminal: Terminal, keep: str, escape: str) -> None:
    """The terminal is cleared before a rebuild, with what was scrolled away or without."""
    project.config(f"{PLAIN}[screen]\nclear_on_rebuild = true\nkeep_scroll = {keep}\n")
    run = start_on(terminal, project)
    until(lambda: "watching" in terminal.text)
    assert escape not in terminal.text

    project.save("lib.py", "")
    until(lambda: escape in terminal.text, why=lambda: terminal.text)
    assert run.stop() == 0


def test_nothing_is_cleared_in_a_file(project: Project) -> None:
    """`clear_on_rebuild` sends no escapes to what is no terminal."""
    project.config(f"{PLAIN}[screen]\nclear_on_rebuild = true\n")
    run = start_plain(project)
    until(lambda: "watching" in run.stderr)
    project.app("2")
    project.wait_noted("START", version="2")
    assert run.stop() == 0

    assert "\x1b" not in run.stderr


# --- [log] and [misc] ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "pattern"),
    [
        ("[log]\nsilent = true\n", r""),
        ("[log]\nmain_only = true\n", r"reloader .*\nquit .*\nbye .*\n"),
        ("[log]\ntime = true\n", r"(\[\d\d:\d\d:\d\d\] \w+ .*\n)+"),
        (
            '[misc]\nstartup_banner = "Good morning"\n[log]\nmain_only = true\n',
            r"Good morning\n(quit|bye).*\n.*\n",
        ),
        ('[misc]\nstartup_banner = ""\n[log]\nmain_only = true\n', r"quit.*\nbye.*\n"),
    ],
)
def test_log(project: Project, section: str, pattern: str) -> None:
    """`[log]` and the banner decide about our lines, never about the app's."""
    project.config(PLAIN + section)
    run = start_plain(project)
    assert run.stop() == 0

    assert re.fullmatch(pattern, run.stderr), run.report()
    assert run.stdout == b"app 1 says hello\n"


def test_the_last_words_of_a_crash_come_first(project: Project) -> None:
    """What the app wrote before it died is shown before our line about its end."""
    project.config(PLAIN)
    project.write("app.py", "import sys\nsys.exit('last words')\n")
    run = project.run(json_=False)
    until(lambda: "exit 1" in run.stderr, why=run.report)
    assert run.stop() == 0

    assert run.stderr.index("last words") < run.stderr.index("exit 1")
