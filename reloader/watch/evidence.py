"""Reads from a changed file what its writer must have done."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from reloader.core.values import Kind
from reloader.light import replace
from reloader.watch.snapshot import contents_of
from reloader.watch.unsettled import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from reloader.core.values import Change
    from reloader.watch.mounts import Mount
    from reloader.watch.snapshot import Signature

_BLOCK = 512  # bytes, the unit of st_blocks (stat(2))
_TICK = 0.01  # seconds: the kernel stamps files with a clock that ticks every 4 or 10 ms


class Disks:
    """The devices where writes count as written to a disk."""

    def __init__(self, mount: Callable[[str], Mount | None]) -> None:
        self._mount = mount
        self._counted: dict[int, bool] = {}

    def count(self, device: int, path: str) -> bool:
        if device not in self._counted:
            mount = self._mount(path)
            self._counted[device] = mount is not None and mount.is_counted
        return self._counted[device]


def filled(
    change: Change, path: str, old: Signature | None, disks: Disks, *, reads: bool
) -> Change:
    """Returns the change with what can be known of it.

    `path`: where the file is; `old`: what it was at the last look, None if there was nothing;
    with `reads` its content is read, too.
    """
    try:
        status = os.stat(path)
    except OSError:
        return replace(change, kind=Kind.DELETED, age=change.age + PATIENCE)
    digest = contents_of(path)[0] if reads else ""
    kind = Kind.CHANGED if old else Kind.NEW
    size = status.st_size
    if old and old[2] == status.st_ino:  # written in place: an appended line is enough
        least = max(size - old[1], 1) if size else 0
    else:  # a core dump is mostly holes, which nobody writes
        least = min(size, status.st_blocks * _BLOCK or size)
    on_disk = disks.count(status.st_dev, path)
    age = time.time() - status.st_ctime
    if 0 <= age < change.age - _TICK:  # else another machine's clock, or older than a fact can be
        change = replace(change, age=age + _TICK)
    return replace(change, digest=digest, kind=kind, size=size, least=least, on_disk=on_disk)
