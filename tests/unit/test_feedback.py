"""Whose change it is: builds and apps that write what is watched, and people who save; values."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reloader.core.feedback import Account, Feedback, Loop
from reloader.core.needs import RELOAD, Needs
from reloader.core.outputs import CUTS_BY_HAND, HOLDS, PATIENCE, pattern
from reloader.core.starts import FREE, SLOWEST, Writer
from reloader.core.values import Change, Kind, Written

SIZE = 100
AFTER = 1.0  # seconds between two things that have nothing to do with each other


@dataclass
class Story:
    """Things happen one after the other; `counted` has what counts, as it is told."""

    feedback: Feedback = field(default_factory=Feedback)
    now: float = 0.0
    counted: list[str] = field(default_factory=list)
    found: list = field(default_factory=list)
    written: int = 0
    lane: str = ""

    def take(self, ruling) -> list[str]:
        self.feedback = ruling.feedback
        paths = [change.path for change in ruling.changes]
        self.counted += paths
        self.found += ruling.found
        return paths

    def wait(self, seconds: float) -> list[str]:
        """What becomes due counts on the way."""
        until, paths = self.now + seconds, []
        while (at := self.feedback.next_at) is not None and at <= until:
            self.now = max(self.now, at)
            paths += self.take(self.feedback.due(self.now))
        self.now = until
        return paths

    def change(self, path: str, kind: Kind = Kind.CHANGED, text: str = "") -> bool:
        """Somebody changes a file; True if that counts at once."""
        needs = Needs(rules=frozenset({self.lane})) if self.lane else RELOAD
        size = 0 if kind is Kind.DELETED else SIZE
        change = Change(path, needs, text or str(self.now), kind, size, size)
        return path in self.take(self.feedback.judge((change,), self.now))

    def save(self, path: str) -> bool:
        """A person does, while nothing is at work."""
        self.wait(AFTER)
        return self.change(path)

    def begin(self) -> Story:
        self.feedback = self.feedback.build_began(self.lane, self.now)
        return self

    def end(self, *, cut: bool = False) -> list[str]:
        return self.take(self.feedback.build_ended(self.lane, self.now, cut=cut))

    def build(self, *writes: tuple[float, str, Kind], dated: bool = True) -> list[str]:
        """A build that takes a second and writes at these times; what counts when it is over.

        It begins anew whenever a change counts.
        """
        self.begin()
        while True:
            began, cut = self.now, False
            for at, path, kind in writes:
                self.now = began + at
                if self.change(path, kind, "" if dated else path):
                    self.end(cut=True)
                    self.begin()
                    cut = True
                    break
            if not cut:
                self.now = began + 1
                return self.end()

    def start(self) -> None:
        """The app does."""
        self.feedback = self.feedback.run_began(self.lane, self.now)

    def writes(self, size: int, disk: int | None = None) -> None:
        """The app has written so many bytes more."""
        self.written += size
        total = Written(self.written, self.written if disk is None else disk)
        self.feedback = self.feedback.measured(1, total)


NEW, CHANGED, DELETED = Kind.NEW, Kind.CHANGED, Kind.DELETED


def pages(kind: Kind, number: int = 5) -> list[tuple[float, str, Kind]]:
    return [(0.1 + 0.1 * n, f"site/{n}.html", kind) for n in range(number)]


# --- builds --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dated", [True, False])
def test_a_build_that_makes_a_folder_is_followed_by_one_more(*, dated: bool) -> None:
    """Its own files never end it; after the second run all is quiet, and it is told once."""
    story = Story()
    assert len(story.build(*pages(NEW), dated=dated)) == 5
    emptied = [(0.05, path, DELETED) for _, path, _ in pages(NEW)] + pages(NEW)
    assert [story.build(*emptied, dated=dated) for _ in range(5)] == [[]] * 5
    if dated:
        [found] = story.found
        assert (found.loop, found.paths, found.files) == (Loop.BUILD_WRITES, ("site/",), 5)


def test_one_file_that_a_generator_makes_is_one_more_build() -> None:
    story = Story()
    assert story.build((0.1, "gen.go", NEW)) == ["gen.go"]
    assert [story.build((0.1, "gen.go", CHANGED)) for _ in range(5)] == [[]] * 5


def test_an_output_of_last_time_ends_one_build_at_most() -> None:
    """It looks like a save; what holds the same bytes again is what the build has already."""
    story = Story()
    assert story.build((0.9, "dist/app.js", CHANGED), dated=False) == []
    assert story.counted == ["dist/app.js"]
    assert story.build((0.9, "dist/app.js", CHANGED), dated=False) == []


def test_a_file_with_a_date_in_it_is_slowed_then_known() -> None:
    story, waits = Story(), []
    for _ in range(6):
        began = story.now
        story.build((0.5, "version.py", CHANGED))
        now = story.now
        due = story.feedback.next_at
        waits.append(round(due - now, 3) if due else 0)
        story.wait(60)
        assert story.now - began < 70
    assert waits[-2:] == [0, 0]
    assert max(waits) <= 4


def test_new_names_each_time_are_told_slowed_and_then_known() -> None:
    story, waits = Story(), []
    for run in range(8):
        story.build((0.5, f"out/{run}/r-{run}.json", NEW))
        due = story.feedback.next_at
        waits.append(due - story.now if due else 0)
        story.wait(31)
    assert waits == [0, 2, 4, 8, 0, 0, 0, 0]
    [repeats, known] = story.found
    assert repeats.loop is Loop.BUILD_REPEATS
    assert known.loop is Loop.BUILD_WRITES


def known_build() -> Story:
    """A person has saved main.go, and it is known that the build writes five pages."""
    story = Story()
    story.build(*pages(NEW))
    story.build(*pages(CHANGED))
    story.save("main.go")
    story.counted.clear()
    return story


def test_a_save_during_a_build_counts_at_once() -> None:
    """Whether the file is known to be saved by people, or changes for the first time."""
    for path in ("main.go", "other.go"):
        story = known_build().begin()
        story.now += 0.3
        assert not story.change("site/2.html")
        assert story.change(path)


@pytest.mark.parametrize("kind", [NEW, DELETED])
def test_a_file_that_a_person_makes_or_deletes_during_a_build_counts_at_once(kind: Kind) -> None:
    """Builds have never written anything there; and it counts as often as other saves."""
    story = known_build().begin()
    story.now += 0.3
    assert story.change("util.go", kind)
    story.end(cut=True)
    story.begin()
    story.now += 0.9
    assert story.change("util.go")


def test_a_new_file_beside_what_the_build_writes_waits_for_its_end() -> None:
    story = known_build().begin()
    story.now += 0.3
    assert not story.change("site/new.html", NEW)
    assert story.end() == ["site/new.html"]


def test_a_build_with_new_names_in_new_directories_is_slowed_and_told() -> None:
    """A few of its runs are ended for them, not one after the other for ever."""
    story, builds = Story(), 0
    while story.now < 120:
        story.begin()
        story.now += 0.5
        builds += 1
        if story.change(f"{builds}x/a.{builds}e", NEW):
            story.end(cut=True)
            continue
        story.now += 0.5
        if not story.end():
            story.now = story.feedback.next_at
            assert story.take(story.feedback.due(story.now))
    assert builds <= 13
    assert [found.loop for found in story.found] == [Loop.BUILD_REPEATS]


def test_a_page_that_changes_once_more_counts_at_the_end() -> None:
    story = known_build()
    assert story.build(*pages(CHANGED), (0.9, "site/1.html", CHANGED)) == ["site/1.html"]


def test_a_page_that_is_saved_while_nothing_is_at_work_counts() -> None:
    story = known_build()
    assert story.save("site/1.html")


def test_a_change_in_git_counts() -> None:
    story = known_build().begin()
    change = Change("site/1.html", RELOAD)
    assert story.take(story.feedback.judge((change,), story.now, by_git=True))


def test_saves_end_a_few_builds_in_a_row_then_one_comes_to_its_end() -> None:
    """Nobody is left without a new version by saving all the time; no save is lost by that."""
    story = known_build().begin()
    cuts = 0
    while True:
        story.now += 0.2
        if not story.change("main.go"):
            break
        cuts += 1
        story.end(cut=True)
        story.begin()
    assert cuts == CUTS_BY_HAND
    story.now += 1
    assert story.end() == ["main.go"]


def test_what_is_held_is_told_and_ends_a_first_build_that_hangs() -> None:
    """Nobody knows how long it takes, so that it is told first, and once."""
    story = Story().begin()
    story.now += 0.5
    assert not story.change("new.go", NEW)
    assert story.wait(PATIENCE - 0.6) == []
    assert not story.found
    assert story.wait(HOLDS - PATIENCE) == []
    assert [found.loop for found in story.found] == [Loop.HELD]
    assert story.wait(0.2) == ["new.go"]
    assert [found.loop for found in story.found] == [Loop.HELD, Loop.OVERDUE]


@pytest.mark.parametrize(("usual", "patience"), [(1.0, PATIENCE), (10.0, 20.0)])
def test_what_is_held_ends_a_build_that_takes_too_long(usual: float, patience: float) -> None:
    """Twice as long as ever; and then twice as long as that."""
    story = known_build().begin()
    story.now += usual
    story.end()
    story.found.clear()
    for longer in (1, 2):
        story.begin()
        story.now += 0.3
        assert not story.change("site/new.html", NEW)
        assert story.wait(longer * patience - 0.4) == []
        assert story.wait(0.2) == ["site/new.html"]
        assert story.found[-1].loop is Loop.OVERDUE
        story.end(cut=True)


def test_a_build_that_writes_nothing_holds_no_save() -> None:
    """Though the file was only ever saved during builds, and at the same time after each start."""
    story = Story()
    assert story.build() == []
    story.begin()
    for _ in range(CUTS_BY_HAND):
        story.now += 0.3
        assert story.change("other.go")
        story.end(cut=True)
        story.begin()


def test_a_build_that_was_cut_forgets_what_it_held() -> None:
    """The next one has all of it."""
    story = Story().begin()
    story.change("new.go", NEW)
    story.now += 0.1
    assert story.change("main.c")
    assert story.end(cut=True) == []


def test_other_settings_learn_anew() -> None:
    story = known_build()
    story.feedback = story.feedback.forgotten()
    assert len(story.build(*pages(NEW))) == 5


def test_other_settings_lose_nothing_that_was_held() -> None:
    """The build that held it back may hang, and is not known any more: it counts now."""
    story = Story().begin()
    story.now += 0.5
    assert not story.change("new.go", NEW)
    story.feedback = story.feedback.forgotten()
    assert story.wait(0.1) == ["new.go"]
    assert story.end() == []


@pytest.mark.parametrize("at", [0.05, 1.5])
def test_two_saves_that_nobody_has_seen(at: float) -> None:
    """Another version and back, while reloader stood still: the build may have read the other one.

    The file holds what it held when the build began, and yet one more build must follow.
    """
    story = Story().begin()
    story.now += 0.5
    assert story.change("main.c", text="v1")
    assert story.end(cut=True) == []
    story.begin()
    story.now += at
    counts = story.change("main.c", text="v1")
    story.now += 2.0
    assert counts or story.end() == ["main.c"]


SAVES = st.lists(
    st.tuples(st.floats(0.02, 3), st.sampled_from(["a.go", "b.go", "src/c.go"])), max_size=25
)


GO = "a.go"


@given(SAVES, st.booleans(), st.floats(0.1, 2))
@example(  # in each of five builds, and in the one after a quiet wait
    saves=[(1.0, GO), (0.34375, GO), (0.0625, GO), (2.3125, GO), (0.5, GO), (2.0, GO), (3.0, GO)],
    writes=False,
    takes=1.34375,
)
@example(  # it cuts a wait short
    saves=[(2.28125, GO), (2.28125, GO), (1.5, GO)], writes=True, takes=1.8125
)
def test_a_save_is_never_lost(saves: list[tuple[float, str]], writes: bool, takes: float) -> None:
    """After the last one at least one more build begins, however they fall into the builds.

    The build takes that long, and may write a page of its own, with a date in it.
    """
    story, began, ends = Story(), 0.0, takes
    story.begin()
    unseen: list[str] = []
    at = 0.0
    events = []
    for pause, path in saves:
        at += pause
        events.append((at, path))
    queue = sorted(events)
    building, page = True, 0.5 * takes
    owed = False
    while queue or building or owed or story.feedback.next_at is not None:
        times = [queue[0][0]] if queue else []
        times += [ends] if building else []
        times += [page] if building and writes and page > story.now else []
        times += [story.feedback.next_at] if story.feedback.next_at is not None else []
        story.now = max(story.now, min(times, default=story.now))
        if queue and queue[0][0] <= story.now:
            _, path = queue.pop(0)
            unseen.append(path)
            owed |= story.change(path)
        elif building and writes and page <= story.now < ends:
            page = 1e9
            owed |= story.change("site/page.html")
        elif building and ends <= story.now:
            building = False
            owed |= bool(story.end())
        elif story.feedback.next_at is not None:
            owed |= bool(story.take(story.feedback.due(story.now)))
        if owed:
            if building:
                story.end(cut=True)
            owed, building, unseen = False, True, []
            began = story.now
            ends, page = began + takes, began + 0.5 * takes
            story.begin()
    assert unseen == []


# --- apps ----------------------------------------------------------------------------------------


def runs(
    story: Story,
    path: str,
    number: int,
    after: float = 0.5,
    kind: Kind = CHANGED,
    wrote: int = SIZE,
) -> list[float]:
    """The app starts, and the file changes so long after; the waits before each next start."""
    waits = []
    for run in range(number):
        story.start()
        story.now += after
        story.writes(wrote)
        began = story.now
        counts = story.change(path.replace("#", str(run)), kind)
        while not counts:
            story.now = story.feedback.next_at
            counts = bool(story.take(story.feedback.due(story.now)))
        waits.append(round(story.now - began, 3))
    return waits


@pytest.mark.parametrize("after", [0.0, 0.5, 6.0, 60.0])
@pytest.mark.parametrize(("path", "kind"), [("state.json", CHANGED), ("out/#/r.json", NEW)])
def test_what_the_app_writes_is_slowed_and_told_once(path: str, kind: Kind, after: float) -> None:
    """However long after its start, and under a new name each time."""
    story = Story()
    assert runs(story, path, 10, after, kind) == [0, 0, 0, 0, 1, 2, 4, 4, 4, 4]
    [found] = story.found
    assert found.loop is Loop.APP_WRITES
    assert (found.paths, found.wait) in {(("state.json",), 2), (("out/*/r.json",), 2)}
    assert SLOWEST == 4


def test_where_bytes_tell_nothing_it_takes_twice_as_many_starts() -> None:
    story = Story()
    assert runs(story, "a.txt", 10, wrote=1_000_000) == [0] * 7 + [1, 2, 4]
    assert [found.loop for found in story.found] == [Loop.AFTER_STARTS]


def test_what_the_app_cannot_have_written_counts() -> None:
    """However regular: it has written fewer bytes than the change takes."""
    story = Story()
    assert runs(story, "app.py", 50, wrote=SIZE - 1) == [0] * 50
    assert not story.found


def test_a_save_takes_along_what_waits() -> None:
    story = Story()
    runs(story, "state.json", 4)
    story.start()
    story.now += 0.5
    story.writes(SIZE)
    assert not story.change("state.json")
    story.now += 0.1
    story.counted.clear()
    assert story.change("app.py")
    assert story.counted == ["app.py", "state.json"]


@pytest.mark.parametrize("on_disk", [True, False])
def test_what_an_app_writes_while_it_starts_is_not_held_against_people(*, on_disk: bool) -> None:
    """Byte code, as much as the module that was saved, and a banner: it is looked at before."""
    story = Story()
    for run in range(30):
        story.start()
        story.now += 0.3
        story.writes(2 * SIZE)
        story.wait(3 + 0.5 * (run % 3))
        size = SIZE + run
        change = Change("mod.py", RELOAD, str(run), CHANGED, size, size, on_disk=on_disk)
        assert story.take(story.feedback.judge((change,), story.now)) == ["mod.py"]
    assert not story.found


def test_what_an_app_prints_is_written_to_no_disk() -> None:
    """All the time, more than the file takes: that is much less evidence."""
    story = Story()
    waits = 0
    for run in range(15):
        story.start()
        story.now += 3
        story.writes(2 * SIZE, disk=0)
        change = Change("a.py", RELOAD, str(run), CHANGED, SIZE, SIZE, on_disk=True)
        waits += not story.take(story.feedback.judge((change,), story.now))
    assert not waits


def test_what_is_saved_together_takes_as_many_bytes_as_all_of_it() -> None:
    story = Story()
    for run in range(12):
        story.start()
        story.now += 3
        story.writes(3 * SIZE)
        saved = [Change(f"{n}.py", RELOAD, str(run), CHANGED, SIZE, SIZE) for n in range(4)]
        assert len(story.take(story.feedback.judge(saved, story.now))) == 4


def test_a_script_in_a_rhythm_is_asked_once() -> None:
    """It comes again before the start that waits for it, and is then left alone for long."""
    story = Story()
    late = 0
    for _ in range(8 + FREE):
        story.start()
        story.now += 1.0
        story.writes(1_000_000)
        if not story.change("data.txt"):
            late += 1
            story.now += 0.9
            story.writes(1_000_000)
            assert story.change("data.txt")
    assert late == 1
    assert not story.found


def test_a_long_run_without_it_is_forgotten() -> None:
    story = Story()
    runs(story, "state.json", 3)
    story.start()
    story.now += 10
    assert runs(story, "state.json", 3) == [0, 0, 0]


def test_rules_have_their_own_runs() -> None:
    """Two rules that set each other off are told, too."""
    story = Story(lane="css")
    for _ in range(12):
        story.begin()
        story.start()
        story.now += 0.2
        story.end()
        story.now += 0.5
        if not story.change("a.css"):
            story.now = story.feedback.next_at or 0
            assert story.take(story.feedback.due(story.now)) == ["a.css"]
    assert [found.lane for found in story.found] == ["css"]


def test_what_a_daemon_of_the_build_writes_is_known() -> None:
    """The app's bytes, which are fewer, say nothing about it."""
    story = Story()
    counted = []
    for _ in range(6):
        story.begin()
        story.now += 0.5
        story.take(story.feedback.build_ended("", story.now, cut=False, left=True))
        story.start()
        story.writes(0)
        story.now += 0.5
        counted.append([story.change(f"site/{n}.html", CHANGED) for n in range(4)])
        story.wait(30)
    assert counted[0] == [True] * 4
    assert counted[-1] == [False] * 4
    assert [found.paths for found in story.found] == [("site/",)]


