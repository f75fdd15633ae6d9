"""The line of every key: told from the text alone, checked against what tomli reads."""

from __future__ import annotations

import tomli
from hypothesis import given
from hypothesis import strategies as st

from reloader.config import model
from reloader.config.lines import locate

EXAMPLE = '''\
root = "."                 # 1
"tmp_dir" = 'tmp'
misc.clean_on_exit = true

[build] # five
cmd = """
line [not.a.table]
key = "no"
""" # the string ends in line 9
pre_cmd = [                # 10
  "a, b ] # not a comment",
  # a comment, with "quotes
  'c', """
d""",
  "e",
]
args_bin = ["x", "y"]
log = \'\'\'it's\'\'\'
delay = 1_000
inline = { one = 1, "two.three" = [4, { five = 5 }], six.seven = 8 }
when = 1979-05-27 07:32:00
price = 1.5

[[build.rules]]
name = "first"
[[build.rules]]
name = "second"
[build.rules.extra]
deep = 1
[ tool . "re\\u006Coader" ]
x = ""
y = """""a""""" # closes with five
'''


def test_the_line_of_each_kind_of_key():
    """Dotted, quoted and inline keys, items of arrays and arrays of tables have their line."""
    lines = locate(EXAMPLE)

    expected = {
        ("root",): 1,
        ("tmp_dir",): 2,
        ("misc",): 3,
        ("misc", "clean_on_exit"): 3,
        ("build",): 5,
        ("build", "cmd"): 6,
        ("build", "pre_cmd"): 10,
        ("build", "pre_cmd", 0): 11,
        ("build", "pre_cmd", 1): 13,
        ("build", "pre_cmd", 2): 13,
        ("build", "pre_cmd", 3): 15,
        ("build", "args_bin", 1): 17,
        ("build", "log"): 18,
        ("build", "delay"): 19,
        ("build", "inline", "one"): 20,
        ("build", "inline", "two.three", 1, "five"): 20,
        ("build", "inline", "six", "seven"): 20,
        ("build", "when"): 21,
        ("build", "price"): 22,
        ("build", "rules"): 24,
        ("build", "rules", 0): 24,
        ("build", "rules", 0, "name"): 25,
        ("build", "rules", 1): 26,
        ("build", "rules", 1, "name"): 27,
        ("build", "rules", 1, "extra"): 28,
        ("build", "rules", 1, "extra", "deep"): 29,
        ("tool", "reloader"): 30,
        ("tool", "reloader", "x"): 31,
        ("tool", "reloader", "y"): 32,
    }
    assert expected == {path: lines.get(path) for path in expected}


def test_a_header_goes_before_the_table_below_it():
    """`[a]` after `[a.b]` is where `a` is."""
    assert locate("[a.b]\nx = 1\n[a]\ny = 2\n")[("a",)] == 3


def test_every_key_of_the_model_has_its_line():
    """One key a line, in each way to write a key, and each is found where it is."""
    keys = [key for key, _, _ in model.options()]
    dotted = "\n".join(f"{key} = 0" for key in keys)

    lines = locate(dotted)

    assert {key: n for n, key in enumerate(keys, 1)} == {
        key: lines[tuple(key.split("."))] for key in keys
    }


SCALARS = st.sampled_from(
    [
        *("1", "-1.5e3", "true", "0xF", "1979-05-27T07:32:00Z", "07:32:00", "inf"),
        *('""', '"a # \\" b"', "'c:\\'", "'''x\n[y]\n'''"),
        *('"""\n"" \\\n ]"""', '""""q"""""'),
    ]
)
NAMES = st.sampled_from(["a", "b-c", "1", '"d.e"', "'f g'", '"h\\t"', "true"])
GAPS = st.sampled_from(["", " ", "\n", " # ] ' \" }\n\n"])


@st.composite
def arrays(draw, inner):
    items = draw(st.lists(inner, max_size=4))
    gaps = [draw(GAPS) for _ in items]
    return "[" + "".join(gap + item + "," for gap, item in zip(gaps, items, strict=True)) + "]"


@st.composite
def inline_tables(draw, inner):
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    return "{" + ", ".join(f"{name} = {draw(inner)}" for name in names) + "}"


VALUES = st.recursive(SCALARS, lambda inner: arrays(inner) | inline_tables(inner), max_leaves=12)


@st.composite
def documents(draw):
    """A document, and the line of each key that a statement begins with."""
    text, expected = "", {}
    for number in range(draw(st.integers(0, 3))):
        header = f"table{number}" if number else ""
        if header:
            text += draw(st.sampled_from(["", "\n", "# [x]\n"])) + f"[{header}]\n"
            expected[(header,)] = text.count("\n")
        for name in draw(st.lists(NAMES, unique=True, max_size=4)):
            line = text.count("\n") + 1
            text += f"{name} = {draw(VALUES)} # end\n"
            key = next(iter(tomli.loads(f"{name} = 0")))
            expected[(header, key) if header else (key,)] = line
    return text, expected


def paths(value, path=()):
    """Every key and every item of a value."""
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, (*path, key))
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*path, index))


@given(documents())
def test_all_that_tomli_reads_has_a_line(document):
    """Whatever the values look like, keys are where they were written, and none is missing."""
    text, expected = document

    lines = locate(text)

    assert set(paths(tomli.loads(text))) == set(lines)
    assert expected == {path: lines[path] for path in expected}
