"""`reloader healthcheck`: for a container's HEALTHCHECK."""

from __future__ import annotations

from reloader.arguments import PLAIN, Formatter, Parser
from reloader.control import socket
from reloader.errors import Problem, ReloaderError
from reloader.stdout import write_text


def main(arguments: list[str], directory: str) -> int:
    """Runs the command; returns its exit status. Raises ReloaderError with what is not well."""
    parser = Parser(prog="reloader healthcheck", formatter_class=Formatter, **PLAIN)
    parser.add_argument("-h", "--help", action="store_true", help="this text")
    text = "ignore failed builds as long as the app is running"
    parser.add_argument("--app-only", action="store_true", help=text)
    given = parser.parse_args(arguments)
    if given.help:
        return write_text(parser.format_help())
    return write_text(healthcheck(directory, app_only=given.app_only))


def healthcheck(directory: str, *, app_only: bool) -> str:
    """Returns what is well, in a line. Raises ReloaderError with what is not: exit status 1.

    The runs of `directory` are asked: those that were started in it, and those whose root it is or
    lies in. If there is none, a reloader that is PID 1; never the run of another project.
    """
    answers = socket.ask(directory)
    if not answers:
        raise _unwell(f"no reloader runs in {directory}")
    runs = []
    for status, trouble, _ in answers:
        if status is None:
            raise _unwell(f"the reloader of {directory}: {trouble}")
        if why := status.trouble(app_only=app_only):
            raise _unwell(f"{status.name or status.root}: {why}" if len(answers) > 1 else why)
        runs.append(status)
    apps = ", ".join(str(run.app_pid) for run in runs if run.app_pid)
    paused = " (paused)" if any(run.paused for run in runs) else ""
    return f"ok: pid {apps}{paused}\n" if apps else f"ok{paused}\n"


def _unwell(text: str) -> ReloaderError:
    return ReloaderError(Problem(text))
