"""The house rules that a machine can check, read from the source itself."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

import reloader

PACKAGE = Path(reloader.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
THIRD_PARTY = {
    "tomli": {"config/document.py"},
    "watchfiles": {"watch/engine_watchfiles.py"},
    "psutil": {"process/tree_psutil.py"},
}
# What a file may import of the package. Data flows one way; only `commands` knows the whole house.
MESSAGES = {"core.values", "core.facts", "core.orders", "core.news"}
MAY_IMPORT = {
    "core": {"core"},
    "config": {"config", "errors", "files"},
    "detect": {"detect", "config.document", "config.self_reloaders", "errors"},
    "filter": {"filter", *MESSAGES, "core.needs", "config.model", "config.regex"},
    "runtime": {"runtime", "core"},
    "process": {"process", "command", "output.outlet", *MESSAGES, "config.model", "runtime.source"},
    "command": {"command", *MESSAGES, "config.model"},
    "terminal": {"terminal", "process", *MESSAGES, "runtime.source"},
    "watch": {"watch", "filter", "files", *MESSAGES, "core.needs", "config.model", "runtime"},
    "control": {"control", *MESSAGES, "core.view", "runtime.source", "errors"},
    "sockets": {"sockets"},
    "ready": {"ready", "sockets", "process.tree", *MESSAGES, "runtime"},
    "output": {"output", "core.values"},
    "report": {"report", *MESSAGES, "config.model"},
    "proxy": {"proxy", "problems", "files", *MESSAGES, "core.view", "runtime.wakeup"},
    "problems": {"problems", "files"},
    "warm": {"warm", "process", "command", "core", "config.model", "files"},
    "checks": {
        "checks",
        "watch",
        "filter",
        "config",
        "errors",
        "process",
        "command",
        "warm.plan",
        "sockets.hold",
    },
}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imports(path: Path) -> set[str]:
    """Every module the file imports, lazily or not."""
    return imports_of(path.read_text())


def imports_of(text: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            if node.module in {"reloader", "reloader.core"}:
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_import_law(path):
    """No room reaches into another that it must not know."""
    room = name_of(path).split("/")[0]
    if room not in MAY_IMPORT:
        return
    ours = {m.removeprefix("reloader.") for m in imports(path) if m.startswith("reloader.")}
    allowed = MAY_IMPORT[room]
    bad = {m for m in ours if not any(m == a or m.startswith(f"{a}.") for a in allowed)}
    bad -= {
        "core",
        "config",
        "light",
        "files",
        "paths",
        "threads",
        "paths.is_below",
        "light.dataclass",
        "__version__",
    }  # the packages themselves are empty
    assert not bad, f"{name_of(path)} imports {bad}"


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").replace("/", ".")


def named_files(path: Path) -> set[str]:
    """Every file of the package that this file names, lazily or for its types only."""
    modules = {module_of(p) for p in FILES}
    found = {m.removeprefix("reloader.") for m in imports(path) if m.startswith("reloader.")}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reloader"):
            base = (node.module or "").removeprefix("reloader").removeprefix(".")
            found |= {f"{base}.{alias.name}".removeprefix(".") for alias in node.names}
    return (found & modules) - {module_of(path)}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The groups of files that import each other in a circle (strongly connected)."""
    reach = {start: set(direct) for start, direct in graph.items()}
    while True:
        wider = {
            start: found.union(*(reach.get(name, set()) for name in found))
            for start, found in reach.items()
        }
        if wider == reach:
            break
        reach = wider
    groups = {
        frozenset(other for other in reach[name] if name in reach.get(other, set()))
        for name in reach
        if name in reach[name]
    }
    return sorted(sorted(group) for group in groups)


def test_no_file_circles():
    """No file imports itself through others, not even for its types."""
    graph = {module_of(path): named_files(path) for path in FILES}
    assert circles(graph) == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_third_party_names(path):
    """A foreign package is named only in the file that wraps it."""
    for module in imports(path):
        top = module.split(".")[0]
        if top in sys.stdlib_module_names or top in {"reloader", "_typeshed"}:
            continue
        assert name_of(path) in THIRD_PARTY.get(top, set()), f"{name_of(path)} imports {top}"


