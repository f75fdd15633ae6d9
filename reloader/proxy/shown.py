"""Prepares a trouble for a page: its coloured output, its problems and their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reloader.problems.parse import MOST_TEXT, problems
from reloader.problems.secrets import hidden, masked
from reloader.problems.source import Sources
from reloader.problems.text import plain, runs
from reloader.proxy import editors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reloader.core.view import Snapshot
    from reloader.problems.parse import Problem
    from reloader.proxy.board import Board, Trouble
    from reloader.proxy.options import Options

MOST_SHOWN = 5  # problems with their sources; a person mends one at a time


class One(NamedTuple):
    """A trouble, and the message that shows it."""

    trouble: Trouble
    message: dict[str, Any]
    places: tuple[str, ...]


Shown = tuple[One, ...]


def prepare(troubles: Sequence[Trouble], options: Options) -> Shown:
    """Reads the sources that the troubles are about: once, when they appear."""
    secrets = hidden(options.secrets())
    return tuple(_prepared(one, options, secrets) for one in troubles)


def _prepared(trouble: Trouble, options: Options, secrets: Sequence[str]) -> One:
    sources = Sources(options.root)
    output = masked(trouble.output[-MOST_TEXT:], secrets)
    found = problems(output, sources.resolve)
    message = {
        "kind": trouble.kind.value,
        "title": plain(masked(trouble.title, secrets)),
        "output": [list(run) for run in runs(output.strip("\n"))],
        "problems": [_problem(one, sources, options, secrets) for one in found[:MOST_SHOWN]],
    }
    places = tuple(f"{one.path}:{one.line}: {one.message}" for one in found if one.path)
    return One(trouble, message, places)


def _problem(
    one: Problem, sources: Sources, options: Options, secrets: Sequence[str]
) -> dict[str, Any]:
    file = one.file
    shown = sources.below(file) if file else one.path
    at = ":".join(str(part) for part in (shown, one.line, one.column) if part)
    return {
        "message": one.message,
        "level": one.level.value,
        "place": at,
        "line": one.line,
        "column": one.column,
        "url": editors.address(options.editor, file, one.line, one.column, options.path_map)
        if file
        else "",
        "source": [
            [line.number, masked(line.text, secrets)] for line in sources.lines(file, one.line)
        ]
        if file
        else [],
    }


def dashboard(board: Board, snapshot: Snapshot | None) -> dict[str, Any]:
    """Returns what only the dashboard shows."""
    return {
        "run": snapshot.as_json() if snapshot else {},
        "reloads": [vars(one) for one in board.reloads],
    }
