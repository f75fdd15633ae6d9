"""Ruby, PHP, site generators, and languages with one usual command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reloader.detect.candidate import Candidate, Texts, beside, quoted

if TYPE_CHECKING:
    from reloader.detect.folder import Folder


def ruby(folder: Folder) -> list[Candidate]:
    """Returns what runs a Rails, Rack, Sinatra or Jekyll project, or a Ruby program."""
    gems = folder.read("Gemfile")
    bundle = "bundle exec " if gems else ""
    if folder.is_file("bin/rails") or re.search(r"(?m)^\s*gem\s+['\"]rails['\"]", gems):
        return [_rails(folder)]
    if folder.is_file("_config.yml") and "jekyll" in gems:
        return [
            beside(
                "a Jekyll site", f"{bundle}jekyll serve", "_config.yml", ("_config.yml", "Gemfile")
            )
        ]
    ext = ("rb", "ru", "erb", "haml", "slim", "yml")
    if folder.is_file("config.ru"):
        server = "puma" if "puma" in gems else "rackup"
        return [Candidate("a Rack app", f"{bundle}{server}", "config.ru", include_ext=ext)]
    names = folder.matching("*.rb")
    name = folder.first("app.rb", "main.rb", "server.rb") or (names[0] if len(names) == 1 else "")
    if not name or (
        folder.matching("*.gemspec") and name not in ("app.rb", "main.rb", "server.rb")
    ):
        return []
    return [Candidate("a Ruby program", f"{bundle}ruby {quoted(name)}", name, include_ext=ext)]


def _rails(folder: Folder) -> Candidate:
    names = (
        *("Gemfile.lock", "config/application.rb", "config/environment.rb", "config/boot.rb"),
        *("config/environments/development.rb", "config/puma.rb", "config/database.yml", ".env"),
    )
    files = [name for name in names if folder.is_file(name)]
    files += [f"config/initializers/{name}" for name in folder.files("config/initializers")]
    command = "bin/rails server" if folder.is_file("bin/rails") else "bundle exec rails server"
    return beside("a Rails app", command, "Gemfile", tuple(files))


def php(folder: Folder) -> list[Candidate]:
    """Returns PHP's own server, which reads the sources at each request."""
    files = tuple(n for n in (".env", "composer.lock", "php.ini") if folder.is_file(n))
    if folder.is_file("artisan"):
        return [beside("a Laravel app", "php artisan serve", "artisan", files)]
    if folder.is_file("public/index.php"):
        command = "php -S localhost:8000 -t public"
        return [beside("a PHP site", command, "public/index.php", files)]
    if folder.is_file("index.php"):
        return [beside("a PHP site", "php -S localhost:8000", "index.php", files)]
    name = folder.first("main.php", "app.php", "server.php", "bin/server.php")
    return [Candidate("a PHP program", f"php {name}", name, include_ext=("php",))] if name else []


def sites(folder: Folder, python: str) -> list[Candidate]:
    """Returns the server of a site generator, which reloads by itself."""
    hugo = folder.first("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json")
    config = folder.first("config.toml", "config.yaml", "config.yml")
    text = folder.read(config) if config else ""
    if hugo or (
        re.search(r"(?i)\bbaseURL\b", text) and folder.has("content", "themes", "archetypes")
    ):
        return [beside("a Hugo site", "hugo server", hugo or config)]
    if "base_url" in text and folder.has("templates", "content"):
        return [beside("a Zola site", "zola serve", config)]
    if name := folder.first("mkdocs.yml", "mkdocs.yaml"):
        files = tuple(n for n in ("requirements.txt", "pyproject.toml") if folder.is_file(n))
        return [beside("an MkDocs site", f"{python} -m mkdocs serve", name, files)]
    if folder.is_file("Trunk.toml"):
        return [beside("a Trunk app", "trunk serve", "Trunk.toml", ("Cargo.toml",))]
    return []


class Usual(NamedTuple):
    """A file that marks a project, and the one command that people run it by."""

    mark: str
    kind: str
    bin: str
    cmd: str = ""
    ext: Texts = ()
    out: Texts = ()


_USUAL = (
    Usual("build.zig", "a Zig program", "zig build run", "zig build", ("zig", "zon"), ("zig-out",)),
    Usual(
        "gleam.toml", "a Gleam program", "gleam run", "gleam build", ("gleam", "toml"), ("build",)
    ),
    Usual("Package.swift", "a Swift program", "swift run", "swift build", ("swift",)),
    Usual("stack.yaml", "a Haskell program", "stack run", "stack build", ("hs", "cabal", "yaml")),
    Usual("dub.json", "a D program", "dub run", "dub build", ("d", "json")),
    Usual("dub.sdl", "a D program", "dub run", "dub build", ("d", "sdl")),
    Usual("project.clj", "a Clojure program", "lein run", "", ("clj", "cljc", "edn")),
    Usual(
        "build.sbt",
        "a Scala program",
        "sbt run",
        "sbt compile",
        ("scala", "sbt"),
        ("target", "project/target"),
    ),
)


def usual(folder: Folder) -> list[Candidate]:
    """Returns the command of a language where there is just one."""
    if folder.is_file("mix.exs"):
        return [_elixir(folder)]
    if folder.is_file("pubspec.yaml"):
        return _dart(folder)
    for it in _USUAL:
        if folder.is_file(it.mark):
            return [
                Candidate(it.kind, it.bin, it.mark, it.cmd, include_ext=it.ext, exclude_dir=it.out)
            ]
    return []


def _elixir(folder: Folder) -> Candidate:
    if ":phoenix," in folder.read("mix.exs"):
        files = (
            "mix.exs",
            "mix.lock",
            *(f"config/{n}" for n in folder.matching("*.exs", "config")),
        )
        return beside("a Phoenix app", "mix phx.server", "mix.exs", files)
    return Candidate(
        "an Elixir program",
        "mix run --no-halt",
        "mix.exs",
        "mix compile",
        include_ext=("ex", "exs", "eex"),
        exclude_dir=("_build", "deps"),
    )


def _dart(folder: Folder) -> list[Candidate]:
    if "flutter:" in folder.read("pubspec.yaml") and folder.is_file("lib/main.dart"):
        return []  # its hot reload is by keys, which it reads from the terminal
    if not folder.matching("*.dart", "bin"):
        return []
    return [Candidate("a Dart program", "dart run", "pubspec.yaml", include_ext=("dart", "yaml"))]


def shell(folder: Folder) -> list[Candidate]:
    """Returns the one shell script of a project that has nothing else."""
    scripts = folder.matching("*.sh")
    named = folder.first("run.sh", "start.sh", "main.sh", "app.sh", "server.sh", "dev.sh")
    name = named or (scripts[0] if len(scripts) == 1 else "")
    if not name or "reloader" in folder.read(name):
        return []
    return [Candidate("a shell script", f"{shell_of(folder.read(name))} {quoted(name)}", name)]


def shell_of(text: str) -> str:
    """Returns the shell that a script's first line names; `sh` where none is named."""
    found = re.match(r"#!\s*(?:/usr/bin/env\s+)?(?:/[\w./]*/)?(bash|zsh|ksh|dash|fish)\b", text)
    return found[1] if found else "sh"
