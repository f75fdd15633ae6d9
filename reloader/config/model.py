"""The table of options: what exists, its default, its unit, its limits, its help.

The frozen dataclasses *are* the table. Validation, flags, environment variables, `init` and the
reference in docs/config.md are all made from it; a new key is added here and nowhere else.

Pure: no file, no environment.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, NewType

from reloader.config.app_command import AppCommand
from reloader.light import dataclass, field, fields

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reloader.errors import Problem

Millis = NewType("Millis", int)
SCOPES = ("auto", "tree", "leader")  # of a stop, see process/stop_rule.py
Seconds = NewType("Seconds", float)


class Kind(Enum):
    """The way in which a value is written in TOML, in a flag and in the environment."""

    FLAG = "true or false"
    TEXT = "text"
    MILLIS = "a whole number of milliseconds"
    PORT = "a port from 0 to 65535"
    DURATION = 'a time like 500 (ms) or "2s"'
    TEXTS = "a list of texts"
    ARGV = "a program and its arguments: text or a list of texts"
    SIGNAL = "a signal name like SIGTERM"
    CHOICE = "one of a few words"
    NEEDS = 'a list of apps, or a table like { db = "ready" }'
    READY = '"", a path like "/health", "exec: COMMAND" or "notify"'


@dataclass(frozen=True)
class Option:
    """The entry of one key in the table of options."""

    kind: Kind
    help: str
    default: str = ""  # in words, where the default depends on the project
    choices: tuple[str, ...] = ()
    here_only: bool = False  # a key of ours that Air doesn't have


_KINDS = {bool: Kind.FLAG, str: Kind.TEXT, int: Kind.MILLIS, tuple: Kind.TEXTS}


def opt(  # noqa: PLR0913 -- it is the table's one column list
    value: Any,
    help: str,  # noqa: A002
    *,
    kind: Kind | None = None,
    default: str = "",
    choices: tuple[str, ...] = (),
    here_only: bool = False,
) -> Any:
    """One row of the table: the field's default `value`, and what is said of it."""
    return field(
        default=value,
        metadata={"option": Option(kind or _KINDS[type(value)], help, default, choices, here_only)},
    )


@dataclass(frozen=True)
class Rule:
    """`[[build.rules]]`: what a change of these files asks for, instead of a build and a restart.

    What follows a command does so when that has succeeded; a build or a restart waits for it.
    """

    name: str = opt("", "The rule's name in messages.", default="rule-N")
    cmd: str = opt("", "Command line to run; may be empty with `then` or `signal`.")
    then: str = opt(
        "",
        'After success: "" nothing, "build" build and restart, "restart" restart, '
        '"browser" refresh the browser.',
        kind=Kind.CHOICE,
        choices=("", "build", "restart", "browser"),
        here_only=True,
    )
    signal: str = opt("", "Signal for the app, after success.", kind=Kind.SIGNAL, here_only=True)
    include_dir: tuple[str, ...] = opt((), "Only files in these directories.")
    include_ext: tuple[str, ...] = opt((), 'Only files with these extensions; "*": all.')
    include_file: tuple[str, ...] = opt((), "These files, whatever their extension.")
    exclude_regex: tuple[str, ...] = opt((), "Ignore files whose path below the root matches.")
    delay: Millis | None = opt(
        None, "Quiet time before the command.", kind=Kind.MILLIS, default="as build.delay"
    )


