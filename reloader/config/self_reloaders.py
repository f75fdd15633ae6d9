"""Commands that reload their app themselves: dev servers, watch modes, other watchers.

Beside one of them a restart for each save is work done twice, and often far slower than its own.
`find` looks at the words of a command line, at the script of a package.json or deno.json that the
line names, and at the Python file that it runs.
"""

from __future__ import annotations

import json
import os
from fnmatch import fnmatch
from os.path import isfile, join, normpath
from typing import TYPE_CHECKING, NamedTuple

from reloader.config.invoked import Invoked, commands, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reloader.config.model import Config


class SelfReloader(NamedTuple):
    """A command that reloads by itself: its name, where it was seen, how to live with it."""

    name: str  # "Vite"
    said: str  # the words it was told by: "vite --port 3000"
    off: str  # what turns its reloading off: "--noreload"; "" if nothing does
    files: tuple[str, ...]  # files of the project for which it is best restarted

    @property
    def text(self) -> str:
        """Returns the warning, without the advice."""
        where = "" if self.said.startswith(self.name) else f" ({self.name})"
        return f"`{self.said}`{where} reloads by itself, so a save reloads the app twice"

    @property
    def advice(self) -> str:
        """Returns the settings with which both work."""
        lines = _lines(self.files)
        return f"{self.off}, or {lines}" if self.off else lines


class _Tool(NamedTuple):
    """`shapes`: a program, then words that must stand behind it.

    `a|b` is either, `!a` must not be there; a plain word may have others between.
    """

    name: str
    shapes: tuple[str, ...]
    off: str = ""
    files: tuple[str, ...] = ()  # its own config files; the last part may be a glob


