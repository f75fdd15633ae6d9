"""Warnings about command lines, from their words and the scripts that they name."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from reloader.config import self_reloaders
from reloader.light import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.config.model import Build, Config


@dataclass(frozen=True)
class LineWarning:
    """`key` of `[build]`, the item of its list from 0, what is doubtful, and what to do."""

    key: str
    index: int | None
    text: str
    hint: str = ""


_ASSIGNMENTS = re.compile(r"\s*(?:[A-Za-z_]\w*=(?:'[^']*'|\"[^\"]*\"|\S)*\s+)*")
_PARTS = re.compile(r"&&|\|\||[;|\n]")  # rough: a quoted `;` splits too, which only says less

_KILLS = re.compile(
    r"""(?<![\w./-])(?:/[\w/]*/)?(?:killall|pkill)(?![\w-])
      | \btaskkill\b.*/im\b
      | \bfuser\b.*\s-\w*k
      | \bkill\b[^;|&\n]*(?:\$\(|`)
      | \bxargs\s+(?:-\S+\s+)*kill\b""",
    re.VERBOSE | re.IGNORECASE,
)
# Goes on for ever, beside what is in the table of self-reloaders.
_STAYS = re.compile(
    r"""(?:npm|pnpm|yarn|bun|deno)(?:\s+(?:run|task))?\s+(?:dev|start|serve|watch|preview)(?![\w:-])
      | docker(?:\s+|-)compose\b.*\sup\b(?!.*\s(?:-d|--detach|--wait|--no-start)\b)
      | tail\s+-\w*[fF]\b
      | python[\d.]*\s+-m\s+http\.server\b
      | sleep\s+inf""",
    re.VERBOSE,
)
_WINDOWS = re.compile(
    r"""(?:cmd(?:\.exe)?\s+/c|powershell|pwsh(?:\.exe)?|taskkill|start\s|del\s|xcopy|robocopy)\b
      | set\s+\w+=
      | [^\s/]+\.(?:bat|cmd|ps1|exe)(?=\s|$)""",
    re.VERBOSE | re.IGNORECASE,
)
_BACKSLASHES = re.compile(r"(?:\.{1,2}|[\w-]+)\\[\w.-]\S*")
_BACKSLASHES_LATER = re.compile(r"(?<=\s)(?:\.{1,2}|[\w-]{2,})\\\w[\w.\\-]+")
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")


def warnings(config: Config, platform: str = sys.platform) -> Iterator[LineWarning]:
    """All that the command lines of a config show."""
    build = config.build
    for key, line in (("cmd", build.cmd), *(("pre_cmd", line) for line in build.pre_cmd)):
        index = build.pre_cmd.index(line) if key == "pre_cmd" else None
        yield from _job(key, index, line, config.command_dir)
    if build.app and (tool := self_reloaders.of(config)):
        yield LineWarning(build.app.key, None, tool.text, tool.advice)
    if platform != "win32":
        yield from _windows(config)


def _job(key: str, index: int | None, line: str, folder: str) -> Iterator[LineWarning]:
    """A command that is waited for."""
    if found := _KILLS.search(line):
        text = f"`{found[0].split()[0]}` ends what runs, and also an app that is still wanted"
        hint = "reloader ends the old app itself when the new one is built; leave this out"
        yield LineWarning(key, index, text, hint)
    for part in _PARTS.split(line):
        stays = _STAYS.match(_plain(part)) or self_reloaders.find(part, folder)
        if stays and not part.rstrip().endswith("&"):
            text = f"`{_plain(part).strip()}` goes on for ever, and is waited for"
            hint = "run it apart from reloader, or build once: without dev, watch or serve"
            yield LineWarning(key, index, text, hint)


def _windows(config: Config) -> Iterator[LineWarning]:
    build = config.build
    lines: list[tuple[str, int | None, str]] = [("cmd", None, build.cmd)]
    lines += [(build.app.key, None, build.app.text)] if build.app else []
    for name, hooks in (("pre_cmd", build.pre_cmd), ("post_cmd", build.post_cmd)):
        lines += [(name, index, line) for index, line in enumerate(hooks)]
    for key, index, line in lines:
        start = _plain(line)
        hint = "what is for Windows alone goes to [build.windows]"
        is_plain = not _BACKSLASHES.match(start)
        if is_plain and (found := _WINDOWS.match(start)):
            yield LineWarning(key, index, f"`{found[0].strip()}` is a command of Windows", hint)
        elif found := _BACKSLASHES.match(start) or _later(build, key, start):
            text = f"`{found[0].strip()}` has \\ between its names, which sh takes for quoting"
            yield LineWarning(key, index, text, f"write /; {hint}")


def _later(build: Build, key: str, line: str) -> re.Match[str] | None:
    """A path of Windows among the words of a line; an app's exact arguments are no such words."""
    line = {"entrypoint": "", "bin": build.bin}.get(key, line)
    return _BACKSLASHES_LATER.search(_QUOTED.sub("''", line))


def _plain(line: str) -> str:
    """The line without the NAME=value in front."""
    return line[found.end() :] if (found := _ASSIGNMENTS.match(line)) else line
