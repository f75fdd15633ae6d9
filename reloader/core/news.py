"""News, in the past tense: the machine tells people and programs.

Pure: values only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.light import dataclass

if TYPE_CHECKING:
    from reloader.core.values import Found, Seconds


@dataclass(frozen=True)
class Greeted:
    """reloader has started: its version, the config file ("" if none), its own pid.

    `found`: the command that it runs without a config, and how it came to it; else "". `port`: what
    the app gets as PORT by `swap.own_port`; 0 if that is off.
    """

    version: str
    config: str
    pid: int
    found: str = ""
    port: int = 0


@dataclass(frozen=True)
class WatchStarted:
    """The watcher has seen every file: no change is missed from here on."""

    engine: str
    dirs: int
    files: int


@dataclass(frozen=True)
class ChangeSeen:
    """A burst has settled. `path` is its first change, `count` how many paths there are.

    `rule` is the rule that it is for; "": the app. `git`: what git did, if it was git; "main" or
    "main → feature/x".
    """

    path: str
    count: int
    rule: str = ""
    git: str = ""


@dataclass(frozen=True)
class ChangeIgnored:
    """A file was saved that does not count; told once for each kind of file.

    `why`: the line of the config that decides.
    """

    path: str
    why: str


@dataclass(frozen=True)
class BuildStarted:
    """The build command runs; its pre_cmd have succeeded."""

    command: str
    pid: int


@dataclass(frozen=True)
class BuildSucceeded:
    """The build command ended with 0."""

    command: str
    seconds: Seconds


@dataclass(frozen=True)
class BuildFailed:
    """`app_pid`: the app that goes on, 0 if there is none; `why`: "exit 1", "killed by SIGSEGV"."""

    command: str
    why: str
    seconds: Seconds
    app_pid: int


@dataclass(frozen=True)
class BuildCancelled:
    """A change came in while it ran."""

    command: str
    seconds: Seconds


@dataclass(frozen=True)
class ProblemsFound:
    """The output of a build, a rule or an app that has failed names these problems.

    `of`: "build", "app", or the name of a rule.
    """

    of: str
    problems: tuple[Found, ...]


@dataclass(frozen=True)
class HookFailed:
    """A pre_cmd or post_cmd failed and the work goes on."""

    hook: str
    command: str
    why: str
    seconds: Seconds


@dataclass(frozen=True)
class RuleStarted:
    """The command of a `[[build.rules]]` runs."""

    rule: str
    command: str
    pid: int


@dataclass(frozen=True)
class RuleSucceeded:
    """The command of a rule ended with 0."""

    rule: str
    command: str
    seconds: Seconds


@dataclass(frozen=True)
class RuleFailed:
    """The command of a rule failed; it runs again at its next change."""

    rule: str
    command: str
    why: str
    seconds: Seconds


@dataclass(frozen=True)
class AppStarted:
    """A generation of the app runs.

    `path`, `count`: the save behind it ("" and 0 if it was no save); `seconds`: since then.
    `how`: "warm" if its libraries had been imported before.
    """

    command: str
    pid: int
    generation: int = 1
    path: str = ""
    count: int = 0
    seconds: Seconds = 0.0
    how: str = ""


@dataclass(frozen=True)
class AppSignalled:
    """A rule has sent the app a signal; `pid` is 0 if no app runs, and then nothing was sent."""

    rule: str
    signal: str
    pid: int


@dataclass(frozen=True)
class AppReady:
    """A generation can answer; `seconds`: since the save (or whatever it was) behind it.

    `address`: where it answers, "" if unknown.
    """

    pid: int
    generation: int
    seconds: Seconds
    address: str = ""
    path: str = ""
    count: int = 0


@dataclass(frozen=True)
class AppNotReady:
    """A generation is not ready in time, and goes on starting."""

    pid: int
    generation: int
    seconds: Seconds


@dataclass(frozen=True)
class AppDropped:
    """A new generation was not good enough to take over: `kept_pid` goes on."""

    pid: int
    generation: int
    why: str
    seconds: Seconds
    kept_pid: int


@dataclass(frozen=True)
class AppStopped:
    """reloader has stopped the app; `killed`: only SIGKILL ended it."""

    pid: int
    seconds: Seconds
    killed: bool


@dataclass(frozen=True)
class AppExited:
    """The app ended by itself. `restart_in`: seconds to the next start; None: at a change."""

    pid: int
    ok: bool
    why: str
    seconds: Seconds
    restart_in: Seconds | None


@dataclass(frozen=True)
class AppCompleted:
    """A one-off has done its work: it ended with exit status 0."""

    pid: int
    seconds: Seconds


@dataclass(frozen=True)
class AppWaits:
    """A build or a start waits for another app of the run; told again when that has failed.

    `needs`: its name; `condition`: "started", "ready" or "completed"; `why`: what is wrong with it,
    "" if it has only not come so far yet.
    """

    needs: str
    condition: str
    why: str = ""


@dataclass(frozen=True)
class StartFailed:
    """A command could not be started at all."""

    what: str
    command: str
    why: str
    retry_in: Seconds | None


@dataclass(frozen=True)
class ConfigChanged:
    """The config was edited and holds from now on; `keys`: those whose values differ."""

    keys: tuple[str, ...]


@dataclass(frozen=True)
class ConfigRejected:
    """The config was edited and can't be used; the last good one stays."""

    text: str


@dataclass(frozen=True)
class Paused:
    """Changes are noted and nothing begins. Told again when the pause holds a request back."""


@dataclass(frozen=True)
class Resumed:
    """The pause is over; `changed`: how many paths have changed in it."""

    changed: int


@dataclass(frozen=True)
class KeysOffered:
    """A line of help for the keys; never with --json, which reads none."""

    text: str


@dataclass(frozen=True)
class ProxyStarted:
    """The address for the browser, and the port of the app that it leads to."""

    url: str
    app_port: int


@dataclass(frozen=True)
class Warned:
    """Something the user should know; nothing stops for it."""

    text: str


@dataclass(frozen=True)
class Informed:
    """Something worth knowing that people are not told each time."""

    text: str


@dataclass(frozen=True)
class QuitStarted:
    """Asked to end, by a signal."""

    signal: str


@dataclass(frozen=True)
class AppRemoved:
    """The app is in the config no more: it ends, and the others of the run go on."""


@dataclass(frozen=True)
class QuitFinished:
    """No process that reloader started is alive any more."""

    seconds: Seconds


News = (
    Greeted
    | WatchStarted
    | ChangeSeen
    | ChangeIgnored
    | BuildStarted
    | BuildSucceeded
    | BuildFailed
    | BuildCancelled
    | ProblemsFound
    | HookFailed
    | RuleStarted
    | RuleSucceeded
    | RuleFailed
    | AppStarted
    | AppSignalled
    | AppReady
    | AppNotReady
    | AppDropped
    | AppStopped
    | AppExited
    | AppCompleted
    | AppWaits
    | StartFailed
    | ConfigChanged
    | ConfigRejected
    | Paused
    | Resumed
    | KeysOffered
    | ProxyStarted
    | Warned
    | Informed
    | QuitStarted
    | AppRemoved
    | QuitFinished
)
