"""`reloader init`: what it writes loads, and is right for the project it was written for."""

from __future__ import annotations

import pytest

from reloader.commands.init import init
from reloader.commands.init_templates import SCHEMA, USUAL
from reloader.config import schema
from reloader.errors import ConfigError, Exit, ReloaderError
from tests.helpers.problems import lines
from tests.unit.test_config_load import loaded


@pytest.fixture(autouse=True)
def _python(monkeypatch):
    """The interpreter's name doesn't depend on the machine."""
    monkeypatch.setattr("reloader.detect.python._is_on_path", lambda name: True)


def fill(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def build_of(folder, files):
    """`[build]` of the file that init writes; it has no notes, so nothing is doubtful."""
    fill(folder, files)
    said = init(str(folder), force=False)
    assert said.startswith(".reload.toml written")
    config = loaded(folder)
    assert config.file == ".reload.toml"
    assert lines(config.warnings) == ()
    return config.build


GO_MAIN = "// a\npackage main\n"
FASTAPI = "from fastapi import FastAPI\n\napp: FastAPI = FastAPI(title='x')\n"
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
FACTORY = "from flask import Flask\n\n\ndef create_app(config=None):\n    return Flask(__name__)\n"
PROJECTS = [  # files, cmd, bin
    ({"go.mod": "", "main.go": GO_MAIN}, "go build -o ./tmp/main .", "./tmp/main"),
    (
        {"go.mod": "", "lib.go": "package lib\n", "cmd/api/main.go": GO_MAIN},
        "go build -o ./tmp/main ./cmd/api",
        "./tmp/main",
    ),
    (
        {"Cargo.toml": '[package]\nname = "my-app"\n', "src/main.rs": ""},
        "cargo build",
        "./target/debug/my-app",
    ),
    (
        {
            "Cargo.toml": "[workspace]\nmembers = ['a']\n",
            "a/Cargo.toml": "[package]\nname = 'a'\n",
            "a/src/main.rs": "",
        },
        "cargo build",
        "./target/debug/a",
    ),
    (
        {"manage.py": "import django\n", "site/settings.py": ""},
        "",
        "python manage.py runserver --noreload",
    ),
    ({"main.py": FASTAPI}, "", "python -m uvicorn main:app"),
    (
        {"app/main.py": FASTAPI.replace("app:", "api:"), "app/__init__.py": "", "uv.lock": ""},
        "",
        "uv run python -m uvicorn app.main:api",
    ),
    (
        {"shop/__init__.py": FACTORY.replace("Flask", "FastAPI").replace("flask", "fastapi")},
        "",
        "python -m uvicorn shop:create_app --factory",
    ),
    ({"server.py": FLASK}, "", "python -m flask --app server run --debug --no-reload"),
    (
        {"web.py": FLASK.replace("app =", "site ="), ".venv/bin/python": ""},
        "",
        ".venv/bin/python -m flask --app web:site run --debug --no-reload",
    ),
    ({"shop/__init__.py": FACTORY}, "", "python -m flask --app shop run --debug --no-reload"),
    (
        {
            "package.json": '{"scripts": {"start": "node . && x", "dev": "x"}}',
            "yarn.lock": "",
            "index.js": "",
        },
        "",
        "yarn run start",
    ),
    ({"package.json": '{"scripts": {"dev": "vite"}}'}, "", "npm run dev"),
    ({"tool.py": "", "app.py": "if __name__ == '__main__': ..."}, "", "python app.py"),
    ({"setup.py": "", "server.py": "x = 1"}, "", "python server.py"),
    ({"pkg/__main__.py": "", "pkg/__init__.py": ""}, "", "python -m pkg"),
    ({"Makefile": "build:\n\tcc x.c\nrun: build\n\t./x\n"}, "make build", "./x"),
    ({"Makefile": "run:\n\t./x -v\n", "package.json": "{"}, "", "make run"),
    (
        {"Dockerfile": 'FROM x\nENTRYPOINT ["./app", "a b"]\nCMD ["-v"]\n', "app": ""},
        "",
        "./app 'a b' -v",
    ),
    ({"Dockerfile": "FROM x\nCMD exec ./app --port 80\n", "app": ""}, "", "exec ./app --port 80"),
]


@pytest.mark.parametrize(("files", "cmd", "app"), PROJECTS)
def test_the_template_fits_the_project(tmp_path, files, cmd, app):
    """The file loads, and builds and runs what this kind of project is."""
    build = build_of(tmp_path, files)

    assert (build.cmd, build.bin) == (cmd, app)


def test_what_counts_in_each_language(tmp_path):
    """Rust and Node say their endings; the others have them by default."""
    rust, node, python = (tmp_path / name for name in ("rust", "node", "python"))

    files = {"Cargo.toml": "[package]\nname = 'x'\n", "src/main.rs": ""}
    assert build_of(rust, files).include_ext == ("rs", "toml")
    assert "tsx" in build_of(node, {"package.json": '{"scripts": {"start": "x"}}'}).include_ext
    assert "py" in build_of(python, {"app.py": ""}).include_ext


def test_several_programs_are_a_choice(tmp_path):
    """Nobody can be asked: each of them is in the file, and taking the # off one runs it."""
    fill(tmp_path, {"go.mod": "", "cmd/a/a.go": GO_MAIN, "cmd/b/b.go": GO_MAIN})

    assert "take the # off one of the 2 ways in it" in init(str(tmp_path), force=False)

    path = tmp_path / ".reload.toml"
    text = path.read_text().replace(
        '# cmd = "go build -o ./tmp/main ./cmd/b"\n# bin', "cmd = 'b'\nbin"
    )
    path.write_text(text)
    assert (loaded(tmp_path).build.cmd, loaded(tmp_path).build.bin) == ("b", "./tmp/main")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"package.json": '{"scripts": 1}'},
        {"package.json": "[]"},
        {"Makefile": "run:\n\treloader run\n"},
        {"manage.py/x": ""},
        {"Dockerfile": 'CMD ["reloader", "run"]\n'},
        {"Dockerfile": "FROM x\n"},
        {"Dockerfile": 'CMD ["/srv/app"]\n'},
    ],
)
def test_an_unknown_project_gets_a_skeleton(tmp_path, files):
    """It says where to write the command, is TOML, and works as soon as that is done."""
    fill(tmp_path, files)

    assert "say in it how the app is run" in init(str(tmp_path), force=False)

    path = tmp_path / ".reload.toml"
    path.write_text(path.read_text().replace('# bin = "./app"', 'bin = "./mine"'))
    assert loaded(tmp_path).build.bin == "./mine"


