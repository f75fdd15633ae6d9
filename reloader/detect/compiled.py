"""Go, Rust, C, Java, .NET: projects whose build makes the program that is run."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from reloader.detect.candidate import Candidate, quoted
from reloader.light import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reloader.detect.folder import Folder

_USUAL = ("server", "api", "web", "app", "main", "service", "httpd", "serve")


def _the_one(found: dict[str, Candidate], *names: str) -> list[Candidate]:
    """Returns the program called like the project, else the one with a usual name, else all."""
    for wanted in (names, _USUAL):
        named = [candidate for name, candidate in found.items() if name in wanted]
        if len(named) == 1:
            return named
    return list(found.values())


# --- Go ------------------------------------------------------------------------------------------

_GO_EXT = ("go", "tpl", "tmpl", "html")
_GO_OUT = ("assets", "tmp", "vendor", "testdata")


def go(folder: Folder) -> list[Candidate]:
    """Returns build and run of each main package that may be the program."""
    if folder.is_file("go.work"):
        return _go_work(folder)
    if not folder.is_file("go.mod"):
        return _go_files(folder)
    mains = list(_go_mains(folder, ""))
    if "" in mains:
        return [_go(folder, ".")]
    module = re.search(r"(?m)^module\s+(\S+)", folder.read("go.mod"))
    name = re.sub(r"/v\d+$", "", module[1]).rpartition("/")[2] if module else ""
    return _the_one({posixpath.basename(p): _go(folder, f"./{p}") for p in mains}, name)


def _go_mains(folder: Folder, top: str) -> Iterator[str]:
    """Yields the directories of a module that hold a main package: it, below `cmd`, one below."""
    yield from (top for _ in range(_is_main(folder, top)))
    below = [posixpath.join(top, name) for name in folder.folders(top)]
    cmd = posixpath.join(top, "cmd")
    for path in (*below, *(posixpath.join(cmd, name) for name in folder.folders(cmd))):
        if not folder.is_file(posixpath.join(path, "go.mod")) and _is_main(folder, path):
            yield path


def _is_main(folder: Folder, path: str) -> bool:
    names = [n for n in folder.matching("*.go", path) if not n.endswith("_test.go")]
    texts = (folder.read(posixpath.join(path, name)) for name in names)
    return any(
        re.search(r"(?m)^package main\b", text) and not re.search(r"(?m)^//go:build ignore", text)
        for text in texts
    )


def _go(folder: Folder, package: str) -> Candidate:
    cmd = f"go build -o ./tmp/main {package}"
    path = "" if package == "." else package.removeprefix("./")
    where = f"{path}/" if path else "go.mod"
    candidate = Candidate("a Go program", "./tmp/main", where, cmd)
    if not _has_templ(folder):
        return candidate
    text = folder.read("go.mod")
    tool = (
        "go tool templ"
        if re.search(r"(?m)^\s*(?:tool\s+)?github\.com/a-h/templ/cmd", text)
        else "templ"
    )
    return replace(
        candidate,
        kind="a Go program with templ",
        cmd=f"{tool} generate && {cmd}",
        include_ext=("templ", *_GO_EXT),
        exclude_regex=("_test.go", "_templ.go"),
    )


def _has_templ(folder: Folder) -> bool:
    return "github.com/a-h/templ" in folder.read("go.mod") or any(
        folder.matching("*.templ", path) for path in folder.walk(2)
    )


def _go_work(folder: Folder) -> list[Candidate]:
    text = folder.read("go.work")
    block = " ".join(re.findall(r"(?s)\buse\s*\((.*?)\)", text))
    used = [*block.split(), *re.findall(r"(?m)^use\s+([^\s(]+)", text)]
    found: dict[str, Candidate] = {}
    for path in map(posixpath.normpath, used):
        top = "" if path == "." else path
        for main in _go_mains(folder, top):
            package = f"./{main}" if main else "."
            name = posixpath.basename(main) or "."
            candidate = replace(_go(folder, package), include_ext=_GO_EXT, exclude_dir=_GO_OUT)
            found[name if name not in found else main] = candidate
    return _the_one(found)


def _go_files(folder: Folder) -> list[Candidate]:
    """Returns a main package without a module."""
    files = [n for n in folder.matching("*.go") if not n.endswith("_test.go")]
    if not files or not _is_main(folder, ""):
        return []
    cmd = f"go build -o ./tmp/main {' '.join(map(quoted, files))}"
    return [Candidate("a Go program", "./tmp/main", files[0], cmd, include_ext=_GO_EXT)]


def go_file(folder: Folder, path: str) -> Candidate:
    """Returns build and run of the package of a Go file; without a module, of the file alone."""
    top = posixpath.dirname(path)
    if folder.has("go.mod"):
        return _go(folder, f"./{top}" if top else ".")
    cmd = f"go build -o ./tmp/main {quoted(path)}"
    return Candidate("a Go program", "./tmp/main", path, cmd, include_ext=_GO_EXT)


# --- Rust ----------------------------------------------------------------------------------------


def rust(folder: Folder) -> list[Candidate]:
    """Returns build and run of the binary of a package, or of a workspace's members."""
    if not folder.is_file("Cargo.toml"):
        return []
    table = folder.table("Cargo.toml")
    workspace = table.get("workspace")
    members = workspace.get("members", []) if isinstance(workspace, dict) else []
    tops = [""] if "package" in table else []
    tops += [p for m in members if isinstance(m, str) for p in folder.glob(m)]
    found: dict[str, Candidate] = {}
    default = ""
    for top in tops:
        names, preferred = _binaries(folder, top)
        default = default or preferred
        for name in names:
            found[name] = _cargo(folder, top, name)
    if default in found:
        return [
            replace(
                found[default],
                cmd=f"cargo build --bin {default}" if len(found) > 1 else "cargo build",
            )
        ]
    if len(found) == 1:
        return [replace(it, cmd="cargo build") for it in found.values()]
    return _the_one(found, _package_name(folder, ""))


