"""Env files: what they mean, and what becomes of the environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloader.command.dotenv import parse
from reloader.command.environ import EnvFiles

if TYPE_CHECKING:
    from pathlib import Path


def values_of(text: str, outer: dict[str, str]) -> dict[str, str]:
    """The values of a text without a fault."""
    parsed = parse(text, outer)
    assert parsed.faults == ()
    return dict(parsed.pairs)


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
    assert values_of(text, {"OUT": "outer"}) == values


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ("${NO:-d}", "d"),
        ("${NO-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${A:-d}", "a"),
        ("${OUT:-d}", "outer"),
        ("${NO:+other}", ""),
        ("${EMPTY:+other}", ""),
        ("${EMPTY+other}", "other"),
        ("${A:+other}", "other"),
        ("${A:?is needed}", "a"),
        ("${EMPTY?is needed}", ""),
        ("${NO:-${ALSO:-${A}}}/x", "a/x"),
        ("${NO:-}", ""),
        ("${NO:-a b}", "a b"),
        ("http://${NO:-localhost}:${PORT:-80}/", "http://localhost:80/"),
        ("{$A}", "{a}"),
        ("\\${NO:-d}", "${NO:-d}"),
    ],
)
def test_interpolation_is_that_of_compose(value: str, meaning: str) -> None:
    """Plain and in double quotes; single quotes keep the text."""
    head = "A=a\nEMPTY=\nX="
    assert values_of(head + value, {"OUT": "outer"})["X"] == meaning
    assert values_of(f'{head}"{value}"', {"OUT": "outer"})["X"] == meaning
    if "\\" not in value:
        assert values_of(f"{head}'{value}'", {"OUT": "outer"})["X"] == value


def test_a_bare_name_is_taken_from_outside_or_left_out() -> None:
    """As in compose and docker; the rest of the file is read."""
    text = "A=1\nAWS_PROFILE\n  export OUT  \nLAST # comment\nB=$OUT"
    assert values_of(text, {"OUT": "x"}) == {"A": "1", "B": "x"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nsecret word\nB=2", 2),
        ("A=1\nB=2\n\nB-C=secret", 4),
        ("A=1\n- secret\nB=2", 2),
        ('A=1\nB=2\nC="secret\nD', 3),
        ("A=1\nC='secret\nB=2", 2),
        ('A=1\nC="x\ny" secret\nB=2', 2),
        ("=secret\nA=1\nB=2", 1),
        ("A=1\nC=sec\0ret\nB=2", 2),
        ("A=1\nB=2\nC=${A/secret/x}", 3),
        ("A=1\nB=2\nC=${A:-secret", 3),
        ("A=1\nB=2\nC=secret${NO:?}", 3),
        ("A=1\nB=2\nC=" + "${NO:-" * 50 + "}" * 50, 3),
    ],
)
def test_a_bad_line_costs_that_line(text: str, line: int) -> None:
    """Its number is told and never what stands in it; the others are read."""
    parsed = parse(text, {})
    assert parsed.faults[0].line == line
    assert "secret" not in repr(parsed.faults)
    assert {"A": "1", "B": "2"}.items() <= dict(parsed.pairs).items()


def test_a_message_is_told_as_it_is_written() -> None:
    """`:?` has words for the reader; a value in them is not told."""
    (fault,) = parse("PASS=secret\nX=${NO:?set NO, see $PASS}", {}).faults
    assert (fault.line, fault.text) == (2, "X is left out: NO is not set: set NO, see $PASS")


@given(st.text(st.characters(exclude_characters="'\\\0\r", exclude_categories=["Cs"])))
def test_single_quotes_keep_everything(value: str) -> None:
    assert parse(f"A='{value}' # x\nB=1", {"B": "2"}).pairs == (("A", value), ("B", "1"))


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"])))
def test_double_quotes_can_hold_everything(value: str) -> None:
    escaped = value.translate({ord(c): f"\\{c}" for c in '"\\$'})
    assert parse(f'A="{escaped}"', {}).pairs == (("A", value),)


@given(st.text())
def test_no_text_is_too_odd(text: str) -> None:
    """Values, and faults with lines that exist, in order."""
    lines = [fault.line for fault in parse(text, {}).faults]
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)


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


def test_a_bad_line_is_named_with_its_file(file: Path) -> None:
    """The other lines are read, at the first start and later."""
    file.write_text("A=1\nsecret word\nB=2\n")
    files = EnvFiles([str(file)], {})
    assert files.read() == ({"A": "1", "B": "2"}, [f"{file}:2: expected NAME=value"])


def test_a_file_that_can_not_be_read_keeps_its_last_values(file: Path) -> None:
    """The first time there are none, and that is what is said."""
    files = EnvFiles([str(file)], {})
    file.mkdir()
    assert files.read() == ({}, [f"{file}: not a file; nothing is read from it"])
    file.rmdir()
    file.write_text("A=1\n")
    files.read()
    file.unlink()
    file.mkdir()
    assert files.read() == ({"A": "1"}, [f"{file}: not a file; its last values stay"])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-16-le"])
def test_utf16_is_named(file: Path, encoding: str) -> None:
    """As PowerShell's `>` writes it, with and without its mark."""
    file.write_text("A=1\nB=2\n", encoding=encoding)
    warning = f"{file}: is UTF-16; save it as UTF-8; nothing is read from it"
    assert EnvFiles([str(file)], {}).read() == ({}, [warning])


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
        assert EnvFiles([str(path)], {}).read() == ({}, [f"{path}: {why}; nothing is read from it"])


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
    file.write_text("A=${NO:-" + "$B" * 400_000 + "}")
    assert EnvFiles([str(file)], {}).read()[0] == {"A": ""}
    file.write_text("A='x\\'\n" * 100_000 + "B=\n")
    EnvFiles([str(file)], {}).read()
    file.write_text("".join(f"NAME_{n}='value {n}' # {n}\n" for n in range(25_000)))
    assert len(EnvFiles([str(file)], {}).read()[0]) == 25_000
    file.write_text("A=" + " " * 1_000_000)
    assert EnvFiles([str(file)], {}).read()[0] == {"A": ""}
