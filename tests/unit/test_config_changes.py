"""A config edited while it runs: what a change touches, and nothing else."""

from __future__ import annotations

import pytest

from reloader.config import changes
from reloader.config.changes import Changes, changed
from reloader.config.model import App, options
from reloader.light import replace
from tests.unit.test_config_load import loaded

PLAIN = '[build]\nbin = "./app"\n'
APP_KEYS = {key for key, _, _ in options(App, "app.")}
KEYS = {"build.rules", "env", *APP_KEYS, *(key for key, _, _ in options())}
SETS = (
    changes.RUN,
    changes.BUILD,
    changes.APP,
    changes.WATCH,
    changes.REPORT,
    changes.PROXY,
    changes.LATER,
)


def after(folder, old, new):
    return changed(loaded(folder, old), loaded(folder, new))


def test_every_key_touches_one_thing():
    """A new key of the table has to be put into one of the sets."""
    assert set().union(*SETS) == KEYS
    assert sum(map(len, SETS)) == len(KEYS)


def test_what_says_the_same_changes_nothing(tmp_path):
    """Comments, order, places and defaults written out are no change."""
    same = '# new\n\nroot = "."\n[log]\ntime = false\n[build]\nrerun = false\nbin = "./app"\n'

    assert after(tmp_path, PLAIN, same) == Changes()
    assert not after(tmp_path, PLAIN, same)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('cmd = "make"', {"needs_build", "needs_restart", "needs_rewatch"}),
        ('pre_cmd = "make gen"', {"needs_build", "needs_restart"}),
        ('args_bin = ["-v"]', {"needs_restart", "needs_rewatch"}),
        ('include_ext = ["css"]', {"needs_rewatch"}),
        ('log = "b.log"', {"needs_rewatch", "needs_report"}),
        ("delay = 80", set()),
        ('stop_timeout = "1s"', set()),
        ('[[build.rules]]\ncmd = "x"\ninclude_ext = "css"', {"needs_rewatch"}),
        ("[log]\ntime = true", {"needs_report"}),
        ('[misc]\nstartup_banner = ""', {"needs_report"}),
    ],
)
def test_only_what_a_key_touches_is_done_again(tmp_path, line, expected):
    """A build leads to a restart; what the app is called, to rules that leave it alone."""
    found = after(tmp_path, PLAIN, f"{PLAIN}{line}\n")

    assert len(found.keys) == 1
    needs = {name for name, value in vars(found).items() if value is True}
    assert needs == expected


def test_another_root_is_another_run(tmp_path):
    """Nothing that runs can stay."""
    (tmp_path / "sub").mkdir()

    found = after(tmp_path, PLAIN, f'root = "sub"\n{PLAIN}')

    assert found.needs_run
    assert found.keys[0] == "root"


def test_keys_come_in_the_order_of_the_table(tmp_path):
    """So that a line about them reads well."""
    old = loaded(tmp_path, PLAIN)
    new = replace(old, build=replace(old.build, rerun=True, cmd="x"))

    assert changed(old, new).keys == ("build.cmd", "build.rerun")
