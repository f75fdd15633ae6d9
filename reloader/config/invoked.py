"""The commands that a command line ends up running, seen from its words.

Looks through wrappers (`uv run`, `npx`, `sh -c`), the scripts of a package.json or deno.json, and
`cd`. Rough on purpose: it serves advice, never a start.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch
from os.path import basename, join, normpath
from typing import TYPE_CHECKING, NamedTuple

from reloader import files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LARGEST = 200_000  # bytes of a package.json or a source that are looked at
_DEEPEST = 5  # scripts that run scripts


class Invoked(NamedTuple):
    """One command: the program's name without its suffix, its words, and where it runs."""

    program: str  # "vite" of `node_modules/.bin/vite`; "" of one that the project has built
    words: tuple[str, ...]  # as written, the program first
    env: tuple[str, ...]  # the NAME=value in front
    place: Place


class Place(NamedTuple):
    """A directory, as a path below that of the config's commands."""

    top: str
    below: str = ""
    depth: int = _DEEPEST

    @property
    def folder(self) -> str:
        return normpath(join(self.top, self.below))

    def into(self, name: str) -> Place:
        return self._replace(below=normpath(join(self.below, name)))

    def deeper(self) -> Place:
        return self._replace(depth=self.depth - 1)


def commands(line: str, directory: str) -> Iterator[Invoked]:
    """Yields each command of a line that is run in `directory`, and what it runs in turn."""
    return _in_line(line, Place(directory))


# --- command lines -------------------------------------------------------------------------------

# Programs that run the words behind them; of those with a second word only then.
_WRAPPERS = frozenset(
    {
        *(
            "exec",
            "env",
            "command",
            "nohup",
            "time",
            "nice",
            "sudo",
            "xvfb-run",
            "dumb-init",
            "tini",
        ),
        *(
            "cross-env",
            "cross-env-shell",
            "dotenv",
            "npx",
            "bunx",
            "pnpx",
            "uvx",
            "catchsegv",
            "stdbuf",
        ),
        *("uv run", "uv tool run", "poetry run", "pdm run", "pipenv run", "rye run", "hatch run"),
        *(
            "pixi run",
            "pipx run",
            "conda run",
            "mamba run",
            "npm exec",
            "npm x",
            "pnpm exec",
            "pnpm dlx",
        ),
        *("yarn exec", "yarn dlx", "bun x", "bundle exec", "doppler run", "dotenvx run", "op run"),
        *(
            "infisical run",
            "mise exec",
            "mise x",
            "go run",
            "go tool",
            "direnv exec",
            "varlock run",
        ),
        "opentelemetry-instrument",
        "ddtrace-run",
        "newrelic-admin run-program",
    }
)
# Flags of these whose value is a word of its own.
_VALUED = frozenset(
    """-C -e -f -n -p -u -c -g --config --cwd --dir --directory --env --env-file --extra --from
    --group --package --prefix --project --python --with""".split()  # noqa: SIM905
)
_INTERPRETERS = re.compile(r"(?:node|bun|deno|tsx|ruby|perl|pypy|python)[\d.]*")
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ash", "busybox"})
_SCRIPTS = frozenset({"npm", "pnpm", "yarn", "bun", "deno", "node"})  # that run a named script
_SEVERAL = frozenset({"concurrently", "conc", "npm-run-all", "run-p", "run-s"})  # run several lines
_SUFFIX = re.compile(r"(?:\.(?:py|pyc|js|mjs|cjs|ts|mts|rb|cmd|exe|phar)|@[\w.-]+)$")
_OWN = frozenset({"gradlew", "mvnw", "rails", "artisan", "hanami", "manage"})  # lie in the project
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def _in_line(line: str, place: Place) -> Iterator[Invoked]:
    for words in _parts(line) if place.depth else ():
        if words[0] == "cd" and len(words) > 1:
            place = place.into(words[1])
        else:
            yield from _in_words(words, place)


