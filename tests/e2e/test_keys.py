"""Keys at a terminal, from outside: `reloader run` as people type to it."""

from __future__ import annotations

import fcntl
import os
import re
import signal
import sys
import termios
import threading
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import BUILD, BUILT, ENTRYPOINT, PYTHON, actor, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.helpers.project import Project, Run

OFFER = "keys     r restart · b rebuild · p pause · q quit · h help"


class Desk:
    """A terminal, a run at it, and what stands on it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.keyboard, self.terminal = os.openpty()
        self.modes = termios.tcgetattr(self.terminal)
        self.shown = b""
        self.run: Run
        self._reader = threading.Thread(target=self._read, daemon=True)

    def start(self, *args: str, **env: str) -> Desk:
        """Up to the moment from which keys are read, or would be."""
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self.terminal)
        lead = lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # noqa: E731
        env = {"TERM": "dumb", **env}
        run = self.project.run(*args, json_=False, env=env, preexec_fn=lead, **streams)
        self.run = run
        self._reader.start()
        self.see("watching ")
        return self

    def _read(self) -> None:
        while True:
            try:
                self.shown += os.read(self.keyboard, 65536)
            except OSError:
                return

    def type(self, keys: str) -> None:
        os.write(self.keyboard, keys.encode())

    @property
    def text(self) -> str:
        return self.shown.decode(errors="replace").replace("\r\n", "\n")

    def see(self, pattern: str, times: int = 1) -> None:
        until(lambda: len(re.findall(pattern, self.text)) >= times, why=lambda: self.text)

    def starts(self, count: int, role: str = "app") -> None:
        until(lambda: len(self.project.versions(role)) == count, why=lambda: self.text)

    @property
    def takes_keys(self) -> bool:
        return not termios.tcgetattr(self.terminal)[3] & termios.ICANON

    @property
    def is_as_before(self) -> bool:
        return termios.tcgetattr(self.terminal) == self.modes

    def close(self) -> None:
        self.run.stop(signal.SIGTERM)
        assert self.is_as_before
        os.close(self.terminal)
        self._reader.join(5)
        os.close(self.keyboard)


@pytest.fixture
def desk(project: Project) -> Iterator[Desk]:
    it = Desk(project)
    yield it
    it.close()


@pytest.fixture
def plain(desk: Desk) -> Desk:
    desk.project.config(f"[build]\n{ENTRYPOINT}")
    desk.project.app()
    desk.start()
    desk.starts(1)  # it may be asked to end now
    return desk


@pytest.fixture
def built(desk: Desk) -> Desk:
    desk.project.config(f"[build]\n{BUILT}")
    desk.project.app()
    desk.project.build()
    desk.start()
    desk.starts(1)
    return desk


def test_they_are_offered_in_one_line_and_explained_on_h(plain: Desk) -> None:
    plain.see(OFFER)
    plain.type("h")
    plain.see(r"(?m)^keys .*: pause, changes wait", 1)
    plain.type("xyz\x1b[A\x1bq")
    plain.type("q")
    assert plain.run.wait() == 0
    plain.see("quit +SIGTERM")
    assert plain.text.count("\nrun ") == 1


def test_r_enter_and_rs_restart(plain: Desk) -> None:
    for count, keys in enumerate(("r", "rs\n", "\n"), 2):
        plain.type(keys)
        plain.starts(count)
    plain.type("q")
    assert plain.run.wait() == 0
    assert len(plain.project.versions()) == 4


def test_b_builds_and_r_does_not(built: Desk) -> None:
    built.type("r")
    built.starts(2)
    assert len(built.project.versions("build")) == 1
    built.type("b")
    built.starts(3)
    assert len(built.project.versions("build")) == 2


def test_paused_changes_wait_for_the_second_p(built: Desk) -> None:
    """One build is for all of them; healthcheck tells of the pause."""
    built.type("p")
    built.see("pause  ")
    built.project.app("2")
    built.project.build("2")
    built.project.app("3")
    built.type("r")
    built.see("pause  ", 2)
    assert len(built.project.versions("build")) == 1
    built.type("p")
    built.see("resume +2 files")
    until(lambda: built.project.versions() == ["1", "3"], why=lambda: built.text)
    assert built.project.versions("build") == ["1", "2"]


def test_an_app_that_reads_has_the_terminal(desk: Desk) -> None:
    """And keeps it for the next one; a key would have ended us."""
    desk.project.config(f"[build]\n{ENTRYPOINT}")
    desk.project.write("app.py", "while True: print('got', input('name? ').upper(), flush=True)\n")
    desk.start()
    desk.see(r"name\?")
    desk.type("q\nr\n")
    desk.see("got Q")
    desk.see("got R")
    desk.project.save("app.py", "while True: print('new', input('? ').upper(), flush=True)\n")
    desk.see("reloaded ")
    desk.type("q\n")
    desk.see("new Q")


ASKS = """
import getpass
open("asked", "a").write(getpass.getpass("secret: ") + "\\n")
"""


def test_a_hook_may_ask_for_a_password(desk: Desk) -> None:
    """It is not seen, the build goes on, and keys are back."""
    hook = f"{sys.executable} -IS ask.py"
    desk.project.config(f'[build]\npre_cmd = ["{hook}"]\n{BUILD}{ENTRYPOINT}exclude_file=["asked"]')
    desk.project.app()
    desk.project.build()
    desk.project.write("ask.py", ASKS)
    desk.start()
    for count in (1, 2):
        desk.see("secret: ", count)
        desk.type("sesame\n")
        desk.starts(count)
        until(lambda: desk.takes_keys)
        desk.type("b")
    desk.see("secret: ", 3)
    desk.type("sesame\n")
    desk.starts(3)
    assert "sesame" not in desk.text
    assert (desk.project.folder / "asked").read_text() == "sesame\n" * 3


def test_a_hook_that_asks_while_the_app_has_the_terminal(desk: Desk) -> None:
    """It waits, that is told, and when the app has ended it is asked."""
    hook = f"{sys.executable} -IS ask.py"
    desk.project.config(f'[build]\npre_cmd = ["{hook}"]\n{ENTRYPOINT}exclude_file=["asked"]')
    desk.project.write("app.py", "print('got', input('name? ').upper())\n")
    desk.project.write("ask.py", ASKS)
    desk.start()
    desk.see("secret: ")
    desk.type("sesame\n")
    desk.see(r"name\?")
    until(lambda: os.tcgetpgrp(desk.keyboard) != desk.run.pid)
    desk.project.write("lib.py", "")
    desk.see("waits for the terminal")
    desk.type("ada\n")
    desk.see("got ADA")
    desk.see("secret: ", 2)
    desk.type("sesame\n")
    desk.see(r"name\?", 2)


def test_off(desk: Desk) -> None:
    """The terminal is the app's from its start, with its modes as they are."""
    desk.project.config(f"[build]\n{ENTRYPOINT}[terminal]\nkeys = false\n")
    desk.project.app()
    desk.start()
    desk.starts(1)
    (app,) = (line["pid"] for line in desk.project.noted("START"))
    until(lambda: os.tcgetpgrp(desk.keyboard) == app)
    assert desk.is_as_before
    assert "\nkeys " not in desk.text


