"""`[apps.*]`: several apps in one file, what they share, and which of them run."""

from __future__ import annotations

import pytest

from reloader.config import apps
from reloader.config.document import parse
from reloader.config.load import Invocation, read
from tests.unit.test_config_load import loaded

THREE = """\
[build]
include_ext = ["py"]
delay = 80

[env]
LEVEL = "debug"
PORT = 1

[apps.api]
root = "api"
depends_on = { db = "started", migrate = "completed" }
build.bin = "python api.py"
env.PORT = 8000

[apps.db]
build.bin = "postgres"
build.include_ext = ["conf"]

[apps.migrate]
once = true
depends_on = ["db"]
build.bin = "python migrate.py"

[apps.worker]
depends_on = ["api", "migrate"]
profiles = ["jobs"]
build.bin = "python worker.py"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "api").mkdir()
    (tmp_path / ".reload.toml").write_text(THREE)
    return tmp_path


def of(folder, name, **given):
    return loaded(folder, app=name, **given)


def told(text, **given):
    """What is wrong with the apps of a file, as it is printed."""
    document = parse(text, ".reload.toml", "/x/.reload.toml")
    found = apps.problems(document)
    return [str(problem) for problem in found]


def test_an_app_is_the_shared_part_with_its_table_above(folder):
    """A key of its own goes before a shared one; each value says where it comes from."""
    api, db = of(folder, "api"), of(folder, "db")

    assert (api.name, api.root) == ("api", str(folder / "api"))
    assert (api.build.bin, api.build.include_ext, api.build.delay) == (
        "python api.py",
        ("py",),
        80,
    )
    assert db.build.include_ext == ("conf",)
    assert api.origins["build.delay"].where == ".reload.toml:3"
    assert api.origins["build.bin"].where == ".reload.toml:12"
    assert db.origins["build.include_ext"].where == ".reload.toml:17"


def test_variables_are_laid_over_each_other_one_by_one(folder):
    """A table `[env]` of an app adds to the shared one."""
    assert of(folder, "api").env == {"LEVEL": "debug", "PORT": "8000"}
    assert of(folder, "db").env == {"LEVEL": "debug", "PORT": "1"}


def test_conditions_that_are_left_open_are_the_natural_ones(folder):
    """A one-off has to complete, any other app to be ready."""
    assert of(folder, "migrate").app.depends_on == (("db", "ready"),)
    assert of(folder, "api").app.depends_on == (("db", "started"), ("migrate", "completed"))
    worker = of(folder, "worker", profiles=("jobs",))
    assert worker.app.depends_on == (("api", "ready"), ("migrate", "completed"))


def test_a_one_off_watches_only_what_its_table_names(folder):
    """Else a save of any file would run the migration again."""
    assert of(folder, "migrate").build.include_ext == ()
    text = THREE.replace("once = true", 'once = true\nbuild.include_dir = ["sql"]')
    (folder / ".reload.toml").write_text(text)
    assert of(folder, "migrate").build.include_ext == ("py",)


def test_each_app_has_a_log_of_its_own(folder):
    """Two of one root would write the same file."""
    assert of(folder, "db").build.log == "db-build-errors.log"


@pytest.mark.parametrize(
    ("wanted", "profiles", "expected"),
    [
        ((), (), ("db", "migrate", "api")),
        ((), ("jobs",), ("db", "migrate", "api", "worker")),
        (("migrate",), (), ("db", "migrate")),
        (("worker",), (), ("db", "migrate", "api", "worker")),
    ],
)
def test_what_runs(wanted, profiles, expected):
    """The wanted, or those of the profile; what they need with them, and before them."""
    assert apps.selected(parse(THREE, "f"), wanted, profiles) == expected


def test_an_app_that_is_not_chosen_is_no_mistake(folder):
    """Its config is not there, and nothing is wrong: so a run knows that it is to end."""
    reading = read(Invocation(app="worker"), {}, str(folder))

    assert (reading.config, reading.problems) == (None, ())
    assert reading.apps == ("db", "migrate", "api")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '[apps.api]\ndepends_on = [\n "wroker"]\n[apps.worker]\n',
            '.reload.toml:3: apps.api.depends_on: no app "wroker"\n  hint: did you mean worker?',
        ),
        (
            '[apps.a]\ndepends_on = { zz = "ready" }\n',
            '.reload.toml:2: apps.a.depends_on: no app "zz"\n  hint: apps: a',
        ),
        (
            (
                '[apps.a]\ndepends_on = ["b"]\n[apps.b]\ndepends_on = ["c"]\n'
                '[apps.c]\ndepends_on = ["a"]\n'
            ),
            (
                ".reload.toml:2: apps.a.depends_on: a needs b, which needs c, which needs a\n"
                "  hint: one of them has to start without the other"
            ),
        ),
        (
            '[apps.a]\ndepends_on = "a"\n',
            (
                ".reload.toml:2: apps.a.depends_on: a needs a\n"
                "  hint: one of them has to start without the other"
            ),
        ),
        ("apps = 1\n", ".reload.toml:1: apps: expected tables [apps.NAME], found 1"),
        ("[apps]\n", ".reload.toml:1: apps: expected tables [apps.NAME], found none"),
        ("[apps]\na = 1", ".reload.toml:2: apps.a: expected a table [apps.a], found a value"),
        (
            '[apps."a b"]',
            '.reload.toml:1: apps: expected a name of letters, digits, - and _, found "a b"',
        ),
    ],
)
def test_what_can_not_be_is_told_with_its_line(text, expected):
    """Unknown apps, circles, and what is no app."""
    assert told(text) == [expected]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            'depends_on = { db = "up" }',
            (
                '.reload.toml:2: apps.api.depends_on: expected one of "started", "ready",'
                ' "completed" for db, found "up"'
            ),
        ),
        ("once = 3", '.reload.toml:2: apps.api.once: expected one of "false", "true", found 3'),
        ("build.bum = 1", ".reload.toml:2: apps.api.build.bum: unknown key"),
        ("depend_on = []", ".reload.toml:2: apps.api.depend_on: unknown key\n  hint: did"),
        ("[apps.api.env]\nA = true", ".reload.toml:3: apps.api.env.A: expected text or"),
        ("[apps.api.apps.x]", ".reload.toml:2: apps.api.apps: unknown table"),
    ],
)
def test_a_mistake_in_a_table_names_app_and_line(tmp_path, line, expected):
    """As in a file that is one app."""
    text = f'[apps.api]\n{line}\n[apps.db]\nbuild.bin = "x"\n'
    (tmp_path / ".reload.toml").write_text(text)

    found = [str(problem) for problem in read(Invocation(app="api"), {}, str(tmp_path)).problems]

    assert [problem[: len(expected)] for problem in found[:1]] == [expected]


def test_keys_of_an_app_have_no_place_above(tmp_path):
    """Where they would be everybody's."""
    (tmp_path / ".reload.toml").write_text('once = true\n[apps.a]\nbuild.bin = "x"\n')

    found = read(Invocation(app="a"), {}, str(tmp_path)).problems

    assert [str(problem) for problem in found] == [
        ".reload.toml:1: once: unknown key\n  hint: once belongs to [apps.NAME]"
    ]


