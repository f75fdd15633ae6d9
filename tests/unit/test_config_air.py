"""Air's own files: they load as they are, and mean what their owners expect."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reloader.config import air, model
from reloader.config.model import Layer
from tests.helpers.problems import lines
from tests.unit.test_config_load import loaded, problems


def from_air(folder, text, name=".air.toml", **given):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode())
    return loaded(folder, file=name, **given)


@pytest.mark.parametrize(
    ("name", "is_air"),
    [
        (".air.toml", True),
        ("air.toml", True),
        (".air.conf", True),
        ("backend/.air.toml", True),
        (".air.docker.toml", True),
        (".config/air.toml", True),
        (".air.toml.template", True),
        ("my-air.toml", True),
        (".reload.toml", False),
        ("repair.toml", False),
        ("air/reload.toml", False),
        ("airport.toml", False),
    ],
)
def test_a_file_is_air_s_by_its_name(name, is_air):
    """`air` as a word before a dot, whatever comes after it."""
    assert air.is_air(name) is is_air


def test_an_empty_air_file_is_a_go_program(tmp_path):
    """Air's defaults, but for the delay and the stop, which are ours; also without a go.mod."""
    config = from_air(tmp_path, "")

    build = config.build
    assert config.is_air
    assert (build.cmd, build.bin) == ("go build -o ./tmp/main .", "./tmp/main")
    assert build.include_ext == ("go", "tpl", "tmpl", "html")
    assert build.exclude_dir == ("assets", "tmp", "vendor", "testdata")
    assert build.exclude_regex == ("_test.go",)
    assert (build.delay, build.kill_delay) == (None, None)
    assert config.origins["build.cmd"].layer is Layer.DEFAULT


# The keys and values that `air init` writes, in an order of our own.
AS_INIT_WRITES = """\
#:schema https://example.com/schema.json
root = "."
tmp_dir = "tmp"
testdata_dir = "testdata"
env_files = []
[build]
cmd = "go build -o ./tmp/main ."
bin = "./tmp/main"
full_bin = ""
entrypoint = ["./tmp/main"]
args_bin = []
pre_cmd = []
post_cmd = []
delay = 1000
exclude_dir = ["assets", "tmp", "vendor", "testdata"]
exclude_file = []
exclude_regex = ["_test.go"]
exclude_unchanged = false
follow_symlink = false
ignore_dangerous_root_dir = false
include_dir = []
include_ext = ["go", "tpl", "tmpl", "html"]
include_file = []
kill_delay = "0s"
log = "build-errors.log"
poll = false
poll_interval = 0
rerun = false
rerun_delay = 500
send_interrupt = false
stop_on_error = false
[color]
app = ""
build = "yellow"
main = "magenta"
runner = "green"
watcher = "cyan"
[log]
main_only = false
silent = false
time = false
[misc]
clean_on_exit = false
[proxy]
app_port = 0
app_start_timeout = 0
enabled = false
proxy_port = 0
[screen]
clear_on_rebuild = false
keep_scroll = true
"""


def test_what_air_init_writes_is_all_default(tmp_path):
    """The generated file means the same as an empty one, but for the app that it names."""
    written, empty = from_air(tmp_path, AS_INIT_WRITES), from_air(tmp_path, "", "air.toml")

    assert written.build.entrypoint == ("./tmp/main",)
    assert {key for key, origin in written.origins.items() if origin.layer is Layer.DEFAULT} == {
        "build.delay",
        "build.kill_delay",
        "build.stop_scope",
        "build.stop_signal",
        "build.stop_timeout",
        "log.verbose",
        "color.mode",
        "misc.startup_banner",
        "python.warm",
        "proxy.allowed_hosts",
        "proxy.app_start_timeout",
        "proxy.drain",
        "proxy.editor",
        "proxy.host",
        "proxy.no_hold",
        "proxy.overlay",
        "proxy.path_map",
        "terminal.bell",
        "terminal.keys",
        "terminal.title",
        "watch.engine",
        *(
            f"swap.{key}"
            for key in ("mode", "hold", "ready", "ready_timeout", "drain_timeout", "own_port")
        ),
    }
    for section in ("log", "color", "misc", "screen", "terminal", "proxy", "watch", "swap"):
        assert getattr(written, section) == getattr(empty, section)
    (info,) = lines(written.infos)
    assert info.startswith(".air.toml:14: build.delay: 1000 is what air init writes")


