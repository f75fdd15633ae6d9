"""From the command line, the environment and a file to one checked `Config`.

The layers are read, laid over each other, completed by what the project folder tells, resolved
and checked. All that is wrong is said at once.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from reloader.config import air, apps, discover, model, project, validate, warnings
from reloader.config.layers import (
    Guess,
    app_layer,
    environment_layer,
    file_layer,
    flag_layer,
    guess_layer,
)
from reloader.config.model import Config, Layer, Origin
from reloader.config.written import Problems, Setting, Written
from reloader.errors import ConfigError, Problem
from reloader.light import dataclass, field, replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reloader.config.document import Document

PLATFORM = {"darwin": "darwin", "win32": "windows"}.get(sys.platform, "linux")
_DEFAULT = Origin(Layer.DEFAULT)
_COMMANDS = ("build.cmd", *project.APP_KEYS)


@dataclass(frozen=True)
class Invocation:
    """The parts of a command line: `-c FILE`, the `--section.key` flags, the words after `--`.

    A key of `flags` has every text it was given, in order: `{"build.delay": ["80"]}`. `ignored`:
    patterns for `build.exclude_file`, beside those of the config.
    `look(folder, args)` finds how the project in `folder` is run, where nothing that was written
    names a command; it raises ConfigError if that is not clear. `typed`: the app that the command
    line names without a flag.
    """

    file: str = ""
    flags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    look: Callable[[str, tuple[str, ...]], Guess] | None = None
    typed: Guess | None = None
    app: str = ""
    wanted: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()


class Reading(NamedTuple):
    """The outcome of reading: a config or the errors in it, with warnings and infos.

    `apps`: the apps of the file that are to run, in the order of need; () for a file that is one
    app, or if that can't be told.
    """

    config: Config | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    infos: tuple[Problem, ...]
    document: Document | None = None
    apps: tuple[str, ...] = ()


def load(
    invocation: Invocation, environ: Mapping[str, str], cwd: str, platform: str = PLATFORM
) -> Config:
    """The config of a run, every value with its origin.

    A value of a later layer wins: default, file, environment, flag. `platform` says which
    `[build.PLATFORM]` counts.

    Raises ConfigError: with everything that is wrong.
    """
    reading = read(invocation, environ, cwd, platform)
    if reading.config is None:
        raise ConfigError(*reading.problems)
    return reading.config


def read(
    invocation: Invocation, environ: Mapping[str, str], cwd: str, platform: str = PLATFORM
) -> Reading:
    """Returns a config or what is wrong with it, and the warnings; never raises.

    A config is read again while an app runs, so whatever a file system does is a problem to report.
    """
    try:
        return _read(invocation, environ, cwd, platform)
    except (OSError, ValueError, MemoryError, RecursionError) as error:
        return Reading(None, (Problem(f"the config can't be read: {error}"),), (), ())


def _read(invocation: Invocation, environ: Mapping[str, str], cwd: str, platform: str) -> Reading:
    found = Problems()
    document, cwd = _document(invocation, environ, cwd, found)
    running = _running(invocation, document, found)
    is_unread = bool(found.errors)
    if document and invocation.app not in {"", *running}:
        return Reading(None, tuple(found.errors), (), (), document, running)
    written = _overlay(
        _file_layer(document, platform, found),
        _app_layer(document, invocation.app, platform, found),
        environment_layer(environ, found),
        flag_layer(invocation.flags, found),
    )
    written = _typed(_ignoring(written, invocation.ignored), invocation)
    guess = _looked(invocation, written, document, cwd, found)
    config = None
    if is_unread:  # then the rest would be judged without knowing what was written
        pass
    elif guess:
        written = _overlay(guess_layer(guess), written)
        config = _config(written, document, environ, cwd, found, app=invocation.app)
        args = () if guess.takes_args else invocation.args
        config = replace(config, args=args, found=guess.text)
    elif not (document or found.errors or any(key in written for key in _COMMANDS)):
        found.errors.append(_nothing_found(cwd))
    else:
        config = _config(written, document, environ, cwd, found, app=invocation.app)
        config = replace(config, args=invocation.args)
    if config:
        found.warnings += warnings.at_start(config)
        found.warnings += warnings.shared(config, document)
    rest = tuple(found.warnings), tuple(found.infos)
    if found.errors or config is None:
        return Reading(None, tuple(found.errors), *rest, document, running)
    config = replace(config, warnings=rest[0], infos=rest[1])
    return Reading(config, (), *rest, document, running)


def _running(invocation: Invocation, document: Document | None, found: Problems) -> tuple[str, ...]:
    """Returns the apps of the file that are to run; what is wrong between them is a problem."""
    if document is None:
        return ()
    wrong = apps.problems(document)
    if not wrong and bool(invocation.app) != bool(apps.names(document)) and not invocation.typed:
        came = "gone" if invocation.app else "new"
        text = f"the tables [apps.NAME] are {came}: start reloader again for that"
        wrong = [Problem(text, document.name)]
    found.errors += wrong
    if wrong or not invocation.app:
        return ()
    try:
        return apps.selected(document, invocation.wanted, invocation.profiles)
    except ConfigError as error:
        found.errors += error.problems
        return ()


def _ignoring(written: Written, globs: tuple[str, ...]) -> Written:
    """The files that the command line ignores are added to those that the config leaves out."""
    key = "build.exclude_file"
    if not globs:
        return written
    above = written[key].value if key in written else ()
    return written | {key: Setting((*above, *globs), Origin(Layer.FLAG, "-i"))}


def _typed(written: Written, invocation: Invocation) -> Written:
    """The app that was typed goes before what a file says; a build that is written stays."""
    if invocation.typed is None:
        return written
    origin = Origin(Layer.FLAG, invocation.typed.where)
    layer = {key: Setting(value, origin) for key, value in invocation.typed.settings.items()}
    return _overlay(layer, written, {k: v for k, v in layer.items() if k in project.APP_KEYS})


def _needs_look(written: Written, document: Document | None, args: tuple[str, ...]) -> bool:
    """Returns True if no command is written and the file is not Air's, which means Go's default.

    Beside a build alone, what is after `--` is the app.
    """
    is_air = document is not None and air.is_air(document.name)
    has_app = any(key in written for key in (*project.APP_KEYS, "build.rules"))
    is_named = "build.cmd" in written and not (args and not args[0].startswith("-"))
    return not (is_air or has_app or is_named)


def _looked(
    invocation: Invocation, written: Written, document: Document | None, cwd: str, found: Problems
) -> Guess | None:
    """Returns the way to run the project by a look at it; None if not needed, or not clear."""
    args = invocation.args
    if found.errors or invocation.look is None or not _needs_look(written, document, args):
        return None
    root = str(written["root"].value) if "root" in written else "."
    folder = os.path.normpath(os.path.join(cwd, os.path.expanduser(root)))
    try:
        return invocation.look(folder, args)
    except ConfigError as error:
        if document is None:  # else what is missing in it is said
            found.errors += error.problems
        return None


def meaning(document: Document, environ: Mapping[str, str], cwd: str) -> Config:
    """Returns the values of a document alone, whatever is wrong with it."""
    found = Problems()
    return _config(_file_layer(document, PLATFORM, found), document, environ, cwd, found)


def _config(  # noqa: PLR0913 -- a layer each
    written: Written,
    document: Document | None,
    environ: Mapping[str, str],
    cwd: str,
    found: Problems,
    *,
    app: str = "",
) -> Config:
    home = validate.home_folder(environ.get("HOME", ""))
    is_air = document is not None and air.is_air(document.name)
    root = _root(written, cwd, home, found, is_air=is_air)
    config = _resolved(_completed(written, root, is_air, app), root, home)
    file = document.name if document else ""
    config = replace(config, file=file, is_air=is_air, name=app)
    if is_air and os.path.realpath(cwd) != os.path.realpath(root):
        config = replace(config, workdir=cwd)
    if document and document.path:
        folder, name = os.path.split(os.path.normpath(document.path))
        config = replace(config, file_path=os.path.join(os.path.realpath(folder), name))
    return _checked(config, home, cwd, found)


def _document(
    invocation: Invocation, environ: Mapping[str, str], cwd: str, found: Problems
) -> tuple[Document | None, str]:
    """The config file and the folder it is for; what is wrong joins what is wrong with the flags.

    If a folder is named, it is for that folder. With Air's own variable, Air's file is for the
    variable's folder, and is looked for there.
    """
    named, looks = invocation.file, bool(invocation.look or invocation.typed)
    wished = environ.get(air.FOLDER_VARIABLE, "")
    folder = os.path.normpath(os.path.join(cwd, os.path.expanduser(wished))) if wished else cwd
    start = discover.start(named, environ, cwd)
    try:
        document = discover.find(named, environ, cwd, looks=looks)
        if document is None and folder != cwd:
            start, document = folder, discover.find("", {}, folder)
    except ConfigError as error:
        found.errors += error.problems
        return None, start
    if document is None or not air.is_air(document.name):
        return document, start
    return air.folded(document, found), folder if start == cwd else start


def _file_layer(document: Document | None, platform: str, found: Problems) -> Written:
    if document is None:
        return {}
    is_air = air.is_air(document.name)
    settings = file_layer(document, is_air=is_air, platform=platform, found=found)
    return air.adapted(settings, document, found) if is_air else settings


def _app_layer(document: Document | None, name: str, platform: str, found: Problems) -> Written:
    """Returns what the app's own table says; a condition that it leaves open is the natural one."""
    if document is None or not name:
        return {}
    settings = app_layer(document, name, platform=platform, found=found)
    if needs := settings.get("app.depends_on"):
        pairs = ((other, at or apps.condition(document, other)) for other, at in needs.value)
        settings["app.depends_on"] = replace(needs, value=tuple(pairs))
    once = settings.get("app.once")
    if once and once.value != "false" and not _WATCHED.intersection(settings):
        settings["build.include_ext"] = Setting((), once.origin)
    return settings


