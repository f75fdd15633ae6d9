"""JavaScript and TypeScript projects: the scripts of package.json, Deno's tasks, Bun."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from reloader.detect.candidate import Candidate, Texts, beside
from reloader.detect.dev_servers import reloads, without_watcher
from reloader.light import replace

if TYPE_CHECKING:
    from reloader.detect.folder import Folder

EXTENSIONS = ("js", "mjs", "cjs", "ts", "mts", "cts", "jsx", "tsx", "json")
_LOCKS = {
    "pnpm-lock.yaml": "pnpm",
    "yarn.lock": "yarn",
    "bun.lock": "bun",
    "bun.lockb": "bun",
}
# Frameworks whose `start` needs a build for production: `dev` is what a developer runs.
_FRAMEWORKS = (
    "next",
    "nuxt",
    "vite",
    "astro",
    "@remix-run/dev",
    "@sveltejs/kit",
    "gatsby",
    "vinxi",
)
_CONFIGS = (
    "vite",
    "next",
    "nuxt",
    "astro",
    "svelte",
    "webpack",
    "remix",
    "gatsby",
    "vue",
    "postcss",
)
_OTHER_CONFIGS = (
    "tsconfig.json",
    "angular.json",
    "nest-cli.json",
    "turbo.json",
    ".env",
    ".env.local",
)
_BUILT = ("dist", "build", "out", "lib", ".output", ".next")
_RUN = re.compile(r"(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?([\w:.-]+)")
# Assignments, node, its flags with what they load, and the file.
_NODE_LINE = re.compile(
    r"(?:cross-env\s+)?(?:\w+=\S*\s+)*node\s+"
    r"(?:(?:-r|--require|--import|--loader)\s+\S+\s+|-\S+\s+)*([\w@./-]+)(?:\s|$)"
)
_BUILDS_FIRST = re.compile(r"(?:npm|pnpm|yarn|bun)\s+(?:run\s+)?build\s*&&\s*(node\s.+)")
_LISTENS = re.compile(r"\.listen\(|createServer|\bserve\(|setInterval\(")


class Package:
    """A package.json, and what its scripts come to."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.json = folder.json("package.json")
        scripts = self.json.get("scripts")
        table = scripts if isinstance(scripts, dict) else {}
        self.scripts = {k: v.strip() for k, v in table.items() if isinstance(v, str) and v.strip()}

    @property
    def dependencies(self) -> frozenset[str]:
        tables: list[Any] = [self.json.get("dependencies"), self.json.get("devDependencies")]
        return frozenset(name for table in tables if isinstance(table, dict) for name in table)

    @property
    def runner(self) -> str:
        """The package manager, by its lock file."""
        for lock, tool in _LOCKS.items():
            if self.folder.has(lock):
                return tool
        name = str(self.json.get("packageManager", "")).partition("@")[0]
        return name if name in _LOCKS.values() else "npm"

    def reloads(self, line: str) -> bool:
        return reloads(line, self.folder.top)

    def run(self, script: str) -> str:
        return f"{self.runner} run {script}"

    def line(self, script: str) -> str:
        """Returns what a script comes to, through scripts that only run another."""
        for _ in range(3):
            line = self.scripts.get(script, "")
            found = _RUN.fullmatch(line)
            if not found or found[1] not in self.scripts:
                return line
            script = found[1]
        return line


def node(folder: Folder) -> list[Candidate]:
    """Returns how a project with a package.json is run."""
    package = Package(folder)
    if not package.json:
        return []
    found = _nest(package) or _scripted(package) or _main(package)
    return [found] if found else []


def _scripted(package: Package) -> Candidate | None:
    """Returns the script that a developer runs, if there is one."""
    script = _chosen(package)
    if not script:
        return None
    line = package.line(script)
    plain = without_watcher(line) or line
    if plain != line or not package.reloads(line):
        if built := _built(package, script, plain):
            return built
        if direct := _direct(package, script, plain):
            return _program(package, direct)
    if package.reloads(line) or _runs_several(line):
        return _dev_server(package, script)
    return _program(package, package.run(script))


