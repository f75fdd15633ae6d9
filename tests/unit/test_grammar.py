"""Python files with an error of syntax: which are looked at, and what is said of them."""

from __future__ import annotations

import os
import py_compile
import sys
from typing import TYPE_CHECKING

import pytest

from reloader.command import grammar

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = (sys.executable, "app.py")


def imported(path: Path, text: str) -> str:
    """The file as an app has imported it, and then was saved with this text."""
    path.write_text("x = 1\n")
    py_compile.compile(str(path), doraise=True)
    path.write_text(text)
    return str(path)


def test_a_file_that_the_app_imports(tmp_path: Path) -> None:
    path = imported(tmp_path / "users.py", "x = 1\ndef f(:\n    pass\n")
    assert list(grammar.errors([path], COMMAND, {})) == [path]
    assert grammar.errors([path], COMMAND, {})[path].startswith("line 2: ")
    assert grammar.errors([imported(tmp_path / "fine.py", "y = 2\n")], COMMAND, {}) == {}


def test_a_scratch_file_holds_up_nothing(tmp_path: Path) -> None:
    """Nobody has imported it, or only another Python has."""
    scratch = tmp_path / "scratch.py"
    scratch.write_text("def (:\n")
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "scratch.cpython-27.pyc").touch()
    assert grammar.errors([str(scratch)], COMMAND, {}) == {}


NO_BYTE_CODE = {"PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}


@pytest.mark.parametrize("kind", ["python", "script", "other", "another python", "gone"])
def test_where_python_leaves_no_byte_code(tmp_path: Path, kind: str) -> None:
    """Each file counts if the app runs under reloader's own Python, else none does."""
    broken = tmp_path / "users.py"
    broken.write_text("def (:\n")
    program = tmp_path / "uvicorn"
    shebang = {"script": sys.executable, "another python": "/usr/bin/python2.7"}
    program.write_text(f"#!{shebang.get(kind, '/bin/sh')}\n")
    program.chmod(0o755)
    first = {"python": sys.executable, "gone": "/nowhere/python3"}.get(kind, str(program))
    found = grammar.errors([str(broken)], (first, "main:app"), NO_BYTE_CODE)
    assert bool(found) is (kind in ("python", "script"))
    assert not grammar.errors([str(broken)], (first, "main:app"), {})


@pytest.mark.parametrize(
    ("command", "seen"),
    [
        ((sys.executable, "-u", "app.py"), True),
        ((sys.executable, "main.py"), False),
        (("/bin/sh", "app.py"), False),
        (("app.py",), False),
    ],
)
def test_the_script_of_the_command(tmp_path: Path, command: tuple[str, ...], seen: bool) -> None:
    """Python keeps no byte code of it; it counts where this very Python runs it."""
    (tmp_path / "app.py").write_text("def (:\n")
    assert bool(grammar.errors([str(tmp_path / "app.py")], command, {})) is seen


@pytest.mark.parametrize(
    "text",
    [
        "x = 1 if 1 is 1 else 2\n",  # a warning
        "x = '\\d'\n",
        "\0",
        "# coding: nonsense\n",
        "(" * 5000,
        "from __future__ import annotations\n",
    ],
)
def test_what_is_no_error_of_syntax_is_left_to_python(tmp_path: Path, text: str) -> None:
    """Warnings are not shown, and what the compiler itself can't take says nothing."""
    path = imported(tmp_path / "odd.py", text)
    found = grammar.errors([path], COMMAND, {})
    assert found == {} or text[0] in "\0#("


def test_a_file_that_is_gone(tmp_path: Path) -> None:
    path = imported(tmp_path / "gone.py", "def (:\n")
    (tmp_path / "gone.py").unlink()
    assert grammar.errors([path], COMMAND, {}) == {}


def test_a_checkout_of_many_files(tmp_path: Path) -> None:
    """The first fifty are looked at: more would hold up the loop."""
    many = [imported(tmp_path / f"m{n}.py", "def (:\n") for n in range(grammar.MOST + 5)]
    assert len(grammar.errors(many, COMMAND, {})) == grammar.MOST
