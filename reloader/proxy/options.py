"""All that the proxy is told when it starts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from reloader.core.values import Seconds


class Options(NamedTuple):
    """Of one app; times in seconds."""

    root: str  # the project's folder: only files below it are shown
    host: str  # the address to listen on
    port: int  # 0: any that is free
    app_port: int
    patience: Seconds  # an app that has started must answer within this
    allowed_hosts: Sequence[str]
    no_hold: Sequence[str]  # paths that are answered at once while there is no app
    overlay: str  # "corner", "full" or "off"
    editor: str  # a name of editors.EDITORS, or an address with {file}, {line} and {column}
    path_map: Mapping[str, str]  # folder as the app sees it -> folder as the editor sees it
    refreshing: frozenset[str]  # names of rules after which the browser is refreshed
    secrets: Callable[[], Sequence[str]]  # values that no page may show