def test_json_reads_none(desk: Desk) -> None:
    """A program that reads events has no keyboard."""
    desk.project.config(f"[build]\n{ENTRYPOINT}")
    desk.project.app()
    streams = {"stdin": desk.terminal, "stderr": desk.terminal}
    lead = lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # noqa: E731
    desk.run = desk.project.run(preexec_fn=lead, **streams)
    desk._reader.start()
    desk.see("watching")  # while a line is begun the modes are ours for a moment
    assert desk.is_as_before
    assert desk.run.events("keys.offered") == []


DOTS = "import sys, time\nsys.stdout.write('...')\nsys.stdout.flush()\ntime.sleep(1000)\n"


@pytest.mark.parametrize("app", [DOTS, "input('...')\n"], ids=["writes", "reads"])
def test_our_lines_begin_at_the_left(desk: Desk, app: str) -> None:
    """Where the app left the cursor in mid-line, and only there, we begin a new one."""
    desk.project.config(f"[build]\n{ENTRYPOINT}")
    desk.project.write("app.py", app)
    desk.start()
    desk.see(r"\.\.\.")
    if app != DOTS:
        until(lambda: os.tcgetpgrp(desk.keyboard) != desk.run.pid)
    desk.project.save("lib.py", "")
    desk.see("reloaded ")
    desk.see(r"\.\.\.", 2)
    *lines, _ = desk.text.replace("\n\r", "\n").split("\n")
    assert lines.count("...") >= 1
    assert [x for x in lines if not x or (x.startswith("...") and x != "...")] == []


def test_keys_are_for_all_of_several_apps(project: Project, desk: Desk) -> None:
    """One key restarts both, and Ctrl-C, which reaches us alone, ends both."""
    for name in ("api", "worker"):
        command = " ".join([*PYTHON, "app.py"])
        project.config(f'[build]\ncmd = ""\nfull_bin = "{command}"\n', f"{name}/.reload.toml")
        project.save(f"{name}/app.py", actor("app", name, "plain").replace(".lock", f".{name}"))
    desk.start("-c", "api", "-c", "worker")
    desk.see("watching ", 2)
    desk.starts(2)
    until(lambda: desk.takes_keys, why=lambda: desk.text)
    assert desk.text.count(OFFER) == 1

    desk.type("r")
    desk.starts(4)
    desk.type("\x03")

    assert desk.run.wait() == 0
    assert sorted(project.versions()) == ["api", "api", "worker", "worker"]
    assert len(project.noted("SIGINT")) == 2