POLLED = 1.0  # seconds between two looks


def polled_build(story: Story, path: str, text: str = "") -> bool:
    """A build of half a second writes a file, which is seen a second later; True: it counts now.

    The app, which starts after it, writes nothing.
    """
    story.begin()
    story.now += 0.5
    story.end()
    story.start()
    story.writes(0)
    story.now += 0.5
    change = Change(path, RELOAD, text or str(story.now), CHANGED, SIZE, SIZE, age=POLLED)
    return path in story.take(story.feedback.judge((change,), story.now))


def test_what_a_build_wrote_is_known_though_it_is_seen_when_the_build_is_over() -> None:
    """It holds the same bytes again."""
    story = Story()
    assert polled_build(story, "version.py", "1")
    assert not polled_build(story, "version.py", "1")


def test_what_a_build_wrote_is_slowed_and_told_though_it_is_seen_when_the_build_is_over() -> None:
    """The app, which has written nothing, clears nobody: a build can have made it."""
    story = Story()
    for _ in range(12):
        if not polled_build(story, "version.py"):
            story.now = story.feedback.next_at
            assert story.take(story.feedback.due(story.now)) == ["version.py"]
    assert [found.loop for found in story.found] == [Loop.AFTER_STARTS]


# --- bytes and names -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "size", "least", "writer"),
    [
        (Written(100, 4096), 100, 100, Writer.APP),
        (Written(100, 0), 100, 100, Writer.APP),  # in memory
        (Written(0, 12_288), 8000, 8000, Writer.APP),  # through a mapping
        (Written(99, 0), 100, 100, Writer.OTHER),
        (Written(100, 0), 50_000, 100, Writer.ANYBODY),  # a line more in a big file
        (Written(0, 0), 0, 0, Writer.ANYBODY),  # a file that is made empty takes no byte
        (Written(50_000, 50_000), 100, 100, Writer.ANYBODY),
        (None, 100, 100, Writer.ANYBODY),
    ],
)
def test_who_can_have_written_it(
    since: Written | None, size: int, least: int, writer: Writer
) -> None:
    change = Change("a", RELOAD, size=size, least=least)
    assert Account(since=since).writer_of(change) is writer


def test_an_account_outlives_its_processes() -> None:
    """What an app wrote before it ended counts; when a part of a tree is gone, nothing is known."""
    account = Account().entered(1, Written(100, 0)).entered(1, Written(150, 0))
    assert account.since == Written(150, 0)
    assert account.looked().entered(2, Written(30, 0)).since == Written(30, 0)
    assert account.entered(1, Written(20, 0)).since is None
    assert account.entered(1, None).since is None


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("run-1.json", "*.json"),
        ("out/2026/a/run-1.json", "out/**/*.json"),
        ("core.4242", "core.*"),
        ("out/Makefile", "out/**/*"),
    ],
)
def test_new_names_have_a_pattern(path: str, names: str) -> None:
    assert pattern(path) == names