_WATCHED = frozenset({"build.include_ext", "build.include_dir", "build.include_file"})


def _overlay(*layers: Written) -> Written:
    """The layers over each other, the last on top.

    The keys that name the app are one choice: `--build.bin x` runs x although the file has an
    `entrypoint`, which would go first within one layer.
    """
    settings: Written = {}
    for layer in layers:
        if any(key in layer and layer[key].value for key in project.APP_KEYS):
            settings = {k: v for k, v in settings.items() if k not in project.APP_KEYS}
        settings = settings | layer
    return settings


def _completed(written: Written, root: str, is_air: bool, app: str) -> Written:
    """Every key with its value: what was written over what the folder tells."""
    tmp_dir = written["tmp_dir"].value if "tmp_dir" in written else model.Config.tmp_dir
    holds = project.Project(go=True, air=True) if is_air else project.look(root)
    values = {key: value for key, _, value in model.options()}
    values |= project.defaults(holds, tmp_dir)
    if app:  # several may have one tmp_dir
        values["build.log"] = f"{app}-{model.Build.log}"
    if "build.cmd" in written and not is_air:
        values["build.bin"] = ""  # Go's goes with Go's command; Air's stands alone
    default = {key: Setting(value, _DEFAULT) for key, value in values.items()}
    no_app: Written = {key: Setting(type(values[key])(), _DEFAULT) for key in project.APP_KEYS}
    settings = no_app | _overlay(default, written)
    return air.moved(settings) if is_air else settings


