"""Where the config comes from, what wins, and what is said when it can't be used."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import ENTRYPOINT, PYTHON, actor

if TYPE_CHECKING:
    from tests.helpers.project import Project, Run

PLAIN = f"[build]\n{ENTRYPOINT}"
COMMAND = shlex.join([*PYTHON, "app.py"])


def args_of_the_app(project: Project, *flags: str, **env: str) -> list[str]:
    project.app()
    project.run(*flags, env=env)
    return project.wait_noted("START", role="app")["args"]


def refused(project: Project, *flags: str, **env: str) -> Run:
    """A run that must end with 2 before anything starts."""
    run = project.run(*flags, json_=False, env=env)
    assert run.wait() == 2, run.report()
    assert project.noted() == []
    assert run.stdout == b""
    assert "Traceback" not in run.stderr
    return run


# --- where from ----------------------------------------------------------------------------------

FILES = {
    ".reload.toml": "[build]\n{}",
    "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n[tool.reloader.build]\n{}',
    ".air.toml": "[build]\n{}",
    ".config/air.toml": "[build]\n{}",
}


@pytest.mark.parametrize("first", range(4))
def test_the_first_file_found_is_the_config(project: Project, first: int) -> None:
    """`.reload.toml`, `[tool.reloader]`, `.air.toml`, `.config/air.toml`: the first one counts."""
    for name, text in list(FILES.items())[first:]:
        project.config(text.format(f'{ENTRYPOINT}cmd = ""\nargs_bin = ["{name}"]\n'), name)

    assert args_of_the_app(project) == [list(FILES)[first]]


def test_a_pyproject_without_our_table_is_none(project: Project) -> None:
    """A `pyproject.toml` of others is passed over."""
    project.write("pyproject.toml", '[project]\nname = "x"\nversion = "1"\n')
    project.config(f'{PLAIN}cmd = ""\nargs_bin = ["air"]\n', ".air.toml")

    assert args_of_the_app(project) == ["air"]


def test_a_named_file(project: Project) -> None:
    """`-c FILE` goes before RELOADER_CONFIG, and that before what is found."""
    for name in (".reload.toml", "one.toml", "two.toml"):
        project.config(f'{PLAIN}args_bin = ["{name}"]\n', name)
    assert args_of_the_app(project, RELOADER_CONFIG="one.toml") == ["one.toml"]
    project.runs[-1].stop()
    project.log.unlink()

    assert args_of_the_app(project, "-c", "two.toml", RELOADER_CONFIG="one.toml") == ["two.toml"]


def test_no_config_at_all(project: Project) -> None:
    """Without a file it says what to do, and ends with 2."""
    said = refused(project).stderr

    assert "reloader init" in said
    assert "reloader -- COMMAND" in said
    assert "reloader: no config file here" in said


def test_no_file_is_needed(project: Project) -> None:
    """`--build.bin` alone is a config."""
    assert args_of_the_app(project, "--build.bin", COMMAND) == []


def test_root(project: Project) -> None:
    """Commands run in `root`, and its files are the ones that count."""
    project.config(f'root = "web"\n{PLAIN}')
    project.app().rename(project.write("web/app.py", ""))
    run = project.start()

    project.write("outside.py", "")
    project.write("web/inside.py", "")

    assert run.wait_for("change.seen")["path"] == "inside.py"
    assert project.noted("START")[0]["cwd"] == str(project.folder / "web")


# --- what wins -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "env", "flags", "wanted"),
    [
        ("", {}, [], []),
        ('args_bin = ["file"]', {}, [], ["file"]),
        ('args_bin = ["file"]', {"RELOADER_BUILD_ARGS_BIN": "env"}, [], ["env"]),
        (
            'args_bin = ["file"]',
            {"RELOADER_BUILD_ARGS_BIN": "env"},
            ["--build.args_bin", "flag"],
            ["flag"],
        ),
        ("", {}, ["--build.args_bin=a,b"], ["a", "b"]),
        ("", {}, ["--build.args_bin", "a", "--build.args_bin", "b"], ["a", "b"]),
        ('args_bin = ["file"]', {}, ["--", "more", "-v"], ["file", "more", "-v"]),
    ],
)
def test_precedence(
    project: Project, file: str, env: dict[str, str], flags: list[str], wanted: list[str]
) -> None:
    """Default < file < environment < flag; lists by repeating or commas; ARGS come last."""
    project.config(f"{PLAIN}{file}\n")

    assert args_of_the_app(project, *flags, **env) == wanted


def test_args_reach_the_app_exactly(project: Project) -> None:
    """Nothing after `--`, in `entrypoint` or in `args_bin` is split, expanded or lost."""
    odd = ["two words", "$HOME", "*.py", "a;b", "", "--", "'", '"', "ö", "-c", "x\ny", "~"]
    entrypoint = json.dumps([*PYTHON, "app.py", "in entrypoint $1"])
    project.config(f"[build]\nentrypoint = {entrypoint}\nargs_bin = {json.dumps(odd)}\n")

    assert args_of_the_app(project, "--", *odd) == ["in entrypoint $1", *odd, *odd]


def test_args_after_a_command_line(project: Project) -> None:
    """After `bin`, too, the ARGS come one by one, unsplit."""
    odd = ["two words", "$HOME", "*.py", "a;b", "'"]
    project.config(f"[build]\nbin = {json.dumps(COMMAND + ' --fixed')}\n")

    assert args_of_the_app(project, "--", *odd) == ["--fixed", *odd]


def test_args_after_a_command_line_for_a_shell(project: Project) -> None:
    """Also where a shell runs the command line."""
    odd = ["two words", "$HOME", "*.py", "a;b", "'"]
    project.config(f"[build]\nbin = {json.dumps('true && exec ' + COMMAND + ' $APP_WORD')}\n")

    assert args_of_the_app(project, "--", *odd, APP_WORD="word") == ["word", *odd]


@pytest.mark.parametrize(
    ("flags", "env"),
    [
        (["--build.rerun=false"], {}),
        (["--build.rerun", "false"], {}),
        ([], {"RELOADER_BUILD_RERUN": "false"}),
    ],
)
def test_a_value_equal_to_the_default_counts(
    project: Project, flags: list[str], env: dict[str, str]
) -> None:
    """`false` takes back the file's `true`, though it is the default."""
    project.config(f"{PLAIN}rerun = true\nrerun_delay = 0\n")
    project.app("1", "once")
    run = project.run(*flags, env=env)

    assert run.wait_for("app.exited")["restart_in"] is None


