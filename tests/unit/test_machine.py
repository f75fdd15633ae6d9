"""What follows what: the hard cases as scripts with virtual time."""

from __future__ import annotations

import signal

import pytest

from reloader.core.announce import why
from reloader.core.debounce import Pace
from reloader.core.facts import (
    BecameIdle,
    BecameReady,
    ConfigLoaded,
    FilesChanged,
    GitMoved,
    ProcessExited,
    ProcessStarted,
    Requested,
    SignalReceived,
    SpawnFailed,
    TreeEmptied,
)
from reloader.core.life import LIFE, Event, Life, Proc
from reloader.core.needs import NOTHING, RELOAD, Needs
from reloader.core.news import (
    AppDropped,
    AppExited,
    AppNotReady,
    AppReady,
    AppSignalled,
    AppStarted,
    AppStopped,
    BuildCancelled,
    BuildFailed,
    BuildStarted,
    BuildSucceeded,
    ChangeSeen,
    HookFailed,
    Paused,
    QuitFinished,
    QuitStarted,
    Resumed,
    RuleFailed,
    RuleStarted,
    RuleSucceeded,
    StartFailed,
    Warned,
)
from reloader.core.orders import Drain, Kill, Quit, Reply, Route, Signal, Spawn, Stop
from reloader.core.settings import Settings, Strategy
from reloader.core.state import Failed, Started
from reloader.core.values import (
    Change,
    Gate,
    Kind,
    Outcome,
    Request,
    Role,
    Scope,
    Status,
    Task,
    Wish,
)
from tests.helpers.playbook import APP, BUILD, Playbook, save

TERM = signal.SIGTERM
R, B, P = (Requested(Request(wish)) for wish in (Wish.RESTART, Wish.BUILD, Wish.TOGGLE_PAUSE))
BUILDS = Settings(build=True)


def running(settings: Settings | None = None) -> Playbook:
    """The app runs, nothing is owed; ticket 1, or 2 where there is a build."""
    settings = settings or Settings()
    book = Playbook(settings).at(0)
    if settings.build:
        book.spawns(BUILD).exits(1)
    return book.spawns(APP).waits_until(None)


# --- the main way --------------------------------------------------------------------------------


def test_first_start_without_a_build():
    """Without a build the app is the first thing that starts."""
    Playbook().at(0).spawns(APP).tells(AppStarted).waits_until(None)


def test_first_start_builds_first():
    """The build runs alone, then the app starts."""
    book = Playbook(Settings(build=True)).at(0).spawns(BUILD).tells(BuildStarted)
    book.exits(1, at=2).tells(BuildSucceeded).spawns(APP).tells(AppStarted)


def test_a_save_swaps_old_out_new_in():
    """The old app is gone before the new one starts; one save, one restart."""
    book = running().at(10, save()).waits_until(10.002).at(10.002).tells(ChangeSeen)
    book.expect(Stop(1, TERM)).waits_until(15.002)
    book.exits(1, at=10.1).tells(AppStopped).spawns(APP).waits_until(None)


def test_the_old_app_runs_while_the_new_one_is_built():
    """The old app is not touched before the build has succeeded."""
    book = running(Settings(build=True)).at(10, save()).at(10.002).spawns(BUILD)
    book.exits(3, at=12).expect(Stop(2, TERM)).exits(2, at=12.1).spawns(APP)


def test_a_burst_is_one_restart():
    """Changes that settle together are one burst, named by its first."""
    book = running().at(10, save("a.py")).at(10.001, save("b.py")).at(10.002, save("c.py"))
    book.waits_until(10.022).at(10.022).tells(ChangeSeen).expect(Stop(1, TERM))
    assert book.news[0].path == "a.py"
    assert book.news[0].count == 3


def test_a_burst_ends_after_a_second():
    """A stream of changes that never settles is acted on after the longest time."""
    book = running()
    for i in range(100):
        book.at(10 + i / 100, save(f"{i % 20}.py"))
    book.at(11).expect(Stop(1, TERM))


def test_a_stream_of_new_files_is_one_burst():
    """What somebody unpacks is waited for, up to ten seconds."""
    book = running()
    for i in range(300):
        book.at(10 + i / 100, save(f"{i}.py"))
    book.waits_until(13.01).at(13.01).tells(ChangeSeen).expect(Stop(1, TERM))
    assert book.news[0].count == 300


def test_git_at_work_is_waited_for():
    """Pauses within a checkout do not end the burst; git's end does, and it is named."""
    book = running().at(9, GitMoved(busy=False, head="main"))
    book.at(10, GitMoved(busy=True, head="main")).at(10.1, save("a.py")).waits_until(11.1)
    book.at(10.5, save("b.py", "c.py")).waits_until(11.5)
    book.at(10.6, GitMoved(busy=False, head="feature/x")).tells(ChangeSeen).expect(Stop(1, TERM))
    assert book.news[0].git == "main → feature/x"
    assert book.news[0].count == 3


def test_a_repository_that_is_gone_has_checked_out_nothing():
    """With its folder, as when the root is moved away: it is a change like others."""
    book = running().at(9, GitMoved(busy=False, head="main")).at(10, save())
    book.at(10.002, GitMoved(busy=False, head="")).expect(Stop(1, TERM))
    assert [news.git for news in book.news if isinstance(news, ChangeSeen)] == [""]


def test_a_conflict_does_not_hold_for_ever():
    """A rebase that waits for a person leaves git at work; a save then waits one second."""
    book = running().at(9, GitMoved(busy=True, head="main")).at(10, save()).at(11)
    book.expect(Stop(1, TERM))
    assert book.news[0].git == "main"


def test_a_written_delay_is_the_quiet_time():
    """A pace from the config is honoured."""
    book = running(Settings(pace=Pace(0.5, 0.5, 1.5))).at(10, save()).waits_until(10.5)
    book.at(10.4, save()).waits_until(10.9)


# --- changes at the wrong moment -----------------------------------------------------------------


def test_a_change_dooms_the_build():
    """The stale build is ended and waited for, then the new one starts; never two."""
    book = running(Settings(build=True)).at(10, save()).at(10.002).spawns(BUILD)
    book.at(11, save()).at(11.002).expect(Stop(3, TERM)).waits_until(11.502)
    book.at(11.502).expect(Kill(3)).exits(3, 9, at=11.6).tells(BuildCancelled)
    book.spawns(BUILD).exits(4, at=12).expect(Stop(2, TERM)).exits(2).spawns(APP)


