"""All commands in groups: their names, what they take, and what they do.

The overview, each command's help, the completion and docs/commands.md are made from it
(`python -m reloader.commands.table > docs/commands.md`).
"""

from __future__ import annotations

import sys
from typing import NamedTuple


class Entry(NamedTuple):
    """A command. `usage`: what stands behind its name; `more`: what its help says beyond `help`."""

    name: str
    usage: str
    help: str
    more: str = ""


class Group(NamedTuple):
    title: str
    entries: tuple[Entry, ...]


_STATUSES = (
    "Exit status: 0 live, 1 not live (failed, paused), 3 not known in time, 4 no reloader here."
)
_RUNS = (
    Entry(
        "run",
        "[FLAGS…] [FILE | DIRECTORY | COMMAND…] [-- ARGS…]",
        "build, run, watch; what reloader does without a command",
        "Exit status: 0 after a signal that ends it, 1 it could not start, 2 a config or a flag"
        " that can't be used, 3 another reloader runs this app, 70 a bug of reloader's.",
    ),
)
_ASKED = (
    Entry(
        "wait",
        "[NAME] [--timeout S] [--json]",
        "wait until what is saved is live",
        "All that was saved before the call counts: events are read to their end, pollers look once"
        " more. Then it waits until that is built, started and can answer; what is saved later is"
        " no part of the question. An app that has run and ended with exit 0 counts as live. With"
        f" --json the answer is one object, the problems first. {_STATUSES}",
    ),
    Entry(
        "status",
        "[NAME] [--json]",
        "tell how the apps stand",
        "Exit status: 0 if all apps are up, 1 if not, 4 no reloader here.",
    ),
    Entry(
        "restart",
        "[NAME] [--timeout S] [--json]",
        "restart the app without a build, and wait",
        _STATUSES,
    ),
    Entry(
        "build",
        "[NAME] [--timeout S] [--json]",
        "build though nothing has changed, restart, and wait",
        _STATUSES,
    ),
    Entry("pause", "[NAME]", "note changes, and begin nothing"),
    Entry("resume", "[NAME]", "go on, with one cycle for all changes"),
    Entry(
        "stop",
        "[NAME]",
        "end reloader, or one of several apps",
        "It comes back when the run has ended; an app that was stopped by its name stays down until"
        " reloader is started again.",
    ),
    Entry(
        "logs",
        "[NAME] [--since AGE] [-f]",
        "show the last output of the app and its builds",
        "The last MiB of it is kept. AGE is like 30s or 5m; -f goes on with what comes. An app"
        " that is alone at a terminal has it for itself: its output is not kept; that is said.",
    ),
    Entry(
        "events",
        "[NAME] [--since N] [-f]",
        "tell the last 1,000 events, one JSON object a line",
        "They are those of reloader run --json (docs/events.md). N is the number of the last event"
        " that is known already; -f goes on with what comes.",
    ),
)
_HEALTH = (
    Entry(
        "mcp",
        "",
        "serve AI agents: wait_until_live, problems, logs, restart",
        "The Model Context Protocol over standard input and output, for the run of the working"
        " directory. In an agent's settings the command is: reloader mcp.",
    ),
    Entry(
        "healthcheck",
        "[--app-only]",
        "exit with 0 if the app is up and its last build succeeded",
    ),
)
_CONFIG = (
    Entry(
        "init",
        "[--print | --run] [--template NAME | --from FILE] [--force]",
        "write a .reload.toml that fits the project",
    ),
    Entry(
        "check",
        "[-c FILE]… [--strict] [--json] [--print]",
        "find errors in the config, and warnings",
    ),
    Entry("explain", "PATH|KEY…", "tell what a save of a file does, or what a key means"),
    Entry("doctor", "[-c FILE] [--json]", "look for problems of this machine and project"),
    Entry("help", "KEY|COMMAND", "tell what a key of the config, or a command, does"),
    Entry("completion", "bash|zsh|fish", "print a completion for a shell"),
)
GROUPS = (
    Group("run an app", _RUNS),
    Group("ask the reloader that runs here", (*_ASKED, *_HEALTH)),
    Group("set up, and look closer", _CONFIG),
)
ASKING = tuple(entry.name for entry in _ASKED)


def entries() -> tuple[Entry, ...]:
    """Returns all commands, in the order of their groups."""
    return tuple(entry for group in GROUPS for entry in group.entries)


def entry(name: str) -> Entry:
    """Returns the command of a name."""
    return next(entry for entry in entries() if entry.name == name)


def help_of(name: str) -> str:
    """Returns the help of a command that takes nothing."""
    it = entry(name)
    return f"usage: reloader {it.name} {it.usage}\n\n{it.help}\n\n{it.more}\n"


def helps() -> dict[str, str]:
    """Returns what each command does, by name."""
    return {entry.name: entry.help for entry in entries()}


def overview() -> str:
    """Returns the commands in their groups, for `reloader --help`."""
    lines = []
    for group in GROUPS:
        lines.append(f"{group.title}:")
        lines += [f"  {entry.name:<11} {entry.help}" for entry in group.entries]
        lines.append("")
    return "\n".join(lines)


def page() -> str:
    """Returns docs/commands.md."""
    parts = [_HEAD]
    for group in GROUPS:
        parts.append(f"## {group.title[:1].upper()}{group.title[1:]}\n")
        for entry in group.entries:
            parts.append(f"### `reloader {entry.name}`\n")
            parts.append(f"```text\nreloader {entry.name} {entry.usage}\n```\n")
            parts.append(f"{entry.help[:1].upper()}{entry.help[1:]}.\n")
            parts += [f"{entry.more}\n"] if entry.more else []
    return "\n".join(parts)


_HEAD = """\
# Commands

`reloader COMMAND --help` lists the flags of a command. NAME is one of several apps in a run.

*This page is made from the code: `python -m reloader.commands.table > docs/commands.md`.*
"""

if __name__ == "__main__":
    sys.stdout.write(page())
