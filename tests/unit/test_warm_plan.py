"""Which commands can be started from libraries that are imported already."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from reloader.warm.plan import judge

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = sys.executable
PLAIN = [
    "app.py --port 1",
    "-m uvicorn app:app",
    "-muvicorn app:app",
    "-u -X dev -W error app.py",
    "-OO -Xutf8 app.py",
    "-c print(1)",
    "-B -- app.py",
]
COLD = {
    "-I app.py": "python -I takes no module from outside",
    "-Es app.py": "python -E takes no module from outside",
    "-uS app.py": "python -S takes no module from outside",
    "-i app.py": "python -i asks for more",
    "": "the program is read from the input",
    "-": "the program is read from the input",
    "-m debugpy --listen 1 app.py": "debugpy has to be first",
    "-mpdb app.py": "pdb has to be first",
    "-m": "the command is not complete",
}


@pytest.mark.parametrize("line", PLAIN)
def test_plain_python(line: str) -> None:
    """A script, a module or code, with flags that a server can have, too."""
    assert judge([PYTHON, *line.split()], {}, "/").why == ""


@pytest.mark.parametrize("line", COLD)
def test_cold(line: str) -> None:
    """What takes nothing from outside, or has to come before all else, starts as ever."""
    assert judge([PYTHON, *line.split()], {}, "/").why == COLD[line]


HEADS = {
    f"#!{PYTHON}\n": "",
    "#!/usr/bin/env python3\n": "",
    f"#!{PYTHON} -s\n": "",
    f"#!/bin/sh\n'''exec' \"{PYTHON}\" \"$0\" \"$@\"\n' '''\n": "",
    f"#!{PYTHON} -I\n": "python -I takes no module from outside",
    "#!/bin/sh\nexec python app.py\n": "{path} is a script for sh",
    "#!/usr/bin/env bash\n": "{path} is a script for bash",
    "\x7fELF": "{path} is not Python",
}


@pytest.mark.parametrize("head", HEADS)
def test_console_scripts(tmp_path: Path, head: str) -> None:
    """A script is Python if its first line says so, also in the way that pip writes long paths."""
    path = tmp_path / "serve"
    path.write_text(head)
    path.chmod(0o755)

    assert judge([str(path)], {}, "/").why == HEADS[head].format(path=path)


def test_a_debugger_as_a_script(tmp_path: Path) -> None:
    """What has to be first is known by its script's name, too."""
    path = tmp_path / "ddtrace-run"
    path.write_text(f"#!{PYTHON}\n")
    path.chmod(0o755)

    assert judge([str(path), "uvicorn"], {}, "/").why == "ddtrace-run has to be first"
    assert judge([PYTHON, "app.py"], {"PYTHONINSPECT": "1"}, "/").why == "PYTHONINSPECT is set"