def test_a_flag_without_a_value_is_true(project: Project) -> None:
    """`--build.rerun` alone says yes."""
    project.config(PLAIN)
    project.app("1", "once")
    run = project.run("--build.rerun")

    assert run.wait_for("app.exited")["restart_in"] is not None


def test_a_delay_of_the_users_own(project: Project) -> None:
    """A `delay` that was written is the quiet time: two saves within it are one burst."""
    project.config(f"{PLAIN}delay = 1500\n")
    project.app("1")
    run = project.start()

    project.save("one.py", "")
    project.save("two.py", "")

    assert run.wait_for("change.seen")["count"] == 2


# --- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("[build]\nexclude_dirs = []\n", [".reload.toml:2", "exclude_dir"]),
        ("[bulid]\nbin = 'x'\n", [".reload.toml:1", "build"]),
        ("[build]\ndelay = 'soon'\n", [".reload.toml:2", "delay", "soon"]),
        ("[build]\ndelay = -1\n", [".reload.toml:2", "delay", "-1"]),
        ("[build]\nbin = 'x'\nexclude_regex = ['(']\n", [".reload.toml:3", "exclude_regex"]),
        ("[build]\nbin = 3\n", [".reload.toml:2", "bin"]),
        ("[build]\nbin = 'x\n", [".reload.toml:2"]),
        ("root = 'nowhere'\n[build]\nbin = 'x'\n", [".reload.toml:1", "nowhere"]),
        (
            "tmp_dir = '.'\n[build]\nbin = 'x'\n[misc]\nclean_on_exit = true\n",
            [".reload.toml:5", "tmp_dir"],
        ),
        (
            "tmp_dir = '/'\n[build]\nbin = 'x'\n[misc]\nclean_on_exit = true\n",
            [".reload.toml:5", "tmp_dir"],
        ),
        (
            "tmp_dir = '/tmp'\n[build]\nbin = 'x'\n[misc]\nclean_on_exit = true\n",
            [".reload.toml:5", "tmp_dir"],
        ),
        ("[build]\nbin = 'x'\nstop_signal = 'SIGNOPE'\n", [".reload.toml:3", "stop_signal"]),
        ("[build]\nbin = 'x'\n[[build.rules]]\nname = 'r'\n", [".reload.toml:3", "cmd"]),
        ("[build]\nbin = 'x'\n[proxy]\nproxy_port = 70000\n", [".reload.toml:4", "65535"]),
        ("[build]\ndelay = -1\nbin = 3\n", [".reload.toml:2", ".reload.toml:3"]),  # all at once
    ],
)
def test_a_bad_file(project: Project, config: str, said: list[str]) -> None:
    """File and line, what is wrong, and the nearest key; all of it at once; status 2."""
    project.config(config)

    stderr = refused(project).stderr

    assert [word for word in said if word not in stderr] == [], stderr


