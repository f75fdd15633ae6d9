"""Files that git ignores, in a real repository and beside one."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from reloader.config.model import Engine, Layer, Origin
from reloader.light import replace
from reloader.watch.gitfiles import GitIgnores, filter_of
from tests.watch.apart import files
from tests.watch.seeing import Seeing, config_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="SKIPPED: no git here")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, "-c", "user.name=x", *words], check=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with rules in each of the places that git knows."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q")
    files(root, "a.py", "gen/b.py", "sub/c.gen.py", "sub/keep.gen.py", "mine/d.py", "all/e.py")
    (root / ".gitignore").write_text("/gen/\n*.gen.py\n")
    (root / "sub/.gitignore").write_text("!keep.gen.py\n")
    (root / ".git/info/exclude").write_text("mine\n")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/.gitconfig").write_text("[core]\n\texcludesFile = ~/ignored\n")
    (tmp_path / "home/ignored").write_text("all/\n")
    return root


def test_each_of_gits_sources(repository: Path) -> None:
    """What git ignores does not count, and the reason names file and line."""
    rules = filter_of(config_for(repository))
    why = {
        "gen/b.py": '.gitignore:1 "/gen/"',
        "sub/c.gen.py": '.gitignore:2 "*.gen.py"',
        "mine/d.py": f'{repository}/.git/info/exclude:1 "mine"',
        "all/e.py": f'{repository.parent}/home/ignored:1 "all/"',
    }
    for path, line in why.items():
        decision = rules.decide(f"{repository}/{path}")
        assert not decision.needs
        assert line in decision.because or line.removeprefix(f"{repository}/") in decision.because
    for path in ("a.py", "sub/keep.gen.py"):
        assert rules.decide(f"{repository}/{path}").needs
    assert not rules.enters(f"{repository}/gen")


def test_what_is_asked_for_counts(repository: Path) -> None:
    """A list of extensions, a named file or folder, an env file: git has no say there."""
    config = config_for(repository, include_file=("gen/b.py",), include_dir=(".", "mine"))
    config = replace(config, env_files=("gen/.env",))
    rules = filter_of(config)
    for path in ("gen/b.py", "mine/d.py", "gen/.env"):
        assert rules.decide(f"{repository}/{path}").needs, path
    by_user = replace(config, origins={"build.include_ext": Origin(Layer.FILE)})
    assert filter_of(by_user).decide(f"{repository}/all/e.py").needs
    assert filter_of(replace(config, is_air=True)).decide(f"{repository}/all/e.py").needs


def test_a_project_in_an_ignored_folder(repository: Path) -> None:
    """It is a project all the same; its own rules hold."""
    files(repository, "gen/app/x.py", "gen/app/y.py")
    (repository / "gen/app/.gitignore").write_text("y.py\n")
    rules = filter_of(config_for(repository / "gen/app"))
    assert rules.decide(f"{repository}/gen/app/x.py").needs
    assert not rules.decide(f"{repository}/gen/app/y.py").needs


def test_a_root_below_the_repository(repository: Path) -> None:
    """Rules of the folders above hold; a worktree shares what is excluded."""
    rules = filter_of(config_for(repository / "sub"))
    assert not rules.decide(f"{repository}/sub/c.gen.py").needs
    assert rules.decide(f"{repository}/sub/keep.gen.py").needs
    git(repository, "add", ".")
    git(repository, "-c", "user.email=x@y", "commit", "-qm", "x")
    tree = repository.parent / "tree"
    git(repository, "worktree", "add", "-q", str(tree))
    files(tree, "mine/d.py", "z.py")
    rules = filter_of(config_for(tree))
    assert rules.decide(f"{tree}/z.py").needs
    assert not rules.decide(f"{tree}/mine/d.py").needs


def test_rules_that_are_edited(repository: Path) -> None:
    """An edited .gitignore holds at once; that is no change of the app."""
    late = time.time_ns() + 10**9
    with Seeing(repository, Engine.NATIVE, since_ns=late) as it:
        (repository / "gen/b.py").write_text("nothing")
        it.settle()
        assert not it.seen
        (repository / ".gitignore").write_text("*.gen.py\n")
        it.wait_for(lambda: len(it.started) == 2)
        it.forget()
        (repository / "gen/b.py").write_text("counts")
        it.wait_to_see("gen/b.py")
        assert set(it.seen) == {"gen/b.py"}


def test_without_a_repository(tmp_path: Path) -> None:
    """Without .git, as in a container, the project's .gitignore still says what is made."""
    files(tmp_path, "a.py", "b.py")
    (tmp_path / ".gitignore").write_text("b.py")
    ignores = GitIgnores(str(tmp_path))(str(tmp_path), None)
    assert ignores.why(f"{tmp_path}/b.py", is_folder=False)
    assert not ignores.why(f"{tmp_path}/a.py", is_folder=False)