def _chosen(package: Package) -> str:
    names = ["start", "serve", "dev", "develop", "start:dev", "watch"]
    start = package.line("start")
    if "NODE_ENV=production" in start or "@strapi/strapi" in package.dependencies:
        names = ["dev", "develop", *names]
    is_framework = any(name in package.dependencies for name in _FRAMEWORKS)
    if re.search(
        r"\b(?:next|nuxt|vite|remix-serve|astro|serve)\s+(?:start|preview)|^serve\b", start
    ) or (is_framework and package.reloads(package.line("dev"))):
        names = ["dev", *names]
    elif _is_lost(package, start) and not package.scripts.get("build"):
        names = ["dev", "start:dev", *names]
    elif "react-scripts" not in start and not start:
        names = ["dev", *names]
    return next((name for name in names if name in package.scripts), "")


def _is_lost(package: Package, line: str) -> bool:
    """The line runs a file that only a build makes."""
    file = _file(package, line)
    return bool(file) and _is_built(package, file)


def _file(package: Package, line: str) -> str:
    """Returns the file that `node … FILE …` runs, or ""; of a directory its main file."""
    found = _NODE_LINE.match(line)
    name = posixpath.normpath(found[1]) if found else ""
    if name != ".":
        return name
    main = package.json.get("main")
    return posixpath.normpath(main) if isinstance(main, str) else "index.js"


def _is_built(package: Package, file: str) -> bool:
    out = _out_dir(package)
    inside = file.startswith(tuple(f"{name}/" for name in (*_BUILT, *([out] if out else []))))
    is_compiled = package.folder.has("tsconfig.json") or "build" in package.scripts
    is_there = any(package.folder.is_file(file + end) for end in ("", ".js", "/index.js"))
    return not is_there or (inside and is_compiled)


def _out_dir(package: Package) -> str:
    options = package.folder.json("tsconfig.json").get("compilerOptions")
    out = options.get("outDir") if isinstance(options, dict) else None
    return posixpath.normpath(out) if isinstance(out, str) and out not in ("", ".", "./") else ""


def _built(package: Package, script: str, line: str) -> Candidate | None:
    """Returns build and start, where what is started comes out of the build."""
    if found := _BUILDS_FIRST.fullmatch(line):
        line = found[1]
    file = _file(package, line)
    build = package.scripts.get("build", "")
    if not file or not build or package.reloads(build) or re.search(r"\s(?:-w|--watch)\b", build):
        return None
    if not _is_built(package, file):
        return None
    if not _is_one_command(line):  # an assignment, an operator: as the script has it
        line = package.run(script)
    out = _out_dir(package) or file.partition("/")[0]
    candidate = _program(package, line)
    return replace(
        candidate,
        kind="a TypeScript app" if package.folder.has("tsconfig.json") else candidate.kind,
        cmd=package.run("build"),
        exclude_dir=tuple(dict.fromkeys((out, "coverage"))),
    )


def _direct(package: Package, script: str, line: str) -> str:
    """Returns the command line of a script that needs no package manager before it, or ""."""
    if f"pre{script}" in package.scripts or not _is_one_command(line):
        return ""
    program, _, rest = line.partition(" ")
    if program == "node":
        file = _file(package, line)
        return line if file and not _is_built(package, file) else ""
    if program in ("bun", "deno"):
        return line
    local = f"node_modules/.bin/{program}"
    is_coming = program in package.dependencies and not package.folder.has("node_modules")
    return f"{local} {rest}".strip() if package.folder.has(local) or is_coming else ""


def _is_one_command(line: str) -> bool:
    return not re.search(r"[&|;<>$`(){}*?'\"\\]|^\w+=|^cross-env|^dotenv", line)


def _runs_several(line: str) -> bool:
    return bool(re.match(r"(?:npx\s+)?(?:concurrently|npm-run-all|run-p|run-s|wireit)\b", line))


def _program(package: Package, command: str) -> Candidate:
    out = _out_dir(package)
    excluded = dict.fromkeys(("dist", "build", "coverage", *([out] if out else [])))
    if file := re.search(r"\b(?:node|tsx|ts-node|bun)\s+(?:\S+/)?(?:\./)?(dist|build)/", command):
        excluded.pop(file[1], None)
    return Candidate(
        "a Node app",
        command,
        "package.json",
        include_ext=EXTENSIONS,
        exclude_dir=tuple(excluded),
    )


