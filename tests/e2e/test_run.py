"""From a save to the new process, and to a clean end: the main job, from the command line."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from tests.helpers.project import ENTRYPOINT, PYTHON, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.project import Project

PLAIN = f"[build]\n{ENTRYPOINT}"


def test_first_start(project: Project) -> None:
    """The app runs in the project's folder, is announced with its pid, and nothing is built."""
    project.config(PLAIN)
    project.app("1")
    run = project.start()

    started = project.noted("START")
    assert [line["version"] for line in started] == ["1"]
    assert started[0]["cwd"] == str(project.folder)
    assert run.events("app.started")[0]["pid"] == started[0]["pid"]
    assert run.events("build.started") == []
    assert run.events("greeted")[0]["pid"] == run.pid
    assert [event["seq"] for event in run.stream] == list(range(1, run.seq + 1))
    assert {event["v"] for event in run.stream} == {1}


def test_one_change_is_one_reload(project: Project) -> None:
    """A save stops the old app, starts the new one, and does so exactly once."""
    project.config(PLAIN)
    project.app("1")
    run = project.start()

    project.app("2")
    first = project.wait_noted("START", version="2")
    project.app("3")
    project.wait_noted("START", version="3")

    assert project.versions() == ["1", "2", "3"]
    whats = [line["what"] for line in project.noted()]
    assert whats == ["START", "SIGTERM", "END"] * 2 + ["START"]
    assert run.wait_for("app.stopped", after=0)["killed"] is False
    assert run.wait_for("app.started", pid=first["pid"], after=0)
    assert [e["path"] for e in run.events("change.seen")] == ["app.py", "app.py"]


def test_pwd_is_the_directory_that_a_command_runs_in(project: Project) -> None:
    """A shell would set it, and make's $(PWD) trusts it: also where reloader runs elsewhere."""
    inner, said = project.folder / "inner", project.folder / "a.log"
    inner.mkdir()
    says = "import os, time; open('../a.log', 'w').write(os.environ['PWD']); time.sleep(999)"
    app = json.dumps([*PYTHON, "-c", says])
    build = 'cmd = "printenv PWD > ../b.log"'
    project.config(f'root = "inner"\n[build]\n{build}\nentrypoint = {app}\n')
    run = project.run()
    run.wait_for("app.started")
    until(said.is_file)
    until(said.read_text)
    assert said.read_text() == str(inner)
    assert (project.folder / "b.log").read_text() == f"{inner}\n"


def test_a_save_during_the_start_is_not_lost(project: Project) -> None:
    """What is saved as soon as the app is up, before the watch stands, runs in the end."""
    project.config(PLAIN)
    for index in range(400):  # the more there is to walk, the later the watch stands
        project.write(f"package_{index}/deep/module.py", "")
    project.app("1")
    project.run()

    project.wait_noted("START", version="1")
    project.app("2")

    project.wait_noted("START", version="2")


def burst(project: Project, count: int) -> bool:
    """`count` files arrive, each by itself; whether the machine let it be one burst."""
    ready, many = project.folder.parent / "ready", project.folder / "many"
    for folder in (ready, many):
        folder.mkdir()
    for index in range(count):
        (ready / f"m{index}.py").touch()
    times = [time.monotonic()]
    for index in range(count):
        os.rename(f"{ready}/m{index}.py", f"{many}/m{index}.py")
        times.append(time.monotonic())
    ready.rmdir()
    pauses = [late - early for early, late in itertools.pairwise(times)]
    # Two files are quiet after 2 ms, more after 20 ms, and no burst lasts longer than 1 s.
    return max(pauses[:4]) < 0.0015 and max(pauses) < 0.015 and times[-1] - times[0] < 0.8


def test_a_burst_of_2000_files_is_one_reload(project: Project) -> None:
    """2,000 files written in one go are seen as one change and lead to one start."""
    project.config(PLAIN)
    project.app("1")
    for _ in range(10):
        run = project.start()
        if burst(project, 2000):
            break
        # The machine stalled in the middle, so it was no single burst: once more.
        run.stop()
        shutil.rmtree(project.folder / "many")
    else:
        pytest.skip("the machine is too busy to write 2,000 files in one go")
    run.wait_for("app.started")

    # A sentinel: whatever were still to come of the burst would be told before it, or with it.
    project.save("sentinel.py", "")
    run.wait_for("app.started")

    seen = [(e["path"].split("/")[0], e["count"]) for e in run.events("change.seen")]
    assert seen == [("many", 2000), ("sentinel.py", 1)]
    assert len(run.events("app.started")) == 3


def new_file(project: Project) -> str:
    return str(project.write("new.py", "").relative_to(project.folder))


def new_folder(project: Project) -> str:
    """Made first, filled later."""
    (project.folder / "fresh").mkdir()
    return str(project.write("fresh/module.py", "").relative_to(project.folder))


def deep_folder(project: Project) -> str:
    """Made and written into at once."""
    return str(project.write("a/b/c/d/module.py", "").relative_to(project.folder))