def _package_name(folder: Folder, top: str) -> str:
    package = folder.table(posixpath.join(top, "Cargo.toml")).get("package")
    return str(package.get("name", "")) if isinstance(package, dict) else ""


def _binaries(folder: Folder, top: str) -> tuple[list[str], str]:
    """Returns the names of a package's binaries, and the one that it runs by default."""
    table = folder.table(posixpath.join(top, "Cargo.toml"))
    package = table.get("package")
    if not isinstance(package, dict):
        return [], ""
    tables = table.get("bin")
    bins = [b for b in tables if isinstance(b, dict)] if isinstance(tables, list) else []
    names = [str(b["name"]) for b in bins if "name" in b]
    paths = [str(b.get("path", "")) for b in bins]
    own = str(package.get("name", ""))
    if folder.is_file(posixpath.join(top, "src/main.rs")) and "src/main.rs" not in paths:
        names.append(own)
    files = folder.matching("*.rs", posixpath.join(top, "src/bin"))
    names += [name[:-3] for name in files if f"src/bin/{name}" not in paths]
    return list(dict.fromkeys(names)), str(package.get("default-run", ""))


def _cargo(folder: Folder, top: str, name: str) -> Candidate:
    config = folder.read(".cargo/config.toml") or folder.read(".cargo/config")
    found = re.search(r"(?m)^target-dir\s*=\s*\"([^\"]+)\"", config)
    target = found[1] if found else "target"
    path = f"{target}/debug/{name}"
    return Candidate(
        "a Rust program",
        path if path.startswith("/") else f"./{path}",
        posixpath.join(top, "Cargo.toml"),
        f"cargo build --bin {name}",
        include_ext=("rs", "toml"),
        exclude_dir=(target,),
    )


# --- C and C++ -----------------------------------------------------------------------------------

_C_EXT = ("c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx")


