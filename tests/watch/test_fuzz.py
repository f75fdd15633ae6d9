"""Random work in a tree: what is told is what changed."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from reloader.config.model import Engine
from reloader.watch import engine_poll
from tests.watch.seeing import Seeing

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("a", "b", "c", "node_modules")
FILES = ("x.py", "y.py", "z.txt")


def names(root: Path) -> set[str]:
    """All that counts."""
    found = set()
    for folder, subs, files in os.walk(root):
        subs[:] = [name for name in subs if name != "node_modules"]
        found.update(
            os.path.relpath(os.path.join(folder, name), root)
            for name in files
            if name.endswith(".py") and not name.startswith("mark")
        )
    return found


def content(root: Path) -> dict[str, bytes]:
    """All that counts, and its bytes."""
    return {name: (root / name).read_bytes() for name in names(root)}


class Worker:
    """Does random things below a folder, and notes every path that counted at any moment."""

    def __init__(self, root: Path, outside: Path, seed: int) -> None:
        self.root, self.outside = root, outside
        self.random = random.Random(seed)
        self.number = itertools.count()
        self.ever: set[str] = set()

    def folder(self) -> Path:
        folders = [self.root, *(p for p in self.root.rglob("*") if p.is_dir())]
        return self.random.choice(folders)

    def file(self) -> Path:
        return self.folder() / self.random.choice(FILES)

    def text(self) -> str:
        return str(next(self.number)) * self.random.randint(1, 3)

    def step(self) -> None:
        work = [self.write, self.write, self.atomic, self.delete, self.mkdir, self.deep, self.chmod]
        work += [self.rmtree, self.rename_file, self.rename_folder, self.out, self.come]
        with contextlib.suppress(OSError, shutil.Error):
            self.random.choice(work)()
        self.ever |= names(self.root)

    def write(self) -> None:
        self.file().write_text(self.text())

    def atomic(self) -> None:
        file = self.file()
        file.with_suffix(".new").write_text(self.text())
        file.with_suffix(".new").replace(file)

    def delete(self) -> None:
        self.file().unlink()

    def mkdir(self) -> None:
        (self.folder() / self.random.choice(NAMES)).mkdir()

    def deep(self) -> None:
        folder = self.folder() / "d" / "e" / "f"
        folder.mkdir(parents=True)
        (folder / "x.py").write_text(self.text())

    def below(self) -> Path:
        folder = self.folder()
        if folder == self.root:
            raise OSError
        return folder

    def rmtree(self) -> None:
        shutil.rmtree(self.below())

    def rename_file(self) -> None:
        self.file().rename(self.file())

    def rename_folder(self) -> None:
        self.below().rename(self.folder() / self.random.choice(NAMES))

    def out(self) -> None:
        self.below().rename(self.outside / str(next(self.number)))

    def come(self) -> None:
        prepared = list(self.outside.iterdir())
        if prepared:
            self.random.choice(prepared).rename(self.folder() / self.random.choice(NAMES))

    def chmod(self) -> None:
        self.file().chmod(self.random.choice([0o600, 0o644, 0o755]))


@pytest.mark.parametrize(
    ("engine", "seed", "batches", "unchanged"),
    [
        *((Engine.NATIVE, seed, 40, False) for seed in range(4)),
        *((Engine.NATIVE, seed, 40, True) for seed in range(4, 6)),
        (Engine.POLL, 20, 8, False),
        (Engine.POLL, 21, 8, True),
        (Engine.WATCHFILES, 30, 15, False),
    ],
)
def test_what_is_told_is_what_changed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: Engine,
    seed: int,
    batches: int,
    unchanged: bool,
) -> None:
    monkeypatch.setattr(engine_poll, "_PAUSE", 0.01)
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    worker = Worker(root, outside, seed)
    for _ in range(40):
        worker.step()
    with Seeing(root, engine, since_ns=time.time_ns() + 10**9, exclude_unchanged=unchanged) as it:
        for _ in range(batches):
            before = content(root)
            worker.ever |= set(before)
            for _ in range(worker.random.randint(1, 25)):
                worker.step()
                if worker.random.random() < 0.2:
                    it.turn(0)
            it.settle()
            after = content(root)
            changed = {p for p in before.keys() | after.keys() if before.get(p) != after.get(p)}
            if engine is Engine.POLL:  # a round may end before it has come to every file
                it.wait_to_see(*changed)
            else:
                assert changed <= set(it.seen)
            assert set(it.seen) <= worker.ever
            it.forget()