_T = _Tool
TOOLS = (
    # JavaScript: dev servers
    _T("Vite", ("vite !build !preview !optimize",), files=("vite.config.*",)),
    _T("Next.js", ("next dev",), files=("next.config.*",)),
    _T("Nuxt", ("nuxt|nuxi dev",), files=("nuxt.config.*",)),
    _T("Astro", ("astro dev",), files=("astro.config.*",)),
    _T("React Router", ("react-router dev",), files=("vite.config.*",)),
    _T("Remix", ("remix dev|watch|vite:dev",), files=("vite.config.*",)),
    _T("Vinxi", ("vinxi dev",), files=("app.config.*",)),
    _T("Gatsby", ("gatsby develop",), files=("gatsby-config.*",)),
    _T("Angular", ("ng serve|s|dev",), files=("angular.json",)),
    _T("Vue CLI", ("vue-cli-service serve",), files=("vue.config.*",)),
    _T("Create React App", ("react-scripts|craco|react-app-rewired start",)),
    _T("webpack", ("webpack serve|--watch|-w", "webpack-dev-server"), files=("webpack.config.*",)),
    _T("Rsbuild", ("rsbuild|rspack dev|serve",), files=("rsbuild.config.*", "rspack.config.*")),
    _T("Parcel", ("parcel !build",)),
    _T("Ember", ("ember serve|s",)),
    _T("Nest", ("nest start --watch|-w",), "nest start without --watch", ("nest-cli.json",)),
    _T("Strapi", ("strapi develop|dev",)),
    _T("Expo", ("expo start", "react-native start", "metro serve")),
    _T("Storybook", ("storybook dev", "start-storybook"), files=(".storybook/main.*",)),
    _T("Docusaurus", ("docusaurus start",), files=("docusaurus.config.*",)),
    _T("VitePress", ("vitepress|vuepress dev",)),
    _T("Eleventy", ("eleventy --serve|--watch",), files=(".eleventy.js", "eleventy.config.*")),
    _T("Wrangler", ("wrangler dev",), files=("wrangler.*",)),
    _T("Netlify", ("netlify|ntl dev",)),
    _T("Vercel", ("vercel|vc dev",)),
    _T("SST", ("sst dev",)),
    _T("live-server", ("live-server", "browser-sync start")),
    # JavaScript: watch modes
    _T("nodemon", ("nodemon",), "node without nodemon", ("nodemon.json",)),
    _T("tsx watch", ("tsx watch|--watch",), "tsx without watch", ("tsconfig.json",)),
    _T("node --watch", ("node --watch|--watch-path",), "node without --watch"),
    _T("bun --watch", ("bun --watch|--hot",), "bun without --watch"),
    _T("deno --watch", ("deno --watch|--watch-hmr|--watch-exclude",), "deno without --watch"),
    _T("ts-node-dev", ("ts-node-dev|tsnd|node-dev",), "ts-node", ("tsconfig.json",)),
    _T("pm2 --watch", ("pm2|pm2-runtime|pm2-dev --watch",), "pm2 without --watch"),
    _T("supervisor", ("supervisor",)),
    _T("Vite", ("vite build --watch|-w",), "vite build without --watch"),
    _T("Jest", ("jest --watch|--watchAll",), "jest without --watch"),
    _T("Vitest", ("vitest !run !--run !list", "vitest watch|--watch"), "vitest run"),
    _T(
        "a watch mode",
        (
            "tsc|esbuild|rollup|sass|postcss|tailwindcss|cli|tsup|unbuild|swc|babel|ncc --watch|-w",
            "esbuild --serve|--servedir",
        ),
    ),
    _T("onchange", ("onchange|chokidar|gaze|watchlist",)),
    # Python
    _T(
        "Django's runserver",
        ("manage|django-admin|django runserver|runserver_plus !--noreload",),
        "--noreload",
    ),
    _T("FastAPI's dev server", ("fastapi dev !--no-reload",), "--no-reload"),
    _T(
        "Flask's debug mode",
        (
            "flask run --debug|--reload !--no-reload",
            "flask run FLASK_DEBUG=1|FLASK_DEBUG=true !--no-reload !--no-debug",
        ),
        "--no-reload",
    ),
    _T("Quart's debug mode", ("quart run --debug|--reload !--no-reload",), "--no-reload"),
    _T("uvicorn --reload", ("uvicorn --reload",), "uvicorn without --reload"),
    _T("gunicorn --reload", ("gunicorn --reload",), "gunicorn without --reload"),
    _T("hypercorn --reload", ("hypercorn --reload",), "hypercorn without --reload"),
    _T("granian --reload", ("granian --reload",), "granian without --reload"),
    _T("Litestar", ("litestar run --reload|-r|--reload-dir|-R",), "litestar run without --reload"),
    _T("Sanic", ("sanic --dev|-d|--auto-reload|--reload|-r",), "sanic without --dev"),
    _T("Pyramid", ("pserve --reload",), "pserve without --reload"),
    _T("Robyn", ("robyn --dev",), "robyn without --dev"),
    _T("Streamlit", ("streamlit run",), files=(".streamlit/config.toml",)),
    _T("Gradio", ("gradio",)),
    _T("Reflex", ("reflex run",), files=("rxconfig.py",)),
    _T("Chainlit", ("chainlit run --watch|-w",), "chainlit run without --watch"),
    _T("Solara", ("solara run",)),
    _T("Panel", ("panel serve --dev|--autoreload", "bokeh serve --dev")),
    _T("Shiny", ("shiny run --reload|-r",), "shiny run without --reload"),
    _T("aiohttp-devtools", ("adev runserver",)),
    _T("MkDocs", ("mkdocs|zensical serve !--no-livereload",), files=("mkdocs.yml",)),
    _T("Sphinx", ("sphinx-autobuild",)),
    _T("Pelican", ("pelican --autoreload|-r",)),
    _T(
        "hot reloading",
        ("uvicorn-hmr|hmr|jurigged|watchfiles|hupper|ptw|pytest-watch|pytest-watcher",),
    ),
    _T("watchmedo", ("watchmedo auto-restart|shell-command|tricks",)),
    _T("a worker's --watch", ("arq|dramatiq|taskiq --watch|--reload",)),
    # other languages
    _T("Rails", ("rails server|s",)),
    _T("Ruby's reloaders", ("rerun|guard|shotgun", "hanami server|dev")),
    _T("Jekyll", ("jekyll|bridgetown|middleman serve|server|start !--no-watch",)),
    _T("Phoenix", ("mix phx.server",)),
    _T("PHP", ("php -S", "artisan serve", "symfony serve|server:start")),
    _T("Hugo", ("hugo server|serve", "zola serve", "mdbook serve|watch", "quarto preview")),
    _T("Air", ("air|gow|fresh|CompileDaemon|wgo|modd|arelo|realize|bee",)),
    _T("Wails", ("wails|wails3|buffalo dev",)),
    _T("templ", ("templ --watch|-watch",)),
    _T("cargo watch", ("cargo watch", "cargo-watch|bacon")),
    _T("Trunk", ("trunk|dx serve|watch",)),
    _T("dotnet watch", ("dotnet watch",)),
    _T("Quarkus", ("mvn|mvnw quarkus:dev|liberty:dev|mn:run", "gradle|gradlew quarkusDev")),
    _T("Quarkus", ("quarkus dev",)),
    _T("Gradle", ("gradle|gradlew -t|--continuous",)),
    _T("docker compose watch", ("docker|docker-compose watch|--watch", "tilt up", "skaffold dev")),
    _T("a watcher", ("watchexec|entr|watchman-make|fswatch|inotifywait|reloader",)),
)
# Files that say what an app needs: a change means a new start, whatever the tool does.
_MANIFESTS = (
    *("package.json", "deno.json", "pyproject.toml", "requirements.txt", "go.mod", "Cargo.toml"),
    *("Gemfile", "composer.json", "mix.exs", "pom.xml", "build.gradle", ".env"),
)