def cmake(folder: Folder) -> list[Candidate]:
    """Returns build and run of the executable of a CMake project."""
    text = folder.read("CMakeLists.txt")
    if not text:
        return []
    project = re.search(r"(?i)\bproject\s*\(\s*([\w.-]+)", text)
    name_of_project = project[1] if project else ""
    output = re.search(r"(?i)RUNTIME_OUTPUT_DIRECTORY\s+\"?\$\{\w+\}/([\w/.-]+)", text)
    found: dict[str, Candidate] = {}
    for path in ("", *folder.folders()):
        lists = folder.read(posixpath.join(path, "CMakeLists.txt"))
        for name in re.findall(r"(?i)\badd_executable\s*\(\s*([\w.${}-]+)", lists):
            shown = re.sub(r"\$\{(?:CMAKE_)?PROJECT_NAME\}", name_of_project, name)
            if "$" not in shown and "test" not in shown.lower():
                place = posixpath.join("build", output[1] if output else path, shown)
                found[shown] = _cmake(place)
    return _the_one(found, name_of_project)


def _cmake(program: str) -> Candidate:
    return Candidate(
        "a CMake project",
        f"./{program}",
        "CMakeLists.txt",
        "cmake -S . -B build && cmake --build build",
        include_ext=(*_C_EXT, "txt", "cmake"),
        exclude_dir=("build",),
    )


# --- Java, Kotlin --------------------------------------------------------------------------------

_JVM_EXT = (
    "java",
    "kt",
    "kts",
    "groovy",
    "scala",
    "gradle",
    "xml",
    "properties",
    "yml",
    "yaml",
    "html",
)
_MAIN = re.compile(r"(?s)^\s*package\s+([\w.]+).*?\bclass\s+(\w+).*?\bstatic\s+void\s+main\s*\(")


def maven(folder: Folder) -> list[Candidate]:
    """Returns build and run of a Maven project."""
    text = folder.read("pom.xml")
    if not text:
        return []
    tool = "./mvnw" if folder.is_file("mvnw") else "mvn"
    candidate = Candidate(
        "a Maven project", "", "pom.xml", include_ext=_JVM_EXT, exclude_dir=("target",)
    )
    if "quarkus-maven-plugin" in text:
        remark = "It reloads by itself; only these files need a restart."
        return [
            replace(
                candidate,
                kind="a Quarkus app",
                bin=f"{tool} quarkus:dev",
                include_ext=(),
                include_file=("pom.xml",),
                exclude_dir=(),
                remark=remark,
            )
        ]
    if "spring-boot" in text:
        cmd = f"{tool} -q -DskipTests package"
        jar = _jar(text)
        app = replace(candidate, kind="a Spring Boot app")
        if jar and "spring-boot-maven-plugin" in text:
            return [replace(app, cmd=cmd, bin=f"java -jar {jar}")]
        return [replace(app, cmd=f"{tool} -q compile", bin=f"{tool} spring-boot:run")]
    main = re.search(r"<mainClass>\s*([\w.$]+)\s*</mainClass>", text)
    mains = [main[1]] if main else list(_main_classes(folder, "src/main/java"))
    run = (
        "java -cp target/classes {}"
        if "<dependency>" not in text
        else f"{tool} -q exec:java -Dexec.mainClass={{}}"
    )
    return [replace(candidate, cmd=f"{tool} -q compile", bin=run.format(name)) for name in mains]


def _jar(pom: str) -> str:
    """Returns the jar that `package` makes, if the file says its name."""
    own = re.sub(
        r"(?s)<(parent|dependencies|dependencyManagement|build|profiles)>.*?</\1>", "", pom
    )
    named = re.search(r"<finalName>\s*([\w.-]+)\s*</finalName>", pom)
    artifact = re.search(r"<artifactId>\s*([\w.-]+)\s*<", own)
    version = re.search(r"<version>\s*([\w.-]+)\s*<", own)
    if named:
        return f"target/{named[1]}.jar"
    return f"target/{artifact[1]}-{version[1]}.jar" if artifact and version else ""


