"""What a value may look like, and what it then means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reloader.config import values
from reloader.config.layers import OPTIONS
from reloader.config.model import Engine
from reloader.config.values import MisfitError

READ = [  # key, as TOML has it, as the model has it
    ("build.rerun", True, True),
    ("build.rerun", False, False),
    ("build.cmd", "", ""),
    ("build.cmd", "a\nb", "a\nb"),
    ("build.delay", 0, 0),
    ("build.delay", 500, 500),
    ("build.delay", "500ms", 500),
    ("build.delay", "1.5s", 1500),
    ("build.delay", "500us", 1),
    ("build.delay", 86_400_000, 86_400_000),
    ("build.stop_timeout", 500, 0.5),
    ("build.stop_timeout", 2_000_000, 2000.0),
    ("build.stop_timeout", "1m30s", 90.0),
    ("build.kill_delay", 500, 0.5),
    ("build.kill_delay", 999_999, 999.999),
    ("build.kill_delay", 1_000_000, 0.001),
    ("build.kill_delay", 5_000_000_000, 5.0),
    ("build.kill_delay", "500us", 0.0005),
    ("build.kill_delay", "0s", 0.0),
    ("build.kill_delay", "0", 0.0),
    ("build.kill_delay", "1h", 3600.0),
    ("proxy.app_port", 65535, 65535),
    ("build.include_ext", "go", ("go",)),
    ("build.include_ext", [".go", "*.py", "*", "tar.gz"], ("go", "py", "*", "tar.gz")),
    ("build.include_ext", "go, html", ("go", "html")),
    ("build.exclude_dir", "a, b", ("a, b",)),
    ("build.exclude_dir", ["a", ""], ("a",)),
    ("build.exclude_regex", [r"_test\.go$", ""], (r"_test\.go$",)),
    ("build.entrypoint", "./tmp/my app", ("./tmp/my app",)),
    ("build.entrypoint", ["app", "a b", "", "$HOME", "é\n"], ("app", "a b", "", "$HOME", "é\n")),
    ("build.entrypoint", "", ()),
    ("build.args_bin", [""], ("",)),
    ("build.args_bin", "serve", ("serve",)),
    ("build.args_bin", ["a b"], ("a b",)),
    ("build.stop_signal", "SIGINT", "SIGINT"),
    ("build.stop_signal", "hup", "SIGHUP"),
    ("build.stop_signal", 15, "SIGTERM"),
    ("build.stop_signal", "", ""),
    ("color.mode", "never", "never"),
    ("watch.engine", "poll", Engine.POLL),
    ("misc.startup_banner", "", ""),
]


@pytest.mark.parametrize(("key", "written", "meant"), READ)
def test_a_value_of_toml_is_read(key, written, meant):
    """The meaning is exact, with its type."""
    value = values.read(key, OPTIONS[key], written)

    assert value == meant
    assert type(value) is type(meant)


REFUSED = [  # key, as TOML has it, what was expected, what was found
    ("build.rerun", "true", "true or false", '"true"'),
    ("build.rerun", 1, "true or false", "1"),
    ("build.cmd", 5, "text", "5"),
    ("build.cmd", ["go", "build"], "text", "a list"),
    ("build.cmd", "a\0b", "text", "a NUL character in it"),
    ("build.delay", -1, "0 to 86400000 ms (a day)", "-1"),
    ("build.delay", 10**14, "0 to 86400000 ms (a day)", "100000000000000"),
    ("build.delay", "-2s", "0 to 86400000 ms (a day)", '"-2s"'),
    ("build.delay", 1.5, "a whole number of milliseconds", "1.5"),
    ("build.delay", True, "a whole number of milliseconds", "true"),
    ("build.delay", "soon", "a whole number of milliseconds", '"soon"'),
    ("build.kill_delay", "abc", 'a time like 500 (ms) or "2s"', '"abc"'),
    ("build.kill_delay", "5", 'a time like 500 (ms) or "2s"', '"5"'),
    ("build.kill_delay", "", 'a time like 500 (ms) or "2s"', '""'),
    ("build.kill_delay", "-", 'a time like 500 (ms) or "2s"', '"-"'),
    ("build.kill_delay", "1s2", 'a time like 500 (ms) or "2s"', '"1s2"'),
    ("build.kill_delay", float("nan"), 'a time like 500 (ms) or "2s"', "nan"),
    ("build.kill_delay", True, 'a time like 500 (ms) or "2s"', "true"),
    ("build.kill_delay", -1, "a time from 0 to 24h", "-1"),
    ("build.kill_delay", "25h", "a time from 0 to 24h", '"25h"'),
    ("build.kill_delay", "9" * 400 + "h", "a time from 0 to 24h", '"' + "9" * 60 + '…"'),
    ("proxy.app_port", 65536, "a port from 0 to 65535", "65536"),
    ("proxy.app_port", "80", "a port from 0 to 65535", '"80"'),
    ("build.include_ext", 5, "a list of texts", "5"),
    ("build.args_bin", "--port 8000", "a list of texts", '"--port 8000"'),
    ("build.include_ext", {}, "a list of texts", "a table"),
    ("build.entrypoint", 5, "a program and its arguments: text or a list of texts", "5"),
    ("build.stop_signal", "SIGNAL", "a signal name like SIGTERM", '"SIGNAL"'),
    ("build.stop_signal", 999, "a signal name like SIGTERM", "999"),
    ("color.mode", "sometimes", 'one of "auto", "always", "never"', '"sometimes"'),
    ("watch.engine", ["poll"], 'one of "auto", "native", "watchfiles", "poll"', "a list"),
]


@pytest.mark.parametrize(("key", "written", "expected", "found"), REFUSED)
def test_a_value_that_means_nothing_is_refused(key, written, expected, found):
    """What was expected and what was found are said, the value cut where it is long."""
    with pytest.raises(MisfitError) as caught:
        values.read(key, OPTIONS[key], written)

    (misfit,) = caught.value.misfits
    assert (misfit.expected, misfit.found) == (expected, found)


def test_all_items_that_do_not_fit_are_named():
    """Each bad item of a list has its number."""
    with pytest.raises(MisfitError) as caught:
        values.read("build.exclude_regex", OPTIONS["build.exclude_regex"], ["(", "ok", 3, "*"])

    assert [misfit.item for misfit in caught.value.misfits] == [0, 2, 3]


TEXTS = [  # key, the texts of flags or of a variable, as the model has it
    ("build.rerun", ["true"], True),
    ("build.rerun", ["0"], False),
    ("build.rerun", ["Yes"], True),
    ("build.rerun", ["OFF"], False),
    ("build.cmd", ["make a", "make b"], "make b"),
    ("build.delay", ["80"], 80),
    ("build.delay", ["80ms"], 80),
    ("build.kill_delay", ["500"], 0.5),
    ("build.kill_delay", ["2s"], 2.0),
    ("proxy.app_port", ["8080"], 8080),
    ("build.include_ext", ["go,html", "css"], ("go", "html", "css")),
    ("build.exclude_regex", [r"a{1\,2}", "[a-z]"], ("a{1,2}", "[a-z]")),
    ("build.exclude_dir", [""], ()),
    ("build.args_bin", ['["a, b", ""]', "-v"], ("a, b", "", "-v")),
    ("build.entrypoint", ["python,app.py"], ("python", "app.py")),
    ("build.stop_signal", ["int"], "SIGINT"),
    ("watch.engine", ["native"], Engine.NATIVE),
]


@pytest.mark.parametrize(("key", "texts", "meant"), TEXTS)
def test_texts_of_flags_and_variables_are_read(key, texts, meant):
    """The last one counts; a list takes all of them, split at commas."""
    assert values.read_texts(key, OPTIONS[key], texts) == meant


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("build.rerun", "maybe"),
        ("build.delay", "abc"),
        ("build.delay", "-1"),
        ("build.delay", "1e3"),
        ("build.kill_delay", "1.5"),
        ("proxy.app_port", "http"),
        ("build.exclude_regex", "("),
    ],
)
def test_texts_that_mean_nothing_are_refused(key, text):
    """A flag or a variable gets the same judgement as the file."""
    with pytest.raises(MisfitError):
        values.read_texts(key, OPTIONS[key], [text])


@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 59_999))
def test_a_go_duration_is_the_sum_of_its_parts(hours, minutes, millis):
    """As Go prints a duration, so it is read."""
    text = f"{hours}h{minutes}m{millis / 1000:.3f}s"

    assert values.duration(text) == (hours * 3600 + minutes * 60) * 10**9 + millis * 10**6
    assert values.duration(f"-{text}") == -(values.duration(text) or 0)


@given(st.text(alphabet="0123456789.hmsnuµ -+", max_size=10))
def test_no_text_breaks_the_duration(text):
    """It is a number of nanoseconds or it is none."""
    assert values.duration(text) is None or isinstance(values.duration(text), int)