@pytest.mark.parametrize(
    ("delay", "meant"), [("0", 0), ("1000", None), ("1", 1), ("500", 500), ("3000", 3000)]
)
def test_a_delay_that_is_a_wish_counts(tmp_path, delay, meant):
    """1000 is nobody's wish, for air init writes it; every other number is honoured, 0 too."""
    assert from_air(tmp_path, f"[build]\ndelay = {delay}\n").build.delay == meant


def test_a_delay_from_elsewhere_is_always_a_wish(tmp_path):
    """A flag of 1000 over an Air file is 1000."""
    config = from_air(tmp_path, "[build]\ndelay = 1000\n", flags={"build.delay": ["1000"]})

    assert config.build.delay == 1000


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("500", 0.5),
        ("1000", 1.0),
        ("5_000_000_000", 5.0),
        ('"2s"', 2.0),
        ('"500ms"', 0.5),
        ("0", None),
        ('"0s"', None),
    ],
)
def test_kill_delay_is_read_as_air_s_code_reads_it(tmp_path, written, meant):
    """A number below 1,000,000 is in ms, above it in ns; zero is no time at all, so ours."""
    assert from_air(tmp_path, f"[build]\nkill_delay = {written}\n").build.kill_delay == meant


def test_zeros_that_air_ignores_count(tmp_path):
    """Air's merge drops false, 0 and "" from the file; whoever writes them means them."""
    text = 'build.cmd = ""\nbuild.rerun_delay = 0\nscreen.keep_scroll = false\n'

    config = from_air(tmp_path, text)

    assert (config.build.cmd, config.build.rerun_delay) == ("", 0)
    assert config.screen.keep_scroll is False


def test_empty_texts_that_can_only_mean_the_default(tmp_path):
    """Folders, the log and the app without a name are Air's own."""
    text = 'root = ""\ntmp_dir = ""\ntestdata_dir = ""\n[build]\nlog = ""\nbin = ""\n'

    config = from_air(tmp_path, text)

    assert config.tmp_dir == f"{config.root}/tmp"
    assert config.testdata_dir == f"{config.root}/testdata"
    assert (config.build.log, config.build.bin) == ("build-errors.log", "./tmp/main")


@pytest.mark.parametrize(
    ("tmp_dir", "binary"),
    [("build", "./build/main"), ("./var/x/", "./var/x/main"), ("/tmp/x", "/tmp/x/main")],
)
def test_default_texts_move_along_with_tmp_dir(tmp_path, tmp_dir, binary):
    """Air rewrites cmd, bin and exclude_dir where they are its defaults, written or not."""
    short = from_air(tmp_path, f'tmp_dir = "{tmp_dir}"\n').build
    full = from_air(tmp_path, AS_INIT_WRITES.replace('tmp_dir = "tmp"', f'tmp_dir = "{tmp_dir}"'))

    for build in (short, full.build):
        assert build.cmd == f"go build -o {binary} ."
        assert build.exclude_dir == ("assets", tmp_dir, "vendor", "testdata")
    assert short.bin == binary


def test_texts_of_the_user_s_own_do_not_move(tmp_path):
    """A cmd that is not Air's default stays as it is written."""
    text = 'tmp_dir = "out"\n[build]\ncmd = "make"\nbin = "./tmp/app"\nexclude_dir = ["tmp"]\n'

    build = from_air(tmp_path, text).build

    assert (build.cmd, build.bin, build.exclude_dir) == ("make", "./tmp/app", ("tmp",))


def test_unknown_keys_are_noted_and_ignored(tmp_path):
    """Air reads them without a word; the owner learns what was meant."""
    text = """\
bin = "./app"
env_file = ".env"
[build]
stop_on_root = false
env_files = [".env"]
thread = true
[build.linux]
delay = 3
[screen]
no_pty = true
[ignore]
patterns = ["*.md"]
"""
    assert lines(from_air(tmp_path, text).warnings) == (
        ".air.toml:1: bin: unknown key, ignored; bin belongs to [build]",
        ".air.toml:2: env_file: unknown key, ignored; did you mean env_files?",
        ".air.toml:4: build.stop_on_root: unknown key, ignored; did you mean build.stop_on_error?",
        (
            ".air.toml:5: build.env_files: unknown key, ignored;"
            " env_files belongs above the first [table]"
        ),
        ".air.toml:6: build.thread: unknown key, ignored",
        ".air.toml:8: build.linux.delay: unknown key, ignored; delay belongs to [build]",
        ".air.toml:10: screen.no_pty: unknown key, ignored",
        ".air.toml:11: ignore: unknown key, ignored",
    )