def find(line: str, directory: str) -> SelfReloader | None:
    """Returns the tool in a command line that is run in `directory`; None if there is none."""
    for command in commands(line, directory):
        for tool in TOOLS:
            if any(_fits(shape, command) for shape in tool.shapes):
                return _found(tool, command)
        if call := _reloading_call(_source(command)):
            return _found(_Tool(call, (), "leave that out"), command)
    return None


def of(config: Config) -> SelfReloader | None:
    """Returns the tool that runs the app; None if there is none, or only named files restart it."""
    app = config.build.app
    if app is None or not config.build.include_ext:
        return None
    return find(app.text, config.command_dir)


def settings(directory: str) -> str:
    """Returns the settings with which a project lives with any tool that reloads by itself."""
    return _lines(_manifests(directory) or [".env"])


def _lines(files: Iterable[str]) -> str:
    return (
        "include_ext = [] and include_file ="
        f" {json.dumps(list(files), ensure_ascii=False)} in [build]"
    )


def _manifests(folder: str) -> list[str]:
    return [name for name in _MANIFESTS if isfile(join(folder, name))]


def _fits(shape: str, command: Invoked) -> bool:
    head, *wanted = shape.split()
    if command.program not in head.split("|"):
        return False
    there = {*command.env, *(word.partition("=")[0] for word in command.words[1:])}
    return all(
        there.isdisjoint(item[1:].split("|"))
        if item.startswith("!")
        else not there.isdisjoint(item.split("|"))
        for item in wanted
    )


def _found(tool: _Tool, command: Invoked) -> SelfReloader:
    place = command.place
    files = _manifests(place.folder)
    for pattern in tool.files:
        files += _matching(place.folder, pattern)
    shown = tuple(normpath(join(place.below, name)) for name in dict.fromkeys(files))
    return SelfReloader(tool.name, " ".join(command.words), tool.off, shown or (".env",))


def _matching(folder: str, pattern: str) -> list[str]:
    """Returns the files whose path below `folder` matches; only its last part is a glob."""
    parent, glob = os.path.split(pattern)
    try:
        names = sorted(os.listdir(join(folder, parent)))
    except OSError:
        return []
    return [join(parent, name) for name in names if fnmatch(name, glob)]


# --- sources -------------------------------------------------------------------------------------


def _source(command: Invoked) -> str:
    """Returns the text of the Python file that a command runs; "" if it runs none."""
    word, folder = command.words[0], command.place.folder
    module = word.replace(".", "/")
    for name in (word,) if word.endswith(".py") else (f"{module}.py", f"{module}/__main__.py"):
        if isfile(join(folder, name)):
            return read(join(folder, name))
    return ""


_CALLS = frozenset({"run", "run_server", "run_app", "run_simple", "serve", "launch", "start"})
_KEYWORDS = frozenset({"debug", "reload", "use_reloader", "auto_reload", "autoreload", "reloader"})
_NOT_SERVERS = frozenset({"asyncio", "anyio", "trio", "subprocess", "loop", "curio"})


def _reloading_call(text: str) -> str:
    """Returns the call of a source that turns reloading on, like `app.run(debug=True)`, else ""."""
    if "True" not in text and "nicegui" not in text:
        return ""
    import ast

    try:
        nodes = list(ast.walk(ast.parse(text)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        callee = ast.unparse(node.func)
        receiver, _, name = callee.rpartition(".")
        if name not in _CALLS or receiver.partition(".")[0] in _NOT_SERVERS:
            continue
        flags = {
            keyword.arg: keyword.value.value
            for keyword in node.keywords
            if keyword.arg in _KEYWORDS and isinstance(keyword.value, ast.Constant)
        }
        if False in {flags.get("use_reloader"), flags.get("reload")}:
            continue
        if on := next((key for key, value in flags.items() if value is True), ""):
            return f"{callee}({on}=True)"
        if callee == "ui.run" and "nicegui" in text:
            return "NiceGUI's ui.run()"
    return ""
