"""What git is doing, seen from its folder."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from reloader.core.facts import GitMoved
from reloader.watch.git import Repository

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b")
    done = subprocess.run(
        ("git", *identity, *words), cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.py").write_text("1")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    return folder


def state(folder: Path) -> GitMoved:
    found = Repository.of(str(folder))
    assert found
    return found.state()


def test_a_branch(project):
    """The branch is named, seen from any folder below too."""
    (project / "deep/er").mkdir(parents=True)
    git(project, "checkout", "-qb", "feature/x")
    assert state(project / "deep/er") == GitMoved(busy=False, head="feature/x")


def test_a_commit(project):
    """Where no branch is checked out the commit is named."""
    commit = git(project, "rev-parse", "HEAD")
    git(project, "checkout", "-q", commit)
    assert state(project).head == commit[:9]


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock", "rebase-merge", "rebase-apply"])
def test_at_work(project, name):
    """What git leaves lying while it works says so."""
    (project / ".git" / name).mkdir()
    assert state(project).busy


def aged(*paths: Path) -> None:
    """They look as if nothing had happened there for a minute."""
    for path in paths:
        os.utime(path, (time.time() - 60,) * 2, follow_symlinks=False)


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock", "rebase-merge"])
def test_a_lock_that_was_left(project, name):
    """An old one that nobody holds open is no work: git was killed, or waits for a person."""
    lock = project / ".git" / name
    lock.mkdir() if name == "rebase-merge" else lock.touch()
    aged(lock, project / ".git")
    assert not state(project).busy


def test_an_old_lock_that_is_held(project):
    """A long checkout holds its lock open to the end."""
    with (project / ".git/index.lock").open("w"):
        aged(project / ".git/index.lock", project / ".git")
        found = Repository.of(str(project))
        assert found.state().busy
        assert found.state().busy


@pytest.mark.parametrize(
    ("folder", "lock"),
    [(".hg", "wlock"), (".sl", "wlock"), (".jj", "working_copy/working_copy.lock")],
)
def test_other_tools_at_work(tmp_path, folder, lock):
    """Mercurial, Sapling and Jujutsu lock the working copy while they update it."""
    path = tmp_path / folder / lock
    path.parent.mkdir(parents=True)
    assert not state(tmp_path).busy
    assert str(path.parent) in Repository.of(str(tmp_path)).folders
    path.touch()
    assert state(tmp_path).busy
    aged(path, path.parent)
    assert not state(tmp_path).busy


def test_a_lock_that_names_its_owner(tmp_path):
    """Mercurial's is a link to "host:pid": held as long as that process lives."""
    (tmp_path / ".hg").mkdir()
    (tmp_path / ".hg/branch").write_text("default\n")
    lock = tmp_path / ".hg/wlock"
    lock.symlink_to(f"{socket.gethostname()}:{os.getpid()}")
    aged(lock, tmp_path / ".hg")
    assert state(tmp_path) == GitMoved(busy=True, head="default")
    lock.unlink()
    lock.symlink_to(f"{socket.gethostname()}:999999999")
    aged(lock, tmp_path / ".hg")
    assert not state(tmp_path).busy


def test_jujutsu_beside_git(project):
    """Both are looked at; the branch is git's."""
    (project / ".jj/working_copy").mkdir(parents=True)
    (project / ".jj/working_copy/working_copy.lock").touch()
    assert state(project) == GitMoved(busy=True, head="main")


def test_a_rebase_that_waits_for_a_person(project):
    """It is at work, on the branch that is rebased."""
    git(project, "checkout", "-qb", "x")
    (project / "a.py").write_text("2")
    git(project, "commit", "-qam", "two")
    git(project, "checkout", "-q", "main")
    (project / "a.py").write_text("3")
    git(project, "commit", "-qam", "three")
    git(project, "checkout", "-q", "x")
    with pytest.raises(subprocess.CalledProcessError):
        git(project, "rebase", "main")
    assert state(project) == GitMoved(busy=True, head="x")
    git(project, "rebase", "--abort")
    assert state(project) == GitMoved(busy=False, head="x")


def test_a_worktree(project, tmp_path):
    """Its state is its own."""
    git(project, "worktree", "add", "-q", "-b", "other", str(tmp_path / "tree"))
    assert state(tmp_path / "tree").head == "other"
    assert state(project).head == "main"


def test_none(tmp_path):
    """No repository, or one whose folder is gone, is none."""
    assert Repository.of(str(tmp_path)) is None
    (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
    assert Repository.of(str(tmp_path)) is None
