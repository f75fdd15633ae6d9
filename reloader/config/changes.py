"""Finds the parts of a run that a new config touches: only they are done again.

Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.config.model import App, options
from reloader.config.toml_writer import value_of
from reloader.light import dataclass

if TYPE_CHECKING:
    from reloader.config.model import Config

KEYS = (
    *(key for key, _, _ in options()),
    "build.rules",
    "env",
    *(key for key, _, _ in options(App, "app.")),
)
# What each key touches. A key of the table is in exactly one of these; a test holds this.
RUN = frozenset({"root", "terminal.keys"})  # where everything is, whose the keyboard is
BUILD = frozenset({"build.pre_cmd", "build.cmd", "env_files", "env"})
APP = frozenset({"build.bin", "build.full_bin", "build.entrypoint", "build.args_bin"})
WATCH = frozenset(
    (
        *("tmp_dir", "testdata_dir", "watch.engine"),
        *(f"build.include_{what}" for what in ("ext", "dir", "file")),
        *(f"build.exclude_{what}" for what in ("dir", "file", "regex", "unchanged")),
        *(f"build.{name}" for name in ("follow_symlink", "poll", "poll_interval", "rules")),
    )
)
REPORT = frozenset(
    (
        "build.log",
        *(key for key, _, _ in options() if key.startswith(("log.", "color.", "screen."))),
        "misc.startup_banner",
        "terminal.title",
        "terminal.bell",
    )
)
PROXY = frozenset(key for key, _, _ in options() if key.startswith("proxy."))
# Read again whenever it matters, so a new value is enough.
LATER = frozenset(
    (
        *(f"build.{name}" for name in ("post_cmd", "delay", "stop_on_error", "send_interrupt")),
        *(f"build.{name}" for name in ("kill_delay", "stop_signal", "stop_timeout", "stop_scope")),
        *(f"build.{name}" for name in ("rerun", "rerun_delay", "ignore_dangerous_root_dir")),
        "misc.clean_on_exit",
        "python.warm",
        *(key for key, _, _ in options() if key.startswith("swap.")),
        *(key for key, _, _ in options(App, "app.")),
    )
)
# The rules leave alone what reloader and the build write, which these say.
_OWN_FILES = APP | {"build.cmd", "build.log"}


@dataclass(frozen=True)
class Changes:
    """The keys whose values differ, in the table's order, and what has to be done for them.

    Values that are only read again later (`delay`, `stop_timeout` …) need nothing but the new
    settings, which the machine is given with any change.
    """

    keys: tuple[str, ...] = ()
    needs_run: bool = False  # nothing of this run can stay
    needs_build: bool = False  # and then the app starts again
    needs_restart: bool = False
    needs_rewatch: bool = False
    needs_report: bool = False
    needs_proxy: bool = False

    def __bool__(self) -> bool:
        return bool(self.keys)


def changed(old: Config, new: Config) -> Changes:
    """Returns the differences of two configs that were read by the same command line.

    A value that is the same counts as unchanged wherever it comes from; comments, order and
    origins do not matter.
    """
    differing = tuple(key for key in KEYS if value_of(old, key) != value_of(new, key))
    touched = frozenset(differing)
    needs_build = bool(touched & BUILD)
    return Changes(
        keys=tuple(key.removeprefix("app.") for key in differing),
        needs_run=bool(touched & RUN),
        needs_build=needs_build,
        needs_restart=needs_build or bool(touched & APP),
        needs_rewatch=bool(touched & (WATCH | _OWN_FILES)),
        needs_proxy=bool(touched & PROXY),
        needs_report=bool(touched & (REPORT | {"tmp_dir"})),  # the build log lies in tmp_dir
    )
