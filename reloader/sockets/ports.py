"""The ports of one app: which start of it has them, and where new connections wait.

At rest reloader holds nothing: the app alone has its listening sockets, and closes them as ever. In
a swap each address gets a second socket, for the next start: new connections wait in its queue,
and the next start gets it when it binds that address.

Called by the main thread and by the brokers' threads; each call is short.
"""

from __future__ import annotations

import errno
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from reloader.light import dataclass, field
from reloader.sockets import group

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from reloader.sockets.address import Address

Start = int  # names one start of the app; a later one has a higher number


@dataclass
class Place:
    """The socket that one start has at one address."""

    address: Address
    inode: int
    copy: socket.socket | None  # reloader's own descriptor of it, in a swap
    is_shared: bool = False  # every bind of the address gets it: the app has set SO_REUSEPORT
    is_taken: bool = False  # the app has bound it
    listens: bool = False
    thread: int = 0  # of the app's, that has called listen

    def close(self) -> None:
        if self.copy:
            self.copy.close()
            self.copy = None


@dataclass
class _Places:
    """All that one start has."""

    by_address: dict[Address, Place] = field(default_factory=dict)
    is_settled: bool = True  # no swap to it is under way

    def served(self) -> list[Place]:
        return [place for place in self.by_address.values() if place.listens]