def _dev_server(package: Package, script: str) -> Candidate:
    """Returns a script that reloads by itself: its configs and package.json restart it."""
    folder = package.folder
    names = (name for top in _CONFIGS for name in folder.matching(f"{top}.config.*"))
    files: Texts = ("package.json", *names, *(n for n in _OTHER_CONFIGS if folder.is_file(n)))
    return beside("a dev server", package.run(script), "package.json", files)


def _nest(package: Package) -> Candidate | None:
    if "@nestjs/core" not in package.dependencies or "build" not in package.scripts:
        return None
    start = package.line("start:prod")
    line = start if _file(package, start) else "node dist/main"
    candidate = replace(_program(package, line), kind="a NestJS app")
    return replace(candidate, cmd=package.run("build"), exclude_dir=("dist", "coverage"))


def _main(package: Package) -> Candidate | None:
    """Returns the file that is run where no script says so: it listens, or is named like it."""
    folder = package.folder
    main = package.json.get("main") or package.json.get("module")
    names = [main] if isinstance(main, str) else []
    stems = ("server", "app", "index", "main", "src/server", "src/app", "src/index", "src/main")
    names += [f"{stem}.{end}" for stem in stems for end in ("js", "mjs", "cjs", "ts", "mts")]
    for name in map(posixpath.normpath, names):
        if folder.is_file(name) and _is_program(folder.read(name)):
            command = runs_file(folder, name)
            return _program(package, command) if command else None
    return None


def _is_program(text: str) -> bool:
    if _LISTENS.search(text):
        return True
    is_exported = re.search(r"(?m)^\s*(?:module\.exports|exports\.\w+)\s*=|^export\s", text)
    return bool(text) and not is_exported


def runs_file(folder: Folder, path: str) -> str:
    """Returns what runs a JavaScript or TypeScript file; "" if nothing here does."""
    if folder.has("bun.lock", "bun.lockb", "bunfig.toml"):
        return f"bun {path}"
    if folder.has("deno.json", "deno.jsonc", "deno.lock"):
        return f"deno run -A {path}"
    if path.endswith((".js", ".mjs", ".cjs")):
        return f"node {path}"
    dependencies = Package(folder).dependencies
    for tool in ("tsx", "ts-node"):
        if folder.has(f"node_modules/.bin/{tool}") or tool in dependencies:
            return f"node_modules/.bin/{tool} {path}"
    return ""


# --- Deno, Bun -----------------------------------------------------------------------------------


def deno(folder: Folder) -> list[Candidate]:
    """Returns the task or the main file of a Deno project."""
    config = folder.first("deno.json", "deno.jsonc")
    if not config:
        return []
    tasks = folder.json(config).get("tasks")
    table = tasks if isinstance(tasks, dict) else {}
    lines = {
        name: task if isinstance(task, str) else str(task.get("command", ""))
        for name, task in table.items()
        if isinstance(task, str | dict)
    }
    command = ""
    for name in ("start", "dev", "serve", "run"):
        if line := lines.get(name):
            plain = without_watcher(line)
            command = plain or f"deno task {name}"
            if not plain and reloads(line, folder.top):
                files = tuple(n for n in (config, "vite.config.ts", ".env") if folder.is_file(n))
                return [beside("a dev server", command, config, files)]
            break
    main = folder.first("main.ts", "server.ts", "mod.ts", "main.js", "src/main.ts")
    if not command and main:
        command = f"deno run -A {main}"
    return [Candidate("a Deno app", command, config, include_ext=EXTENSIONS)] if command else []


def bun(folder: Folder) -> list[Candidate]:
    """Returns the main file of a Bun project without scripts."""
    main = folder.first("index.ts", "server.ts", "src/index.ts", "index.tsx")
    if main and folder.has("bun.lock", "bun.lockb", "bunfig.toml"):
        return [Candidate("a Bun app", f"bun {main}", main, include_ext=EXTENSIONS)]
    return []
