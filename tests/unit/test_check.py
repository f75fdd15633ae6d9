"""`reloader check`: what is wrong, what is doubtful, and no false alarm."""

from __future__ import annotations

import json

import pytest

from reloader.checks.finding import Level
from reloader.cli import main
from reloader.commands.check import check, conclusion, status
from reloader.config import load, model
from reloader.config.load import Invocation
from reloader.config.toml_writer import effective, value_of
from reloader.errors import Exit
from tests.unit.test_config_load import loaded

APP = 'bin = "./app"\n'


@pytest.fixture
def programs(tmp_path):
    """A PATH with the programs that the configs here name."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("go", "make", "npm"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return str(folder)


@pytest.fixture
def project(tmp_path):
    """A small Go project."""
    for name in ("go.mod", "main.go", "app", "cmd/api/main.go", "web/gen/x.go", "web/app/a.go"):
        (tmp_path / "project" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "project" / name).touch()
    return tmp_path / "project"


def findings(project, programs, text, name=".reload.toml", **given):
    (project / name).write_text(text)
    reading = load.read(Invocation(**given), {"HOME": "/nowhere"}, str(project), "linux")
    return check(reading, {"PATH": programs})


def warned(project, programs, text, name=".reload.toml"):
    """`FILE:LINE: what` and the hint of each doubt; nothing may be wrong."""
    found = findings(project, programs, text, name)
    assert Level.ERROR not in {finding.level for finding in found}
    warned = [finding for finding in found if finding.level is Level.WARNING]
    return [(f"{finding.where}: {finding.message}", finding.hint) for finding in warned]


def test_a_good_config_is_clean(project, programs):
    """Nothing wrong, nothing doubtful: status 0, and it says so."""
    found = findings(project, programs, '[build]\ncmd = "go build -o app ."\n' + APP)

    assert found == []
    assert status(found, strict=True) is Exit.OK
    assert conclusion(found, ".reload.toml") == ".reload.toml: no errors, no warnings"


def test_what_is_wrong_is_told_with_what_is_doubtful(project, programs):
    """Both at once; wrong comes first, and is status 2 whatever is asked."""
    text = '[build]\nthread = 1\ndelay = "x"\n'
    found = findings(project, programs, text, ".air.toml")

    assert [finding.level for finding in found] == [Level.ERROR, Level.WARNING]
    assert status(found, strict=False) is Exit.USAGE
    assert [line for finding in found for line in finding.lines()] == [
        '.air.toml:3: error: build.delay: expected a whole number of milliseconds, found "x"',
        ".air.toml:2: warning: build.thread: unknown key, ignored",
    ]
    assert conclusion(found, ".air.toml") == ".air.toml: 1 error, 1 warning"


def test_what_air_init_writes_is_a_note(project, programs):
    """Nothing to do about it, so it is no doubt even when strict."""
    found = findings(project, programs, '[build]\ndelay = 1000\nkill_delay = "0s"\n', ".air.toml")

    assert [finding.level for finding in found] == [Level.INFO]
    assert status(found, strict=True) is Exit.OK


DOUBTS = [  # a line of [build], what is said of it, part of the hint
    ("kill_delay = 500", "500 means 500 ms, and has no effect without send_interrupt", "5s"),
    ("send_interrupt = true\nkill_delay = 500", "500 means 500 ms", '"500ms"'),
    ("send_interrupt = true\nkill_delay = 2000000000", "2000000000 means 2s", '"2s"'),
    ('kill_delay = "2s"', "has no effect without send_interrupt", "stop_timeout"),
    (
        'send_interrupt = true\nkill_delay = "2s"\nstop_timeout = "3s"',
        "has no effect beside stop_timeout",
        "keep one",
    ),
    ('send_interrupt = true\nstop_signal = "HUP"', "the app gets SIGHUP", "keep one"),
    ('exclude_regex = [".*"]', '".*" matches every path', ""),
    ('exclude_regex = ["^/app/gen"]', '"^/app/gen" matches nothing', '"^app/gen"'),
    ('exclude_regex = ["!main.go"]', '"!main.go" matches nothing', "include_"),
    ('exclude_regex = ["a^b"]', '"a^b" matches nothing: ^ is the beginning', "quoted"),
    ("exclude_regex = ['$\\.go']", "matches nothing: ^ is the beginning of the path", "quoted"),
    ("exclude_regex = ['web\\\\gen']", "matches nothing: paths have /", "web/gen"),
    ('exclude_regex = [".md"]', '".md" also takes cmd/api/main.go', "'\\.md'"),
    ('exclude_regex = ["ap"]', '"ap" also takes cmd/api/main.go (+1)', "exclude_dir"),
    ('include_ext = ["go", "t*"]', '"t*" ever counts', "after a dot"),
    ('include_ext = ["go", "swp"]', '"swp" ever counts', "temporary"),
    ('include_ext = ["go", "md"]\nexclude_regex = ["[.]md$"]', '"md" ever counts', "[.]md$"),
    ('include_ext = ["rs"]', "counts, so no save does anything", "reloader explain"),
    ('include_dir = ["cmd", "wbe"]', 'no folder "wbe"', 'did you mean "web"?'),
    ('include_file = ["*.go"]', 'no file "*.go"', "globs"),
    ('exclude_dir = ["gen"]', 'no "gen" in the root, and "web/gen" is watched', '"**/gen"'),
    ('include_dir = ["web"]\nexclude_dir = ["web/"]', "in exclude_dir as well", "keep one"),
    ('log = "tmp/x.log"', 'so this is "tmp/tmp/x.log"', '"x.log"'),
    ('pre_cmd = ["npm run dev"]', "goes on for ever", "apart"),
    ('pre_cmd = ["swag init"]', '"swag" is not found on the PATH', ""),
    ('cmd = "./build.sh"', 'there is no "./build.sh"', "root"),
    ('full_bin = "tmp\\\\main.exe"', "has \\ between its names", "[build.windows]"),
    ('entrypoint = "./app serve"', "taken as one program", "list"),
]


def test_anchors_where_they_belong_are_no_doubt(project, programs):
    """At the ends of an alternative, in a class, quoted."""
    text = r"exclude_regex = ['^zq|^y$', '(^zq|q$)', '[^a]zq', 'zq\^x', 'zq\$x', 'zq[$^]x', 'x?^z']"

    assert warned(project, programs, f"[build]\n{APP}{text}\n") == []


@pytest.mark.parametrize(("lines", "said", "hint"), DOUBTS)
def test_warnings(project, programs, lines, said, hint):
    """Each with its line and what to do."""
    found = warned(project, programs, f"[build]\n{APP}{lines}\n")

    (match,) = [doubt for doubt in found if said in doubt[0]]
    assert hint in match[1]
    assert match[0].startswith(".reload.toml:")
    others = [doubt for doubt in found if doubt != match]
    assert not [doubt for doubt in others if "counts" not in doubt[0]], others


def test_items_have_their_own_line(project, programs):
    """A list over several lines is told by the item."""
    text = f'[build]\n{APP}pre_cmd = [\n  "make",\n  "pkill x",\n]\n'

    ((said, _),) = [d for d in warned(project, programs, text) if "pkill" in d[0]]
    assert said.startswith(".reload.toml:5: build.pre_cmd: `pkill`")


def test_a_platform_s_own_commands_are_judged_there(project, programs):
    """What runs here is looked at, in the line it comes from."""
    text = f'[build]\n{APP}cmd = "x.bat"\n[build.linux]\ncmd = "make"\npre_cmd = ["a.bat"]\n'

    found = [said for said, _ in warned(project, programs, text)]

    assert found == [".reload.toml:6: build.pre_cmd: `a.bat` is a command of Windows"]


def test_files_that_are_not_there(project, programs):
    """env_files and the folders of rules too."""
    text = f'env_files = [".env"]\n[build]\n{APP}[[build.rules]]\ncmd = "x"\ninclude_dir = "css"\n'

    found = [said for said, _ in warned(project, programs, text)]

    assert found == [
        '.reload.toml:1: env_files: there is no file ".env"',
        '.reload.toml:4: build.rules[0].include_dir: there is no folder "css"',
    ]


def test_env_files_are_read(project, programs):
    """A line that a start would leave out is told with its file; a good one is not."""
    (project / ".env").write_text("PORT=${PORT:-8000}\nNAME\nnot a setting\n")
    (project / "win.env").write_text("A=1\n", encoding="utf-16")
    text = f'env_files = [".env", "win.env"]\n[build]\n{APP}'

    assert [said for said, _ in warned(project, programs, text)] == [
        "win.env: the env file can't be read: is UTF-16; save it as UTF-8",
        ".env:3: expected NAME=value",
    ]


def test_what_air_s_file_says_by_habit_is_no_doubt(project, programs):
    """The folders and patterns that air init writes need not be there."""
    text = """\