def test_a_change_while_the_old_app_stops():
    """It joins what is owed; the app that starts in the end is built from it."""
    book = running(Settings(build=True)).at(10, save()).at(10.002).spawns(BUILD)
    book.exits(3, at=11).expect(Stop(2, TERM)).at(11.5, save()).at(11.502).spawns(BUILD)
    book.exits(2, at=11.6).exits(4, at=12).spawns(APP)


def test_a_change_before_the_first_start_is_known():
    """A save while the app is being spawned restarts it."""
    book = Playbook().at(0).expect(Spawn(1, APP)).at(0.1, save()).at(0.102)
    book.at(0.2, ProcessStarted(1, 101, "app")).expect(Stop(1, TERM)).exits(1).spawns(APP)


# --- failures ------------------------------------------------------------------------------------


def test_a_failed_build_leaves_the_app_alone():
    """The running app goes on, its pid is told, and the next save builds again."""
    book = running(Settings(build=True)).at(10, save()).at(10.002).spawns(BUILD)
    book.exits(3, 1, at=11).tells(BuildFailed).waits_until(None)
    assert book.news[0].app_pid == 102
    book.at(20, save()).at(20.002).spawns(BUILD).exits(4).expect(Stop(2, TERM))


def test_stop_on_error():
    """With stop_on_error the app is stopped when a build fails, and comes back with the fix."""
    book = running(Settings(build=True, stop_on_error=True)).at(10, save()).at(10.002).spawns(BUILD)
    book.exits(3, 1, at=11).tells(BuildFailed).expect(Stop(2, TERM)).exits(2, at=11.1)
    book.waits_until(None).at(20, save()).at(20.002).spawns(BUILD).exits(4).spawns(APP)


def test_a_failed_build_is_kept_as_owed():
    """A rule's change does not make a failed build forgotten or tried again."""
    settings = Settings(build=True, rule_paces={"css": Pace()})
    book = running(settings).at(10, save()).at(10.002).spawns(BUILD).exits(3, 1)
    book.at(20, save("a.css", rule="css")).at(20.002).spawns(Task(Role.RULE, name="css"))
    book.exits(4).tells(RuleSucceeded).waits_until(None)
    assert isinstance(book.state.pipeline.work, Failed)
    assert book.state.pipeline.needs.build


def test_a_first_build_that_fails():
    """Nothing runs, nothing is tried, and a save recovers."""
    book = Playbook(Settings(build=True)).at(0).spawns(BUILD).exits(1, 2).tells(BuildFailed)
    book.waits_until(None).at(5, save()).at(5.002).spawns(BUILD).exits(2).spawns(APP)


def test_a_crash_waits_for_a_change():
    """Without rerun an app that ended is left alone until a save."""
    book = running().exits(1, 3, at=5).tells(AppExited).waits_until(None)
    book.at(9, save()).at(9.002).spawns(APP)


def test_rerun_backs_off():
    """A crash loop gets slower, up to 30 s; a save starts at once and resets it."""
    book = running(Settings(rerun=0.5))
    now, waits = 0.0, []
    for ticket in range(1, 10):
        book.exits(ticket, 1, at=now).tells(AppExited)
        waits.append(book.news[0].restart_in)
        now += waits[-1]
        book.at(now).spawns(APP)
    assert waits == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    book.exits(10, 1, at=now).at(now + 1, save()).at(now + 1.002).spawns(APP)
    book.exits(11, 1, at=now + 2)
    assert book.news[0].restart_in == 0.5


def test_rerun_of_what_ends_well_keeps_its_pace():
    """An app that works for a while and exits 0 is started again after rerun_delay each time."""
    book = running(Settings(rerun=0.5))
    for ticket in range(1, 5):
        book.exits(ticket, 0, at=ticket * 5)
        assert book.news[0].restart_in == 0.5
        book.at(ticket * 5 + 0.5).spawns(APP)


def test_a_spawn_that_may_work_later_is_tried_again():
    """Want of memory or processes is retried, ever more slowly, and told."""
    book = Playbook().at(0).expect(Spawn(1, APP))
    book.at(0, SpawnFailed(1, "app", "no memory", passing=True)).tells(StartFailed).waits_until(0.1)
    book.at(0.1).expect(Spawn(2, APP))
    book.at(0.1, SpawnFailed(2, "app", "no memory", passing=True)).waits_until(0.3)
    book.at(0.31).spawns(APP).waits_until(None)


def test_a_command_that_is_missing_waits_for_a_change():
    """It is told once, nothing spins, and the next save tries again."""
    book = Playbook().at(0).expect(Spawn(1, APP)).at(0, SpawnFailed(1, "app", "not found"))
    book.tells(StartFailed).waits_until(None).at(3, save()).at(3.002).spawns(APP)


def test_a_build_command_that_is_missing_is_a_failed_build():
    """The app goes on, as with any failed build."""
    book = running(Settings(build=True)).at(10, save()).at(10.002).expect(Spawn(3, BUILD))
    book.at(10.002, SpawnFailed(3, "make", "not found")).tells(BuildFailed).waits_until(None)


# --- the last good version -----------------------------------------------------------------------


def test_a_build_that_fails_while_the_old_app_stops():
    """The version before it was built well and is wanted: it starts as the old app has gone."""
    book = running(BUILDS).at(10, save()).at(10.002).spawns(BUILD).exits(3, at=11)
    book.expect(Stop(2, TERM)).at(12, save()).at(12.002).spawns(BUILD)
    book.exits(4, 1, at=13).tells(BuildFailed).exits(2, at=14).tells(AppStopped).spawns(APP)
    assert book.state.running.version.number == 2
    book.waits_until(None)


def test_a_build_that_fails_after_the_old_app_has_stopped():
    """No app runs while it builds; as it fails, the last good version starts."""
    book = running(BUILDS).at(10, save()).at(10.002).spawns(BUILD).exits(3, at=11)
    book.expect(Stop(2, TERM)).at(12, save()).at(12.002).spawns(BUILD).exits(2, at=12.5)
    book.exits(4, 1, at=13).tells(BuildFailed).spawns(APP).waits_until(None)


def test_a_promised_start_comes_though_a_failure_is_shown():
    """An app that ends by itself beside a failed build is started again in time."""
    book = running(Settings(build=True, rerun=0.5)).at(10, save()).at(10.002).spawns(BUILD)
    book.exits(3, 1, at=11).tells(BuildFailed).exits(2, 1, at=20).tells(AppExited)
    assert book.news[0].restart_in == 0.5
    book.waits_until(20.5).at(20.5).spawns(APP).waits_until(None)


def test_a_promised_start_waits_for_a_build():
    """What is being built is newer; if that fails, the promise is kept."""
    book = running(Settings(build=True, rerun=0.5)).exits(2, 1, at=10).waits_until(10.5)
    book.at(10.2, save()).at(10.202).spawns(BUILD).at(10.5).waits_until(None)
    book.exits(3, 1, at=12).tells(BuildFailed).spawns(APP)