def in_place(project: Project) -> str:
    project.write("lib.py", "x = 2\n")
    return "lib.py"


def atomic(project: Project) -> str:
    project.save("lib.py", "x = 3\n")
    return "lib.py"


def vim(project: Project) -> str:
    project.save_like_vim("lib.py", "x = 4\n")
    return "lib.py"


def delete(project: Project) -> str:
    (project.folder / "lib.py").unlink()
    return "lib.py"


def delete_folder(project: Project) -> str:
    shutil.rmtree(project.folder / "pkg")
    return "pkg/"


def rename(project: Project) -> str:
    (project.folder / "lib.py").rename(project.folder / "library.py")
    return "lib"


def rename_folder(project: Project) -> str:
    (project.folder / "pkg").rename(project.folder / "package")
    return "p"


def moved_in(project: Project) -> str:
    outside = project.folder.parent / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "inner" / "module.py").write_text("")
    outside.rename(project.folder / "inside")
    return "inside/inner/module.py"


def moved_out(project: Project) -> str:
    (project.folder / "pkg").rename(project.folder.parent / "elsewhere")
    return "pkg/"


@pytest.mark.parametrize(
    "edit",
    [
        new_file,
        new_folder,
        deep_folder,
        in_place,
        atomic,
        vim,
        delete,
        delete_folder,
        rename,
        rename_folder,
        moved_in,
        moved_out,
    ],
)
def test_every_kind_of_change_reloads(project: Project, edit: Callable[[Project], str]) -> None:
    """However a source changes, it is seen under its own name and the app is started again."""
    project.config(PLAIN)
    project.app()
    project.write("lib.py", "x = 1\n")
    project.write("pkg/module.py", "")
    run = project.start()

    path = edit(project)

    seen = run.wait_for("change.seen")
    assert seen["path"].startswith(path), run.report()
    run.wait_for("app.started")


def test_a_new_folder_stays_watched(project: Project) -> None:
    """A file in a folder that did not exist at the start reloads again with its second save."""
    project.config(PLAIN)
    project.app()
    run = project.start()
    deep_folder(project)
    run.wait_for("app.started")

    project.save("a/b/c/d/module.py", "x = 2\n")

    run.wait_for("change.seen", path="a/b/c/d/module.py")
    run.wait_for("app.started")


@pytest.mark.parametrize(
    "name",
    [
        ".git/HEAD.py",
        "node_modules/x/index.py",
        "__pycache__/m.py",
        ".venv/m.py",
        "notes.md",
        "a.py~",
    ],
)
def test_what_does_not_count_does_not_reload(project: Project, name: str) -> None:
    """A change in a tool's folder, or of a file that is no source, starts nothing."""
    project.config(PLAIN)
    project.app("1")
    (project.folder / name).parent.mkdir(parents=True, exist_ok=True)
    run = project.start()

    project.write(name, "x")
    project.app("2")

    project.wait_noted("START", version="2")
    assert [(e["path"], e["count"]) for e in run.events("change.seen")] == [("app.py", 1)]


def test_excluded_files_may_grow(project: Project) -> None:
    """What is written into an excluded file beside the sources starts nothing."""
    project.config(f'[build]\n{ENTRYPOINT}include_ext = ["*"]\nexclude_file = ["*.log"]\n')
    project.app("1")
    run = project.start()

    with open(project.folder / "server.log", "w") as log:
        for line in range(100):
            print(line, file=log, flush=True)
    project.write("sentinel.txt", "")

    run.wait_for("change.seen", path="sentinel.txt")
    assert {(e["path"], e["count"]) for e in run.events("change.seen")} == {("sentinel.txt", 1)}


def test_a_project_in_an_odd_folder(project: Project) -> None:
    """Blanks, quotes and letters outside ASCII in the folder's name are nothing special."""
    odd = project.folder.parent / "it's a “ö$HOME” 100% *"
    project.folder.rename(odd)
    project.folder = odd
    project.config(PLAIN)
    project.app("1")
    project.start()

    project.app("2")

    assert project.wait_noted("START", version="2")["cwd"] == os.fspath(odd)


def test_unreadable_bytes_in_names(project: Project) -> None:
    """A source whose name is no UTF-8 reloads, and the stream stays JSON."""
    project.config(PLAIN)
    project.app("1")
    run = project.start()

    with open(os.fsencode(project.folder) + b"/caf\xe9.py", "wb"):
        pass

    seen = run.wait_for("change.seen")
    assert seen["path"].encode(errors="surrogateescape") == b"caf\xe9.py"
    run.wait_for("app.started")


def test_a_change_of_mode_only_is_no_change(project: Project) -> None:
    """`chmod` and reading start nothing."""
    project.config(PLAIN)
    project.app("1")
    project.write("lib.py", "")
    run = project.start()

    (project.folder / "lib.py").chmod(0o600)
    (project.folder / "lib.py").read_text()
    project.app("2")

    project.wait_noted("START", version="2")
    assert [(e["path"], e["count"]) for e in run.events("change.seen")] == [("app.py", 1)]
