"""Command lines mean what they mean to sh, and arguments stay what they are."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reloader.command import parse
from reloader.command.parse import SHELL, Command, parse_line
from reloader.config.model import Build, Config

if TYPE_CHECKING:
    from pathlib import Path

BASH = shutil.which("bash")
SHELLS = [("/bin/sh",), *([(BASH, "--posix")] if BASH else [])]


# --- lines ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "argv", "env"),
    [
        ("go build -o ./tmp/main .", ("go", "build", "-o", "./tmp/main", "."), ()),
        ("  make\t all ", ("make", "all"), ()),
        ("PORT=80 A= ./app --x=1", ("./app", "--x=1"), (("PORT", "80"), ("A", ""))),
        ("A='b c' B=\"d e\"f app", ("app",), (("A", "b c"), ("B", "d ef"))),
        ("app 'a b' \"c d\" e\\ f ''", ("app", "a b", "c d", "e f", ""), ()),
        (r'app "a\"b\\c\d\$"', ("app", r'a"b\c\d$'), ()),
        (r"app 'a\b'", ("app", r"a\b"), ()),
        ("app A=1", ("app", "A=1"), ()),
        ("python app.py é ü", ("python", "app.py", "é", "ü"), ()),
    ],
)
def test_plain_words_need_no_shell(line: str, argv: tuple, env: tuple) -> None:
    found = parse_line(line)
    assert (found.argv, found.env, found.shown) == (argv, env, line.strip())


@pytest.mark.parametrize(
    "line",
    [
        *("a && b", "a || b", "a; b", "a & b", "a | b", "a > b", "a < b", "(a)", "a 2>&1"),
        *("echo $HOME", 'a "$B"', "a `b`", "a $(b)", 'a "`b`"', "a *.py", "a b?", "a [bc]"),
        *("a ~", "a ~/b", "A=~ b", "a # b", "a\nb", "! a", "{ a; }", "a {b,c}", "a \\\n b"),
        *("cd x", "export A=1", "exec a", "source a", ". a", "set -e", "ulimit -n 5", "trap a 1"),
        *("wait", "if", "for", "while", "case", "echo a", "printf a", "test a", "[", "time a"),
        *("A=1", "A=1 B=2", "A=1 cd x", "'cd' x", "UID=5 a", "PWD=/ a", "IFS=x a", "A+=1 b"),
        *("a 'b", 'a "b', "a \\", "", " ", "'' a", "A-B=1 c", "a \x01", "a 'b\nc'"),
    ],
)
def test_what_needs_a_shell_gets_one(line: str) -> None:
    assert parse_line(line) == Command((SHELL, "-c", line), (), line.strip())


def test_every_word_that_a_shell_keeps_to_itself_is_left_to_it() -> None:
    """Reserved words and built-in commands as bash and sh know them here."""
    if not BASH:
        pytest.skip("bash lists them")
    listed = subprocess.run(
        [BASH, "--posix", "-c", "compgen -b; compgen -k"],
        capture_output=True,
        text=True,
        check=True,
    )
    for word in listed.stdout.split():
        assert parse_line(f"{word} x").argv[0] == SHELL, word


# Every character that may have a meaning, and some that have none.
ALPHABET = "ab1_-=/.,:%@+^]éü\u20ac\u00a0\u0085\\\"' \t$`|&;<>()*?[~#!{}\n\r\x01"
PIECES = st.one_of(
    st.sampled_from(
        ["'a b'", '"a b"', '"\\$"', '"\\\\"', "\\ ", "\\a", "''", '""', "a", " ", "A=1"]
    ),
    st.text(ALPHABET, max_size=4),
)
LINES = st.lists(PIECES, max_size=6).map("".join)


def run(argv: tuple[str, ...], env: dict[str, str]) -> bytes:
    try:
        return subprocess.run(argv, env=env, capture_output=True, check=False).stdout
    except OSError:  # sh would say so on stderr
        return b""


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@settings(max_examples=250)
@example("'it'\\''s' \"a\\\"b\" c\\d ''")
@given(LINES)
def test_arguments_are_what_sh_makes_of_them(shell: tuple[str, ...], text: str) -> None:
    """What we run without a shell gets byte for byte the arguments it gets from a shell."""
    line = f"/usr/bin/printf '%s\\0' {text}"
    ours = parse_line(line)
    if ours.argv[0] != SHELL:
        env = {"PATH": "/nowhere", "LC_ALL": "C.UTF-8"}
        assert run(ours.argv, env) == run((*shell, "-c", line), env)


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(["A", "_b1", "A1", "1A", "é"]), LINES), max_size=3))
def test_assignments_are_what_sh_makes_of_them(
    shell: tuple[str, ...], pairs: list[tuple[str, str]]
) -> None:
    line = " ".join([*(f"{name}={value}" for name, value in pairs), "/usr/bin/env -0"])
    ours = parse_line(line)
    if ours.argv[0] != SHELL:
        env = {"PATH": "/nowhere", "LC_ALL": "C.UTF-8"}
        entries = set(run((*shell, "-c", line), env).split(b"\0"))
        mine = run(ours.argv, {**env, **dict(ours.env)}).split(b"\0")
        own = (b"PWD=", b"OLDPWD=", b"SHLVL=", b"_=")  # a shell's own
        assert set(mine) == {e for e in entries if not e.startswith(own)}


# --- the app -------------------------------------------------------------------------------------


def app_command(build: Build, args: tuple[str, ...], root: str, workdir: str = "") -> Command:
    return parse.app_command(Config(root=root, build=build, args=args, workdir=workdir))


def test_full_bin_goes_before_entrypoint_before_bin() -> None:
    build = Build(full_bin="full", entrypoint=("entry",), bin="bin")
    assert app_command(build, (), "/r").argv == ("full",)
    build = Build(entrypoint=("entry",), bin="bin")
    assert app_command(build, (), "/r").argv == ("entry",)
    assert app_command(Build(bin="bin -x"), (), "/r").argv == ("bin", "-x")


def test_an_entrypoint_is_exact() -> None:
    words = ("a b", "*.toml", "$HOME", "x;echo PWN", "", "é\n")
    found = app_command(Build(entrypoint=("app", *words), args_bin=("c d",)), ("$1",), "/r")
    assert found.argv == ("app", *words, "c d", "$1")
    assert found.shown == "app 'a b' '*.toml' '$HOME' 'x;echo PWN' '' 'é\n' 'c d' '$1'"


@pytest.mark.parametrize(
    ("program", "path"),
    [("app", "app"), ("./app", "/r/./app"), ("tmp/app", "/r/tmp/app"), ("/bin/app", "/bin/app")],
)
def test_an_entrypoint_with_a_slash_counts_from_the_root(program: str, path: str) -> None:
    found = app_command(Build(entrypoint=(program,)), (), "/r")
    assert (found.argv, found.shown) == ((path,), program)


def test_an_entrypoint_that_the_system_does_not_have_may_be_in_the_root(tmp_path: Path) -> None:
    """As Air has it; a program of the system's goes before a file of its name."""
    for name in ("server", "sh"):
        (tmp_path / name).touch()
    found = {
        name: app_command(Build(entrypoint=(name,)), (), str(tmp_path)).argv[0]
        for name in ("server", "sh", "absent")
    }

    assert found == {"server": f"{tmp_path}/server", "sh": "sh", "absent": "absent"}


