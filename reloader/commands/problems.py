"""The problems that the output of a failure names, with lines of the project's source."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reloader.core.news import BuildFailed, RuleFailed
from reloader.core.values import Found

if TYPE_CHECKING:
    from reloader.config.model import Config
    from reloader.core.news import News

_SHOWN = 3  # a person mends one at a time


def problems_in(output: str, config: Config) -> tuple[Found, ...]:
    """Returns the first problems in the output of a compiler, an interpreter or an app."""
    from reloader.problems.parse import problems
    from reloader.problems.source import Sources

    root = os.path.realpath(config.root)
    sources = Sources(config.root, (config.command_dir,))
    return tuple(
        Found(
            problem.message,
            os.path.relpath(problem.file, root) if problem.file else problem.path,
            problem.line,
            problem.column,
            tuple(sources.lines(problem.file, problem.line)) if problem.file else (),
        )
        for problem in problems(output, sources.resolve)[:_SHOWN]
    )


def failed_part(news: News) -> str:
    """Returns what has failed, as `ProblemsFound` has it: "build", "app", or the name of a rule."""
    match news:
        case RuleFailed(rule):
            return rule
        case BuildFailed():
            return "build"
        case _:
            return "app"
