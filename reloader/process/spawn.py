"""Starts one process, fast and with nothing of reloader in it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
from typing import TYPE_CHECKING

from reloader.command.parse import SHELL
from reloader.command.which import SpawnError, diagnose, is_script
from reloader.process.spec import NULL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reloader.process.spec import SpawnSpec


class Starter:
    """Calls posix_spawn with what all processes have in common.

    posix_spawn shares reloader's memory until exec, so it takes 0.7 ms however large reloader is,
    and it reports why exec failed. fork would copy locks that other threads hold.
    """

    def __init__(self) -> None:
        _keep_descriptors()
        # Open for good: a process can be started though all descriptors are in use.
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self._defaults = _default_signals()

    def start(self, path: str, spec: SpawnSpec) -> int:
        """Starts the program at `path` as `spec` says; returns its pid. Raises SpawnError."""
        wanted = [*zip(spec.stdio, range(3), strict=True), *spec.descriptors]
        copies: list[int] = []
        try:
            actions = [
                (os.POSIX_SPAWN_DUP2, source, number)
                for source, number in self._sources(wanted, copies)
            ]
            try:
                return self._spawn(path, spec.argv, spec.env, actions)
            except OSError as error:
                if error.errno != errno.ENOEXEC or not is_script(path):
                    raise
            return self._spawn(SHELL, (SHELL, path, *spec.argv[1:]), spec.env, actions)
        except OSError as error:
            raise diagnose(path, error.errno or 0) from None
        except ValueError:  # a NUL byte; a letter that the locale's encoding doesn't have
            raise SpawnError("its arguments or environment can't be encoded") from None
        finally:
            for descriptor in copies:
                os.close(descriptor)

    def _sources(
        self, wanted: Sequence[tuple[int, int]], copies: list[int]
    ) -> Iterator[tuple[int, int]]:
        """Yields what is to be copied where, so that no copy overwrites the source of another.

        The descriptors that are made for that are added to `copies`.
        """
        numbers = {number for _, number in wanted}
        for given, number in wanted:
            source = self._null if given == NULL else given
            # dup2 of a descriptor to itself leaves it closed on exec in older C libraries.
            in_place = source == number and os.get_inheritable(source)
            if source in numbers and not in_place:
                source = fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, max(numbers) + 1)
                copies.append(source)
            yield source, number

    def _spawn(
        self,
        path: str,
        argv: tuple[str, ...],
        env: Mapping[str, str],
        actions: list[tuple[int, int, int]],
    ) -> int:
        return os.posix_spawn(
            path,
            argv,
            env,
            file_actions=actions,
            setpgroup=0,
            setsigmask=(),
            setsigdef=self._defaults,
        )


def _keep_descriptors() -> None:
    """Keeps inherited descriptors above 2 from the processes; Python's own are never inherited."""
    try:
        descriptors = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:  # no /proc
        descriptors = list(range(256))
    for descriptor in descriptors:
        if descriptor > 2:
            with contextlib.suppress(OSError):  # not open, or not any more
                os.set_inheritable(descriptor, False)


def _default_signals() -> list[int]:
    """Returns the signals that a process gets with their default action.

    A shell's `&`, `trap '' X` and Python leave some ignored. SIGHUP stays ignored if it was: nohup.
    """
    kept = {signal.SIGKILL, signal.SIGSTOP}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        kept.add(signal.SIGHUP)
    return [number for number in signal.valid_signals() if number not in kept]
