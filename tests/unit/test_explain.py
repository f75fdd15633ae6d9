"""`reloader explain`: what a save does, because of which line; what a key means."""

from __future__ import annotations

import pytest

from reloader.cli import main
from reloader.commands.explain import explain
from reloader.config import load, model
from reloader.config.load import Invocation
from reloader.errors import ConfigError, Exit

TEXT = """\
[build]
cmd = "make"
bin = "./app"
include_ext = ["go"]
include_file = [".github/ci.yaml"]
exclude_dir = ["vendor"]
exclude_regex = ["_test\\\\.go$"]
[[build.rules]]
name = "css"
cmd = "make css"
include_ext = ["scss"]
include_file = ["x.lock"]
[[build.rules]]
name = "sql"
then = "restart"
cmd = "make sql"
include_dir = ["db"]
"""
FILES = (
    *(
        "x.lock",
        "main.go",
        "x_test.go",
        "a.txt",
        "a.scss",
        "db/1.sql",
        "lib/a.go",
        "lib/b/c.go",
        "lib/b/x",
    ),
    *("vendor/v.go", ".github/ci.yaml", ".github/x.go", "env/pyvenv.cfg", "env/lib/x.go"),
)


@pytest.fixture
def project(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "lib", target_is_directory=True)
    (tmp_path / ".reload.toml").write_text(TEXT)
    return tmp_path


def said(folder, *words, cwd=None, **given):
    reading = load.read(Invocation(**given), {"HOME": "/nowhere"}, str(folder))
    return "".join(f"{line}\n" for line in explain(words, reading, str(cwd or folder)))


PATHS = [  # path, what a save does, why, whether its folder is watched
    ("main.go", "builds and restarts the app", 'build.include_ext "go" (.reload.toml:4)', True),
    ("lib/b/c.go", "builds and restarts the app", 'build.include_ext "go"', True),
    ("x_test.go", "nothing", 'build.exclude_regex "_test\\.go$" (.reload.toml:7)', True),
    ("a.txt", "nothing", 'build.include_ext "go" (.reload.toml:4)', True),
    ("vendor/v.go", "nothing", 'build.exclude_dir "vendor" (.reload.toml:6)', False),
    (
        ".github/ci.yaml",
        "builds and restarts the app",
        'build.include_file ".github/ci.yaml"',
        True,
    ),
    (".github/x.go", "nothing", 'hidden folders like ".github" are never watched', True),
    ("a.scss", 'runs rule "css"', 'rule "css", include_ext "scss" (.reload.toml:11)', True),
    (
        "db/1.sql",
        'runs rule "sql" and restarts the app',
        'rule "sql", include_dir "db" (.reload.toml:17)',
        True,
    ),
    ("x.lock", 'runs rule "css"', 'rule "css", include_file "x.lock" (.reload.toml:12)', True),
    ("env/lib/x.go", "nothing", "env, a virtualenv", False),
]


@pytest.mark.parametrize(("path", "effect", "why", "watched"), PATHS)
def test_a_file(project, path, effect, why, watched):
    """What a save there does, the line that decides, whether its folder is watched."""
    first, second, third = said(project, path).splitlines()

    assert first == f"{path}: {effect}"
    assert second.startswith(f"  why: {why}")
    assert third == f"  its folder is {'' if watched else 'not '}watched"


def test_a_file_that_is_not_there(project):
    """The rules decide by the name alone; the folder's fate is told as well."""
    assert said(project, "new/x.go").splitlines() == [
        "new/x.go: builds and restarts the app (no such file or key)",
        '  why: build.include_ext "go" (.reload.toml:4)',
        "  its folder is not there; it would be watched",
    ]


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("lib", ["lib: watched; 2 files below count"]),
        (".", [".: watched; 7 files below count"]),
        (
            "vendor/",
            [
                "vendor/: not watched; 0 files below count",
                '  why: build.exclude_dir "vendor" (.reload.toml:6)',
            ],
        ),
        (
            ".github",
            [
                ".github: watched; 1 file in it or below counts",
                "  only files that are named count: hidden folders like",
            ],
        ),
        ("link", ["link: nothing", "  why: a link to a folder, followed only with"]),
    ],
)
def test_a_folder(project, folder, expected):
    """How many files in it and below count, as the run counts them."""
    lines = said(project, folder).splitlines()

    assert len(lines) == len(expected)
    assert all(line.startswith(start) for line, start in zip(lines, expected, strict=True))


def test_a_link_that_is_followed(project):
    """Its files are counted where they are first."""
    text = said(project, "link", flags={"build.follow_symlink": ["true"]})
    assert text.startswith("link: ")
    assert "a link to a folder" not in text