@dataclass(frozen=True)
class Build:
    """`[build]`: what to watch, what to build, what to run, how to stop it."""

    pre_cmd: tuple[str, ...] = opt((), "Command lines to run before each build.")
    cmd: str = opt(
        "",
        "Command line that builds the app; empty: no build.",
        default="`go build -o ./tmp/main .` where a go.mod is, else none",
    )
    post_cmd: tuple[str, ...] = opt((), "Command lines to run once, when reloader has ended.")
    bin: str = opt(
        "",
        "Command line that runs the app.",
        default="`./tmp/main` with Go's default `cmd`, else none",
    )
    full_bin: str = opt(
        "", "Command line that runs the app; takes precedence over `bin` and `entrypoint`."
    )
    entrypoint: tuple[str, ...] = opt(
        (), "The app as exact arguments: no shell, nothing split.", kind=Kind.ARGV
    )
    args_bin: tuple[str, ...] = opt((), "More arguments for the app, exact.")
    log: str = opt("build-errors.log", "Log of failed builds, in `tmp_dir`.")
    include_ext: tuple[str, ...] = opt(
        (),
        'Extensions to watch; "*": all.',
        default="Go: go tpl tmpl html gohtml mod sum · "
        "Python: py html jinja jinja2 j2 toml yaml yml env json sql · else all",
    )
    include_dir: tuple[str, ...] = opt(
        (), "Watch only these directories; one outside the root is watched too."
    )
    include_file: tuple[str, ...] = opt((), "Files to watch regardless of extension or directory.")
    exclude_dir: tuple[str, ...] = opt(
        (),
        "Directories to ignore: paths below the root, or globs.",
        default="Go: assets tmp vendor testdata · else none; .git, node_modules and such never",
    )
    exclude_file: tuple[str, ...] = opt((), "Files to ignore: paths or globs.")
    exclude_regex: tuple[str, ...] = opt(
        (),
        "Files to ignore: regular expressions searched in the path below the root.",
        default="Go: `_test.go` · else none",
    )
    exclude_unchanged: bool = opt(False, "Ignore a save that changes no byte.")
    follow_symlink: bool = opt(False, "Follow symbolic links to directories.")
    poll: bool = opt(False, "Use polling instead of file system events.")
    poll_interval: Millis = opt(Millis(0), "Polling interval; 0 chooses it automatically.")
    delay: Millis | None = opt(
        None,
        "Quiet time after the last change.",
        kind=Kind.MILLIS,
        default="2 for one or two files, 20 for more",
    )
    stop_on_error: bool = opt(False, "Stop the running app when a build fails.")
    send_interrupt: bool = opt(False, "Stop the app with SIGINT and wait `kill_delay`.")
    kill_delay: Seconds | None = opt(
        None,
        "Time the app has to stop after SIGINT, before SIGKILL.",
        kind=Kind.DURATION,
        default="as build.stop_timeout",
    )
    stop_signal: str = opt(
        "",
        "Signal that asks the app to stop.",
        kind=Kind.SIGNAL,
        default="SIGTERM",
        here_only=True,
    )
    stop_timeout: Seconds | None = opt(
        None,
        "Time the app has to stop before SIGKILL.",
        kind=Kind.DURATION,
        default="5s",
        here_only=True,
    )
    stop_scope: str = opt(
        "auto", "Receivers of the stop signal.", kind=Kind.CHOICE, choices=SCOPES, here_only=True
    )
    rerun: bool = opt(False, "Start the app again whenever it ends by itself.")
    rerun_delay: Millis = opt(Millis(500), "Time before that start.")
    ignore_dangerous_root_dir: bool = opt(False, "Allow a root of `/` or the home folder.")
    rules: tuple[Rule, ...] = field(default=())

    @property
    def app(self) -> AppCommand | None:
        """Returns what runs the app: the first of `full_bin`, `entrypoint` and `bin` that is set.

        Returns None if nothing runs.
        """
        if self.full_bin:
            return AppCommand("full_bin", self.full_bin, args=self.args_bin)
        if self.entrypoint:
            return AppCommand("entrypoint", words=self.entrypoint, args=self.args_bin)
        return AppCommand("bin", self.bin, args=self.args_bin) if self.bin else None


@dataclass(frozen=True)
class Log:
    """`[log]`: reloader's own lines."""

    time: bool = opt(False, "Begin each line with the time.")
    main_only: bool = opt(False, "No lines about changes, builds and starts.")
    silent: bool = opt(False, "No lines at all.")
    verbose: bool = opt(
        False, "More lines: builds and rules as they begin, infos about the config.", here_only=True
    )


COLORS = ("red", "green", "yellow", "blue", "magenta", "cyan", "white", "raw")  # as Air; raw: none


def _color(value: str, help: str) -> Any:  # noqa: A002
    return opt(value, help, kind=Kind.CHOICE, choices=("", *COLORS))


@dataclass(frozen=True)
class Color:
    """`[color]`: the colours of reloader's own lines."""

    mode: str = opt(
        "",
        "When to use colours.",
        kind=Kind.CHOICE,
        choices=("", "auto", "always", "never"),
        default="auto",
    )
    main: str = _color("magenta", "Lines about reloader itself.")
    watcher: str = _color("cyan", "Lines about changes.")
    build: str = _color("yellow", "Lines about builds.")
    runner: str = _color("green", "Lines about the app.")
    app: str = opt("", "No effect; accepted for compatibility with Air.")


@dataclass(frozen=True)
class Misc:
    """`[misc]`."""

    clean_on_exit: bool = opt(False, "Delete `tmp_dir` at exit.")
    startup_banner: str | None = opt(
        None,
        "The first line, in your words; empty: none.",
        kind=Kind.TEXT,
        default="name, version, config",
    )


