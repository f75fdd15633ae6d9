"""`reloader init --from`: an Air file becomes ours, means the same, and keeps its comments."""

from __future__ import annotations

import pytest

from reloader.config import model
from reloader.config.toml_writer import value_of
from reloader.errors import ConfigError, ReloaderError
from tests.helpers.converting import convert
from tests.helpers.problems import lines
from tests.unit.test_config_air import AS_INIT_WRITES
from tests.unit.test_config_load import loaded

KEYS = (*(key for key, _, _ in model.options()), "build.rules")


def converted(folder, text, name=".air.toml", *, clean=True):
    """The new text and what was said; it means what the old one meant."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode())
    said = convert(str(folder), name, {"HOME": "/nowhere"}, force=True)
    was, now = loaded(folder, file=name), loaded(folder)
    assert now.file == ".reload.toml"
    for key in KEYS:
        assert value_of(was, key) == value_of(now, key), key
    assert not (clean and lines(now.warnings))
    return (folder / ".reload.toml").read_text(), said


def body(text):
    """Without the two lines that each new file begins with."""
    return text.partition("\n\n")[2]


def test_what_air_init_writes_becomes_short(tmp_path):
    """Defaults are left out; what depends on the project stays."""
    text, said = converted(tmp_path, AS_INIT_WRITES)

    assert text.startswith("#:schema ./.reload.schema.json\n# From .air.toml, by reloader init")
    assert (
        body(text)
        == """\
[build]
cmd = "go build -o ./tmp/main ."
bin = "./tmp/main"
entrypoint = ["./tmp/main"]
exclude_dir = ["assets", "tmp", "vendor", "testdata"]
exclude_regex = ["_test.go"]
include_ext = ["go", "tpl", "tmpl", "html"]
"""
    )
    assert "build.delay: 1000 left out" in said
    assert 'build.kill_delay: "0s" left out' in said
    assert "left out, being the default: root, tmp_dir" in said
    assert (tmp_path / ".reload.schema.json").exists()


def test_comments_stay(tmp_path):
    """Those above a key that stays, behind it, and those that stand alone."""
    text = """\
# Config file for [Air](https://example.com) in TOML format

# Our API.
# Ask Ann.

tmp_dir = "out" # not tmp

[build]
# Just make.
cmd = "make" # fast
# goes with rerun
rerun = false
# bin = "old"

exclude_dir = [ # what is big
  "web", # the client
  "data",
]
delay = 1000 # ms
send_interrupt = true
kill_delay = 500 # ms

[log]
# nothing to say
time = false
"""
    new, said = converted(tmp_path, text)

    assert (
        body(new)
        == """\
# Our API.
# Ask Ann.

tmp_dir = "out" # not tmp

[build]
# Just make.
cmd = "make" # fast
# bin = "old"

exclude_dir = [ # what is big
  "web", # the client
  "data",
]
send_interrupt = true
kill_delay = "500ms"
bin = "./out/main"
include_ext = ["go", "tpl", "tmpl", "html"]
exclude_regex = ["_test.go"]
"""
    )
    assert 'build.kill_delay: 500 is "500ms" now' in said
    assert 'build.bin = "./out/main" written out: it is Air\'s default' in said


ODD = [
    "",
    'build = { cmd = "make", bin = "x", delay = 1000 }\n',
    'build.cmd = "make"\nbuild.include_ext = [".env", "go"]\nlog.time = true\n',
    '[Build]\nCMD = "make"\n[build.Linux]\nBin = "y"\n',
    '[build]\nbin = "tmp\\\\main.exe"\nexclude_dir = ["a\\\\b"]\n[build.windows]\ncmd = "x.bat"\n',
    "[build]\r\ncmd = 'make'\r\ndelay = 0\r\n[screen]\r\nkeep_scroll = false\r\n",
    "[build]\ncmd = '''\ngo build\ncat > run <<'EOF'\n# not a comment\nEOF\n'''\ndelay = 3\n",
    '[[build.rules]]\ncmd = "x"\ninclude_ext = ["css"]\ndelay = 1000\n[build]\nbin = "x"\n',
    '[build]\ncmd = "x"\n[build.linux]\ncmd = "y"\npre_cmd = "z"\n',
    '[build.windows]\ncmd = "y"\n',
    'tmp_dir = "/tmp"\n[misc]\nclean_on_exit = true\n',
    '[build]\nfull_bin = "x"\nexclude_regex = []\ninclude_dir = ["a"]\nlog = ""\nbin = ""\n',
    "[build]\nstop_on_root = true\nthread = 1\n[nope]\na = 1\n# free\nb = 2\n[log]\ntime = true\n",
    '"build"."cmd" = "make"\n',
    '\ufeff[build]\ncmd = "x"\n[color]\nmode = "always"\n[misc]\nstartup_banner = ""\n',
    '[build]\nkill_delay = 2000000000\nsend_interrupt = true\nentrypoint = "a b"\n',
    "[proxy]\nproxy_port = 8090\n",
]


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("is_go", [True, False])
def test_every_way_to_write_it_means_the_same(tmp_path, text, is_go):
    """With a go.mod and without: what was Air's default is written out where ours differs."""
    if is_go:
        (tmp_path / "go.mod").touch()
    (tmp_path / "a b").touch()  # else a note about the entrypoint

    converted(tmp_path, text)