def _root(written: Written, cwd: str, home: str, found: Problems, *, is_air: bool) -> str:
    """Returns the project's folder, absolute, as it is written; checks that it is one.

    A root that is a link stays one: when the link is swapped, the next start runs where it leads
    then. Air makes a root that is missing, so an Air file's may come later.
    """
    setting = written.get("root", Setting(model.Config.root, _DEFAULT))
    root = _path(setting.value, os.path.realpath(cwd), home)
    if ".." in setting.value.split("/"):  # behind a link it leads elsewhere than it reads
        root = os.path.realpath(os.path.join(os.path.realpath(cwd), setting.value))
    if problem := validate.root_problem(root, setting.origin):
        (found.warnings if is_air and not os.path.exists(root) else found.errors).append(problem)
    return root


def _path(text: str, folder: str, home: str) -> str:
    """`text` below `folder`, if it is relative; `~/` is the home folder."""
    if home and (text == "~" or text.startswith("~/")):
        text = home + text[1:]
    return os.path.normpath(os.path.join(folder, text))


def _resolved(settings: Written, root: str, home: str) -> Config:
    sections: dict[str, dict[str, Any]] = {name: {} for name in (*model.SECTIONS, "app", "env")}
    top: dict[str, Any] = {}
    for key, setting in settings.items():
        section, _, name = key.partition(".") if "." in key else ("", "", key)
        (sections[section] if section else top)[name] = setting.value
    top["root"] = root
    for name in ("tmp_dir", "testdata_dir"):
        top[name] = _path(top[name], root, home)
    env = sections.pop("env")
    return Config(
        **top,
        env=env,
        **{name: type(getattr(Config, name))(**values) for name, values in sections.items()},
        origins={key: setting.origin for key, setting in settings.items()},
        rule_origins=settings["build.rules"].parts if "build.rules" in settings else (),
    )


def _checked(config: Config, home: str, cwd: str, found: Problems) -> Config:
    """The config, without what it must not do."""
    file_dir = os.path.realpath(os.path.dirname(os.path.join(cwd, config.file)))
    if problem := validate.dangerous_root(config, home, file_dir if config.file else ""):
        found.errors.append(problem)
    found.errors += validate.app_problems(config)
    if config.misc.clean_on_exit and (why := validate.cleaning(config, home)):
        config = _uncleaned(config, why, found)
    build = config.build
    if not (build.cmd or build.app or build.rules or found.errors):
        text = "nothing to run: expected one of build.bin, build.entrypoint and build.cmd"
        table = f"[apps.{config.name}.build]" if config.name else "[build]"
        hint = f'add bin = "…", the command line of the app, to {table}'
        found.errors.append(Problem(text, config.file, hint))
    return config


def _uncleaned(config: Config, why: str, found: Problems) -> Config:
    """Not ours to delete: refused, but in an Air file, which must run as it is, left alone."""
    key = "misc.clean_on_exit"
    origin = config.origins[key]
    if config.is_air:
        found.warnings.append(validate.problem(key, origin, f"{why}; it is left alone"))
        return replace(config, misc=replace(config.misc, clean_on_exit=False))
    hint = 'give tmp_dir a folder of its own, like "tmp"'
    found.errors.append(validate.problem(key, origin, why, hint))
    return config


def _nothing_found(cwd: str) -> Problem:
    hint = 'reloader init writes one; or: reloader run --build.bin "python app.py"'
    if project.look(cwd).go:
        app = project.go_binary(model.Config.tmp_dir)
        hint = f"reloader init writes one for this Go program; or: reloader run --build.bin {app}"
    if others := discover.others(cwd):
        hint = f"reloader run -c {others[0]}; {hint}"
    return Problem("no config file here, and no command given: nothing to run", hint=hint)