def test_arguments_follow_a_plain_line_word_by_word() -> None:
    found = app_command(Build(full_bin="A=1 app -x", args_bin=("a b",)), ("*", ""), "/r")
    assert found == Command(("app", "-x", "a b", "*", ""), (("A", "1"),), "A=1 app -x 'a b' '*' ''")


def test_arguments_follow_a_shells_line_word_by_word() -> None:
    line = "cd / && /usr/bin/printf '%s|'\n"
    found = app_command(Build(full_bin=line, args_bin=("a b", "$HOME")), ("*", "it's"), "/r")
    assert run(found.argv, {}) == b"a b|$HOME|*|it's|"
    assert found.shown == "cd / && /usr/bin/printf '%s|' 'a b' '$HOME' '*' 'it'\\''s'"


def test_a_bin_that_is_a_file_is_that_file(tmp_path: Path) -> None:
    """Also with a space, a quote or a dollar sign in its path; made by the build or not."""
    build = Build(bin="my $app's", args_bin=("x",))
    assert app_command(build, (), str(tmp_path)).argv[0] == SHELL
    (tmp_path / build.bin).touch()
    found = app_command(build, (), str(tmp_path))
    assert found.argv == (os.path.join(tmp_path, build.bin), "x")


def test_where_commands_run_elsewhere_a_bin_begins_there(tmp_path: Path) -> None:
    """In an Air file: `bin` in the folder it was started in, `entrypoint` in the root."""
    for folder in ("root", "here"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "app").touch()
    root, here = str(tmp_path / "root"), str(tmp_path / "here")
    assert app_command(Build(bin="app"), (), root, here).argv == (f"{here}/app",)
    assert app_command(Build(entrypoint=("./app",)), (), root, here).argv == (f"{root}/./app",)
