"""Saves that do nothing: told once a kind, and never for what a program writes."""

from __future__ import annotations

from reloader.watch.ignored import QUIET, IgnoredSaves

WHY = "include_ext"


def told(it: IgnoredSaves, now: float) -> list[str]:
    return [path for path, _ in it.due(now)]


def test_a_save_is_told_when_it_is_quiet():
    """Once for each kind of file."""
    it = IgnoredSaves()
    it.saved("config.yaml", WHY, 10.0)
    assert it.wake_at == 10.0 + QUIET
    assert told(it, 10.5) == []
    assert told(it, 11.0) == ["config.yaml"]
    assert it.wake_at is None
    it.saved("other.yaml", WHY, 20.0)
    it.saved("style.css", WHY, 20.0)
    assert told(it, 21.0) == ["style.css"]


def test_a_file_that_is_written_all_the_time_is_not_told():
    """A program writes it; a later save of another kind is told all the same."""
    it = IgnoredSaves()
    for tenth in range(30):
        it.saved("state.bin", WHY, 10 + tenth / 10)
        assert told(it, 10 + tenth / 10) == []
    assert told(it, 20.0) == []
    it.saved("x.css", WHY, 30.0)
    assert told(it, 31.0) == ["x.css"]


def test_many_files_at_once_are_no_save():
    """A build or a checkout writes them."""
    it = IgnoredSaves()
    for ending in ("js", "map", "css", "svg"):
        it.saved(f"dist/a.{ending}", WHY, 10.0)
    assert told(it, 11.0) == []


def test_temporary_files_and_logs_are_never_told():
    """Nobody saves these."""
    it = IgnoredSaves()
    for name in ("a.py~", ".a.swp", "app.log", "x.sqlite3-wal", "._a.css", "4913", "a.o"):
        it.saved(name, WHY, 10.0)
    assert it.wake_at is None