@pytest.mark.parametrize(
    ("flags", "env", "said"),
    [
        (["--build.dealy", "3"], {}, ["--build.dealy", "--build.delay"]),
        (["--nope"], {}, ["--nope"]),
        (["--build.delay", "soon"], {}, ["--build.delay", "soon"]),
        (["--build.delay"], {}, ["--build.delay"]),
        (["--color", "sometimes"], {}, ["sometimes", "always"]),
        (["-c", "missing.toml"], {}, ["missing.toml"]),
        ([], {"RELOADER_CONFIG": "missing.toml"}, ["missing.toml", "RELOADER_CONFIG"]),
        ([], {"RELOADER_BUILD_DELAY": "soon"}, ["RELOADER_BUILD_DELAY", "soon"]),
        ([], {"RELOADER_BUILD_RERUN": "perhaps"}, ["RELOADER_BUILD_RERUN", "perhaps"]),
    ],
)
def test_a_bad_flag_or_variable(
    project: Project, flags: list[str], env: dict[str, str], said: list[str]
) -> None:
    """The flag or the variable is named, and what was found there; status 2."""
    project.config(PLAIN)
    project.app()

    stderr = refused(project, *flags, **env).stderr

    assert [word for word in said if word not in stderr] == [], stderr


def test_commands_of_an_air_file_run_where_it_was_started(project: Project) -> None:
    """`root` is what is watched; ours run in it."""
    build = f'cmd = ""\nfull_bin = "{" ".join(PYTHON)} {{}}"\ninclude_ext = ["py"]\n'
    project.config('root = "inner"\n[build]\n' + build.format("inner/app.py"), ".air.toml")
    project.config('root = "inner"\n[build]\n' + build.format("app.py"), "ours.toml")
    project.save("inner/app.py", actor("app", "1", "plain"))

    air = project.start()
    project.save("inner/app.py", actor("app", "2", "plain"))
    project.wait_noted("START", version="2")
    assert air.stop() == 0
    project.start("-c", "ours.toml")

    folders = [line["cwd"] for line in project.noted("START")]
    assert folders == [str(project.folder)] * 2 + [str(project.folder / "inner")]


def test_an_air_file_below_its_root(project: Project) -> None:
    """All of the root is watched; commands run beside the file, as in Air."""
    project.app()
    app = f'bin = "{COMMAND}"\ncmd = ""\ninclude_ext = ["go"]\ninclude_dir = ["shared"]\n'
    project.config(f'root = ".."\n[build]\n{app}', ".air.toml")
    project.write("../shared/x.go", "1")
    run = project.start()

    project.save("../shared/x.go", "2")

    assert run.wait_for("change.seen")["path"] == "shared/x.go"
    run.wait_for("app.started")
    assert {start["cwd"] for start in project.noted("START")} == {str(project.folder)}
