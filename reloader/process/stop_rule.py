"""The rule of a stop: which processes of a tree are asked to end, and when.

The process that is the app is asked, once. Its wrapper passes the signal on, or its pool ends its
workers; a second signal would cut the clean-up. So from the top of the tree down, the first process
on each path that catches the signal is asked, and nothing below it. Shells don't pass signals on,
so they never count as the app. What is left when the processes that were asked have gone, or when
half of the grace is over, is asked then. A process that reads another's output comes last, so that
it gets the last lines.

Pure: processes and the time in, processes out.
"""

from __future__ import annotations

import signal
from enum import Enum
from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from reloader.core.values import Seconds

LOOK_AGAIN: Seconds = 0.03  # between two looks at a tree that is ending; a look takes 1 ms
READER_REST: Seconds = 0.25  # a reader whose writers have gone ends by itself; then it is asked

SHELLS = frozenset("sh dash ash bash zsh ksh mksh fish busybox".split())  # noqa: SIM905
# Catch, ignore or block SIGINT without passing it on: they expect it from a terminal, to all.
_DEAF_TO_INTERRUPT = frozenset("make go time su runuser pdm hatch watch".split())  # noqa: SIM905


Key = tuple[int, float]  # pid and start: names one process for ever


class StopScope(Enum):
    """Which processes get the stop signal (`build.stop_scope`)."""

    AUTO = "auto"  # the app itself, by the rule above
    TREE = "tree"  # every process, at once
    LEADER = "leader"  # the process that reloader started; the others when it has gone


@dataclass(frozen=True)
class Member:
    """A process of the tree, as far as the rule must know it."""

    pid: int
    start: float
    parent: int
    name: str = ""  # of its program
    catches: bool = True  # the signal has a handler
    reads: frozenset[int] = frozenset()  # pipes that it may read from
    writes: frozenset[int] = frozenset()  # pipes behind its standard output and standard error

    @property
    def key(self) -> Key:
        return self.pid, self.start

    @property
    def is_shell(self) -> bool:
        return self.name in SHELLS


@dataclass(frozen=True)
class StopTerms:
    """The terms of a stop: after `rest_after` seconds all processes that are left are asked."""

    scope: StopScope
    rest_after: Seconds = 0.0


AT_ONCE = StopTerms(StopScope.TREE)


class Stop:
    """A stop under way, of the tree of the process `leader`."""

    def __init__(self, leader: int, number: int, terms: StopTerms, now: Seconds) -> None:
        self.number = number
        self.look_at: Seconds | None = now
        self._leader = leader
        self._scope = terms.scope
        self._began_at = now
        self._rest_at = now + terms.rest_after
        self._asked: set[Key] = set()
        self._read_at: dict[Key, Seconds] = {}  # when a writer of this reader last lived

    def has_asked(self, keys: Iterable[Key]) -> None:
        """Notes processes that have got the signal, from a terminal for example."""
        self._asked.update(keys)

    def waits(self, living: Iterable[Key], now: Seconds) -> bool:
        """Returns True if nobody is to be asked now, because a process that was asked lives."""
        if now >= self._rest_at or self._asked.isdisjoint(living):
            return False
        self._read_at = dict.fromkeys(self._read_at, now)
        self.look_at = now + LOOK_AGAIN
        return True

    def next(self, members: Sequence[Member], now: Seconds) -> list[Member]:
        """Returns the processes that are to be asked now, in this order. `members`: all that live.

        `look_at` is then the time of the next look, None if there is nobody left to ask.
        """
        readers = self._readers(members, now)
        if now >= self._rest_at or self._scope is StopScope.TREE:
            chosen = list(members)
        elif not self._asked:
            chosen = self._first(members, readers)
        else:
            chosen = [member for member in members if member.pid not in readers]
        chosen = [member for member in chosen if member.key not in self._asked]
        self.has_asked(member.key for member in chosen)
        self.look_at = now + LOOK_AGAIN if now < self._rest_at else None
        return chosen

    def lingering(self, members: Sequence[Member], now: Seconds) -> list[Member]:
        """Returns those that were asked and still live now that everything else is asked, too."""
        if self._scope is StopScope.TREE or now < self._rest_at:
            return []
        return [member for member in members if member.key in self._asked]

    def lasts(self, now: Seconds) -> Seconds:
        """Returns how long ago the stop began."""
        return now - self._began_at

    def _first(self, members: Sequence[Member], readers: Collection[int]) -> list[Member]:
        pids = {member.pid for member in members}
        tops = [member for member in members if member.parent not in pids]
        if self._scope is StopScope.LEADER:
            return [top for top in tops if top.pid == self._leader] or list(members)
        children: dict[int, list[Member]] = {}
        for member in members:
            children.setdefault(member.parent, []).append(member)
        chosen: list[Member] = []

        def visit(member: Member) -> bool:
            """Chooses below and with this process; returns False if nobody there catches."""
            is_reader = member.pid in readers
            if self._counts_as_app(member) and not is_reader:
                chosen.append(member)
                return True
            found = sum(visit(child) for child in children.get(member.pid, ())) > 0
            if found and member.is_shell and not member.catches and not is_reader:
                chosen.insert(0, member)  # it dies of it, and so starts nothing more
            return found

        silent = [top for top in tops if not visit(top)]
        return [*silent, *chosen]

    def _counts_as_app(self, member: Member) -> bool:
        if not member.catches or member.is_shell:
            return False
        deaf = member.name in _DEAF_TO_INTERRUPT or member.name.startswith("npm ")
        return not (self.number == signal.SIGINT and deaf)

    def _readers(self, members: Sequence[Member], now: Seconds) -> set[int]:
        """Returns the pids of those that read another member's output, or did so a moment ago."""
        found = set()
        for member in members:
            if not member.reads:
                continue
            own = {below.pid for below in _below(member, members)} if member.catches else set()
            own.add(member.pid)
            if any(
                writer.pid not in own and not writer.writes.isdisjoint(member.reads)
                for writer in members
            ):
                self._read_at[member.key] = now
            if now - self._read_at.get(member.key, float("-inf")) < READER_REST:
                found.add(member.pid)
        return found


def _below(member: Member, members: Sequence[Member]) -> Iterator[Member]:
    for child in members:
        if child.parent == member.pid and child is not member:
            yield child
            yield from _below(child, members)
