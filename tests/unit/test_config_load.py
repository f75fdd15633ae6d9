"""One config from file, environment and flags: order, origins, defaults, and every mistake."""

from __future__ import annotations

import os

import pytest

from reloader.config import model
from reloader.config.discover import CANDIDATES, places
from reloader.config.layers import variable
from reloader.config.load import Invocation, load
from reloader.config.model import Kind, Layer, Origin
from reloader.errors import ConfigError, Exit
from tests.helpers.problems import lines

RUNS = '[build]\nbin = "x"\n'


def loaded(folder, text=None, *, name=".reload.toml", environ=None, platform="linux", **given):
    """The config of a project whose file holds `text`; `given` goes to the invocation."""
    if text is not None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    environ = {"HOME": "/nowhere"} | (environ or {})
    return load(Invocation(**given), environ, str(folder), platform)


def problems(*args, **kwargs):
    """What is wrong, as it is printed."""
    with pytest.raises(ConfigError) as caught:
        loaded(*args, **kwargs)
    assert caught.value.status is Exit.USAGE
    return [str(problem) for problem in caught.value.problems]


# --- layers --------------------------------------------------------------------------------------

KEYS = {key: option for key, option, _ in model.options()}
SAMPLES = {  # in TOML, as a text
    Kind.FLAG: ("true", "true"),
    Kind.TEXT: ('"sub"', "sub"),
    Kind.TEXTS: ('["some", "more"]', "some,more"),
    Kind.ARGV: ('["some", "more"]', "some,more"),
    Kind.MILLIS: ("77", "77"),
    Kind.PORT: ("77", "77"),
    Kind.DURATION: ('"77ms"', "77ms"),
    Kind.SIGNAL: ('"SIGUSR1"', "usr1"),
    Kind.READY: ('"/up"', "/up"),
    Kind.CHOICE: ('"never"', "never"),
}
SPECIAL = {
    **{f"color.{part}": ('"blue"', "blue") for part in ("main", "watcher", "build", "runner")},
    "screen.keep_scroll": ("false", "no"),
    "terminal.keys": ("false", "no"),
    "proxy.overlay": ('"off"', "off"),
    "watch.engine": ('"poll"', "poll"),
    "python.warm": ("false", "false"),
    "swap.mode": ('"overlap"', "overlap"),
    "swap.hold": ('"off"', "off"),
    "build.stop_scope": ('"tree"', "tree"),
    "terminal.title": ("false", "false"),
}


def value_of(config, key):
    for name in key.split("."):
        config = getattr(config, name)
    return config


@pytest.mark.parametrize("key", KEYS)
def test_every_key_can_be_set_in_every_layer(tmp_path, key):
    """File, environment and flag give the same value, and its origin is exact."""
    (tmp_path / "sub").mkdir()
    in_toml, text = SPECIAL.get(key, SAMPLES[KEYS[key].kind])
    app = "" if key == "build.bin" else "build.bin = 'x'\n"
    plain = loaded(tmp_path, RUNS)

    env = loaded(tmp_path, environ={variable(key): text})
    flag = loaded(tmp_path, flags={key: [text]})
    file = loaded(tmp_path, f"# first\n{key} = {in_toml}\n{app}")

    assert value_of(file, key) == value_of(env, key) == value_of(flag, key) != value_of(plain, key)
    assert plain.origins.keys() == KEYS.keys()
    assert file.origins[key] == Origin(Layer.FILE, ".reload.toml:2")
    assert env.origins[key] == Origin(Layer.ENVIRONMENT, variable(key))
    assert flag.origins[key] == Origin(Layer.FLAG, f"--{key}")


def test_a_later_layer_wins_also_with_the_default(tmp_path):
    """Default, file, environment, flag; a value equal to the default counts like any other."""
    text = RUNS + "rerun = true\nrerun_delay = 1\nlog = 'file'\n"
    environ = {"RELOADER_BUILD_RERUN_DELAY": "2", "RELOADER_BUILD_LOG": "environment"}
    flags = {"build.rerun": ["false"], "build.log": ["flag"]}

    config = loaded(tmp_path, text, environ=environ, flags=flags)

    assert (config.build.rerun, config.build.rerun_delay, config.build.log) == (False, 2, "flag")
    assert config.origins["build.rerun"] == Origin(Layer.FLAG, "--build.rerun")
    assert config.origins["build.poll"] == Origin(Layer.DEFAULT, "default")


