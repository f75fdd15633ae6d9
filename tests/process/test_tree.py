"""How processes are seen: while they end, without a subreaper, without /proc."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from reloader.core.facts import TreeEmptied
from reloader.core.values import Status
from reloader.process import tree
from reloader.process.tree import ProcView
from tests.helpers.until import until
from tests.process.conftest import subreaper
from tests.process.lab import Lab, lives, run_program

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

NO_PROC = ("unshare", "-Urm", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")


def test_without_a_subreaper_daemons_are_found_by_their_mark(orphaned_lab: Lab) -> None:
    """No fact comes by itself then, but a kill that is repeated tells."""
    lab = orphaned_lab
    ticket = lab.start("daemon [ deaf TERM say kid pause ] exit 3")
    kid = lab.hear("kid")
    exited = lab.exited(ticket)
    assert exited.status == Status(code=3)
    assert exited.survivors >= 1

    def repeated() -> bool:
        lab.kill(ticket)
        return TreeEmptied(ticket) in lab.facts

    until(repeated)
    assert not lives(kid)


def test_negative_control_without_a_subreaper_and_a_mark_daemons_get_away(
    tmp_path: Path,
) -> None:
    """What the subreaper is for: the same daemon is not even seen."""
    subreaper(on=False)
    lab = Lab(tmp_path)  # believes that orphans come back
    ticket = lab.start("daemon [ say kid pause ] exit 0")
    kid = lab.hear("kid")
    assert lab.exited(ticket).survivors == 0
    assert lives(kid)
    os.kill(kid, signal.SIGKILL)
    until(lambda: not lives(kid))
    lab.close()


def test_a_kill_looks_until_it_finds_nothing_new(lab: Lab) -> None:
    """What was forked while we looked is found by the next look, in the same kill."""
    ticket = lab.start("daemon [ say kid pause ] say ready pause")
    late = lab.hear("kid")
    lab.hear("ready")

    class Late(ProcView):
        looks = 0

        def tops(self):
            self.looks += 1
            return (pid for pid in super().tops() if pid != late or self.looks > 1)

    lab.children._trees._seen_view = Late()
    lab.kill(ticket)
    until(lambda: not lives(late))


def test_orphans_that_come_to_us_while_we_look_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A parent that ends between two looks hands its children on; 0 survivors must be true."""
    lists = [[10, 11], [10, 11, 12], [10, 11, 12]]
    monkeypatch.setattr(tree, "_children", lambda _: iter(lists.pop(0)))
    assert list(ProcView().tops()) == [10, 11, 12]


def test_children_of_what_is_just_ending_are_seen(lab: Lab) -> None:
    """Between the loss of its memory and its end a process has no environment, but children."""
    ticket = lab.start("daemon [ group [ say kid pause ] say ending pause ] say ready exit 0")
    kid, ending = lab.hear("kid"), lab.hear("ending")

    class Ending(ProcView):
        def environ(self, pid):
            return None if pid == ending else super().environ(pid)

    lab.children._trees._seen_view = Ending()
    assert lab.exited(ticket).survivors >= 1
    lab.kill(ticket)
    until(lambda: not lives(kid))
    os.kill(ending, signal.SIGKILL)
    lab.emptied(ticket)


def test_without_proc_the_groups_are_ended_and_that_is_said() -> None:
    """What is left: true statuses, and everything that stayed in its group."""
    lines = run_program(
        """
        lab = Lab(Path("/"))
        assert not os.listdir("/proc")
        ticket = lab.start("fork [ deaf TERM say kid pause ] say ready exit 7")
        kid = lab.hear("kid")
        print(lab.exited(ticket))
        lab.kill(ticket)
        lab.emptied(ticket)
        (notice,) = [fact.news.text for fact in lab.facts if type(fact).__name__ == "Noticed"]
        print(notice.split(":")[0], lab.children.alive())
        ticket = lab.start("say ready pause")
        lab.hear("ready")
        lab.children.stop(ticket, signal.SIGTERM)
        print(lab.exited(ticket).status, lab.children.alive())
        """,
        *NO_PROC,
    )
    assert lines == [
        "ProcessExited(ticket=1, status=Status(code=7, signal=0), survivors=1)",
        "/proc can't be read False",
        "Status(code=0, signal=15) False",
    ]