def test_the_nearest_key_is_the_nearest_of_all(tmp_path):
    """Also where another table has it; and Air's first files had other names."""
    text = (
        'watch_dir = ""\n[build]\nenv_file = ".env"\nexclude_dirs = []\nclear_on_rebuilds = true\n'
    )

    hints = [note.partition("; ")[2] for note in lines(from_air(tmp_path, text).warnings)]
    assert hints == [
        "build.include_dir is its name now",
        "did you mean env_files?",
        "did you mean build.exclude_dir?",
        "did you mean screen.clear_on_rebuild?",
    ]


def test_wrong_types_in_an_air_file_are_errors(tmp_path):
    """What Air refuses gets a sentence with the file's name and the line."""
    (tmp_path / ".air.toml").write_text('[build]\ncmd = 5\nexclude_regex = ["*_templ.go"]\n')

    assert problems(tmp_path) == [
        ".air.toml:2: build.cmd: expected text, found 5",
        (
            ".air.toml:3: build.exclude_regex[0]: expected a regular expression,"
            ' found "*_templ.go": nothing to repeat at position 0\n'
            "  hint: exclude_file takes globs; in a pattern * repeats what is before it"
        ),
    ]


def test_endings_with_a_dot_match_and_are_noted(tmp_path):
    """Air never matches ".env"; here it is what it looks like."""
    config = from_air(tmp_path, '[build]\ninclude_ext = [\n"go",\n".env",\n]\n')

    assert config.build.include_ext == ("go", "env")
    assert lines(config.warnings) == (
        '.air.toml:4: build.include_ext: ".env" is read as "env" (Air never matches it)',
    )


def test_windows_paths_are_read_as_paths(tmp_path):
    """Folders and files; a command line stays what it is."""
    text = """\
[build]
bin = "tmp\\\\main.exe .env.dev"
exclude_dir = ["common\\\\extend\\\\i18n", ".git/"]
include_dir = ["cmd\\\\api"]
include_file = ["web\\\\x.html"]
"""
    build = from_air(tmp_path, text.replace("\n", "\r\n")).build

    assert build.exclude_dir == ("common/extend/i18n", ".git/")
    assert (build.include_dir, build.include_file) == (("cmd/api",), ("web/x.html",))
    assert build.bin == "tmp\\main.exe .env.dev"


def test_another_tool_s_air_toml_is_not_ours(tmp_path):
    """R's formatter has the same name: refused by name if asked for, else not seen."""
    (tmp_path / ".air.toml").write_text("[format]\nline-width = 80\n")

    (named,) = problems(tmp_path, file=".air.toml")
    assert named.startswith(".air.toml:1: this is the config of Air, the R formatter")
    (found,) = problems(tmp_path)
    assert "no config file here" in found


@pytest.mark.parametrize("tmp_dir", [".", "/", "/var/tmp"])
def test_an_air_file_that_would_delete_too_much_runs_and_deletes_nothing(tmp_path, tmp_dir):
    """A real file says `tmp_dir = "/tmp/"` with clean_on_exit; it must run, and /tmp stay."""
    text = f'tmp_dir = "{tmp_dir}"\n[misc]\nclean_on_exit = true\n'

    config = from_air(tmp_path, text)

    assert config.misc.clean_on_exit is False
    assert "it is left alone" in lines(config.warnings)[0]


# What real files hold, in words of our own: each line is one that Air accepts.
QUIRKS = [
    ("full_bin", "APP_ENV=dev GOGC=100 ./tmp/main"),
    ("full_bin", "dlv exec --headless --listen=:2345 ./tmp/main --"),
    ("full_bin", "go generate ./... && KEY='x' ./tmp/main -a && ./tmp/main -b=1"),
    ("bin", "/tmp/app serve 2>&1 | tee /tmp/app.log"),
    ("cmd", 'go build -ldflags "-X main.at=$(date +%s) -X main.v=${VERSION}" -o app .'),
    ("cmd", "rm ./tmp/main; go build -o ./tmp/main ."),
    ("cmd", "go build -o app .\ncat > run <<'EOF'\n#!/bin/sh\nexec ./app\nEOF\nchmod +x run\n"),
    ("cmd", "bash -c 'set -a; source .env; exec make'"),
]


