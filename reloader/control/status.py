"""The answer to a program that asks how a run stands: the machine's snapshot, and whose it is.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.light import dataclass, fields

if TYPE_CHECKING:
    from reloader.core.view import Snapshot


@dataclass(frozen=True)
class Status:
    """Of one app of a run, as `reloader healthcheck` asks for it."""

    pid: int  # of reloader
    root: str
    has_app: bool  # one that has to run: no one-off that has done its work
    name: str = ""  # of several apps in one run
    condition: str = ""  # a word of `core.view.Condition`
    app_pid: int = 0  # 0 if the app is not up
    why_down: str = ""  # "" if it is up
    failed: str = ""  # "the last build failed: exit 1"; "" if no failure is shown
    blocked: str = ""  # why nothing happens now; "" if nothing is pending
    paused: bool = False

    @classmethod
    def of(cls, snapshot: Snapshot, pid: int, root: str, name: str) -> Status:
        app, failure = snapshot.app, snapshot.failure
        failed = ""
        if failure is not None:
            words = {"build": "the last build", "rule": "a rule", "app": "the newest version"}
            failed = f"{words[failure.role]} failed: {failure.why}"
        return cls(
            pid,
            root,
            snapshot.has_app and not snapshot.completed,
            name,
            snapshot.condition.value,
            app.pid if app else 0,
            snapshot.down,
            failed,
            snapshot.blocked,
            snapshot.condition.value == "paused",
        )

    def trouble(self, *, app_only: bool) -> str:
        """Returns why the run is not healthy, in a sentence; "" if it is."""
        if self.has_app and not self.app_pid:
            return f"the app is not up: {self.why_down}"
        if self.failed and not app_only:
            running = f"; pid {self.app_pid} still running" if self.app_pid else ""
            return f"{self.failed}{running}"
        return ""


_LONGEST = 4096  # characters of a text in an answer


def typed(data: bytes) -> Status | None:
    """Returns the status in an answer; None if it is none, to the last field's type."""
    import json

    defaults = Status(0, "", has_app=False)
    try:
        table = json.loads(data)
        values = {item.name: table[item.name] for item in fields(defaults)}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    for name, value in values.items():
        is_short = not isinstance(value, str) or len(value) <= _LONGEST
        if type(value) is not type(getattr(defaults, name)) or not is_short:
            return None
    return Status(**values)
