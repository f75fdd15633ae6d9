"""Files that can't be read or aren't TOML: one clear error each, and never a hang."""

from __future__ import annotations

import os

import pytest

from reloader.config.document import LARGEST, parse, read
from reloader.errors import ConfigError


def problem(call, *args):
    with pytest.raises(ConfigError) as caught:
        call(*args)
    (it,) = caught.value.problems
    return it


def test_text_of_a_file(tmp_path):
    """UTF-8 comes back as it is, also from behind a link."""
    (tmp_path / "a").write_text("# é", encoding="utf-8")
    (tmp_path / "link").symlink_to("a")

    assert read(str(tmp_path / "link"), "link") == "# é"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "no such config file"),
        (lambda path: path.mkdir(), "expected a config file, found a directory"),
        (os.mkfifo, "expected a config file, found a named pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "expected a config file, found a device"),
        (
            lambda path: path.symlink_to("gone"),
            "expected a config file, found a link to gone, which is not there",
        ),
        (lambda path: path.symlink_to(path), "can't be read: too many levels of symbolic links"),
        (lambda path: path.write_bytes(b"#" * (LARGEST + 1)), "more than 1,000,000 bytes"),
    ],
)
def test_what_is_no_readable_file_is_named(tmp_path, make, said):
    """Folder, pipe, device, dead link, giant: the error says which, and the file's name."""
    path = tmp_path / "config"
    make(path)

    it = problem(read, str(path), "config")

    assert said in it.text
    assert it.where == "config"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    """The system's reason is passed on."""
    (tmp_path / "config").touch(mode=0)

    assert "permission denied" in problem(read, str(tmp_path / "config"), "config").text


@pytest.mark.parametrize(
    ("content", "said", "where"),
    [
        (b"a = 1\nb = '\xe9'\n", "expected UTF-8, found byte 0xe9", "config:2"),
        (b"a = 1\n\nb = 2\0", "found a NUL character", "config:3"),
    ],
)
def test_what_is_no_text_is_named_with_its_line(tmp_path, content, said, where):
    """A latin-1 byte and a NUL have a line."""
    (tmp_path / "config").write_bytes(content)

    it = problem(read, str(tmp_path / "config"), "config")

    assert said in it.text
    assert it.where == where


def test_a_name_no_file_can_have():
    """A NUL in the name is an error like any other."""
    assert "no file can have this name" in problem(read, "a\0b", "a").text


@pytest.mark.parametrize(
    ("text", "where", "shown"),
    [
        ('[build]\ncmd "go"\n', "f:2:5", '  2 | cmd "go"\n    |     ^'),
        ('a = ["x"', "f:1:9", '  1 | a = ["x"\n    |         ^'),
        ("\t\tx = 1 y = 2", "f:1:9", "  1 |   x = 1 y = 2\n    |         ^"),
        ("a = 1\na = 2", "f:2:6", "  2 | a = 2\n    |      ^"),
        ("\n" * 99 + "x\n", "f:100:2", "  100 | x\n      |  ^"),
    ],
)
def test_a_syntax_error_points_at_its_place(text, where, shown):
    """Line and column, the line itself, and a caret below the place."""
    it = problem(parse, text, "f")

    assert it.where == where
    assert "\n".join(it.excerpt) == shown
    assert it.text[0].islower()


def test_a_long_line_is_cut_around_the_place():
    """The caret is below the place also in a line of a thousand characters."""
    it = problem(parse, "x = '" + "a" * 1000 + "' ! " + "b" * 1000, "f")

    line, caret = it.excerpt
    assert len(line) < 120
    assert line[len(caret) - 1] == "!"


@pytest.mark.parametrize("text", ["a = " + "[" * 10_000, ".".join("a" * 10_000) + " = 1"])
def test_deep_nesting_is_one_error(text):
    """Ten thousand levels are refused, at once."""
    assert "nested too deep" in problem(parse, text, "f").text


def test_a_byte_order_mark_and_dos_line_ends_do_not_matter():
    """The values and the lines are the same as without."""
    plain = parse("a = 1\n[b]\nc = '''x\ny'''\n", "f")
    dos = parse("\ufeffa = 1\r\n[b]\r\nc = '''x\r\ny'''\r\n", "f")

    assert plain == dos


def test_where_a_key_is():
    """A key without a line of its own is where its table is, the file's beginning at last."""
    document = parse("a = 1\n\n[b]\nc = [\n 1,\n 2]", "f")

    assert document.where(("b", "c", 1)) == "f:6"
    assert document.where(("b", "x")) == "f:3"
    assert document.where(("x",)) == "f:1"


def test_a_table_inside_is_a_document_with_the_same_lines():
    """`[tool.reloader]` is read like a file of its own, and its lines are those of the file."""
    document = parse("[tool]\nreloader.build.cmd = 'x'\n", "f").below("tool", "reloader")

    assert document.table == {"build": {"cmd": "x"}}
    assert document.where(("build", "cmd")) == "f:2"


def test_a_table_inside_may_be_missing_and_must_be_a_table():
    """No such table is nothing; a value in its place is an error."""
    document = parse("tool = 1\n", "f")

    assert document.below("other") is None
    assert problem(document.below, "tool", "reloader").text == "expected a table [tool]"


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("[build]\ncmd = 'x'\n[build]\n", "each table once, found [build] again", "one place"),
        ("[a.b]\n[a.b]\n", "found [a.b] again", "one place"),
        ("[build]\ncmd = 'x'\ncmd = 'y'\n", "each key once, found cmd again", "keep one"),
        ("[build]\ncmd = make\n", "invalid value", "quotes"),
        ("a = ['x' 'y']\n", "unclosed array", "comma"),
        ('a = "tmp\\main"\n', "unescaped", "single quotes"),
        ("a = 'x' b = 'y'\n", "expected newline", "line of its own"),
    ],
)
def test_common_slips_get_a_hint(text, said, hint):
    """What is wrong, in words of a person, and what to do."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "x.toml")

    (problem,) = caught.value.problems
    assert said in problem.text
    assert hint in problem.hint
