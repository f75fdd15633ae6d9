"""One line a reload: its parts wait, and come out if it fails or takes long."""

from __future__ import annotations

import pytest

from reloader.config.model import Terminal
from reloader.core.news import (
    AppDropped,
    AppExited,
    AppReady,
    AppStarted,
    AppStopped,
    BuildCancelled,
    BuildFailed,
    BuildStarted,
    BuildSucceeded,
    ChangeSeen,
    Greeted,
    QuitFinished,
    QuitStarted,
    StartFailed,
    Warned,
)
from reloader.light import replace
from reloader.report.footer import Footer
from reloader.report.reloads import LONG, SOON, Reloads
from reloader.report.title import Title

SAVE = ChangeSeen("a.go", 3)
BUILD = (BuildStarted("make", 7), BuildSucceeded("make", 14.0))
STOP = AppStopped(4, 0.05, killed=False)
FIRST = (*BUILD, AppStarted("./a", 4), AppReady(4, 1, 0.9, "http://127.0.0.1:8080"))
START = AppStarted("./a", 5, 2, "a.go", 3, 0.8)
READY = AppReady(5, 2, 0.91, "http://127.0.0.1:8080", "a.go", 3)


def told(*news, reloads=None):
    reloads, lines = reloads or Reloads(), []
    for now, item in enumerate(news):
        reloads, more = reloads.after(item, float(now))
        lines += more
    return reloads, [f"{line.verb} {line.text}" for line in lines]


KNOWN, FIRST_LINES = told(*FIRST)


def test_the_first_start_is_told_in_full():
    """The command and the address are worth a line each."""
    assert FIRST_LINES == [
        "build make  14.0s",
        "run ./a  pid 4",
        "ready 0.90s  http://127.0.0.1:8080",
    ]


@pytest.mark.parametrize(
    "parts",
    [
        (SAVE, *BUILD, STOP, START, READY),
        (SAVE, STOP, START, READY),
        (SAVE, START, READY, STOP),  # overlap
        (SAVE, BuildStarted("make", 7), BuildCancelled("make", 1.0), SAVE, *BUILD, START, READY),
    ],
)
def test_a_good_reload_is_one_line(parts):
    """From the save to the first answer; the address is where it answers."""
    reloads, lines = told(*parts, reloads=KNOWN)
    assert lines == ["reloaded a.go (+2)  0.91s  http://127.0.0.1:8080"]
    assert reloads.due(LONG) is None


def test_a_warm_start_is_told():
    """People see by which way the app came."""
    start = replace(START, how="warm")
    assert told(SAVE, start)[1] == ["reloaded a.go (+2)  0.80s (warm)  pid 5"]
    lines = told(SAVE, start, READY, reloads=KNOWN)[1]
    assert lines == ["reloaded a.go (+2)  0.91s (warm)  http://127.0.0.1:8080"]


def test_an_app_that_lives_for_a_while_is_not_told():
    """It may never listen; the reload was told when the app began to run."""
    assert told(SAVE, START, AppReady(5, 2, 1.1, "", "a.go", 3))[1][1:] == []


def test_an_app_that_never_listens_is_reloaded_when_it_runs():
    """Nobody waits for a readiness that this run has not seen."""
    assert told(SAVE, *BUILD, STOP, START)[1] == ["reloaded a.go (+2)  0.80s  pid 5"]


@pytest.mark.parametrize(
    ("end", "last"),
    [
        ((BuildStarted("make", 7), BuildFailed("make", "exit 2", 1.0, 4)), "build failed: exit 2"),
        ((*BUILD, STOP, START, AppExited(5, False, "exit 1", 1.0, None)), "exit pid 5: exit 1"),
        ((*BUILD, STOP, StartFailed("app", "./a", "not found", None)), "app ./a: not found"),
        ((*BUILD, START, AppDropped(5, 2, "exit 1", 1.0, 4)), "swap pid 5: exit 1"),
        ((*BUILD, AppStopped(4, 5.0, killed=True)), "stop pid 4  killed"),
        ((QuitStarted("SIGINT"),), "quit SIGINT"),
    ],
)
def test_a_reload_that_fails_tells_how_far_it_came(end, last):
    """Every part that has waited, in its order, and then what went wrong."""
    _, lines = told(SAVE, *end, reloads=KNOWN)
    assert lines[0] == "change a.go (+2)"
    assert lines[-1].startswith(last)
    assert len(lines) >= len([one for one in end if not isinstance(one, BuildStarted)]) + 1


def test_all_is_told_at_the_end():
    """After the signal each line comes as it is."""
    lines = told(QuitStarted("SIGINT"), STOP, QuitFinished(0.1), reloads=KNOWN)[1]
    assert lines == ["quit SIGINT", "stop pid 4  in 0.05s", "bye in 0.10s"]