def test_stop_on_error_takes_back_what_was_wanted():
    """A version that waits for the old app to end is not started after a failed build."""
    settings = Settings(build=True, stop_on_error=True)
    book = running(settings).at(10, save()).at(10.002).spawns(BUILD).exits(3, at=11)
    book.expect(Stop(2, TERM)).at(12, save()).at(12.002).spawns(BUILD)
    book.exits(4, 1, at=13).tells(BuildFailed).exits(2, at=14).waits_until(None)


def test_a_failed_first_build_wants_nothing():
    """There is no last good version before the first one."""
    book = Playbook(BUILDS).at(0).spawns(BUILD).exits(1, 1).waits_until(None)
    assert book.state.fleet.wanted is None


# --- one generation replaces another -------------------------------------------------------------

HOLD = Strategy(awaits_ready=True, holds=True, drain=0.25)
OVERLAP = Strategy(overlap=True, awaits_ready=True, holds=True, drain=0.25, ready_within=5)


def serving(strategy: Strategy) -> Playbook:
    """The first generation is ready; ticket 1."""
    book = Playbook(Settings(strategy=strategy)).at(0)
    book.expect(Route(Gate.HOLD), Spawn(1, APP)).at(0, ProcessStarted(1, 101, "app"))
    book.at(1, BecameReady(1, "http://127.0.0.1:8000")).tells(AppReady)
    return book.expect(Route(Gate.OPEN, 1)).waits_until(None)


def test_clients_wait_while_one_generation_replaces_another():
    """They are held before the old one drains, and let in when the new one is ready."""
    book = serving(HOLD).at(10, save()).at(10.002).expect(Route(Gate.HOLD), Drain(1))
    book.waits_until(10.252).at(10.1, BecameIdle(1)).expect(Stop(1, TERM)).exits(1, at=10.2)
    book.expect(Spawn(2, APP)).at(10.2, ProcessStarted(2, 102, "app")).waits_until(40.2)
    book.at(10.7, BecameReady(2)).tells(AppReady).expect(Route(Gate.OPEN, 2)).waits_until(None)
    assert book.news[0].seconds == pytest.approx(0.7)


def test_a_drain_has_an_end():
    """An open stream does not block a reload."""
    book = serving(HOLD).at(10, save()).at(10.002).expect(Route(Gate.HOLD), Drain(1))
    book.at(10.252).expect(Stop(1, TERM)).exits(1).expect(Spawn(2, APP))


def test_open_streams_end_a_second_after_the_stop():
    """A browser's event stream does not hold up the next version for the whole grace."""
    book = serving(HOLD).at(10, save()).at(10.002).expect(Route(Gate.HOLD), Drain(1))
    book.at(10.1, BecameIdle(1)).expect(Stop(1, TERM)).waits_until(10.85)
    book.at(10.85).expect(Drain(1, is_ending=True)).waits_until(15.1)
    book.at(11.2, BecameIdle(1)).expect(Kill(1)).exits(1).tells(AppStopped).expect(Spawn(2, APP))


def test_who_is_owed_an_answer_keeps_the_grace():
    """Nobody says that it is idle: a slow request, or a shutdown at work, has its whole time."""
    book = serving(HOLD).at(10, save()).at(10.002).expect(Route(Gate.HOLD), Drain(1))
    book.at(10.1, BecameIdle(1)).expect(Stop(1, TERM))
    book.at(10.85).expect(Drain(1, is_ending=True)).at(15.1).expect(Kill(1)).exits(1)
    book.expect(Spawn(2, APP))


def test_streams_are_not_looked_at_in_the_end():
    """When reloader ends, the app has its grace, as it would without reloader."""
    book = serving(HOLD).signal(10).expect(Route(Gate.REFUSE), Stop(1, TERM))
    book.waits_until(15).exits(1).expect(Quit()).done()


def test_clients_wait_from_the_save_that_mends_a_crash():
    """Refused while nothing is coming; held again as soon as there is."""
    book = serving(HOLD).exits(1, 1, at=5).tells(AppExited).expect(Route(Gate.REFUSE))
    book.at(10, save()).at(10.002).expect(Route(Gate.HOLD), Spawn(2, APP))
    book.at(10.1, ProcessStarted(2, 102, "app")).at(11, BecameReady(2))
    book.expect(Route(Gate.OPEN, 2))


def test_clients_are_refused_when_nothing_comes():
    """The new generation crashes at its start, and nobody is left waiting for it."""
    book = serving(HOLD).at(10, save()).at(10.002).expect(Route(Gate.HOLD), Drain(1))
    book.at(10.1, BecameIdle(1)).expect(Stop(1, TERM)).exits(1).expect(Spawn(2, APP))
    book.at(10.2, ProcessStarted(2, 102, "app")).exits(2, 1, at=10.5).tells(AppExited)
    book.expect(Route(Gate.REFUSE)).waits_until(None)


def test_overlap_starts_the_new_one_first():
    """The old one serves until the new one is ready; then it drains and ends."""
    book = serving(OVERLAP).at(10, save()).at(10.002).expect(Spawn(2, APP))
    book.at(10.01, ProcessStarted(2, 102, "app")).waits_until(15.01)
    book.at(11, BecameReady(2)).tells(AppReady).expect(Route(Gate.OPEN, 2), Drain(1))
    book.at(11.1, BecameIdle(1)).expect(Stop(1, TERM)).exits(1).tells(AppStopped)
    book.waits_until(None)


def test_generations_leave_one_after_the_other():
    """A socket that closes moves the others: who leaves next looks at its clients after that."""
    book = serving(OVERLAP).at(10, save()).at(10.002).expect(Spawn(2, APP))
    book.at(10.01, ProcessStarted(2, 102, "app"))
    book.at(10.1, BecameReady(2)).tells(AppReady).expect(Route(Gate.OPEN, 2), Drain(1))
    book.at(10.11, save()).at(10.112).expect(Spawn(3, APP))
    book.at(10.12, ProcessStarted(3, 103, "app"))
    book.at(10.2, BecameReady(3)).tells(AppReady).expect(Route(Gate.OPEN, 3))
    book.at(10.35).expect(Stop(1, TERM)).waits_until(11.1)
    book.exits(1, at=10.5).expect(Drain(2)).waits_until(10.75)
    book.at(10.6, BecameIdle(2)).expect(Stop(2, TERM)).exits(2).waits_until(None)