def test_what_a_file_does_not_mean_any_more_is_said(tmp_path):
    """Unknown keys, spellings, what would delete, a failed pre_cmd."""
    text = """\
tmp_dir = "/tmp"
[build]
pre_cmd = ["make gen"]
stop_on_root = true
include_ext = [".go"]
[misc]
clean_on_exit = true
"""
    new, said = converted(tmp_path, text)

    assert "build.stop_on_root: left out: there is no such key" in said
    assert 'build.include_ext: [".go"] is ["go"] now' in said
    assert "misc.clean_on_exit: true left out: it would delete what is not reloader's" in said
    assert "build.pre_cmd: a command of it that fails is a failed build now" in said
    assert "[misc]" not in new


def test_of_two_spellings_the_one_that_counts_stays(tmp_path):
    """Which is the usual one."""
    text = '[Build]\nCMD = "a"\ncmd = "b"\nbin = "c"\n'
    new, _ = converted(tmp_path, text, clean=False)

    assert body(new).startswith('[build]\ncmd = "b"\nbin = "c"\n')


def test_commands_that_run_elsewhere_now(tmp_path):
    """An Air file for another root: ours has commands run in the root, which is said."""
    (tmp_path / "api").mkdir()

    assert "run in root now" in converted(tmp_path / "api", 'root = ".."\n')[1]
    assert "run in root now" in converted(tmp_path, 'root = "api"\n', clean=False)[1]
    assert "run in root now" not in converted(tmp_path, 'root = "."\n', clean=False)[1]


def test_never_over_a_config(tmp_path):
    """Only with --force; and the Air file stays what it is."""
    (tmp_path / ".air.toml").write_text('[build]\ncmd = "x"\n')
    (tmp_path / ".reload.toml").write_text("mine")

    with pytest.raises(ReloaderError, match="--force"):
        convert(str(tmp_path), ".air.toml", {}, force=False)

    assert (tmp_path / ".reload.toml").read_text() == "mine"
    assert (tmp_path / ".air.toml").read_text() == '[build]\ncmd = "x"\n'
    assert not (tmp_path / ".reload.schema.json").exists()


def test_only_from_an_air_file_that_can_be_used(tmp_path):
    """What is wrong with it is told as `run` would."""
    (tmp_path / "x.toml").write_text("")
    (tmp_path / ".air.toml").write_text("[build]\ncmd = 5\n")

    with pytest.raises(ConfigError, match="expected an Air file"):
        convert(str(tmp_path), "x.toml", {}, force=False)
    with pytest.raises(ConfigError, match=r"\.air\.toml:2: build\.cmd: expected text"):
        convert(str(tmp_path), ".air.toml", {}, force=False)
    with pytest.raises(ConfigError, match="no such config file"):
        convert(str(tmp_path), "no/.air.toml", {}, force=False)
    assert not (tmp_path / ".reload.toml").exists()