def test_air_s_files_have_no_apps(tmp_path):
    """To Air it is a key like any other that it does not know."""
    (tmp_path / ".air.toml").write_text('[build]\nbin = "x"\n[apps.a]\nbuild.bin = "y"\n')

    reading = read(Invocation(), {}, str(tmp_path))

    assert reading.config
    assert [doubt.text for doubt in reading.warnings] == ["apps: unknown key, ignored"]


def test_a_pre_cmd_that_all_would_run_is_told(tmp_path):
    """A one-off that they depend on runs once; an app's own is its own."""
    apps_ = '[apps.a]\nbuild.bin = "x"\n[apps.b]\nbuild.bin = "y"\nbuild.pre_cmd = ["z"]\n'
    text = '[build]\npre_cmd = ["make"]\n' + apps_
    (tmp_path / ".reload.toml").write_text(text)

    (doubt,) = read(Invocation(app="a"), {}, str(tmp_path)).warnings
    assert str(doubt).startswith(".reload.toml:2: build.pre_cmd: each app runs it by itself")
    assert read(Invocation(app="b"), {}, str(tmp_path)).warnings == ()


def test_the_same_in_pyproject(tmp_path):
    """Below [tool.reloader]."""
    text = '[tool.reloader.apps.a]\nbuild.bin = "x"\n[tool.reloader.apps.b]\nbuild.bum = 1\n'
    (tmp_path / "pyproject.toml").write_text(text)

    assert loaded(tmp_path, app="a").build.bin == "x"
    (wrong,) = read(Invocation(app="b"), {}, str(tmp_path)).problems
    assert wrong.where == "pyproject.toml:4"