def test_one_that_can_not_be_ended_holds_back_no_other():
    """SIGKILL does not end what a debugger holds; the next one leaves all the same."""
    book = serving(OVERLAP).at(10, save()).at(10.002).expect(Spawn(2, APP))
    book.at(10.01, ProcessStarted(2, 102, "app"))
    book.at(10.1, BecameReady(2)).tells(AppReady).expect(Route(Gate.OPEN, 2), Drain(1))
    book.at(10.1, BecameIdle(1)).expect(Stop(1, TERM)).at(10.85)
    book.expect(Drain(1, is_ending=True)).at(11.2, save()).at(11.202).expect(Spawn(3, APP))
    book.at(11.21, ProcessStarted(3, 103, "app"))
    book.at(11.3, BecameReady(3)).tells(AppReady).expect(Route(Gate.OPEN, 3))
    book.at(15.1).expect(Kill(1)).at(15.6).expect(Kill(1)).at(16.1).expect(Kill(1), Drain(2))


def test_a_new_one_that_crashes_is_dropped():
    """The old one goes on, and the next save tries again."""
    book = serving(OVERLAP).at(10, save()).at(10.002).expect(Spawn(2, APP))
    book.at(10.01, ProcessStarted(2, 102, "app")).exits(2, 1, at=10.5).tells(AppDropped)
    assert book.news[0].kept_pid == 101
    book.waits_until(None).at(20, save()).at(20.002).expect(Spawn(3, APP))


def test_a_new_one_that_is_not_ready_is_dropped():
    """At its deadline it is stopped, and the old one goes on."""
    book = serving(OVERLAP).at(10, save()).at(10.002).expect(Spawn(2, APP))
    book.at(10.01, ProcessStarted(2, 102, "app")).at(15.01).tells(AppDropped)
    book.expect(Stop(2, TERM)).exits(2).tells(AppStopped).waits_until(None)
    assert book.state.serving.ticket == 1


def test_a_save_while_a_new_one_starts():
    """The candidate is stopped and waited for; the one that serves is not touched."""
    book = serving(OVERLAP).at(10, save()).at(10.002).expect(Spawn(2, APP))
    book.at(10.01, ProcessStarted(2, 102, "app")).at(10.5, save()).at(10.502)
    book.expect(Stop(2, TERM)).exits(2).expect(Spawn(3, APP))
    assert book.state.serving.ticket == 1


def test_not_ready_in_time_is_told():
    """With nothing else to serve it goes on starting; it may still come."""
    book = Playbook(Settings(strategy=HOLD)).at(0).expect(Route(Gate.HOLD), Spawn(1, APP))
    book.at(0, ProcessStarted(1, 101, "app")).at(30).tells(AppNotReady).waits_until(None)
    book.at(40, BecameReady(1)).tells(AppReady).expect(Route(Gate.OPEN, 1))


def test_the_end_in_the_middle_of_an_overlap():
    """Both are stopped at once, without a drain, and clients are refused."""
    book = serving(OVERLAP).at(10, save()).at(10.002).expect(Spawn(2, APP))
    book.at(10.01, ProcessStarted(2, 102, "app")).signal(10.5)
    book.expect(Route(Gate.REFUSE), Stop(1, TERM), Stop(2, TERM)).exits(1).exits(2)
    book.expect(Quit()).done()


def test_a_request_is_answered():
    """Who asks hears whether the wish is taken, queued or ignored."""
    restart = Request(Wish.RESTART, "socket", print)
    book = running().at(1, P).at(2, Requested(restart)).expect(Reply(restart, Outcome.QUEUED))
    book.at(3, Requested(Request(Wish.RESUME))).tells(Resumed)
    book.expect(Stop(1, TERM)).exits(1).spawns(APP)
    book.at(4, Requested(restart)).expect(Reply(restart, Outcome.ACCEPTED), Stop(2, TERM))
    book.signal(5).at(5.5, Requested(restart)).expect(Reply(restart, Outcome.IGNORED))
    book.exits(2).expect(Quit()).done()


# --- a save that the app could not import --------------------------------------------------------

BROKEN = FilesChanged((Change("app.py", RELOAD, error="line 3: invalid syntax"),))


def test_a_broken_save_touches_nothing():
    """The app goes on, the error is shown as a failed build; the save that mends it restarts."""
    book = running().at(10, BROKEN).at(10.002).tells(ChangeSeen, BuildFailed)
    assert (book.news[1].why, book.news[1].app_pid) == ("app.py, line 3: invalid syntax", 101)
    book.waits_until(None).at(20, save("other.py")).at(20.002).tells(ChangeSeen, BuildFailed)
    book.at(30, save()).at(30.002).expect(Stop(1, TERM)).exits(1).spawns(APP)


def test_a_broken_save_is_tried_all_the_same_where_nothing_runs():
    """The app's own words say more, and nothing can be lost."""
    book = Playbook().at(0).spawns(APP).exits(1, 1).at(10, BROKEN).at(10.002).spawns(APP)
    assert isinstance(book.state.fleet.want, Started)


def test_a_person_can_insist():
    """A restart that is asked for is one, whatever the files look like."""
    book = running().at(10, BROKEN).at(10.002).tells(ChangeSeen, BuildFailed)
    book.at(11, Requested(Request(Wish.RESTART))).expect(Stop(1, TERM)).exits(1).spawns(APP)


def test_a_broken_save_and_no_build():
    """The build does not run either: what it made would not be started."""
    book = running(Settings(build=True)).at(10, BROKEN).at(10.002).tells(ChangeSeen, BuildFailed)
    book.at(20, save()).at(20.002).spawns(BUILD)


# --- pre_cmd -------------------------------------------------------------------------------------

PRE = [Task(Role.PRE, 0), Task(Role.PRE, 1)]


def test_pre_cmds_run_in_order_before_each_build():
    """Each step waits for the one before it, at the start and at each save."""
    book = Playbook(Settings(pre=2, build=True)).at(0).spawns(PRE[0]).exits(1).spawns(PRE[1])
    book.exits(2).spawns(BUILD).exits(3).spawns(APP).at(9, save()).at(9.002).spawns(PRE[0])


def test_a_failed_pre_cmd_is_a_failed_build():
    """Nothing is built on it; the app goes on."""
    book = running(Settings(build=True)).at(1)
    book = Playbook(Settings(pre=1, build=True)).at(0).spawns(PRE[0]).exits(1, 1)
    book.tells(BuildFailed).waits_until(None)


def test_a_pre_cmd_that_may_fail():
    """In an Air file the other pre_cmd are skipped and the build goes on."""
    book = Playbook(Settings(pre=2, build=True, pre_may_fail=True)).at(0).spawns(PRE[0])
    book.exits(1, 1).tells(HookFailed).spawns(BUILD)


