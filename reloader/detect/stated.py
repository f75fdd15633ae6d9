"""Files that state how a project is run: Procfile, just, make, Task, compose, Dockerfile."""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from reloader.detect.candidate import Candidate, beside, quoted
from reloader.detect.dev_servers import reloads

if TYPE_CHECKING:
    from reloader.detect.folder import Folder

_TASKS = ("run", "dev", "serve", "server", "start", "watch")
# Tools that would start reloader again, or leave it nothing to reload.
_NOT_HERE = re.compile(r"\breloader\b|\bdocker\b|\bpodman\b|\bkubectl\b|\bvagrant\b")


def procfile(folder: Folder) -> list[Candidate]:
    """Returns the web process of a Procfile, else its only one."""
    name = folder.first("Procfile.dev", "Procfile")
    lines = dict(re.findall(r"(?m)^([\w-]+):[ \t]*(.+?)[ \t]*$", folder.read(name) if name else ""))
    lines = {k: v for k, v in lines.items() if k != "release" and not _NOT_HERE.search(v)}
    if not lines:
        return []
    chosen = {"web": lines["web"]} if "web" in lines else lines
    others = ", ".join(other for other in lines if other not in chosen)
    remark = f"Not started: {others}" if others else ""
    return [_process(folder, name, line, remark) for line in chosen.values()]


def _process(folder: Folder, name: str, line: str, remark: str) -> Candidate:
    if "$PORT" in line or "${PORT}" in line:  # set by foreman and its like
        line = f"PORT=${{PORT:-5000}}; export PORT; exec {line}"
    if reloads(line, folder.top):
        return beside("a dev server", line, name)
    return Candidate(f"the {name}", line, name, remark=remark)


# --- task runners --------------------------------------------------------------------------------


def tasks(folder: Folder) -> list[Candidate]:
    """Returns the task that runs the project, by just or Task."""
    name = folder.first("justfile", "Justfile", ".justfile")
    text = folder.read(name) if name else ""
    blocks = _blocks(
        text, r"^@?([\w-]+)(?:[ \t]+[^:\n]*)?:(?!=)([^\n]*)\n((?:[ \t]+[^\n]*\n?|\n)*)"
    )
    if found := _task(folder, blocks, "just", name):
        return [found]
    name = folder.first("Taskfile.yml", "Taskfile.yaml")
    text = folder.read(name) if name else ""
    blocks = _blocks(text, r"^  ([\w:-]+):()[ \t]*\n((?:    [^\n]*\n?|\n)*)")
    return [found] if (found := _task(folder, blocks, "task", name)) else []


def make(folder: Folder) -> list[Candidate]:
    """Returns the target of a Makefile that runs the project, else the program it builds."""
    name = folder.first("Makefile", "makefile", "GNUmakefile")
    text = folder.read(name) if name else ""
    blocks = _blocks(text, r"^([\w./-]+)[ \t]*:(?!=)([^\n]*)\n((?:\t[^\n]*\n?)*)")
    if found := _task(folder, blocks, "make", name):
        return [found]
    return _made_program(folder, text, blocks, name)


Blocks = dict[str, tuple[str, str]]  # of each task: what it depends on, and its recipe


def _blocks(text: str, pattern: str) -> Blocks:
    return {name: (needs, body) for name, needs, body in re.findall(rf"(?m){pattern}", text + "\n")}


def _task(folder: Folder, blocks: Blocks, tool: str, where: str) -> Candidate | None:
    """Returns the first of the usual tasks; where it is one plain line, that line."""
    name = next((it for it in _TASKS if it in blocks), "")
    if not name:
        return None
    needs, body = blocks[name]
    if _NOT_HERE.search(body):
        return None
    words = needs.split("##")[0].split()
    if any(_NOT_HERE.search(blocks[word][1]) for word in words if word in blocks):
        return None
    lines = [line.strip().lstrip("@-") for line in body.splitlines() if line.strip()]
    kind, command = f"the app of {tool} {name}", f"{tool} {name}"
    if any(reloads(line, folder.top) for line in lines):
        return beside(kind, command, where)
    build = "build" if "build" in blocks else (words[0] if len(words) == 1 else "")
    if tool == "make" and build and len(lines) == 1 and re.fullmatch(r"\./[\w./-]+", lines[0]):
        program = lines[0]  # run without make, which would be between it and its signals
        extensions = _extensions(body + "".join(map("".join, blocks.values())))
        return Candidate(kind, program, where, f"make {build}", include_ext=extensions)
    cmd = f"{tool} build" if "build" in blocks and "build" not in words else ""
    return Candidate(kind, command, where, cmd)


