"""Env files: what they mean, and what becomes of the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloader.command.dotenv import EnvFileError, parse
from reloader.command.environ import EnvFiles

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\nB=2", {"A": "1", "B": "2"}),
        ("\n  A = 1 \t\n# no\n   # no\n\nB: 2\n", {"A": "1", "B": "2"}),
        ("export A=1\nexport\tB=2\nexport=3", {"A": "1", "B": "2", "export": "3"}),
        ("A=\nB=''\nC=\"\"", {"A": "", "B": "", "C": ""}),
        ("A=a b  c # d # e", {"A": "a b  c"}),
        ("A=#fff\nB= # c\nC=x#y", {"A": "#fff", "B": "", "C": "x#y"}),
        ("A='a # $B \\n' # c", {"A": "a # $B \\n"}),
        ('A="a # b" # c', {"A": "a # b"}),
        ('A="a\\nb\\rc\\"d\\\\e\\$f\\tg"', {"A": 'a\nb\rc"d\\e$ftg'}),
        ("A='one\ntwo'\nB=\"three\nfour\"\nC=5", {"A": "one\ntwo", "B": "three\nfour", "C": "5"}),
        ("A=1\r\nB='2'\r\nC=\"3\r\n4\"\r\n", {"A": "1", "B": "2", "C": "3\n4"}),
        ("A=1\nB=$A-${A}-\\$A-$NO-${NO}", {"A": "1", "B": "1-1-$A--"}),
        ('A=1\nB="$A ${A}x \\$A"', {"A": "1", "B": "1 1x $A"}),
        ('A=1\nB="\\\\$A"', {"A": "1", "B": "\\1"}),
        (
            "A=pa$5word\nB=$\nC=${\nD=$(x)\nE=${1}",
            {"A": "pa$5word", "B": "$", "C": "${", "D": "$(x)", "E": "${1}"},
        ),
        ("A=1\nA=2\nB=$A\nA=3", {"A": "3", "B": "2"}),
        ("A=$OUT", {"A": "outer"}),
        ("OUT=inner\nA=$OUT", {"OUT": "inner", "A": "outer"}),
        ("A.b_C9=x", {"A.b_C9": "x"}),
        ("", {}),
        ("# only", {}),
        ("A=a=b:c", {"A": "a=b:c"}),
        ("A=a'b\"c", {"A": "a'b\"c"}),
    ],
)
def test_values(text: str, values: dict[str, str]) -> None:
    assert dict(parse(text, {"OUT": "outer"})) == values


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nsecret", 2),
        ("A=1\n\n\nB-C=secret", 4),
        ("export secret", 1),
        ("A='x\ny'\nB=\"secret\nC=1", 3),
        ("A='secret\n\n", 1),
        ('A=1\nB="x\ny" secret', 3),
        ("=secret", 1),
        ("A=sec\0ret", 1),
    ],
)
def test_a_bad_line_is_named_without_what_stands_in_it(text: str, line: int) -> None:
    with pytest.raises(EnvFileError) as raised:
        parse(text, {})
    assert raised.value.line == line
    assert "secret" not in str(raised.value)


@given(st.text(st.characters(exclude_characters="'\\\0\r", exclude_categories=["Cs"])))
def test_single_quotes_keep_everything(value: str) -> None:
    assert parse(f"A='{value}' # x\nB=1", {"B": "2"}) == [("A", value), ("B", "1")]


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])))
def test_double_quotes_can_hold_everything(value: str) -> None:
    escaped = value.translate({ord(c): f"\\{c}" for c in '"\\$'})
    assert parse(f'A="{escaped}"', {}) == [("A", value)]


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    """Values or an error with a line that exists; nothing else."""
    try:
        parse(text, {})
    except EnvFileError as error:
        assert 1 <= error.line <= text.count("\n") + 1


# --- files ---------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_what_is_set_outside_wins_then_the_later_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("A=1\nB=1\nC=1\nOUT=1\n")
    two.write_text("B=2\nD=$C$B$OUT\n")
    files = EnvFiles([str(one), str(two)], {"OUT": "0"})
    assert files.read() == ({"A": "1", "B": "2", "C": "1", "D": "120", "OUT": "0"}, [])


def test_files_are_read_again_and_a_removed_name_is_gone(file: Path) -> None:
    files = EnvFiles([str(file)], {"X": "0"})
    assert files.read() == ({"X": "0"}, [])
    file.write_text("A=1\nB=2\n")
    assert files.read() == ({"X": "0", "A": "1", "B": "2"}, [])
    file.write_text("B=3\n")
    assert files.read() == ({"X": "0", "B": "3"}, [])
    file.unlink()
    assert files.read() == ({"X": "0"}, [])


def test_a_bad_file_keeps_its_last_values_and_is_named(file: Path) -> None:
    files = EnvFiles([str(file)], {})
    file.write_text("A=1\n")
    files.read()
    file.write_text("A=2\nsecret\n")
    assert files.read() == (
        {"A": "1"},
        [f"{file}:2: expected NAME=value; its last values stay"],
    )
    file.write_text("A=3\n")
    assert files.read() == ({"A": "3"}, [])


def test_only_files_of_modest_size_are_read(tmp_path: Path, file: Path) -> None:
    """A FIFO would block us, a device would never end."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    file.write_bytes(b"#" * (1 << 20) + b"\n")
    for path, why in [
        (fifo, "not a file"),
        (tmp_path, "not a file"),
        ("/dev/zero", "not a file"),
        (file, "larger than 1 MB"),
    ]:
        assert EnvFiles([str(path)], {}).read() == ({}, [f"{path}: {why}; its last values stay"])


def test_bytes_that_are_no_text_survive(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfA=\xff\xfe\nB='caf\xe9'\n")
    environ, _ = EnvFiles([str(file)], {}).read()
    assert {n: os.fsencode(v) for n, v in environ.items()} == {"A": b"\xff\xfe", "B": b"caf\xe9"}


def test_our_own_environment_is_not_touched(file: Path) -> None:
    before = dict(os.environ)
    outer = {"X": "1"}
    file.write_text("A_NEW_NAME=1\nX=2\n")
    environ, _ = EnvFiles([str(file)], outer).read()
    environ["Y"] = "3"
    assert (dict(os.environ), outer) == (before, {"X": "1"})


def test_a_large_file_takes_no_time(file: Path) -> None:
    """Nothing in the parser is quadratic."""
    file.write_text("".join(f"NAME_{n}='value {n}' # {n}\n" for n in range(25_000)))
    assert len(EnvFiles([str(file)], {}).read()[0]) == 25_000
    file.write_text("A=" + " " * 1_000_000)
    assert EnvFiles([str(file)], {}).read()[0] == {"A": ""}