@dataclass(frozen=True)
class Screen:
    """`[screen]`: what happens to a terminal before a rebuild."""

    clear_on_rebuild: bool = opt(False, "Clear the terminal before each build.")
    keep_scroll: bool = opt(True, "Keep the scrollback when clearing.")


@dataclass(frozen=True)
class Terminal:
    """`[terminal]`: the keyboard, the title, the bell."""

    keys: bool = opt(
        True,
        "Keyboard shortcuts (r, b, p, q, h) until the app reads stdin; false: never.",
        here_only=True,
    )
    title: bool = opt(
        True, "Show builds and failures in the terminal's title and on its tab.", here_only=True
    )
    bell: bool = opt(
        False, "Ring after a failed build, and after one of 10 s or more.", here_only=True
    )


@dataclass(frozen=True)
class Proxy:
    """`[proxy]`: a proxy before the app that reloads the browser and shows what broke."""

    enabled: bool = opt(False, "Open a proxy that reloads the browser and shows errors in it.")
    proxy_port: int = opt(0, "Port for the browser; 0: any that is free.", kind=Kind.PORT)
    app_port: int = opt(0, "Port that the app listens on.", kind=Kind.PORT)
    app_start_timeout: Millis = opt(
        Millis(5000), "Time a started app has to answer; after that requests are refused."
    )
    host: str = opt("127.0.0.1", "Address that the proxy listens on.", here_only=True)
    allowed_hosts: tuple[str, ...] = opt(
        (),
        "Host names to answer beside localhost; `.example.test` stands for all below.",
        here_only=True,
    )
    drain: Seconds = opt(
        Seconds(1.0),
        "Time that requests under way have to end before the app is stopped.",
        kind=Kind.DURATION,
        here_only=True,
    )
    no_hold: tuple[str, ...] = opt(
        ("/healthz", "/livez", "/readyz", "/health", "/-/healthy", "/metrics"),
        "Paths that do not wait for the app: without it they are refused at once.",
        here_only=True,
    )
    overlay: str = opt(
        "corner",
        "Errors in the page: a card in the corner that opens, all of it at once, or none.",
        kind=Kind.CHOICE,
        choices=("corner", "full", "off"),
        here_only=True,
    )
    editor: str = opt(
        "",
        "Editor that a place opens in: vscode, cursor, windsurf, zed, idea, sublime, none, or an "
        "address with {file}, {line} and {column}.",
        default="that of the terminal, else vscode",
        here_only=True,
    )
    path_map: tuple[str, ...] = opt(
        (), "`FOLDER=FOLDER`: where a folder of a container is for the editor.", here_only=True
    )

    @property
    def is_on(self) -> bool:
        """True if there is something to stand before."""
        return self.enabled and self.app_port > 0 and self.app_port != self.proxy_port


class Engine(Enum):
    """The way in which changes are detected."""

    AUTO = "auto"
    NATIVE = "native"  # inotify
    WATCHFILES = "watchfiles"
    POLL = "poll"


@dataclass(frozen=True)
class Watch:
    """`[watch]`: how files are watched."""

    engine: Engine = opt(
        Engine.AUTO,
        "How changes are noticed.",
        kind=Kind.CHOICE,
        choices=tuple(e.value for e in Engine),
        here_only=True,
    )


@dataclass(frozen=True)
class Python:
    """`[python]`: for apps in Python."""

    warm: str = opt(
        "auto",
        "Start the app from a process that has imported its libraries already.",
        kind=Kind.CHOICE,
        choices=("auto", "true", "false"),
        here_only=True,
    )


@dataclass(frozen=True)
class Swap:
    """`[swap]`: how a new version of the app takes the place of the one that runs."""

    mode: str = opt(
        "replace",
        "Stop the old version first, then start the new one; or start the new one first.",
        kind=Kind.CHOICE,
        choices=("replace", "overlap"),
        here_only=True,
    )
    hold: str = opt(
        "auto",
        "Let connections wait during a restart; auto: where the app loses no rights by it (Linux).",
        kind=Kind.CHOICE,
        choices=("auto", "on", "off"),
        here_only=True,
    )
    ready: str = opt(
        "",
        "When the app is ready: it waits for connections, a path answers, a command "
        "succeeds, or the app says so (sd_notify).",
        kind=Kind.READY,
        here_only=True,
    )
    ready_timeout: Seconds | None = opt(
        None,
        "Time the app has to become ready; with overlap a later one is dropped.",
        kind=Kind.DURATION,
        default="30s",
        here_only=True,
    )
    drain_timeout: Seconds | None = opt(
        None,
        "Time the old version has for requests under way before it is asked to stop.",
        kind=Kind.DURATION,
        default="250ms",
        here_only=True,
    )
    own_port: bool = opt(
        False,
        "Give the app a port of its folder's own in PORT, the same at each start: each checkout "
        "of a project has another.",
        here_only=True,
    )


