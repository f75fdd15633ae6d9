"""The matchers of the config's keys: endings, paths, patterns, `[[build.rules]]`.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.core.needs import NOTHING, Needs
from reloader.filter.globs import glob, is_glob, is_made, is_temporary
from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reloader.config.model import Rule
    from reloader.filter.lines import ConfigLines


@dataclass(frozen=True)
class Decision:
    """The needs of a path, and the line of the config that says so.

    `is_config`: the config is read from it; `is_filter`: the filter is made from it (.gitignore).
    Both are watched whatever they need.
    """

    needs: Needs
    because: str
    is_config: bool = False
    is_filter: bool = False
    is_by_default: bool = False  # the extension alone decides, so a person may expect otherwise

    @property
    def is_watched(self) -> bool:
        """True if a change of the file matters."""
        return self.is_config or self.is_filter or bool(self.needs)


def no(because: str) -> Decision:
    return Decision(NOTHING, because)


_TEMPORARY = no("a temporary file of an editor or a tool")
_MADE = no('written by programs; include_ext "*" leaves it out')


class Endings:
    """`include_ext`."""

    def __init__(
        self, endings: Iterable[str], yes: Callable[[str], Decision], other: Decision
    ) -> None:
        plain = [ending.strip().lstrip(".") for ending in endings]
        self._simple = {e: yes(e) for e in plain if "." not in e and e != "*"}
        self._long = tuple(("." + e, yes(e)) for e in plain if "." in e)  # "html.tmpl"
        self._any = yes("*") if "*" in plain else None
        self._no = other

    def decide(self, name: str) -> Decision:
        _, dot, ending = name.rpartition(".")
        found = (self._simple.get(ending) if dot else None) or self._other(name)
        return _TEMPORARY if found.needs and is_temporary(name) else found

    def _other(self, name: str) -> Decision:
        for ending, yes in self._long:
            if name.endswith(ending):
                return yes
        if self._any is not None:
            return _MADE if is_made(name) else self._any
        return self._no


class Paths:
    """`exclude_dir`, `exclude_file`: paths seen from the root, or patterns for them."""

    def __init__(self, lines: ConfigLines, key: str, texts: Iterable[str]) -> None:
        self._exact: dict[str, Decision] = {}
        self._globs: list[tuple[Callable[[str], object], Decision]] = []
        for text in texts:
            out = no(lines.because(key, text))
            # A name like "[id].ts" is a path and a pattern.
            self._exact[lines.relative(lines.absolute(text))[:-1]] = out
            if is_glob(text):
                self._globs.append((glob(text.removeprefix("./").rstrip("/")).fullmatch, out))

    def find(self, relative: str) -> Decision | None:
        found = self._exact.get(relative)
        if found is None:
            for matches, out in self._globs:
                if matches(relative):
                    return out
        return found


class RuleMatcher:
    """One of `[[build.rules]]`: as in Air, `include_dir` and `exclude_regex` narrow the rest."""

    def __init__(self, lines: ConfigLines, number: int, rule: Rule) -> None:
        name = rule.name or f"rule-{number}"
        needs = follows(rule) if rule.then and not rule.cmd else Needs(rules=frozenset({name}))
        self.dirs = frozenset(lines.absolute(path) for path in rule.include_dir)

        def yes(key: str, value: str) -> Decision:
            where = lines.of_rule(number, key)
            return Decision(needs, f'rule "{name}", {key} "{value}" ({where})')

        self.files = {lines.absolute(file): yes("include_file", file) for file in rule.include_file}
        endings = rule.include_ext or (() if rule.include_file else ("*",))
        dirs = " ".join(rule.include_dir)
        self.endings = endings and Endings(
            endings,
            lambda e: yes("include_ext", e) if rule.include_ext else yes("include_dir", dirs),
            no(""),
        )
        self._vetoes = searches(rule.exclude_regex)
        self._files = {lines.relative(file)[:-1]: it for file, it in self.files.items()}

    def decide(self, relative: str, name: str, *, inside: bool) -> Decision | None:
        """Returns the rule's decision; None if it does not take the file."""
        found = self._files.get(relative)
        if found is None and inside and self.endings:
            found = self.endings.decide(name)
        if found is None or not found.needs or any(veto(relative) for veto in self._vetoes):
            return None
        return found


def follows(rule: Rule) -> Needs:
    """Returns the needs that follow the rule's command."""
    return Needs(build=rule.then == "build", restart=rule.then in ("build", "restart"))


def searches(patterns: tuple[str, ...]) -> tuple[Callable[[str], object], ...]:
    """Returns the search function of each pattern."""
    if not patterns:
        return ()
    from reloader.config.regex import compiled

    return tuple(compiled(pattern).search for pattern in patterns)
