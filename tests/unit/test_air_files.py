"""Real Air files, in words of our own, mean here what they mean to Air.

`tests/air_configs` holds the keys, values and quirks of 76 files of as many kinds. Files of your
own are put to the same test with `RELOADER_AIR_CONFIGS=FOLDER`; an `index.json` in it, a list of
`{"file": NAME, "air": "accept" | "reject"}`, says which of them Air itself can read.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from reloader.config import model
from reloader.config.load import Invocation, read
from reloader.filter.rules import FileFilter
from tests.helpers import air
from tests.helpers.converting import convert

FIXTURES = sorted((Path(__file__).parents[1] / "air_configs").iterdir())
OWN = os.environ.get("RELOADER_AIR_CONFIGS", "")
OWN_FILES = [f for f in sorted(Path(OWN or os.devnull).glob("*")) if f.is_file()]
FILES = FIXTURES + [f for f in OWN_FILES if f.suffix not in (".json", ".md")]
OUR_OWN_KEYS = {key for key, option, _ in model.options() if option.here_only}


def verdicts():
    """What Air says of the files of RELOADER_AIR_CONFIGS: by name."""
    index = Path(OWN, "index.json")
    if not OWN or not index.exists():
        return {}
    return {row["file"]: row["air"] for row in json.loads(index.read_text(encoding="utf-8"))}


VERDICTS = verdicts()


def put(file, folder):
    """The file as `.air.toml`, where its root is there."""
    shutil.copy(file, folder / ".air.toml")
    try:
        root = str(air.parse(file.read_bytes()).get("root", ""))
    except air.RefusedError:
        return
    if root and not root.startswith(("/", "~", "..")):
        (folder / root).mkdir(parents=True, exist_ok=True)


def must_load(folder):
    """The file there is none of those that Air or we refuse for a reason."""
    try:
        meant = air.meaning((folder / ".air.toml").read_bytes())
    except (air.RefusedError, air.NotStartedError):
        return False
    return not air.refused_here(meant, air.here(meant, air.Place(str(folder))))


def value_of(config, key):
    value = config
    for name in key.split("."):
        value = getattr(value, name)
    return value


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_key_comes_to_what_the_model_of_air_says(file, platform, tmp_path):
    """Each value, the rules, and nothing told as unknown that Air knows; or both refuse."""
    put(file, tmp_path)
    reading = read(Invocation(".air.toml"), {"HOME": "/nowhere"}, str(tmp_path), platform)
    try:
        meant = air.meaning(file.read_bytes(), platform)
    except air.NotStartedError:
        assert reading.config is None
        return
    except air.RefusedError as why:
        assert VERDICTS.get(file.name) != "accept", why
        return  # we may read more than Air does
    wanted = air.here(meant, air.Place(str(tmp_path)))
    if reason := air.refused_here(meant, wanted):
        assert any(reason in str(problem) for problem in reading.problems)
        return

    assert reading.config, [str(problem) for problem in reading.problems]
    found = {key: value_of(reading.config, key) for key in wanted}
    assert found == wanted
    unknown = {p.text.split(":")[0] for p in reading.warnings if "unknown key" in p.text}
    ours = {key for key in unknown if key.startswith("watch.")}  # a table that Air doesn't have
    assert (unknown - ours) | {"watch" for _ in ours} == set(meant.unknown)
    rules = reading.config.build.rules
    rules = [{key: getattr(rule, key) for key in air.RULE_KEYS} for rule in rules]
    assert rules == [air.rule_here(rule) for rule in meant.rules]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_same_saves_count_as_with_air(file, tmp_path):
    """Asked path by path: what the project has, what the lists name, and near misses of that."""
    put(file, tmp_path)
    config = read(Invocation(".air.toml"), {"HOME": "/nowhere"}, str(tmp_path)).config
    if config is None:
        return
    values = air.here(air.meaning(file.read_bytes()), air.Place(str(tmp_path)))
    rules = FileFilter(config)
    paths = air.samples(values)

    found = {path: bool(rules.decide(f"{config.root}/{path}").needs) for path in paths}
    assert found == {path: air.counts(values, path) for path in paths}
    if file in FIXTURES:  # and so that there is something to compare
        takes_any = config.build.include_ext or config.build.include_file
        assert set(found.values()) == ({True, False} if takes_any else {False})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_converted_it_means_the_same(file, tmp_path):
    """`init --from`: key by key, also where there is no go.mod."""
    put(file, tmp_path)
    home = {"HOME": "/nowhere"}
    was = read(Invocation(".air.toml"), home, str(tmp_path)).config
    if was is None:
        return
    convert(str(tmp_path), ".air.toml", home, force=False)
    now = read(Invocation(".reload.toml"), home, str(tmp_path))

    assert now.config, [str(problem) for problem in now.problems]
    keys = [key for key, _, _ in model.options()]
    assert [key for key in keys if value_of(now.config, key) != value_of(was, key)] == []
    assert now.config.build.rules == was.build.rules


def test_the_model_knows_the_keys_we_know():
    """But for those that Air doesn't have."""
    ours = {key for key, _, _ in model.options()} - OUR_OWN_KEYS

    assert ours == set(air.KEYS)


def test_each_deviation_is_told():
    """docs/from-air.md has a line about it."""
    page = (Path(__file__).parents[2] / "docs" / "from-air.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    told = {cell.strip() for line in lines for cell in line.split(" | ")[0][2:].split(", ")}

    labels = [label for label, _ in air.DEVIATIONS]
    assert [label for label in labels if label not in told and f"| {label} |" not in page] == []


@pytest.mark.skipif(not VERDICTS, reason="no RELOADER_AIR_CONFIGS with an index.json")
def test_what_air_takes_we_take(tmp_path):
    """But for what can't be used, for Air or for us."""
    refused = {}
    for name, verdict in VERDICTS.items():
        folder = tmp_path / name
        folder.mkdir()
        put(Path(OWN, name), folder)
        reading = read(Invocation(".air.toml"), {"HOME": "/nowhere"}, str(folder))
        if verdict == "accept" and reading.config is None and must_load(folder):
            refused[name] = [str(problem) for problem in reading.problems]
    assert refused == {}