def test_a_note_does_not_end_the_wait():
    """A remark comes out at once, and the reload is still one line."""
    lines = told(SAVE, Warned("x"), STOP, START, READY, reloads=KNOWN)[1]
    assert lines == ["note x", "reloaded a.go (+2)  0.91s  http://127.0.0.1:8080"]


def test_a_long_build_is_told_before_its_end():
    """Once, with the time that the last one took; the lines that have waited come before."""
    reloads, _ = told(SAVE, BuildStarted("make", 7), reloads=KNOWN)
    assert reloads.due(LONG) == 1.0 + LONG
    assert reloads.due(SOON) == 1.0 + SOON
    assert reloads.waiting(1.5).text == "make  0.50s, last time 14.0s"
    reloads, lines = reloads.overdue(4.2)
    assert [f"{line.verb} {line.text}" for line in lines] == [
        "change a.go (+2)",
        "build make  3s, last time 14.0s",
    ]
    assert reloads.due(LONG) is None
    lines = told(BuildSucceeded("make", 5.0), STOP, START, READY, reloads=reloads)[1]
    assert lines[0] == "build make  5.00s"
    assert lines[-1].startswith("reloaded a.go")


def test_an_old_version_that_is_slow_to_stop_is_no_silence():
    """The lines so far come out, with a build before it and without one."""
    for parts in ((SAVE,), (SAVE, *BUILD)):
        reloads, lines = told(*parts, reloads=KNOWN)
        assert (lines, reloads.due(SOON)) == ([], len(parts) - 1 + LONG)
        reloads, lines = reloads.overdue(9.0)
        assert lines[0].verb == "change"
        assert len(lines) == (2 if len(parts) > 1 else 1)
        assert reloads.due(SOON) is None


def test_a_long_start_is_told():
    """The app was ready before, so that it will be again is what people wait for."""
    reloads, _ = told(SAVE, STOP, START, reloads=KNOWN)
    assert reloads.waiting(2.5).verb == "start"
    assert [line.verb for line in reloads.overdue(5.0)[1]] == ["change", "stop", "run", "start"]


def test_the_footer(monkeypatch):
    """The last row is taken, drawn, and given back; a small terminal or a busy one has none."""
    drawn: list[str] = []
    size, free = [(80, 24)], [True]
    monkeypatch.setattr("os.get_terminal_size", lambda _: size[0])
    footer = Footer(drawn.append, 2, lambda: free[0])
    assert footer.show("x" * 100)
    assert "\x1b[1;23r" in drawn[0]
    assert "\x1b[24;1H" in drawn[1] and "x" * 79 in drawn[1] and "x" * 80 not in drawn[1]
    assert footer.show("y\x1b]0;z\x07") and footer.is_shown
    assert "\x1b]0" not in drawn[2]
    free[0] = False
    assert not footer.show("z")
    assert not footer.is_shown
    assert "\x1b[r" in drawn[-1]
    free[0], size[0] = True, (80, 3)
    assert not footer.show("z")
    count = len(drawn)
    footer.hide()
    assert len(drawn) == count


@pytest.mark.parametrize("environ", [{"WT_SESSION": "1"}, {"TERM_PROGRAM": "iTerm.app"}, {}])
def test_the_title_and_the_tab(environ):
    """The state is in the title; OSC 9;4 goes to terminals that know it, once a state."""
    drawn: list[str] = []
    title = Title(drawn.append, Terminal(), environ, "shop\x07")
    for news in (
        *(Greeted("1", "", 1), BuildStarted("make", 1), BuildFailed("make", "exit 1", 1.0, 0)),
        *(BuildStarted("make", 1), BuildSucceeded("make", 20.0), START, READY, QuitFinished(0.1)),
    ):
        title(news)
    titles = [text for text in drawn if text.startswith("\x1b]2;")]
    assert titles == [
        f"\x1b]2;shop\\x07{state}\x07"
        for state in ("", ": building", ": build failed", ": building", "")
    ]
    progress = [text[6:-1] for text in drawn if text.startswith("\x1b]9;4;")]
    assert progress == (["0", "3", "2;100", "3", "0"] if "WT_SESSION" in environ else [])
    assert (drawn[0], drawn[-1]) == ("\x1b[22;2t", "\x1b[23;2t")
    assert "\x07" not in drawn


def test_the_bell():
    """After a failure and after a long build, if it is asked for."""
    drawn: list[str] = []
    title = Title(drawn.append, Terminal(title=False, bell=True), {}, "x")
    for news in (BuildSucceeded("make", 2.0), BuildSucceeded("make", 12.0)):
        title(news)
    title(BuildFailed("make", "exit 1", 0.1, 0))
    assert drawn == ["\x07", "\x07"]
    assert not any(Title(drawn.append, Terminal(), {}, "x")._ring(True) or [])
    assert drawn == ["\x07", "\x07"]
