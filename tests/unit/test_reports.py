"""What people and programs are told: words, lines, JSON; and that nobody can make us wait."""

from __future__ import annotations

import json
import os
import pty
import re
from datetime import datetime, timezone
from typing import get_args

import pytest

from reloader.config.model import Color, Config, Log, Misc, Screen
from reloader.core import news
from reloader.core.news import (
    AppExited,
    AppStarted,
    AppStopped,
    BuildFailed,
    BuildSucceeded,
    ChangeSeen,
    Greeted,
    ProblemsFound,
    QuitFinished,
    RuleFailed,
    StartFailed,
    Warned,
    WatchStarted,
)
from reloader.core.values import Found
from reloader.light import fields
from reloader.report.buildlog import BuildLog
from reloader.report.bus import Bus
from reloader.report.console import Console, block, wants_color
from reloader.report.jsonl import JsonLines, encode, event_name
from reloader.report.lines import line_of
from reloader.report.text import duration, one_line
from reloader.report.writer import Writer


class Pipe:
    """A pipe whose reading end takes what there is."""

    def __init__(self):
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)

    def text(self) -> str:
        try:
            return os.read(self.reader, 1 << 20).decode()
        except BlockingIOError:
            return ""


@pytest.fixture
def pipe():
    made = Pipe()
    yield made
    os.close(made.reader)
    os.close(made.writer)


def shown(pipe, *news, config=None, environ=None, app="") -> str:
    console = Console(config or Config(), environ or {}, Writer(pipe.writer, 200), app)
    for item in news:
        console(item)
    return pipe.text()


def test_one_line_a_fact(pipe):
    """The lines of a day, aligned, with cause and duration."""
    assert shown(
        pipe,
        Greeted("0.1.0", ".reload.toml", 1),
        WatchStarted("inotify", 412, 1938),
        BuildSucceeded("go build -o ./tmp/main .", 0.8234),
        AppStarted("./tmp/main", 4121),
        ChangeSeen("handlers/user.go", 3),
        BuildFailed("go build -o ./tmp/main .", "exit 1", 0.312, 4121),
        BuildFailed("go build -o ./tmp/main .", "exit 1", 0.312, 0),
        AppStopped(4121, 0.051, killed=False),
        AppStopped(4121, 5, killed=True),
        AppExited(4122, ok=False, why="exit 3", seconds=125, restart_in=None),
        AppExited(4122, ok=False, why="killed by SIGSEGV", seconds=1, restart_in=0.5),
        StartFailed("app", "./tmp/main", "not found", None),
        RuleFailed("css", "npm run css", "exit 1", 61),
        QuitFinished(0.06),
    ) == (
        "reloader 0.1.0  .reload.toml\n"
        "watching 412 dirs, 1,938 files (inotify)\n"
        "build    go build -o ./tmp/main .  0.82s\n"
        "run      ./tmp/main  pid 4121\n"
        "change   handlers/user.go (+2)\n"
        "build    failed: exit 1  0.31s  go build -o ./tmp/main .  "
        "previous version still running (pid 4121)\n"
        "build    failed: exit 1  0.31s  go build -o ./tmp/main .\n"
        "stop     pid 4121  in 0.05s\n"
        "stop     pid 4121  killed after 5.00s\n"
        "exit     pid 4122: exit 3 after 2m 5s, waiting for file changes\n"
        "exit     pid 4122: killed by SIGSEGV after 1.00s, restarting in 0.5s\n"
        "app      ./tmp/main: not found, waiting for file changes\n"
        "css      failed: exit 1  1m 1s  npm run css\n"
        "bye      in 0.06s\n"
    )


@pytest.mark.parametrize("kind", get_args(news.News))
def test_every_news_has_words_and_json(kind):
    """No news is forgotten by the console or the JSON lines."""
    values = {
        "str": "x",
        "int": 1,
        "bool": True,
        "Seconds": 1.5,
        "Seconds | None": None,
        "tuple[str, ...]": ("a",),
        "tuple[Found, ...]": (Found("broken", "a.py", 7, 1, ((7, "x"),)),),
    }
    news = kind(**{item.name: values[str(item.type)] for item in fields(kind)})
    line_of(news)
    record = json.loads(encode(news, 7, datetime(2026, 1, 2, 3, 4, 5, 6000, timezone.utc)))
    assert record["v"] == 1
    assert record["seq"] == 7
    assert record["time"] == "2026-01-02T03:04:05.006Z"
    assert record["event"] == event_name(kind)
    assert set(record) == {"v", "seq", "time", "event"} | {item.name for item in fields(kind)}


