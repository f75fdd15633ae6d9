"""The part of an app's run that other tools do not have: its port is held, its readiness known."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from reloader.core.facts import BecameIdle, Noticed
from reloader.core.news import Informed, Warned
from reloader.core.values import Gate

if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable, Iterator, Mapping

    from reloader.config.model import Config
    from reloader.core.facts import Fact
    from reloader.core.values import Ticket
    from reloader.ready.lookout import Lookout
    from reloader.ready.probe import Ready
    from reloader.runtime.loop import Inbox, Seat
    from reloader.sockets.hold import Hold
    from reloader.sockets.own_port import OwnPort
    from reloader.sockets.ports import Ports


class Swap:
    """Starts the app's processes, and carries out what the machine orders for its clients.

    `environ()`: what the app is started with. `name`: of the app, "" if there is only one.
    """

    def __init__(
        self,
        config: Config,
        environ: Callable[[], Mapping[str, str]],
        inbox: Inbox,
        seat: Seat,
        name: str,
    ) -> None:
        self._config = config
        self._environ = environ
        self._inbox = inbox
        self._seat = seat
        self._name = name
        self._own_port: OwnPort | None = None
        self._hold: Hold | None = None
        self._ports: Ports | None = None
        self._lookout: Lookout | None = None
        self._pids: dict[Ticket, int] = {}
        self._told: str | None = None  # why the port is not held, as it was last told

    def start(self, ticket: Ticket, run: Callable[[], int]) -> int:
        """Calls `run`, which starts a process of the app, so that its ports can be held."""
        hold = self._hold_now()
        return hold.start(ticket, run) if hold else run()

    @property
    def port(self) -> int:
        """Returns the port of the app's own, which it gets as PORT; 0 if it is to have none."""
        if not self._config.swap.own_port:
            return 0
        if self._own_port is None:
            from reloader.sockets.own_port import own_port

            whose = (self._config.root, self._config.file, self._name)
            try:
                self._own_port = own_port("\0".join(whose))
            except OSError:  # the app meets it, and says it better
                return 0
        return self._own_port.number

    def environ(self) -> dict[str, str]:
        """Returns what the app's environment has besides, for its next start."""
        own = {"PORT": str(self.port)} if self.port else {}
        if self._is_on and self._config.swap.ready == "notify":
            own["NOTIFY_SOCKET"] = self._lookout_now().notify_socket()
        return own

    def meet(self, ticket: Ticket, call: _socket.socket) -> None:
        """Holds the ports of a process of the app that was forked elsewhere, and waits for this."""
        if hold := self._hold_now():
            hold.meet(ticket, call)

    @property
    def file(self) -> str:
        """Returns the file of what such a process answers with; "" if it is not to."""
        if self._hold_now() is None:
            return ""
        from reloader.sockets.hold import INSIDE

        return INSIDE

    def started(self, ticket: Ticket, pid: int) -> Iterator[Fact]:
        """Looks from now on whether the process is ready; yields what there is to be told."""
        if not self._is_on:
            return
        self._pids[ticket] = pid
        try:
            self._lookout_now().started(ticket, pid)
        except OSError as error:  # no descriptor to be had
            why = (error.strerror or str(error)).lower()
            yield Noticed(Warned(f"it can't be told when the app is ready: {why}"))
        why_not = self._hold.why_not if self._hold else None
        if why_not and why_not != self._told:
            self._told = why_not
            text = f"the port is not held during a restart: {why_not}"
            is_asked_for = self._config.swap.hold == "on"
            yield Noticed(Warned(text) if is_asked_for else Informed(text))

    def route(self, gate: Gate, ticket: Ticket | None) -> tuple[Fact, ...]:
        """Sends new connections to a generation, lets them wait, or refuses them."""
        if self._ports is None:
            return ()
        if gate is Gate.HOLD:
            self._ports.park()
        elif gate is Gate.OPEN and ticket is not None:
            self._ports.steer(ticket)
        else:
            self._ports.release()
        return ()

    def drain(self, ticket: Ticket, is_ending: bool) -> tuple[Fact, ...]:
        """Tells when a generation owes no answer any more; at once where that can't be seen."""
        is_seen = self._ports and self._ports.served(ticket)
        if self._ports and is_seen and self._lookout and ticket in self._pids:
            self._ports.keep_steering()  # before the look: what came meanwhile is seen by it
            self._lookout.drain(ticket, self._pids[ticket], is_ending=is_ending)
            return ()
        return () if is_ending else (BecameIdle(ticket),)

    def reconfigure(self, config: Config) -> None:
        """Takes another config for all starts from now on."""
        self._config = config
        if self._lookout:
            self._lookout.ask_for(_ready(config))

    def close(self) -> None:
        """Closes what is held."""
        if self._ports:
            self._ports.close()
        if self._own_port:
            self._own_port.close()

    @property
    def _is_on(self) -> bool:
        """False where a proxy holds the clients, and finds out when the app is ready."""
        return sys.platform == "linux" and not self._config.proxy.is_on

    # --- how -------------------------------------------------------------------------------------

    def _hold_now(self) -> Hold | None:
        """Returns None if the ports are not to be held."""
        if self._config.swap.hold == "off" or not self._is_on:
            return None
        if self._hold is None:
            self._hold = self._new_hold()
        return self._hold

    def _new_hold(self) -> Hold:
        from reloader.sockets.hold import Hold, may_lose_rights

        def may() -> bool:
            is_asked_for = self._config.swap.hold == "on"
            return is_asked_for or may_lose_rights(self._environ().get("PATH", ""))

        return Hold(self._ports_now(), may)

    def _ports_now(self) -> Ports:
        if self._ports is None:
            from reloader.sockets.ports import Ports

            self._ports = Ports(self._listened, self._is_open)
        return self._ports

    def _lookout_now(self) -> Lookout:
        if self._lookout is None:
            from reloader.ready.lookout import Lookout

            cwd = self._config.command_dir
            ready = _ready(self._config)
            self._lookout = Lookout(self._ports_now(), ready, self._environ, cwd)
            self._inbox.add(self._lookout, self._seat)
        return self._lookout

    def _listened(self, ticket: Ticket) -> None:
        if self._lookout:
            self._lookout.listened(ticket)

    def _is_open(self, ticket: Ticket, inode: int) -> bool:
        """Returns True if a process of that start has a descriptor of the socket."""
        from reloader.process.tree import ProcView
        from reloader.ready import accepting

        if (pid := self._pids.get(ticket)) is None:
            return False
        return accepting.has_socket([pid, *(p.pid for p in ProcView().below(pid))], inode)


def _ready(config: Config) -> Ready:
    from reloader.ready.probe import Ready

    return Ready.of(config.swap.ready)
