"""The command line: what reaches `run`, and what is said when nothing can."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

import reloader
from reloader import __version__
from reloader.cli import main
from reloader.config.model import options


class Runs:
    """Stands for `reloader.commands.run`: notes what it was given."""

    def __init__(self):
        self.calls = []

    def run(self, projects, *, json=False):
        self.projects = projects
        self.calls.append((projects[0].config, json))
        return 7


@pytest.fixture
def runs(monkeypatch, tmp_path):
    """A run that only notes its config, in an empty project folder."""
    fake = Runs()
    monkeypatch.setitem(sys.modules, "reloader.commands.run", fake)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/nowhere")
    for name in [name for name in os.environ if name.startswith("RELOADER_")]:
        monkeypatch.delenv(name)
    return fake


@pytest.mark.parametrize("command", [["run"], []])
def test_run_is_what_is_done_without_a_command(runs, command):
    """Its status is the program's, its config is that of the flags."""
    assert main([*command, "--build.bin", "x"]) == 7

    ((config, json),) = runs.calls
    assert (config.build.bin, json) == ("x", False)


def test_flags_of_every_form(runs):
    """Apart, with =, a switch with and without a value, a list by commas and by repeating."""
    arguments = ["--build.bin=a b", "--build.rerun", "--build.poll=false", "--json"]
    arguments += ["--build.include_ext", "go,py", "--build.include_ext", "css"]
    arguments += ["--build.args_bin=-v", "--color", "never", "--build.stop_signal", "int"]

    main(arguments)

    ((config, json),) = runs.calls
    build = config.build
    assert (build.bin, build.rerun, build.poll, json) == ("a b", True, False, True)
    assert (build.include_ext, build.args_bin) == (("go", "py", "css"), ("-v",))
    assert (config.color.mode, build.stop_signal) == ("never", "SIGINT")


def test_a_switch_does_not_eat_what_follows(runs):
    """A flag or the dashes after `--build.rerun` are not its value."""
    main(["--build.rerun", "--build.bin", "x", "--build.poll", "--", "false"])

    ((config, _),) = runs.calls
    assert (config.build.rerun, config.build.poll, config.args) == (True, True, ("false",))


def test_arguments_of_the_app_come_through(runs):
    """All after the first `--`, one by one, also what is no UTF-8 and what looks like ours."""
    args = ["a b", "", "--", "-h", "--json", "\udce9"]

    main(["--build.bin", "x", "--", *args])

    assert runs.calls[0][0].args == tuple(args)


def test_the_config_file_is_the_one_named(runs, tmp_path):
    """`-c` and `--config`; its app has no name, for there is no other."""
    (tmp_path / "a.toml").write_text("build.bin = 'x'")

    assert main(["-c", "a.toml"]) == main(["run", "--config=a.toml"]) == 7
    assert [project.name for project in runs.projects] == [""]


@pytest.mark.parametrize("key", [key for key, _, _ in options()])
def test_every_key_is_a_flag(runs, key, capsys):
    """A value that no key takes is refused by the key, not by the parser."""
    main(["run", "--build.bin", "x", f"--{key}=\0"])

    error = capsys.readouterr().err
    assert "no such flag" not in error
    if error:
        assert error.startswith(f"reloader: --{key}: ")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "no config file here, and no file that says how the app is run"),
        (["rum"], "no such command: rum\n  hint: did you mean reloader run?"),
        (
            ["run", "no-such-x"],
            "no-such-x: not found on the PATH; is it installed?\n  hint: reloader FILE",
        ),
        (["ap.py"], "no such file, directory or command: ap.py"),
        (["check", "x"], "unexpected argument: x\n  hint: arguments for the app go behind --"),
        (
            ["--build.dealy", "5"],
            "--build.dealy: no such flag\n  hint: did you mean --build.delay?",
        ),
        (["-build.bin=x"], "-build.bin: no such flag\n  hint: did you mean --build.bin?"),
        (["--zzz"], "--zzz: no such flag\n  hint: reloader run -h lists the flags"),
        (["--build.cmd"], "--build.cmd: expected one argument"),
        (["--build.args_bin", "-v"], "a value that begins with a dash goes behind a =: --key=-x"),
        (["--build.delay", "abc", "--build.bin", "x"], "--build.delay: expected a whole number"),
        (["-c", "gone.toml"], "gone.toml: no such config file"),
        (["init", "--frce"], "unrecognized arguments: --frce"),
    ],
)
def test_what_cannot_be_done_is_said_with_status_2(runs, capsys, arguments, said):
    """On stderr, after the program's name, with what to do; and nothing is run."""
    assert main(arguments) == 2

    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("reloader: ")
    assert said in error
    assert runs.calls == []


def test_every_problem_is_said(runs, capsys):
    """Two unknown flags are two lines; their values are not taken for a command."""
    assert main(["--buld.cmd", "x", "--build.bni=y", "z"]) == 2

    error = capsys.readouterr().err
    assert error.count("reloader: ") == 2