def test_a_change_during_pre_cmd_starts_over():
    """The pre_cmd under way is ended, and the steps begin again."""
    book = Playbook(Settings(pre=2, build=True)).at(0).spawns(PRE[0]).exits(1).spawns(PRE[1])
    book.at(1, save()).at(1.002).expect(Stop(2, TERM)).exits(2, 15).spawns(PRE[0])


def new(path: str) -> FilesChanged:
    return FilesChanged((Change(path, RELOAD, kind=Kind.NEW, size=100, least=100),))


def test_a_change_that_a_first_build_holds_back_is_told_then_ends_it():
    """The build may have made the file; nobody knows yet how long it takes."""
    book = Playbook(Settings(build=True)).at(0).spawns(BUILD).at(1, new("a.go")).waits_until(2)
    book.at(2).tells(Warned).waits_until(60)
    book.at(60).tells(Warned).at(60.02).expect(Stop(1, TERM)).exits(1, 15).spawns(BUILD)


def test_a_change_does_not_wait_for_a_build_that_hangs():
    """Beside what builds write it is held back until the build takes twice as long as ever."""
    book = Playbook(Settings(build=True)).at(0).spawns(BUILD).at(1, new("site/a.html"))
    book.exits(1, at=4).spawns(APP).at(4.02).spawns(BUILD)
    book.exits(3, at=8).expect(Stop(2, TERM)).exits(2, 15).spawns(APP)
    book.at(20, save("main.go")).at(20.02).spawns(BUILD).at(21, new("site/b.html"))
    book.waits_until(22.02).at(22.02).tells(Warned).waits_until(28.02)
    book.at(28.02).tells(Warned).at(28.04).expect(Stop(5, TERM))
    book.exits(5, 15).spawns(BUILD)


def test_a_build_that_writes_nothing_ends_for_each_save():
    """Though nobody has ever saved the file while nothing was at work."""
    book = Playbook(Settings(build=True)).at(0).spawns(BUILD).exits(1, at=4).spawns(APP)
    book.at(20, save("main.go")).at(20.02).spawns(BUILD)
    for ticket in range(3, 8):
        book.at(book.now + 1, save("util.go")).at(book.now + 0.02).expect(Stop(ticket, TERM))
        book.exits(ticket, 15).spawns(BUILD)


# --- a new config --------------------------------------------------------------------------------


def test_new_settings_that_touch_nothing():
    """They hold from now on, and nothing is done for them."""
    book = running().at(5, ConfigLoaded(Settings(grace=1), NOTHING)).waits_until(None)
    book.at(6, save()).at(6.002).expect(Stop(1, TERM)).waits_until(7.002)


def test_a_new_build_command_is_run():
    """What the change needs is owed: the build under way is ended, the new one runs."""
    book = Playbook(Settings(build=True)).at(0).spawns(BUILD)
    book.at(1, ConfigLoaded(Settings(build=True), RELOAD)).expect(Stop(1, TERM)).exits(1, 15)
    book.spawns(BUILD).exits(2).spawns(APP)


def test_a_rule_that_is_gone_is_owed_nothing():
    """Its burst is forgotten with it."""
    book = running(Settings(rule_paces={"css": Pace()})).at(5, save("a.css", rule="css"))
    book.at(5.001, ConfigLoaded(Settings(), NOTHING)).waits_until(None)


def test_a_new_config_at_the_end_changes_nothing():
    """Nothing is started any more."""
    book = running().signal(5).expect(Stop(1, TERM)).at(5.1, ConfigLoaded(Settings(), RELOAD))
    book.exits(1).expect(Quit()).done()


# --- rules ---------------------------------------------------------------------------------------

CSS = Task(Role.RULE, name="css")


def test_a_rule_runs_without_a_restart():
    """Its command runs, the app is not touched."""
    book = running(Settings(rule_paces={"css": Pace()})).at(5, save("a.css", rule="css"))
    book.at(5.002).tells(ChangeSeen).spawns(CSS).tells(RuleStarted).exits(2).tells(RuleSucceeded)
    book.waits_until(None)


def test_a_rule_that_hangs_blocks_nothing():
    """Builds and restarts go on beside it; a new change for it ends it and runs it again."""
    book = running(Settings(rule_paces={"css": Pace()})).at(5, save("a.css", rule="css"))
    book.at(5.002).spawns(CSS).at(6, save()).at(6.002).expect(Stop(1, TERM)).exits(1).spawns(APP)
    book.at(7, save("b.css", rule="css")).at(7.002).expect(Stop(2, TERM)).exits(2, 15).spawns(CSS)


def test_a_rule_that_fails_waits_for_its_next_change():
    """It is told; other changes do not run it again."""
    book = running(Settings(rule_paces={"css": Pace()})).at(5, save("a.css", rule="css"))
    book.at(5.002).spawns(CSS).exits(2, 1).tells(RuleFailed)
    book.at(6, save()).at(6.002).expect(Stop(1, TERM)).exits(1).spawns(APP).waits_until(None)


# requirements.txt -> pip install -> restart
PIP = Task(Role.RULE, name="pip")


def test_a_rule_may_signal_the_app():
    """It goes on; one that is not up reads all at its start, and that is told."""
    settings = Settings(rule_paces={"hup": Pace()}, rule_signal={"hup": 1})
    book = Playbook(settings).at(0).spawns(APP)
    book.at(1, save("a.conf", rule="hup")).at(2).spawns(Task(Role.RULE, name="hup"))
    book.exits(2, at=3).expect(Signal(1, 1))
    assert book.news[-1] == AppSignalled("hup", "SIGHUP", 101)
    book.at(4, save("a.conf", rule="hup")).at(5).spawns(Task(Role.RULE, name="hup"))
    book.exits(3, 1, at=6).tells(RuleFailed).expect()
    book.exits(1, 1, at=7).at(8, save("a.conf", rule="hup")).at(9)
    book.spawns(Task(Role.RULE, name="hup")).exits(4, at=10).expect()
    assert book.news[-1] == AppSignalled("hup", "SIGHUP", 0)


THEN = Settings(rule_paces={"pip": Pace()}, rule_then={"pip": Needs(restart=True)})


def test_a_rule_with_then_restarts_after_it():
    """The app is swapped when the command has succeeded, once, though app.py changed too."""
    book = running(THEN).at(5, save("requirements.txt", rule="pip")).at(5, save("app.py"))
    book.at(5.002).spawns(PIP).waits_until(None)
    book.exits(2, at=9).expect(Stop(1, TERM)).exits(1).spawns(APP).waits_until(None)