CONDITIONS = ("started", "ready", "completed")  # that another app may have to meet


@dataclass(frozen=True)
class App:
    """`[apps.NAME]`: beside these keys its table may hold all others, which go before the shared.

    `depends_on`: pairs of a name and a condition; the condition is "" if none was written.
    """

    depends_on: tuple[tuple[str, str], ...] = opt(
        (),
        "Apps that have to be there first: started, ready (default) or completed (of one-offs).",
        kind=Kind.NEEDS,
        here_only=True,
    )
    once: str = opt(
        "false",
        "A one-off like a migration: it runs to its end, and again only when files that its own "
        "table names change.",
        kind=Kind.CHOICE,
        choices=("false", "true"),
        here_only=True,
    )
    profiles: tuple[str, ...] = opt(
        (), "Run it only with `--profile` and one of these names.", here_only=True
    )


class Layer(Enum):
    """The layers of a config; a value of a later one wins."""

    DEFAULT = "default"
    FOUND = "found"  # in the project's files, where no config names a command
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


@dataclass(frozen=True)
class Origin:
    """The origin of a value: "default", "FILE:LINE", "RELOADER_BUILD_CMD", "--build.cmd".

    Of a value that was found in the project, the file that told.
    """

    layer: Layer
    where: str = "default"


@dataclass(frozen=True)
class Config:
    """Everything a run needs to know, checked and resolved.

    `root` is absolute, `tmp_dir` and `testdata_dir` are absolute, and every default that depends
    on the project has been filled in.
    """

    root: str = opt(".", "The project's directory; commands run in it.")
    tmp_dir: str = opt("tmp", "Directory for build output; never watched.")
    testdata_dir: str = opt("testdata", "Directory that is never watched.")
    env_files: tuple[str, ...] = opt(
        (),
        "Files of `NAME=value` lines for the app and the build; a change of one restarts the app.",
    )
    build: Build = field(default=Build())
    log: Log = field(default=Log())
    color: Color = field(default=Color())
    misc: Misc = field(default=Misc())
    screen: Screen = field(default=Screen())
    terminal: Terminal = field(default=Terminal())
    proxy: Proxy = field(default=Proxy())
    watch: Watch = field(default=Watch())
    python: Python = field(default=Python())
    swap: Swap = field(default=Swap())
    app: App = field(default=App())  # the keys that only `[apps.NAME]` has
    env: Mapping[str, str] = field(default_factory=dict)  # `[env]`
    # What is not a key:
    name: str = ""  # of `[apps.NAME]`; "" for a config that is one app
    file: str = ""  # the config file, as shown; empty: none
    found: str = ""  # without a command in any config: the one that was found, and where
    file_path: str = ""  # the same, absolute; its folder without links, as `root` is
    is_air: bool = False  # Air's own file: Air's defaults
    workdir: str = ""  # where commands run, if not in the root: Air's run where it was started
    args: tuple[str, ...] = ()  # after `--`: more arguments for the app
    origins: Mapping[str, Origin] = field(default_factory=dict)  # "build.cmd" -> where from
    rule_origins: tuple[Mapping[str, Origin], ...] = ()  # of each of build.rules, by key
    warnings: tuple[Problem, ...] = ()  # allowed, and probably not meant
    infos: tuple[Problem, ...] = ()  # the meaning of a value, where that may surprise

    @property
    def command_dir(self) -> str:
        """Returns the directory in which commands run."""
        return self.workdir or self.root


SECTIONS = (
    *("build", "log", "color", "misc", "screen", "terminal", "proxy", "watch", "python", "swap"),
)
PLATFORMS = ("linux", "darwin", "windows")
PLATFORM_KEYS = ("pre_cmd", "cmd", "post_cmd", "bin", "entrypoint", "full_bin", "args_bin")


def options(of: Any = Config, prefix: str = "") -> Iterator[tuple[str, Option, Any]]:
    """Every key with its row and its default value, in the order of the table."""
    for item in fields(of):
        if option := item.metadata.get("option"):
            yield prefix + item.name, option, item.default
        elif item.name in SECTIONS and of is Config:
            yield from options(type(item.default), f"{item.name}.")