def test_the_app_of_a_later_layer_replaces_the_one_before(tmp_path):
    """`--build.bin x` runs x, although an `entrypoint` in the same layer would go first."""
    text = '[build]\nentrypoint = ["a"]\nfull_bin = "b"\n'

    config = loaded(tmp_path, text, flags={"build.bin": ["x"]})

    assert config.build.bin == "x"
    assert (config.build.entrypoint, config.build.full_bin) == ((), "")


def test_the_platform_s_own_table_goes_first(tmp_path):
    """`[build.darwin]` overrides `[build]` on macOS, and is not heard elsewhere."""
    text = "[build.darwin]\nbin = 'mac'\npre_cmd = []\n[build]\nbin = 'x'\npre_cmd = 'a'\n"

    mac = loaded(tmp_path, text, platform="darwin")
    linux = loaded(tmp_path, text, platform="linux")

    assert (mac.build.bin, mac.build.pre_cmd) == ("mac", ())
    assert mac.origins["build.bin"].where == ".reload.toml:2"
    assert (linux.build.bin, linux.build.pre_cmd) == ("x", ("a",))


def test_what_comes_after_the_dashes_is_untouched(tmp_path):
    """Arguments of the app are neither split nor decoded again."""
    args = ("a b", "", "*", "\udce9", "--", "-c")

    assert loaded(tmp_path, RUNS, args=args).args == args


def test_a_variable_that_is_nearly_a_key_is_noted(tmp_path):
    """One letter off is said; a variable of somebody else and our own others are not."""
    environ = {"RELOADER_BUILD_CMDD": "x", "RELOADER_THING": "y", "RELOADER_RUN": "1"}

    (note,) = lines(loaded(tmp_path, RUNS, environ=environ).warnings)

    assert note == ("RELOADER_BUILD_CMDD: no such variable, ignored; RELOADER_BUILD_CMD is one")


def test_an_empty_variable_says_nothing_but_for_texts(tmp_path):
    """A number that a compose file left empty is not there; a text or a list is empty."""
    environ = {"RELOADER_BUILD_DELAY": "", "RELOADER_BUILD_LOG": "", "RELOADER_ENV_FILES": ""}

    config = loaded(tmp_path, "env_files = ['.env']\n" + RUNS, environ=environ)

    assert (config.build.delay, config.build.log, config.env_files) == (None, "", ())


# --- the file ------------------------------------------------------------------------------------


def test_the_first_config_file_counts(tmp_path):
    """`.reload.toml`, `[tool.reloader]`, `.air.toml`, `.config/air.toml`, in this order."""
    loaded(tmp_path, RUNS, name=".config/air.toml")
    seen = [loaded(tmp_path).file]
    for name, text in (
        (".air.toml", RUNS),
        ("pyproject.toml", "[tool.reloader.build]\nbin = 'x'\n"),
        (".reload.toml", RUNS),
    ):
        seen.append(loaded(tmp_path, text, name=name).file)

    assert seen == [".config/air.toml", ".air.toml", "pyproject.toml", ".reload.toml"]


def test_a_file_by_flag_goes_before_one_by_variable(tmp_path):
    """`-c`, then RELOADER_CONFIG, then what is found; `file` is the name as it was given."""
    for name in ("a.toml", "b.toml", ".reload.toml"):
        (tmp_path / name).write_text(f"[build]\nbin = '{name}'\n")
    environ = {"RELOADER_CONFIG": "./b.toml"}

    assert loaded(tmp_path, environ=environ, file="a.toml").build.bin == "a.toml"
    assert loaded(tmp_path, environ=environ).build.bin == "b.toml"
    assert loaded(tmp_path, environ=environ).file == "./b.toml"
    assert loaded(tmp_path).build.bin == ".reload.toml"


def test_a_file_that_a_variable_names_and_is_not_there(tmp_path):
    """The error names the variable, which may be long forgotten."""
    (text,) = problems(tmp_path, RUNS, environ={"RELOADER_CONFIG": "gone.toml"})

    assert text.startswith("gone.toml (RELOADER_CONFIG): no such config file")


def test_a_pyproject_without_our_table_is_nothing_to_us(tmp_path):
    """Neither its keys nor its mistakes are ours; one that is named must have the table."""
    broken = "[project\n"

    assert loaded(tmp_path, broken, name="pyproject.toml", flags={"build.bin": ["x"]}).file == ""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'reloader-x'\n")
    assert loaded(tmp_path, flags={"build.bin": ["x"]}).file == ""
    assert problems(tmp_path, file="pyproject.toml") == [
        "pyproject.toml: expected a table [tool.reloader], found none"
    ]