def test_a_rule_with_then_that_fails_keeps_the_app():
    """The app goes on; the next change runs the command again, and then restarts."""
    book = running(THEN).at(5, save("requirements.txt", rule="pip")).at(5.002).spawns(PIP)
    book.exits(2, 1, at=6).tells(RuleFailed).waits_until(None)
    book.at(7, save("app.py")).at(7.002).spawns(PIP).exits(3, at=8).expect(Stop(1, TERM))
    book.exits(1).spawns(APP)


# --- trees ---------------------------------------------------------------------------------------


def test_what_a_job_leaves_behind_is_killed():
    """A build's background child is dead before the app starts; a daemon of its own lives on."""
    book = Playbook(Settings(build=True)).at(0).spawns(BUILD).exits(1, survivors=2)
    book.expect(Kill(1, Scope.GROUP)).at(0.1, TreeEmptied(1)).spawns(APP)


def test_what_a_failed_job_leaves_behind_is_killed_whole():
    """Nothing of a failed build lives on."""
    book = Playbook(Settings(build=True)).at(0).spawns(BUILD).exits(1, 1, survivors=1)
    book.tells(BuildFailed).expect(Kill(1, Scope.TREE)).waits_until(0.5)
    book.at(0.5).expect(Kill(1, Scope.TREE)).at(0.6, TreeEmptied(1)).waits_until(None)


def test_an_app_that_left_a_daemon_is_stopped_whole():
    """The next app starts when the last of the old tree is gone."""
    book = running().exits(1, survivors=1, at=2).tells(AppExited).waits_until(None)
    book.at(5, save()).at(5.002).expect(Stop(1, TERM)).waits_until(10.002)
    book.at(5.1, TreeEmptied(1)).tells(AppStopped).spawns(APP)


def test_workers_whose_main_process_has_failed_are_stopped():
    """They would answer with old code on the port; it is told, and the next start finds it free."""
    book = running().exits(1, 1, survivors=2, at=2).tells(AppExited, Warned).expect(Stop(1, TERM))
    book.waits_until(7).at(2.1, TreeEmptied(1)).waits_until(None)
    book.at(5, save()).at(5.002).spawns(APP)


def test_children_that_outlive_a_stopped_app_keep_their_grace():
    """The leader went at once, a child needs longer: both are waited for, up to the grace."""
    book = running().at(5, save()).at(5.002).expect(Stop(1, TERM))
    book.exits(1, survivors=1, at=5.1).tells().waits_until(10.002).at(10.002).expect(Kill(1))
    book.at(10.1, TreeEmptied(1)).tells(AppStopped).spawns(APP)


def test_an_app_that_ignores_the_signal_is_killed():
    """SIGKILL after the grace, again until it is gone, and only then the new one."""
    book = running(Settings(grace=2)).at(5, save()).at(5.002).expect(Stop(1, TERM))
    book.at(7.002).expect(Kill(1)).at(7.502).expect(Kill(1))
    book.at(7.6, ProcessExited(1, Status(signal=9))).tells(AppStopped).spawns(APP)


# --- the end -------------------------------------------------------------------------------------


def test_a_signal_ends_it():
    """The app gets to finish, then we quit."""
    book = running().signal(5).tells(QuitStarted).expect(Stop(1, TERM))
    book.exits(1, at=5.3).tells(AppStopped, QuitFinished).expect(Quit()).done()


def test_a_signal_while_nothing_runs():
    """There is nothing to wait for."""
    book = running().exits(1, 1, at=2).signal(5).expect(Quit())
    book.done()


def test_a_signal_during_a_build():
    """The build is ended, what was owed is forgotten, no app starts."""
    book = Playbook(Settings(build=True)).at(0).spawns(BUILD).signal(1).expect(Stop(1, TERM))
    book.at(1.5).expect(Kill(1)).exits(1, 9, at=1.6).expect(Quit()).done()


def test_a_signal_before_the_process_is_there():
    """A process that is being spawned is ended as soon as it is there."""
    book = Playbook().at(0).expect(Spawn(1, APP)).signal(0.1).expect()
    book.at(0.2, ProcessStarted(1, 101, "app")).expect(Stop(1, TERM)).exits(1).expect(Quit()).done()


def test_a_change_after_the_signal_is_nothing():
    """Nothing is started any more."""
    book = running().signal(5).expect(Stop(1, TERM)).at(5.1, save()).at(5.2)
    book.exits(1).expect(Quit()).done()


def test_post_cmds_run_once_after_the_app():
    """In order, when the app is gone; one that fails does not stop the next."""
    book = running(Settings(post=2)).signal(5).expect(Stop(1, TERM)).exits(1)
    book.spawns(Task(Role.POST, 0)).exits(2, 1).tells(HookFailed)
    book.spawns(Task(Role.POST, 1)).exits(3).expect(Quit()).done()


def test_post_cmds_that_hang_are_ended():
    """All of them together get five seconds."""
    book = running(Settings(post=2)).signal(5).expect(Stop(1, TERM)).exits(1)
    book.spawns(Task(Role.POST, 0)).waits_until(10).at(10).expect(Kill(2))
    book.at(10.1, ProcessExited(2, Status(signal=9))).tells(HookFailed, QuitFinished).expect(
        Quit()
    ).done()


def test_a_second_signal_kills_at_once():
    """No grace and no post_cmd any more."""
    book = running(Settings(post=1)).signal(5).expect(Stop(1, TERM)).signal(5.5).expect(Kill(1))
    book.at(5.6, ProcessExited(1, Status(signal=9))).expect(Quit()).done()


def test_a_third_signal_waits_for_nothing():
    """What the kernel holds is named and left."""
    book = running().signal(5).expect(Stop(1, TERM)).signal(5.5).expect(Kill(1))
    book.signal(5.8).tells(Warned, QuitFinished).expect(Quit()).done()


def test_the_same_signal_twice_at_once_counts_once():
    """What sends to us and to our group as well, as timeout(1) does, means it once."""
    book = running().signal(5, 2).expect(Stop(1, TERM)).signal(5.001, 2).signal(5.004, 15)
    book.signal(5.1).expect(Kill(1)).signal(5.104).signal(5.2).tells(Warned, QuitFinished)
    book.expect(Quit()).done()


def test_what_sigkill_does_not_end_is_left():
    """A process in the kernel's hands does not hold up the exit for ever."""
    book = running(Settings(grace=1)).signal(5).expect(Stop(1, TERM)).at(6).expect(Kill(1))
    book.at(8, None).expect(Kill(1)).at(8.5).expect(Kill(1)).at(9).expect(Kill(1))
    book.at(10).tells(Warned, QuitFinished).expect(Kill(1), Quit()).done()


