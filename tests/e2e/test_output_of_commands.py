"""The commands that only look: what they print is harmless, whatever stands in names and files."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "\x1b]0;pwn\x07\nFORGED\r\u202e\x9b"
WRITTEN = "\\u001b]0;pwn\\u0007\\nFORGED\\r\\u202e\\u009b"  # as TOML has it
COMMANDS = (
    ("check",),
    ("check", "--print"),
    ("check", "--json"),
    ("explain", "app.py", "build", "x.zz", "env_files", EVIL, f"{EVIL}.py"),
    ("doctor",),
    ("doctor", "--json"),
    ("healthcheck",),
    ("run", "--build.bin", "true", "--no-such-flag"),
    ("run", "-c", f"{EVIL}.toml"),
    (f"{EVIL}.none",),
    (f"--{EVIL}",),
    ("check", "-c", EVIL),
    ("check", "--build.delay", EVIL),
    ("init", "--template", EVIL),
    ("init", "--from", EVIL),
)
CONFIGS = {
    "key": f'"{WRITTEN}" = 1\n[build]\nbin = "true"\n"{WRITTEN}" = 1\n["{WRITTEN}"]\n',
    "value": f'[build]\nbin = "true"\ndelay = "{WRITTEN}"\n',
    "program": f'[build]\nbin = "{WRITTEN}"\ncmd = "{WRITTEN}"\n',
    "syntax": '[build]\nbin = "true" \x1b]0;pwn\x07\n',
    "lists": f'env_files = ["{WRITTEN}"]\n[build]\nbin = "true"\n'
    f'include_ext = ["{WRITTEN}", "py"]\nexclude_dir = ["{WRITTEN}"]\n'
    f'include_dir = ["{WRITTEN}"]\n',
    "root": f'root = "{WRITTEN}"\n[build]\nbin = "true"\n',
    "rule": f'[build]\nbin = "true"\n[[build.rules]]\nname = "{WRITTEN}"\ncmd = "true"\n'
    'include_ext = ["zz"]\n',
    "tool": f'[build]\nbin = "vite {WRITTEN}"\ninclude_ext = ["py"]\n',
    "regex": f'[build]\nbin = "true"\nexclude_regex = ["{WRITTEN}", "("]\n',
}
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\nFORGED")


def reloader(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "reloader", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": "/nowhere", "RELOADER_BUILD_DELEY": EVIL},
        capture_output=True,
        check=False,
        timeout=20,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with names that would command a terminal."""
    project = tmp_path / "project"
    for name in ("app.py", f"{EVIL}.py", f"{EVIL}/x.py", f"{EVIL}/.reload.toml"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).touch()
    (project / ".env").write_text(f"A=1\n{EVIL} x\n")
    return project


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words[:2])[:16])
def test_no_argument_reaches_the_terminal_as_it_is(folder: Path, command: tuple[str, ...]) -> None:
    """Names of files and directories, arguments, variables."""
    text = '[build]\nbin = "true"\ninclude_ext = ["py"]\n'
    (folder / ".reload.toml").write_text(f'env_files = [".env"]\n{text}')
    done = reloader(folder, *command)
    assert not UNSAFE.search(done.stdout.decode() + "\n" + done.stderr.decode())
    assert b"fault" not in done.stderr


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("command", [*COMMANDS[:5], ("run",)], ids=" ".join)
def test_no_text_of_a_config_reaches_the_terminal_as_it_is(
    folder: Path, name: str, command: tuple[str, ...]
) -> None:
    """Keys, values, programs, a line with a syntax error."""
    if command == ("run",) and name in {"program", "lists", "root", "rule", "tool"}:
        return  # those run
    (folder / ".reload.toml").write_text(CONFIGS[name])
    done = reloader(folder, *command)
    assert not UNSAFE.search(done.stdout.decode() + "\n" + done.stderr.decode())
    assert b"fault" not in done.stderr


@pytest.mark.parametrize("command", ["check", "explain app.py", "doctor", "--version", "run -h"])
def test_standard_output_that_is_closed_full_or_left(folder: Path, command: str) -> None:
    """The status is as ever, 1 with a sentence, or that of a broken pipe; never a traceback."""
    (folder / ".reload.toml").write_text('[build]\nbin = "true"\ninclude_ext = ["py"]\n')

    def status(redirection: str) -> tuple[int, str]:
        line = f"{sys.executable} -m reloader {command} {redirection}"
        done = subprocess.run(
            ["sh", "-c", line], cwd=folder, check=False, text=True, stderr=subprocess.PIPE
        )
        return done.returncode, done.stderr

    assert status(">&-") == (0, "")
    code, said = status(">/dev/full")
    assert (code, said) == (1, "reloader: the output can't be written: no space left on device\n")
    assert status(">&- 2>&-")[0] == 0
    reader, writer = os.pipe()
    os.close(reader)
    with subprocess.Popen(
        [sys.executable, "-m", "reloader", *command.split()],
        cwd=folder,
        stdout=writer,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(writer)
        assert process.stderr
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.parametrize("closed", ["2>&-", "2>/dev/full"])
def test_standard_error_that_can_not_be_written(folder: Path, closed: str) -> None:
    """The status of an error stays the same."""
    (folder / ".reload.toml").write_text("x = = 1\n")
    line = f"{sys.executable} -m reloader run {closed}"
    assert subprocess.run(["sh", "-c", line], cwd=folder, check=False).returncode == 2


@pytest.mark.parametrize("command", ["check", "explain", "doctor"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_command_that_only_looks_ends_at_once(folder: Path, command: str, number: int) -> None:
    """At Ctrl-C and SIGTERM, also where a shell has it ignore the first; without a traceback."""
    (folder / ".reload.toml").write_text('[build]\nbin = "true"\ninclude_ext = ["py"]\n')
    code = (
        "import signal, sys, time; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from reloader.watch import scan as module\n"
        "def scan(_): print('looks', flush=True); time.sleep(1000)\n"
        "module.scan = scan\n"
        "from reloader.__main__ import main\n"
        "sys.argv[1:] = sys.argv[1:]; sys.exit(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, command, *["app.py"] * (command == "explain")],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        while "looks" not in process.stdout.readline():
            pass
        process.send_signal(number)
        assert process.wait(10) == -number
        assert process.stderr.read() == ""
