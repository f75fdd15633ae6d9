"""Commands that reload by themselves: dev servers, and watchers around a plain program.

Pure: command lines in, command lines out.
"""

from __future__ import annotations

import re

# Dev servers that put a change into the running page or process: never restarted for a source.
_SERVERS = re.compile(
    r"""(?:^|[\s/])(?:
        vite(?!\s+(?:build|preview))(?=\s|$)
      | (?:next|nuxt|nuxi|astro|svelte-kit|wrangler|vinxi)\s+dev
      | (?:remix|react-router)\s+(?:vite:)?dev | (?:vitepress|vuepress|rspress)\s+dev
      | react-scripts\s+start
      | (?:ng|vue-cli-service|webpack|rsbuild|rspack|gridsome|umi)\s+(?:serve|dev)
      | webpack-dev-server | gatsby\s+develop | docusaurus\s+start | (?:start-)?storybook\b
      | parcel(?!\s+build)(?=\s|$) | eleventy\b.*--serve | (?:expo|metro)\s+start | tauri\s+dev
      | (?:turbo|nx|lerna|moon)\s+(?:run|run-many|exec)?\b.*\b(?:dev|serve|start|watch)\b
      | snowpack\s+dev
      | live-server | browser-sync\s+start | webpack\s.*--watch | electron-vite(?:\s+dev)?(?=\s|$)
      | electron-forge\s+start | quasar\s+dev | ember\s+s(?:erve)? | stencil\s.*--serve | hexo\s+s
      | (?:streamlit|gradio)\s | mkdocs\s+serve | hugo\s+s(?:erver|erve)? | zola\s+serve
      | jekyll\s+s(?:erve)? | trunk\s+serve | dx\s+serve | shopify\s+theme\s+dev | sst\s+dev
      | (?:fastapi|litestar)\s.*(?:\bdev\b|--reload)
      | (?:uvicorn|gunicorn|hypercorn|granian)\s.*--reload
      | air(?=\s|$) | cargo[\s-]watch | watchexec\s | entr\s | reflex\s | wgo\s | bacon(?=\s|$)
      | mix\s+phx\.server | rails\s+s(?:erver)? | bin/rails\s+s(?:erver)? | artisan\s+serve
      | (?:quarkus:|quarkus)dev | dotnet\s+watch | flutter\s+run
    )""",
    re.VERBOSE,
)
# Watchers that only restart a program, which reloader does itself: what stays without them.
_WATCHERS = (
    (re.compile(r"^(?:npx\s+)?tsx\s+watch\s+(?:--clear-screen=\w+\s+)?"), "tsx "),
    (re.compile(r"^(?:npx\s+)?tsx\s+(.*?)\s*--watch(?=\s)"), r"tsx \1"),
    (
        re.compile(r"^(?:npx\s+)?(?:ts-node-dev|tsnd)\s+(?:(?:-r\s+\S+|--?[\w-]+(?:=\S+)?)\s+)*"),
        "ts-node ",
    ),
    (re.compile(r"^node\s+(.*?)--watch(?:-path=\S+|-preserve-output)?\s+"), r"node \1"),
    (re.compile(r"^bun\s+(?:run\s+)?(?:--watch|--hot)\s+(?:run\s+)?"), "bun "),
    (re.compile(r"^bun\s+run\s+(?:--watch|--hot)\s+"), "bun "),
    (re.compile(r"^deno\s+run\s+(.*?)--watch(?:=\S+)?\s+"), r"deno run \1"),
    (re.compile(r"^nest\s+start\s+--watch\b(?:\s+--\S+)*"), "nest start"),
)
_NODEMON = re.compile(
    r"^(?:npx\s+)?nodemon\s+((?:--?(?:q|quiet|V|verbose|L|legacy-watch|C)\s+|(?:-w|--watch|-e|--ext|-i|--ignore|--delay)[\s=]\S+\s+)*)([\w./-]+\.(?:[cm]?js|ts))((?:\s+[\w./:=-]+)*)$"
)
_NODEMON_EXEC = re.compile(
    r"^(?:npx\s+)?nodemon\s.*?(?:--exec|-x)[\s=]+(?:'([^']+)'|\"([^\"]+)\"|(\S+))(?:\s+([\w./-]+))?(?=\s|$)"
)
_PLAIN = re.compile(r"[^&|;<>$`(){}*?\n]+")


def reloads(line: str) -> bool:
    """Returns True if a command line is, or begins, something that reloads by itself."""
    return bool(_SERVERS.search(line)) or bool(_watches(line))


def _watches(line: str) -> bool:
    return bool(
        re.search(
            r"\b(?:nodemon|ts-node-dev|tsnd|tsx\s+watch|nest\s+start\s.*--watch)\b|\s--(?:watch|hot)\b",
            line,
        )
    )


def without_watcher(line: str) -> str:
    """Returns the program that a watcher like `nodemon` restarts; "" if it is none, or unclear."""
    line = line.strip()
    if not _PLAIN.fullmatch(line):
        return ""
    if found := _NODEMON.match(line):
        runner = "ts-node" if found[2].endswith(".ts") else "node"
        return f"{runner} {found[2]}{found[3]}"
    if found := _NODEMON_EXEC.match(line):
        command = found[1] or found[2] or found[3]
        return " ".join(filter(None, (command, "" if " " in command else found[4])))
    for pattern, rest in _WATCHERS:
        if pattern.match(line):
            return pattern.sub(rest, line, count=1).strip()
    return ""
