"""Regular expressions that `re` may search for ever with.

`re` tries one way after the other, and where a repeat repeats a repeat there are 2^n of them: with
`(a+)+$` a name of forty letters takes hours. Go's expressions know no such trouble, so nobody who
wrote one for Air thought of it. Found by what a repeated group is made of; errs on the safe side.

Pure.
"""

from __future__ import annotations

import re
from functools import cache

from reloader.light import dataclass, field

_TOKEN = re.compile(
    r"(?P<open>\((?:\?(?:P<\w+>|[a-z-]*:|<?[=!]))?(?!\?[a-zA-Z-]+\)))"
    r"|(?P<flags>\(\?[a-zA-Z-]+\))"
    r"|(?P<close>\))|(?P<or>\|)"
    r"|(?P<atom>\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)"
    r"|\[\^?\]?(?:\\.|[^\]\\])*\]|.)",
    re.DOTALL,
)
_REPEAT = re.compile(r"([*+?]|\{\d*(,?)(\d*)\})[?+]?")
_SUSPECT = re.compile(r"\)[*+{]")


@dataclass(frozen=True)
class _Item:
    """A part of a sequence: which characters it may take, and whether always the same number."""

    chars: frozenset[str]
    varies: bool = False


@dataclass
class _Group:
    start: int
    branches: list[list[_Item]] = field(default_factory=lambda: [[]])

    @property
    def chars(self) -> frozenset[str]:
        return frozenset().union(*(item.chars for branch in self.branches for item in branch))

    def is_clear(self) -> bool:
        """Whether, repeated, it can divide a text in one way only.

        Its branches begin with different characters; and in a branch with a part that varies there
        is another, fixed one that none of those can take: the `/` of `([a-z]+/)*`. A fixed `/` is
        enough in any case, as in `(.*/)*`: what is searched is a path, and has but a few.
        """
        begun: set[str] = set()
        for branch in self.branches:
            if not branch or branch[0].chars & begun:
                return False
            begun |= branch[0].chars
            loose = frozenset().union(*(item.chars for item in branch if item.varies))
            fixed = [item for item in branch if not item.varies]
            if loose and all(item.chars & loose and item.chars != {"/"} for item in fixed):
                return False
            if branch[0].varies and len(self.branches) > 1:
                return False
        return True


def runaway(pattern: str) -> int | None:
    """Where (from 0) a group begins that may take for ever; None: there is none.

    `pattern`: one that `re` can compile.
    """
    if not _SUSPECT.search(pattern):
        return None
    stack, at = [_Group(0)], 0
    while at < len(pattern) and (token := _TOKEN.match(pattern, at)):
        at, branch = token.end(), stack[-1].branches[-1]
        if token["open"]:
            stack.append(_Group(token.start()))
        elif token["or"]:
            stack[-1].branches.append([])
        elif token["atom"] or (token["close"] and len(stack) > 1):
            group = stack.pop() if token["close"] else None
            repeat = _REPEAT.match(pattern, at)
            at = repeat.end() if repeat else at
            if group and repeat and _is_endless(repeat) and not group.is_clear():
                return group.start
            varies = repeat is not None and not (repeat[1][0] == "{" and not repeat[2])
            branch = stack[-1].branches[-1]
            if group is None:
                chars = _chars(token["atom"])
                branch += [_Item(chars, varies)] if chars else []  # none: it is a place, like `^`
            elif repeat or len(group.branches) > 1:
                branch.append(_Item(group.chars, varies=True))
            else:
                branch += group.branches[0]
    return None


def _is_endless(repeat: re.Match[str]) -> bool:
    return repeat[1] in {"*", "+"} or bool(repeat[2] and not repeat[3])


@cache
def _chars(atom: str) -> frozenset[str]:
    """What it takes of Latin-1, whatever the case."""
    matches = re.compile(atom, re.IGNORECASE).fullmatch
    return frozenset(char for char in map(chr, range(256)) if matches(char))