@pytest.mark.parametrize(("key", "text"), QUIRKS)
def test_command_lines_come_through_untouched(tmp_path, key, text):
    """Assignments, pipes, substitutions, here-documents: nothing is changed on the way."""
    delimiter = '"""' if "'" in text else "'''"
    escaped = text.replace('"', '\\"') if delimiter == '"""' else text

    config = from_air(tmp_path, f"[build]\n{key} = {delimiter}{escaped}{delimiter}\n")

    assert getattr(config.build, key) == text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ('"tmp/main"', ("tmp/main",)),
        ('["./tmp/main"]', ("./tmp/main",)),
        ('["dlv", "exec", "./app", "--", "web"]', ("dlv", "exec", "./app", "--", "web")),
    ],
)
def test_entrypoint_is_a_text_or_a_list(tmp_path, written, meant):
    """A text is one program, as in Air; with it Air's default bin is out."""
    build = from_air(tmp_path, f"[build]\nentrypoint = {written}\n").build

    assert (build.entrypoint, build.bin) == (meant, "")


def test_rules_without_a_delay_of_their_own_follow_ours(tmp_path):
    """1000 is the default that nobody wished for."""
    text = "".join(
        f"[[build.rules]]\ncmd = 'x'\ninclude_dir = ['{delay}']\ndelay = {delay}\n"
        for delay in (0, 1000, 5)
    )

    assert [rule.delay for rule in from_air(tmp_path, text).build.rules] == [0, None, 5]


# --- keys in other cases -------------------------------------------------------------------------


def test_keys_in_any_case(tmp_path):
    """Air's reader takes `CMD` and `[BUILD]`; so do we, and say so."""
    text = '[Build]\nCMD = "make"\nBin = "./app"\nthread = 1\n[[build.Rules]]\nCmd = "x"\n'
    config = from_air(tmp_path, text + 'Include_Ext = ["css"]\n[LOG]\ntime = true\n')

    assert (config.build.cmd, config.build.bin) == ("make", "./app")
    assert (config.build.rules[0].cmd, config.log.time) == ("x", True)
    assert config.origins["build.cmd"].where == ".air.toml:2"
    assert ".air.toml:2: CMD is read as cmd" in lines(config.warnings)
    assert ".air.toml:4: build.thread: unknown key, ignored" in lines(config.warnings)


def test_of_two_spellings_the_usual_one_counts(tmp_path):
    """Whatever their order."""
    for text in ('CMD = "a"\ncmd = "b"\n', 'cmd = "b"\nCMD = "a"\n'):
        assert from_air(tmp_path, f"[build]\n{text}").build.cmd == "b"


def test_our_own_file_has_one_spelling(tmp_path):
    """There it is an unknown key, with the right one."""
    (tmp_path / ".reload.toml").write_text('[build]\nCMD = "x"\nbin = "y"\n')
    (problem,) = problems(tmp_path)
    assert problem.startswith(".reload.toml:2: build.CMD: unknown key")


# --- air_wd --------------------------------------------------------------------------------------


