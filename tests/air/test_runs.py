"""Real Air files are run as their owners run them, with stand-ins for go, dlv and the like.

Each is started, ignores a save that its lists leave out, restarts at one that they take, has a
broken build and a mended one, and ends at SIGTERM with nothing left behind (`project.close`).
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import stat
from pathlib import Path

import pytest

from reloader.config.load import Invocation, load
from tests.helpers import air
from tests.helpers.project import PYTHON, actor, until

FILES = {
    f.name.partition("-")[0]: f
    for f in sorted((Path(__file__).parents[1] / "air_configs").iterdir())
}

pytestmark = pytest.mark.air

# One of each kind, for `make test`.
QUICK = "02 22 25 33 45 58 82".split()  # noqa: SIM905
FOR_WINDOWS = "10 25 29 34 35 42 51 77".split()  # noqa: SIM905
ODD = {
    "49": "its app is /bin/true",
    "100": "its app is built elsewhere",
    "85": "waits for a day",
    "92": "no file counts",
    "97": "its tmp_dir is /",
}

# The tools. `$BROKEN`, a file that is there or not, breaks whatever builds.
FAILS = '[ -e "$BROKEN" ] && { echo "main.go:1: broken" >&2; exit 1; }\n'
MAKES = """\
mkdir -p "$(dirname "$out")" && printf '#!/bin/sh\\nexec %s "$@"\\n' "$APP" > "$out.new" \\
  && chmod +x "$out.new" && mv "$out.new" "$out"
"""
GO = f"""\
case $1 in build) ;; run|generate|mod|vet) exit 0 ;; esac
{FAILS}out=./main
while [ $# -gt 0 ]; do [ "$1" = -o ] && out=$2; shift; done
{MAKES}"""
BUILDS = f"""\
{FAILS}for out in $MADE; do {MAKES}done
"""
TOOLS = {
    "go": GO,
    **dict.fromkeys(("make", "npm", "packr", "bun", "swag", "templ"), BUILDS),
    **dict.fromkeys(("dlv", "wails", "dsl"), 'eval "exec $APP"\n'),
    "godotenv": 'shift 2\nexec "$@"\n',
}


@pytest.fixture
def tools(tmp_path):
    """A folder for the PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name, text in TOOLS.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        (folder / name).chmod(stat.S_IRWXU)
    return folder


class Owner:
    """Somebody's project: its config, its folders, and what they would save."""

    def __init__(self, project, file):
        self.project, folder = project, project.folder
        # /app is the project in a container; what is outside of it is below a folder of the test's.
        there = {b"app": folder, b"tmp": folder.parent / "tmp"}
        content = re.sub(
            rb"(?<![\w.])/(app|tmp)(?![\w.-])",
            lambda found: os.fsencode(there[found[1]]),
            file.read_bytes(),
        )
        (folder / ".air.toml").write_bytes(content)
        self.meant = air.meaning(content)
        (folder / self.meant.values["root"]).mkdir(exist_ok=True)
        self.values = air.here(self.meant, air.Place(str(folder)))
        self.root = Path(self.values["root"])
        self.config = load(Invocation(), {"HOME": "/nowhere"}, str(folder))
        self._lay_out()

    def _lay_out(self):
        paths = air.samples(self.values)
        counting = [path for path in paths if air.counts(self.values, path)]
        self.source = next((p for p in counting if p.endswith(".go")), counting[0])
        ending = self.source[self.source.rindex(".") :]
        made = (
            os.path.relpath(self.values["tmp_dir"], self.root) + "/"
        )  # clean_on_exit spares sources
        self.ignored = [
            p for p in paths if p.endswith(ending) and p not in counting and not p.startswith(made)
        ]
        for path in (self.source, *self.ignored, ".env"):
            self.write(path, "")
        for key in ("build.include_dir", "env_files", "build.include_file"):
            for path in self.values[key]:
                if key == "build.include_dir":
                    (self.root / path).mkdir(parents=True, exist_ok=True)
                elif "*" not in path:
                    self.write(path, "")
        if "scripts/air.sh" in self.values["build.cmd"]:
            script = f'#!/bin/sh\n[ "$RUN" ] && eval "exec $APP"\n{BUILDS}'
            self.write("scripts/air.sh", script).chmod(stat.S_IRWXU)
        (self.root / "frontend").mkdir(exist_ok=True)

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def run(self, tools, start):
        folder = self.project.folder
        app = folder.parent / "app.py"
        app.write_text(actor("app", "1", "plain"), encoding="utf-8")
        self.broken = folder.parent / "broken"
        words = re.findall(r"[\w./-]+", self.values["build.full_bin"] or self.values["build.bin"])
        made = [word for word in words if "/" in word and "." not in word.rpartition("/")[2]]
        env = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "APP": shlex.join([*PYTHON, str(app)]),
            "MADE": " ".join(made[:1]),
            "BROKEN": str(self.broken),
            "HOME": "/nowhere",
        }
        return start(env=env)

    @property
    def build_can_fail(self):
        """A here-document behind the build makes it succeed, for Air too."""
        return "<<" not in self.values["build.cmd"]


