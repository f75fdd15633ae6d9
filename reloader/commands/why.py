"""`reloader explain` without a word: asks the run in this directory why nothing happens now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.control import socket
from reloader.errors import Problem, ReloaderError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.control.status import Status

_FILE = "a save that does nothing: reloader explain FILE names the line that decides"
_NO_RUN = "start it: reloader; a file, a key or a table: reloader explain main.go"
_WORDS = {
    "ending": "reloader is ending",
    "building": "a build or a rule's command is at work",
    "starting": "the new version was started and is not ready yet",
    "waiting": "reloader starts it again in a moment",
    "failed": "reloader waits for a change, or for r or b",
    "down": "reloader waits for a change, or for r",
    "live": "nothing is pending: reloader waits for a change",
}


def why_now(directory: str) -> Iterator[str]:
    """Yields for each run of the directory how it stands and why nothing happens now.

    Raises ReloaderError if no run can be asked.
    """
    answers = socket.ask(directory)
    if not answers:
        raise ReloaderError(Problem(f"no reloader runs in {directory}", hint=_NO_RUN))
    for status, trouble, _ in answers:
        if status is None:
            raise ReloaderError(Problem(f"the reloader of {directory}: {trouble}"))
        name = f"{status.name or status.root}: " if len(answers) > 1 else ""
        yield name + _condition(status)
        yield f"  {_reason(status)}"
    yield f"  {_FILE}"


def _condition(status: Status) -> str:
    """Returns how the app stands, with the failure that is shown."""
    app = f"pid {status.app_pid} runs" if status.app_pid else f"the app is down: {status.why_down}"
    parts = [app] if status.has_app else []
    if status.failed and (status.app_pid or not status.has_app):
        parts.append(status.failed)
    return "; ".join(parts) or "reloader runs, without an app"


def _reason(status: Status) -> str:
    if status.blocked and not status.failed:
        return status.blocked
    return _WORDS.get(status.condition, status.blocked or status.condition)
