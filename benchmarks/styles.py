"""How files get saved: what editors, formatters and git do to them, call by call.

What editors and pip do is done again here, so that none of them is needed; `sed` and `git` are the
real ones.
"""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILES = 500  # beside main.py; git writes them first, for it goes by the alphabet
COMMITS = 10
_GIT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{
        f"GIT_{who}_{what}": "bench@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
}


class Project:
    """A folder with main.py and 500 sources beside it, and its git history."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.main = folder / "main.py"
        self.edits = 0
        (folder / "app").mkdir()
        (folder / ".gitignore").write_text(".*.toml\n*~\n")
        self.git("init", "--quiet", "--initial-branch=old")
        self.git("config", "gc.auto", "0")
        self._write_all("old")
        self._commit("old")
        self._branch_of_commits()
        self._branch("new")
        self.git("checkout", "--quiet", "old")

    def _branch(self, name: str) -> None:
        """One commit that changes all files."""
        self.git("checkout", "--quiet", "-b", name, "old")
        self._write_all(name)
        self._commit(name)

    def _branch_of_commits(self) -> None:
        """Ten commits: each changes the end of main.py, and one other file."""
        self.git("checkout", "--quiet", "-b", "work")
        for number in range(COMMITS):
            self.main.write_text(self.main.read_text() + f"work = {number}\n")
            (self.folder / f"work{number}.py").write_text("pass\n")
            self._commit(f"work {number}")
        self.git("checkout", "--quiet", "-b", "base", "old")
        self.main.write_text("base = 1\n" + self.main.read_text())
        self._commit("base")

    def _write_all(self, text: str) -> None:
        for number in range(FILES):
            (self.folder / f"app/part{number:03}.py").write_text(f"part = '{text} {number}'\n")
        # Long enough that git can merge its first line with its last ones.
        self.main.write_text(f"name = '{text}'\n" + "pass\n" * 20)

    def _commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def git(self, *words: str) -> None:
        done = subprocess.run(
            ["git", *words], check=False, cwd=self.folder, env=_GIT, text=True, capture_output=True
        )
        if done.returncode:
            raise RuntimeError(f"git {' '.join(words)} in {self.folder}: {done.stderr}")

    def text(self) -> bytes:
        """The next version of main.py."""
        self.edits += 1
        return b"edit = %d\n" % self.edits + b"pass\n" * 20

    def parts(self) -> list[bytes]:
        """The next version, in three parts."""
        lines = self.text().splitlines(keepends=True)
        return [lines[0], lines[1], b"".join(lines[2:])]

    def beside(self, name: str) -> Path:
        return self.folder / name


def write(path: Path, data: bytes, *, sync: bool = False) -> int:
    """In place; gives the moment before the close, at which all is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.write(descriptor, data)
    if sync:
        os.fsync(descriptor)
    now = time.monotonic_ns()
    os.close(descriptor)
    return now