def test_as_pid_1_everything_is_over_in_time():
    """With a grace of 30 s it is us who kill, before the container engine does."""
    book = running(Settings(grace=30, exit_within=8)).signal(5).expect(Stop(1, TERM))
    book.waits_until(13).at(13).expect(Kill(1)).exits(1).expect(Quit()).done()


# --- keys ----------------------------------------------------------------------------------------

RERUN = Settings(rerun=0.5)


def test_r_restarts_without_a_build():
    """Old out, new in; nothing is built. Pressed again while the old app stops it is the same."""
    book = running(BUILDS).at(5, R).expect(Stop(2, TERM)).at(5.1, R).exits(2, at=5.2)
    book.tells(AppStopped).spawns(APP).waits_until(None)


def test_r_during_a_build_waits_for_it():
    """The build is of what is there now: it is not ended, and one restart follows it."""
    book = running(BUILDS).at(5, save()).at(5.002).spawns(BUILD).at(6, R).waits_until(None)
    book.exits(3, at=7).tells(BuildSucceeded).expect(Stop(2, TERM)).exits(2).spawns(APP)
    book.waits_until(None)


def test_r_after_a_failed_build_tries_it_again():
    """A restart of the old program would look like one of the new; pre_cmd run again too."""
    book = Playbook(Settings(build=True, pre=1)).at(0).spawns(Task(Role.PRE, 0)).exits(1)
    book.spawns(BUILD).exits(2, 1).tells(BuildFailed).waits_until(None)
    book.at(5, R).spawns(Task(Role.PRE, 0)).exits(3).spawns(BUILD).exits(4).spawns(APP)


def test_r_in_the_moment_of_a_save_is_one_start():
    """Whichever comes first: the other one comes while the old app is on its way out."""
    book = running().at(5, save()).at(5.001, R).expect(Stop(1, TERM)).at(5.002).exits(1, at=5.01)
    book.spawns(APP).waits_until(None)
    book = running().at(5, R).expect(Stop(1, TERM)).at(5.001, save()).at(5.003).exits(1, at=5.01)
    book.spawns(APP).waits_until(None)


def test_r_while_the_app_is_down():
    """It has crashed or could not be started: it is started, at once."""
    book = running().exits(1, 3, at=2).waits_until(None).at(3, R).spawns(APP)
    book = Playbook().at(0).expect(Spawn(1, APP)).at(0, SpawnFailed(1, "app", "not found"))
    book.waits_until(None).at(1, R).expect(Spawn(2, APP))
    book.at(1, SpawnFailed(2, "app", "no memory", passing=True)).waits_until(1.1)
    book.at(1.05, R).spawns(APP).waits_until(None)


def test_r_in_a_crash_loop_starts_at_once():
    """And the waits begin again at the shortest."""
    book = running(RERUN)
    for ticket, wait in ((1, 0.5), (2, 1), (3, 2)):
        book.exits(ticket, 1).tells(AppExited)
        assert book.news[0].restart_in == wait
        book.at(book.now + (wait if ticket < 3 else 0.1), None if ticket < 3 else R).spawns(APP)
    book.exits(4, 1)
    assert book.news[0].restart_in == 0.5


def test_b_builds_though_nothing_has_changed():
    """Then the app restarts; without a build command that is all."""
    book = running(BUILDS).at(5, B).spawns(BUILD).exits(3, at=6).expect(Stop(2, TERM))
    book.exits(2).spawns(APP).waits_until(None)
    running().at(5, B).expect(Stop(1, TERM)).exits(1).spawns(APP).waits_until(None)


def test_b_during_a_build_begins_it_anew():
    """As a save would."""
    book = running(BUILDS).at(5, B).spawns(BUILD).at(6, B).expect(Stop(3, TERM)).exits(3, 15)
    book.tells(BuildCancelled).spawns(BUILD)


def test_b_after_a_failed_build():
    """It is built again."""
    book = running(BUILDS).at(5, B).spawns(BUILD).exits(3, 1).tells(BuildFailed).waits_until(None)
    book.at(9, B).spawns(BUILD)


def test_paused_nothing_begins():
    """Changes wait, for as long as they like; then one cycle is for all of them."""
    book = running(BUILDS).at(5, P).tells(Paused).at(6, save("a.py")).waits_until(None)
    book.at(7, save("b.py")).at(60, save("c.py")).waits_until(None)
    book.at(90, P).tells(Resumed, ChangeSeen).expect(Spawn(3, BUILD))
    assert (book.news[0].changed, book.news[1].count) == (3, 3)
    book.at(90, ProcessStarted(3, 103, "build")).exits(3, at=91).expect(Stop(2, TERM)).exits(2)
    book.spawns(APP).waits_until(None)


def test_a_pause_without_a_change():
    """Nothing happens at its end."""
    book = running(BUILDS).at(5, P).at(9, P).tells(Resumed).waits_until(None)
    assert book.news[0].changed == 0


@pytest.mark.parametrize("wish", [R, B])
def test_keys_in_a_pause_wait(wish):
    """That is told; the pause over, it is done once."""
    book = running(BUILDS).at(5, P).at(6, wish).tells(Paused).at(7, wish).waits_until(None)
    book.at(9, P).tells(Resumed)
    if wish is B:
        book.spawns(BUILD).exits(3)
    book.expect(Stop(2, TERM)).exits(2).spawns(APP).waits_until(None)


def test_a_pause_during_a_build():
    """The build comes to its end, the app is not taken down for it until the pause is over."""
    book = running(BUILDS).at(5, B).spawns(BUILD).at(6, P).exits(3, at=7).tells(BuildSucceeded)
    book.waits_until(None).at(9, P).expect(Stop(2, TERM)).exits(2).spawns(APP)


def test_a_pause_between_two_steps_of_a_build():
    """The next step is begun when the pause is over."""
    book = (
        Playbook(Settings(pre=1, build=True))
        .at(0)
        .spawns(Task(Role.PRE, 0))
        .at(1, P)
        .exits(1, at=2)
        .waits_until(None)
    )
    book.at(3, P).spawns(BUILD)


def test_a_pause_in_the_middle_of_a_swap():
    """The old app is on its way out: the new one is started, nobody is left without."""
    book = running().at(5, R).expect(Stop(1, TERM)).at(5.1, P).exits(1, at=5.2).spawns(APP)
    book.at(6, save()).waits_until(None)


def test_a_pause_in_a_crash_loop():
    """The app stays down until it is over; then its time has come, or comes."""
    book = running(RERUN).exits(1, 1, at=0).waits_until(0.5).at(0.2, P).waits_until(None)
    book.at(0.3, P).waits_until(0.5).at(0.4, P).at(8, save()).waits_until(None)
    book.at(9, P).spawns(APP)


