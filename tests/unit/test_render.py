"""The table of options in words: complete, and in a form that Markdown takes."""

from __future__ import annotations

from reloader.config.model import App, Rule, options
from reloader.config.render import config_table


def test_every_key_has_a_row():
    """All keys in the order of the model, those of rules after `[build]`, of apps last."""
    rows = [line.split("|")[1].strip(" `") for line in config_table().splitlines()[2:]]

    keys = [key for key, _, _ in options()]
    rules = [f"build.rules[].{key}" for key, _, _ in options(Rule)]
    after_build = keys.index("log.time")
    plain = [row.split("`")[0] for row in rows]
    apps = [key for key, _, _ in options(App, "apps.NAME.")]
    assert plain == keys[:after_build] + rules + keys[after_build:] + apps


def test_every_row_has_three_cells():
    """No bar or line end inside a cell breaks the table."""
    table = config_table().replace(r"\|", "")

    assert {line.count("|") for line in table.splitlines()} == {4}


def test_defaults_are_written_as_toml_or_told_in_words():
    """A text is quoted, a switch is lower case, and what depends on the project is said."""
    rows = {line.split("|")[1].split("`")[1]: line for line in config_table().splitlines()[2:]}

    assert '| `"tmp"` |' in rows["tmp_dir"]
    assert "| `false` |" in rows["build.rerun"]
    assert "| `[]` |" in rows["build.pre_cmd"]
    assert "| `500` |" in rows["build.rerun_delay"]
    assert '| `"auto"` |' in rows["watch.engine"]
    assert "go.mod" in rows["build.cmd"]
    assert r"`watch.engine` \*" in rows["watch.engine"]