def test_a_folder_that_is_gone(runs, monkeypatch, capsys):
    """A deleted working directory is a clear error."""
    monkeypatch.setattr(os, "getcwd", lambda: os.stat("/gone"))

    assert main(["--build.bin", "x"]) == 2
    assert "the working directory can't be used: no such file" in capsys.readouterr().err


def test_help_has_one_line_a_command(capsys):
    """`-h` alone is short."""
    assert main(["-h"]) == main(["--help"]) == 0

    out = capsys.readouterr().out
    assert "\n  run    " in out
    assert "\n  init   " in out


def test_help_of_run_lists_every_key(runs, capsys):
    """Each key with its help and default, also behind other flags."""
    assert main(["run", "-h"]) == main(["--build.rerun", "--help"]) == 0

    out = capsys.readouterr().out
    for key, _, _ in options():
        assert re.search(rf"  --{re.escape(key)}(\s|$)", out)
    assert len(out.splitlines()) < 2 * 60  # each fits on a screen
    assert runs.calls == []


def test_the_version(capsys):
    """One line, for scripts."""
    assert main(["--version"]) == 0

    assert capsys.readouterr().out == f"reloader {__version__}\n"


def test_init_writes_and_says_so(runs, tmp_path, capsys):
    """A second time only with --force; with -h nothing is written."""
    assert main(["init", "-h"]) == 0
    assert not (tmp_path / ".reload.toml").exists()
    capsys.readouterr()

    assert [main(["init"]), main(["init"]), main(["init", "--force"])] == [0, 1, 0]
    assert ".reload.toml written" in capsys.readouterr().out


ROOT = os.path.dirname(os.path.dirname(reloader.__file__))
PROGRAM = "import sys; from reloader.cli import main; sys.exit(main())"


def program(*arguments, code=PROGRAM, environ=None, stdout=subprocess.PIPE):
    """The finished program in a process of its own."""
    environ = os.environ | {"PYTHONPATH": ROOT} | (environ or {})
    command = [sys.executable, "-S", "-c", code, *arguments]
    return subprocess.run(
        command, stdout=stdout, stderr=subprocess.PIPE, env=environ, check=False, text=True
    )


def test_a_reader_that_goes_away_is_no_traceback():
    """`reloader run -h | head -1` ends quietly, with the status of a SIGPIPE."""
    reader, writer = os.pipe()
    os.close(reader)
    done = program("run", "-h", stdout=writer)
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, "")


def test_help_in_any_encoding():
    """A terminal that has no … gets something else."""
    done = program("-h", environ={"PYTHONIOENCODING": "ascii"})

    assert done.stdout.startswith("usage: reloader [run] [FLAGS?]")


def test_a_start_imports_only_what_it_needs():
    """What only a mistake, a help text or a later part needs is not paid for by every start."""
    heavy = "asyncio difflib importlib.metadata json pathlib rich shutil subprocess tempfile tomli"
    code = f"import reloader.cli, sys; print(*[m for m in {heavy.split()} if m in sys.modules])"

    done = program(code=code)

    assert (done.stdout, done.stderr) == ("\n", "")


# --- several configs -----------------------------------------------------------------------------


def test_several_configs_are_one_run(runs, tmp_path):
    """Each is read by itself, and again by itself; flags are for all."""
    (tmp_path / "a.toml").write_text('[build]\nbin = "a"\n')
    (tmp_path / ".air.worker.toml").write_text('[build]\nbin = "b"\n')

    assert main(["-c", "a.toml", "--config=.air.worker.toml", "--build.delay=7", "--json"]) == 7

    assert [(p.name, p.config.file, p.config.build.bin) for p in runs.projects] == [
        ("a", "a.toml", "a"),
        ("worker", ".air.worker.toml", "b"),
    ]
    assert [project.read().config for project in runs.projects] == [
        project.config for project in runs.projects
    ]
    assert {project.config.build.delay for project in runs.projects} == {7}
    assert [list(p.files) for p in runs.projects] == [
        [str(tmp_path / "a.toml")],
        [str(tmp_path / ".air.worker.toml")],
    ]
    ((_, json_),) = runs.calls
    assert json_


def test_what_is_wrong_in_any_of_several_configs_is_said(runs, tmp_path, capsys):
    """Everything at once, and what all share only once."""
    (tmp_path / "a.toml").write_text("[build]\nbim = 1\n")

    assert main(["run", "-c", "a.toml", "-c", "b.toml", "--build.delay=x"]) == 2

    error = capsys.readouterr().err
    assert "a.toml:2: build.bim: unknown key" in error
    assert "b.toml: no such config file" in error
    assert error.count("--build.delay") == 1


def test_init_from_and_template(runs, tmp_path, capsys):
    """One or the other; each says what it did."""
    (tmp_path / ".air.toml").write_text('[build]\ncmd = "make"\nkill_delay = 500\n')

    assert main(["init", "--from", ".air.toml", "--template", "go"]) == 2
    assert main(["init", "--from", ".air.toml"]) == 0
    assert 'build.kill_delay: 500 is "500ms" now' in capsys.readouterr().out
    assert main(["init", "--template", "qt", "--force"]) == 2
    assert "expected one of go" in capsys.readouterr().err
    assert main(["init", "--template", "node", "--force"]) == 0


