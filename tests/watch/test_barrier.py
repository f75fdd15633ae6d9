"""A fact that is told behind the changes before it, whatever hears of them."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING

import pytest

from reloader.config.model import Engine
from reloader.core.facts import Noticed
from reloader.core.news import Warned
from reloader.watch import barrier, snapshot
from tests.watch.apart import files
from tests.watch.seeing import Seeing

if TYPE_CHECKING:
    from pathlib import Path


def behind(it: Seeing, text: str) -> set[str]:
    """The paths that were seen before a fact that is asked for now."""
    it.watcher.tell_behind(Noticed(Warned(text)))
    it.wait_for(lambda: text in it.warnings)
    return set(it.seen)


@pytest.mark.parametrize("engine", [Engine.NATIVE, Engine.POLL, Engine.WATCHFILES])
def test_all_that_was_saved_comes_before(engine: Engine, tmp_path: Path) -> None:
    """Saves in place and by a rename, new files, deletions: each is there, at once."""
    names = [f"d{number % 5}/f{number}.py" for number in range(40)]
    files(tmp_path, *names)
    dice = random.Random(engine.value)
    with Seeing(tmp_path, engine) as it:
        for turn in range(30):
            it.seen.clear()
            changed = set(dice.sample(names, dice.choice((1, 1, 2, 9))))
            for name in changed:
                path = tmp_path / name
                kind = dice.choice(("write", "replace", "delete" if path.exists() else "write"))
                if kind == "delete":
                    path.unlink()
                    continue
                temporary = path.with_suffix(".tmp") if kind == "replace" else path
                temporary.write_text(str(turn))
                temporary.replace(path)
            assert changed <= behind(it, f"turn {turn}")


def test_a_save_that_leaves_the_signature_is_seen_by_a_poller(tmp_path: Path) -> None:
    """Two saves within one tick of the clock look the same; the bytes tell."""
    files(tmp_path, "a.py")
    file = str(tmp_path / "a.py")
    with Seeing(tmp_path, Engine.POLL, poll_interval=60_000) as it:
        (tmp_path / "a.py").write_text("1")
        assert "a.py" in behind(it, "first")
        it.seen.clear()
        (tmp_path / "a.py").write_text("2")
        (poller,) = (p for p in it.watcher._polled._pollers.values() if p._tops)
        poller.tree.folders[str(tmp_path)].files["a.py"] = snapshot.see(file).sign
        assert behind(it, "second") == {"a.py"}


def test_a_look_that_hangs_lets_nothing_through(tmp_path: Path, monkeypatch) -> None:
    """It is told when the look has come back, never before; few are kept until then."""
    files(tmp_path, "a.py")
    with Seeing(tmp_path, Engine.POLL) as it:
        (poller,) = (p for p in it.watcher._polled._pollers.values() if p._tops)
        goes_on = threading.Event()
        honest = poller._look_at_pins
        monkeypatch.setattr(poller, "_look_at_pins", lambda: (goes_on.wait(10), honest()))
        for number in range(barrier._MOST + 5):
            it.watcher.tell_behind(Noticed(Warned(str(number))))
        for _ in range(5):
            it.turn(0.05)
        assert it.warnings == []
        goes_on.set()
        it.wait_for(lambda: str(barrier._MOST + 4) in it.warnings)
        assert "4" not in it.warnings


def test_it_waits_for_a_file_that_is_being_written(tmp_path: Path) -> None:
    """A new file is no change before it is closed; a fact behind it comes later."""
    files(tmp_path, "a.py")
    with Seeing(tmp_path, Engine.NATIVE) as it:
        with open(tmp_path / "b.py", "w") as file:
            file.write("1")
            file.flush()
            it.watcher.tell_behind(Noticed(Warned("behind")))
            for _ in range(5):
                it.turn(0.02)
            assert it.warnings == []
        it.wait_for(lambda: it.warnings)
        assert "b.py" in it.seen
