"""What a release consists of starts an app, reloads it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import venv
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from distribution import man
from reloader import __version__
from tests.e2e.test_warm import begin, save, until_ready
from tests.helpers.project import Project, until

pytestmark = pytest.mark.dist
ROOT = Path(__file__).parents[2]
WAYS = ("wheel", "sdist", "zipapp", "directory")
# Of a Python that has nothing but the standard library, not even `site`.
BARE = (sys.executable, "-I", "-S", "-B")
CONFIG = f"[build]\nbin = {json.dumps(f'{sys.executable} app.py')}\n"
APP = (
    "import os, signal\n"
    "with open(os.environ['APP_LOG'] + '.env', 'w') as it: it.write(repr(dict(os.environ)))\n"
)


@pytest.fixture(scope="session")
def dist(tmp_path_factory):
    """All files of a release, made by the command that `make dist` runs."""
    folder = tmp_path_factory.mktemp("dist")
    line = [sys.executable, "-m", "distribution", "--no-image", "--into", str(folder)]
    done = subprocess.run(line, cwd=ROOT, check=False, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def programs(dist, tmp_path_factory):
    """How each way starts: the words before `run`."""
    place = tmp_path_factory.mktemp("installed")
    found = {"zipapp": (*BARE, str(dist / "reloader.pyz"))}
    for way, pattern in (("wheel", "*.whl"), ("sdist", "reloader_dev-*.tar.gz")):
        (file,) = dist.glob(pattern)
        venv.create(place / way, with_pip=True)
        pip = [str(place / way / "bin/python"), "-m", "pip", "install", "-q", str(file)]
        subprocess.run([*pip, "--disable-pip-version-check"], check=True, timeout=200)
        found[way] = (str(place / way / "bin/reloader"),)
    (archive,) = dist.glob("reloader-*.tar.gz")
    with tarfile.open(archive) as it:
        it.extractall(place)
    link = place / "reloader-link"  # as the image has it in /usr/local/bin
    link.symlink_to(place / "reloader/reloader")
    found["directory"] = (str(link),)
    return found


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture
def program(programs, way):
    return programs[way]


@pytest.fixture
def installed(project: Project, program):
    project.program = program
    return project


def test_it_reloads(installed):
    """The app starts, a save replaces it, healthcheck and doctor see it; nothing is left."""
    installed.config(CONFIG)
    installed.app("1")
    run = installed.start()
    installed.app("2")
    until(lambda: installed.versions() == ["1", "2"], why=installed.report)
    for command in ("healthcheck", "check", "doctor", "init --print", "explain app.py"):
        done = subprocess.run(
            (*installed.program, *command.split()),
            cwd=installed.folder,
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == (1 if command.startswith("init") and done.stderr else 0), done
        assert "Traceback" not in done.stderr, done
        assert "fault" not in done.stderr, done
    assert run.stop() == 0


def test_the_guardian_works(installed):
    """An app does not outlive a reloader that was killed."""
    installed.config(CONFIG)
    installed.app("1")
    run = installed.start()
    run.process.send_signal(signal.SIGKILL)
    run.process.wait()
    until(lambda: not installed.alive(), why=installed.report)


def test_the_app_sees_nothing_of_the_way(installed, way):
    """The environment of the app is that of reloader, with what reloader always adds."""
    installed.config(
        f"[build]\nbin = {json.dumps(f'{sys.executable} app.py')}\n[python]\nwarm = false\n"
    )
    installed.write("app.py", APP)
    run = installed.run()
    run.wait_for("app.exited")
    seen = set(eval((installed.log.with_name("app.log.env")).read_text()))
    mine = {"RELOADER_RUN", "PYTHONUNBUFFERED", "PWD", "TEST_RUN_COOKIE", "APP_LOG", "LC_CTYPE"}
    assert seen - set(os.environ) <= mine
    assert run.stop() == 0


def test_a_python_app_starts_warm(installed, way):
    """Where reloader's sources are files, the second start is warm; where not, that is said."""
    if way == "zipapp":
        installed.config(CONFIG)
        line = (*installed.program, "explain", "python.warm")
        done = subprocess.run(
            line, cwd=installed.folder, check=True, capture_output=True, text=True
        )
        assert "starts cold: reloader is a single file here" in done.stdout
        return
    run = begin(installed)
    until_ready(run)
    save(installed, 2)
    installed.wait_noted("START", version="2")
    run.wait_for("app.started", how="warm", after=0)


def test_it_needs_no_python(installed, way):
    """The directory starts where there is no Python at all."""
    if way != "directory":
        pytest.skip("the others are for a Python")
    done = subprocess.run(
        (*installed.program, "--version"), env={}, check=True, capture_output=True, text=True
    )
    assert done.stdout == f"reloader {__version__}\n"


def test_the_zipapp_says_what_it_lacks(dist):
    """Elsewhere than on Linux it names the packages to install, without a traceback."""
    code = (
        "import runpy, sys; sys.platform = 'darwin'; "
        "runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    line = (*BARE, "-c", code, str(dist / "reloader.pyz"))
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "needs psutil and watchfiles here" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_wheel_is_whole(dist):
    """Name, commands, types and the man page are in it."""
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as it:
        names = it.namelist()
        (metadata,) = (name for name in names if name.endswith("/METADATA"))
        headers = HeaderParser().parsestr(it.read(metadata).decode())
        (entries,) = (name for name in names if name.endswith("/entry_points.txt"))
        commands = it.read(entries).decode()
    assert (headers["Name"], headers["Version"]) == ("reloader-dev", __version__)
    assert "reloader-dev = " in commands
    assert f"reloader_dev-{__version__}.data/scripts/reloader" in names
    assert f"reloader_dev-{__version__}.data/data/share/man/man1/reloader.1" in names
    assert not [name for name in names if name.startswith(("tests/", "distribution/"))]


def test_the_man_page_is_well_formed():
    """A formatter of man pages has nothing to say about it."""
    if shutil.which("groff") is None:
        pytest.skip("no groff here")
    line = ("groff", "-man", "-Tutf8", "-ww", "-z", str(man.PAGE))
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    assert done.stderr == ""


def test_the_sums_hold(dist):
    """SHA256SUMS is what sha256sum checks."""
    subprocess.run(("sha256sum", "--check", "--strict", "SHA256SUMS"), cwd=dist, check=True)