@pytest.mark.parametrize("command", ["check", "doctor", "explain", "init", "healthcheck"])
def test_help_of_each_command(runs, capsys, command):
    """-h is answered without a look at the project."""
    assert main([command, "-h"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: reloader {command}")


def test_doctor_with_and_without_a_config(runs, tmp_path, capsys):
    """What is wrong with the config is one of its findings; --json is one object a line."""
    (tmp_path / ".reload.toml").write_text("[build]\nbim = 1\n")
    assert main(["doctor"]) == 1
    assert "build.bim: unknown key" in capsys.readouterr().out

    (tmp_path / ".reload.toml").write_text('[build]\nbin = "x"\n')
    main(["doctor", "--json"])
    records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"topic", "level", "message"} <= records[0].keys()


# --- without a config ----------------------------------------------------------------------------


def test_short_flags_stand_for_keys(runs, tmp_path):
    """`-i` adds to what the config leaves out; a file behind `-w` is a file."""
    (tmp_path / "a.toml").write_text('[build]\nbin = "a"\nexclude_file = ["x"]\n')
    (tmp_path / "one.cfg").write_text("")

    main(["-c", "a.toml", "-e", "py,html", "-w", "src", "-w", "one.cfg", "-i", "*.log", "-q", "-v"])

    ((config, _),) = runs.calls
    build = config.build
    assert (build.include_ext, build.include_dir) == (("py", "html"), ("src",))
    assert build.include_file == ("one.cfg",)
    assert build.exclude_file == ("x", "**/*.log", "**/*.log/**")
    assert (config.log.main_only, config.log.verbose) == (True, True)


def test_a_command_has_all_behind_its_first_word(runs):
    """Its flags are its own, also those that reloader has."""
    main(["--build.rerun", "-e", "py", sys.executable, "-c", "pass", "--json", "--", "x"])

    ((config, json_),) = runs.calls
    assert config.build.entrypoint == (sys.executable, "-c", "pass", "--json", "--", "x")
    assert (config.build.rerun, json_, config.args) == (True, False, ())


def test_a_typed_command_goes_before_a_config(runs, tmp_path):
    """The rest of the config holds, its build included."""
    (tmp_path / ".reload.toml").write_text('[build]\ncmd = "make"\nbin = "a"\nrerun = true\n')

    main(["run", sys.executable, "x.py"])

    ((config, _),) = runs.calls
    assert config.build.entrypoint == (sys.executable, "x.py")
    assert (config.build.bin, config.build.cmd, config.build.rerun) == ("", "make", True)


def test_no_build_of_go_for_another_program(runs, tmp_path):
    """In a Go module, a typed command runs without Go's default build."""
    (tmp_path / "go.mod").write_text("module x\n")

    main(["--", sys.executable, "x.py"])

    ((config, _),) = runs.calls
    assert config.build.cmd == ""


def test_directories_are_several_apps(runs, tmp_path):
    """Each is looked at by itself and has its directory's name."""
    for name in ("api", "web"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "app.py").write_text("if __name__ == '__main__': ...")

    assert main(["api", "web"]) == 7

    assert [project.name for project in runs.projects] == ["api", "web"]
    assert [project.config.root for project in runs.projects] == [
        str(tmp_path / name) for name in ("api", "web")
    ]


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("--exec", "reloader -- COMMAND"),
        ("-r", "leave it out"),
        ("--exts", "-e EXT"),
        ("--reload-dir", "-w DIR"),
        ("--legacy-watch", "--build.poll"),
        ("--debounce", "--build.delay"),
    ],
)
def test_flags_of_other_tools_are_answered_with_ours(runs, capsys, flag, hint):
    """nodemon's, watchexec's, uvicorn's."""
    assert main([flag]) == 2
    assert hint in capsys.readouterr().err


def test_help_of_a_key_and_of_a_command(runs, capsys):
    """Both by `reloader help`; alone it is the overview."""
    assert main(["help", "build.delay"]) == main(["help", "--build.cmd"]) == 0
    assert main(["help", "init"]) == main(["help"]) == 0

    out = capsys.readouterr().out
    for text in (
        "Quiet time after the last change",
        "RELOADER_BUILD_CMD",
        "--template",
        "set up, and look closer:",
    ):
        assert text in out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(runs, capsys, shell):
    """The script names the commands and the flags; bash finds no fault in its own."""
    assert main(["completion", shell]) == 0

    script = capsys.readouterr().out
    for text in ("doctor", "build.delay", "always"):
        assert text in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_completion_of_no_shell(runs, capsys):
    """Those that there are are named."""
    assert main(["completion", "tcsh"]) == 2
    assert "bash|zsh|fish" in capsys.readouterr().err
