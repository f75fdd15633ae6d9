"""Several ways to run a project: a question at a terminal, a list of what to type elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from reloader.commands import found
from reloader.detect.candidate import Candidate
from reloader.errors import ConfigError

TWO = (
    Candidate("a Python program", "python a.py", "a.py"),
    Candidate("a Go program", "./tmp/main", "cmd/b/", "go build -o ./tmp/main ./cmd/b"),
)
SUBS = (Candidate("x", "./x", "api/x", root="api"), Candidate("y", "./y", "web/y", root="web"))


@pytest.fixture
def typing(monkeypatch):
    """Lets a person at a terminal type these lines."""

    def typed(text):
        monkeypatch.setattr(found, "_can_ask", lambda: True)
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return typed


def test_a_person_chooses_by_number(typing, capsys):
    """All are listed; what is no number of the list is asked again."""
    typing("x\n0\n3\n2\n")

    assert found.asked(TWO) is TWO[1]

    said = capsys.readouterr().err
    assert "  1  python a.py   a.py\n" in said
    assert said.count("which one? [1-2]") == 4


def test_nobody_answers(typing):
    """The end of the input is no choice."""
    typing("")
    with pytest.raises(ConfigError, match="several ways to run this"):
        found.asked(TWO)


def test_what_to_type_for_each():
    """A line each, build included; for projects below, all of them at once."""
    build = "go build -o ./tmp/main ./cmd/b"
    assert list(found.several(TWO).lines())[1:3] == [
        "  reloader -- python a.py   # a Python program, a.py",
        f"  reloader --build.cmd '{build}' -- ./tmp/main   # a Go program, cmd/b/",
    ]
    assert list(found.several(SUBS).lines())[1:] == [
        "  reloader api   # x, api/x",
        "  reloader web   # y, web/y",
        "  hint: all of them: reloader -c api -c web",
    ]


def test_what_is_typed_with_a_build_runs(tmp_path):
    """A build by flag and the app behind dashes: the line that the list shows."""
    from reloader.config.load import Invocation, load

    flags = {"build.cmd": ["make"]}
    invocation = Invocation(flags=flags, args=(sys.executable, "x"), look=found.found)
    config = load(invocation, {}, str(tmp_path))

    assert config.build.cmd == "make"
    assert config.build.entrypoint == (sys.executable, "x")
    assert config.args == ()