class Ports:
    """The addresses of each generation, and the one that gets new connections.

    `told(start)`: it listens on one more address; called by a broker's thread.
    `is_open(start, inode)`: some process of the start has a descriptor of that socket.
    """

    def __init__(
        self,
        told: Callable[[Start], None],
        is_open: Callable[[Start, int], bool],
    ) -> None:
        self._told = told
        self._is_open = is_open
        self._lock = threading.Lock()
        self._groups: dict[Address, group.Group] = {}
        self._starts: dict[Start, _Places] = {}
        self._parked: dict[Address, Place] = {}  # of the next start
        self._serving: Start = 0  # gets the new connections; 0: none has yet
        self._last: dict[Address, Place] = {}  # of the last start that is gone: where it served
        self._holds = False  # clients wait where nobody listens

    # --- what the app does: called by its broker -------------------------------------------------

    def began(self, start: Start) -> None:
        """Gives a new start what is parked for it."""
        with self._lock:
            is_swap = bool(self._parked or self._starts)
            self._starts[start] = _Places(self._parked, is_settled=not is_swap)
            self._parked = {}

    def bind(self, start: Start, address: Address, *, shares: bool) -> Place:
        """Returns the socket that the start gets for its own. Raises OSError: the bind fails so."""
        with self._lock:
            mine = self._starts[start].by_address
            place = mine.get(address)
            if place and place.copy:
                if (
                    place.is_taken
                    and not (shares or place.is_shared)
                    and self._is_in_use(start, place)
                ):
                    raise OSError(errno.EADDRINUSE, "the app has bound it already")
                place.is_taken, place.is_shared = True, place.is_shared or shares
                return place
            made = self._make(start, address)
            place = Place(address, group.inode_of(made), made, shares, is_taken=True)
            mine[address] = place
            return place

    def handed_over(self, start: Start, place: Place) -> None:
        """Notes that the app has its socket: outside of a swap it alone has it."""
        with self._lock:
            if not place.is_shared and self._starts[start].is_settled:
                place.close()

    def has(self, start: Start, address: Address, inode: int) -> bool:
        """Returns True if that socket is the one the start got for the address."""
        with self._lock:
            place = self._starts[start].by_address.get(address)
            return place is not None and place.inode == inode

    def is_own(self, start: Start, inode: int) -> bool:
        """Returns True for a socket that the start has got from here and does not listen on yet."""
        with self._lock:
            return self._taken(start, inode) is not None

    def listened(self, start: Start, inode: int, thread: int) -> None:
        """Notes that the start listens on a socket; any but those it got from here is ignored."""
        with self._lock:
            if (place := self._taken(start, inode)) is None:
                return
            joint = self._group(place.address)
            with suppress(OSError):
                joint.members()  # who has left before gave its number to another
            joint.joined(inode)
            place.listens, place.thread = True, thread
        self._told(start)

    # --- what the machine orders -----------------------------------------------------------------

    def park(self) -> tuple[Address, ...]:
        """Lets new connections wait for the next start; returns the addresses.

        What the newest start was to get itself and is not ready to serve goes on to the next, with
        who waits there.
        """
        with self._lock:
            self._holds = True
            newest = max(self._starts, default=None)
            places = _Places(self._last) if newest is None else self._starts[newest]
            for address, place in list(places.by_address.items()):
                if not places.is_settled and place.copy:
                    place.is_taken, place.listens = False, False
                    self._parked[address] = place
                    del places.by_address[address]
                elif newest is None or place.inode in self._group(address).members():
                    self._park(place)
            return tuple(self._parked)

    def steer(self, start: Start) -> None:
        """Sends new connections to this start from now on, and ends the swap when it is alone."""
        with self._lock:
            if start not in self._starts:
                return
            self._holds, self._serving = False, start
            self._steer()
            self._settle()

    def keep_steering(self) -> None:
        """Sends new connections where they were sent, after others have left the group."""
        with self._lock:
            self._steer()

    def lets_probe(self, start: Start, source: str) -> bool:
        """Lets connections from an IPv4 address reach a start that others do not reach yet.

        Returns False if the start needs no such way: it gets all new connections in any case.
        """
        with self._lock:
            serving = self._starts.get(self._serving)
            if serving is None or self._serving == start or start not in self._starts:
                return False
            for place in self._starts[start].served():
                old = serving.by_address.get(place.address)
                if place.copy and old:
                    with suppress(OSError):
                        joint = self._group(place.address)
                        joint.steer(place.copy, old.inode, place.inode, source)
            return True

    def forget(self, start: Start) -> None:
        """Closes what is held for a start that is gone, or is just ending.

        The kernel hangs up before it closes the files of a process; so that is waited for.
        """
        with self._lock:
            places = self._starts.pop(start, _Places())
            if served := {place.address: place for place in places.served()}:
                self._last = served
            for place in places.by_address.values():
                place.close()
        with suppress(OSError):
            group.wait_closed({place.inode for place in served.values()})
        with self._lock:
            if self._holds and not self._starts:
                for place in served.values():
                    self._park(place)
            self._steer()
            self._settle()

    def release(self) -> None:
        """Closes what is parked: nothing is coming, new connections are refused."""
        with self._lock:
            self._holds = False
            for place in self._parked.values():
                place.close()
            self._parked = {}

    def knows(self, start: Start) -> bool:
        """Returns True if the start was begun under a filter, and is not gone."""
        with self._lock:
            return start in self._starts

    def expected(self, start: Start) -> frozenset[int]:
        """Returns the ports that a start is to listen on: those of the one before it."""
        with self._lock:
            mine = self._starts.get(start, _Places()).by_address.values()
            others = [places.served() for it, places in self._starts.items() if it < start]
            before = [place for served in others for place in served] or self._last.values()
            return frozenset(place.address.port for place in (*mine, *before))

    def served(self, start: Start) -> tuple[Place, ...]:
        """Returns where the start listens."""
        with self._lock:
            return tuple(self._starts.get(start, _Places()).served())

    def close(self) -> None:
        """Closes all that reloader holds."""
        self.release()
        for start in tuple(self._starts):
            self.forget(start)

    # --- how -------------------------------------------------------------------------------------

    def _steer(self) -> None:
        """Sends new connections to the start that serves, wherever it is in the group now."""
        if self._holds or self._serving not in self._starts:
            return
        for place in self._starts[self._serving].served():
            every = (starts.by_address.get(place.address) for starts in self._starts.values())
            copy = next((other.copy for other in every if other and other.copy), None)
            if copy:
                with suppress(OSError):
                    self._group(place.address).steer(copy, place.inode)

    def _settle(self) -> None:
        """Ends a swap once the start that serves is alone: reloader holds nothing any more.

        An address that it has not bound is closed; who waits there is refused.
        """
        if tuple(self._starts) != (self._serving,):
            return
        places = self._starts[self._serving]
        places.is_settled = True
        for address, place in list(places.by_address.items()):
            if not place.is_taken:
                del places.by_address[address]
            if not place.is_taken or not place.is_shared:
                place.close()

    def _taken(self, start: Start, inode: int) -> Place | None:
        places = self._starts.get(start, _Places()).by_address.values()
        return next((p for p in places if p.inode == inode and p.is_taken and not p.listens), None)

    def _group(self, address: Address) -> group.Group:
        return self._groups.setdefault(address, group.Group())

    def _is_in_use(self, start: Start, place: Place) -> bool:
        return self._is_open(start, place.inode)

    def _make(self, start: Start, address: Address) -> socket.socket:
        """Alone on the address, as the app would be; beside this app's own if that is in the way.

        What is parked for the start at another address of the port is closed: the app has moved.
        """
        try:
            return group.make(address, beside=False)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            has_moved = self._drop_parked(start, address.port)
            has_rival = self._has_rival(start, address.port)
            if not has_moved and not has_rival:
                raise
        if has_rival:
            with suppress(OSError):  # it can't be seen who listens: the app's own call joins it
                return self._group(address).join(address, beside=True)
        return group.make(address, beside=has_rival)

    def _drop_parked(self, start: Start, port: int) -> bool:
        mine = self._starts[start].by_address
        dropped = [p for p in mine.values() if p.address.port == port and not p.is_taken]
        for place in dropped:
            place.close()
            del mine[place.address]
        return bool(dropped)

    def _has_rival(self, start: Start, port: int) -> bool:
        """Returns True if another start of the app has a socket on the port."""
        others = (places for other, places in self._starts.items() if other != start)
        return any(p.address.port == port for places in others for p in places.by_address.values())

    def _park(self, old: Place) -> None:
        """Makes a socket beside those there are, and sends new connections to it.

        Where that fails, clients are refused while nobody listens, as without reloader.
        """
        if old.address in self._parked:
            return
        with suppress(OSError):
            joint = self._group(old.address)
            made = joint.join(old.address, beside=self._serves(old.address))
            try:
                inode = group.inode_of(made)
                joint.steer(made, inode)
            except OSError:
                made.close()
                raise
            self._parked[old.address] = Place(old.address, inode, made, old.is_shared)

    def _serves(self, address: Address) -> bool:
        return any(address in places.by_address for places in self._starts.values())
