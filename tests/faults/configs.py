"""C: what a config can have wrong, each of it said before anything is started."""

# ruff: noqa: N802 -- each is named as the catalogue names it

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from tests.faults.catalogue import fault
from tests.faults.tools import PYTHON

if TYPE_CHECKING:
    from tests.faults.rig import Rig

APP = f"[build]\nentrypoint = {json.dumps([*PYTHON, 'app.py'])}\n"


def write(rig: Rig, config: str | bytes) -> None:
    """The whole config, in a file that the rig itself leaves alone."""
    data = config.encode() if isinstance(config, str) else config
    (rig.folder / "odd.toml").write_bytes(data)
    rig.env["RELOADER_CONFIG"] = "odd.toml"


def refused(rig: Rig, *patterns: str) -> None:
    """It ends with 2 before anything has run, and says all of this."""
    rig.err.write_bytes(b"")
    if not rig.version:
        rig.edit()
    process = rig.launch()
    rig.until(lambda: process.poll() is not None, what="its end")
    assert process.returncode == 2, rig.report()
    assert not rig.lines("START"), rig.report()
    rig.told(*patterns)


@fault("checks", quick=True, peers=False)
def fault_C01(rig: Rig) -> None:
    """A syntax error in the config is shown with line, column and a caret below the place."""
    write(rig, APP + "delay = = 5\n")
    refused(rig, r"odd\.toml:3:\d+: ", r"3 \| delay = = 5\n +\| +\^")


@fault("checks", peers=False)
def fault_C02(rig: Rig) -> None:
    """A key or a table that does not exist is an error that names the one that was meant."""
    write(rig, APP + "delya = 5\n[porxy]\n")
    refused(rig, r"did you mean build\.delay", r"did you mean \[proxy\]")


@fault("checks", peers=False)
def fault_C03(rig: Rig) -> None:
    """All wrong types are listed at once, each with its line."""
    wrong = ("root = 1", APP.strip(), "delay = 'x'", "rerun = 'maybe'", "exclude_dir = 5")
    write(rig, "\n".join((*wrong, "post_cmd = [1]\n")))
    refused(rig, *(rf":{line}: .*expected" for line in (1, 4, 5, 6, 7)))


@fault("checks", peers=False)
def fault_C04(rig: Rig) -> None:
    """A time that is negative, endless or no number is refused, and the range is said."""
    times = "delay = -1\nrerun_delay = 100000000000000\nkill_delay = 'abc'\nstop_timeout = nan\n"
    write(rig, APP + times)
    refused(rig, r":3: .*expected 0 to", r":4: .*expected 0 to", r":5: .*abc", r":6: .*nan")


@fault("checks", peers=False)
def fault_C05(rig: Rig) -> None:
    """A bad regular expression is named with its key, its place in the list and where it breaks."""
    write(rig, APP + 'exclude_regex = ["fine", "a("]\n')
    refused(rig, r"exclude_regex\[1\].*a\(.*position 1")


@fault("python's patterns", peers=False)
def fault_C06(rig: Rig) -> None:
    r"""Patterns mean what they mean in Go; what can't be said in Python is refused by name."""
    write(rig, APP + r"exclude_regex = ['(?U)a+', '\pL']" + "\n")
    refused(rig, r"exclude_regex\[0\].*ungreedy", r"exclude_regex\[1\].*Unicode classes")
    patterns = (r"one\.py\z", r"t(?i)WO\.py", r"[[:digit:]]three", r"\Qfo[u]r\E", r"(?<n>five)")
    write(rig, f"{APP}exclude_regex = {json.dumps(patterns)}\n")
    rig.start()
    for name in ("one.py", "two.py", "3three.py", "fo[u]r.py", "five.py", "other.py"):
        rig.save(name, "")
    rig.told(r"(change|reloaded) +other\.py")
    assert "(+" not in rig.said, rig.report()
    assert len(rig.lines("START")) <= 2


@fault("slow patterns", quick=True, peers=False)
def fault_C07(rig: Rig) -> None:
    """A pattern that `re` would search for ever with is searched at once, or refused by name."""
    rig.save("a" * 40 + "b.py", "")
    write(rig, APP + "exclude_regex = ['x', '(a+)+\\1$']\n")
    refused(rig, r"exclude_regex\[1\].*search for ever")
    write(rig, APP + "exclude_regex = ['(a+)+$', '" + ".*a" * 20 + "c']\n")
    rig.start()
    rig.save("a" * 41 + "b.py", "1")
    rig.converge()


@fault("checks", peers=False)
def fault_C08(rig: Rig) -> None:
    """A byte order mark and Windows line ends are fine; bytes that are no text have their line."""
    write(rig, APP.encode() + b"log = 'x\xe9'\n")
    refused(rig, r":3: expected UTF-8, found byte 0xe9")
    write(rig, APP.encode() + b"\n\0")
    refused(rig, r":4: .*NUL")
    write(rig, b"\xef\xbb\xbf" + APP.replace("\n", "\r\n").encode())
    rig.start()
    rig.converge()


