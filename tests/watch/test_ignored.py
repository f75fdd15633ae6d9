"""Files that git ignores, in a real repository and beside one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reloader.config.model import Engine, Layer, Origin
from reloader.light import replace
from reloader.watch.gitfiles import GitIgnores, filter_of
from reloader.watch.gitindex import GitIndex
from tests.watch.apart import files
from tests.watch.seeing import Seeing, config_for

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


@pytest.mark.parametrize(
    ("place", "before", "after"),
    [
        ("root/.git/info/exclude", "mine\n", "\n"),
        ("home/rules/ignored", "mine/\n", "\n"),
        (".gitignore", "root/mine\n", "\n"),
    ],
)
def test_rules_outside_the_tree_that_are_edited(
    repository: Path, place: str, before: str, after: str
) -> None:
    """They hold at once, too: .git/info/exclude, core.excludesFile, those of folders above."""
    (repository / ".git/info/exclude").write_text("")
    if place == ".gitignore":  # the repository is the folder above
        (repository / ".git").rename(repository.parent / ".git")
    home = repository.parent / "home"
    (home / ".gitconfig").write_text("[core]\n\texcludesFile = ~/rules/ignored\n")
    (home / "rules").mkdir()
    (repository.parent / place).write_text(before)
    with Seeing(repository, Engine.NATIVE, since_ns=time.time_ns() + 10**9) as it:
        (repository / "mine/d.py").write_text("nothing")
        it.settle()
        assert not it.seen
        (repository.parent / place).write_text(after)
        it.wait_for(lambda: len(it.started) == 2)
        it.forget()
        (repository / "mine/d.py").write_text("counts")
        it.wait_to_see("mine/d.py")


@pytest.mark.parametrize("version", [2, 3, 4])
def test_what_git_tracks_is_not_ignored(repository: Path, version: int) -> None:
    """Whatever patterns say: a file in an ignored folder, and one that is ignored by its name."""
    files(repository, "gen/deep/f.py", "gen/other.py", "sub/x.gen.py", "src/gen/f.py", "src/x.py")
    git(repository, "add", ".")
    git(repository, "add", "-f", "gen/b.py", "gen/deep/f.py", "sub/c.gen.py")
    if version == 3:  # an entry of it has more flags
        git(repository, "add", "-fN", "all/e.py")
    git(repository, "update-index", "--index-version", str(version))
    assert (repository / ".git/index").read_bytes()[7] == version
    rules = filter_of(config_for(repository))
    for path in ("gen/b.py", "gen/deep/f.py", "sub/c.gen.py", "src/x.py"):
        assert rules.decide(f"{repository}/{path}").needs, path
    assert bool(rules.decide(f"{repository}/all/e.py").needs) == (version == 3)
    for path in ("gen/other.py", "sub/x.gen.py", "mine/d.py"):
        assert not rules.decide(f"{repository}/{path}").needs, path
    assert '.gitignore:1 "/gen/"' in rules.decide(f"{repository}/gen/other.py").because
    assert not rules.enters(f"{repository}/mine")


@given(
    st.sets(
        st.lists(st.sampled_from(["a", "gen", "b.py", "x" * 90]), min_size=1, max_size=3).map(
            "/".join
        ),
        max_size=8,
    )
)
@settings(max_examples=25, deadline=None)
def test_an_index_has_what_git_lists(paths: set[str]) -> None:
    """For files and folders, in each version; names that others begin with are others."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        git(root, "init", "-q")
        for path in sorted(paths):
            with suppress(OSError):  # a folder of that name is there
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text("")
        git(root, "add", "-A")
        listed = subprocess.check_output(["git", "-C", root, "ls-files"], text=True).split()
        folders = {str(above) for path in listed for above in Path(path).parents} - {"."}
        for version in (2, 4):
            git(root, "update-index", "--index-version", str(version))
            index = GitIndex(str(root / ".git"), str(root))
            for path in {*paths, *listed, *folders, "a", "gen", "gen/a", "b.py", "py", "x"}:
                assert index.has(f"{root}/{path}", is_folder=False) == (path in listed)
                assert index.has(f"{root}/{path}", is_folder=True) == (path in folders)


def test_without_a_repository(tmp_path: Path) -> None:
    """Without .git, as in a container, the project's .gitignore still says what is made."""
    files(tmp_path, "a.py", "b.py")
    (tmp_path / ".gitignore").write_text("b.py")
    ignores = GitIgnores(str(tmp_path))(str(tmp_path), None)
    assert ignores.why(f"{tmp_path}/b.py", is_folder=False)
    assert not ignores.why(f"{tmp_path}/a.py", is_folder=False)
