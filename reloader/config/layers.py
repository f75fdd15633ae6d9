"""The layers a config is made of: a file, the environment, flags. Each says only what it says.

A layer holds what was written, and a value equal to the default counts like any other. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reloader.config import air, model, values
from reloader.config.model import Layer, Origin, Rule
from reloader.config.wording import nearest, shown
from reloader.config.written import Problems, Setting, Written
from reloader.errors import Problem
from reloader.light import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from reloader.config.document import Document
    from reloader.config.lines import Path

ENVIRONMENT_PREFIX = "RELOADER_"
OPTIONS = {key: option for key, option, _ in model.options()}
APP_OPTIONS = {key: option for key, option, _ in model.options(model.App)}
_RULE_OPTIONS = {key: option for key, option, _ in model.options(Rule)}
_RULE_SCOPE = ("include_dir", "include_ext", "include_file")
NOTHING_TO_RUN = "true"  # a program that does nothing and succeeds: what follows is the rule


@dataclass(frozen=True)
class Guess:
    """A way to run a project of which no config names a command.

    `settings` has the values by key, `where` names the file that told, `text` says it to people;
    `takes_args`: the words after `--` are in it.
    """

    settings: Mapping[str, Any]
    where: str
    text: str = ""
    takes_args: bool = False


def guess_layer(guess: Guess) -> Written:
    """Returns what was found in the project, below all that somebody wrote."""
    origin = Origin(Layer.FOUND, guess.where)
    return {key: Setting(value, origin) for key, value in guess.settings.items()}


def file_layer(document: Document, *, is_air: bool, platform: str, found: Problems) -> Written:
    """Returns the settings of a file; on `platform`, `[build.PLATFORM]` goes before `[build]`."""
    return _FileReader(document, is_air, found).read(platform)


def app_layer(document: Document, name: str, *, platform: str, found: Problems) -> Written:
    """Returns what the table of an app says, which goes before what the apps of a file share."""
    table = document.below("apps", name)
    return _FileReader(table, False, found, app=name).read(platform) if table else {}


def environment_layer(environ: Mapping[str, str], found: Problems) -> Written:
    """Returns the settings of `RELOADER_…` variables; an empty one counts for texts and lists."""
    keys = {variable(key): key for key in OPTIONS}
    settings: Written = {}
    for name, text in environ.items():
        if not name.startswith(ENVIRONMENT_PREFIX):
            continue
        key = keys.get(name)
        if key is None:
            _note_near_miss(name, keys, found)
        elif text or OPTIONS[key].kind in (model.Kind.TEXT, model.Kind.TEXTS, model.Kind.ARGV):
            origin = Origin(Layer.ENVIRONMENT, name)
            _read_texts(settings, key, [text], origin, found)
    return settings


def _note_near_miss(name: str, keys: Mapping[str, str], found: Problems) -> None:
    """Most other RELOADER_ variables are somebody else's; one letter off is a slip."""
    from difflib import get_close_matches

    if close := get_close_matches(name, keys, n=1, cutoff=0.93):
        found.warnings.append(Problem("no such variable, ignored", name, f"{close[0]} is one"))


def flag_layer(flags: Mapping[str, Sequence[str]], found: Problems) -> Written:
    """Returns the settings of `--section.key` flags; `flags` has all texts given for a key."""
    settings: Written = {}
    for key, texts in flags.items():
        _read_texts(settings, key, texts, Origin(Layer.FLAG, f"--{key}"), found)
    return settings


def _read_texts(
    settings: Written, key: str, texts: Sequence[str], origin: Origin, found: Problems
) -> None:
    try:
        value = values.read_texts(key, OPTIONS[key], texts)
    except values.MisfitError as error:
        found.misfits(origin.where, "", error)
    else:
        settings[key] = Setting(value, origin)


def variable(key: str) -> str:
    """`RELOADER_BUILD_CMD` for "build.cmd"."""
    return ENVIRONMENT_PREFIX + key.replace(".", "_").upper()