def test_mistakes_in_a_pyproject_have_their_line(tmp_path):
    """The line is that of the whole file."""
    text = "[project]\nname = 'x'\n\n[tool.reloader]\nbuild.bin = 1\n"

    assert problems(tmp_path, text, name="pyproject.toml") == [
        "pyproject.toml:5: build.bin: expected text, found 1"
    ]


def test_no_file_is_needed_with_a_command(tmp_path):
    """A flag or a variable that says what to run is enough; all else is default."""
    assert loaded(tmp_path, flags={"build.bin": ["x"]}).build.bin == "x"
    assert loaded(tmp_path, environ={"RELOADER_BUILD_CMD": "make"}).build.cmd == "make"


def test_no_file_and_no_command_says_what_to_do(tmp_path):
    """Both ways out are named, and an Air file that only has to be named."""
    (tmp_path / ".air.docker.toml").touch()

    (text,) = problems(tmp_path)

    assert "no config file here, and no command given" in text
    assert "reloader init" in text
    assert 'reloader run --build.bin "python app.py"' in text
    assert "reloader run -c .air.docker.toml" in text


def test_without_anything_in_a_go_project(tmp_path):
    """The hint is for a Go program, and what it says can be done."""
    (tmp_path / "go.mod").touch()
    (text,) = problems(tmp_path)

    assert "hint: reloader init writes one for this Go program" in text
    assert text.endswith("or: reloader run --build.bin ./tmp/main")
    build = loaded(tmp_path, flags={"build.bin": ["./tmp/main"]}).build
    assert build.cmd == "go build -o ./tmp/main ."


def test_a_folder_that_cannot_be_listed_has_no_other_files(tmp_path):
    """The hint about Air files is left out, the error is the same."""
    with pytest.raises(ConfigError, match="no config file here"):
        load(Invocation(), {}, str(tmp_path / "gone"))


def test_a_file_that_says_nothing_to_run(tmp_path):
    """An empty file of ours is not enough where there is no Go module."""
    (text,) = problems(tmp_path, "")

    assert text.startswith(".reload.toml: nothing to run: expected one of build.bin")
    assert loaded(tmp_path, '[[build.rules]]\ncmd = "x"\ninclude_ext = "y"\n').build.rules


# --- defaults by project -------------------------------------------------------------------------

GO_EXT = ("go", "tpl", "tmpl", "html", "gohtml", "mod", "sum")
MORE_EXT = ("jinja", "jinja2", "j2", "toml", "yaml", "yml", "env", "json", "sql")
PYTHON_EXT = ("py", "html", *MORE_EXT)


@pytest.mark.parametrize(
    ("files", "endings"),
    [
        ((), ("*",)),
        (("package.json",), ("*",)),
        (("go.mod",), GO_EXT),
        (("pyproject.toml",), PYTHON_EXT),
        (("setup.py",), PYTHON_EXT),
        (("requirements.txt",), PYTHON_EXT),
        (("app.py",), PYTHON_EXT),
        (("go.mod", "tool.py"), (*GO_EXT, "py", *MORE_EXT)),
    ],
)
def test_endings_follow_from_what_the_root_holds(tmp_path, files, endings):
    """Go, Python, both or neither; what is written always counts."""
    for name in files:
        (tmp_path / name).touch()

    assert loaded(tmp_path, RUNS).build.include_ext == endings
    assert loaded(tmp_path, RUNS + "include_ext = []\n").build.include_ext == ()


def test_a_go_module_is_built_and_run_without_a_word(tmp_path):
    """An empty file in a Go module means what it means to Air."""
    (tmp_path / "go.mod").touch()

    build = loaded(tmp_path, "").build

    assert (build.cmd, build.bin) == ("go build -o ./tmp/main .", "./tmp/main")
    assert build.exclude_dir == ("assets", "tmp", "vendor", "testdata")
    assert build.exclude_regex == ("_test.go",)


@pytest.mark.parametrize(
    ("text", "cmd", "app"),
    [
        ('tmp_dir = "out/go"', "go build -o ./out/go/main .", "./out/go/main"),
        ('tmp_dir = "/x"', "go build -o /x/main .", "/x/main"),
        ('build.cmd = "make"', "make", ""),
        ('build.cmd = ""\nbuild.bin = "x"', "", "x"),
        ('build.bin = "x"', "go build -o ./tmp/main .", "x"),
        ('build.entrypoint = "x"', "go build -o ./tmp/main .", ""),
        ('build.full_bin = "x"', "go build -o ./tmp/main .", ""),
    ],
)
def test_what_is_written_in_a_go_module_counts(tmp_path, text, cmd, app):
    """`cmd` written is that, empty is none; Go's `bin` goes with Go's `cmd` only."""
    (tmp_path / "go.mod").touch()

    build = loaded(tmp_path, text).build

    assert (build.cmd, build.bin) == (cmd, app)