def test_event_names():
    """Class names become dotted words."""
    assert event_name(BuildFailed) == "build.failed"
    assert event_name(Greeted) == "greeted"


@pytest.mark.parametrize(
    "name",
    ["x\x1b]0;pwn\x07.py", "a\nb", "\x9b2J", "\u202etxt.py", "\udcff.py", "\u2028", "\x7f"],
)
def test_nothing_from_outside_reaches_the_terminal(pipe, name):
    """File names are shown, never executed: one line, no control character, valid UTF-8."""
    text = shown(pipe, ChangeSeen(name, 1))
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028\ud800-\udfff]", text)
    assert "\\" in text


def test_json_is_one_ascii_line_whatever_the_name(pipe):
    """Odd names stay inside their string, and can be read back exactly."""
    report = JsonLines(pipe.writer)
    for name in ("a\nb", "\udcff", "\u2028</script>"):
        report(ChangeSeen(name, 1))
        line = pipe.text()
        assert line.isascii()
        assert line.count("\n") == 1
        assert json.loads(line)["path"] == name


def test_log_keys(pipe):
    """[log] is honoured: time, main_only, silent."""
    news = (Greeted("1", "", 1), ChangeSeen("a", 1), Warned("w"))
    assert re.fullmatch(
        r"(\[\d\d:\d\d:\d\d\] .+\n){3}", shown(pipe, *news, config=Config(log=Log(time=True)))
    )
    assert "change" not in shown(pipe, *news, config=Config(log=Log(main_only=True)))
    assert shown(pipe, *news, config=Config(log=Log(silent=True))) == ""


def test_banner(pipe):
    """misc.startup_banner replaces the first line, or hides it."""
    config = Config(misc=Misc(startup_banner="hello"))
    assert shown(pipe, Greeted("1", "", 1), config=config) == "hello\n"
    assert shown(pipe, Greeted("1", "", 1), config=Config(misc=Misc(startup_banner=""))) == ""


@pytest.mark.parametrize(
    ("mode", "environ", "terminal", "colored"),
    [
        ("", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"TERM": "dumb"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {}, True, False),
    ],
)
def test_when_colours_are_used(mode, environ, terminal, colored):
    """color.mode decides; on auto a terminal and NO_COLOR do."""
    assert wants_color(Color(mode=mode), environ, terminal) is colored


def test_colours_and_their_names(pipe):
    """Each part has its colour, what is bad is red, `raw` and unknown names have none."""
    config = Config(color=Color(mode="always", watcher="blue", runner="raw"))
    text = shown(pipe, ChangeSeen("a", 1), AppStarted("x", 1), Warned("w"), config=config)
    assert text == ("\x1b[34mchange  \x1b[0m a\nrun      x  pid 1\n\x1b[35mnote    \x1b[0m w\n")
    assert shown(pipe, BuildFailed("x", "exit 1", 1, 0), config=config).startswith("\x1b[31m")


def test_a_watch_without_files_is_explained(pipe):
    """A wrong include_ext would else look like a program that does nothing."""
    assert "reloader explain" in shown(pipe, WatchStarted("inotify", 1, 0))
    assert "reloader explain" not in shown(pipe, WatchStarted("inotify", 1, 1))


def test_a_line_names_its_app(pipe):
    """Where there are several, behind the time and before what is said."""
    text = shown(pipe, ChangeSeen("a.py", 1), Warned("x"), app="api   ")
    assert text == "api    | change   a.py\napi    | note     x\n"