def _parts(line: str) -> Iterator[list[str]]:
    """Yields the words of each command of a line, but not of those left in the background."""
    import shlex

    lexer = shlex.shlex(line.replace("\n", ";"), posix=True, punctuation_chars=";&|()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        tokens = [*lexer, ";"]
    except ValueError:  # an open quote
        tokens = [*line.split(), ";"]
    words: list[str] = []
    for token in tokens:
        if not set(token) <= set(";&|()"):
            words.append(token)
            continue
        if words and token != "&":  # noqa: S105
            yield words
        words = []


def _in_words(words: Sequence[str], place: Place) -> Iterator[Invoked]:
    for env, command in _candidates(list(words)):
        program, rest = _name(command[0]), command[1:]
        yield Invoked(program, tuple(command), tuple(env), place)
        if program in _SHELLS and "-c" in rest[:-1]:
            yield from _in_line(rest[rest.index("-c") + 1], place.deeper())
        elif program in _SCRIPTS:
            yield from _in_script(program, rest, place.deeper())
        elif program in _SEVERAL:
            for word in rest:
                for line in (
                    [word] if " " in word else scripts(place.folder, word.removeprefix("npm:"))
                ):
                    yield from _in_line(line, place.deeper())


def _candidates(words: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Yields the command and each command that it wraps, with the assignments in front."""
    env: list[str] = []
    while words:
        while words and _ASSIGNMENT.match(words[0]):
            env.append(words.pop(0))
        if not words:
            return
        program = _name(words[0])
        called = [program, *words[1:]]
        size = next((n for n in (3, 2, 1) if " ".join(called[:n]) in _WRAPPERS), 0)
        is_interpreter = _INTERPRETERS.fullmatch(program) and not size
        script = _script(words) if is_interpreter else 0
        yield env, words[: script + 1] if script else words
        if size:
            words = _behind(words[size:])
        elif script:
            words = words[script:]
        else:
            return


def _script(words: Sequence[str]) -> int:
    """Returns where the script or module that an interpreter runs stands; 0 if there is none."""
    for at, word in enumerate(words[1:], 1):
        if words[at - 1] == "-m" or (not word.startswith("-") and re.search(r"[./]", word)):
            return at
    return 0


def _behind(words: list[str]) -> list[str]:
    """Returns the command behind a wrapper's flags."""
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            return words[at + 1 :]
        if not word.startswith("-"):
            return words[at:]
        at += 2 if word in _VALUED else 1
    return []


def _name(word: str) -> str:
    """Returns the program's name; "" for one that the project has built, whatever it is called."""
    name = basename(word)
    plain = _SUFFIX.sub("", name)
    is_known = "/" not in word or word.startswith("/") or plain != name or plain in _OWN
    is_known = is_known or ".bin/" in word or "venv" in word or word.startswith("github.com/")
    return plain if is_known else ""


# --- scripts ------------------------------------------------------------------------------------


def _in_script(program: str, rest: Sequence[str], place: Place) -> Iterator[Invoked]:
    """Yields what the script of a package.json runs: `npm run dev`, `yarn dev`, `npm start`."""
    words = list(rest)
    for flag in ("--prefix", "-C", "--dir", "--cwd"):
        if flag in words[:-1]:
            at = words.index(flag)
            place = place.into(words[at + 1])
            del words[at : at + 2]
    if program == "node":
        words = words[words.index("--run") + 1 :] if "--run" in words[:-1] else []
    names = [word for word in words if not word.startswith("-")]
    if names[:1] and names[0] in {"run", "run-script", "task"}:
        names = names[1:]
    if not names:
        return
    behind = words[words.index(names[0]) + 1 :]
    arguments = " ".join(word for word in behind if word != "--")
    for line in scripts(place.folder, names[0]):
        yield from _in_line(f"{line} {arguments}", place)


def scripts(folder: str, name: str) -> Iterator[str]:
    """Yields the lines of the scripts with this name, or whose names match it as a glob."""
    for file, key in (("package.json", "scripts"), ("deno.json", "tasks")):
        try:
            table = json.loads(read(join(folder, file)) or "{}")[key]
            lines = {str(script): line for script, line in table.items()}
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue
        for script, line in lines.items():
            if isinstance(line, str) and (
                script == name or ("*" in name and fnmatch(script, name))
            ):
                yield line


def read(path: str) -> str:
    """Returns the text of a small regular file; "" if there is none."""
    try:
        return files.head(path, LARGEST).decode(errors="replace")
    except OSError:
        return ""
