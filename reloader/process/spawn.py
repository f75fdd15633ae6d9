"""Starts one process, quickly and with nothing of ours in it."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
from typing import TYPE_CHECKING

from reloader.command.parse import SHELL
from reloader.command.which import SpawnError, diagnose, is_script

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Starter:
    """posix_spawn with what all our children have in common.

    posix_spawn, for it shares our memory until exec (0.7 ms with any size of ours) and reports
    why exec failed; no fork, for other threads may hold locks.
    """

    def __init__(self) -> None:
        _keep_descriptors()
        self._defaults = _default_signals()

    def start(
        self,
        path: str,
        argv: tuple[str, ...],
        environ: Mapping[str, str],
        stdio: tuple[int, int, int],
    ) -> int:
        """The pid. Raises SpawnError; `stdio`: what becomes its 0, 1, 2 (-1: /dev/null)."""
        ours: list[int] = []
        try:
            for place, descriptor in enumerate(stdio):
                ours.append(_source(descriptor, place))
            try:
                return self._spawn(path, argv, environ, ours)
            except OSError as error:
                if error.errno != errno.ENOEXEC or not is_script(path):
                    raise
            return self._spawn(SHELL, (SHELL, path, *argv[1:]), environ, ours)
        except OSError as error:
            raise diagnose(path, error.errno or 0) from None
        except ValueError:  # a NUL byte; a letter that the locale's encoding doesn't have
            raise SpawnError("its arguments or environment can't be encoded") from None
        finally:
            for source, descriptor in zip(ours, stdio, strict=False):
                if source != descriptor:
                    os.close(source)

    def _spawn(
        self, path: str, argv: tuple[str, ...], environ: Mapping[str, str], ours: Sequence[int]
    ) -> int:
        return os.posix_spawn(
            path,
            argv,
            environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, source, place) for place, source in enumerate(ours)
            ],
            setpgroup=0,
            setsigmask=(),
            setsigdef=self._defaults,
        )


def _source(descriptor: int, place: int) -> int:
    """A descriptor to copy from, none that an earlier copy has overwritten."""
    if descriptor < 0:
        return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    return os.dup(descriptor) if descriptor < 3 and descriptor != place else descriptor


def _keep_descriptors() -> None:
    """What we inherited beyond 0, 1, 2 is not for our children; what Python opens never is."""
    try:
        descriptors = [int(name) for name in os.listdir("/dev/fd")]
    except OSError:  # no /proc
        descriptors = list(range(256))
    for descriptor in descriptors:
        if descriptor > 2:
            with contextlib.suppress(OSError):  # not open, or not any more
                os.set_inheritable(descriptor, False)


def _default_signals() -> list[int]:
    """All, for a shell's `&`, Python and `trap '' X` leave some ignored; but nohup is meant."""
    kept = {signal.SIGKILL, signal.SIGSTOP}
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        kept.add(signal.SIGHUP)
    return [number for number in signal.valid_signals() if number not in kept]