@pytest.mark.parametrize(("keep", "code"), [(True, "\x1b[2J\x1b[H"), (False, "\x1bc")])
def test_clearing_the_screen(pipe, keep, code):
    """A terminal is cleared before a rebuild, a pipe never gets an escape byte."""
    config = Config(screen=Screen(clear_on_rebuild=True, keep_scroll=keep))
    assert "\x1b" not in shown(pipe, ChangeSeen("a", 1), config=config)
    ours, theirs = pty.openpty()
    console = Console(config, {"NO_COLOR": "1"}, Writer(theirs, 9))
    console(ChangeSeen("a", 1, rule="css"))
    console(ChangeSeen("a", 1))
    text = ""
    while text.count("change") < 2:  # a terminal gives line by line
        text += os.read(ours, 4096).decode()
    assert text.count(code) == 1
    assert text.index(code) > text.index("css")
    os.close(ours)
    os.close(theirs)


def test_a_reader_that_does_not_read_never_blocks(pipe):
    """Lines wait, then are dropped and counted; when it reads again it is told how many."""
    console = Console(Config(), {}, Writer(pipe.writer, 200))
    for number in range(3000):
        console(ChangeSeen(f"{'x' * 200}{number}", 1))
    text = ""
    while "late" not in text:
        console(ChangeSeen("late", 1))
        text += pipe.text()
    assert re.search(r"note +\d+ lines dropped", text)
    assert all(len(line) < 400 for line in text.split("\n"))


def test_a_long_record_is_written_whole(pipe):
    """A line longer than what a pipe takes at once is not torn."""
    writer = Writer(pipe.writer, 10)
    writer.write(b"x" * 200_000 + b"\n")
    writer.write(b"end\n")
    text = ""
    while not text.endswith("end\n"):
        text += pipe.text()
        writer.write(b"")
    assert text == "x" * 200_000 + "\nend\n"


def test_closed_and_broken_descriptors():
    """A closed stderr or a reader that is gone ends nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    console = Console(Config(), {}, Writer(writer, 9))
    console(Warned("a"))
    os.close(writer)
    console(Warned("b"))
    Console(Config(), {}, Writer(writer, 9))(Warned("c"))


def test_a_report_that_raises_is_dropped_and_told():
    """The others go on, and hear of it."""
    heard = []

    class Broken:
        name = "broken"

        def __call__(self, news):
            raise OSError("disk full")

    bus = Bus(Broken(), heard.append)
    bus.publish(Warned("one"))
    bus.publish(Warned("two"))
    assert heard == [Warned("one"), Warned("broken is off: disk full"), Warned("two")]


def test_the_build_log(tmp_path):
    """Failed builds are appended; a link in its place is refused."""
    log = BuildLog(str(tmp_path / "tmp" / "build.log"))
    log(BuildSucceeded("make", 1))
    assert not (tmp_path / "tmp").exists()
    log(BuildFailed("make", "exit 2", 0.5, 0))
    log(BuildFailed("make", "exit 3", 0.5, 0))
    lines = (tmp_path / "tmp" / "build.log").read_text().splitlines()
    assert [line[20:] for line in lines] == [
        "exit 2 after 0.50s: make",
        "exit 3 after 0.50s: make",
    ]
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="is a link"):
        BuildLog(str(tmp_path / "link"))(BuildFailed("make", "exit 2", 0.5, 0))
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.004, "0.00s"), (9.99, "9.99s"), (14.14, "14.1s"), (185, "3m 5s"), (7620, "2h 7m")],
)
def test_durations(seconds, text):
    """In the unit that reads best."""
    assert duration(seconds) == text


def test_plain_text_is_not_touched():
    """What is safe is shown as it is, in any language."""
    assert one_line("naïve 日本 ./a b") == "naïve 日本 ./a b"


def test_a_block_of_problems():
    """Place, message and source stand in lines of their own, safe for a terminal."""
    found = Found("bad \x1b[2J", "a\nb.py", 7, 3, ((6, "ok"), (7, "x = (")))
    text = block(ProblemsFound("build", (found,)), colored=False).decode()
    first, above, here = text.splitlines()
    assert first.strip().startswith("a")
    assert ":7:3  bad" in first
    assert "\x1b" not in text
    assert above.endswith("6 | ok")
    assert here.lstrip().startswith(">")