def test_every_comment_in_the_file_is_a_setting_that_loads(tmp_path):
    """Taking the # off any line gives a config that loads."""
    init(str(tmp_path), force=False)
    text = (tmp_path / ".reload.toml").read_text()

    commented = [line for line in text.splitlines() if line.startswith("# ") and " = " in line]
    assert len(commented) == 6
    uncommented = "\n".join(line.removeprefix("# ") for line in commented)
    build = loaded(tmp_path, f"[build]\n{uncommented}").build
    assert (build.cmd, build.rerun, build.stop_timeout) == ("make", True, 5.0)


def test_a_server_of_a_known_framework_is_offered_overlap(tmp_path):
    """As a comment: only the user knows that two may run at once."""
    fill(tmp_path, {"requirements.txt": "flask", "app.py": FLASK})
    init(str(tmp_path), force=False)
    assert loaded(tmp_path).swap.mode == "replace"
    path = tmp_path / ".reload.toml"
    path.write_text(path.read_text().replace('# mode = "overlap"', 'mode = "overlap"'))
    assert loaded(tmp_path).swap.mode == "overlap"


def test_a_config_is_never_overwritten_unasked(tmp_path):
    """Status 1 and the way to do it; with force it is done."""
    fill(tmp_path, {".reload.toml": "mine", "app.py": ""})

    with pytest.raises(ReloaderError) as caught:
        init(str(tmp_path), force=False)

    assert caught.value.status is Exit.FAILED
    assert "--force" in str(caught.value)
    assert (tmp_path / ".reload.toml").read_text() == "mine"
    init(str(tmp_path), force=True)
    assert loaded(tmp_path).build.bin == "python app.py"


