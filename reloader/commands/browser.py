"""The proxy of one app: made from the config, and joined to the machine.

It opens after the first spawn, for its imports cost more than the user's app should wait. What the
machine orders before that is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reloader.commands import settings
from reloader.core.facts import Noticed, ProcessStarted
from reloader.core.news import Warned
from reloader.core.values import Gate, Role
from reloader.errors import reason
from reloader.light import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from reloader.command.environ import EnvFiles
    from reloader.config.model import Config
    from reloader.core.facts import Fact
    from reloader.core.news import News
    from reloader.core.values import Task, Ticket, Version
    from reloader.core.view import Snapshot
    from reloader.proxy.options import Options
    from reloader.proxy.server import Server
    from reloader.runtime.loop import Inbox, Seat, System

# Names of variables whose values no page shows.
_SECRET_NAMES = (
    "KEY",
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "CREDENTIAL",
    "DSN",
    "DATABASE_URL",
)


class Browser:
    """A report and a part of the system; without `proxy.enabled` it does nothing."""

    name = "the proxy"

    def __init__(self, snapshot: Callable[[], Snapshot], inbox: Inbox, seat: Seat) -> None:
        self._snapshot = snapshot
        self._inbox = inbox
        self._seat = seat
        self.output = ""  # behind the next news, if it is of a failure
        self._server: Server | None = None
        self._gate: tuple[Gate, Ticket | None] = (Gate.HOLD, None)
        self._started: Ticket | None = None  # the generation that was started last

    def __call__(self, news: News) -> None:
        output, self.output = self.output, ""
        if self._server:
            self._server(news, output)

    def open(self, config: Config, env_files: Callable[[], EnvFiles]) -> None:
        """Opens the proxy that the config asks for, in the place of the one there is."""
        self.close()
        if not config.proxy.is_on:
            return
        try:
            from reloader.proxy.server import Server

            self._server = Server(_options(config, env_files), self._snapshot)
        except (ImportError, OSError, MemoryError) as error:
            text = f"the proxy can't be opened: {reason(error) or error}"
            self._inbox.put([Noticed(Warned(text))], self._seat)
            return
        self._inbox.add(self._server, self._seat)
        self._route(*self._gate)
        if self._started is not None and self._gate[0] is not Gate.OPEN:
            self._inbox.put(self._expect(self._started), self._seat)

    def close(self) -> None:
        """Closes the proxy, if there is one."""
        if self._server:
            self._inbox.remove(self._server)
            self._server = None

    def join(self, system: System) -> System:
        """Returns the system with the proxy in it."""

        def spawn(ticket: Ticket, task: Task, version: Version | None) -> Iterable[Fact]:
            for fact in system.spawn(ticket, task, version):
                yield fact
                if isinstance(fact, ProcessStarted) and task.role is Role.APP:
                    yield from self._expect(ticket)

        def route(gate: Gate, ticket: Ticket | None) -> Iterable[Fact]:
            return (*self._route(gate, ticket), *system.route(gate, ticket))

        def drain(ticket: Ticket, is_ending: bool) -> Iterable[Fact]:
            if self._server and not is_ending:
                return self._server.drain(ticket)
            return system.drain(ticket, is_ending)

        return replace(system, spawn=spawn, route=route, drain=drain)

    def _expect(self, ticket: Ticket) -> Iterable[Fact]:
        self._started = ticket
        return self._server.expect(ticket) if self._server else ()

    def _route(self, gate: Gate, ticket: Ticket | None) -> Iterable[Fact]:
        self._gate = (gate, ticket)
        if self._server:
            self._server.route(gate, ticket, self._snapshot().down)
        return ()


def _options(config: Config, env_files: Callable[[], EnvFiles]) -> Options:
    from reloader.proxy.editors import guess
    from reloader.proxy.options import Options

    proxy = config.proxy
    return Options(
        root=config.root,
        host=proxy.host,
        port=proxy.proxy_port,
        app_port=proxy.app_port,
        patience=settings.strategy(config).ready_within,
        allowed_hosts=tuple(host.lower() for host in proxy.allowed_hosts),
        no_hold=proxy.no_hold,
        overlay=proxy.overlay,
        editor=proxy.editor or guess(env_files().read()[0]),
        path_map=dict(pair.split("=", 1) for pair in proxy.path_map if "=" in pair),
        refreshing=frozenset(r.name for r in config.build.rules if r.then == "browser"),
        secrets=lambda: secrets(env_files().read()[0]),
    )


def secrets(environ: Mapping[str, str]) -> Sequence[str]:
    """Returns the values of variables whose names say that they are secret."""
    return [
        value
        for name, value in environ.items()
        if any(word in name.upper() for word in _SECRET_NAMES)
    ]
