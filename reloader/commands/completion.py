"""`reloader completion SHELL`: a script that completes commands, flags and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.arguments import SHORT
from reloader.config.model import Kind, options
from reloader.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

SHELLS = ("bash", "zsh", "fish")


def completion(shell: str, commands: Mapping[str, str]) -> str:
    """Returns the script for a shell; `commands`: their names, each with what it does.

    Raises ConfigError: there is no script for this shell.
    """
    if shell not in SHELLS:
        hint = f"reloader completion {'|'.join(SHELLS)}"
        raise ConfigError(Problem(f"no completion for {shell or 'no shell'}", hint=hint))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)


def _values() -> dict[str, tuple[str, ...]]:
    """Returns the words that each flag takes; () for those that take any, or none."""
    found: dict[str, tuple[str, ...]] = {"--json": (), "--help": (), "--profile": ()}
    for short in SHORT:
        found |= dict.fromkeys(short.names, ())
    for key, option, _ in options():
        values = ("true", "false") if option.kind is Kind.FLAG else option.choices
        found[f"--{key}"] = tuple(filter(None, values))
    found["--color"] = found["--color.mode"]
    return found


_BASH = """\
# eval "$(reloader completion bash)"
_reloader() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
    case $before in
{cases}
    esac
    if [[ $word == -* ]]; then
        COMPREPLY=($(compgen -W "{flags}" -- "$word"))
    else
        COMPREPLY=($(compgen -f -- "$word"))
        ((COMP_CWORD == 1)) && COMPREPLY+=($(compgen -W "{commands}" -- "$word"))
    fi
}}
complete -o filenames -F _reloader reloader
"""


def _bash(commands: Mapping[str, str]) -> str:
    values = _values()
    cases = "\n".join(
        f'    {flag}) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")); return ;;'
        for flag, words in values.items()
        if words
    )
    return _BASH.format(cases=cases, flags=" ".join(values), commands=" ".join(commands))


def _zsh(commands: Mapping[str, str]) -> str:
    lines = ["#compdef reloader", '# eval "$(reloader completion zsh)"', "_reloader() {"]
    lines.append("  local -a commands=(")
    lines += [f"    '{name}:{_plain(what)}'" for name, what in commands.items()]
    lines += ["  )", "  local -a flags=("]
    for flag, words in _values().items():
        lines.append(f"    '*{flag}:value:({' '.join(words)})'" if words else f"    '*{flag}'")
    lines += [
        "  )",
        "  if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then",
        "    _describe command commands",
        "    _files",
        "  else",
        "    _arguments $flags '*:file:_files'",
        "  fi",
        "}",
        "compdef _reloader reloader",
    ]
    return "\n".join(lines) + "\n"


def _fish(commands: Mapping[str, str]) -> str:
    lines = ["# reloader completion fish | source"]
    for name, what in commands.items():
        lines.append(f"complete -c reloader -n __fish_use_subcommand -a {name} -d '{_plain(what)}'")
    for flag, words in _values().items():
        name = f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
        lines.append(
            f"complete -c reloader {name}" + (f" -xa '{' '.join(words)}'" if words else "")
        )
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Returns a text that may stand in single quotes, and has no `:` for zsh to divide at."""
    return text.replace("'", "").replace(":", ",")