def test_outside_a_go_module_there_is_no_build(tmp_path):
    """No `cmd`, no step; nothing is excluded but what never counts."""
    build = loaded(tmp_path, RUNS).build

    assert (build.cmd, build.exclude_dir, build.exclude_regex) == ("", (), ())


def test_zeros_count_as_written(tmp_path):
    """In our own file 0, false and empty are values like any other."""
    text = RUNS + "delay = 0\nkill_delay = 0\nrerun_delay = 0\n[screen]\nkeep_scroll = false\n"

    config = loaded(tmp_path, text)

    assert (config.build.delay, config.build.kill_delay, config.build.rerun_delay) == (0, 0.0, 0)
    assert config.screen.keep_scroll is False


# --- folders -------------------------------------------------------------------------------------


def test_folders_are_absolute_and_below_the_root(tmp_path):
    """The root is below the working directory, as written; the others are below the root."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")

    config = loaded(tmp_path, 'root = "link"\ntestdata_dir = "a/../b"\n' + RUNS)

    root = os.path.realpath(tmp_path) + "/link"  # it may be made to lead elsewhere later
    assert (config.root, config.tmp_dir) == (root, f"{root}/tmp")
    assert config.testdata_dir == f"{root}/b"


def test_a_tilde_is_the_home_folder(tmp_path):
    """`~/x` is below HOME for the root and the others alike."""
    (tmp_path / "x").mkdir()
    text = 'root = "~/x"\ntmp_dir = "~/y"\n' + RUNS

    config = loaded(tmp_path, text, environ={"HOME": str(tmp_path)})

    home = os.path.realpath(tmp_path)
    assert (config.root, config.tmp_dir) == (f"{home}/x", f"{home}/y")


@pytest.mark.parametrize(("root", "found"), [("gone", "nothing"), ("file", "something else")])
def test_the_root_must_be_a_folder(tmp_path, root, found):
    """A missing root is an error before anything starts (Air makes the folder)."""
    (tmp_path / "file").touch()

    (text,) = problems(tmp_path, f'root = "{root}"\n' + RUNS)

    path = os.path.realpath(tmp_path / root)
    assert text.startswith(f".reload.toml:1: root: expected a folder at {path}, found {found}\n")


def test_the_home_folder_and_the_top_are_refused(tmp_path):
    """Too much to watch, as Air says; unless it is asked for."""
    home = {"HOME": str(tmp_path)}
    app = {"build.bin": ["x"]}

    (text,) = problems(tmp_path, environ=home, flags=app)
    assert text.startswith(f"root: expected a project folder, found the home folder {tmp_path}")
    (text,) = problems(tmp_path, flags=app | {"root": ["/"]})
    assert text.startswith("--root: expected a project folder, found /")
    asked = {"build.ignore_dangerous_root_dir": ["true"]}
    assert loaded(tmp_path, environ=home, flags=app | asked).root == os.path.realpath(tmp_path)


@pytest.mark.parametrize("name", [".reload.toml", ".config/air.toml"])
def test_a_home_folder_with_a_config_is_a_project(tmp_path, name):
    """In a container HOME is often the WORKDIR."""
    config = loaded(tmp_path, RUNS, name=name, environ={"HOME": str(tmp_path)})

    assert config.root == os.path.realpath(tmp_path)


# --- cleaning ------------------------------------------------------------------------------------

CLEANS = '\n[misc]\nclean_on_exit = true\n[build]\nbin = "x"\ninclude_ext = ["go"]\n'


@pytest.mark.parametrize(
    ("tmp_dir", "said"),
    [
        (".", "would delete the project"),
        ("..", "would delete the project"),
        ("/", "would delete the project"),
        ("~", "which holds the home folder"),
        ("/var/tmp", "which is everybody's"),
        ("src", "which holds a/main.go"),
        ("repo", "which holds .git"),
        ("link", "which holds a/main.go"),
    ],
)
def test_cleaning_what_is_not_ours_is_refused(tmp_path, tmp_path_factory, tmp_dir, said):
    """A `tmp_dir` with more than build results in it is never deleted."""
    home = tmp_path_factory.mktemp("home")
    (tmp_path / "src/a").mkdir(parents=True)
    (tmp_path / "src/a/main.go").touch()
    (tmp_path / "repo/.git").mkdir(parents=True)
    (tmp_path / "link").symlink_to("src")

    text = f'tmp_dir = "{tmp_dir}"{CLEANS}'
    (problem,) = problems(tmp_path, text, environ={"HOME": str(home)})

    assert problem.startswith(".reload.toml:3: misc.clean_on_exit: would delete ")
    assert said in problem


def test_a_folder_of_build_results_may_be_cleaned(tmp_path):
    """Also one outside the project, and any folder if nothing is cleaned."""
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp/main").touch()

    assert loaded(tmp_path, f'tmp_dir = "tmp"{CLEANS}').misc.clean_on_exit
    assert loaded(tmp_path, f'tmp_dir = "/tmp/of-this-app"{CLEANS}').misc.clean_on_exit
    assert loaded(tmp_path, 'tmp_dir = "."\n' + RUNS).tmp_dir == os.path.realpath(tmp_path)


# --- mistakes ------------------------------------------------------------------------------------

WRONG = """\
nonsense = 1
[porxy]
enabled = true
[build]
cmd = 5
delay = -1
include_ext = ["go",
  5]
