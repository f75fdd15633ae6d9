"""The mark tells whose a process is, and never takes another run's for ours."""

from __future__ import annotations

import resource

import pytest

from reloader.process.mark import NAME, inherited, new_run, stamped, ticket_in, ticket_in_limits


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


def limits(soft: object) -> bytes:
    """/proc/PID/limits, of which only one line matters."""
    return f"Max open files  1024 4096 files\nMax file locks   {soft}   unlimited  locks\n".encode()


def marked_limit(run: str, ticket: int) -> int:
    with inherited(run, ticket):
        return resource.prlimit(0, 10)[0]


def test_the_limit_holds_run_and_ticket() -> None:
    """Another run's, no mark at all, and none to be read, are nobody's."""
    run, other = new_run(), new_run()
    assert ticket_in_limits(limits(marked_limit(run, 12)), run) == 12
    assert ticket_in_limits(limits(marked_limit(run, 12)), other) is None
    assert ticket_in_limits(limits("unlimited"), run) is None
    assert ticket_in_limits(b"", run) is None


def test_reloader_itself_keeps_its_limit() -> None:
    before = resource.prlimit(0, 10)
    assert marked_limit(new_run(), 1) != before[0]
    assert resource.prlimit(0, 10) == before