def calls(path: Path) -> set[str]:
    return {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    }


def runs_in_the_app(path: Path) -> bool:
    """Files that are no part of the supervisor."""
    return name_of(path).startswith(("warm/inside/", "warm/site/"))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_what_runs_in_the_app_stands_alone(path):
    """It imports the standard library only, and of that nothing that the app would not notice."""
    if runs_in_the_app(path):
        text = path.read_text().split("if TYPE_CHECKING:")
        later = [part.split("\n\n\n", 1)[-1] for part in text[1:]]
        tops = {module.split(".")[0] for part in (text[0], *later) for module in imports_of(part)}
        assert tops <= sys.stdlib_module_names
        assert not tops & {"asyncio", "json", "logging", "re", "socket", "subprocess", "threading"}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_forbidden_calls(path):
    """No sleep and no wall clock where decisions are made, one place to reap, nothing printed."""
    name, called = name_of(path), calls(path)
    if runs_in_the_app(path):
        return
    if name != "process/guardian.py":  # it has no loop to wait in
        assert "time.sleep" not in called
    if name.startswith("core/"):
        assert not {c for c in called if c.split(".")[0] in {"time", "os", "subprocess"}}
    if name != "process/wait.py":
        assert not called & {"os.wait", "os.waitpid", "os.wait4", "os.waitid"}
    assert not called & {"subprocess.Popen", "subprocess.run", "os.system", "os.fork", "os.putenv"}
    if name not in {"threads.py", "sockets/seccomp.py"}:  # of that one, only the filter's thread
        started = {c for c in called if c.endswith((".Thread", ".Timer", "start_new_thread"))}
        assert not started, "a thread that can't be had ends the run: see threads.py"
    if not name.startswith(("report/", "commands/")) and name != "cli.py":
        assert "print" not in called


# Files that open others by themselves, each for the reason that stands beside it.
OPENS = {
    "files.py": "it is the one place",
    "commands/clean.py": "opens directories, to delete in them without following a link",
    "process/tree.py": "reads /proc many times a second, with a descriptor kept in reserve",
    "ready/accepting.py": "reads /proc and the memory of a process, many times a second",
    "sockets/broker.py": "reads /proc and the memory of a thread that waits for it",
    "terminal/tty.py": "a terminal is no regular file",
    "watch/snapshot.py": "hashes files of any size",
    "watch/mounts.py": "polls the table of mounts",
}


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_files_are_opened_in_one_place(path):
    """A named pipe, or a link, where a file is expected can't stop or mislead reloader."""
    if runs_in_the_app(path):
        return
    opened = {
        ast.unparse(node)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func) in {"open", "os.open", "io.open", "os.fdopen"}
            or ast.unparse(node.func).endswith((".read_text", ".read_bytes", ".write_text"))
        )
        and ast.unparse(node.args[0] if node.args else node) != "os.devnull"
    }
    if name_of(path) in OPENS:
        assert opened, "it opens nothing: take it off the list"
    else:
        assert not opened


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_our_environment_is_never_changed(path):
    """What the app's environment is made from stays as the caller left it."""
    if runs_in_the_app(path):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
            assert ast.unparse(node.value) != "os.environ"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_sizes(path):
    """A file or a function that outgrows a look has a second noun in it."""
    most = {"core/machine.py": 640, "config/model.py": 520, "core/news.py": 480}.get(
        name_of(path), 420
    )
    assert len(path.read_text().splitlines()) <= most
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


# A docstring begins with a verb in the third person, or with the noun that the class is.
VAGUE = re.compile(
    r"(What|Who|Whose|Whom|Whether|Where|Why|How|That|It|None|Nobody|Nothing|If|There|We)\b"
)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_docstrings_begin_plainly(path):
    """No docstring begins with a word that leaves open what the sentence is about."""
    vague = [
        doc.splitlines()[0]
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and (doc := ast.get_docstring(node))
        and VAGUE.match(doc)
    ]
    assert not vague


def test_no_path_of_a_machine():
    """Nothing that we ship names a folder of the machine it was written on."""
    for path in FILES:
        text = path.read_text()
        assert not [w for w in ("/" + "work/", "/" + "root/") if w in text], name_of(path)