def write_in_parts(path: Path, parts: list[bytes], pause: float) -> int:
    """Opened, and so empty, first; closed after the last part."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for part in parts:
        time.sleep(pause)
        os.write(descriptor, part)
    now = time.monotonic_ns()
    os.close(descriptor)
    return now


def rename(old: Path, new: Path) -> int:
    now = time.monotonic_ns()
    old.rename(new)
    return now


def written(path: Path) -> int:
    """When another process has written it last."""
    return time.monotonic_ns() - (time.time_ns() - path.stat().st_ctime_ns)


def in_place(project: Project) -> int:
    return write(project.main, project.text())


def chunks(project: Project) -> int:
    return write_in_parts(project.main, project.parts(), 0.005 / 3)


def vim(project: Project) -> int:
    probe, backup = project.beside("4913"), project.beside("main.py~")
    write(probe, b"")
    probe.unlink()
    project.main.rename(backup)
    now = write(project.main, project.text(), sync=True)
    project.main.chmod(0o644)
    backup.unlink()
    return now


def vscode(project: Project) -> int:
    temporary = project.beside("main.py.vsctmp")
    write(temporary, project.text(), sync=True)
    return rename(temporary, project.main)


def jetbrains(project: Project) -> int:
    new, old = project.beside("main.py___jb_tmp___"), project.beside("main.py___jb_old___")
    write(new, project.text())
    project.main.rename(old)
    now = rename(new, project.main)
    old.unlink()
    return now


def emacs(project: Project) -> int:
    lock, backup = project.beside(".#main.py"), project.beside("main.py~")
    lock.symlink_to("user@host.1:1")
    project.main.rename(backup)
    now = write(project.main, project.text(), sync=True)
    project.main.chmod(0o644)
    lock.unlink()
    return now


def gedit(project: Project) -> int:
    temporary = project.beside(".goutputstream-A1B2C3")
    write(temporary, project.text(), sync=True)
    return rename(temporary, project.main)


def sed(project: Project) -> int:
    project.edits += 1
    script = f"1s/.*/edit = {project.edits}/"
    subprocess.run(["sed", "-i", script, str(project.main)], check=True)
    return written(project.main)


def save_all(project: Project) -> int:
    for number in range(9):
        write(project.beside(f"app/part{number:03}.py"), project.text())
    return write(project.main, project.text())


def formatter(pause: float) -> Callable[[Project], int]:
    def save(project: Project) -> int:
        write(project.main, project.text())
        time.sleep(pause)
        return write(project.main, project.text())

    return save


def on(*words: str) -> Callable[[Project], None]:
    def prepare(project: Project) -> None:
        project.git("checkout", "--quiet", "--force", *words)

    return prepare


def checkout(project: Project) -> int:
    project.git("checkout", "--quiet", "new")
    return written(project.main)


def rebase(project: Project) -> int:
    project.git("rebase", "--quiet", "base")
    return written(project.main)


def pip_install(project: Project) -> int:
    """What setuptools writes into the project, and pip into its .venv, for a small package."""
    info = project.beside("tiny.egg-info")
    info.mkdir(exist_ok=True)
    for name in ("PKG-INFO", "dependency_links.txt", "top_level.txt", "SOURCES.txt", "SOURCES.txt"):
        write(info / name, b"text\n")
    time.sleep(0.2)
    site = project.beside(".venv/lib/python3/site-packages")
    (site / "tiny.dist-info").mkdir(parents=True, exist_ok=True)
    write(site / "__editable__.tiny.pth", b"import tiny\n")
    write(site / "__editable___tiny_finder.py", b"pass\n")
    return write(site / "tiny.dist-info/RECORD", b"text\n")


def slow(project: Project) -> int:
    return write_in_parts(project.main, project.parts(), 1 / 3)


def slow_new(project: Project) -> int:
    parts = project.parts()
    return write_in_parts(project.beside(f"new{project.edits}.py"), parts, 1 / 3)


@dataclass(frozen=True)
class Style:
    """A way to save.

    `save` gives the moment (monotonic, nanoseconds) at which the last text was there; `wanted`: how
    many starts it is worth; `prepare`: what has to be done before, unmeasured; `elsewhere`: main.py
    stays as it is, so that only a start after the save has read it all.
    """

    name: str
    save: Callable[[Project], int]
    wanted: int = 1
    prepare: Callable[[Project], None] | None = None
    elsewhere: bool = False


STYLES = (
    Style("in place", in_place),
    Style("3 chunks over 5 ms", chunks),
    Style("vim (4913, backup)", vim),
    Style("VS Code, atomic", vscode),
    Style("JetBrains (`___jb_tmp___`)", jetbrains),
    Style("emacs (lock, backup)", emacs),
    Style("gedit (`.goutputstream-`)", gedit),
    Style("`sed -i`", sed),
    Style("save all, 10 files", save_all),
    Style("formatter after 30 ms", formatter(0.030)),
    Style("formatter after 150 ms", formatter(0.150), wanted=2),
    Style(f"`git checkout`, {FILES} files", checkout, prepare=on("old")),
    Style(f"`git rebase`, {COMMITS} commits", rebase, prepare=on("-B", "rebased", "work")),
    Style("`pip install -e`, what it writes", pip_install, wanted=0),
    Style("slow writer, 3 parts over 1 s", slow),
    Style("slow writer, a new file", slow_new, elsewhere=True),
)
