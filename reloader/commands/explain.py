"""`reloader explain`: whether a save would do something, and what a key means."""

from __future__ import annotations

import os
import sys
from os.path import basename, dirname, exists, isdir, islink, join, normpath, realpath
from typing import TYPE_CHECKING

from reloader.config import model
from reloader.config.layers import variable
from reloader.config.render import default_text
from reloader.config.toml_writer import decided_later, toml, value_of
from reloader.config.wording import nearest
from reloader.errors import ConfigError
from reloader.light import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reloader.config.load import Reading
    from reloader.config.model import Config, Option
    from reloader.core.needs import Needs
    from reloader.watch.scan import ProjectScan

_KEYS = {key: (option, default) for key, option, default in model.options()}
_RULES = "build.rules"
_APP_KEYS = {key: (option, default) for key, option, default in model.options(model.App)}
_RULE_KEYS = {
    f"{_RULES}.{key}": (option, default) for key, option, default in model.options(model.Rule)
}


def explain_apps(words: Sequence[str], readings: Sequence[Reading], cwd: str) -> Iterator[str]:
    """Yields the lines about each word, for each app of a file; what is the same, once."""
    if len(readings) == 1:
        yield from explain(words, readings[0], cwd)
        return
    said: dict[tuple[str, ...], list[str]] = {}
    for reading in readings:
        if reading.config is None:
            raise ConfigError(*reading.problems)
        said.setdefault(tuple(explain(words, reading, cwd)), []).append(reading.config.name)
    for number, (lines, names) in enumerate(said.items()):
        yield from ("",) * bool(number)
        yield " ".join(f"[apps.{name}]" for name in names)
        yield from (f"  {line}".rstrip() for line in lines)


def explain(words: Sequence[str], reading: Reading, cwd: str) -> Iterator[str]:
    """Yields the lines about each word: a path, a key, or a table of keys.

    Raises ConfigError: about paths nothing can be said without a config.
    """
    paths = _Paths(reading, cwd)
    for number, word in enumerate(words):
        yield from ("",) * bool(number)
        yield from _about(word, paths)


def _about(word: str, paths: _Paths) -> Iterator[str]:
    config = paths.reading.config
    name = word.replace("[]", "").removesuffix(".")
    if exists(join(paths.cwd, word)):
        yield from paths.about(word)
    elif key := _key(name):
        yield from _about_key(key, config)
    elif name.rpartition(".")[2] in _APP_KEYS:
        yield from _about_app_key(name.rpartition(".")[2], config)
    elif name in {"apps", "env"}:
        yield from _about_apps() if name == "apps" else _about_env(config)
    elif name in model.SECTIONS or name == _RULES:
        yield from _about_table(name, config)
        if name == "swap" and config:
            yield from _about_swap(config)
    else:
        yield from paths.about(word)


def _about_swap(config: Config) -> Iterator[str]:
    """Yields what would be done on this machine when the app is replaced, and why."""
    if sys.platform != "linux":
        yield "  here: the old version is stopped, then the new one started; readiness is not known"
        return
    from reloader.sockets.hold import outlook

    is_held, why = outlook(config.swap.hold, os.environ.get("PATH", ""))
    yield f"  here: the port is {'' if is_held else 'not '}held during a restart: {why}"
    if config.swap.mode == "overlap" and is_held:
        yield "  the new version is started first; the old one ends when the new one is ready"
    elif is_held:
        yield "  the old version ends first; connections wait until the new one is ready"
    elif config.swap.mode == "overlap":
        yield "  the new version is started first; both need a port of their own"
    else:
        yield "  the old version ends first; connections are refused until the new one listens"


# --- paths ---------------------------------------------------------------------------------------


@dataclass
class _Paths:
    """Says of paths what the run's own rules say; the project is looked at once, if at all."""

    reading: Reading
    cwd: str
    _seen: ProjectScan | None = field(default=None)

    @property
    def seen(self) -> ProjectScan:
        from reloader.watch.scan import scan

        if self._seen is None:
            self._seen = scan(self.config)
        return self._seen

    @property
    def config(self) -> Config:
        if self.reading.config is None:
            raise ConfigError(*self.reading.problems)
        return self.reading.config

    def about(self, word: str) -> Iterator[str]:
        path = normpath(join(self.cwd, os.path.expanduser(word)))
        # The rules know the root by its real name; a link at the end is itself.
        path = join(realpath(dirname(path)), basename(path)) if path != "/" else path
        is_followed = self.config.build.follow_symlink or not islink(path)
        if path == self.config.root or (isdir(path) and is_followed):
            yield from self._folder(word, path)
        elif isdir(path):
            yield f"{word}: nothing"
            yield "  why: a link to a folder, followed only with build.follow_symlink"
        else:
            yield from self._file(word, path)

    def _folder(self, word: str, path: str) -> Iterator[str]:
        count = self.seen.below(path)
        files = "1 file in it or below counts" if count == 1 else f"{count:,} files below count"
        is_watched = path in self.seen.folders
        yield f"{word}: {'' if is_watched else 'not '}watched; {files}"
        if why := self._why_not(path):
            yield f"  only files that are named count: {why}" if is_watched else f"  why: {why}"

    def _file(self, word: str, path: str) -> Iterator[str]:
        decision = self.seen.rules.decide(path)
        folder = dirname(path)
        is_watched = folder in self.seen.folders or not isdir(folder)
        effect = self._effect(decision.needs)
        why = decision.because
        if decision.needs and not is_watched:
            effect, why = "nothing", self._why_not(folder) or why
        yield f"{word}: {effect}" + ("" if exists(path) else " (no such file or key)")
        yield f"  why: {why}"
        if not exists(path) and (near := _near_key(word)):
            yield f"  did you mean the key {near}?"
        if path in [join(self.config.root, name) for name in self.config.env_files]:
            yield "  read again before each start: it is one of env_files"
        if isdir(folder):
            yield f"  its folder is {'' if folder in self.seen.folders else 'not '}watched"
        else:
            entered = self.seen.rules.enters(folder)
            yield f"  its folder is not there; it would {'' if entered else 'not '}be watched"

    def _why_not(self, folder: str) -> str:
        """Returns why files in the directory don't count by their extension; "" if they do."""
        out = self.seen.rules.folder(folder).out
        if out is not None:
            return out.because
        if folder in self.seen.folders:
            return ""
        above = self._marked(folder)
        return f"{above}, a virtualenv, a tool's cache or another worktree" if above else ""

    def _marked(self, folder: str) -> str:
        """The first folder on the way that rules enter and the run doesn't."""
        while dirname(folder) not in self.seen.folders and folder not in ("/", self.config.root):
            folder = dirname(folder)
        return self.seen.rules.shown(folder) if isdir(folder) else ""

    def _effect(self, needs: Needs) -> str:
        """Returns the effect of a save, in words."""
        build = self.config.build
        names = " and ".join(f'"{name}"' for name in sorted(needs.rules))
        deeds = [f"runs rule {names}"] if names else []
        signals = [r.signal for r in build.rules if r.name in needs.rules and r.signal]
        deeds += [f"sends the app {name}" for name in signals]
        then = {rule.then for rule in build.rules if rule.name in needs.rules}
        if (needs.build or "build" in then) and (build.cmd or build.pre_cmd):
            deeds.append("builds")
        if (needs.restart or then & {"build", "restart"}) and build.app:
            deeds.append("restarts the app")
        return ", then ".join([*deeds[:-2], " and ".join(deeds[-2:])]) or "nothing"