@fault("checks", peers=False)
def fault_C09(rig: Rig) -> None:
    """An empty config, where nothing tells what to run, says what to write."""
    write(rig, "")
    rig.version = 1  # no app: reloader would find it and run it
    refused(rig, r"nothing to run", r'bin = "…"')


@fault("checks", peers=False)
def fault_C10(rig: Rig) -> None:
    """A config of 20 MB, or one nested 10,000 deep, is refused at once."""
    for config, said in (("#" * 20_000_000, "more than"), (f"a={'[' * 10_000}", "nested|deep")):
        write(rig, config)
        before = time.monotonic()
        refused(rig, said)
        assert time.monotonic() - before < 3


@fault("checks", peers=False)
def fault_C11(rig: Rig) -> None:
    """A config that is an empty folder, a pipe, a device or a dead link is named, at once."""
    odd = rig.folder / "odd.toml"
    rig.env["RELOADER_CONFIG"] = odd.name
    for make, said in (
        (odd.mkdir, "odd.toml: no config file here"),
        (lambda: os.mkfifo(odd), "found a named pipe"),
        (lambda: odd.symlink_to("/dev/zero"), "found a device"),
        (lambda: odd.symlink_to("nowhere"), "found a link to nowhere"),
    ):
        make()
        refused(rig, said)
        odd.rmdir() if odd.is_dir() else odd.unlink()


@fault("checks", peers=False)
def fault_C12(rig: Rig) -> None:
    """A root that is not there is an error; no folder is made."""
    write(rig, "root = 'nowhere'\n" + APP)
    refused(rig, r":1: root: expected a folder at .*/nowhere, found nothing")
    assert not (rig.folder / "nowhere").exists()


SAID_IN_DOTENV = {
    "PLAIN": "a",
    "EXPORTED": "b c",
    "SINGLE": "$PLAIN # it",
    "LINES": "one\ntwo",
    "COMMENTED": "value",
    "TWICE": "second",
    "DEFAULTED": "8000",
    "NESTED": "x://a@local",
}
DOTENV = """\ufeff# comment\r
PLAIN=a\r
export EXPORTED="b c"\r
SINGLE='$PLAIN # it'\r
LINES="one\\ntwo"\r
COMMENTED=value # comment\r
TWICE=first\r
TWICE=second\r
DEFAULTED=${NOT_SET_ANYWHERE:-8000}\r
NESTED="x://${NOT_SET_ANYWHERE:-${PLAIN}}@${PLAIN:+local}"\r
BARE_NAME\r
"""


def variables(rig: Rig) -> dict[str, str]:
    rig.noted("ENVIRON", version=str(rig.version))
    dump = (rig.log.parent / "app.log.environ").read_bytes().decode(errors="replace")
    return dict(entry.split("=", 1) for entry in dump.split("\0"))


@fault("bad lines", peers=False)
def fault_C16(rig: Rig) -> None:
    """An env file means what it means to compose; a bad line is named, and costs that line."""
    rig.env["RELOADER_ENV_FILES"] = ".env,missing.env"
    rig.save(".env", DOTENV)
    rig.start(mode="environ")
    found = variables(rig)
    assert {name: found.get(name) for name in SAID_IN_DOTENV} == SAID_IN_DOTENV
    rig.save(".env", DOTENV + "SECRET 'hunter2\nAFTER=it\n")
    rig.converge("environ")
    rig.told(r"\.env:12\b")
    assert "hunter2" not in rig.said
    found = variables(rig)
    assert (found.get("PLAIN"), found.get("AFTER")) == ("a", "it")


@fault("one environment", peers=False)
def fault_C17(rig: Rig) -> None:
    """A name that was taken out of an env file is gone from the next start on."""
    rig.env["RELOADER_ENV_FILES"] = ".env"
    rig.save(".env", "STAYS=1\nGOES=1\n")
    rig.start(mode="environ")
    assert "GOES" in variables(rig)
    rig.save(".env", "STAYS=2\n")
    rig.converge("environ")
    found = variables(rig)
    assert found["STAYS"] == "2"
    assert "GOES" not in found


@fault("one layer", peers=False)
def fault_C27(rig: Rig) -> None:
    """The environment goes before the file, a flag before both."""
    write(rig, APP + 'args_bin = ["file"]\n')
    rig.start()
    assert rig.noted("START")["args"] == ["file"]
    rig.stop()
    rig.env["RELOADER_BUILD_ARGS_BIN"] = "environment"
    rig.start()
    assert rig.noted("START")["args"] == ["environment"]
    rig.stop()
    rig.want.flags = ["--build.args_bin", "flag"]
    rig.start()
    assert rig.noted("START")["args"] == ["flag"]