def test_an_air_file_is_enough(tmp_path):
    """A file that would go before a working one is only written when asked for."""
    fill(tmp_path, {".air.toml": "", "go.mod": "", "main.go": GO_MAIN})

    said = init(str(tmp_path), force=False)

    assert said.startswith(".air.toml is here, and reloader run reads it as it is")
    assert not (tmp_path / ".reload.toml").exists()
    init(str(tmp_path), force=True)
    assert loaded(tmp_path).file == ".reload.toml"


def test_a_folder_that_cannot_be_written(tmp_path):
    """The reason is said, without a traceback."""
    with pytest.raises(ReloaderError, match=r"\.reload\.toml: can't be written: no such file"):
        init(str(tmp_path / "gone"), force=True)


def test_the_schema_lies_beside_the_config(tmp_path):
    """Editors find it by the first line, without a network."""
    init(str(tmp_path), force=False)

    first = (tmp_path / ".reload.toml").read_text().splitlines()[0]
    assert first == f"#:schema ./{SCHEMA}"
    assert (tmp_path / SCHEMA).read_text(encoding="utf-8") == schema.text()


@pytest.mark.parametrize("name", USUAL)
def test_a_template_by_name(tmp_path, name):
    """What is usual for the kind, where nothing is there yet; it loads."""
    assert "written for" in init(str(tmp_path), force=False, template=name)
    assert loaded(tmp_path).build.bin


def test_a_template_is_made_for_what_is_there(tmp_path):
    """The kind is the user's choice, the rest is looked up; an Air file is no hindrance."""
    fill(tmp_path, {"go.mod": "", "main.go": GO_MAIN, "api/web.py": FLASK, ".air.toml": ""})

    init(str(tmp_path), force=True, template="flask")

    assert loaded(tmp_path).build.bin == "python -m flask --app api.web run --debug --no-reload"


def test_an_unknown_template(tmp_path):
    """The known ones are named, nothing is written."""
    with pytest.raises(ConfigError, match=r"--template: expected one of go, rust, .* found qt"):
        init(str(tmp_path), force=False, template="qt")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_through_a_link(tmp_path):
    """A link in the place of the config, or of the schema, keeps what it points to."""
    for name in (".reload.toml", SCHEMA):
        folder, target = tmp_path / name, tmp_path / f"{name}-target"
        fill(folder, {"app.py": ""})
        target.write_text("mine")
        (folder / name).symlink_to(target)
        try:
            init(str(folder), force=True)
        except ReloaderError as error:
            assert "can't be written" in str(error)
        assert target.read_text() == "mine"


def test_a_file_in_the_place_of_the_schema_stays(tmp_path):
    """The config is written, and what happened to the schema is said."""
    fill(tmp_path, {"app.py": "", SCHEMA: "mine"})

    assert f"{SCHEMA} is there already and stays" in init(str(tmp_path), force=False)
    assert (tmp_path / SCHEMA).read_text() == "mine"


def test_the_command_and_where_it_was_found_are_said(tmp_path):
    """So that a wrong one is seen at once."""
    fill(tmp_path, {"app/main.py": FASTAPI, "app/__init__.py": ""})

    said = init(str(tmp_path), force=False)

    assert "a FastAPI app: python -m uvicorn app.main:app, found in app/main.py" in said
    assert SCHEMA in said


@pytest.mark.parametrize("name", ["AGENTS.md", "CLAUDE.md"])
def test_a_file_for_agents_gets_a_sentence(tmp_path, name):
    """It is only printed, and only where such a file is that does not have it."""
    for text, said in (("# Rules\n", True), ("run `reloader wait`\n", False)):
        (tmp_path / name).write_text(text)
        told = init(str(tmp_path), force=True)
        assert (f"add to {name}: After an edit run `reloader wait`" in told) is said
        assert (tmp_path / name).read_text() == text
    (tmp_path / name).unlink()
    assert "agents" not in init(str(tmp_path), force=True)
