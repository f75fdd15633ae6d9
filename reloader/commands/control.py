"""The answers of a run to those who ask over the control socket."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from reloader.commands.logs import Logs
from reloader.control.server import ControlServer
from reloader.control.wire import Do
from reloader.core.facts import Noticed, Requested, SignalReceived
from reloader.core.news import Informed
from reloader.core.values import Outcome, Request, Wish
from reloader.light import asdict
from reloader.problems.secrets import masked
from reloader.problems.text import plain
from reloader.report.jsonl import encode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reloader.commands.app import Live
    from reloader.commands.shared import Shared
    from reloader.control.memory import Told, Trouble
    from reloader.control.server import Caller
    from reloader.control.wire import Ask
    from reloader.core.values import Seconds
    from reloader.core.view import Snapshot

SHOWN_OUTPUT = 8192  # characters of the end of a failure's output: errors are at its end
_GRACE: Seconds = 1.0  # beyond the time of a question; by then the machine has answered it
_WISHES = {
    Do.RESTART: Wish.RESTART,
    Do.BUILD: Wish.BUILD,
    Do.PAUSE: Wish.PAUSE,
    Do.RESUME: Wish.RESUME,
}
_GOOD = (Outcome.LIVE, Outcome.ENDED, Outcome.ACCEPTED, Outcome.QUEUED)


class Control:
    """Answers for all apps of a run, or for one of them."""

    def __init__(self, apps: Sequence[Live], shared: Shared) -> None:
        self._apps = apps
        self._shared = shared
        self._server: ControlServer | None = None
        self._logs: Logs | None = None

    def open(self) -> None:
        """Opens the socket. A place for it is not to be had everywhere: that is told, and all."""
        shared = self._shared
        try:
            self._server = ControlServer(
                shared.environ, shared.started_in, self._roots(), self._handle
            )
        except OSError as error:
            text = f"no control socket, so 'reloader wait' and its like can't ask: {error}"
            shared.inbox.put([Noticed(Informed(text))])
        else:
            shared.inbox.add(self._server)

    def follow(self) -> None:
        """Has the run found from the roots of the apps it has now: one has joined, or left."""
        if self._server is None or not self._apps:
            return
        try:
            self._server.cover(self._roots())
        except OSError as error:
            text = f"'reloader wait' and its like don't find this run from each root: {error}"
            self._shared.inbox.put([Noticed(Informed(text))])

    def _roots(self) -> list[str]:
        return [app.config.root for app in self._apps]

    def _handle(self, ask: Ask, caller: Caller) -> None:  # noqa: C901 -- one for each thing
        apps = [app for app in self._apps if ask.app in ("", app.name)]
        if not apps:
            names = ", ".join(app.name for app in self._apps if app.name) or "there is only one"
            raise ValueError(f"no app {ask.app}; expected one of: {names}")
        match Do(ask.do):
            case Do.STATUS:
                self._say(caller, self._status(apps))
            case Do.PROBLEMS:
                self._say(caller, {"apps": [self._troubles(app) for app in apps]})
            case Do.WAIT:
                self._wait(apps, caller, ask.timeout)
            case Do.RESTART | Do.BUILD as do:
                first = Requested(Request(_WISHES[do], "socket"))
                self._wait(apps, caller, ask.timeout, first)
            case Do.PAUSE | Do.RESUME as do:
                self._order(apps, caller, _WISHES[do])
            case Do.STOP:  # the connection ends with the run
                for app in apps:
                    self._shared.inbox.put([SignalReceived(int(signal.SIGTERM))], app.seat)
                caller.say({"outcome": Outcome.ACCEPTED.value, "pid": os.getpid()})
            case Do.EVENTS:
                self._events(ask, caller)
            case Do.LOGS:
                self._logs_now().tell(apps, ask, caller)
                self._flush()
            case _:
                raise ValueError(f"{ask.do} is not known here")

    def _flush(self) -> None:
        if self._server:
            self._server.flush()

    def _logs_now(self) -> Logs:
        if self._logs is None:
            self._logs = Logs(self._flush)
            self._shared.inbox.add(self._logs)
        return self._logs

    def _say(self, caller: Caller, record: dict[str, Any]) -> None:
        caller.say(record)
        caller.end()
        self._flush()

    # --- to wait ----------------------------------------------------------------------------------

    def _wait(
        self, apps: Sequence[Live], caller: Caller, timeout: Seconds, *first: Requested
    ) -> None:
        """Asks each app whether what is saved now is live; answers when all have answered."""
        began = time.monotonic()
        outcomes: dict[int, Outcome] = {}

        def answer() -> None:
            found = [(app, outcomes.get(app.seat, Outcome.TIMEOUT)) for app in apps]
            seconds = round(time.monotonic() - began, 3)
            self._say(caller, verdict([of_app(*one) for one in found], seconds))

        def answered(seat: int, outcome: Outcome) -> None:
            outcomes.setdefault(seat, outcome)
            has_failed = outcome not in _GOOD
            if (
                not caller.is_gone
                and not caller.ends
                and (has_failed or len(outcomes) == len(apps))
            ):
                answer()

        for app in apps:
            question = Request(Wish.WAIT, "socket", partial(answered, app.seat), timeout)
            app.tell_behind(*first, Requested(question))
        # Where a look at the files hangs, the machine is never asked.
        caller.due, caller.late = began + timeout + _GRACE, answer

    def _order(self, apps: Sequence[Live], caller: Caller, wish: Wish) -> None:
        outcomes: list[Outcome] = []

        def answered(outcome: Outcome) -> None:
            outcomes.append(outcome)
            if len(outcomes) == len(apps):
                bad = [o for o in outcomes if o not in _GOOD]
                self._say(caller, {"outcome": (bad or outcomes)[0].value})

        for app in apps:
            self._shared.inbox.put([Requested(Request(wish, "socket", answered))], app.seat)

    # --- to tell ----------------------------------------------------------------------------------

    def _status(self, apps: Sequence[Live]) -> dict[str, Any]:
        found = []
        for app in apps:
            snapshot = app.snapshot()
            found.append(
                {"name": app.name, "root": app.config.root, "config": app.config.file}
                | snapshot.as_json()
                | {"app": asdict(snapshot.app) if snapshot.app else None}
                | {"rejected": app.rejected}
            )
        return {"pid": os.getpid(), "apps": found}

    def _troubles(self, app: Live) -> dict[str, Any]:
        return {"name": app.name} | failures_of(app)

    def _events(self, ask: Ask, caller: Caller) -> None:
        chronicle, encode = self._shared.chronicle, _encoder(self._hidden())
        for told in chronicle.since(ask.since):
            if ask.app in ("", told.app):
                caller.say(encode(told))
        if not ask.follow:
            caller.end()
            return

        def follow(told: Told) -> None:
            if caller.is_gone:
                chronicle.followers.remove(follow)
            elif ask.app in ("", told.app):
                caller.say(encode(told))
                self._flush()

        chronicle.followers.append(follow)

    def _hidden(self) -> list[str]:
        return [secret for app in self._apps for secret in app.secrets()]


def _encoder(secrets: Sequence[str]) -> Callable[[Told], dict[str, Any]]:
    def encoded(told: Told) -> dict[str, Any]:
        when = datetime.fromtimestamp(told.at, tz=timezone.utc)
        line = encode(told.news, told.seq, when, told.app)
        record: dict[str, Any] = without(secrets, json.loads(line))
        return record

    return encoded


# --- what an answer holds -------------------------------------------------------------------------


def verdict(apps: list[dict[str, Any]], seconds: Seconds) -> dict[str, Any]:
    """Returns the answer for a run: that of its app, or of the worst of several, with all."""
    worst = min(apps, key=lambda app: app["live"])
    if len(apps) == 1:
        return {**worst, "seconds": seconds}
    return {**worst, "seconds": seconds, "apps": apps}


def of_app(app: Live, outcome: Outcome) -> dict[str, Any]:
    """Returns the answer for an app: whether it is live, and why not, the errors first."""
    snapshot = app.snapshot()
    if outcome in (Outcome.LIVE, Outcome.ENDED) and app.rejected:
        outcome = Outcome.FAILED
    is_live = outcome in (Outcome.LIVE, Outcome.ENDED)
    running = snapshot.app
    record: dict[str, Any] = {"live": is_live, "outcome": outcome.value}
    record |= {"name": app.name} if app.name else {}
    record["why"] = why(app, snapshot, outcome)
    if outcome is Outcome.FAILED:
        record |= failures_of(app)
    record["generation"] = running.number if running else 0
    record["cause"] = running.path if running else ""
    record["app"] = None
    if running:
        record["app"] = {
            "pid": running.pid,
            "generation": running.number,
            "life": running.life,
            "up": round(running.up, 3),
            "address": running.address,
        }
    return record


def failures_of(app: Live) -> dict[str, Any]:
    """Returns what has failed and is not mended: problems first, then the end of the output."""
    secrets, failure = app.secrets(), app.snapshot().failure
    troubles = app.memory.troubles(build=failure is not None and failure.role == "build")
    found = [{"of": t.of, **asdict(problem)} for t in troubles for problem in t.problems]
    return {
        "problems": without(secrets, found),
        "failures": [_failure(trouble, secrets) for trouble in troubles],
    }


def without(secrets: Sequence[str], value: Any) -> Any:
    """Returns a value of JSON with the secrets in its texts masked."""
    match value:
        case str():
            return masked(value, secrets)
        case dict():
            return {key: without(secrets, item) for key, item in value.items()}
        case list() | tuple():
            return [without(secrets, item) for item in value]
        case _:
            return value


def _failure(trouble: Trouble, secrets: Sequence[str]) -> dict[str, Any]:
    return {
        "of": trouble.of,
        "why": trouble.why,
        "command": masked(trouble.command, secrets),
        "output": masked(plain(trouble.output), secrets)[-SHOWN_OUTPUT:],
    }


def why(app: Live, snapshot: Snapshot, outcome: Outcome) -> str:
    """Returns the reason for an answer, in a sentence; "" if all is well."""
    match outcome:
        case Outcome.LIVE:
            return ""
        case Outcome.ENDED:
            return "the app has run, and ended with exit 0"
        case Outcome.PAUSED:
            return "paused: changes wait; reloader resume goes on"
        case Outcome.IGNORED:
            return "reloader is ending"
        case Outcome.FAILED:
            return _failed(app, snapshot)
        case _:
            return _unfinished(snapshot)


def _failed(app: Live, snapshot: Snapshot) -> str:
    if app.rejected:
        return f"the config that was saved does not hold: {app.rejected}"
    failure = snapshot.failure
    if failure is not None:
        words = {"build": "the build", "rule": "a rule's command", "app": "the app"}
        return f"{words[failure.role]} failed: {failure.why}"
    if snapshot.down:
        return f"the app failed: {snapshot.down}"
    troubles = app.memory.troubles(build=True)
    return f"{troubles[-1].of} failed: {troubles[-1].why}" if troubles else "it failed"


def _unfinished(snapshot: Snapshot) -> str:
    for job in snapshot.jobs:
        return f"the {job.role} is at work for {job.up:.3g} s: {job.command}"
    running = snapshot.app
    if running and running.ready is None:
        return f"pid {running.pid} is not ready after {running.up:.3g} s"
    return snapshot.blocked or snapshot.down or "not all changes have been looked at"