def _main_classes(folder: Folder, top: str) -> Iterator[str]:
    paths = [top]
    for path in paths:
        paths += [posixpath.join(path, name) for name in folder.folders(path)][:50]
        for name in (*folder.matching("*.java", path), *folder.matching("*.kt", path)):
            if found := _MAIN.search(folder.read(posixpath.join(path, name))):
                yield f"{found[1]}.{found[2]}"


def gradle(folder: Folder) -> list[Candidate]:
    """Returns build and run of a Gradle project, or of its one application below."""
    settings = folder.first("settings.gradle.kts", "settings.gradle")
    tops = [""] if folder.first("build.gradle.kts", "build.gradle") else []
    tops += [name for name in folder.folders() if settings]
    name = re.search(
        r"rootProject\.name\s*=\s*['\"]([\w.-]+)", folder.read(settings) if settings else ""
    )
    found = {}
    for top in tops:
        build = folder.first(*(posixpath.join(top, f"build.gradle{end}") for end in (".kts", "")))
        if build and (
            it := _gradle(folder, top, folder.read(build), top or (name[1] if name else ""))
        ):
            found[top] = replace(it, where=build)
    return _the_one(found)


def _gradle(folder: Folder, top: str, text: str, name: str) -> Candidate | None:
    tool = "./gradlew" if folder.is_file("gradlew") else "gradle"
    task = f":{top}:" if top else ""
    place = f"{top}/build" if top else "build"
    version = re.search(r"(?m)^version\s*=\s*['\"]([\w.-]+)", text)
    candidate = Candidate(
        "a Gradle project",
        "",
        "",
        include_ext=_JVM_EXT,
        exclude_dir=("build", f"{top}/build") if top else ("build",),
    )
    if re.search(r"org\.springframework\.boot|spring-boot", text):
        app = replace(candidate, kind="a Spring Boot app")
        if name and version:
            jar = f"{place}/libs/{name}-{version[1]}.jar"
            return replace(app, cmd=f"{tool} -q {task}bootJar", bin=f"java -jar {jar}")
        return replace(app, cmd=f"{tool} -q {task}classes", bin=f"{tool} {task}bootRun")
    if not re.search(r"['\"(\s]application['\")\s]|mainClass", text):
        return None
    if name:
        program = f"./{place}/install/{name}/bin/{name}"
        return replace(candidate, cmd=f"{tool} -q {task}installDist", bin=program)
    return replace(candidate, cmd=f"{tool} -q {task}classes", bin=f"{tool} -q {task}run")


# --- .NET ----------------------------------------------------------------------------------------


def dotnet(folder: Folder) -> list[Candidate]:
    """Returns build and run of the one project that makes a program."""
    found: dict[str, Candidate] = {}
    for path in folder.walk(2):
        for pattern in ("*.csproj", "*.fsproj"):
            for name in folder.matching(pattern, path):
                place = posixpath.join(path, name)
                text = folder.read(place)
                runs = re.search(
                    r"Sdk\.(?:Web|Worker|BlazorWebAssembly)|<OutputType>\s*(?:Win)?Exe", text
                )
                if runs and "Microsoft.NET.Test.Sdk" not in text:
                    found[name.rpartition(".")[0].rpartition(".")[2].lower()] = _dotnet(place)
    return _the_one(found)


def _dotnet(project: str) -> Candidate:
    flag = f" --project {quoted(project)}" if "/" in project else ""
    where = f" {quoted(project)}" if "/" in project else ""
    ext = ("cs", "fs", "csproj", "fsproj", "razor", "cshtml", "json")
    return Candidate(
        "a .NET program",
        f"dotnet run --no-build{flag}",
        project,
        f"dotnet build{where}",
        include_ext=ext,
        exclude_dir=("**/bin", "**/obj", "bin", "obj"),
    )
