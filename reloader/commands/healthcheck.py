"""`reloader healthcheck`: for a container's HEALTHCHECK."""

from __future__ import annotations

from reloader.control import socket
from reloader.errors import Problem, ReloaderError
from reloader.paths import is_below


def healthcheck(cwd: str, *, app_only: bool) -> str:
    """What is well, in a line. Raises ReloaderError with what is not: exit status 1.

    Of several runs those count whose root is the working directory, above or below it; all, if
    none is.
    """
    runs = socket.ask()
    here = [run for run in runs if is_below(cwd, run.root) or is_below(run.root, cwd)]
    if not runs:
        raise _unwell("no reloader runs here")
    for run in here or runs:
        if trouble := run.trouble(app_only=app_only):
            raise _unwell(f"{run.name or run.root}: {trouble}" if len(runs) > 1 else trouble)
    apps = ", ".join(str(run.app_pid) for run in here or runs if run.app_pid)
    paused = " (paused)" if any(run.paused for run in here or runs) else ""
    return f"ok: pid {apps}{paused}\n" if apps else f"ok{paused}\n"


def _unwell(text: str) -> ReloaderError:
    return ReloaderError(Problem(text))