def files(numbers):
    for number in numbers:
        marks = (pytest.mark.quick,) if number in QUICK else ()
        yield pytest.param(FILES[number], marks=marks, id=FILES[number].name)


@pytest.mark.parametrize("file", [*files(n for n in FILES if n not in (*FOR_WINDOWS, *ODD))])
def test_it_does_what_its_owner_expects(file, project, tools):
    """From the first start to SIGTERM."""
    owner = Owner(project, file)
    values = owner.values
    run = owner.run(tools, project.start)
    starts = project.versions
    args = project.noted("START", role="app")[0]["args"]
    assert args[len(args) - len(values["build.args_bin"]) :] == list(values["build.args_bin"]) or (
        "dlv" in run.events("app.started")[0]["command"]
    )

    for path in owner.ignored:
        owner.write(path, "2")
    owner.write(owner.source, "2")
    change = run.wait_for("change.seen")
    assert (change["path"], change["count"]) == (owner.source, 1)
    second = run.wait_for("app.started")
    until(lambda: len(starts()) == 2, why=project.report)

    if owner.build_can_fail:
        owner.broken.touch()
        owner.write(owner.source, "broken")
        failed = run.wait_for("build.failed")
        log = Path(values["tmp_dir"], values["build.log"])
        assert "exit 1" in until(lambda: log.exists() and log.read_text(), why=project.report)
        if values["build.stop_on_error"]:
            run.wait_for("app.stopped", after=second["seq"], pid=second["pid"])
        else:
            assert failed["app_pid"] == second["pid"]
        owner.broken.unlink()
    owner.write(owner.source, "mended")
    run.wait_for("app.started")
    until(lambda: len(starts()) == 3, why=project.report)

    assert run.stop(signal.SIGTERM) == 0, run.report()
    asked = {"SIGINT"} if values["build.send_interrupt"] else {"SIGTERM"}
    told = {line["what"] for line in project.noted() if line["what"].startswith("SIG")}
    assert told == asked
    assert Path(values["tmp_dir"]).exists() is not values["misc.clean_on_exit"]
    tells_time = re.search(r"^\[?\d\d:\d\d", run.stderr, re.MULTILINE)
    assert bool(tells_time) == values["log.time"]


@pytest.mark.parametrize("file", [*files(FOR_WINDOWS)])
def test_a_file_for_windows_says_why_and_stays(file, project, tools):
    """On other systems its app, or its build, is not found, as with Air; a save tries again."""
    owner = Owner(project, file)
    run = owner.run(tools, project.run)
    trouble = ("start.failed", "build.failed", "app.exited")

    until(lambda: run.events(*trouble), why=project.report)
    run.wait_for("watch.started", after=0)
    owner.write(owner.source, "2")
    run.wait_for("change.seen")
    until(lambda: len(run.events(*trouble)) == 2, why=project.report)

    assert "not found" in json.dumps(run.events(*trouble)) + run.stderr
    assert run.stop(signal.SIGTERM) == 0, run.report()
    assert project.noted() == []