# --- keys ----------------------------------------------------------------------------------------


def _key(name: str) -> str:
    """The key meant by "build.delay", by "delay" if only one table has it, or by a rule's key."""
    if name in _KEYS or name in _RULE_KEYS:
        return name
    same = [key for key in _KEYS if key.rpartition(".")[2] == name]
    return same[0] if len(same) == 1 and name not in model.SECTIONS else ""


def _near_key(word: str) -> str:
    """The key that a word which is neither key nor file may have meant; "" if there is none."""
    if "." in word.strip("."):
        return nearest(word, _KEYS) if "/" not in word else ""
    names = {key.rpartition(".")[2]: key for key in _KEYS}
    return names.get(nearest(word, names), "") if "_" in word else ""


def _about_key(key: str, config: Config | None) -> Iterator[str]:
    if key in _RULE_KEYS:
        option, default = _RULE_KEYS[key]
        yield key.replace(_RULES, f"{_RULES}[]")
        yield from _said(option, default)
        return
    option, default = _KEYS[key]
    yield _now(key, config)
    yield from _said(option, default)
    yield f"  flag      --{key}"
    yield f"  variable  {variable(key)}"
    if key == "python.warm" and config:
        yield f"  app       {_warmth(config)}"


def _about_app_key(key: str, config: Config | None) -> Iterator[str]:
    option, default = _APP_KEYS[key]
    is_set = config is not None and f"app.{key}" in config.origins
    now = ""
    if config is not None and is_set:
        value, origin = value_of(config, f"app.{key}"), config.origins[f"app.{key}"]
        now = f" = {toml(value, option.kind)}  ({origin.where})"
    yield f"apps.NAME.{key}{now}"
    yield from _said(option, default)


def _about_apps() -> Iterator[str]:
    yield "[apps.NAME]: an app of its own; it may have every key and table of the config,"
    yield "which go before those that all apps share, and:"
    for key, (option, _) in _APP_KEYS.items():
        yield f"  {key:<15} {option.help.replace('`', '')}"


def _about_env(config: Config | None) -> Iterator[str]:
    yield "[env]: variables for the app, its build and its hooks; they go before all others"
    for name in config.env if config else ():
        yield f"  {name}  ({config.origins[f'env.{name}'].where})" if config else ""


def _warmth(config: Config) -> str:
    """Returns if this project's app can be started warm, and why if not."""
    from reloader.command.parse import app_command
    from reloader.warm.plan import judge

    build = config.build
    if build.app is None:
        return "there is none"
    command = app_command(config)
    env = {**os.environ, **dict(command.env)}
    why = judge(command.argv, env, config.command_dir).why
    return f"starts cold: {why}" if why else "starts warm, from its second start on"


def _said(option: Option, default: object) -> Iterator[str]:
    choices = ", ".join(f'"{choice}"' for choice in option.choices if choice)
    yield f"  {option.help.replace('`', '')}"
    yield f"  kind      {f'one of {choices}' if choices else option.kind.value}"
    yield f"  default   {default_text(option, default).replace('`', '')}"
    if option.here_only:
        yield "  Air       doesn't have it"


def _about_table(name: str, config: Config | None) -> Iterator[str]:
    if name == _RULES:
        yield f"[[{_RULES}]]: files that run a command of their own"
        for key, (option, _) in _RULE_KEYS.items():
            yield f"  {key.rpartition('.')[2]:<15} {option.help.replace('`', '')}"
        return
    yield f"[{name}]"
    for key in _KEYS:
        if key.startswith(f"{name}."):
            yield f"  {_now(key, config)}"


def _now(key: str, config: Config | None) -> str:
    """The key with its value in this run, and where from."""
    if config is None:
        return key
    option, _ = _KEYS[key]
    value, origin = value_of(config, key), config.origins[key]
    if decided_later(option, value, origin):
        return f"{key}  ({origin.where}: {option.default.replace('`', '')})"
    return f"{key} = {toml(value, option.kind)}  ({origin.where})"
