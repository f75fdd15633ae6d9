"""C: odd configs, environments, arguments, and projects whose files have our modules' names."""

# ruff: noqa: N802 -- each is named as the catalogue names it

from __future__ import annotations

import os
import re
import signal
import sys
from typing import TYPE_CHECKING

from tests.faults.catalogue import fault
from tests.faults.tools import PYTHON

if TYPE_CHECKING:
    from tests.faults.rig import Rig

HIJACK = "raise SystemExit('hijacked')\n"
# All that a launcher, reloader and its packages import by name; not `encodings`, without which no
# Python starts.
NAMES = (
    *("reloader", "types", "enum", "re", "functools", "operator", "collections", "keyword"),
    *("copyreg", "signal", "logging", "tomli", "json", "select", "subprocess", "errno", "stat"),
)


def edit_config(rig: Rig) -> None:
    """A changed config holds while it runs."""
    config = rig.folder / ".reload.toml"
    good = config.read_text()
    config.write_text(good.replace("[build]", "[build]\nargs_bin = ['again']"))
    rig.noted("START", args=["again"])


@fault("rereading", peers=False)
def fault_C14(rig: Rig) -> None:
    """A config broken while it runs is told and changes nothing; mended, it holds at once."""
    rig.start()
    edit_config(rig)
    config = rig.folder / ".reload.toml"
    good = config.read_text()
    config.write_text(good + "[buidl]\n")
    rig.told(r"buidl")
    rig.converge()
    config.write_text(good.replace("again", "mended"))
    rig.converge()


@fault("rereading", peers=False)
def fault_C15(rig: Rig) -> None:
    """A config deleted while it runs is told and changes nothing."""
    rig.start()
    edit_config(rig)
    (rig.folder / ".reload.toml").unlink()
    rig.told(r"config.*no config file")
    rig.converge()


@fault("rereading", peers=False)
def fault_C14b(rig: Rig) -> None:
    """When a source and the config are saved in the same moment, both hold in the end."""
    rig.start()
    edit_config(rig)
    config = rig.folder / ".reload.toml"
    for turn in ("first", "second"):
        os.kill(rig.pid, signal.SIGSTOP)
        version = rig.edit()
        rig.save(config.name, re.sub("args_bin.*", f"args_bin = ['{turn}']", config.read_text()))
        os.kill(rig.pid, signal.SIGCONT)
        rig.noted("START", version=version, args=[turn])
    rig.converge()


@fault(quick=True)
def fault_C18(rig: Rig) -> None:
    """A project with a `reloader.py`, `re.py` or `types.py`, on PYTHONPATH, does not break us."""
    for name in NAMES:
        rig.save(f"{name}.py", HIJACK)
    rig.save("sitecustomize.py", "")
    rig.env["PYTHONPATH"] = "."
    rig.start(mode="environ")
    rig.noted("ENVIRON")
    assert b"PYTHONPATH=." in environ_of(rig).split(b"\0")
    rig.converge()


@fault(quick=True)
def fault_C19(rig: Rig) -> None:
    """The PYTHON… variables that are meant for the app don't change how we work."""
    rig.env |= {
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "PYTHONDEVMODE": "1",
        "PYTHONUTF8": "0",
        "PYTHONMALLOC": "debug",
        "PYTHONSAFEPATH": "1",
    }
    rig.start()
    rig.converge()
    assert "Warning" not in rig.said, rig.report()


@fault(quick=True)
def fault_C20(rig: Rig) -> None:
    """The app's environment is the caller's, byte by byte, and what is documented."""
    for name in ("PWD", "OLDPWD", "SHLVL", "_"):  # are a shell's business
        rig.env.pop(name, None)
    rig.env |= {"ODD": os.fsdecode(b"\xff\xfe=\n x"), "EMPTY": ""}
    rig.start(mode="environ")
    rig.noted("ENVIRON")
    found = set(environ_of(rig).split(b"\0"))
    given = {os.fsencode(f"{n}={v}") for n, v in rig.env.items()}
    assert given <= found
    added = {x.partition(b"=")[0] for x in found - given}
    if rig.tool.speaks:
        assert added <= {b"RELOADER_RUN", b"PYTHONUNBUFFERED", b"PWD"}, added


@fault(quick=True)
def fault_C21(rig: Rig) -> None:
    """Started in a folder that was deleted it says so in a line and ends."""
    rig.edit()
    process = rig.launch("sh", "-c", 'mkdir gone; cd gone; rmdir ../gone; exec "$@"', "sh")
    rig.until(lambda: process.poll() is not None, what="its end")
    rig.told(r"(?i)working directory|deleted|no such")
    assert "Traceback" not in rig.said


@fault(needs=("unshare",), quick=True)
def fault_C22(rig: Rig) -> None:
    """No HOME, USER or TERM and a user without a name are no hindrance."""
    for name in ("HOME", "USER", "LOGNAME", "TERM"):
        rig.env.pop(name, None)
    rig.start("unshare", "-U", "--map-user=12345")
    rig.converge()


ARGUMENTS = ["a b", "*.py", "$HOME", "x;echo PWN", "", "é\n", "-v", "`id`"]


def passes(rig: Rig, *arguments: str) -> None:
    rig.start(mode="environ")
    assert rig.noted("ENVIRON")["argv"] == [os.fsencode(x).hex() for x in arguments]


@fault(quick=True)
def fault_C23(rig: Rig) -> None:
    """The entrypoint's words reach the app as they are: no shell, no splitting."""
    rig.want.app = [*PYTHON, "app.py", *ARGUMENTS]
    passes(rig, *ARGUMENTS)


@fault(quick=True)
def fault_C24(rig: Rig) -> None:
    """A program whose path has a space in it is run."""
    (rig.folder / "my tools").mkdir()
    (rig.folder / "my tools" / "python").symlink_to(sys.executable)
    rig.want.app = [str(rig.folder / "my tools" / "python"), "-IS", "app.py"]
    rig.start()
    rig.converge()


@fault(quick=True)
def fault_C29(rig: Rig) -> None:
    """Arguments that are no UTF-8 reach the app as they are."""
    odd = os.fsdecode(b"\xff\xc3(")
    rig.env["PYTHONIOENCODING"] = "utf-8"  # as in any locale but C
    rig.want.arguments = [odd]
    passes(rig, odd)


def environ_of(rig: Rig) -> bytes:
    return (rig.log.parent / "app.log.environ").read_bytes()