def test_air_s_working_directory(tmp_path):
    """Its file is looked for there, and is for that folder; ours here goes before it."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".air.toml").write_text("")
    config = loaded(tmp_path, environ={"air_wd": "sub"})

    assert (config.root, config.file) == (str(tmp_path / "sub"), ".air.toml")
    (tmp_path / ".air.toml").write_text("")
    assert loaded(tmp_path, environ={"air_wd": "sub"}).root == str(tmp_path / "sub")
    assert loaded(tmp_path, environ={"air_wd": str(tmp_path)}).root == str(tmp_path)
    ours = loaded(tmp_path, '[build]\nbin = "x"\n', environ={"air_wd": "sub"})
    assert (ours.root, ours.file) == (str(tmp_path), ".reload.toml")


def test_the_page_about_air_names_every_key():
    """docs/from-air.md goes key by key."""
    page = (Path(__file__).parents[2] / "docs" / "from-air.md").read_text(encoding="utf-8")
    told = {name for line in page.splitlines() if line.startswith("| `") for name in _names(line)}

    of_air = [key for key, option, _ in model.options() if not option.here_only]
    groups = {"color.watcher", "color.build", "color.runner"}
    missing = [key for key in of_air if key not in groups and key.rpartition(".")[2] not in told]
    assert missing == []


def _names(line):
    """The last part of each key in the first cell of a row."""
    return [key.rpartition(".")[2] for key in re.findall(r"`([\w.]+)`", line.split(" | ")[0])]


# --- what Air's reader takes beyond TOML ---------------------------------------------------------


def test_comments_may_hold_any_bytes(tmp_path):
    """Comments in another encoding, or with control characters, are no matter to Air."""
    text = b'# \xb0\xa1 \x0c\r\n[build]\r\ncmd = "\xc3\xa9 # \xc3\xa9" # \xe9t\xe9\x1b\r\n'
    (tmp_path / ".air.toml").write_bytes(text + b"rerun = true\r\n")

    config = loaded(tmp_path)

    assert (config.build.cmd, config.build.rerun) == ("é # é", True)
    assert config.origins["build.cmd"].where == ".air.toml:3"


def test_other_bytes_in_a_value_are_an_error(tmp_path):
    """Air would run something that nobody wrote."""
    (tmp_path / ".air.toml").write_bytes(b'# \xb0\n[build]\ncmd = "\xb0"\n')

    (problem,) = problems(tmp_path)
    assert "expected UTF-8, found byte 0xb0" in problem


def test_lines_may_end_in_a_carriage_return(tmp_path):
    """As old editors wrote them."""
    (tmp_path / ".air.toml").write_bytes(b'[build]\rcmd = "a"\rbin = "b"\r')

    config = loaded(tmp_path)
    assert (config.build.cmd, config.build.bin) == ("a", "b")
    assert config.origins["build.bin"].where == ".air.toml:3"


def test_times_below_zero_are_zero(tmp_path):
    """As in Air; a kill_delay of nothing is the default, as ever."""
    config = from_air(tmp_path, "[build]\ndelay = -5\nkill_delay = -1\nrerun_delay = -3\n")

    build = config.build
    assert (build.delay, build.kill_delay, build.rerun_delay) == (0, None, 0)
    assert lines(config.warnings)[0] == ".air.toml:2: build.delay: -5 is read as 0"


def test_numbers_that_can_not_be(tmp_path):
    """Air takes them; they become the nearest that can be, and are told."""
    text = """\
[build]
delay = 100000000000
kill_delay = "-3s"
rerun_delay = 86400000
[proxy]
proxy_port = 80800
app_port = -1
"""
    config = from_air(tmp_path, text)

    assert (config.build.delay, config.build.rerun_delay) == (86_400_000, 86_400_000)
    assert config.build.kill_delay is None
    assert (config.proxy.proxy_port, config.proxy.app_port) == (0, 0)
    assert lines(config.warnings) == (
        ".air.toml:2: build.delay: 100000000000 is read as 24h; no wait is longer than a day",
        '.air.toml:3: build.kill_delay: "-3s" is read as 0',
        ".air.toml:6: proxy.proxy_port: 80800 is read as 0; the highest port is 65535",
        ".air.toml:7: proxy.app_port: -1 is read as 0; the highest port is 65535",
    )


def test_in_our_own_file_they_are_errors(tmp_path):
    """There they are slips of the pen."""
    (tmp_path / ".reload.toml").write_text('[build]\nbin = "x"\ndelay = -1\nkill_delay = "25h"\n')

    assert len(problems(tmp_path)) == 2


def test_a_system_s_empty_program_says_nothing(tmp_path):
    """`[build.linux] bin = ""` leaves the one in [build]."""
    text = '[build]\nbin = "./api"\n[build.linux]\nbin = ""\n'

    assert from_air(tmp_path, text).build.bin == "./api"


def test_commands_of_an_air_file_run_where_it_was_started(tmp_path):
    """Whatever the root is: that is for watching. In our own file commands run in the root."""
    here = tmp_path / "cmd" / "api"
    here.mkdir(parents=True)
    above = from_air(here, 'root = "../../"\n')
    below = from_air(tmp_path, 'root = "cmd"\n')
    ours = loaded(here, 'root = "../../"\n[build]\nbin = "x"\n')

    assert (above.root, above.command_dir, lines(above.warnings)) == (str(tmp_path), str(here), ())
    assert from_air(here, "").command_dir == str(here)
    assert (below.command_dir, lines(below.warnings)) == (str(tmp_path), ())
    assert ours.command_dir == str(tmp_path)