def _extensions(text: str) -> tuple[str, ...] | None:
    """Returns the extensions of a compiler's sources, so that what it makes is not watched."""
    if re.search(r"\.(?:c|cc|cpp|cxx|h|hpp)\b|\$\((?:CC|CXX)\)", text):
        return ("c", "h", "cc", "cpp", "cxx", "hh", "hpp")
    return None


def _made_program(folder: Folder, text: str, blocks: Blocks, where: str) -> list[Candidate]:
    """Returns make and the program that its first target links, for C and C++."""
    sources = [n for top in ("", "src/") for n in folder.matching("*.c*", top.rstrip("/"))]
    if not blocks or not sources:
        return []
    variables = dict(re.findall(r"(?m)^(\w+)[ \t]*[:?]?=[ \t]*([\w./-]+)[ \t]*$", text))
    text = re.sub(r"\$[({](\w+)[)}]", lambda m: variables.get(m[1], m[0]), text)
    pattern = r"^([\w./-]+)[ \t]*:(?!=)([^\n]*)\n((?:\t[^\n]*\n?)*)"
    found = {
        name: body
        for name, (_, body) in _blocks(text, pattern).items()
        if re.search(rf"-o\s+(?:\$@|{re.escape(name)})(?:\s|$)", body)
        and not name.endswith((".o", ".so"))
    }
    extensions = ("c", "h", "cc", "cpp", "cxx", "hh", "hpp")
    return [
        Candidate("a C program", f"./{name}", where, f"make {name}", include_ext=extensions)
        for name in found
        if "test" not in name
    ]


# --- containers ----------------------------------------------------------------------------------


def compose(folder: Folder, python: str) -> list[Candidate]:
    """Returns the command of the one service that is built from here and states one."""
    name = folder.first("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
    text = folder.read(name) if name else ""
    services = re.search(r"(?ms)^services:[ \t]*\n(.*?)(?=^\S|\Z)", text)
    found = []
    for block in re.split(r"(?m)^ {2,4}(?=[\w.-]+:[ \t]*$)", services[1] if services else ""):
        command = re.search(r"(?m)^\s+command:[ \t]*(\S.*?)[ \t]*$", block)
        if command and re.search(r"(?m)^\s+build:", block):
            found.append(_words(command[1].strip("'\"")))
    if len(found) != 1:
        return []
    return _stated(folder, found[0], name, "the command of compose", python)


def docker(folder: Folder, python: str) -> list[Candidate]:
    """Returns what a Dockerfile runs: its last CMD behind its ENTRYPOINT."""
    words: list[str] = []
    for name in ("ENTRYPOINT", "CMD"):
        lines = re.findall(rf"(?m)^{name}[ \t]+(.+?)[ \t]*$", folder.read("Dockerfile"))
        words += _words(lines[-1]) if lines else []
    return _stated(folder, words, "Dockerfile", "what the Dockerfile runs", python)


def _words(text: str) -> list[str]:
    """Returns the words of a JSON list; a line for a shell is one word."""
    try:
        found = json.loads(text)
    except ValueError:
        return [text]
    return [str(word) for word in found] if isinstance(found, list) else [text]


def _stated(
    folder: Folder, words: list[str], where: str, kind: str, python: str
) -> list[Candidate]:
    """Returns the command, if it runs something that is here."""
    line = words[0] if len(words) == 1 else " ".join(map(quoted, words))
    try:
        parts = shlex.split(line)
    except ValueError:
        return []
    if not line or _NOT_HERE.search(line) or not _is_here(folder, parts):
        return []
    line = re.sub(r"^python3?(?=\s)", python, line)
    line = re.sub(r"\s--reload(?=\s|$)", "", line)
    if reloads(line, folder.top):
        return [beside(kind, line, where)]
    return [Candidate(kind, line, where)]


def _is_here(folder: Folder, words: list[str]) -> bool:
    """One of the words is a file of the project, or a module of it."""
    names = [word.partition(":")[0] for word in words if not word.startswith(("-", "/"))]
    paths = [name.replace(".", "/") for name in names if re.fullmatch(r"\w+(?:\.\w+)*", name)]
    return any(map(folder.is_file, names)) or any(
        folder.has(f"{path}.py", f"{path}/__init__.py", f"{path}/__main__.py") for path in paths
    )
