"""Commands that reload by themselves: dev servers, and watchers around a plain program."""

from __future__ import annotations

import re

# Runners of several scripts at once, and tools whose table entry needs more than the line.
_RUNNERS = re.compile(
    r"""(?:^|[\s/])(?:
        (?:turbo|nx|lerna|moon)\s+(?:run|run-many|exec)?\b.*\b(?:dev|serve|start|watch)\b
      | snowpack\s+dev | electron-vite(?:\s+dev)?(?=\s|$) | electron-forge\s+start
      | quasar\s+dev | stencil\s.*--serve | hexo\s+s | tauri\s+dev | svelte-kit\s+dev | umi\s+dev
      | shopify\s+theme\s+dev | flutter\s+run
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
    r"^(?:npx\s+)?nodemon\s+"
    r"(?:--?(?:q|quiet|V|verbose|L|legacy-watch|C)\s+"
    r"|(?:-w|--watch|-e|--ext|-i|--ignore|--delay)[\s=]\S+\s+)*"
    r"([\w./-]+\.(?:[cm]?js|ts))((?:\s+[\w./:=-]+)*)$"
)
_NODEMON_EXEC = re.compile(
    r"^(?:npx\s+)?nodemon\s.*?(?:--exec|-x)[\s=]+(?:'([^']+)'|\"([^\"]+)\"|(\S+))"
    r"(?:\s+([\w./-]+))?(?=\s|$)"
)
_SURE = re.compile(r"node [\w./-]+")  # no look at tables is needed
_PLAIN = re.compile(r"[^&|;<>$`(){}*?\n]+")


def reloads(line: str, directory: str) -> bool:
    """Returns True if a command line, run in `directory`, starts something that reloads itself."""
    if not line or _SURE.fullmatch(line):
        return False
    from reloader.config.self_reloaders import find

    return bool(_RUNNERS.search(line)) or find(line, directory) is not None


def without_watcher(line: str) -> str:
    """Returns the program that a watcher like `nodemon` restarts; "" if it is none, or unclear."""
    line = line.strip()
    if not _PLAIN.fullmatch(line):
        return ""
    if found := _NODEMON.match(line):
        runner = "ts-node" if found[1].endswith(".ts") else "node"
        return f"{runner} {found[1]}{found[2]}"
    if found := _NODEMON_EXEC.match(line):
        command = found[1] or found[2] or found[3]
        return " ".join(filter(None, (command, "" if " " in command else found[4])))
    for pattern, rest in _WATCHERS:
        if pattern.match(line):
            return pattern.sub(rest, line, count=1).strip()
    return ""