root = "."
tmp_dir = "tmp"
[build]
cmd = "go build -o ./tmp/main ."
bin = "./tmp/main"
full_bin = ""
exclude_dir = ["assets", "tmp", "vendor", "testdata"]
exclude_regex = ["_test.go"]
include_ext = ["go", "tpl", "tmpl", "html"]
kill_delay = "0s"
rerun_delay = 500
[misc]
clean_on_exit = false
"""
    assert warned(project, programs, text, ".air.toml") == []


def test_flags_and_variables_are_judged_too(project, programs):
    """Where they come from is said instead of a line."""
    found = findings(project, programs, f"[build]\n{APP}", flags={"build.kill_delay": ["2s"]})

    assert found[0].record() == {
        "level": "warning",
        "topic": None,
        "file": None,
        "line": None,
        "where": "--build.kill_delay",
        "message": "has no effect without send_interrupt = true",
        "why": "",
        "hint": "the app has 5s after SIGTERM, or what stop_timeout says",
    }


# --- the command line ----------------------------------------------------------------------------


@pytest.fixture
def here(project, programs, monkeypatch):
    monkeypatch.chdir(project)
    monkeypatch.setenv("PATH", programs)
    monkeypatch.setenv("HOME", "/nowhere")
    return project


def test_status_and_json(here, capsys):
    """Doubts are status 0, with --strict 1; --json is one object a line."""
    (here / ".air.toml").write_text(f"[build]\n{APP}thread = true\n")

    assert main(["check"]) == Exit.OK
    assert capsys.readouterr().out.endswith(".air.toml: 1 warning\n")
    assert main(["check", "--strict", "--json"]) == Exit.FAILED
    (record,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (record["file"], record["line"], record["level"]) == (".air.toml", 3, "warning")
    assert main(["check", "--build.delay", "x"]) == Exit.USAGE
    assert main(["check", "-c", "none.toml"]) == Exit.USAGE


def test_print_is_the_whole_config_with_origins(here, capsys, tmp_path):
    """It is TOML, says where each value comes from, and means the same when read again."""
    text = 'env_files = ["a.env"]\n[build]\ndelay = 7\nkill_delay = "1500ms"\n'
    text += '[[build.rules]]\nname = "css"\ncmd = "npm run \\"css\\""\ninclude_ext = "scss"\n'
    text += '[misc]\nstartup_banner = ""\n'
    (here / ".reload.toml").write_text(text)

    assert main(["check", "--print", "--build.bin", 'sh -c "a\\tb"']) == Exit.OK
    out, err = capsys.readouterr()
    assert "\ndelay = 7                                 # .reload.toml:3\n" in out
    assert "# --build.bin\n" in out
    assert "warning" in err
    again, before = loaded(here, out), loaded(here, text, flags={"build.bin": ['sh -c "a\\tb"']})
    for key in (*(key for key, _, _ in model.options()), "build.rules"):
        assert value_of(again, key) == value_of(before, key), key
    assert len(list(effective(again))) == out.count("\n")


def test_print_as_json(here, capsys):
    """Each key with value and origin."""
    (here / ".reload.toml").write_text(f"[build]\n{APP}")

    assert main(["check", "--print", "--json"]) == Exit.OK
    rows = json.loads(capsys.readouterr().out)
    assert rows["build.bin"] == {"value": "./app", "origin": ".reload.toml:2"}
    assert rows["watch.engine"] == {"value": "auto", "origin": "default"}


def test_several_configs(here, capsys):
    """Each is checked, and the worst status counts."""
    (here / "a.toml").write_text(f"[build]\n{APP}")
    (here / "b.toml").write_text("[build]\nbim = 1\n")

    assert main(["check", "-c", "b.toml", "-c", "a.toml"]) == Exit.USAGE
    out = capsys.readouterr().out
    assert "b.toml:2: error: build.bim" in out
    assert out.endswith("a.toml: no errors, no warnings\n")


def test_a_config_for_a_project_elsewhere(tmp_path, programs):
    """Named from above, it would be built where nothing is; beside its project all is well."""
    api = tmp_path / "api"
    api.mkdir()
    (api / "go.mod").touch()
    (api / "main.go").touch()
    (api / ".air.toml").write_text('[build]\ncmd = "go build"\nbin = "./app"\n')

    def said(file, folder):
        reading = load.read(Invocation(file), {"HOME": "/nowhere"}, str(folder), "linux")
        return [finding.message + finding.hint for finding in check(reading, {"PATH": programs})]

    assert any(
        "has no go.mod" in text and "-c api" in text for text in said("api/.air.toml", tmp_path)
    )
    assert not any("go.mod" in text for text in said("api", tmp_path) + said("", api))
    (tmp_path / "go.mod").touch()
    assert not any("go.mod" in text for text in said("api/.air.toml", tmp_path))


WRONG_BUT_ACCEPTED = [  # a whole config, what is said of it
    ('[build]\nbin = "python3 ap.py"\n', 'there is no "ap.py"'),
    ('[build]\nbin = "env X=1 node web/serve.js"\n', 'there is no "web/serve.js"'),
    ('[build]\ncmd = "go build -o ./tmp/main ."\nbin = "./tmp/mian"\n', 'cmd makes "./tmp/main"'),
    ('[build]\nbin = "./app"\nstop_timeout = 5\n', "is 5 ms, then the app is killed"),
    ('[build]\nbin = "./app"\nstop_signal = "KILL"\n', "no app can handle SIGKILL"),
    (
        '[build]\nbin = "./app"\n'
        + '[[build.rules]]\nname = "x"\ncmd = "make"\ninclude_ext = ["go"]\n' * 2,
        'two rules have the name "x"',
    ),
]


@pytest.mark.parametrize(("text", "said"), WRONG_BUT_ACCEPTED)
def test_what_is_accepted_and_wrong(project, programs, text, said):
    """Each is told, with its line."""
    (project / "python3").touch()
    for name in ("python3", "node", "env"):
        (project.parent / "programs" / name).write_text("#!/bin/sh\n")
        (project.parent / "programs" / name).chmod(0o755)
    found = [line for line, _ in warned(project, programs, text) if said in line]
    assert len(found) == 1
    assert found[0].startswith(".reload.toml:")


@pytest.mark.parametrize(
    "text",
    [
        '[build]\ncmd = "go build -o ./tmp/main ."\nbin = "./tmp/main"\n',
        '[build]\ncmd = "go build -o tmp/main ."\nbin = "tmp/main serve"\n',
        '[build]\ncmd = "go build -o ./tmp/ ./..."\nbin = "./tmp/api"\n',
        '[build]\ncmd = "make"\nbin = "./tmp/main"\n',
        '[build]\nbin = "./app"\nstop_timeout = "5s"\n',
        '[build]\nbin = "./app"\nstop_timeout = 0\n',
        '[build]\nbin = "./app"\n[color]\nmain = "raw"\nbuild = ""\n',
    ],
)
def test_what_is_right(project, programs, text):
    """No false alarm."""
    assert warned(project, programs, text) == []


def test_a_color_is_one_of_those_there_are(project, programs):
    """Anything else is an error with the names; Air's own file runs as it is, and that is told."""
    text = f'[build]\n{APP}[color]\nmain = "purple"\n'
    (found,) = findings(project, programs, text)
    assert found.level is Level.ERROR
    assert '"magenta", "cyan"' in found.message
    assert found.where == ".reload.toml:4"
    (found,) = findings(project, programs, text, ".air.toml", file=".air.toml")
    assert found.level is Level.WARNING
    assert 'color.main: "purple" is read as raw' in found.message