exclude_regex = ["ok", "("]
dealy = 4
env_files = ["x"]
bin = "x"
[[build.rules]]
nmae = "x"
[build.linux]
delay = 3
[log]
time = "true"
[watch]
engine = "magic"
"""


SAID = """\
.reload.toml:1: nonsense: unknown key
.reload.toml:2: porxy: unknown table
  hint: did you mean [proxy]?
.reload.toml:5: build.cmd: expected text, found 5
.reload.toml:6: build.delay: expected 0 to 86400000 ms (a day), found -1
.reload.toml:8: build.include_ext[1]: expected text, found 5
.reload.toml:9: build.exclude_regex[1]: expected a regular expression, found "(": missing ), \
unterminated group at position 0
.reload.toml:10: build.dealy: unknown key
  hint: did you mean build.delay?
.reload.toml:11: build.env_files: unknown key
  hint: env_files belongs above the first [table]
.reload.toml:14: build.rules[0].nmae: unknown key
  hint: did you mean build.rules[0].name?
.reload.toml:13: build.rules[0]: expected a cmd, a then or a signal
  hint: what the rule is to do
.reload.toml:13: build.rules[0]: expected files to watch
  hint: one of include_dir, include_ext, include_file says which files the rule is for
.reload.toml:16: build.linux.delay: unknown key
  hint: delay belongs to [build]
.reload.toml:18: log.time: expected true or false, found "true"
  hint: write true without the quotes
.reload.toml:20: watch.engine: expected one of "auto", "native", "watchfiles", "poll", found "magic"
RELOADER_SCREEN_CLEAR_ON_REBUILD: expected true or false, found "perhaps"
--build.poll_interval: expected a whole number of milliseconds, found "fast\""""


def test_all_mistakes_are_said_at_once(tmp_path):
    """Each with line, key, what was expected, what was found; flags and variables too."""
    environ = {"RELOADER_SCREEN_CLEAR_ON_REBUILD": "perhaps"}

    said = problems(tmp_path, WRONG, environ=environ, flags={"build.poll_interval": ["fast"]})

    assert "\n".join(said) == SAID


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("build = 5", ".reload.toml:1: build: expected a table [build], found a value"),
        ("[[log]]", ".reload.toml:1: log: expected a table [log], found tables [[…]]"),
        (
            "[build.rules]\ncmd = 'x'",
            (
                ".reload.toml:1: build.rules: expected tables [[build.rules]]\n"
                "  hint: write it in double brackets"
            ),
        ),
        (
            "build.windows = true",
            ".reload.toml:1: build.windows: expected a table [build.windows], found a value",
        ),
        ("log.nothing_like_it = 1", ".reload.toml:1: log.nothing_like_it: unknown key"),
        ("build.cmd = {}", ".reload.toml:1: build.cmd: expected text, found a table"),
        ("build.cmd = []", ".reload.toml:1: build.cmd: expected text, found an empty list"),
        ("bin = 'x'", ".reload.toml:1: bin: unknown key\n  hint: bin belongs to [build]"),
        (
            "build.entrypoint = ['', 'x']",
            '.reload.toml:1: build.entrypoint: expected a program first, found ""',
        ),
        (
            "[build.windows]\nbin = 5",
            ".reload.toml:2: build.windows.bin: expected text, found 5",
        ),
    ],
)
def test_a_mistake_in_the_shape(tmp_path, text, said):
    """A value for a table, a table for tables, a key in the wrong place, another platform's."""
    assert said in problems(tmp_path, text)


