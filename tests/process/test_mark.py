"""The mark tells whose a process is, and never takes another run's for ours."""

from __future__ import annotations

import pytest

from reloader.process.mark import NAME, is_effaced, new_run, stamped, ticket_in


def test_every_run_has_a_name_of_its_own() -> None:
    assert len({new_run() for _ in range(100)}) == 100


def test_it_comes_last_and_changes_nothing_else() -> None:
    """A title that is written over arguments and environment gets there last."""
    environ = {NAME: "outer:7", "A": "1", "B": "2"}
    marked = stamped(environ, "run", 3)
    assert list(marked.items()) == [("A", "1"), ("B", "2"), (NAME, "outer:7,run:3")]
    assert environ[NAME] == "outer:7"


@pytest.mark.parametrize(
    ("environ", "ticket"),
    [
        (b"A=1\0RELOADER_RUN=run:3\0", 3),
        (b"RELOADER_RUN=outer:1,run:12,inner:5\0A=1", 12),
        (b"RELOADER_RUN=run1:3\0", None),
        (b"RELOADER_RUN=arun:3\0", None),
        (b"RELOADER_RUN=run:\0", None),
        (b"RELOADER_RUN=run:x\0", None),
        (b"RELOADER_RUN2=run:3\0", None),
        (b"A=RELOADER_RUN=run:3\0", None),
        (b"", None),
        (b"\xff\0\0=", None),
    ],
)
def test_only_this_runs_mark_counts(environ: bytes, ticket: int | None) -> None:
    assert ticket_in(environ, "run") == ticket


def test_effaced_is_what_holds_no_setting_at_all() -> None:
    assert is_effaced(b"")
    assert is_effaced(b"nginx: master process\0\0\0")
    assert not is_effaced(b"PATH=/bin\0")
