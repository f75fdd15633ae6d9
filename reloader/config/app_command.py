"""The command of the app, as a config has it. Pure."""

from __future__ import annotations

from reloader.light import dataclass


@dataclass(frozen=True)
class AppCommand:
    """The setting that runs the app: a command line, or exact words."""

    key: str  # "full_bin", "entrypoint" or "bin"
    line: str = ""  # a command line; "" for an entrypoint
    words: tuple[str, ...] = ()  # those of an entrypoint
    args: tuple[str, ...] = ()  # `args_bin`: exact arguments behind either

    @property
    def text(self) -> str:
        """Returns all of it on one line, for messages and for reading; not for a shell."""
        return " ".join((*(self.line,) * bool(self.line), *self.words, *self.args))