def test_a_broken_file_and_a_broken_flag_are_both_said(tmp_path):
    """A syntax error doesn't hide what is wrong with the flags."""
    said = problems(tmp_path, "[build\n", flags={"build.delay": ["abc"]})

    assert [text.partition(": ")[0] for text in said] == [".reload.toml:1:7", "--build.delay"]


# --- rules and notes -----------------------------------------------------------------------------


def test_rules_are_read_with_the_checks_of_all_keys(tmp_path):
    """Names are Air's where there is none, and no two rules have the same."""
    text = (
        RUNS
        + """
[[build.rules]]
cmd = "make css"
include_ext = [".scss"]
exclude_regex = 'x\\.scss'
delay = "1s"
[[build.rules]]
name = "rule-0"
cmd = "make docs"
include_dir = "docs"
"""
    )

    first, second = loaded(tmp_path, text).build.rules

    assert (first.name, first.cmd, first.include_ext) == ("rule-0", "make css", ("scss",))
    assert (first.exclude_regex, first.delay) == (("x\\.scss",), 1000)
    assert (second.name, second.include_dir, second.delay) == ("rule-0-2", ("docs",), None)


def test_what_is_probably_not_meant_is_noted(tmp_path):
    """An entrypoint with a blank is one program; a proxy needs the app's port."""
    text = '[build]\nentrypoint = "./app serve"\n[proxy]\nenabled = true\n'

    assert lines(loaded(tmp_path, text).warnings) == (
        (
            '.reload.toml:2: build.entrypoint: "./app serve" is taken as one program;'
            " arguments are written as a list"
        ),
        (
            ".reload.toml:4: proxy.enabled: no proxy: proxy.app_port, the port that the app listens"
            " on, is not set"
        ),
    )
    (tmp_path / "app serve").touch()
    assert len(lines(loaded(tmp_path).warnings)) == 1


def test_where_a_config_may_appear():
    """All places count while none is named: a file that goes before the one in use may come."""
    assert places("", {}, "/p") == (
        "/p/.reload.toml",
        "/p/pyproject.toml",
        "/p/.air.toml",
        "/p/.config/air.toml",
    )
    assert places("../a.toml", {"RELOADER_CONFIG": "b.toml"}, "/p/q") == ("/p/a.toml",)
    assert places("", {"RELOADER_CONFIG": "/etc/b.toml"}, "/p") == ("/etc/b.toml",)


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_folder_is_as_if_started_there(tmp_path, name):
    """Its config is found as there, paths begin there; only what is shown begins here."""
    text = '[build]\nbin = "x"\ncmd = ""\n'
    file = tmp_path / "api" / name
    file.parent.mkdir(parents=True)
    file.write_text(text.replace("build", "tool.reloader.build") if "py" in name else text)

    config = load(Invocation("api"), {"HOME": "/nowhere"}, str(tmp_path))

    assert (config.root, config.command_dir) == (str(tmp_path / "api"),) * 2
    assert (config.file, config.file_path) == (f"api/{name}", str(file))
    assert config.origins["build.bin"].where.startswith(f"api/{name}:2")
    assert places("./api/", {}, str(tmp_path)) == places("", {}, str(tmp_path / "api"))


def test_a_folder_without_a_config(tmp_path):
    (tmp_path / "api").mkdir()
    (tmp_path / ".reload.toml").write_text('[build]\nbin = "x"\n')  # not asked for
    with pytest.raises(ConfigError) as raised:
        load(Invocation("api"), {}, str(tmp_path))
    assert "api: no config file in this folder" in str(raised.value.problems[0])


def test_a_rule_with_a_signal(tmp_path):
    """It needs no command; beside a restart it has no sense."""
    rule = '[build]\nbin = "x"\n[[build.rules]]\nsignal = "hup"\ninclude_ext = "conf"\n'

    (found,) = loaded(tmp_path, rule).build.rules
    assert (found.signal, found.cmd) == ("SIGHUP", "true")
    assert problems(tmp_path, rule + 'then = "restart"\n') == [
        (
            ".reload.toml:4: build.rules[0].signal: expected a signal or "
            'then = "restart", found both\n  hint: the signal is for an app that goes on'
        )
    ]