AIR = """# as `air init` writes it, but for the app
root = "."
testdata_dir = "testdata"
tmp_dir = "tmp"

[build]
  args_bin = []
  bin = "true"
  cmd = "true"
  delay = 1000
  exclude_dir = ["assets", "tmp", "vendor", "testdata"]
  exclude_file = []
  exclude_regex = ["_test.go"]
  exclude_unchanged = false
  follow_symlink = false
  full_bin = "APP"
  include_dir = []
  include_ext = ["py", "tpl", "tmpl", "html"]
  include_file = []
  kill_delay = "0s"
  log = "build-errors.log"
  poll = false
  poll_interval = 0
  post_cmd = []
  pre_cmd = []
  rerun = false
  rerun_delay = 500
  send_interrupt = false
  stop_on_error = false

[color]
  app = ""
  build = "yellow"
  main = "magenta"
  runner = "green"
  watcher = "cyan"

[log]
  main_only = false
  silent = false
  time = false

[misc]
  clean_on_exit = false

[proxy]
  app_port = 0
  enabled = false
  proxy_port = 0

[screen]
  clear_on_rebuild = false
  keep_scroll = true
"""


@fault("checks for Air", quick=True, peers=False)
def fault_C28(rig: Rig) -> None:
    """A file as `air init` writes it runs as it is; a key that nobody knows is named and passed."""
    air = rig.folder / "odd.air.toml"
    rig.env["RELOADER_CONFIG"] = air.name
    text = AIR.replace("APP", " ".join(rig.want.app)).replace(
        "[color]", "stop_on_root = 1\n[color]"
    )
    air.write_text(text)
    rig.start()
    rig.told(r"stop_on_root.*ignored")
    rig.converge()


@fault("any file", peers=False)
def fault_C30(rig: Rig) -> None:
    """clean_on_exit deletes what builds of the run have made; the rest is left, and told."""
    theirs = rig.folder / "tmp" / "notes.txt"
    theirs.parent.mkdir()
    theirs.write_text("mine")
    build = f"cmd = {json.dumps(shlex.join([*PYTHON, 'make.py']))}\n"
    write(rig, f"{APP}{build}[misc]\nclean_on_exit = true\n")
    rig.save("make.py", "open('tmp/made', 'w').write('x')\n")
    rig.start()
    made = rig.folder / "tmp" / "made"
    rig.until(made.exists, what="the build")
    rig.stop()
    assert theirs.exists()
    assert not made.exists()
    rig.told(r"1 file was not made by a build of this run")


@fault("escapes", peers=False)
def fault_C31(rig: Rig) -> None:
    """What stands in a config commands no terminal and makes no line of its own, in any command."""
    evil = "\\u001b]0;pwn\\u0007\\nFORGED"
    write(rig, f'"{evil}" = 1\n{APP}delay = "{evil}"\ncmd = "{evil}"\n')
    refused(rig, "unknown key")
    for command in (["check"], ["doctor"], ["explain", "cmd"]):
        done = _other(rig, *command)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]|\nFORGED", done.stdout + done.stderr)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]|\nFORGED", rig.said)


@fault("belief", peers=False)
def fault_C32(rig: Rig) -> None:
    """healthcheck is answered by the run of its directory; one that hangs is not healthy."""
    rig.start()
    assert _other(rig, "healthcheck").returncode == 0
    os.kill(rig.pid, signal.SIGSTOP)
    try:
        hung = _other(rig, "healthcheck")
    finally:
        os.kill(rig.pid, signal.SIGCONT)
    assert hung.returncode == 1
    rig.converge()
    rig.stop()
    assert _other(rig, "healthcheck").returncode == 1


@fault("read errors", peers=False)
def fault_C33(rig: Rig) -> None:
    """An I/O error, or a number of 5,000 digits, in a config that is read again ends no run."""
    write(rig, APP)
    rig.start()
    (rig.folder / "odd.toml").unlink()
    (rig.folder / "odd.toml").symlink_to("/proc/self/mem")  # EIO
    rig.told("config")
    rig.converge()
    (rig.folder / "odd.toml").unlink()
    write(rig, APP + "delay = " + "1" * 5000 + "\n")
    rig.told(r"value can't be read")
    rig.converge()


@fault("self-reloaders", peers=False)
def fault_C34(rig: Rig) -> None:
    """A command that reloads by itself is told once, with the settings that let both work."""
    rig.save("package.json", '{"scripts": {"dev": "vite"}}')
    rig.save("npm", f"#!/bin/sh\nexec {shlex.join([*PYTHON, 'app.py'])}\n", 0o755)
    write(rig, f'[build]\nbin = "PATH={rig.folder}:$PATH npm run dev"\ninclude_ext = ["py"]\n')
    rig.start()
    rig.told(r'include_ext = \[\] and include_file = \["package\.json"\]')
    rig.converge()
    assert rig.said.count("include_ext = []") == 1


def _other(rig: Rig, *command: str) -> subprocess.CompletedProcess[str]:
    """Another command in the directory of the run, weakened like it."""
    program = rig.tool.command(rig.want, rig.folder)
    head = program[: program.index("run")]
    return subprocess.run(
        [*head, *command],
        cwd=rig.folder,
        env=rig.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
