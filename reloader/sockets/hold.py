"""Starts the app so that its ports can be held; where that is not possible, as without it."""

from __future__ import annotations

import os
from queue import SimpleQueue
from typing import TYPE_CHECKING

from reloader import threads
from reloader.sockets import seccomp

if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable

    from reloader.sockets.ports import Ports, Start

INSIDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside.py")  # for `Hold.meet`
# Programs that give who runs them more rights, by a set-uid bit or a capability: these fail in a
# tree that can gain none. (passwd, su and the like ask a person, which no app's tree does.)
GIVE_RIGHTS = ("sudo", "doas", "pkexec", "newuidmap", "fusermount", "fusermount3", "bwrap", "ping")


class Hold:
    """The way an app is started.

    `may_lose_rights` is asked where the kernel wants it: the app's tree can gain no rights then.
    """

    def __init__(self, ports: Ports, may_lose_rights: Callable[[], bool]) -> None:
        self._ports = ports
        self._may_lose_rights = may_lose_rights
        self._is_refused = False  # for good
        self.why_not: str | None = None  # the last start is not held; "": and nobody need know

    def start(self, start: Start, run: Callable[[], int]) -> int:
        """Calls `run`, which starts a process, and returns its pid. Raises what `run` raises."""
        pid = self._held(start, lambda: seccomp.start(run, self._may_lose_rights))
        return run() if pid is None else pid

    def meet(self, start: Start, call: _socket.socket) -> None:
        """Holds the ports of a process that is about to start the app, and waits for this call.

        On its side `inside.enter` answers. Never raises: where nothing answers, nothing is held.
        """
        self._held(start, lambda: (0, seccomp.ask(call, self._may_lose_rights)))

    def _held(self, start: Start, begin: Callable[[], tuple[int, int]]) -> int | None:
        """Calls `begin`, and serves the descriptor that it returns; None if it was refused.

        The broker has its thread before there is an app that could wait for it in vain.
        """
        if self._is_refused:
            return None
        listener, listeners = -1, SimpleQueue[int]()
        try:
            self._begin_broker(start, listeners)
            pid, listener = begin()
            self._ports.began(start)
        except seccomp.RefusedError as refused:
            self.why_not, self._is_refused = str(refused), not refused.passing
            self._ports.release()  # this start can't be given what is parked
            return None
        else:
            self.why_not = None
            return pid
        finally:
            listeners.put(listener)

    def _begin_broker(self, start: Start, listeners: SimpleQueue[int]) -> None:
        """Starts the thread that serves the descriptor which will come; -1: none will."""

        def serve() -> None:
            if (listener := listeners.get()) >= 0:
                from reloader.sockets.broker import Broker  # the app has a way to go before it asks

                Broker(listener, start, self._ports).run()

        if threads.start(serve, f"ports-{start}") is None:
            raise seccomp.RefusedError(threads.LACK, passing=True)


def outlook(mode: str, path: str) -> tuple[bool, str]:
    """Returns whether an app's ports can be held on this machine, and why, in words.

    `mode`: "auto", "on" or "off". Asks the kernel for a filter, in a thread that ends at once.
    """
    if mode == "off":
        return False, 'hold = "off"'
    lost: list[str | None] = []

    def may() -> bool:
        is_forced = os.geteuid() == 0 or seccomp.has_no_new_privs()
        lost.append(None if is_forced else rights_giver(path))
        return mode == "on" or lost[0] is None

    try:
        _, listener = seccomp.start(lambda: 0, may)
    except seccomp.RefusedError as refused:
        if lost and lost[0]:
            return False, f'{lost[0]} would not work in the app; if it never runs that: hold = "on"'
        return False, str(refused) or "an outer reloader holds the ports"
    os.close(listener)
    if not lost:
        return True, "the app loses no right by it"
    return True, f"{lost[0]} does not work in the app" if lost[0] else "nothing is lost by it"


def may_lose_rights(path: str) -> bool:
    """Returns True if a tree that can gain no rights loses nothing; `path`: the app's PATH."""
    if os.geteuid() == 0 or seccomp.has_no_new_privs():
        return True
    return rights_giver(path) is None


def rights_giver(path: str) -> str | None:
    """Returns an installed program that gives rights to who runs it; None if there is none."""
    for folder in filter(None, path.split(os.pathsep)):
        for name in GIVE_RIGHTS:
            file = os.path.join(folder, name)
            if _gives_rights(file):
                return file
    return None


def _gives_rights(file: str) -> bool:
    try:
        found = os.stat(file)
    except OSError:
        return False
    if found.st_mode & 0o4000 and found.st_uid == 0:
        return True
    try:
        return bool(os.getxattr(file, "security.capability"))
    except OSError:
        return False