class _FileReader:
    """Walks the tables of a document and takes what the model knows."""

    def __init__(self, document: Document, is_air: bool, found: Problems, app: str = "") -> None:
        self.document = document
        self.is_air = is_air
        self.found = found
        self.app = app  # the name of the app that the table is of; "" for a whole file
        self.settings: Written = {}

    def read(self, platform: str) -> Written:
        for key, value in self.document.table.items():
            if key in model.SECTIONS:
                if self._is_table((key,), value):
                    self._section(key, value, platform)
            elif key in OPTIONS:
                self._take(self.settings, key, (key,), value)
            elif self.app and key in APP_OPTIONS:
                self._take(self.settings, f"app.{key}", (key,), value)
            elif key == "env" and not self.is_air:
                if self._is_table((key,), value):
                    self._env(value)
            elif key != "apps" or self.is_air or self.app:
                self._unknown((key,), OPTIONS, is_table=_is_table_like(value))
        return self.settings

    def _env(self, table: Mapping[str, Any]) -> None:
        for name, value in table.items():
            path: Path = ("env", name)
            try:
                text = values.variable(name, value)
            except values.MisfitError as error:
                for misfit in error.misfits:
                    expected = f"expected {misfit.expected}, found {misfit.found}"
                    self._problem(path, expected, misfit.hint)
            else:
                self.settings[f"env.{name}"] = Setting(text, self._origin(path))

    def _section(self, section: str, table: Mapping[str, Any], platform: str) -> None:
        overrides: Written = {}
        for name, value in table.items():
            path, key = (section, name), f"{section}.{name}"
            if key == "build.rules":
                self._rules(value)
            elif section == "build" and name in model.PLATFORMS:
                if self._is_table(path, value):
                    settings = self._platform(path, value)
                    overrides = settings if name == platform else overrides
            elif key in OPTIONS:
                self._take(self.settings, key, path, value)
            else:
                self._unknown(path, [*OPTIONS, "build.rules"])
        self.settings |= overrides

    def _platform(self, path: Path, table: Mapping[str, Any]) -> Written:
        settings: Written = {}
        for name, value in table.items():
            if name in model.PLATFORM_KEYS:
                self._take(settings, f"build.{name}", (*path, name), value)
            else:
                known = [f"{_dotted(path)}.{key}" for key in model.PLATFORM_KEYS]
                self._unknown((*path, name), [*known, *OPTIONS])
        if self.is_air:
            return {k: it for k, it in settings.items() if not air.says_nothing(k, it.value)}
        return settings

    def _rules(self, tables: object) -> None:
        path: Path = ("build", "rules")
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._problem(path, "expected tables [[build.rules]]", "write it in double brackets")
            return
        rules = [self._rule((*path, index), table) for index, table in enumerate(tables)]
        named = _distinct([rule for rule in rules if rule])
        for index, (rule, own) in enumerate(zip((r for r in rules if r), named, strict=True)):
            if rule.name != own.name:
                text = f"{_dotted((*path, index))}: two rules have the name {shown(rule.name)}"
                where = self.document.where((*path, index))
                hint = f"this one is called {shown(own.name)}"
                self.found.warnings.append(Problem(text, where, hint))
        parts = tuple(
            {name: self._origin((*path, index, name)) for name in table}
            for index, table in enumerate(tables)
        )
        self.settings["build.rules"] = Setting(named, self._origin(path), parts)

    def _rule(self, path: Path, table: Mapping[str, Any]) -> Rule | None:
        """One rule; Air's name for the one without is its number, from 0."""
        settings: Written = {}
        for name, value in table.items():
            if name in _RULE_OPTIONS:
                self._take(settings, name, (*path, name), value)
            else:
                self._unknown((*path, name), [f"{_dotted(path)}.{key}" for key in _RULE_OPTIONS])
        if not (table.get("cmd") or table.get("then") or table.get("signal")):
            self._problem(path, "expected a cmd, a then or a signal", "what the rule is to do")
        if not any(table.get(name) for name in _RULE_SCOPE):
            hint = f"one of {', '.join(_RULE_SCOPE)} says which files the rule is for"
            self._problem(path, "expected files to watch", hint)
        rule = Rule(**{name: setting.value for name, setting in settings.items()})
        if rule.signal and rule.then in {"build", "restart"}:
            text = f'expected a signal or then = "{rule.then}", found both'
            self._problem((*path, "signal"), text, "the signal is for an app that goes on")
        if (rule.then == "browser" or rule.signal) and not rule.cmd:
            rule = replace(rule, cmd=NOTHING_TO_RUN)
        return rule if rule.name else replace(rule, name=f"rule-{path[-1]}")

    def _take(self, settings: Written, key: str, path: Path, value: object) -> None:
        option = self._option(key, path)
        origin = self._origin(path)
        if self.is_air:
            read, hint = air.possible(key, option.kind, value)
            if read is not value:
                text = f"{_dotted(path)}: {shown(value)} is read as {read}"
                self.found.warnings.append(Problem(text, origin.where, hint))
                value = read
        try:
            settings[key] = Setting(values.read(key, option, value), origin)
        except values.MisfitError as error:
            for misfit in error.misfits:
                item = path if misfit.item is None else (*path, misfit.item)
                text = f"expected {misfit.expected}, found {misfit.found}"
                self._problem(item, text, misfit.hint)

    @staticmethod
    def _option(key: str, path: Path) -> model.Option:
        if path[:2] == ("build", "rules"):
            return _RULE_OPTIONS[key]
        return APP_OPTIONS[key.removeprefix("app.")] if key.startswith("app.") else OPTIONS[key]

    def _origin(self, path: Path) -> Origin:
        return Origin(Layer.FILE, self.document.where(path))

    def _is_table(self, path: Path, value: object) -> bool:
        if isinstance(value, dict):
            return True
        found = "tables [[…]]" if isinstance(value, list) else "a value"
        self._problem(path, f"expected a table [{_dotted(path)}], found {found}")
        return False

    def _problem(self, path: Path, text: str, hint: str = "") -> None:
        where = self.document.where(path)
        self.found.errors.append(Problem(f"{self._key(path)}: {text}", where, hint))

    def _key(self, path: Path) -> str:
        return _dotted(("apps", self.app, *path) if self.app else path)

    def _unknown(self, path: Path, known: Iterable[str], *, is_table: bool = False) -> None:
        """A problem in our own file; in Air's, which Air reads without a word, a note."""
        key = _dotted(path)
        if self.app:
            known = [*known, *APP_OPTIONS]
        elif key in APP_OPTIONS and not self.is_air:
            self._problem(path, "unknown key", f"{key} belongs to [apps.NAME]")
            return
        near = nearest(key, [*model.SECTIONS, "env", "apps"]) if is_table else ""
        hint = f"did you mean [{near}]?" if near else _hint(key, nearest(key, known))
        if self.is_air and key in air.OLD:
            hint = f"{air.OLD[key]} is its name now"
        if self.is_air:
            where = self.document.where(path)
            self.found.warnings.append(Problem(f"{key}: unknown key, ignored", where, hint))
        else:
            self._problem(path, "unknown table" if is_table else "unknown key", hint)


def _is_table_like(value: object) -> bool:
    """`[x]` or `[[x]]`."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(item, dict) for item in value)
    return isinstance(value, dict)


def _hint(key: str, near: str) -> str:
    """Returns the hint for an unknown key, given the nearest known one."""
    table, _, name = near.rpartition(".")
    if not near or name != key.rpartition(".")[2]:
        return near and f"did you mean {near}?"
    if not table:
        return f"{name} belongs above the first [table]"
    return f"{name} belongs to [{table}]"


def _distinct(rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """Two rules of one name get different ones: a rule is owed by its name."""
    taken: set[str] = set()
    named = []
    for rule in rules:
        name, number = rule.name, 2
        while name in taken:
            name, number = f"{rule.name}-{number}", number + 1
        taken.add(name)
        named.append(replace(rule, name=name))
    return tuple(named)


def _dotted(path: Path) -> str:
    """`build.rules[0].cmd`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")