def test_paths_are_those_of_the_working_directory(project):
    """The root may be elsewhere, or be reached by a link."""
    (project.parent / "way").symlink_to(project, target_is_directory=True)
    text = said(project, "c.go", "../../a.txt", cwd=project.parent / "way" / "lib" / "b")

    assert text.startswith("c.go: builds and restarts the app\n")
    assert "../../a.txt: nothing\n" in text


def test_without_an_app_or_a_build(project):
    """Only what is configured is said to happen."""
    (project / ".reload.toml").write_text('[build]\nbin = "./app"\ninclude_ext = ["go"]\n')
    assert said(project, "main.go").startswith("main.go: restarts the app\n")
    (project / ".reload.toml").write_text('[build]\ncmd = "make"\ninclude_ext = ["go"]\n')
    assert said(project, "main.go").startswith("main.go: builds\n")


def test_an_env_file(project):
    """It counts by its name, whatever the extensions are, and is read before each start."""
    text = said(project, "local.env", flags={"env_files": ["local.env"]})
    assert text.startswith("local.env: builds and restarts the app")
    assert 'why: env_files "local.env"' in text
    assert "read again before each start" in text


# --- keys ----------------------------------------------------------------------------------------


def test_a_key(project):
    """Help, kind, default, value now and where from, and how else to set it."""
    assert said(project, "build.cmd") == (
        'build.cmd = "make"  (.reload.toml:2)\n'
        "  Command line that builds the app; empty: no build.\n"
        "  kind      text\n"
        "  default   go build -o ./tmp/main . where a go.mod is, else none\n"
        "  flag      --build.cmd\n"
        "  variable  RELOADER_BUILD_CMD\n"
    )


@pytest.mark.parametrize("key", [key for key, _, _ in model.options()])
def test_every_key_is_explained(project, key):
    """None is left out, and none needs a value."""
    assert said(project, key).startswith(key)


def test_keys_by_other_names(project):
    """The last part is enough where one table has it; a table lists its keys."""
    assert said(project, "delay").startswith("build.delay  (default: 2 for")
    assert said(project, "stop_signal").splitlines()[-3].startswith("  Air ")
    assert said(project, "build.rules[].cmd").startswith("build.rules[].cmd\n")
    assert "include_ext" in said(project, "build.rules")
    assert said(project, "proxy").startswith("[proxy]\n  proxy.enabled = false  (default)\n")
    assert said(project, "engine", "hold").count("one of") == 2


def test_a_file_goes_before_a_key(project):
    """What is there is meant."""
    (project / "log").touch()
    assert said(project, "log").startswith("log: nothing")


def test_a_slip_is_told(project):
    """Almost a key, and nothing of that name is there."""
    assert "did you mean the key build.delay?" in said(project, "build.dela")
    assert "did you mean the key build.exclude_dir?" in said(project, "exclude_dri")
    assert "did you mean" not in said(project, "some_notes")


def test_without_a_config(project):
    """Keys can be explained, paths can't."""
    (project / ".reload.toml").unlink()

    assert said(project, "build.delay").startswith("build.delay\n")
    with pytest.raises(ConfigError, match="no config file here"):
        said(project, "main.go")


def test_the_command_line(project, monkeypatch, capsys):
    """Words and flags in any order; what begins with a dash goes behind --."""
    monkeypatch.chdir(project)
    monkeypatch.setenv("HOME", "/nowhere")
    (project / "-x.go").touch()

    assert main(["explain", "main.go", "--build.include_ext=txt", "a.txt", "--", "-x.go"]) == 0
    out = capsys.readouterr().out
    assert 'build.include_ext "txt" (--build.include_ext)' in out
    assert "-x.go: nothing" in out
    assert main(["explain"]) == Exit.FAILED
    assert main(["explain", "--nope", "x"]) == Exit.USAGE


def test_the_config_itself_wherever_the_root_is(tmp_path):
    """It is taken up by itself; a file of its name elsewhere is a file like others."""
    for folder in (tmp_path, tmp_path / "web"):
        folder.mkdir(exist_ok=True)
        (folder / "reload.toml").write_text(
            'root = "web"\n[build]\nbin = "x"\ninclude_ext = ["*"]\n'
        )
    itself, other = "reload.toml: nothing\n  why: the config", "reload.toml: restarts the app"

    inside = said(tmp_path, "web/reload.toml", file="web/reload.toml")
    assert inside.startswith(f"web/{itself}")
    outside = said(tmp_path, "web/reload.toml", file="reload.toml")
    assert outside.startswith(f"web/{other}")
    (tmp_path / "way").symlink_to(tmp_path)
    by_link = said(tmp_path / "way", "web/reload.toml", file=str(tmp_path / "way/web/reload.toml"))
    assert by_link.startswith(f"web/{itself}")