def test_a_pause_while_a_start_is_retried():
    """As in a crash loop."""
    book = Playbook().at(0).expect(Spawn(1, APP))
    book.at(0, SpawnFailed(1, "app", "no memory", passing=True)).at(0.05, P).waits_until(None)
    book.at(4, save()).waits_until(None).at(5, P).spawns(APP)


def test_an_app_that_crashes_in_a_pause_stays_down():
    """r waits for the end of the pause."""
    book = running().at(1, P).exits(1, 1, at=2).tells(AppExited).at(3, R).waits_until(None)
    book.at(4, P).spawns(APP)


def test_an_edited_config_in_a_pause():
    """It holds at once; what it needs is done when the pause is over."""
    book = running(BUILDS).at(1, P).at(2, ConfigLoaded(BUILDS, RELOAD)).waits_until(None)
    book.at(3, P).spawns(BUILD)


def test_a_rule_in_a_pause():
    """Its command does not begin either."""
    settings = Settings(rule_paces={"css": Pace()})
    book = running(settings).at(1, P).at(5, save("a.css", rule="css")).waits_until(None)
    book.at(9, P).tells(Resumed, ChangeSeen).spawns(CSS)


def test_a_rule_that_is_owed_in_a_pause():
    """A change has ended its command; the new one begins when the pause is over."""
    book = running(Settings(rule_paces={"css": Pace()})).at(5, save("a.css", rule="css"))
    book.at(5.002).spawns(CSS).at(6, save("b.css", rule="css")).at(6.002).expect(Stop(2, TERM))
    book.at(6.1, P).exits(2, 15, at=6.2).waits_until(None).at(9, P).spawns(CSS)


def test_a_restart_that_comes_to_be_owed_in_a_pause():
    """A rule's command has ended, a restart follows it: after the pause."""
    book = running(THEN).at(5, save("requirements.txt", rule="pip")).at(5.002).spawns(PIP)
    book.at(6, P).exits(2, at=7).tells(RuleSucceeded).waits_until(None)
    book.at(9, P).expect(Stop(1, TERM)).exits(1).spawns(APP)


def test_a_signal_ends_a_pause():
    """And everything else."""
    book = running().at(1, P).at(2, save()).signal(5).tells(QuitStarted).expect(Stop(1, TERM))
    book.exits(1).expect(Quit()).done()


@pytest.mark.parametrize("wish", [R, B, P])
def test_keys_at_the_end_are_nothing(wish):
    """Nothing is started any more."""
    book = running().signal(5).expect(Stop(1, TERM)).at(5.1, wish).tells().waits_until(10)
    book.exits(1).expect(Quit()).done()


def test_a_typed_signal_reaches_the_app_as_it_is():
    """Ctrl-C is SIGINT for the app too, not the stop signal; a job gets SIGTERM as ever."""
    book = running(BUILDS).at(4, B).spawns(BUILD)
    book.at(5, SignalReceived(2, typed=True)).expect(Stop(2, 2), Stop(3, TERM))
    running().at(5, SignalReceived(2)).expect(Stop(1, TERM))


def test_an_app_that_was_asked_already_is_not_asked_again():
    """Ctrl-C while a restart stops it: one signal."""
    book = running().at(5, R).expect(Stop(1, TERM)).at(5.1, SignalReceived(2, typed=True))
    book.tells(QuitStarted).exits(1, at=5.2).expect(Quit()).done()


WISHED = {
    # life of the app: what Enter, b and p lead to; "": it is noted and done later
    Life.SPAWNING: ("", "", "Paused"),
    Life.RUNNING: ("Stop", "Stop", "Paused"),
    Life.READY: ("Stop", "Stop", "Paused"),
    Life.DRAINING: ("", "", "Paused"),
    Life.ORPHANED: ("Stop", "Stop", "Paused"),
    Life.STOPPING: ("", "", "Paused"),
    Life.KILLED: ("", "", "Paused"),
    Life.GONE: ("Spawn", "Spawn", "Paused"),
}


HELD = (Life.RUNNING, Life.DRAINING)


def in_life(life: Life) -> Playbook:
    """A run whose app is there in its life."""
    strategy = Strategy(awaits_ready=True, holds=True, drain=1) if life in HELD else Strategy()
    book = Playbook(Settings(strategy=strategy)).at(0)
    book.orders = ()
    if life is Life.SPAWNING:
        return book
    book.at(0, ProcessStarted(1, 101, "app"))
    if life is Life.DRAINING:
        book.at(0, BecameReady(1)).orders = ()
    if life is Life.DRAINING:
        book.at(1, R).expect(Route(Gate.HOLD), Drain(1)).waits_until(2)
    if life is Life.ORPHANED:
        book.exits(1, survivors=1)
    if life in (Life.STOPPING, Life.KILLED):
        book.at(1, R).expect(Stop(1, TERM))
    if life is Life.KILLED:
        book.at(6).expect(Kill(1, Scope.TREE))
    return book.exits(1) if life is Life.GONE else book


@pytest.mark.parametrize("life", Life)
@pytest.mark.parametrize(("key", "wish"), list(enumerate((R, B, P))))
def test_each_key_in_each_life(life, key, wish):
    """It starts, stops or waits, and in the end there is one new app, but for a pause."""
    book = in_life(life)
    assert [p.life for p in book.state.procs] == ([life] if life is not Life.GONE else [])
    book.at(book.now, wish)
    done = "".join(type(item).__name__ for item in (*book.orders, *book.news))
    assert done == WISHED[life][key]
    book.orders = ()


# --- the table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("life", Life)
@pytest.mark.parametrize("event", Event)
def test_each_cell_of_the_life_table(life, event):
    """A legal event leads where the table says; an illegal one raises and nothing happens."""
    proc = Proc(1, APP, life)
    if target := LIFE.get((life, event)):
        assert proc.after(event).life is target
    else:
        with pytest.raises(AssertionError, match=event.name):
            proc.after(event)


def test_every_life_but_gone_has_a_way_out():
    """From each life, GONE can be reached."""
    reached = {Life.GONE}
    for _ in Life:
        reached |= {source for (source, _), target in LIFE.items() if target in reached}
    assert reached == set(Life)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status(3), "exit 3"),
        (Status(signal=11), "killed by SIGSEGV"),
        (Status(signal=64), "killed by SIGRTMAX"),
        (Status(signal=50), "killed by signal 50"),
    ],
)
def test_a_status_in_words(status, words):
    """Exit codes and signals are named as people know them."""
    assert why(status) == words
